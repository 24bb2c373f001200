// Runs Python source with our packages and those of the tests, and answers with its last value.

import { startPython } from "../../src/engine/python";

const starting = startPython({
  pyodide: `${location.origin}/pyodide/`,
  archives: [`${location.origin}/packages.zip`],
});

self.onmessage = async ({ data, ports }: MessageEvent<string>) => {
  try {
    const [python] = await starting;
    ports[0]?.postMessage(String(python.runPython(data)));
  } catch (error) {
    ports[0]?.postMessage(`FAILED ${String(error)}`);
  }
};
