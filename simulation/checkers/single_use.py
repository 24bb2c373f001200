"""No message key, no nonce under a key, no one-time prekey and no device number is used twice.

A device that was put back from a copy may use a message key again; its random nonce keeps
that harmless, so then only pairs of key and nonce count. It may also have forgotten which numbers
it gave to links that came to nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield what was used twice."""
    watch = world.watch
    if watch.key_nonces_used_twice:
        yield f"{watch.key_nonces_used_twice} keys sealed twice under one nonce"
    any_copy = any(device.restored_to for device in world.devices)
    if watch.keys_used_twice and not any_copy:
        yield f"{watch.keys_used_twice} of {len(watch.keys)} message keys sealed twice"
    if watch.handed_out_twice:
        yield f"{len(watch.handed_out_twice)} one-time prekeys were handed out twice"
    for how, found in (("certified", watch.certified_keys), ("listed", watch.listed_keys)):
        for (_, number), keys in found.items():
            if len(keys) > 1 and not any_copy:
                yield f"device number {number} was {how} for {len(keys)} devices"
