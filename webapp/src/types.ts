// What screens and engine say to each other. Times are Unix milliseconds, ids are hex.

export type UnlockMethod = "passkey" | "passphrase" | "device";

export interface Look {
  phase: "empty" | "locked" | "open";
  unlock: UnlockMethod[];
  credential: string | null;
  salt: string | null;
  relay: string | null;
  version: string;
  persisted: boolean;
  private: boolean;
}

export interface Me {
  name: string;
  account_id: string;
  device: number;
  role: "phone" | "companion";
  state: string;
  relay: string;
  connected: boolean;
  lease_ends_at: number | null;
  lease_days: number;
  recovery_code_unseen: boolean;
  unreadable: number;
  repairing: number;
}

export interface Message {
  message_id: string;
  author: string;
  author_device: number;
  conversation_id: string;
  outgoing: boolean;
  text: string;
  sent_at: number;
  accepted_at: number | null;
  state: "queued" | "sent" | "delivered" | "failed" | "received";
  cause: string | null;
  recovered: boolean;
}

export interface Notice {
  row: number;
  code: string;
  text: string;
  about: string | null;
  conversation_id: string | null;
  at: number;
  own: boolean;
}

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

export interface Conversation {
  messages: Message[];
  notices: Notice[];
  earlier: string | null;
}

export interface Device {
  device: number;
  name: string;
  kind: string;
  platform: string | null;
  added_at: number | null;
  last_active_at: number | null;
  this: boolean;
  role: "phone" | "companion";
  certificate_code: string;
  resigned: boolean;
}

export interface Contact {
  name: string;
  account_id: string;
  conversation_id: string;
  known: boolean;
  verified: boolean;
  changed: boolean;
}

export interface SecurityCode {
  name: string;
  code: string;
  qr_text: string;
  verified: boolean;
}

export interface Linked {
  device: number;
  name: string;
  certificate_code: string;
}

export interface PushKey {
  key: string | null;
}

export interface Storage {
  used: number;
  quota: number;
  persisted: boolean;
}
