// What one sealed file does with damage, a full disk and holes: `node file_layer.js`; prints one JSON
// line, with true for each promise that holds.

import sodium from "libsodium-wrappers-sumo";
import { EncryptedFile, type FolderState } from "../../src/engine/encrypted_file";
import { PAGE_BYTES, SLOT_BYTES, slotCipher } from "../../src/engine/slots";
import { DiskFileWithCuts, Power } from "../power_cuts/disk";

await sodium.ready;
const cipher = slotCipher(sodium, new Uint8Array(32).fill(7));

function disk(): DiskFileWithCuts {
  return new DiskFileWithCuts(new Power());
}

function opened(on: DiskFileWithCuts, state: FolderState = fresh(), number = 1): EncryptedFile {
  return new EncryptedFile(on, number, cipher, state);
}

function fresh(): FolderState {
  return { strict: false, flushes: 0, full: false };
}

/** A file of so many pages, each full of its own number. */
function filled(pages: number): DiskFileWithCuts {
  const on = disk();
  const file = opened(on);
  for (let page = 0; page < pages; page++) {
    file.write(new Uint8Array(PAGE_BYTES).fill(page + 1), 0, PAGE_BYTES, page * PAGE_BYTES);
  }
  file.sync();
  return on;
}

function firstByte(file: EncryptedFile, page: number): number | "refused" {
  const into = new Uint8Array(1);
  try {
    file.read(into, 0, 1, page * PAGE_BYTES);
    return into[0] ?? 0;
  } catch {
    return "refused";
  }
}

function flip(on: DiskFileWithCuts, at: number): void {
  const byte = new Uint8Array(1);
  on.read(byte, { at });
  on.write(byte.map((value) => value ^ 1), { at });
}

/** The byte that a damaged last page shows before and after recovery. */
function damagedLastPage(): (number | "refused")[] {
  const on = filled(3);
  flip(on, 2 * SLOT_BYTES + 100);
  const state = fresh();
  const file = opened(on, state);
  const before = firstByte(file, 2);
  state.strict = true;
  return [before, firstByte(file, 2), firstByte(file, 1)];
}

/** What is read where each byte of a slot's parts was changed. */
function everyPartIsAuthenticated(): boolean {
  return [0, 23, 24, 28, SLOT_BYTES - 17, SLOT_BYTES - 1].every((at) => {
    const on = filled(2);
    flip(on, at);
    return firstByte(opened(on, { ...fresh(), strict: true }), 0) === "refused";
  });
}

/** Slots that stand in another's place, in the same file or another. */
function movedSlots(): (number | "refused")[] {
  const on = filled(2);
  const slot = new Uint8Array(SLOT_BYTES);
  on.read(slot, { at: 0 });
  on.write(slot, { at: SLOT_BYTES });
  const state = fresh();
  const moved = opened(on, state);
  const other = opened(filled(1), state, 2);
  state.strict = true;
  return [firstByte(moved, 0), firstByte(moved, 1), firstByte(other, 0)];
}

/** A disk that takes no more says so once, and forgets it when there is room again. */
function fullDisk(): unknown[] {
  const on = filled(1);
  const state = fresh();
  const file = opened(on, state);
  const write = on.write.bind(on);
  on.write = () => {
    throw new DOMException("no room", "QuotaExceededError");
  };
  file.write(new Uint8Array(PAGE_BYTES).fill(9), 0, PAGE_BYTES, PAGE_BYTES);
  let refused = "";
  try {
    file.sync();
  } catch (error) {
    refused = (error as Error).name;
  }
  const whileFull = state.full;
  on.write = write;
  file.sync();
  return [refused, whileFull, state.full, firstByte(opened(on), 1)];
}

/** Writing past the end leaves zeros between, and cutting inside a page leaves its beginning. */
function holesAndCuts(): unknown[] {
  const on = disk();
  const file = opened(on);
  file.write(new Uint8Array([5]), 0, 1, 3 * PAGE_BYTES + 7);
  file.sync();
  const size = opened(on).size;
  const hole = firstByte(opened(on), 1);
  const cut = opened(on);
  cut.truncate(2 * PAGE_BYTES + 10);
  cut.sync();
  return [size, hole, opened(on).size];
}

console.log(
  JSON.stringify({
    damaged_last_page: damagedLastPage(),
    every_part_is_authenticated: everyPartIsAuthenticated(),
    moved_slots: movedSlots(),
    full_disk: fullDisk(),
    holes_and_cuts: holesAndCuts(),
  }),
);
