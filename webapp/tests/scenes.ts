// What the scripted engine knows in each scene.
import type { Problem } from "../src/calls";
import type { Chat, Device, Look, Me, Message, Notice, SecurityCode } from "../src/types";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const now = Date.now();

export const id = (letter: string): string => letter.repeat(32);

export interface World {
  look: Look;
  me: Me;
  chats: Chat[];
  messages: Record<string, Message[]>;
  notices: Record<string, Notice[]>;
  devices: Device[];
  code: SecurityCode;
  /** Call → how it fails. */
  failing: Record<string, Problem>;
  /** Everything in one page, whatever was asked for. */
  onePage: boolean;
  /** Of a relay that wakes devices. */
  pushKey: string | null;
}

const look: Look = {
  phase: "open", unlock: ["passphrase"], credential: null, salt: null,
  version: "0.4.0", persisted: false,
};

const byPasskey: Pick<Look, "unlock" | "credential" | "salt"> = {
  unlock: ["passkey"], credential: "AAAA", salt: "A".repeat(43),
};

const me: Me = {
  name: "alice", account_id: id("a"), device: 0, role: "phone", state: "active",
  relay: "https://chat.example.org", connected: true, lease_ends_at: null, lease_days: 30,
  recovery_code_unseen: false, unreadable: 0, repairing: 0, has_messages: true, must_recover: false,
};

let made = 0;

export function message(
  conversation: string, text: string, ago: number, state: Message["state"] = "received",
): Message {
  const outgoing = state !== "received";
  return {
    message_id: (++made).toString(16).padStart(32, "0"),
    author: outgoing ? "alice" : conversation[0] === "b" ? "bob" : "carol",
    author_device: 1, conversation_id: conversation, outgoing, text, sent_at: now - ago,
    accepted_at: state === "queued" ? null : now - ago, state,
    cause: state === "failed" ? "The relay does not know this device any more." : null,
    recovered: false,
  };
}

function notice(conversation: string | null, code: string, text: string, ago: number): Notice {
  return {
    row: ++made, code, text, about: null, conversation_id: conversation, at: now - ago, own: false,
    red: code === "identity-changed" || code === "own-new-phone",
  };
}

const B = id("b");
const talk = [
  message(B, "Are you bringing the projector on Thursday?", DAY + 3 * HOUR),
  message(B, "Yes. And the long cable, this time.", DAY + 2.9 * HOUR, "delivered"),
  message(B, "Perfect", DAY + 2.88 * HOUR),
  message(B, "I moved the meeting to the small room on the second floor, the big one is taken until six.", 52 * MINUTE),
  message(B, "Coffee is there already", 51 * MINUTE),
  message(B, "Great, then I’ll come straight up", 40 * MINUTE, "delivered"),
  message(B, "My phone is nearly empty. I’ll write from the laptop from here on.", 39 * MINUTE, "delivered"),
  message(B, "Doesn’t matter here", 12 * MINUTE),
  message(B, "See you at five", 2 * MINUTE, "sent"),
  message(B, "Ten past, sorry", MINUTE, "queued"),
];

function chat(name: string, letter: string, last: Message | null, more: Partial<Chat> = {}): Chat {
  return {
    conversation_id: id(letter), name, known: true, verified: false, changed: false, last,
    unread: 0, notices: 0, ...more,
  };
}

const chats = [
  chat("bob", "b", talk.at(-1) ?? null, { verified: true }),
  chat("carol", "c", message(id("c"), "The photos are on the shared drive now", 3 * HOUR), { unread: 2 }),
  chat("david.weiss", "d", message(id("d"), "Thank you, that helped a lot!", 20 * HOUR, "delivered")),
  chat("erin", "e", message(id("e"), "Can you call me when you have a minute?", DAY + HOUR), { unread: 128 }),
  chat("frank", "f", message(id("f"), "ok", 3 * DAY), { changed: true, notices: 1 }),
  chat("3kq7-w2fa", "1", message(id("1"), "Hello, I have your number from Carol.", 4 * DAY), { known: false }),
  chat("grace-h", "2", message(id("2"), "Happy birthday!", 9 * DAY, "delivered"), { notices: 1 }),
];

function device(number: number, name: string, kind: string, platform: string, active: number | null): Device {
  return {
    device: number, name, kind, platform, added_at: now - (90 - 9 * number) * DAY,
    last_active_at: active === null ? null : now - active, this: number === 0,
    role: number === 0 ? "phone" : "companion", certificate_code: `lw${number + 3}u-xspo-hs2c`,
    resigned: false,
  };
}

const devices = [
  device(0, "Alice’s phone", "phone", "Android 16", 0),
  device(1, "Laptop", "desktop", "Linux", 4 * MINUTE),
  device(2, "Work browser", "web", "Chrome, Windows", 26 * HOUR),
  device(3, "Tablet", "tablet", "iPadOS 20", null),
];

const code: SecurityCode = {
  name: "bob", verified: false,
  code: "48213 90557 16204 77310 62949 05118 33871 29406 58822 10937 64015 79263",
  qr_text: `untether://compare/${"k3v7wq2".repeat(18)}`,
};

const HOSTILE = [
  "<img src=x onerror=alert(1)><script>document.title='broken'</script>",
  "\u202Eevil \u202D reversed \u2066 and never closed",
  "שלום! זו הודעה מימין לשמאל, with some English, ו־123.",
  "W".repeat(900),
  `${"Very long. ".repeat(400)}end`,
  "{@html '<b>'} {{ }} javascript:alert(1)",
];

