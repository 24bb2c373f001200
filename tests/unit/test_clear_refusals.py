"""A refusal costs little and is short, however long the thing is that it refuses."""

from __future__ import annotations

from time import thread_time

import pytest

from untether.adapters.transport.address import relay_address
from untether.base.errors import LocalError, RemoteError
from untether.base.limits import BODY_MAX, FRAME_MAX
from untether.protocol.identity.recovery_code import decode_recovery_code
from untether.protocol.identity.security_code import SECURITY_QR_PREFIX, Side, compare_security_qr
from untether.wire.client_frames import Request
from untether.wire.codec import decode, encode
from untether.wire.content import Content
from untether.wire.records import ListHead

MEBIBYTE = 2**20
SIDE = Side(bytes(32), ListHead(0, 1, bytes(32)))


@pytest.mark.parametrize(
    ("value", "schema"),
    [([1, ["x" * (FRAME_MAX - 50)]], Request), ([b"i" * 16, [], ["y" * 60_000]], Content)],
)
def test_a_refused_frame_is_not_repeated_in_its_refusal(value: object, schema: type) -> None:
    """A wrong tag stands in the text of the error, but not all of it."""
    with pytest.raises(RemoteError) as refusal:
        decode(encode(value), schema, size_max=max(FRAME_MAX, BODY_MAX))
    assert refusal.value.code == "malformed"
    assert len(str(refusal.value)) < 300


def test_a_long_text_is_refused_before_work_is_done() -> None:
    """No address and no code of any kind has a mebibyte; looking at one costs nothing."""
    began = thread_time()
    with pytest.raises(LocalError) as address:
        relay_address("bücher." * (MEBIBYTE // 7))
    with pytest.raises(LocalError) as code:
        compare_security_qr(SECURITY_QR_PREFIX + "a" * MEBIBYTE, SIDE, SIDE)
    with pytest.raises(LocalError) as recovery:
        decode_recovery_code("a" * MEBIBYTE)
    assert thread_time() - began < 0.05
    refused = [one.value.code for one in (address, code, recovery)]
    assert refused == ["bad-address", "not-a-security-qr", "bad-recovery-code"]
    assert len(str(address.value)) < 300
