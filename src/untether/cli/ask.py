"""Asking the person at the terminal; without one the answer is a clear error, never a guess."""

from __future__ import annotations

import asyncio
import sys

from untether.base.errors import LocalError


async def yes(question: str, *, without_terminal: str) -> bool:
    """Ask for yes or no; ``without_terminal`` is the hint when nobody can be asked."""
    answer = await line(f"{question} [y/N] ", without_terminal=without_terminal)
    return answer.strip().lower() in ("y", "yes")


async def line(prompt: str, *, without_terminal: str) -> str:
    """Ask for one line; LocalError ``nobody-to-ask`` when stdin is no terminal."""
    if not sys.stdin.isatty():
        raise LocalError(
            "nobody-to-ask",
            "A question must be answered, but there is no terminal.",
            without_terminal,
        )
    print(prompt, end="", file=sys.stderr, flush=True)
    return await asyncio.to_thread(sys.stdin.readline)
