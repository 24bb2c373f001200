"""A ChaCha20-Poly1305 ciphertext that is valid under two keys.

Poly1305 evaluates the ciphertext as a polynomial at a secret point of each key, so one free
block is a linear unknown: solve for the block that makes both tags equal.
"""

from __future__ import annotations

from random import Random

from untether.crypto.provider import provider

PRIME = 2**130 - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
BLOCKS = 16
ZEROS = bytes(16)


def poly1305_key(key: bytes, nonce: bytes) -> tuple[int, int]:
    """Return the point and the mask of Poly1305 for one key and nonce."""
    stream = _first_block(key, nonce)
    return int.from_bytes(stream[:16], "little") & CLAMP, int.from_bytes(stream[16:], "little")


def _first_block(key: bytes, nonce: bytes) -> bytes:
    """ChaCha20's block 0 (RFC 8439 §2.3), of which the first 32 bytes key Poly1305."""
    words = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574]
    words += [int.from_bytes(key[i : i + 4], "little") for i in range(0, 32, 4)]
    words += [0, *(int.from_bytes(nonce[i : i + 4], "little") for i in range(0, 12, 4))]
    state = list(words)
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for _ in range(10):
        for quarter in columns + diagonals:
            _quarter_round(state, *quarter)
    mixed = [(a + b) & 0xFFFFFFFF for a, b in zip(state, words, strict=True)]
    return b"".join(word.to_bytes(4, "little") for word in mixed[:8])


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for target, other, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[target] = (state[target] + state[other]) & 0xFFFFFFFF
        word = state[mixed] ^ state[target]
        state[mixed] = (word << turn | word >> (32 - turn)) & 0xFFFFFFFF


def collide(random: Random, associated: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return two keys, a nonce and a ciphertext with its tag that both keys accept."""
    first, second, nonce = random.randbytes(32), random.randbytes(32), random.randbytes(12)
    keys = [poly1305_key(first, nonce), poly1305_key(second, nonce)]
    lengths = len(associated).to_bytes(8, "little") + (16 * BLOCKS).to_bytes(8, "little")
    aligned = associated + bytes(-len(associated) % 16)
    while True:
        tail = random.randbytes(16 * (BLOCKS - 1))
        sums = [_evaluate(r, aligned + ZEROS + tail + lengths) + s for r, s in keys]
        power = len(tail) // 16 + 2
        slope = pow(keys[0][0], power, PRIME) - pow(keys[1][0], power, PRIME)
        free = (sums[1] - sums[0]) * pow(slope, -1, PRIME) % PRIME
        if free >= 2**128:
            continue
        ciphertext = free.to_bytes(16, "little") + tail
        tags = {_tag(r, s, aligned + ciphertext + lengths) for r, s in keys}
        if len(tags) == 1:
            sealed = ciphertext + tags.pop()
            for key in (first, second):
                provider().aead_open(key, nonce, sealed, associated)
            return first, second, nonce, sealed


def _evaluate(point: int, data: bytes) -> int:
    total = 0
    for start in range(0, len(data), 16):
        block = int.from_bytes(data[start : start + 16], "little") + 2**128
        total = (total + block) * point % PRIME
    return total


def _tag(point: int, mask: int, data: bytes) -> bytes:
    return ((_evaluate(point, data) + mask) % 2**128).to_bytes(16, "little")
