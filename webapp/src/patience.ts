// How long the screens wait for an engine that is kept busy.

/** It locks within milliseconds; longer than this, something keeps it from that. */
const LOCK_MS = 3000;

/** Tell whether a call ends soon; what it fails with is thrown. */
export async function endsSoon(call: Promise<unknown>): Promise<boolean> {
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), LOCK_MS));
  return Promise.race([call.then(() => true), late]);
}
