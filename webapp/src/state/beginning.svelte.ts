// The first steps on an empty device: which way in, the names, the lock, then the account.
import type { Problem, Proof } from "../calls";
import { engine, type Running } from "../rpc";
import type { Me } from "../types";
import { app, problemOf } from "./app.svelte";
import { questions } from "./asks.svelte";

type Way = "register" | "link" | "recover";
type Step = "choose" | "form" | "protect" | "working";

class Beginning {
  way: Way = $state("register");
  step: Step = $state("choose");
  name = $state("");
  deviceName = $state(guessDeviceName());
  invitation = $state("");
  code = $state("");
  problem: Problem | null = $state.raw(null);
  /** What the phone scans, while this device is being linked. */
  offer: { link_text: string; expires_at: number } | null = $state.raw(null);
  #seal: Proof | null = null;
  #running: Running<unknown> | null = null;

  constructor() {
    engine.on("link_offered", (offer) => (this.offer = offer));
  }

  choose(way: Way): void {
    this.way = way;
    this.step = "form";
    this.problem = null;
  }

  /** The form is filled in: choose the lock first, unless that is done. */
  async named(): Promise<void> {
    this.problem = null;
    if (app.isProtected) await this.run();
    else this.step = "protect";
  }

  /** Make the key of this device's messages; `seal` protects a phone's account the same way. */
  async protect(lock: Proof, seal: Proof | null): Promise<void> {
    await engine.call("protect", lock);
    app.isProtected = true;
    this.#seal = seal;
    await this.run();
  }

  /** Register, link or recover; a failure leads back to the form, with its cause. */
  async run(): Promise<void> {
    this.step = "working";
    this.problem = null;
    this.offer = null;
    questions.prepare(this.#seal);
    try {
      await this.#perform();
      this.#finish();
      await app.settle();
    } catch (reason) {
      questions.forget();
      this.#running = null;
      this.offer = null;
      if (this.step === "working") {
        this.problem = problemOf(reason);
        this.step = "form";
      }
    }
  }

  async back(): Promise<void> {
    if (this.step === "working") {
      this.#running?.cancel();
      this.step = "form";
    } else {
      this.step = this.step === "protect" ? "form" : "choose";
    }
    this.problem = null;
  }

  /** A keyboard on a screen begins with a capital letter; names have none. */
  get #typedName(): string {
    return this.name.trim().toLowerCase();
  }

  async #perform(): Promise<void> {
    const device_name = this.deviceName.trim();
    if (this.way === "register") {
      const invitation = this.invitation.trim();
      const args = { name: this.#typedName, device_name };
      const call = engine.start("register", invitation ? { ...args, invitation } : args);
      this.#running = call;
      app.recoveryCode = (await call.done).recovery_code;
    } else if (this.way === "link") {
      await this.#run(engine.start("link", { device_name, kind: "web" }));
    } else {
      const args = { name: this.#typedName, device_name, code: this.code.trim() };
      await this.#run(engine.start("recover", args));
    }
  }

  #run(call: Running<Me>): Promise<Me> {
    this.#running = call;
    return call.done;
  }

  #finish(): void {
    this.#running = this.#seal = this.offer = null;
    this.code = this.invitation = "";
    this.step = "choose";
  }
}

/** Guess a name that the owner will recognise in a list of devices. */
function guessDeviceName(): string {
  const agent = navigator.userAgent;
  const browser = /Firefox/.test(agent)
    ? "Firefox"
    : /Edg\//.test(agent)
      ? "Edge"
      : /Chrome|CriOS/.test(agent)
        ? "Chrome"
        : "Safari";
  const names: [RegExp, string][] = [
    [/iPhone/, "iPhone"],
    [/iPad/, "iPad"],
    [/Android/, "Android"],
    [/Mac OS X/, "Mac"],
    [/Windows/, "Windows"],
    [/CrOS/, "Chromebook"],
    [/Linux/, "Linux"],
  ];
  const system = names.find(([pattern]) => pattern.test(agent))?.[1];
  return system ? `${browser}, ${system}` : browser;
}

export const beginning = new Beginning();
