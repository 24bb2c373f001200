"""How a connection to a relay fails, whatever carries it (spec 08, "Transport")."""

from __future__ import annotations

from untether.base.errors import NetworkError


def closed(close_code: int | None) -> NetworkError:
    """The socket is closed."""
    return NetworkError(
        "closed",
        "The connection to the relay is closed.",
        "It is opened again by itself; what was queued stays queued.",
        close_code=close_code or 0,
    )


def not_read() -> NetworkError:
    """The relay has taken nothing for long."""
    return NetworkError(
        "no-answer",
        "The relay does not take what is sent to it.",
        "It is tried again by itself; if it stays, tell the relay's owner.",
    )


def unreachable(origin: str, why: str) -> NetworkError:
    """There is no way to the relay, or nobody at its end."""
    return NetworkError(
        "unreachable",
        f"{origin} can't be reached: {why}.",
        "Check the address and the network, and that the relay runs.",
    )


def not_a_relay(why: str) -> NetworkError:
    """Somebody else answers there."""
    return NetworkError(
        "not-a-relay",
        f"What answers is not an Untether relay: {why}.",
        "Check the address; a proxy in between must pass WebSockets through.",
    )
