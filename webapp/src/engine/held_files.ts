// Files of the origin's private file system that one worker holds open, and whether they are still
// there: a browser deletes them when it needs room, or when somebody clears the data of this site.

import { existing } from "../origin_files";
import type { DiskFile } from "./encrypted_file";

/** A tab that has just gone lets go of its files a moment later. */
const TRIES = 20;
const BETWEEN_TRIES_MS = 100;
/** How often to look whether the files are still there: what comes meanwhile is lost with them. */
const LOOK_MS = 3_000;

/** What only workers have, and TypeScript's types of pages lack. */
interface LockableFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<DiskFile>;
}

/** Open files, in the order of their names. */
interface HeldFiles {
  readonly disk: readonly DiskFile[];
  /** Close them. Those that the browser has deleted stay open: to close them would never end. */
  letGo(): Promise<void>;
}

/** Open all files, or none, and make those that are missing; `deleted` hears of their end. */
export async function holdFiles(
  directory: FileSystemDirectoryHandle,
  names: readonly string[],
  deleted: () => void,
): Promise<HeldFiles> {
  const disk = await allOpened(directory, names);
  const looking = setInterval(() => void stillThere(), LOOK_MS);

  async function stillThere(): Promise<boolean> {
    const found = await Promise.all(names.map((name) => existing(directory, name)));
    if (!found.includes(undefined)) return true;
    clearInterval(looking);
    deleted();
    return false;
  }

  return {
    disk,
    async letGo() {
      clearInterval(looking);
      if (await stillThere()) closeAll(disk);
    },
  };
}

async function allOpened(
  directory: FileSystemDirectoryHandle,
  names: readonly string[],
): Promise<DiskFile[]> {
  const opening = await Promise.allSettled(names.map((name) => opened(directory, name)));
  const disk = opening.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = opening.find((one) => one.status === "rejected");
  if (failure === undefined) return disk;
  closeAll(disk);
  throw failure.reason;
}

async function opened(directory: FileSystemDirectoryHandle, name: string): Promise<DiskFile> {
  const file = (await directory.getFileHandle(name, { create: true })) as LockableFile;
  for (let tries = TRIES; ; tries--) {
    try {
      return await file.createSyncAccessHandle();
    } catch (reason) {
      const isHeld = reason instanceof DOMException && reason.name === "NoModificationAllowedError";
      if (!isHeld || tries === 0) throw reason;
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
    }
  }
}

function closeAll(disk: readonly DiskFile[]): void {
  for (const file of disk) file.close();
}
