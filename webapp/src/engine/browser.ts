// What the engine wants to know of the browser around it.

interface Described {
  userAgentData?: { platform?: string };
}

/** Bytes used and allowed, and whether they stay until somebody deletes them. */
export async function storageState(): Promise<{ used: number; quota: number; persisted: boolean }> {
  const { usage, quota } = await navigator.storage.estimate();
  return {
    used: usage ?? 0,
    quota: quota ?? 0,
    persisted: await navigator.storage.persisted(),
  };
}

/** What people call the system: `Android`, `Windows`. Empty where the browser doesn't say. */
export function platformName(): string {
  return (navigator as Described).userAgentData?.platform ?? "";
}
