// Calls to the engine, its questions, and its events, as typed promises and handlers.
import type {
  Arguments, AskName, Asks, CallName, EventName, Events, Problem, Value,
} from "./calls";
import { openEngineLine, type EngineLine } from "./engine_line";
import { words } from "./words";

/** A call failed: the engine's own code, message and hint. */
export class Refusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** The person did not prove who they are: `verification-cancelled` or `-failed`. */
export class Unverified extends Error {
  readonly code: "verification-cancelled" | "verification-failed";

  constructor(code: Unverified["code"]) {
    super(code);
    this.code = code;
  }
}

/** The calls by which the account is opened; they never wait for that. */
const OPENS: ReadonlySet<CallName> = new Set(["look", "unlock", "erase"]);

type Handler = (details: never) => void;
type Answerer = (details: never) => Promise<unknown>;

interface Waiting {
  resolve(value: unknown): void;
  reject(reason: Refusal): void;
}

/** A call that is under way: its promise, and how to end it early. */
export interface Running<T> {
  done: Promise<T>;
  cancel(): void;
}

class Engine {
  readonly tab = crypto.randomUUID();
  #line: EngineLine | null = null;
  #unsent: string[] = [];
  /** Calls that wait until the account is open, while it is being opened; null: none wait. */
  #held: string[] | null = null;
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();
  readonly #handlers = new Map<string, Set<Handler>>();
  readonly #answerers = new Map<string, Answerer>();

  /** Start the engine, or find the tab that runs it. */
  async open(startWorker: () => Worker): Promise<void> {
    this.#line = await openEngineLine(startWorker, (text) => this.#heard(text));
    for (const text of this.#unsent.splice(0)) this.#line.post(text);
  }

  /** Does this tab run the engine? */
  get owns(): boolean {
    return this.#line?.owns() ?? false;
  }

  call<Name extends CallName>(name: Name, args: Arguments<Name>): Promise<Value<Name>> {
    return this.start(name, args).done;
  }

  /** Begin a call that may take long and can be cancelled. */
  start<Name extends CallName>(name: Name, args: Arguments<Name>): Running<Value<Name>> {
    const id = ++this.#last;
    const done = new Promise<Value<Name>>((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    });
    const said = textOf({ tab: this.tab, id, call: name, args });
    if (this.#held && !OPENS.has(name)) this.#held.push(said);
    else this.#postText(said);
    return { done, cancel: () => void this.call("cancel", { id }).catch(() => undefined) };
  }

  /** Handle an event; the returned function ends that. */
  on<Name extends EventName>(name: Name, handler: (details: Events[Name]) => void): () => void {
    const handlers = this.#handlers.get(name) ?? new Set<Handler>();
    this.#handlers.set(name, handlers.add(handler as Handler));
    return () => handlers.delete(handler as Handler);
  }

  /** Have all other tabs look again how far the engine is open. */
  tellOthers(): void {
    this.#line?.tell(JSON.stringify({ event: "look_again" }));
  }

  /** Answer one kind of question of the engine; a thrown `Unverified` is a refusal. */
  answer<Name extends AskName>(
    name: Name,
    answerer: (details: Asks[Name]["details"]) => Promise<Asks[Name]["answer"]>,
  ): void {
    this.#answerers.set(name, answerer as Answerer);
  }

  /** Let calls wait until `release`: what they ask about is not open yet. */
  hold(): void {
    this.#held ??= [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const text of held) this.#postText(text);
  }

  #post(said: object): void {
    this.#postText(textOf(said));
  }

  #postText(text: string): void {
    if (this.#line) this.#line.post(text);
    else this.#unsent.push(text);
  }

  #heard(text: string): void {
    const said = JSON.parse(text);
    if (typeof said.event === "string") this.#happened(said.event, said);
    else if (said.tab !== this.tab) return;
    else if (typeof said.ask === "number") void this.#asked(said.ask, said.what, said.details);
    else this.#ended(said);
  }

  #happened(event: string, details: object): void {
    if (event === "engine_moved") this.#forgetCalls();
    for (const handler of this.#handlers.get(event) ?? []) handler(details as never);
  }

  async #asked(ask: number, what: string, details: object): Promise<void> {
    const answerer = this.#answerers.get(what);
    try {
      if (!answerer) throw new Unverified("verification-failed");
      const value = await answerer(details as never);
      this.#post({ tab: this.tab, answer: ask, value });
    } catch (reason) {
      const refused = reason instanceof Unverified ? reason.code : "verification-failed";
      this.#post({ tab: this.tab, answer: ask, refused });
    }
  }

  #ended(said: { id: number; value?: unknown; error?: Problem }): void {
    const waiting = this.#waiting.get(said.id);
    this.#waiting.delete(said.id);
    if (said.error) waiting?.reject(new Refusal(said.error));
    else waiting?.resolve(said.value);
  }

  /** The tab that ran the engine is gone, and so are the calls it had taken. */
  #forgetCalls(): void {
    const gone = { error: "engine-moved", message: words.banners.moved, hint: "" };
    for (const waiting of this.#waiting.values()) waiting.reject(new Refusal(gone));
    this.#waiting.clear();
  }
}

/** As JSON; half a character, as broken input gives it, becomes the sign for one that is none. */
function textOf(said: object): string {
  return JSON.stringify(said, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}

export const engine = new Engine();
