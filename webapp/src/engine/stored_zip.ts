// Unpacks a zip file whose members are stored as they are, which is how our build writes them: the
// transfer is compressed as a whole. Python's own unpacking would load a dozen modules for it.

const LOCAL_FILE = 0x04034b50;
const HEADER_BYTES = 30;

/** Call `take` with the name and content of each file. */
export function unpackStored(
  zip: Uint8Array,
  take: (name: string, content: Uint8Array) => void,
): void {
  const numbers = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const names = new TextDecoder();
  for (let at = 0; numbers.getUint32(at, true) === LOCAL_FILE; ) {
    const method = numbers.getUint16(at + 8, true);
    const size = numbers.getUint32(at + 18, true);
    const nameEnd = at + HEADER_BYTES + numbers.getUint16(at + 26, true);
    const begin = nameEnd + numbers.getUint16(at + 28, true);
    if (method !== 0) throw new RangeError("a compressed member");
    const name = names.decode(zip.subarray(at + HEADER_BYTES, nameEnd));
    if (!name.endsWith("/")) take(name, zip.subarray(begin, begin + size));
    at = begin + size;
  }
}
