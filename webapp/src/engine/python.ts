// Starts Python in the worker: Pyodide, libsodium beside it, and packages from archives.

import sodium from "libsodium-wrappers-sumo";
import type { PyodideAPI } from "pyodide";

/** Where the parts are: the folder of Pyodide's files, and archives of Python packages (zip). */
export interface PythonParts {
  pyodide: string;
  archives: readonly string[];
}

const PACKAGES = "/lib/python3.14/site-packages";
const SODIUM = "untether_sodium"; // crypto/browser.py imports it

/** Start Python; rejects when a part can't be had. All parts are fetched side by side. */
export async function startPython(parts: PythonParts): Promise<PyodideAPI> {
  const archives = parts.archives.map(fetchBytes);
  const { loadPyodide } = (await import(/* @vite-ignore */ `${parts.pyodide}pyodide.mjs`)) as {
    loadPyodide(options: object): Promise<PyodideAPI>;
  };
  const [python] = await Promise.all([
    loadPyodide({ indexURL: parts.pyodide, packageBaseUrl: parts.pyodide }),
    sodium.ready,
  ]);
  python.registerJsModule(SODIUM, sodium);
  for (const archive of archives) {
    python.unpackArchive(await archive, "zip", { extractDir: PACKAGES });
  }
  return python;
}

async function fetchBytes(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) {
    throw new Error(`${address}: ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
