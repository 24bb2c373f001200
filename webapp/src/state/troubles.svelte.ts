// What stands in the way of this device until somebody sees to it.
import { engine } from "../rpc";

export type Trouble = "storage" | "clock" | "elsewhere";

class Troubles {
  all: Trouble[] = $state.raw([]);

  constructor() {
    engine.on("storage_full", () => this.#add("storage"));
    engine.on("clock_differs", () => this.#add("clock"));
    engine.on("received_elsewhere", () => this.#add("elsewhere"));
  }

  dismiss(trouble: Trouble): void {
    this.all = this.all.filter((one) => one !== trouble);
  }

  #add(trouble: Trouble): void {
    if (!this.all.includes(trouble)) this.all = [...this.all, trouble];
  }
}

export const troubles = new Troubles();
