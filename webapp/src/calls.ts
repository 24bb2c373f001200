// The calls, questions and events that screens have with the engine, and those beside it.
import type { EngineAsks, EngineCalls, EngineEvents } from "./types";

/** All calls; the engine ends another one by `cancel` before it looks into its table. */
interface Calls extends EngineCalls {
  cancel: { args: { id: number }; value: null };
}

export type CallName = keyof Calls;
export type Arguments<Name extends CallName> = Calls[Name]["args"];
export type Value<Name extends CallName> = Calls[Name]["value"];

/** How a device comes to an account. */
export type Way = Arguments<"check_form">["way"];

/** All questions are the engine's. */
export type Asks = EngineAsks;

/** What proves that it is the owner: the output of a passkey or a passphrase. */
export type Proof = Asks["seal"]["answer"];

/** One way in which the owner may be verified. */
export type VerificationWay = Asks["verify"]["details"]["ways"][number];

export type AskName = keyof Asks;

/** All events, with those that come from no engine. */
export interface Events extends EngineEvents {
  /** From the page side itself: another tab has begun to run the engine. */
  engine_moved: object;
  /** From another tab: it has opened or closed the account. */
  look_again: object;
  /** From the page side itself: the engine can't run in this browser. */
  engine_failed: { error: Problem };
  /** From the worker, around the engine: the browser has deleted the open files of this device. */
  files_deleted: object;
}

export type EventName = keyof Events;

/** A failure with its stable code, what happened, and what to do next. */
export interface Problem {
  error: string;
  message: string;
  hint: string;
  [detail: string]: unknown;
}
