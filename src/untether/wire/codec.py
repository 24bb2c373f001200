"""The one codec: strict MessagePack arrays (spec 00, "Encoding").

Structs are encoded as arrays in the order of their fields. Decoding checks the size first,
then types and lengths by schema; unknown fields are refused. What is signed or hashed must
also be *canonical*: it re-encodes to exactly the bytes received, since MessagePack has many
spellings for one value. Signed objects travel inside frames as ``bytes``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar, cast

import msgspec

from untether.base.errors import RemoteError

T = TypeVar("T")

_REASON_MAX: Final = 200  # characters: a wrong text stands in its refusal, however long it is
_encoder = msgspec.msgpack.Encoder()


class Record(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Base of every encoded record: immutable, an array on the wire, no unknown fields."""


def encode(value: object) -> bytes:
    """Encode a record, or a list or tuple of records."""
    return _encoder.encode(value)


def decode(data: bytes, schema: type[T], *, size_max: int) -> T:
    """Decode one value; raises RemoteError ``malformed`` or ``too-large``."""
    if len(data) > size_max:
        raise RemoteError("too-large", f"{len(data)} bytes came, {size_max} are allowed.")
    try:
        return cast("T", _decoder(cast("Any", schema)).decode(data))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)[:_REASON_MAX]
        raise RemoteError("malformed", f"What came can't be read: {reason}.") from error


def decode_canonical(data: bytes, schema: type[T], *, size_max: int) -> T:
    """Decode something signed or hashed; a second spelling is ``not-canonical``."""
    value = decode(data, schema, size_max=size_max)
    if _encoder.encode(value) != data:
        raise RemoteError("not-canonical", "A signed object is not in its one spelling.")
    return value


@cache
def _decoder(schema: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(schema, strict=True)
