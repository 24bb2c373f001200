// One page of a database file, sealed: what lies on the disk (spec 09, "In the browser").
//
//   nonce (24) ‖ XChaCha20-Poly1305( used length (4) ‖ page (4096) ) and tag (16)
//
// The associated data are the file's number and the slot's, so that no slot can stand in the place
// of another. Each write draws a new nonce: a profile that was put back from a copy repeats none.

import type sodiumLibrary from "libsodium-wrappers-sumo";

export const PAGE_BYTES = 4096;

/** Bytes before the page in an opened slot: how many of the page belong to the file. */
export const HEAD_BYTES = 4;

const NONCE_BYTES = 24;
const TAG_BYTES = 16;
export const SLOT_BYTES = NONCE_BYTES + HEAD_BYTES + PAGE_BYTES + TAG_BYTES;

/** Seals and opens the slots of all files of one database. */
export interface SlotCipher {
  /** Seal an opened slot (`HEAD_BYTES + PAGE_BYTES`) into `into` (`SLOT_BYTES`). */
  seal(file: number, slot: number, opened: Uint8Array, into: Uint8Array): void;
  /** Open a slot; throws when a byte of it was changed, or when it was torn. */
  open(file: number, slot: number, sealed: Uint8Array): Uint8Array;
}

/** Return the cipher under a key of 32 bytes. */
export function slotCipher(sodium: typeof sodiumLibrary, key: Uint8Array): SlotCipher {
  const place = new Uint8Array(8);
  const numbers = new DataView(place.buffer);

  function associated(file: number, slot: number): Uint8Array {
    numbers.setUint32(0, file);
    numbers.setUint32(4, slot);
    return place;
  }

  return {
    seal(file, slot, opened, into) {
      const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
      into.set(nonce);
      into.set(
        sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
          opened,
          associated(file, slot),
          null,
          nonce,
          key,
        ),
        NONCE_BYTES,
      );
    },
    open(file, slot, sealed) {
      return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        null,
        sealed.subarray(NONCE_BYTES),
        associated(file, slot),
        sealed.subarray(0, NONCE_BYTES),
        key,
      );
    },
  };
}
