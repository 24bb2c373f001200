// Registers the service worker, which keeps the shell of the app for starts without a network.
import { ownScript } from "./trusted";

export function keepShell(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  void navigator.serviceWorker
    .register(ownScript("/service_worker.js"), { type: "module" })
    .catch(() => undefined); // a private window may refuse: the app works without
}
