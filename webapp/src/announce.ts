// Announces a new message while nobody looks: that there is one, and nothing about it.
import { engine } from "./rpc";

export function announceMessages(): void {
  engine.on("message", ({ message }) => {
    const isWanted = !message.outgoing && document.visibilityState === "hidden";
    if (isWanted && engine.owns) void announce();
  });
}

async function announce(): Promise<void> {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const worker = await navigator.serviceWorker?.getRegistration();
  worker?.active?.postMessage("announce"); // it says the same for a push, when the app is closed
}
