"""``python -m untether.server``: a relay without the rest of the command line, for containers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from untether.base.errors import UntetherError
from untether.server import config as configuration
from untether.server import driver


def main(arguments: list[str]) -> int:
    """Serve as ``untether serve`` does; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m untether.server", description=__doc__)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data", metavar="DIR")
    parser.add_argument("--config", metavar="FILE", type=Path)
    given = parser.parse_args(arguments)
    try:
        driver.run(
            configuration.override(
                configuration.load(given.config), host=given.host, port=given.port, data=given.data
            )
        )
    except UntetherError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
