"""Virtual time: a heap of (time, sequence, action). The clock *is* the head of the heap."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

from untether.base.identifiers import DAY_MS

Action = Callable[[], None]

START_MS = 20_000 * DAY_MS
"""Some day in 2024, in milliseconds since 1970."""


class Timer:
    """One scheduled action; cancelling it is cheap, it is skipped when its time comes."""

    __slots__ = ("action", "due")

    def __init__(self, due: int, action: Action) -> None:
        self.due = due
        self.action: Action | None = action

    def cancel(self) -> None:
        """Let it never run."""
        self.action = None


class Schedule:
    """Runs actions in the order of their times; equal times in the order of scheduling."""

    def __init__(self) -> None:
        self.now = START_MS
        self._heap: list[tuple[int, int, Timer]] = []
        self._sequence = 0

    def after(self, delay_ms: int, action: Action) -> Timer:
        """Run an action so many milliseconds from now, at once if that is negative."""
        return self.at(self.now + delay_ms, action)

    def at(self, due: int, action: Action) -> Timer:
        """Run an action at a time (ms), now if that is past."""
        due = max(due, self.now)
        timer = Timer(due, action)
        self._sequence += 1
        heappush(self._heap, (due, self._sequence, timer))
        return timer

    def run_until(self, end: int) -> None:
        """Run everything due up to and including ``end``; then it is ``end``."""
        heap = self._heap
        while heap and heap[0][0] <= end:
            due, _, timer = heappop(heap)
            if timer.action is None:
                continue
            self.now = due
            action, timer.action = timer.action, None
            action()
        self.now = max(self.now, end)
