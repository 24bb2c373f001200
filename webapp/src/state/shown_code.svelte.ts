// The recovery code while it is shown: a screen of its own, above the chats, and the check behind it.
import { router } from "./route.svelte";

class ShownCode {
  code: string | null = $state(null);

  constructor() {
    router.onMoved(() => {
      if (!this.#isOpen) this.code = null;
      else if (this.code === null) router.back(); // forward, to a code that was left
    });
  }

  /** Is one group of it asked for, to see that it was written down? */
  get isChecked(): boolean {
    return router.current.screen === "code-check";
  }

  /** Have it shown as soon as the account is open. */
  keep(code: string): void {
    this.code = code;
  }

  /** The account is open: show the code first, if there is one, and no step before that again. */
  enter(): void {
    if (this.code !== null && !this.#isOpen) router.show({ screen: "code" });
    else if (this.code === null && (this.#isOpen || router.current.screen === "begin")) router.home();
  }

  check(): void {
    router.open({ screen: "code-check" });
  }

  seen(): void {
    this.code = null;
    router.home();
  }

  forget(): void {
    this.code = null;
  }

  get #isOpen(): boolean {
    return router.current.screen === "code" || this.isChecked;
  }
}

export const shownCode = new ShownCode();
