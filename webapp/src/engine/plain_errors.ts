// What Python awaits fails with plain Errors. Pyodide takes an object for an exception where it has a
// `stack` or is a DOMException itself; Chromium's QuotaExceededError is neither, and a promise that is
// rejected with one would never end for Python.

type Offer = (...given: never[]) => Promise<unknown>;

/** Let a function for Python reject with an `Error` that keeps the name of what went wrong. */
export function withPlainErrors<Offered extends Offer>(offered: Offered): Offered {
  const wrapped = async (...given: Parameters<Offered>): Promise<unknown> => {
    try {
      return await offered(...given);
    } catch (reason) {
      throw plain(reason);
    }
  };
  return wrapped as Offered;
}

function plain(reason: unknown): Error {
  const { name = "Error", message = String(reason) } = (reason ?? {}) as Partial<Error>;
  return Object.assign(new Error(message), { name });
}
