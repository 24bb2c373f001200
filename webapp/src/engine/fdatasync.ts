// SQLite syncs with fdatasync alone, and Emscripten answers that with 0 without doing anything:
// nothing would ever reach the disk. This puts a real one in its place, before Python is loaded.

const EIO = 29;

/** What this needs of Emscripten's file system. */
interface FileSystem {
  getStreamChecked(descriptor: number): { stream_ops?: { fsync?: (stream: object) => number } };
}

/** Stands between WebAssembly and its imports from `install` on. */
interface FdatasyncHook {
  /** Set once Python is loaded; a sync before that has nothing to bring to the disk. */
  fileSystem: FileSystem | null;
}

type Imports = { env?: { __syscall_fdatasync?: (descriptor: number) => number } };

/** Install the hook. It must stand before Pyodide compiles its module. */
export function hookFdatasync(): FdatasyncHook {
  const hook: FdatasyncHook = { fileSystem: null };
  const assembly = WebAssembly as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = assembly[name];
    if (original !== undefined) {
      assembly[name] = (module, imports, ...rest) => {
        replace(imports as Imports | undefined, hook);
        return original.call(WebAssembly, module, imports, ...rest);
      };
    }
  }
  return hook;
}

function replace(imports: Imports | undefined, hook: FdatasyncHook): void {
  if (imports?.env?.__syscall_fdatasync !== undefined) {
    imports.env.__syscall_fdatasync = (descriptor) => sync(hook, descriptor);
  }
}

function sync(hook: FdatasyncHook, descriptor: number): number {
  if (hook.fileSystem === null) {
    return 0;
  }
  try {
    const stream = hook.fileSystem.getStreamChecked(descriptor);
    return stream.stream_ops?.fsync?.(stream) ?? 0;
  } catch (error) {
    return -((error as { errno?: number }).errno ?? EIO);
  }
}
