// Passkeys with the PRF extension: after user verification the authenticator gives 32 secret
// bytes for a salt. Cancelled, unsupported and "has no PRF" are three different failures.
import { fromBase64url, toBase64url } from "./base64url";

/** Why there is no secret: the person stopped, or this browser or passkey can't. */
export class PasskeyFailure extends Error {
  readonly why: "cancelled" | "no-prf" | "unsupported";

  constructor(why: PasskeyFailure["why"]) {
    super(why);
    this.why = why;
  }
}

/** A new passkey with the secrets for the two salts it was asked for. */
interface NewPasskey {
  credential: string;
  secrets: { salt: string; prf: string }[];
}

const SALT_BYTES = 32;
const USER_VERIFIED = 0x04;
/** Where the flags stand in authenticator data (WebAuthn, "Authenticator Data"). */
const FLAGS_AT = 32;
const ED25519 = -8;
const ES256 = -7;
const RS256 = -257;
/** Failures that another try does not mend; all others may be of this one try. */
const IMPOSSIBLE = ["NotSupportedError", "SecurityError", "ConstraintError"];

export function passkeysArePossible(): boolean {
  return typeof PublicKeyCredential !== "undefined" && window.isSecureContext;
}

/** Make a passkey for this app and read the secrets for two fresh salts. */
export async function createPasskey(label: string): Promise<NewPasskey> {
  const salts = [freshBytes(), freshBytes()] as const;
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: freshBytes(),
        rp: { name: "Untether" },
        user: { id: freshBytes(), name: label, displayName: label },
        pubKeyCredParams: [ED25519, ES256, RS256].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
        extensions: { prf: { eval: { first: salts[0], second: salts[1] } } },
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  requireVerified(new Uint8Array(response.getAuthenticatorData()));
  const prf = made.getClientExtensionResults().prf;
  if (!prf?.enabled) throw new PasskeyFailure("no-prf");
  const results = prf.results ?? (await evaluate(new Uint8Array(made.rawId), salts));
  return {
    credential: toBase64url(new Uint8Array(made.rawId)),
    secrets: [
      { salt: toBase64url(salts[0]), prf: toBase64url(bytesOf(results.first)) },
      { salt: toBase64url(salts[1]), prf: toBase64url(bytesOf(results.second)) },
    ],
  };
}

/** Have the owner verified by a known passkey; return its secret for `salt`. */
export async function usePasskey(credential: string, salt: string): Promise<string> {
  const results = await evaluate(fromBase64url(credential), [fromBase64url(salt)]);
  return toBase64url(bytesOf(results.first));
}

async function evaluate(
  id: Uint8Array<ArrayBuffer>,
  salts: readonly Uint8Array<ArrayBuffer>[],
): Promise<AuthenticationExtensionsPRFValues> {
  const [first, second] = salts;
  if (!first) throw new PasskeyFailure("no-prf");
  const got = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: freshBytes(),
        allowCredentials: [{ type: "public-key", id }],
        userVerification: "required",
        extensions: { prf: { eval: second ? { first, second } : { first } } },
      },
    }),
  );
  requireVerified(
    new Uint8Array((got.response as AuthenticatorAssertionResponse).authenticatorData),
  );
  const results = got.getClientExtensionResults().prf?.results;
  if (!results) throw new PasskeyFailure("no-prf");
  return results;
}

/** Show the browser's own dialog; a person who closes it has cancelled. */
async function asked(show: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!passkeysArePossible()) throw new PasskeyFailure("unsupported");
  try {
    const credential = await show();
    if (credential instanceof PublicKeyCredential) return credential;
  } catch (reason) {
    const isImpossible = reason instanceof DOMException && IMPOSSIBLE.includes(reason.name);
    throw new PasskeyFailure(isImpossible ? "unsupported" : "cancelled");
  }
  throw new PasskeyFailure("cancelled");
}

function requireVerified(authenticatorData: Uint8Array): void {
  const flags = authenticatorData[FLAGS_AT] ?? 0;
  if ((flags & USER_VERIFIED) === 0) throw new PasskeyFailure("unsupported");
}

function freshBytes(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}

function bytesOf(source: BufferSource | undefined): Uint8Array {
  if (!source) throw new PasskeyFailure("no-prf");
  return source instanceof ArrayBuffer
    ? new Uint8Array(source)
    : new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
}
