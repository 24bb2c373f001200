// The files of this device in the origin's private file system: the profile, and the database that
// is sealed page by page. Nobody but one worker has them open.

import { existing, LAST_CHATS, originFolder, PROFILE } from "../origin_files";
import { DATABASE_FILES, mountDatabase, type FileSystem } from "./database_folder";
import type { DiskFile } from "./encrypted_file";
import { withPlainErrors } from "./plain_errors";
import type { SlotCipher } from "./slots";

const MOUNTED_AT = "/untether";
/** A tab that has just gone lets go of its files a moment later. */
const TRIES = 20;
const BETWEEN_TRIES_MS = 100;

/** What only workers have, and TypeScript's types of pages lack. */
interface LockableFile extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<DiskFile>;
}

/** An open database: where Python finds it, and what it says and asks about it. */
interface OpenDatabase {
  path: string;
  /** SQLite has recovered what a power cut left: from now on damage is an error. */
  recovered(): void;
  /** How often changed pages were brought to the disk. */
  flushes(): number;
  /** Whether there was no room for the last of them. */
  is_full(): boolean;
  close(): void;
}

/** What the engine is given; its failures have the names of DOMExceptions. */
interface PrivateFiles {
  read_profile(): Promise<Uint8Array | undefined>;
  write_profile(content: Uint8Array<ArrayBuffer>): Promise<void>;
  open_database(key: Uint8Array): Promise<OpenDatabase>;
  erase(): Promise<void>;
}

export function openPrivateFiles(
  fs: FileSystem,
  cipherUnder: (key: Uint8Array) => SlotCipher,
): PrivateFiles {
  return {
    read_profile: withPlainErrors(async () => {
      const found = await existing(await originFolder(), PROFILE);
      const content = await (await found?.getFile())?.arrayBuffer();
      return content?.byteLength ? new Uint8Array(content) : undefined; // empty: never written
    }),

    write_profile: withPlainErrors(async (content) => {
      const file = await (await originFolder()).getFileHandle(PROFILE, { create: true });
      const writing = await file.createWritable(); // takes the old one's place when it is closed
      await writing.write(content);
      await writing.close();
    }),

    open_database: withPlainErrors(async (key) => {
      const directory = await originFolder();
      const disk = await allOpened(directory);
      try {
        const database = mountDatabase(fs, MOUNTED_AT, disk, cipherUnder(key));
        return {
          path: MOUNTED_AT,
          recovered: () => void (database.state.strict = true),
          flushes: () => database.state.flushes,
          is_full: () => database.state.full,
          close: () => database.close(),
        };
      } catch (reason) {
        for (const handle of disk) handle.close();
        throw reason;
      }
    }),

    erase: withPlainErrors(async () => {
      const directory = await originFolder();
      for (const name of [PROFILE, LAST_CHATS, ...DATABASE_FILES]) {
        if (await existing(directory, name)) await directory.removeEntry(name);
      }
    }),
  };
}

/** Open all files of the database, or none. */
async function allOpened(directory: FileSystemDirectoryHandle): Promise<DiskFile[]> {
  const opening = await Promise.allSettled(DATABASE_FILES.map((name) => opened(directory, name)));
  const disk = opening.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  const failure = opening.find((one) => one.status === "rejected");
  if (failure === undefined) return disk;
  for (const handle of disk) handle.close();
  throw failure.reason;
}

async function opened(
  directory: FileSystemDirectoryHandle,
  name: string,
): Promise<DiskFile> {
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
