// The line from this tab to the one engine: its own worker, or the tab that owns it.
// One tab holds the Web Lock "untether-engine" and runs the worker; the others send the same
// texts over the BroadcastChannel "untether". When the owner closes, the next tab takes over.
import { engineFailure } from "./engine_failure";

const LOCK = "untether-engine";
const CHANNEL = "untether";
/** Said by a tab that has just begun to run the engine. */
const MOVED = JSON.stringify({ event: "engine_moved" });

export interface EngineLine {
  /** Send one JSON text to the engine, wherever it runs. */
  post(text: string): void;
  /** Send one JSON text to all other tabs, past the engine. */
  tell(text: string): void;
  /** Does this tab run the engine? */
  owns(): boolean;
}

/** Open the line; `heard` gets every JSON text that the engine says. */
export async function openEngineLine(
  startWorker: () => Worker,
  heard: (text: string) => void,
): Promise<EngineLine> {
  const others = new BroadcastChannel(CHANNEL);
  let worker: Worker | null = null;

  function own(): Promise<never> {
    worker = startWorker();
    worker.onmessage = ({ data }) => {
      if (typeof data !== "string") return;
      others.postMessage(data);
      heard(data);
    };
    worker.onerror = (event) => heard(engineFailure(event.message));
    others.postMessage(MOVED);
    return new Promise<never>(() => {}); // the lock is held for as long as this tab lives
  }

  others.onmessage = ({ data }) => {
    if (typeof data !== "string") return;
    if (worker === null || !isForEngine(data)) heard(data);
    else worker.postMessage(data);
  };

  const isFirst = await new Promise<boolean>((decided) => {
    void navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => {
      decided(lock !== null);
      return lock === null ? undefined : own();
    });
  });
  if (!isFirst) {
    void navigator.locks.request(LOCK, () => {
      const owning = own();
      heard(MOVED);
      return owning;
    });
  }
  return {
    post: (text) => (worker ? worker.postMessage(text) : others.postMessage(text)),
    tell: (text) => others.postMessage(text),
    owns: () => worker !== null,
  };
}

/** Calls and answers go to the engine; an event of another tab is for all tabs. */
function isForEngine(text: string): boolean {
  const said: object = JSON.parse(text);
  return "call" in said || "answer" in said;
}
