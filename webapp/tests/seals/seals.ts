// Reads seals: `node seals.js HEX …`; prints one JSON line, with the passkey of each.

import { passkeyOf } from "../../src/passkey_seal";

const seals = process.argv.slice(2).map((hex) => Uint8Array.from(Buffer.from(hex, "hex")));
console.log(JSON.stringify(seals.map(passkeyOf)));
