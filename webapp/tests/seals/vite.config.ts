// Builds what reads seals for Node.js.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  root: here,
  build: {
    ssr: `${here}seals.ts`,
    target: "node20",
    outDir: process.env["UNTETHER_PAGE_OUT"] ?? "../../../build/seals",
    emptyOutDir: true,
  },
});
