// Announces a new message while nobody looks: that there is one, and nothing about it.
import { engine } from "./rpc";
import { words } from "./words";

/** One announcement stands for all: a newer one replaces it. */
const TAG = "untether-message";

export function announceMessages(): void {
  engine.on("message", ({ message }) => {
    const isWanted = !message.outgoing && document.visibilityState === "hidden";
    if (isWanted && engine.owns) void announce();
  });
}

async function announce(): Promise<void> {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker?.getRegistration();
  await worker?.showNotification(words.app, { body: words.newMessage, tag: TAG });
}
