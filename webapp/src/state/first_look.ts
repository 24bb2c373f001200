// What lies on this device, read before the engine is there: the first screen does not wait for it.
// It knows the form of profile.json (spec 09, "In the browser") and opens nothing.
import type { Look } from "../types";

const FOLDER = "untether";
const PROFILE = "profile.json";
const METHOD_PASSKEY = 2;
const SALT_BYTES = 32;

export interface FirstLook {
  phase: Look["phase"];
  unlock: Look["unlock"];
  credential: string | null;
  salt: string | null;
  /** The database key, where the owner has chosen no lock. */
  openKey: Uint8Array<ArrayBuffer> | null;
}

interface Profile {
  database_key: { method: "passkey" | "passphrase" | "device"; key: string };
}

/** Look; null where that is impossible, and then the engine says why. */
export async function firstLook(): Promise<FirstLook | null> {
  try {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle(FOLDER, { create: true });
    const text = await readText(folder);
    return text === "" ? nothing("empty") : seen(JSON.parse(text) as Profile);
  } catch {
    return null;
  }
}

async function readText(folder: FileSystemDirectoryHandle): Promise<string> {
  try {
    return await (await (await folder.getFileHandle(PROFILE)).getFile()).text();
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "NotFoundError") return "";
    throw reason;
  }
}

function nothing(phase: Look["phase"]): FirstLook {
  return { phase, unlock: [], credential: null, salt: null, openKey: null };
}

function seen({ database_key: { method, key } }: Profile): FirstLook {
  const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
  const look: FirstLook = { ...nothing("locked"), unlock: [method] };
  if (method === "device") return { ...look, phase: "open", openKey: bytes };
  if (method === "passkey" && bytes[0] === METHOD_PASSKEY) {
    const end = 3 + new DataView(bytes.buffer).getUint16(1);
    look.credential = base64url(bytes.subarray(3, end));
    look.salt = base64url(bytes.subarray(end, end + SALT_BYTES));
  }
  return look;
}

function base64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
