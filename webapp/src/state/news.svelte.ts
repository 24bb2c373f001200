// Notices that belong to no chat: about the own account and this device, until they were read.
import { engine } from "../rpc";
import type { Notice } from "../types";

class News {
  all: Notice[] = $state.raw([]);

  constructor() {
    engine.on("notice", () => void this.load().catch(() => undefined)); // locked in between
  }

  async load(): Promise<void> {
    const waiting = await engine.call("notices", {});
    this.all = waiting.filter((notice) => notice.conversation_id === null);
  }

  forget(): void {
    this.all = [];
  }

  async read(notice: Notice): Promise<void> {
    this.all = this.all.filter((one) => one.row !== notice.row);
    await engine.call("notices_shown", { rows: [notice.row] });
  }
}

export const news = new News();
