// What lies in the origin's private file system beside the database, and in which folder: the worker
// and the page both read there (spec 09, "In the browser").

const FOLDER = "untether";

export const PROFILE = "profile.json";
/** The list of chats as it was last; only where the owner has chosen no lock. */
export const LAST_CHATS = "chats.sealed";

export async function originFolder(): Promise<FileSystemDirectoryHandle> {
  const root = await navigator.storage.getDirectory();
  return root.getDirectoryHandle(FOLDER, { create: true });
}

/** Return a file of the folder, undefined where there is none. */
export async function existing(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<FileSystemFileHandle | undefined> {
  try {
    return await directory.getFileHandle(name);
  } catch (reason) {
    if (reason instanceof DOMException && reason.name === "NotFoundError") return undefined;
    throw reason;
  }
}
