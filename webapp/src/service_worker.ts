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
  addEventListener(name: "install" | "activate" | "push", handle: (event: Lasting) => void): void;
  addEventListener(name: "notificationclick", handle: (event: Clicked) => void): void;
  addEventListener(name: "fetch", handle: (event: Fetching) => void): void;
}

const scope = self as unknown as Scope;
/** Written by the build: path → SHA-256 of each file. */
const MANIFEST = "/manifest.json";
const SHELL = "/index.html";
const PREFIX = "untether-files-";

/** Name the cache of one release, by what is in it. */
async function cacheName(manifest: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(manifest));
  const bytes = [...new Uint8Array(hash).slice(0, 8)];
  return PREFIX + bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function keepFiles(): Promise<void> {
  const manifest = await (await fetch(MANIFEST, { cache: "no-cache" })).text();
  const listed: { files?: Record<string, string> } & Record<string, string> = JSON.parse(manifest);
  const paths = Object.keys(listed.files ?? listed);
  const cache = await caches.open(await cacheName(manifest));
  await cache.addAll(paths.filter((path) => !path.endsWith(".br")).map(address));
  await scope.skipWaiting();
}

function address(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}

/** Only the newest release stays. */
async function forgetOthers(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
  const newest = names.at(-1);
  await Promise.all(names.filter((name) => name !== newest).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(request: Request): Promise<Response> {
  const wanted = request.mode === "navigate" ? SHELL : request;
  const kept = await caches.match(wanted, { ignoreSearch: true });
  return kept ?? fetch(request);
}

/** Nothing but that there is something: what it is can't be read from here. */
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
