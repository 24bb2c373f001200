// Cuts the power of a browser's database: `node power_cuts.js ROUNDS psow HOOK`; prints one JSON line.
//
// The real SQLite of Pyodide runs over files that survive a cut only as far as they were flushed: of
// what was not, each sector of 512 bytes is there or not by chance, and so is each cut of a file.

import sodium from "libsodium-wrappers-sumo";
import { loadPyodide } from "pyodide";
import { DATABASE_FILES, mountDatabase, type FileSystem } from "../../src/engine/database_folder";
import { hookFdatasync } from "../../src/engine/fdatasync";
import { slotCipher } from "../../src/engine/slots";
import { Chance, DiskFileWithCuts, Power } from "./disk";
import { COMMITS, RECOVERY } from "./transactions";

interface Totals {
  cuts: number;
  acknowledged: number;
  lost: number;
  broken: number;
  unopened: number;
}

const [rounds, psow, hooked] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const hook = hookFdatasync();
const python = await loadPyodide();
await sodium.ready;
hook.fileSystem = hooked === "hook" ? (python.FS as never) : null;
const cipher = slotCipher(sodium, new Uint8Array(32).fill(7));
const chance = new Chance(1);
const totals: Totals = { cuts: rounds, acknowledged: 0, lost: 0, broken: 0, unopened: 0 };

for (let round = 0; round < rounds; round++) {
  const power = new Power();
  const disk = DATABASE_FILES.map(() => new DiskFileWithCuts(power));
  open(disk, `/before${round}`);
  python.globals.set("cut_after", (operations: number) => power.cutAfter(operations));
  python.globals.set("round", round);
  const acknowledged = python.runPython(COMMITS) as number;
  power.restore();
  for (const file of disk) {
    file.lose(chance);
  }
  open(disk, `/after${round}`);
  const found = JSON.parse(python.runPython(RECOVERY) as string) as Record<string, number>;
  totals.acknowledged += acknowledged;
  totals.unopened += Number(found["opened"] === 0);
  totals.lost += Number((found["transactions"] ?? 0) < acknowledged);
  totals.broken += Number(found["whole"] === 0);
}
console.log(JSON.stringify(totals));

function open(disk: DiskFileWithCuts[], path: string): void {
  mountDatabase(python.FS as unknown as FileSystem, path, disk, cipher);
  python.globals.set("folder", path);
  python.globals.set("psow", psow);
}
