// Has the browser's push service wake this device while the app is closed: it learns that there is
// something, and when. The relay is told at each connection, since a browser changes its endpoint
// and a relay that was put back from a copy has forgotten it.
import { engine } from "./rpc";

export function keepWakeable(): void {
  engine.on("connection", ({ connected }) => {
    if (connected && engine.owns) void subscribe();
  });
}

/** Subscribe, if the person has allowed announcements and the relay wakes devices. */
export async function subscribe(): Promise<void> {
  if (!("PushManager" in window) || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker?.getRegistration();
  if (!worker) return;
  try {
    const { key } = await engine.call("push_key", {});
    if (key === null) return;
    const { endpoint } = await subscription(worker.pushManager, key);
    await engine.call("subscribe_push", { endpoint });
  } catch {
    // No push service, or no connection: the next connection tries again.
  }
}

/** A browser has one subscription, under one relay's key; another key needs a new one. */
async function subscription(manager: PushManager, key: string): Promise<PushSubscription> {
  const options = { userVisibleOnly: true, applicationServerKey: key };
  try {
    return await manager.subscribe(options);
  } catch (reason) {
    const old = await manager.getSubscription();
    if (!old) throw reason;
    await old.unsubscribe();
    return manager.subscribe(options);
  }
}

/** The device is erased: nobody calls it any more. */
export async function unsubscribe(): Promise<void> {
  const worker = await navigator.serviceWorker?.getRegistration();
  const old = await worker?.pushManager?.getSubscription().catch(() => null);
  await old?.unsubscribe().catch(() => false);
}
