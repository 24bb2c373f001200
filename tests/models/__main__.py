"""``python -m tests.models``: search all models and their mutants, and show what came of it."""

from __future__ import annotations

import sys
import time

from tests.models import spin


def main() -> int:
    """Run; 1 when a model fails or a mutant does not, 2 when a program is missing."""
    if missing := spin.missing():
        print(f"Not installed: {', '.join(missing)}. Debian has packages.", file=sys.stderr)
        return 2
    wrong = 0
    for model in spin.models():
        for mutant in ("", *spin.mutants(model)):
            began = time.monotonic()
            found = spin.search(model, mutant)
            wrong += bool(found.failure) != bool(mutant)
            print(
                f"{model:12} {mutant or 'all rules':28} {found.states:>8,} states "
                f"{time.monotonic() - began:5.1f} s  {found.failure or 'sound'}",
                flush=True,
            )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
