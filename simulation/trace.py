"""What happened, one line each, and a running hash of all lines.

No line holds ciphertext: ML-KEM draws its own randomness, so sealed bytes differ from run to
run. Kinds, times, names, counts and ids that come from the seed don't.
"""

from __future__ import annotations

import hashlib
from collections import Counter, deque

KEPT_LINES = 4_000


class Trace:
    """The last lines, a hash over all, and how often each kind of event came."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        self.counts: Counter[str] = Counter()
        self._hash = hashlib.blake2b(digest_size=16)

    def note(self, now: int, who: str, kind: str, detail: str = "") -> None:
        """Add one line."""
        line = f"{now} {who} {kind} {detail}".rstrip()
        self.counts[kind] += 1
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        self.lines.append(line)

    @property
    def digest(self) -> str:
        """The hash of everything noted so far."""
        return self._hash.hexdigest()
