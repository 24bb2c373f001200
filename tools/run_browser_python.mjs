// Runs Python scripts under Node.js in the browser's Python (Pyodide), with libsodium beside it:
//   node run_browser_python.mjs SCRIPT,SCRIPT WEBAPP_MODULES PYTHON_FOLDER [MOUNT=HOST_FOLDER]...
// PYTHON_FOLDER has Pyodide's files, whole or trimmed.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [scripts, modules, folder, ...mounts] = process.argv.slice(2);
const SODIUM = "libsodium-wrappers-sumo/dist/modules-sumo-esm/libsodium-wrappers.mjs";

const load = (...path) => import(pathToFileURL(resolve(...path)).href);

async function run() {
  const [{ loadPyodide }, { default: sodium }] = await Promise.all([
    load(folder, "pyodide.mjs"),
    load(modules, SODIUM),
  ]);
  const python = await loadPyodide({
    indexURL: `${resolve(folder)}/`,
    lockFileContents: readFileSync(join(folder, "pyodide-lock.json"), "utf8"),
    packageBaseUrl: `${resolve(folder)}/`,
  });
  await sodium.ready;
  python.registerJsModule("untether_sodium", sodium);
  for (const mount of mounts) {
    const [path, host] = mount.split("=");
    python.mountNodeFS(path, resolve(host));
  }
  for (const script of scripts.split(",")) {
    await python.runPythonAsync(readFileSync(script, "utf8"), { filename: script });
  }
}

await run().catch((error) => {
  console.error(error.message); // the rest of it is Pyodide's own source
  process.exit(1);
});
