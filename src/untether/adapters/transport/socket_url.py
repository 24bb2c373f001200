"""Where a relay's WebSocket is (spec 08, "Connection"); apart, since a browser needs no more."""

from __future__ import annotations

from typing import Final

SOCKET_PATH: Final = "/v1/socket"


def socket_url(origin: str) -> str:
    """Return the URL of an origin's WebSocket."""
    scheme, rest = origin.split("://", 1)
    return f"{'wss' if scheme == 'https' else 'ws'}://{rest}{SOCKET_PATH}"
