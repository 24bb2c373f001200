// One open conversation: its pages of messages and notices, and what happens in it.
import { engine } from "../rpc";
import type { Message, Notice } from "../types";

const PAGE = 60;

export type Row =
  | { kind: "day"; key: string; at: number }
  | { kind: "notice"; key: string; notice: Notice }
  | { kind: "message"; key: string; message: Message; first: boolean };

export class OpenConversation {
  readonly id: string;
  messages: Message[] = $state.raw([]);
  notices: Notice[] = $state.raw([]);
  earlier: string | null = $state(null);
  ready = $state(false);
  loading = $state(false);
  /** True while rows are put before the others: the list then keeps its place from the end. */
  prepending = $state(false);
  readonly rows: Row[] = $derived(rowsOf(this.messages, this.notices));
  readonly #ends: (() => void)[];

  constructor(id: string, arrived: (message: Message) => void) {
    this.id = id;
    this.#ends = [
      engine.on("message", ({ message }) => {
        if (message.conversation_id !== id) return;
        this.put(message);
        arrived(message);
      }),
      engine.on("progress", ({ message_id, state, cause }) => {
        this.messages = this.messages.map((message) =>
          message.message_id === message_id ? { ...message, state, cause } : message,
        );
      }),
      engine.on("notice", ({ notice }) => {
        if (notice?.conversation_id === id) this.notices = [...this.notices, notice];
      }),
    ];
  }

  async load(): Promise<void> {
    const page = await engine.call("conversation", {
      conversation_id: this.id,
      before: null,
      limit: PAGE,
    });
    this.messages = page.messages;
    this.notices = page.notices;
    this.earlier = page.earlier;
    this.ready = true;
  }

  /** Put the page before the earliest one in front. */
  async loadEarlier(): Promise<void> {
    if (this.loading || this.earlier === null) return;
    this.loading = true;
    try {
      const page = await engine.call("conversation", {
        conversation_id: this.id,
        before: this.earlier,
        limit: PAGE,
      });
      this.prepending = true;
      this.messages = [...page.messages, ...this.messages];
      this.notices = [...page.notices, ...this.notices];
      this.earlier = page.earlier;
    } finally {
      this.loading = false;
    }
  }

  /** Add a message at the end, or renew the one that is there. */
  put(message: Message): void {
    this.prepending = false;
    const known = this.messages.some((one) => one.message_id === message.message_id);
    this.messages = known
      ? this.messages.map((one) => (one.message_id === message.message_id ? message : one))
      : [...this.messages, message];
  }

  async send(text: string): Promise<void> {
    this.put(await engine.call("send", { conversation_id: this.id, text }));
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}

/** Messages closer than this, from one author, stand together. */
const TOGETHER_MS = 5 * 60 * 1000;

function rowsOf(messages: Message[], notices: Notice[]): Row[] {
  const rows: Row[] = [];
  const waiting = [...notices].sort((one, other) => one.at - other.at);
  let day = "";
  let before: Message | null = null;
  const begin = (at: number, next: string): void => {
    const date = new Date(at).toDateString();
    if (date === day) return;
    day = date;
    before = null;
    rows.push({ kind: "day", key: `day before ${next}`, at });
  };
  const tell = (until: number): void => {
    while (waiting[0] && waiting[0].at <= until) {
      const notice = waiting.shift() as Notice;
      const key = `notice ${notice.row}`;
      begin(notice.at, key);
      before = null;
      rows.push({ kind: "notice", key, notice });
    }
  };
  for (const message of messages) {
    const at = placeOf(message);
    tell(at);
    begin(at, message.message_id);
    const first = !before || !standTogether(before, message);
    rows.push({ kind: "message", key: message.message_id, message, first });
    before = message;
  }
  tell(Infinity);
  return rows;
}

/** When the relay took it: its writer’s clock may say anything, the relay’s order is the list’s. */
function placeOf(message: Message): number {
  return message.accepted_at ?? message.sent_at;
}

function standTogether(before: Message, after: Message): boolean {
  return (
    before.outgoing === after.outgoing &&
    before.author === after.author &&
    placeOf(after) - placeOf(before) < TOGETHER_MS
  );
}
