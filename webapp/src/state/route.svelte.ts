// Which screen is open. The browser's own history holds nothing but a number, so that no name
// and no conversation lies readable in it; what the numbers mean lives here.

/** A step of the beginning, before there is an account. */
export type Step = "form" | "protect" | "working";

type Route =
  | { screen: "begin"; step: Step }
  | { screen: "code" }
  | { screen: "code-check" }
  | { screen: "chats" }
  | { screen: "conversation"; id: string; name: string }
  | { screen: "devices" }
  | { screen: "approve" }
  | { screen: "security"; name: string }
  | { screen: "settings" };

const HOME: Route = { screen: "chats" };

class Router {
  #stack: Route[] = $state.raw([HOME]);
  #depth = $state(0);
  readonly #handlers: (() => void)[] = [];

  get current(): Route {
    return this.#stack[this.#depth] ?? HOME;
  }

  /** Open a screen above the current one. */
  open(route: Route): void {
    this.#stack = [...this.#stack.slice(0, this.#depth + 1), route];
    this.#depth += 1;
    history.pushState(this.#depth, "");
  }

  /** Open a screen in place of everything above the list of chats. */
  show(route: Route): void {
    const above = this.#depth - 1;
    if (above < 0) return this.open(route);
    this.#stack = [HOME, route];
    this.#depth = 1;
    if (above > 0) history.go(-above);
  }

  /** Put a screen in the place of the current one: Back leads past that. */
  replace(route: Route): void {
    this.#stack = [...this.#stack.slice(0, this.#depth), route];
  }

  /** Leave all screens above the list of chats. */
  home(): void {
    const above = this.#depth;
    this.#stack = [HOME];
    this.#depth = 0;
    if (above > 0) history.go(-above);
  }

  back(): void {
    if (this.#depth > 0) history.back();
  }

  /** Forget every screen: after a lock or a log-out. */
  reset(): void {
    this.#stack = [HOME];
    this.#depth = 0;
    history.replaceState(0, "");
  }

  /** The person went back or forward, with the browser's own buttons or with one of ours. */
  moved(depth: unknown): void {
    const last = this.#stack.length - 1;
    const wanted = typeof depth === "number" ? Math.max(0, depth) : 0;
    this.#depth = Math.min(wanted, last);
    if (wanted > last) history.go(last - wanted); // to a screen that is no more
    for (const handler of this.#handlers) handler();
  }

  /** Have a handler called after each such move. */
  onMoved(handler: () => void): void {
    this.#handlers.push(handler);
  }
}

export const router = new Router();
