// What was typed and not sent yet, by conversation: it survives another screen, and a tab that
// takes over the engine. It lies in memory only, and a lock forgets it.

const drafts = new Map<string, string>();

export function draftOf(conversationId: string): string {
  return drafts.get(conversationId) ?? "";
}

export function keepDraft(conversationId: string, text: string): void {
  if (text) drafts.set(conversationId, text);
  else drafts.delete(conversationId);
}

export function forgetDrafts(): void {
  drafts.clear();
}
