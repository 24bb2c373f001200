// The first steps on an empty device: which way in, the names, the lock, then the account.
import type { Problem, Proof, Way } from "../calls";
import { engine, type Running } from "../rpc";
import type { Me } from "../types";
import { app, problemOf } from "./app.svelte";
import { questions } from "./asks.svelte";
import { markBegun } from "./mark";
import { router, type Step } from "./route.svelte";
import { shownCode } from "./shown_code.svelte";
import { words } from "../words";

class Beginning {
  way: Way = $state("register");
  name = $state("");
  deviceName = $state(guessDeviceName());
  invitation = $state("");
  code = $state("");
  problem: Problem | null = $state.raw(null);
  /** Is the engine looking at what was typed? */
  checking = $state(false);
  /** What the phone scans, while this device is being linked. */
  offer: { link_text: string; expires_at: number } | null = $state.raw(null);
  #seal: Proof | null = null;
  #running: Running<unknown> | null = null;
  /** How often the last step was begun: what ends after it was left changes nothing. */
  #runs = 0;

  constructor() {
    engine.on("link_offered", (offer) => (this.offer = offer));
    router.onMoved(() => this.#moved());
  }

  get step(): Step | "choose" {
    const route = router.current;
    return route.screen === "begin" ? route.step : "choose";
  }

  choose(way: Way): void {
    this.way = way;
    this.problem = null;
    router.open({ screen: "begin", step: "form" });
  }

  /** The form is filled in: if it can come to something, choose the lock, unless that is done. */
  async named(): Promise<void> {
    if (this.checking) return;
    this.problem = null;
    if (app.isProtected) return this.run();
    this.checking = true;
    try {
      await engine.call("check_form", { way: this.way, ...this.#typed });
      if (this.step === "form") router.open({ screen: "begin", step: "protect" });
    } catch (reason) {
      this.problem = problemOf(reason);
    } finally {
      this.checking = false;
    }
  }

  /** Make the key of this device's messages; `seal` protects a phone's account the same way. */
  async protect(lock: Proof, seal: Proof | null): Promise<void> {
    try {
      await engine.call("protect", lock);
    } catch (reason) {
      if (problemOf(reason).error !== "profile-exists") throw reason;
      return this.#followOther();
    }
    app.isProtected = true;
    engine.tellOthers();
    markBegun();
    this.#seal = seal;
    if (this.step === "protect") await this.run();
  }

  /** Another tab has chosen the lock meanwhile: go on under that, from the form. */
  async #followOther(): Promise<void> {
    await app.refresh();
    const message = words.protect.elsewhere;
    this.problem = { error: "profile-exists", message, hint: words.protect.elsewhereNext };
    router.back();
  }

  /** Register, link or recover; a failure leads back to the form, with its cause. */
  async run(): Promise<void> {
    const working = { screen: "begin", step: "working" } as const;
    if (this.step === "protect") router.replace(working);
    else router.open(working);
    this.problem = null;
    this.offer = null;
    const run = ++this.#runs;
    questions.prepare(this.#seal);
    try {
      await this.#perform();
      this.#finish();
      await app.settle();
    } catch (reason) {
      if (run !== this.#runs) return;
      this.#leave();
      this.problem = inTheirWords(problemOf(reason));
      router.back();
    }
  }

  /** Back from what is under way ends it; forward leads to nothing that has ended. */
  #moved(): void {
    if (this.step === "working" && !this.#running) {
      router.back();
    } else if (this.step !== "working" && this.#running) {
      this.#running.cancel();
      this.#leave();
      this.#runs += 1;
    }
  }

  #leave(): void {
    questions.forget();
    this.#running = this.offer = null;
  }

  /** What was typed, as the engine takes it; a keyboard on a screen begins names with a capital. */
  get #typed(): { name: string; device_name: string; code: string; invitation?: string } {
    const invitation = this.invitation.trim();
    return {
      name: this.name.trim().toLowerCase(),
      device_name: this.deviceName.trim(),
      code: this.code.trim(),
      ...(invitation && { invitation }),
    };
  }

  async #perform(): Promise<void> {
    const { code, ...names } = this.#typed;
    const { name, device_name } = names;
    if (this.way === "register") {
      const call = engine.start("register", names);
      this.#running = call;
      shownCode.keep((await call.done).recovery_code);
    } else if (this.way === "link") {
      await this.#run(engine.start("link", { device_name, kind: "web" }));
    } else {
      await this.#run(engine.start("recover", { name, device_name, code }));
    }
  }

  #run(call: Running<Me>): Promise<Me> {
    this.#running = call;
    return call.done;
  }

  #finish(): void {
    this.#running = this.#seal = this.offer = null;
    this.code = this.invitation = "";
  }
}

/** The engine's words for a No here speak to whoever is at the phone. */
function inTheirWords(problem: Problem): Problem {
  if (problem.error !== "link-declined") return problem;
  return { ...problem, message: words.link.declined, hint: words.link.declinedNext };
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
