// A test double that speaks the engine's protocol and knows nothing: each scene is a script.
// Tests steer it over the BroadcastChannel "untether-script": {me}, {say}, {fail}, {step}.
import { id, message, worldOf, type World } from "./scenes";

const scene = new URLSearchParams(self.location.search).get("scene") ?? "home";
const world: World = worldOf(scene);
const asked = new Map<number, { resolve(value: unknown): void; reject(code: string): void }>();
const steps = new Map<string, () => void>();
const heard = new BroadcastChannel("untether-heard");
let last = 0;

interface Call {
  tab: string;
  id: number;
  call: string;
  args: Record<string, never>;
}

const say = (said: object): void => self.postMessage(JSON.stringify(said));

/** Ask the tab, as the engine would; a refusal ends the call. */
function ask(tab: string, what: string, details: object): Promise<unknown> {
  const number = ++last;
  say({ tab, ask: number, what, details });
  return new Promise((resolve, reject) => asked.set(number, { resolve, reject }));
}

/** Wait until the test says that it goes on. */
const step = (name: string): Promise<void> => new Promise((resolve) => steps.set(name, resolve));

function refusal(error: string, words: string, hint: string): object {
  return { error, message: words, hint };
}

const certificate_code = "lw6u-xspo-hs2c";

function entered(): object {
  world.look = { ...world.look, phase: "open", unlock: ["passphrase"] };
  return world.me;
}

/** By what the account is sealed: the same as the lock. */
function way(): object {
  const { unlock, credential, salt } = world.look;
  return unlock[0] === "passkey" ? { method: "passkey", credential, salt } : { method: "passphrase" };
}

