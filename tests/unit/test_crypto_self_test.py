"""A faulty cryptographic library is never used (spec 01, "Self-test")."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from untether.base.errors import PlatformError
from untether.crypto.native import NativeProvider
from untether.crypto.provider import CryptoError, Provider, provider
from untether.crypto.self_test import check_provider

Fault = Callable[[Callable[..., Any]], Callable[..., Any]]


def wrong_bit(function: Callable[..., Any]) -> Callable[..., Any]:
    """Change the last bit of what the function returns."""

    def faulty(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if isinstance(result, tuple):
            return (result[0][:-1] + bytes([result[0][-1] ^ 1]), *result[1:])
        return result[:-1] + bytes([result[-1] ^ 1])

    return faulty


def refuses_everything(_function: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse good input too."""

    def faulty(*_arguments: Any, **_named: Any) -> Any:
        raise CryptoError("refused")

    return faulty


def accepts_everything(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return something where the function refuses."""

    def faulty(*arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except CryptoError:
            return bytes(32)

    return faulty


def constant(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same bytes for every input, of the right length."""

    def faulty(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        if isinstance(result, tuple):
            return tuple(bytes(len(part)) for part in result)
        return bytes(len(result))

    return faulty


RETURNING = [
    "x25519_public",
    "x25519_shared",
    "ed25519_public",
    "ed25519_sign",
    "mlkem768_public",
    "mlkem768_encapsulate",
    "mlkem768_decapsulate",
    "aead_seal",
    "aead_open",
    "argon2id",
]
REFUSING = ["x25519_shared", "ed25519_verify", "mlkem768_encapsulate", "aead_open"]
FAULTS: list[tuple[str, Fault]] = [
    *((name, wrong_bit) for name in RETURNING),
    *((name, constant) for name in RETURNING),
    *((name, refuses_everything) for name in [*RETURNING, "ed25519_verify"]),
    *((name, accepts_everything) for name in REFUSING),
]


def test_the_native_provider_passes() -> None:
    """The real library gives every known answer, and is what the product uses."""
    check_provider(NativeProvider())
    assert isinstance(provider(), NativeProvider)


def test_every_function_of_the_port_is_broken_once() -> None:
    """No function of the port is left out below."""
    port = {name for name in vars(Provider) if not name.startswith("_")}
    assert port == {name for name, _ in FAULTS}


@pytest.mark.parametrize(
    ("name", "fault"), FAULTS, ids=[f"{name}-{fault.__name__}" for name, fault in FAULTS]
)
def test_a_faulty_function_is_found(name: str, fault: Fault) -> None:
    """One function broken in one way is enough to refuse the library."""
    broken = NativeProvider()
    setattr(broken, name, fault(getattr(broken, name)))
    with pytest.raises(PlatformError) as refused:
        check_provider(cast("Provider", broken))
    assert refused.value.code == "crypto-self-test"
    assert refused.value.hint


def test_small_order_points_count_as_a_fault() -> None:
    """A library that checks signatures but takes a small-order key is refused."""
    broken = NativeProvider()
    strict = broken.ed25519_verify

    def lax(public: bytes, message: bytes, signature: bytes) -> None:
        if public != b"\1" + bytes(31):
            strict(public, message, signature)

    broken.ed25519_verify = lax  # type: ignore[method-assign]
    with pytest.raises(PlatformError, match="ed25519"):
        check_provider(broken)
