// What screens and engine say to each other. Times are Unix milliseconds, ids are hex.
// Written by `make tables` from the engine's own tables in src/untether/browser: never by hand.
import type { Problem } from "./calls";

/** How far this browser's device is open, and how it is unlocked. */
export interface Look {
  phase: "empty" | "locked" | "open";
  unlock: ("device" | "passkey" | "passphrase")[];
  credential: string | null;
  salt: string | null;
  version: string;
  persisted: boolean;
}

/** This device and its account. */
export interface Me {
  name: string;
  account_id: string;
  device: number;
  role: "companion" | "phone";
  state: string;
  relay: string;
  connected: boolean;
  lease_ends_at: number | null;
  lease_days: number;
  recovery_code_unseen: boolean;
  unreadable: number;
  repairing: number;
  has_messages: boolean;
  must_recover: boolean;
}

/** One message of a conversation. */
export interface Message {
  message_id: string;
  author: string;
  author_device: number;
  conversation_id: string;
  outgoing: boolean;
  text: string;
  sent_at: number;
  accepted_at: number | null;
  state: "delivered" | "failed" | "queued" | "received" | "sent";
  cause: string | null;
  recovered: boolean;
}

/** What people should know, in words; `row` marks it as shown. */
export interface Notice {
  row: number;
  code: string;
  text: string;
  about: string | null;
  conversation_id: string | null;
  at: number;
  own: boolean;
  red: boolean;
}

/** One conversation in the list. */
export interface Chat {
  conversation_id: string;
  name: string;
  known: boolean;
  verified: boolean;
  changed: boolean;
  last: Message | null;
  unread: number;
  notices: number;
}

/** A page of a conversation; `earlier` asks for the page before it. */
export interface Conversation {
  messages: Message[];
  notices: Notice[];
  earlier: string | null;
}

/** One device of the own account. */
export interface Device {
  device: number;
  name: string;
  kind: string;
  platform: string | null;
  added_at: number | null;
  last_active_at: number | null;
  this: boolean;
  role: "companion" | "phone";
  certificate_code: string;
  resigned: boolean;
}

/** Somebody by name. */
export interface Contact {
  name: string;
  account_id: string;
  conversation_id: string;
  known: boolean;
  verified: boolean;
  changed: boolean;
}

/** What two people compare. */
export interface SecurityCode {
  name: string;
  code: string;
  qr_text: string;
  verified: boolean;
}

/** The relay's key for push services, in base64url; None if it wakes no devices. */
export interface PushKey {
  key: string | null;
}

/** A device that was linked. */
export interface Linked {
  device: number;
  name: string;
  certificate_code: string;
}

/** Bytes used and allowed, and whether the browser may delete them by itself. */
export interface Storage {
  used: number;
  quota: number;
  persisted: boolean;
}

/** What shows that it is the owner; `device` where the owner has chosen no lock. */
export interface Proof {
  method: "device" | "passkey" | "passphrase";
  passphrase?: string;
  prf?: string;
  credential?: string;
  salt?: string;
}

/** Name of a call → its arguments and its value. */
export interface EngineCalls {
  look: { args: Record<string, never>; value: Look };
  protect: { args: Proof; value: null };
  unlock: { args: Proof; value: Me };
  lock: { args: Record<string, never>; value: null };
  erase: { args: Record<string, never>; value: null };
  me: { args: Record<string, never>; value: Me };
  check_form: {
    args: {
      way: "link" | "recover" | "register";
      device_name: string;
      name?: string;
      code?: string;
      invitation?: string;
    };
    value: null;
  };
  register: {
    args: { name: string; device_name: string; invitation?: string };
    value: { recovery_code: string };
  };
  recovery_code_seen: { args: Record<string, never>; value: null };
  recover: { args: { name: string; device_name: string; code: string }; value: Me };
  link: { args: { device_name: string; kind: "desktop" | "tablet" | "web" }; value: Me };
  approve: { args: { link_text: string }; value: Linked };
  chats: { args: Record<string, never>; value: Chat[] };
  conversation: {
    args: { conversation_id: string; before: string | null; limit: number };
    value: Conversation;
  };
  send: { args: { text: string; conversation_id?: string; name?: string }; value: Message };
  mark_read: { args: { conversation_id: string }; value: null };
  notices: { args: Record<string, never>; value: Notice[] };
  notices_shown: { args: { rows: number[] }; value: null };
  contacts: { args: Record<string, never>; value: Contact[] };
  find: { args: { name: string }; value: Contact };
  accept: { args: { name: string }; value: null };
  security_code: { args: { name: string }; value: SecurityCode };
  verify: { args: { name: string; qr_text?: string }; value: SecurityCode };
  devices: { args: Record<string, never>; value: Device[] };
  log_out: { args: { device: number; wipe: boolean }; value: null };
  set_lease: { args: { days: number }; value: null };
  push_key: { args: Record<string, never>; value: PushKey };
  subscribe_push: { args: { endpoint: string }; value: null };
  storage: { args: Record<string, never>; value: Storage };
}

/** Name of a question → its details and the answer. */
export interface EngineAsks {
  seal: { details: { purpose: string }; answer: Proof };
  verify: {
    details: {
      reason: string;
      ways: { method: "passkey" | "passphrase"; credential?: string; salt?: string }[];
      wrong: string | null;
    };
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

/** Name of an event → its details. */
export interface EngineEvents {
  message: { message: Message };
  progress: {
    message_id: string;
    conversation_id: string;
    state: "delivered" | "failed" | "queued" | "sent";
    devices: number;
    cause: string | null;
  };
  notice: { notice?: Notice };
  connection: { connected: boolean; error: Problem | null };
  logged_out: object;
  suspended: object;
  received_elsewhere: object;
  storage_full: object;
  clock_differs: object;
  link_offered: { link_text: string; expires_at: number };
  link_certified: { device_name: string; certificate_code: string };
}
