// One file of the database as SQLite sees it, over the sealed slots of one file on the disk.
//
// Changed pages stay in memory until SQLite syncs. That is allowed because SQLite orders its writes by
// syncs alone, and it is why `synchronous=FULL` is not a matter of taste here: what was not synced is
// lost with the worker.

import { HEAD_BYTES, PAGE_BYTES, SLOT_BYTES, type SlotCipher } from "./slots";

/** What this needs of a FileSystemSyncAccessHandle. */
export interface DiskFile {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(from: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** What the files of one database share. */
export interface FolderState {
  /** Whether a slot that doesn't open is an error, or reads as zeros. */
  strict: boolean;
  /** How often changed pages were brought to the disk. */
  flushes: number;
  /** Whether the disk had no room for the last of them. */
  full: boolean;
}

const SLOTS_AT_ONCE = 256; // of one write to the disk: a mebibyte

export class EncryptedFile {
  /** Bytes that SQLite has written. */
  size: number;
  private slots: number;
  private readonly changed = new Map<number, Uint8Array>();
  private readonly sealed = new Uint8Array(SLOT_BYTES);
  private lastNumber = -1;
  private lastOpened: Uint8Array = new Uint8Array(0);

  constructor(
    private readonly disk: DiskFile,
    private readonly number: number,
    private readonly cipher: SlotCipher,
    private readonly state: FolderState,
  ) {
    this.slots = Math.floor(disk.getSize() / SLOT_BYTES);
    this.size = this.slots === 0 ? 0 : (this.slots - 1) * PAGE_BYTES + this.usedOfLast();
  }

  /** Copy up to `length` bytes at `position` into `into`; returns how many there were. */
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.max(0, Math.min(length, this.size - position));
    for (const part of parts(position, count)) {
      const start = HEAD_BYTES + part.from;
      into.set(this.opened(part.slot).subarray(start, start + part.length), offset + part.done);
    }
    return count;
  }

  /** Take bytes; they are on the disk after `sync`. */
  write(from: Uint8Array, offset: number, length: number, position: number): number {
    this.fillUpTo(position);
    for (const part of parts(position, length)) {
      const bytes = from.subarray(offset + part.done, offset + part.done + part.length);
      this.changedSlot(part.slot, part.length === PAGE_BYTES).set(bytes, HEAD_BYTES + part.from);
    }
    this.size = Math.max(this.size, position + length);
    return length;
  }

  /** Cut the file, or make it longer with zeros. */
  truncate(size: number): void {
    if (size > this.size) {
      this.write(new Uint8Array(size - this.size), 0, size - this.size, this.size);
      return;
    }
    const kept = Math.ceil(size / PAGE_BYTES);
    for (const slot of this.changed.keys()) {
      if (slot >= kept) {
        this.changed.delete(slot);
      }
    }
    if (kept < this.slots) {
      this.disk.truncate(kept * SLOT_BYTES);
      this.slots = kept;
    }
    this.lastNumber = -1;
    this.size = size;
    if (size % PAGE_BYTES !== 0) {
      this.changedSlot(kept - 1, false).fill(0, HEAD_BYTES + (size % PAGE_BYTES));
    }
  }

  /** Bring all that was written to the disk; returns when it is there. */
  sync(): void {
    try {
      this.writeChanged();
      this.disk.flush();
      this.state.full = false;
    } catch (error) {
      this.state.full = isFull(error);
      throw error;
    }
    this.changed.clear();
    this.state.flushes++;
  }

  private usedOfLast(): number {
    const last = this.opened(this.slots - 1);
    return new DataView(last.buffer, last.byteOffset).getUint32(0) || PAGE_BYTES;
  }

  private opened(slot: number): Uint8Array {
    const changed = this.changed.get(slot);
    if (changed !== undefined) {
      return changed;
    }
    if (slot === this.lastNumber) {
      return this.lastOpened;
    }
    return slot < this.slots ? this.fromDisk(slot) : emptySlot();
  }

  private fromDisk(slot: number): Uint8Array {
    const length = this.disk.read(this.sealed, { at: slot * SLOT_BYTES });
    try {
      this.lastOpened = this.cipher.open(this.number, slot, this.sealed.subarray(0, length));
      this.lastNumber = slot;
      return this.lastOpened;
    } catch (error) {
      if (this.state.strict) {
        throw error;
      }
      // Torn by a power cut: SQLite's own checksums end the log there. Not remembered, since the
      // same slot is an error as soon as recovery is over.
      return emptySlot();
    }
  }

  private changedSlot(slot: number, isWhole: boolean): Uint8Array {
    let changed = this.changed.get(slot);
    if (changed === undefined) {
      changed = isWhole ? emptySlot() : this.opened(slot).slice();
      this.changed.set(slot, changed);
      if (slot === this.lastNumber) {
        this.lastNumber = -1;
      }
    }
    return changed;
  }

  private fillUpTo(position: number): void {
    for (let slot = Math.ceil(this.size / PAGE_BYTES); slot * PAGE_BYTES + PAGE_BYTES <= position; slot++) {
      this.changed.set(slot, emptySlot());
    }
  }

  private writeChanged(): void {
    const slots = [...this.changed.keys()].sort((one, other) => one - other);
    while (slots.length > 0) {
      this.writeRun(slots.splice(0, runLength(slots)));
    }
  }

  private writeRun(run: number[]): void {
    const first = run[0] ?? 0;
    const bytes = new Uint8Array(run.length * SLOT_BYTES);
    for (const [index, slot] of run.entries()) {
      const opened = this.opened(slot);
      const used = Math.min(PAGE_BYTES, this.size - slot * PAGE_BYTES);
      new DataView(opened.buffer, opened.byteOffset).setUint32(0, used);
      const into = bytes.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES);
      this.cipher.seal(this.number, slot, opened, into);
    }
    if (this.disk.write(bytes, { at: first * SLOT_BYTES }) !== bytes.length) {
      throw new DOMException("The disk took less than was written.", "QuotaExceededError");
    }
    this.slots = Math.max(this.slots, first + run.length);
  }
}

/** Whether an error of the disk says that there is no room. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === "QuotaExceededError";
}

interface Part {
  slot: number;
  from: number;
  length: number;
  done: number;
}

/** Cut a stretch of a file at the borders of its slots. */
function* parts(position: number, length: number): Generator<Part> {
  for (let done = 0; done < length; ) {
    const slot = Math.floor((position + done) / PAGE_BYTES);
    const from = (position + done) % PAGE_BYTES;
    const part = Math.min(PAGE_BYTES - from, length - done);
    yield { slot, from, length: part, done };
    done += part;
  }
}

/** Return how many of the sorted slots, from the first on, follow one another. */
function runLength(slots: readonly number[]): number {
  const first = slots[0] ?? 0;
  let length = 1;
  while (length < SLOTS_AT_ONCE && slots[length] === first + length) {
    length++;
  }
  return length;
}

function emptySlot(): Uint8Array {
  return new Uint8Array(HEAD_BYTES + PAGE_BYTES);
}
