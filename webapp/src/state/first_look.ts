// What lies on this device, read before the engine is there: the first screen does not wait for it.
// It knows the form of profile.json (spec 09, "In the browser") and opens nothing.
import { existing, originFolder, PROFILE } from "../origin_files";
import { passkeyOf } from "../passkey_seal";
import type { Look } from "../types";

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
    const profile = await existing(await originFolder(), PROFILE);
    const text = await (await profile?.getFile())?.text();
    return text ? seen(JSON.parse(text) as Profile) : nothing("empty");
  } catch {
    return null;
  }
}

function nothing(phase: Look["phase"]): FirstLook {
  return { phase, unlock: [], credential: null, salt: null, openKey: null };
}

function seen({ database_key: { method, key } }: Profile): FirstLook {
  const bytes = Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0));
  const look: FirstLook = { ...nothing("locked"), unlock: [method] };
  if (method === "device") return { ...look, phase: "open", openKey: bytes };
  return method === "passkey" ? { ...look, ...passkeyOf(bytes) } : look;
}
