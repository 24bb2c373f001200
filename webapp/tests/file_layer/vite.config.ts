// Builds the checks of the file layer for Node.js.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  root: here,
  build: {
    ssr: `${here}file_layer.ts`,
    target: "node20",
    outDir: process.env["UNTETHER_PAGE_OUT"] ?? "../../../build/file-layer",
    emptyOutDir: true,
  },
});