function standard(): World {
  return {
    look, me, chats, devices, code, failing: {}, onePage: false, pushKey: null,
    messages: {
      [B]: talk, [id("c")]: [message(id("c"), "The photos are on the shared drive now", 3 * HOUR)],
      [id("f")]: [message(id("f"), "ok", 3 * DAY)],
      [id("1")]: [message(id("1"), "Hello, I have your number from Carol.", 4 * DAY)],
    },
    notices: {
      [B]: [
        notice(B, "contact-new-device", "bob linked a new device.", 45 * MINUTE),
        notice(B, "identity-changed", "Your security code with bob is a new one.", 2 * DAY),
      ],
    },
  };
}

function problem(error: string, message: string, hint: string): Problem {
  return { error, message, hint };
}

const empty: Partial<World> = { chats: [], messages: {}, notices: {} };

/** Name of a scene → what is different in it. */
const SCENES: Record<string, () => Partial<World>> = {
  home: () => ({}),
  waking: () => ({ pushKey: "B".repeat(87) }),
  empty: () => ({ look: { ...look, phase: "empty", unlock: [] }, ...empty }),
  locked: () => ({ look: { ...look, phase: "locked" } }),
  "passkey-locked": () => ({ look: { ...look, ...byPasskey, phase: "locked" } }),
  passkey: () => ({ look: { ...look, ...byPasskey } }),
  unlocked: () => ({ look: { ...look, unlock: ["device"] } }),
  "no-chats": () => ({ ...empty, devices: devices.slice(0, 1) }),
  kept: () => ({ look: { ...look, phase: "empty", unlock: [], persisted: true }, ...empty }),
  companion: () => ({
    me: { ...me, role: "companion", device: 1, lease_ends_at: now + 21 * DAY },
    devices: [
      { ...devices[1] as Device, this: true }, { ...devices[0] as Device, this: false },
      ...devices.slice(2),
    ],
  }),
  displaced: () => ({
    me: { ...me, state: "suspended", connected: false, must_recover: true },
    devices: devices.slice(1).map((one) => ({ ...one, this: false })),
  }),
  unlisted: () => ({
    me: { ...me, role: "companion", device: 1, state: "suspended", connected: false },
  }),
  unseen: () => ({ me: { ...me, recovery_code_unseen: true } }),
  "put-back": () => ({ me: { ...me, must_recover: true } }),
  "logged-out": () => ({
    me: {
      ...me, role: "companion", device: 1, state: "logged-out", connected: false,
      lease_ends_at: now + 21 * DAY,
    },
    devices: [],
  }),
  oneself: () => ({ chats: [chat("alice", "a", null)] }),
  news: () => ({
    notices: {
      own: [
        notice(null, "own-device-added", "Your device “Laptop” was linked.", HOUR),
        notice(null, "own-new-phone", "A NEW PHONE acts for your account. Not yours? Recover it.", HOUR),
      ],
    },
  }),
  full: () => ({ devices: [...devices, device(4, "Kitchen", "web", "Firefox, Linux", HOUR)] }),
  invited: () => ({
    ...SCENES["empty"]?.(),
    failing: {
      register: problem(
        "invitation-needed",
        "This server takes new accounts by invitation only, and the given one is not valid.",
        "Ask the server’s owner for an invitation.",
      ),
    },
  }),
  unfinished: () => ({
    ...SCENES["empty"]?.(),
    failing: {
      register: problem("registration-closed", "This server takes no new accounts.", "Ask its owner."),
    },
  }),
  failing: () => ({
    failing: {
      approve: problem("link-expired", "The code of the new device has expired.", "Have it show a new one, and scan that."),
      find: problem("unknown-name", "Nobody has the name “nobody” on this server.", "Check the spelling with them."),
      send: problem("unknown-name", "Nobody has that name any more.", "Check the spelling with them."),
    },
  }),
  failed: () => ({}),
  hostile: () => ({
    chats: [
      chat("\u202Ebob<b>" + "x".repeat(200), "b", message(B, HOSTILE[0] ?? "", MINUTE), { unread: 3 }),
      chat("שרה", "c", message(id("c"), HOSTILE[2] ?? "", HOUR)),
    ],
    messages: {
      [B]: HOSTILE.flatMap((text, at) => [
        message(B, text, (40 - at) * MINUTE), message(B, text, (39 - at) * MINUTE, "failed"),
      ]),
    },
    notices: { [B]: [notice(B, "possible-copy", HOSTILE[1] ?? "", MINUTE)] },
    devices: devices.map((one) => ({ ...one, name: "\u202E<b>laptop</b>".repeat(4), platform: "W".repeat(64) })),
  }),
  many: () => ({
    onePage: true,
    messages: {
      [B]: Array.from({ length: 10_000 }, (_, at) =>
        message(B, `Message ${at}${" and more".repeat(at % 23)}`, (10_000 - at) * 3 * MINUTE, at % 3 ? "received" : "delivered")),
    },
    notices: {},
  }),
  pages: () => ({
    messages: {
      [B]: Array.from({ length: 500 }, (_, at) => message(B, `Message ${at}`, (500 - at) * 7 * MINUTE)),
    },
    notices: {},
  }),
};

export function worldOf(scene: string): World {
  return { ...standard(), ...SCENES[scene]?.() };
}
