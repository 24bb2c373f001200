// Registers the service worker, which keeps the files of the app for starts without a network, and
// tells when it has those of a newer release.
import { app } from "./state/app.svelte";
import { ownScript } from "./trusted";

/** An app that stays open for weeks looks by itself whether there is a newer one. */
const LOOK_MS = 6 * 60 * 60 * 1000;

export function keepShell(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  const workers = navigator.serviceWorker;
  const hadOne = workers.controller !== null;
  let changes = 0;
  workers.addEventListener("controllerchange", () => {
    changes += 1;
    if (hadOne || changes > 1) app.isOutdated = true; // the first one is of this release
  });
  void workers
    .register(ownScript("/service_worker.js"))
    .then((registration) => setInterval(() => void lookForNewer(registration), LOOK_MS))
    .catch(() => undefined); // a private window may refuse: the app works without
}

async function lookForNewer(registration: ServiceWorkerRegistration): Promise<void> {
  await registration.update().catch(() => undefined); // offline: another time
}
