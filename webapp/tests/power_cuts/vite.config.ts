// Builds the simulation of power cuts for Node.js.
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));

export default defineConfig({
  root: here,
  build: {
    ssr: `${here}power_cuts.ts`,
    target: "node20",
    outDir: process.env["UNTETHER_PAGE_OUT"] ?? "../../../build/power-cuts",
    emptyOutDir: true,
  },
});
