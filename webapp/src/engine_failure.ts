// The engine can't run here: the one event that the engine itself can't send.

export function engineFailure(reason: string): string {
  const error = { error: "engine-failed", message: reason, hint: "" };
  return JSON.stringify({ event: "engine_failed", error });
}
