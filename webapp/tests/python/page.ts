// Lets a test run Python in the worker: `await runPython(source)`.

import { ownScript } from "../../src/trusted";
import workerAddress from "./worker?worker&url";

const worker = new Worker(ownScript(workerAddress), { type: "module" });

function runPython(source: string): Promise<string> {
  const { port1, port2 } = new MessageChannel();
  worker.postMessage(source, [port2]);
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
  });
}

Object.assign(window, { runPython });
