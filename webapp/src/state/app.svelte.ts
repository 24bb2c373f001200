// What the whole app knows: how far it is open, who is here, and what stands in the way.
import type { Problem } from "../calls";
import { unsubscribe } from "../push";
import { endsSoon } from "../patience";
import { engine, Refusal } from "../rpc";
import type { Look, Me } from "../types";
import { chats } from "./chats.svelte";
import { forgetDrafts } from "./drafts";
import { firstLook, type FirstLook } from "./first_look";
import { lastChats } from "./last_chats";
import { hadAccount, markAccount, unmark } from "./mark";
import { news } from "./news.svelte";
import { router } from "./route.svelte";
import { shownCode } from "./shown_code.svelte";

type Phase = "starting" | "empty" | "locked" | "open" | "ended" | "failed";

class App {
  phase: Phase = $state("starting");
  look: Look | null = $state.raw(null);
  me: Me | null = $state.raw(null);
  failure: Problem | null = $state.raw(null);
  /** Does this tab run the engine? */
  owns = $state(true);
  /** A newer release of the app is here; it runs after a reload. */
  isOutdated = $state(false);
  online = $state(navigator.onLine);
  connected = $state(true);
  /** Why the relay is not connected, where the engine can say it. */
  connectionProblem: Problem | null = $state.raw(null);
  /** This device has its key, but was left before it had an account. */
  isProtected = false;
  #early: Promise<FirstLook | null> = Promise.resolve(null);
  /** Did this browser delete a device that was here before? */
  isEvicted = $state(false);

  /** Start the engine and find out what is on this device. */
  async start(startWorker: () => Worker): Promise<void> {
    this.#listen();
    this.#early = this.#showEarly();
    try {
      await engine.open(startWorker);
      await this.refresh();
    } catch (reason) {
      this.#fail(problemOf(reason));
    }
  }

