"""X25519 once more, from the formulas of RFC 7748 section 5 and nothing else."""

from __future__ import annotations

PRIME = 2**255 - 19
A24 = 121_665


def x25519(secret: bytes, point: bytes) -> bytes:
    """Multiply a point (32 bytes) by a clamped secret (32 bytes) with the Montgomery ladder."""
    scalar = int.from_bytes(secret, "little")
    scalar = (scalar & ~7 & ((1 << 255) - 1)) | (1 << 254)
    base = int.from_bytes(point, "little") & ((1 << 255) - 1)
    return (ladder(scalar, base % PRIME) % PRIME).to_bytes(32, "little")


def x25519_public(secret: bytes) -> bytes:
    """Multiply the base point, whose coordinate is 9."""
    return x25519(secret, (9).to_bytes(32, "little"))


def ladder(scalar: int, x_1: int) -> int:
    """The loop of RFC 7748, with its names; big integers, so not in constant time."""
    x_2, z_2, x_3, z_3 = 1, 0, x_1, 1
    swap = 0
    for bit in range(254, -1, -1):
        k_t = (scalar >> bit) & 1
        if swap ^ k_t:
            x_2, x_3, z_2, z_3 = x_3, x_2, z_3, z_2
        swap = k_t
        a, b = (x_2 + z_2) % PRIME, (x_2 - z_2) % PRIME
        aa, bb = a * a % PRIME, b * b % PRIME
        e = (aa - bb) % PRIME
        c, d = (x_3 + z_3) % PRIME, (x_3 - z_3) % PRIME
        da, cb = d * a % PRIME, c * b % PRIME
        x_3 = (da + cb) ** 2 % PRIME
        z_3 = x_1 * (da - cb) ** 2 % PRIME
        x_2 = aa * bb % PRIME
        z_2 = e * (aa + A24 * e) % PRIME
    if swap:
        x_2, z_2 = x_3, z_3
    return x_2 * pow(z_2, PRIME - 2, PRIME) % PRIME
