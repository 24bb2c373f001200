// Questions of the engine to the person in front of this tab, one dialog at a time.
import type { AskName, Asks, Proof } from "../calls";
import { engine, Unverified } from "../rpc";

/** A question that waits for the person. */
export interface Question<Name extends AskName> {
  details: Asks[Name]["details"];
  answer(value: Asks[Name]["answer"]): void;
  refuse(code: Unverified["code"]): void;
}

class Questions {
  seal: Question<"seal"> | null = $state.raw(null);
  verify: Question<"verify"> | null = $state.raw(null);
  mayLink: Question<"may_link"> | null = $state.raw(null);
  isMine: Question<"is_mine"> | null = $state.raw(null);
  whichStay: Question<"which_stay"> | null = $state.raw(null);
  /** Proved a moment ago, at the choice of the lock: seals the account without a second touch. */
  #prepared: Proof | null = null;

  constructor() {
    engine.answer("seal", async (details) => {
      const prepared = this.takePrepared();
      return prepared ?? this.#ask<"seal">(details, (question) => (this.seal = question));
    });
    engine.answer("verify", (details) =>
      this.#ask<"verify">(details, (question) => (this.verify = question)),
    );
    engine.answer("may_link", (details) =>
      this.#ask<"may_link">(details, (question) => (this.mayLink = question)),
    );
    engine.answer("is_mine", (details) =>
      this.#ask<"is_mine">(details, (question) => (this.isMine = question)),
    );
    engine.answer("which_stay", (details) =>
      this.#ask<"which_stay">(details, (question) => (this.whichStay = question)),
    );
  }

  /** Keep a proof for the next seal. */
  prepare(proof: Proof | null): void {
    this.#prepared = proof;
  }

  takePrepared(): Proof | null {
    const proof = this.#prepared;
    this.#prepared = null;
    return proof;
  }

  /** Forget every open question: its call has ended. */
  forget(): void {
    this.seal = this.verify = this.mayLink = this.isMine = this.whichStay = null;
  }

  #ask<Name extends AskName>(
    details: Asks[Name]["details"],
    show: (question: Question<Name> | null) => void,
  ): Promise<Asks[Name]["answer"]> {
    return new Promise((resolve, reject) => {
      show({
        details,
        answer: (value) => {
          show(null);
          resolve(value);
        },
        refuse: (code) => {
          show(null);
          reject(new Unverified(code));
        },
      });
    });
  }
}

export const questions = new Questions();
