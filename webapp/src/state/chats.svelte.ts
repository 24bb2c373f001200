// The list of chats, newest first, kept fresh by events.
import { engine } from "../rpc";
import type { Chat } from "../types";

/** Many messages at once ask for the list once: less than a person notices. */
const GATHER_MS = 60;

class Chats {
  all: Chat[] | null = $state.raw(null);
  #planned: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    engine.on("message", () => this.#soon());
    engine.on("progress", () => this.#soon());
    engine.on("notice", () => this.#soon());
  }

  async load(): Promise<void> {
    this.all = await engine.call("chats", {});
  }

  forget(): void {
    this.all = null;
  }

  byId(conversationId: string): Chat | undefined {
    return this.all?.find((chat) => chat.conversation_id === conversationId);
  }

  get unread(): number {
    return (this.all ?? []).reduce((sum, chat) => sum + chat.unread, 0);
  }

  #soon(): void {
    if (this.all === null) return;
    this.#planned ??= setTimeout(() => {
      this.#planned = null;
      void this.load().catch(() => undefined); // locked in between: the list is forgotten anyway
    }, GATHER_MS);
  }
}

export const chats = new Chats();
