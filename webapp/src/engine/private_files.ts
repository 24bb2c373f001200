// The files of this device in the origin's private file system: the profile, and the database that
// is sealed page by page. Nobody but one worker has them open.

import { existing, LAST_CHATS, originFolder, PROFILE } from "../origin_files";
import { DATABASE_FILES, mountDatabase, type FileSystem } from "./database_folder";
import { holdFiles } from "./held_files";
import { withPlainErrors } from "./plain_errors";
import type { SlotCipher } from "./slots";

const MOUNTED_AT = "/untether";

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

/** Offer the files; `deleted` is called when the browser has deleted those that are open. */
export function openPrivateFiles(
  fs: FileSystem,
  cipherUnder: (key: Uint8Array) => SlotCipher,
  deleted: () => void,
): PrivateFiles {
  let lettingGo = Promise.resolve(); // Python closes at once, the files are closed a moment later

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
      await lettingGo;
      const held = await holdFiles(await originFolder(), DATABASE_FILES, deleted);
      try {
        const database = mountDatabase(fs, MOUNTED_AT, held.disk, cipherUnder(key));
        return {
          path: MOUNTED_AT,
          recovered: () => void (database.state.strict = true),
          flushes: () => database.state.flushes,
          is_full: () => database.state.full,
          close() {
            database.close();
            lettingGo = held.letGo();
          },
        };
      } catch (reason) {
        await held.letGo();
        throw reason;
      }
    }),

    erase: withPlainErrors(async () => {
      await lettingGo;
      const directory = await originFolder();
      for (const name of [PROFILE, LAST_CHATS, ...DATABASE_FILES]) {
        if (await existing(directory, name)) await directory.removeEntry(name);
      }
    }),
  };
}
