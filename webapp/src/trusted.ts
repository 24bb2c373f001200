// The only script addresses this app may load: the policy "app" of the Content-Security-Policy.

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): string };
}

const factory = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
const policy = factory?.createPolicy("app", { createScriptURL: checkedAddress });

/** Vouch for a script of this origin; a browser without Trusted Types gets the checked text. */
export function ownScript(address: string | URL): string {
  const text = String(address);
  return policy ? policy.createScriptURL(text) : checkedAddress(text);
}

function checkedAddress(address: string): string {
  if (new URL(address, location.href).origin !== location.origin) {
    throw new TypeError("A script of another origin is never loaded.");
  }
  return address;
}
