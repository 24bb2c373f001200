// Keeps the files of the app, so that it starts without a network. It keeps no answer of the
// relay and opens no database: the engine's files can't be reached from here, so a push says
// only that there is a message.

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Lasting {
  readonly notification: Notification;
}
interface Scope {
  clients: {
    claim(): Promise<void>;
    matchAll(options: { type: "window" }): Promise<{ focus(): Promise<unknown> }[]>;
    openWindow(address: string): Promise<unknown>;
  };
  registration: ServiceWorkerRegistration;
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate" | "push" | "message", handle: (event: Lasting) => void): void;
  addEventListener(name: "notificationclick", handle: (event: Clicked) => void): void;
  addEventListener(name: "fetch", handle: (event: Fetching) => void): void;
}

const scope = self as unknown as Scope;
/** Path → SHA-256 of each other file: the build writes them here, so each release has its worker. */
const FILES: Record<string, string> = JSON.parse("{}");
const SHELL = "/index.html";
const PREFIX = "untether-files-";
const ownCache = hexHash(new TextEncoder().encode(JSON.stringify(FILES))).then(
  (hash) => PREFIX + hash.slice(0, 16),
);

async function hexHash(bytes: BufferSource): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** All or nothing: a file of another release ends the installation, and the app stays as it was. */
async function keepFiles(): Promise<void> {
  const cache = await caches.open(await ownCache);
  const keep = async ([path, hash]: [string, string]): Promise<void> =>
    cache.put(`/${path}`, await fetched(path, hash));
  await Promise.all(Object.entries(FILES).map(keep));
  await scope.skipWaiting();
}

async function fetched(path: string, hash: string): Promise<Response> {
  for (const cache of ["default", "reload"] as const) { // the browser may have kept another one
    const response = await fetch(`/${path}`, { cache });
    if (response.ok && (await hexHash(await response.clone().arrayBuffer())) === hash) {
      return response;
    }
  }
  throw new Error(`/${path} is not of this release`);
}

/** This release stays, and the one before: pages that run it may still ask for its files. */
async function forgetOthers(): Promise<void> {
  const own = await ownCache;
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== own);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const wanted = request.mode === "navigate" ? SHELL : request;
  const own = await caches.open(await ownCache);
  const kept = (await own.match(wanted, AS_NAMED)) ?? (await caches.match(wanted, AS_NAMED));
  return kept ?? fetch(request);
}

const AS_NAMED = { ignoreSearch: true };

/** Nothing but that there is something: what it is can't be read from here. One stands for all. */
async function announce(): Promise<void> {
  const options = { body: "New message", tag: "untether-message" };
  await scope.registration.showNotification("Untether", options);
}

async function showApp(notification: Notification): Promise<void> {
  notification.close();
  const [open] = await scope.clients.matchAll({ type: "window" });
  await (open ? open.focus() : scope.clients.openWindow("/"));
}

scope.addEventListener("push", (event) => event.waitUntil(announce()));
scope.addEventListener("message", (event) => event.waitUntil(announce())); // of an app that nobody looks at
scope.addEventListener("notificationclick", (event) => {
  event.waitUntil(showApp(event.notification));
});
scope.addEventListener("install", (event) => event.waitUntil(keepFiles()));
scope.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = new URL(request.url).origin === location.origin;
  if (request.method === "GET" && isOurs) event.respondWith(answer(request));
});
