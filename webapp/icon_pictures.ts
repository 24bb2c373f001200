// Draws the icon of public/icon.svg as PNGs at build time, with nothing but arithmetic: each
// pixel is covered as far as it lies inside the shapes.
import { deflateSync } from "node:zlib";
import type { Plugin } from "vite";

type Colour = readonly [number, number, number];
const GROUND: Colour = [0x0d, 0x6a, 0x5f];
const SIGN: Colour = [255, 255, 255];
const GRID = 64; // the drawing's own units

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

/** Distance to a line from (x, top) to (x, bottom). */
const stem = (px: number, py: number, x: number, top: number, bottom: number): number =>
  Math.hypot(px - x, py - Math.min(bottom, Math.max(top, py)));

/** Distance to the lower half of a circle. */
function bow(px: number, py: number, x: number, y: number, radius: number): number {
  if (py >= y) return Math.abs(Math.hypot(px - x, py - y) - radius);
  return Math.min(Math.hypot(px - x + radius, py - y), Math.hypot(px - x - radius, py - y));
}

/** How deep a point lies inside the sign: positive inside. */
function inSign(x: number, y: number): number {
  const line = Math.min(stem(x, y, 20, 18, 32), bow(x, y, 32, 32, 12), stem(x, y, 44, 31, 32));
  return Math.max(3.5 - line, 4.5 - Math.hypot(x - 44, y - 18.5));
}

/** How deep a point lies inside a square with round corners. */
function inSquare(x: number, y: number, round: number): number {
  const dx = Math.abs(x - GRID / 2) - GRID / 2 + round;
  const dy = Math.abs(y - GRID / 2) - GRID / 2 + round;
  const outside = Math.hypot(Math.max(dx, 0), Math.max(dy, 0));
  return round - outside - Math.min(Math.max(dx, dy), 0);
}

/** Draw the icon; a maskable one fills the square, with the sign in the middle four fifths. */
function icon(size: number, maskable: boolean): Buffer {
  const unit = GRID / size;
  const scale = maskable ? 1.3 : 1;
  const rows = Buffer.alloc(size * (size * 4 + 1));
  for (let row = 0, at = 0; row < size; row += 1) {
    at += 1; // each row begins with its filter: none
    for (let column = 0; column < size; column += 1, at += 4) {
      const x = (column + 0.5) * unit;
      const y = (row + 0.5) * unit;
      const middle = GRID / 2;
      const depth = inSign((x - middle) * scale + middle, (y - middle) * scale + middle);
      const sign = clamp(depth / scale / unit + 0.5);
      const ground = maskable ? 1 : clamp(inSquare(x, y, 16) / unit + 0.5);
      GROUND.forEach((base, channel) => {
        const top = SIGN[channel] ?? 0;
        rows[at + channel] = Math.round(base + (top - base) * sign);
      });
      rows[at + 3] = Math.round(255 * ground);
    }
  }
  return png(size, rows);
}

function png(size: number, rows: Buffer): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6], 8); // eight bits a channel; red, green, blue, alpha
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const data = deflateSync(rows, { level: 9 });
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", data), chunk("IEND")]);
}

function chunk(name: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc(body), whole.length - 4);
  return whole;
}

function crc(bytes: Buffer): number {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit += 1) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

/** Put the icons that the web app manifest names beside the built files. */
export function iconPictures(): Plugin {
  return {
    name: "icon-pictures",
    apply: "build",
    generateBundle() {
      const pictures: [string, number, boolean][] = [
        ["icon-180.png", 180, true],
        ["icon-192.png", 192, false],
        ["icon-512.png", 512, false],
        ["icon-maskable-512.png", 512, true],
      ];
      for (const [fileName, size, maskable] of pictures) {
        this.emitFile({ type: "asset", fileName, source: icon(size, maskable) });
      }
    },
  };
}
