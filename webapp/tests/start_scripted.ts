// In the place of src/start_engine.ts: the scene is named by the page's address.
import { ownScript } from "../src/trusted";
import scriptedAddress from "./scripted_engine?worker&url";

export function startEngine(): Worker {
  return new Worker(ownScript(scriptedAddress + location.search), { type: "module" });
}
