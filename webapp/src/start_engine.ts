// Starts the worker in which the engine runs. Tests put a scripted one in the place of this file.
import { ownScript } from "./trusted";
import engineAddress from "./engine/worker?worker&url";

export function startEngine(): Worker {
  return new Worker(ownScript(engineAddress), { type: "module", name: "untether-engine" });
}
