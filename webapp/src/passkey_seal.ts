// Which passkey opens a seal: the open beginning of it (spec 09, "Passkey seal").
import { toBase64url } from "./base64url";

const METHOD_PASSKEY = 2;
const CREDENTIAL_AT = 3;
const SALT_BYTES = 32;

/** Return the passkey and its salt as screens name them; null for a seal of another method. */
export function passkeyOf(
  seal: Uint8Array<ArrayBuffer>,
): { credential: string; salt: string } | null {
  if (seal[0] !== METHOD_PASSKEY) return null;
  const end = CREDENTIAL_AT + new DataView(seal.buffer, seal.byteOffset).getUint16(1);
  return {
    credential: toBase64url(seal.subarray(CREDENTIAL_AT, end)),
    salt: toBase64url(seal.subarray(end, end + SALT_BYTES)),
  };
}
