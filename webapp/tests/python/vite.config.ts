// Builds the page in which the tests of the Python packages run in a browser.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    outDir: process.env["UNTETHER_PAGE_OUT"] ?? "../../../build/python-page",
    emptyOutDir: true,
  },
  worker: { format: "es" },
});