const CALLS: Record<string, (args: never, tab: string) => unknown> = {
  look: () => world.look,
  me: () => world.me,
  unlock: ({ method, passphrase }: { method: string; passphrase?: string }) => {
    if (method === "passphrase" && passphrase !== "correct horse") {
      throw refusal("passphrase-wrong", "The passphrase is wrong.", "Check it and try again.");
    }
    return entered();
  },
  lock: () => {
    world.look = { ...world.look, phase: "locked" };
    return null;
  },
  check_form: ({ name }: { name: string }) => {
    if (name === "taken") {
      throw refusal("name-taken", "This name belongs to another account.", "Choose another name.");
    }
    return null;
  },
  protect: () => null,
  erase: () => null,
  register: async (_: object, tab: string) => {
    await ask(tab, "seal", { purpose: "account" });
    entered();
    return { recovery_code: "xjq3-gbob-s7cz-ffck-ocoa-kahh-3bvs-gbjl-eaby-psnz-k2n3-4iry-ohku-7i76" };
  },
  recovery_code_seen: () => null,
  recover: async (_: object, tab: string) => {
    const companions = [1, 2].map((device) => ({ device, code: `lw${device + 3}u-xspo-hs2c` }));
    await ask(tab, "which_stay", { companions });
    if (world.me.must_recover) {
      const reason = "This lets a device take part in your account.";
      await ask(tab, "verify", { reason, ways: [way()], wrong: null });
    } else await ask(tab, "seal", { purpose: "account" });
    world.me = { ...world.me, state: "active", must_recover: false, connected: true };
    return entered();
  },
  link: async (_: object, tab: string) => {
    const link_text = `untether://link/1/${"aB3_x-Kq".repeat(16)}/https://chat.example.org`;
    say({ event: "link_offered", link_text, expires_at: Date.now() + 118_000 });
    await step("scanned");
    const details = { account_name: "alice", phone_name: "Alice’s phone", certificate_code };
    if (!(await ask(tab, "is_mine", details))) {
      throw refusal("link-declined", "The account was declined on this device.", "Start again.");
    }
    await step("admitted");
    return entered();
  },
  approve: async (_: object, tab: string) => {
    const device = { device_name: "Chrome, Linux", device_kind: "web", device_platform: "Linux" };
    if (!(await ask(tab, "may_link", device))) {
      throw refusal("link-declined", "You chose not to link this device.", "Nothing was changed.");
    }
    const reason = "Confirm that it is you, to link “Chrome, Linux” to your account.";
    await ask(tab, "verify", { reason, ways: [way()] });
    say({ event: "link_certified", device_name: device.device_name, certificate_code });
    await step("accepted");
    return { device: 4, name: device.device_name, certificate_code };
  },
  cancel: () => null,
  chats: () => world.chats,
  conversation: ({ conversation_id, before, limit }: { conversation_id: string; before: string | null; limit: number }) => {
    const all = world.messages[conversation_id] ?? [];
    const end = before === null ? all.length : Number(before);
    const start = world.onePage ? 0 : Math.max(0, end - limit);
    return {
      messages: all.slice(start, end),
      notices: before === null ? (world.notices[conversation_id] ?? []) : [],
      earlier: start > 0 ? String(start) : null,
    };
  },
  send: ({ conversation_id, text }: { conversation_id: string; text: string }) => {
    const sent = message(conversation_id, text, 0, "queued");
    world.messages[conversation_id] = [...(world.messages[conversation_id] ?? []), sent];
    for (const [delay, state] of [[150, "sent"], [400, "delivered"]] as const) {
      const { message_id } = sent;
      const progress = { message_id, conversation_id, state, devices: 2, cause: null };
      setTimeout(() => say({ event: "progress", ...progress }), delay);
    }
    return sent;
  },
  mark_read: ({ conversation_id }: { conversation_id: string }) => {
    world.chats = world.chats.map((chat) =>
      chat.conversation_id === conversation_id ? { ...chat, unread: 0 } : chat);
    return null;
  },
  devices: () => world.devices,
  log_out: ({ device }: { device: number }) => {
    world.devices = world.devices.filter((one) => one.device !== device);
    return null;
  },
  contacts: () => [],
  find: ({ name }: { name: string }) => ({
    name, account_id: id("9"), conversation_id: id("9"), known: false, verified: false, changed: false,
  }),
  accept: ({ name }: { name: string }) => {
    world.chats = world.chats.map((chat) =>
      chat.name === name ? { ...chat, changed: false, known: true } : chat);
    return null;
  },
  security_code: ({ name }: { name: string }) => ({ ...world.code, name }),
  verify: () => (world.code = { ...world.code, verified: true }),
  notices: () => world.notices["own"] ?? [],
  notices_shown: () => null,
  set_lease: ({ days }: { days: number }) => {
    world.me = { ...world.me, lease_days: days };
    return null;
  },
  push_key: () => ({ key: world.pushKey }),
  subscribe_push: ({ endpoint }: { endpoint: string }) => {
    heard.postMessage({ subscribed: endpoint });
    return null;
  },
  storage: () => ({ used: 18_400_000, quota: 10_700_000_000, persisted: world.look.persisted }),
};

async function perform({ tab, id: number, call, args }: Call): Promise<void> {
  if (scene === "failed") return; // it never came up
  try {
    const failing = world.failing[call];
    if (failing) throw failing;
    const value = await CALLS[call]?.(args as never, tab);
    say({ tab, id: number, value: value ?? null });
  } catch (error) {
    const problem =
      typeof error === "string" ? refusal(error, "It was not confirmed.", "Nothing was changed.") : error;
    say({ tab, id: number, error: problem });
  }
}

self.onmessage = ({ data }: MessageEvent<string>) => {
  const said = JSON.parse(data);
  if ("call" in said) void perform(said);
  else if ("refused" in said) asked.get(said.answer)?.reject(said.refused);
  else asked.get(said.answer)?.resolve(said.value);
};

new BroadcastChannel("untether-script").onmessage = ({ data }) => {
  if (data.me) world.me = { ...world.me, ...data.me };
  if (data.say) say(data.say);
  if (data.fail) world.failing[data.fail.call] = data.fail.problem;
  if (data.step) steps.get(data.step)?.();
  if (data.message) {
    const { conversation, text } = data.message;
    say({ event: "message", message: message(conversation, text, 0) });
  }
};

if (scene === "failed") {
  say({
    event: "engine_failed",
    error: refusal("no-private-files", "This browser offers no private files to web pages.", "Leave the private window, or use another browser."),
  });
}
