// Starts Python in the worker: Pyodide, libsodium beside it, and packages from archives.

import type { PyodideAPI } from "pyodide";
import { unpackStored } from "./stored_zip";

/** Where the parts are: the folder of Pyodide's files, and archives of Python packages (zip). */
interface PythonParts {
  pyodide: string;
  archives: readonly string[];
}

type Sodium = (typeof import("libsodium-wrappers-sumo"))["default"];

const PACKAGES = "/lib/python3.14/site-packages";
const SODIUM = "untether_sodium"; // crypto/browser.py imports it

/** Start Python; rejects when a part can't be had. All parts are fetched side by side. */
export async function startPython(parts: PythonParts): Promise<[PyodideAPI, Sodium]> {
  const archives = parts.archives.map(fetchBytes);
  const { loadPyodide } = (await import(/* @vite-ignore */ `${parts.pyodide}pyodide.mjs`)) as {
    loadPyodide(options: object): Promise<PyodideAPI>;
  };
  const [python, sodium] = await Promise.all([
    loadPyodide({ indexURL: parts.pyodide, packageBaseUrl: parts.pyodide }),
    readySodium(), // while the browser compiles Python elsewhere
  ]);
  python.registerJsModule(SODIUM, sodium);
  for (const archive of archives) unpack(python, await archive);
  return [python, sodium];
}

async function readySodium(): Promise<Sodium> {
  const { default: sodium } = await import("libsodium-wrappers-sumo");
  await sodium.ready;
  return sodium;
}

function unpack(python: PyodideAPI, archive: Uint8Array): void {
  const folders = new Set<string>();
  unpackStored(archive, (name, content) => {
    const path = `${PACKAGES}/${name}`;
    const folder = path.slice(0, path.lastIndexOf("/"));
    if (!folders.has(folder)) python.FS.mkdirTree(folder);
    folders.add(folder);
    python.FS.writeFile(path, content);
  });
  python.runPython("import sys; sys.path_importer_cache.clear()"); // it may have looked before
}

async function fetchBytes(address: string): Promise<Uint8Array> {
  const response = await fetch(address);
  if (!response.ok) {
    throw new Error(`${address}: ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
