// A folder of Python's file system that holds one database and its journals, sealed on the disk.
//
// The names are fixed and each file on the disk is opened once, at the start. A file "exists" while it
// is not empty: to SQLite an empty journal is none. So no directory has to be durable.

import { EncryptedFile, isFull, type DiskFile, type FolderState } from "./encrypted_file";
import type { SlotCipher } from "./slots";

export const DATABASE_FILES = ["device.db", "device.db-wal", "device.db-journal"] as const;

// Emscripten's numbers (WASI), not those of Linux.
const EINVAL = 28;
const EIO = 29;
const ENOENT = 44;
const ENOSPC = 51;
const EPERM = 63;

const FOLDER_MODE = 0o40700;
const FILE_MODE = 0o100600;
const SEEK_CUR = 1;
const SEEK_END = 2;
const BLOCK_BYTES = 4096;

interface Node {
  id: number;
  name: string;
  mode: number;
  file?: EncryptedFile;
  node_ops?: object;
  stream_ops?: object;
}

interface Stream {
  node: Node;
  position: number;
}

/** What this needs of Emscripten's file system. */
export interface FileSystem {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: Node | null, name: string, mode: number, device: number): Node;
  mkdirTree(path: string): void;
  mount(type: object, options: object, path: string): void;
  unmount(path: string): void;
}

/** An open folder; `state.strict` is set once SQLite has recovered what a power cut left. */
interface DatabaseFolder {
  readonly state: FolderState;
  /** Take the folder away from Python; the files on the disk stay open. */
  close(): void;
}

/** Mount the files at `path`; `disk` has one file on the disk for each of DATABASE_FILES. */
export function mountDatabase(
  fs: FileSystem,
  path: string,
  disk: readonly DiskFile[],
  cipher: SlotCipher,
): DatabaseFolder {
  const state: FolderState = { strict: false, flushes: 0, full: false };
  const files = new Map<string, EncryptedFile>();
  for (const [index, name] of DATABASE_FILES.entries()) {
    const onDisk = disk[index];
    if (onDisk === undefined) {
      throw new RangeError("a file of the database is missing");
    }
    files.set(name, new EncryptedFile(onDisk, index + 1, cipher, state));
  }
  fs.mkdirTree(path);
  fs.mount({ mount: () => rootNode(fs, files) }, {}, path);
  return {
    state,
    close: () => fs.unmount(path),
  };
}

function rootNode(fs: FileSystem, files: ReadonlyMap<string, EncryptedFile>): Node {
  function nodeOf(parent: Node, name: string): Node {
    const file = files.get(name);
    if (file === undefined) {
      throw new fs.ErrnoError(EPERM); // nothing else may lie beside the database
    }
    const node = fs.createNode(parent, name, FILE_MODE, 0);
    return Object.assign(node, { file, node_ops: fileNode(fs), stream_ops: fileStream(fs) });
  }

  const root = fs.createNode(null, "/", FOLDER_MODE, 0);
  root.node_ops = guarded(fs, {
    getattr: attributes,
    setattr: () => undefined,
    lookup(parent: Node, name: string) {
      if (!files.get(name)?.size) {
        throw new fs.ErrnoError(ENOENT);
      }
      return nodeOf(parent, name);
    },
    mknod: (parent: Node, name: string) => nodeOf(parent, name),
    readdir: () => [".", "..", ...[...files].filter(([, file]) => file.size).map(([name]) => name)],
    unlink(_parent: Node, name: string) {
      const file = files.get(name);
      file?.truncate(0);
      file?.sync();
    },
    rename() {
      throw new fs.ErrnoError(EPERM);
    },
  });
  root.stream_ops = guarded(fs, { fsync: () => 0, llseek: () => 0 });
  return root;
}

function fileNode(fs: FileSystem): object {
  return guarded(fs, {
    getattr: attributes,
    setattr(node: Node, changed: { size?: number }) {
      if (changed.size !== undefined) {
        opened(node).truncate(changed.size);
      }
    },
  });
}

function fileStream(fs: FileSystem): object {
  return guarded(fs, {
    read: (stream: Stream, into: Uint8Array, offset: number, length: number, position: number) =>
      opened(stream.node).read(into, offset, length, position),
    write: (stream: Stream, from: Uint8Array, offset: number, length: number, position: number) =>
      opened(stream.node).write(from, offset, length, position),
    fsync(stream: Stream) {
      opened(stream.node).sync();
      return 0;
    },
    llseek(stream: Stream, offset: number, whence: number) {
      const from = whence === SEEK_CUR ? stream.position : whence === SEEK_END ? opened(stream.node).size : 0;
      if (from + offset < 0) {
        throw new fs.ErrnoError(EINVAL);
      }
      return from + offset;
    },
  });
}

function opened(node: Node): EncryptedFile {
  if (node.file === undefined) {
    throw new TypeError("a node without a file");
  }
  return node.file;
}

function attributes(node: Node): object {
  const never = new Date(0);
  const size = node.file?.size ?? BLOCK_BYTES;
  return {
    dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size,
    atime: never, mtime: never, ctime: never, blksize: BLOCK_BYTES, blocks: 1,
  };
}

/** Let only the file system's own errors out: anything else would end Python. */
function guarded(fs: FileSystem, operations: Record<string, (...given: never[]) => unknown>): object {
  const entries = Object.entries(operations).map(([name, operation]) => [
    name,
    (...given: never[]) => {
      try {
        return operation(...given);
      } catch (error) {
        throw error instanceof fs.ErrnoError ? error : new fs.ErrnoError(errnoOf(error));
      }
    },
  ]);
  return Object.fromEntries(entries) as object;
}

function errnoOf(error: unknown): number {
  return isFull(error) ? ENOSPC : EIO;
}
