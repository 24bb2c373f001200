// The table of calls, questions and events between screens and engine.
import type {
  Chat, Contact, Conversation, Device, Linked, Look, Me, Message, Notice, PushKey, SecurityCode, Storage,
  UnlockMethod,
} from "./types";

/** What proves that it is the owner: the output of a passkey, or a passphrase. */
export interface Proof {
  method: UnlockMethod;
  passphrase?: string;
  prf?: string;
  credential?: string;
  salt?: string;
}

/** Name of a call → its arguments and its value. */
interface Calls {
  look: { args: Record<string, never>; value: Look };
  unlock: { args: Proof; value: Me };
  lock: { args: Record<string, never>; value: null };
  protect: { args: Proof; value: null };
  erase: { args: Record<string, never>; value: null };
  register: {
    args: { name: string; device_name: string; invitation?: string };
    value: { recovery_code: string };
  };
  recovery_code_seen: { args: Record<string, never>; value: null };
  recover: { args: { name: string; device_name: string; code: string }; value: Me };
  link: { args: { device_name: string; kind: "web" }; value: Me };
  approve: { args: { link_text: string }; value: Linked };
  cancel: { args: { id: number }; value: null };
  me: { args: Record<string, never>; value: Me };
  chats: { args: Record<string, never>; value: Chat[] };
  conversation: {
    args: { conversation_id: string; before: string | null; limit: number };
    value: Conversation;
  };
  send: { args: { conversation_id?: string; name?: string; text: string }; value: Message };
  mark_read: { args: { conversation_id: string }; value: null };
  devices: { args: Record<string, never>; value: Device[] };
  log_out: { args: { device: number; wipe: boolean }; value: null };
  contacts: { args: Record<string, never>; value: Contact[] };
  find: { args: { name: string }; value: Contact };
  accept: { args: { name: string }; value: null };
  security_code: { args: { name: string }; value: SecurityCode };
  verify: { args: { name: string; qr_text?: string }; value: SecurityCode };
  notices: { args: Record<string, never>; value: Notice[] };
  notices_shown: { args: { rows: number[] }; value: null };
  set_lease: { args: { days: number }; value: null };
  push_key: { args: Record<string, never>; value: PushKey };
  subscribe_push: { args: { endpoint: string }; value: null };
  storage: { args: Record<string, never>; value: Storage };
}

export type CallName = keyof Calls;
export type Arguments<Name extends CallName> = Calls[Name]["args"];
export type Value<Name extends CallName> = Calls[Name]["value"];

/** One way in which the owner may be verified. */
export interface VerificationWay {
  method: UnlockMethod;
  credential?: string;
  salt?: string;
}

/** What the engine asks the screens: name of the question → its details and the answer. */
export interface Asks {
  seal: { details: { purpose: string }; answer: Proof };
  verify: {
    details: { reason: string; ways: VerificationWay[]; wrong?: string | null };
    answer: Proof;
  };
  may_link: {
    details: { device_name: string; device_kind: string; device_platform: string };
    answer: boolean;
  };
  is_mine: {
    details: { account_name: string; phone_name: string; certificate_code: string };
    answer: boolean;
  };
  which_stay: { details: { companions: { device: number; code: string }[] }; answer: number[] };
}

export type AskName = keyof Asks;

/** What happens by itself: name of the event → its details. */
export interface Events {
  message: { message: Message };
  progress: {
    message_id: string;
    conversation_id: string;
    state: Message["state"];
    devices: number;
    cause: string | null;
  };
  notice: { notice?: Notice };
  connection: { connected: boolean; error?: Problem | null };
  logged_out: object;
  suspended: object;
  received_elsewhere: object;
  link_offered: { link_text: string; expires_at: number };
  link_certified: { device_name: string; certificate_code: string };
  storage_full: object;
  clock_differs: object;
  /** From the page side itself: another tab has begun to run the engine. */
  engine_moved: object;
  /** From another tab: it has opened or closed the account. */
  look_again: object;
  /** From the page side itself: the engine can't run in this browser. */
  engine_failed: { error: Problem };
}

export type EventName = keyof Events;

/** A failure with its stable code, what happened, and what to do next. */
export interface Problem {
  error: string;
  message: string;
  hint: string;
  [detail: string]: unknown;
}
