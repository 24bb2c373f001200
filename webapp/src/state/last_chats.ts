// The list of chats as it was last, for the moment before the engine is there. It is sealed under
// the key of the database, and so it exists only where the owner has chosen no lock.
import { existing, LAST_CHATS, originFolder } from "../origin_files";
import type { Chat } from "../types";

const LABEL = new TextEncoder().encode("untether/v1/last-chats\0");
const NONCE_BYTES = 12;
/** Enough for a screen. */
const KEPT = 30;

export async function lastChats(openKey: Uint8Array<ArrayBuffer>): Promise<Chat[] | null> {
  try {
    const found = await existing(await originFolder(), LAST_CHATS);
    if (!found) return null;
    const sealed = new Uint8Array(await (await found.getFile()).arrayBuffer());
    const opened = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv: sealed.subarray(0, NONCE_BYTES) },
      await sealingKey(openKey),
      sealed.subarray(NONCE_BYTES),
    );
    return JSON.parse(new TextDecoder().decode(opened)) as Chat[];
  } catch {
    return null; // it belongs to another key: the engine has the real one
  }
}

export async function keepChats(openKey: Uint8Array<ArrayBuffer>, chats: Chat[]): Promise<void> {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const text = new TextEncoder().encode(JSON.stringify(chats.slice(0, KEPT)));
  const key = await sealingKey(openKey);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, text);
  const file = await (await originFolder()).getFileHandle(LAST_CHATS, { create: true });
  const writing = await file.createWritable();
  await writing.write(new Blob([iv, sealed]));
  await writing.close();
}

/** Delete it: nobody shall read here any more, or the account is gone. */
export async function deleteChats(): Promise<void> {
  const folder = await originFolder();
  if (await existing(folder, LAST_CHATS)) await folder.removeEntry(LAST_CHATS);
}

async function sealingKey(openKey: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const raw = await crypto.subtle.importKey("raw", openKey, "HKDF", false, ["deriveKey"]);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: LABEL },
    raw,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
