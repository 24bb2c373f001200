import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { iconPictures } from "./icon_pictures.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [svelte(), iconPictures()],
  define: { __PYTHON_FOLDER__: JSON.stringify(process.env["UNTETHER_PYTHON_FOLDER"] ?? "/python/") },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here("index.html"), service_worker: here("src/service_worker.ts") },
      output: {
        // A service worker is found by its name, so that the browser sees it change.
        entryFileNames: ({ name }) =>
          name === "service_worker" ? "service_worker.js" : "assets/[name]-[hash].js",
      },
    },
  },
  worker: { format: "es" },
});
