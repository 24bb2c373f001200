// A disk whose power can be cut: files that remember what was not flushed.

import type { DiskFile } from "../../src/engine/encrypted_file";

const SECTOR_BYTES = 512;

/** Draws yes or no, the same for the same seed. */
export class Chance {
  constructor(private state: number) {}

  half(): boolean {
    this.state = (this.state * 1103515245 + 12345) & 0x7fffffff;
    return this.state > 0x3fffffff;
  }
}

/** Counts what is done to a disk until its power is cut. */
export class Power {
  private left = Infinity;

  cutAfter(operations: number): void {
    this.left = operations;
  }

  restore(): void {
    this.left = Infinity;
  }

  use(): void {
    if (this.left-- <= 0) {
      throw new Error("the power is cut");
    }
  }
}

type Operation = { at: number; bytes: Uint8Array } | { size: number };

/** A file of which only what was flushed surely survives. */
export class DiskFileWithCuts implements DiskFile {
  private flushed = new Uint8Array(0);
  private current = new Uint8Array(0);
  private since: Operation[] = [];

  constructor(private readonly power: Power) {}

  getSize(): number {
    return this.current.length;
  }

  read(into: Uint8Array, { at }: { at: number }): number {
    const found = this.current.subarray(at, at + into.length);
    into.set(found);
    return found.length;
  }

  write(from: Uint8Array, { at }: { at: number }): number {
    this.power.use();
    const bytes = from.slice();
    this.current = written(this.current, bytes, at);
    this.since.push({ at, bytes });
    return bytes.length;
  }

  truncate(size: number): void {
    this.power.use();
    this.current = resized(this.current, size);
    this.since.push({ size });
  }

  flush(): void {
    this.power.use();
    this.flushed = this.current.slice();
    this.since = [];
  }

  close(): void {}

  /** Lose by chance, sector by sector, what was not flushed. */
  lose(chance: Chance): void {
    for (const operation of this.since) {
      if ("size" in operation) {
        this.flushed = chance.half() ? resized(this.flushed, operation.size) : this.flushed;
      } else {
        this.keepSome(operation.at, operation.bytes, chance);
      }
    }
    this.current = this.flushed.slice();
    this.since = [];
  }

  private keepSome(at: number, bytes: Uint8Array, chance: Chance): void {
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(SECTOR_BYTES - ((at + done) % SECTOR_BYTES), bytes.length - done);
      if (chance.half()) {
        this.flushed = written(this.flushed, bytes.subarray(done, done + length), at + done);
      }
      done += length;
    }
  }
}

function written(image: Uint8Array<ArrayBuffer>, bytes: Uint8Array, at: number) {
  const result = at + bytes.length > image.length ? resized(image, at + bytes.length) : image;
  result.set(bytes, at);
  return result;
}

function resized(image: Uint8Array, size: number) {
  const result = new Uint8Array(size);
  result.set(image.subarray(0, size));
  return result;
}
