// The engine's worker: Python over sealed private files, and its line to the tabs. What tabs say
// before Python is ready waits.

import { engineFailure } from "../engine_failure";
import { hookFdatasync } from "./fdatasync";
import { platformName, storageState } from "./browser";
import { withPlainErrors } from "./plain_errors";
import { openPrivateFiles } from "./private_files";
import { startPython } from "./python";
import { slotCipher } from "./slots";

/** The folder with Pyodide's files and our packages; the build names it by what is in it. */
declare const __PYTHON_FOLDER__: string;

const hook = hookFdatasync(); // before anything compiles WebAssembly
const waiting: string[] = [];
let hear: (text: string) => void = (text) => waiting.push(text);

self.onmessage = ({ data }: MessageEvent<string>) => hear(data);

async function start(): Promise<void> {
  const folder = new URL(__PYTHON_FOLDER__, location.origin).href;
  const archives = [`${folder}packages.zip`];
  const [python, sodium] = await startPython({ pyodide: folder, archives });
  hook.fileSystem = python.FS;
  const files = openPrivateFiles(python.FS, (key) => slotCipher(sodium, key), endWithFiles);
  const engine = python.pyimport("untether.browser.main");
  hear = engine.start({
    post: (text: string) => self.postMessage(text),
    files,
    origin: location.origin,
    platform: platformName(),
    storage: withPlainErrors(storageState),
  });
  for (const text of waiting.splice(0)) hear(text);
}

/** Do nothing more for a device that is gone. */
function endWithFiles(): void {
  self.postMessage(JSON.stringify({ event: "files_deleted" }));
  hear = () => undefined;
}

start().catch((reason: unknown) => {
  self.postMessage(engineFailure(reason instanceof Error ? reason.message : String(reason)));
});
