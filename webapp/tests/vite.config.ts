// Builds the same screens over a scripted engine, for the tests of the screens.
import { fileURLToPath } from "node:url";
import { defineConfig, mergeConfig } from "vite";
import product from "../vite.config.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default mergeConfig(
  product,
  defineConfig({
    root: here(".."),
    publicDir: here("../public"),
    resolve: {
      alias: [{ find: /^\.\/start_engine$/, replacement: here("start_scripted.ts") }],
    },
    build: {
      outDir: process.env["UNTETHER_PAGE_OUT"] ?? here("../../build/screens"),
      emptyOutDir: true,
    },
  }),
);
