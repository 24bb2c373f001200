// The list of chats, newest first, kept fresh by events.
import { engine } from "../rpc";
import { deleteChats, keepChats } from "./last_chats";
import type { Chat } from "../types";

/** Many messages at once ask for the list once: less than a person notices. */
const GATHER_MS = 60;

class Chats {
  all: Chat[] | null = $state.raw(null);
  #openKey: Uint8Array<ArrayBuffer> | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #planned: ReturnType<typeof setTimeout> | null = null;

  constructor() {
    engine.on("message", () => this.#soon());
    engine.on("progress", () => this.#soon());
    engine.on("notice", () => this.#soon());
  }

  async load(): Promise<void> {
    this.all = await engine.call("chats", {});
    this.#keep();
  }

  /** From now on, keep the list for the next start, under this key. */
  keepUnder(openKey: Uint8Array<ArrayBuffer> | null): void {
    this.#openKey = openKey;
    if (this.all) this.#keep();
  }

  /** Show the list of the last time until the engine has the real one. */
  showLast(last: Chat[]): void {
    this.all ??= last;
  }

  forget(): void {
    this.all = null;
  }

  /** Keep no list for the next start any more, and delete the one that was kept. */
  async forgetKept(): Promise<void> {
    this.#openKey = null;
    this.#keeping = this.#keeping.then(deleteChats).catch(() => undefined); // the next start tries
    await this.#keeping;
  }

  byId(conversationId: string): Chat | undefined {
    return this.all?.find((chat) => chat.conversation_id === conversationId);
  }

  get unread(): number {
    return (this.all ?? []).reduce((sum, chat) => sum + chat.unread, 0);
  }

  #keep(): void {
    const [key, all] = [this.#openKey, this.all];
    if (!key || !all) return;
    const keep = (): Promise<void> => (this.#openKey === key ? keepChats(key, all) : Promise.resolve());
    this.#keeping = this.#keeping.then(keep).catch(() => undefined); // the next start is slower
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