  /** Show the first screen from what lies here; the engine has the last word a moment later. */
  async #showEarly(): Promise<FirstLook | null> {
    const look = await firstLook();
    if (!look || this.phase !== "starting") return look;
    const { phase, unlock, credential, salt, openKey } = look;
    this.look = {
      phase, unlock, credential, salt, version: "", persisted: false,
    };
    this.isEvicted = phase === "empty" && hadAccount();
    if (openKey) {
      engine.hold();
      const last = await lastChats(openKey);
      if (last) chats.showLast(last);
      chats.keepUnder(openKey);
    }
    if (this.phase === "starting" && (!openKey || chats.all)) this.phase = phase;
    return look;
  }

  /** Ask the engine how far it is open; a device without a lock opens by itself. */
  async refresh(): Promise<void> {
    this.owns = engine.owns;
    const early = await this.#early;
    const opening = early?.openKey ? this.enter(engine.call("unlock", { method: "device" })) : null;
    const look = await engine.call("look", {});
    this.look = look;
    if (opening) {
      await opening;
    } else if (look.phase === "locked" && look.unlock.includes("device")) {
      await this.enter(engine.call("unlock", { method: "device" }));
    } else if (look.phase === "open") {
      await this.enter(engine.call("me", {}));
    } else {
      this.phase = look.phase;
    }
  }

  /** Go in with what the engine says about the account; without one, begin at the beginning. */
  async enter(asked: Promise<Me>): Promise<void> {
    try {
      this.opened(await asked);
    } catch (reason) {
      if (!(reason instanceof Refusal) || reason.problem.error !== "no-account") throw reason;
      engine.release();
      this.isProtected = true;
      this.phase = "empty";
    }
  }

  /** The account is open on this device. */
  opened(me: Me): void {
    if (this.phase === "failed" || this.phase === "ended") return;
    this.me = me;
    this.connected = me.connected;
    this.phase = me.state === "logged-out" ? "ended" : "open";
    if (this.phase === "ended") void chats.forgetKept();
    markAccount();
    shownCode.enter();
    engine.release();
    performance.mark("untether-ready");
  }

  get isLoggedOut(): boolean { return this.me?.state === "logged-out"; }

  /** Look at the messages of a device that was logged out. */
  readOld(): void {
    this.phase = "open";
  }

  /** Go back to what can be done with such a device. */
  endReading(): void {
    this.phase = "ended";
    router.reset();
  }

  /** Delete this device from this browser. */
  async erase(): Promise<void> {
    await engine.call("erase", {});
    await unsubscribe();
    unmark();
    engine.tellOthers();
    location.reload();
  }

  /** Open a device that has just been registered, recovered or linked. */
  async settle(): Promise<void> {
    this.look = await engine.call("look", {});
    this.opened(await engine.call("me", {}));
    engine.tellOthers();
    chats.keepUnder((await firstLook())?.openKey ?? null);
    await navigator.storage?.persist?.().catch(() => false); // settings say what came of it
  }

  /** Hide everything at once; an engine that does not follow soon is ended, and its key with it. */
  async lock(): Promise<void> {
    this.phase = "locked";
    this.#forgetAll();
    if (!(await endsSoon(engine.call("lock", {}))) && engine.owns) return location.reload();
    engine.tellOthers();
    await this.#lookAgain();
  }

  /** Show the recovery code again, of an account whose owner has not confirmed it. */
  async showRecoveryCode(): Promise<void> {
    if (!this.me) return;
    const args = { name: this.me.name, device_name: "" };
    shownCode.keep((await engine.call("register", args)).recovery_code);
    shownCode.enter();
  }

  async recoveryCodeSeen(): Promise<void> {
    await engine.call("recovery_code_seen", {});
    shownCode.seen();
    if (this.me) this.me = { ...this.me, recovery_code_unseen: false };
  }

  /** Another tab has taken over, locked or unlocked: look how far the account is open now. */
  async #lookAgain(): Promise<void> {
    try {
      await this.refresh();
    } catch (reason) {
      this.#fail(problemOf(reason));
    }
    if (this.phase !== "open") this.#forget();
  }

  async #toldToLook(): Promise<void> {
    await this.#lookAgain();
    if (this.phase === "locked") this.#forgetAll();
  }

  /** Keep nothing of an account that is closed. */
  #forget(): void {
    this.me = null;
    shownCode.forget();
    chats.forget();
    news.forget();
  }

  /** Nor what was typed, nor which screen was open: somebody has locked it on purpose. */
  #forgetAll(): void {
    this.#forget();
    forgetDrafts();
    router.reset();
  }

  #listen(): void {
    addEventListener("online", () => (this.online = true));
    addEventListener("offline", () => (this.online = false));
    engine.on("connection", ({ connected, error }) => {
      this.connected = connected;
      this.connectionProblem = error ?? null;
      if (connected && this.me?.state === "suspended") void this.meAgain();
    });
    engine.on("logged_out", () => void this.#loggedOut());
    engine.on("suspended", () => void this.meAgain());
    engine.on("notice", () => void this.meAgain());
    engine.on("engine_failed", ({ error }) => this.#fail(error));
    engine.on("engine_moved", () => void this.#lookAgain());
    engine.on("look_again", () => void this.#toldToLook());
  }

  /** Something may have happened to the account: the engine says how this device stands now. */
  async meAgain(): Promise<void> {
    const me = await engine.call("me", {}).catch(() => null); // locked, or between two accounts
    if (me && this.me && JSON.stringify(me) !== JSON.stringify(this.me)) this.me = me;
  }

  /** What was deleted here is forgotten here: the engine says what is left. */
  async #loggedOut(): Promise<void> {
    router.reset();
    void chats.forgetKept();
    try {
      this.opened(await engine.call("me", {}));
      await Promise.all([chats.load(), news.load()]);
      if (!this.me?.has_messages) forgetDrafts();
    } catch {
      if (this.phase === "open") this.phase = "ended"; // else it was locked or erased meanwhile
    }
  }

  #fail(problem: Problem): void {
    if (problem.error === "engine-moved") return;
    engine.release();
    this.failure = problem;
    this.phase = "failed";
  }
}

/** Return what went wrong in the engine's words, or in the browser's. */
export function problemOf(reason: unknown): Problem {
  if (reason instanceof Refusal) return reason.problem;
  const message = reason instanceof Error ? reason.message : String(reason);
  return { error: "browser-failed", message, hint: "" };
}

export const app = new App();
