"""Honest histories are always followed; changed ones never are (spec 02, "Order of lists")."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.identity.identity_people import Person

from untether.base.errors import RemoteError
from untether.base.limits import LIST_BODY_MAX
from untether.protocol.identity.device_list import DeviceListBody, open_list, sign_list
from untether.protocol.identity.list_rules import ForkedListError, follow
from untether.wire.codec import decode
from untether.wire.records import SignedObject

ACTS = st.lists(
    st.tuples(
        st.sampled_from(["renew", "link", "abort link", "log out", "new phone", "same phone"]),
        st.integers(0, 3),
    ),
    min_size=1,
    max_size=8,
)
REFUSALS = (RemoteError, ForkedListError)


def live(acts: Sequence[tuple[str, int]]) -> Person:
    """Let an honest Alice do these acts."""
    alice = Person("alice")
    for act, choice in acts:
        companions = [one.device for one in alice.newest.companions]
        chosen = companions[choice % len(companions)] if companions else None
        if act == "link" and len(companions) < 4:
            alice.publish(add=alice.companion())
        elif act == "log out" and chosen is not None:
            alice.publish(remove=[chosen])
        elif act == "new phone":
            alice.recover(kept=companions[:choice])
        elif act == "same phone":
            alice.recover(kept=companions, same_phone=True)
        else:
            alice.publish()
    return alice


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_an_honest_phone_is_always_followed(
    acts: list[tuple[str, int]], data: st.DataObject
) -> None:
    """From any held list, in any pieces, with any overlap, a verifier ends at the newest."""
    alice = live(acts)
    held = alice.lists[data.draw(st.integers(0, len(alice.lists) - 1))]
    while held != alice.newest:
        place = alice.lists.index(held)
        start = data.draw(st.integers(0, place + 1))
        end = data.draw(st.integers(place + 2, len(alice.lists)))
        held = follow(held, alice.run[start:end], alice.account_key, alice.now)

    assert held == alice.newest
    assert follow(None, alice.run, alice.account_key, alice.now) == alice.newest


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_following_is_monotone(acts: list[tuple[str, int]], data: st.DataObject) -> None:
    """Whatever genuine lists come in whatever order, what is held never goes back."""
    alice = live(acts)
    held = alice.lists[0]
    for _ in range(4):
        run = data.draw(st.lists(st.sampled_from(alice.run), max_size=4))
        before = held
        try:
            held = follow(held, run, alice.account_key, alice.now)
        except RemoteError:
            continue
        assert held.head >= before.head
        assert held.next_number >= before.next_number
        gone = {one.device for one in before.devices} - {one.device for one in held.devices}
        assert all(held.was_removed(number) for number in gone)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_a_changed_byte_is_refused(acts: list[tuple[str, int]], data: st.DataObject) -> None:
    """No byte of a body or signature in a run can be changed without a refusal."""
    alice = live([*acts, ("renew", 0)])
    place = data.draw(st.integers(1, len(alice.run) - 1))
    genuine = alice.run[place]
    field = data.draw(st.sampled_from(["body", "signature"]))
    changed = bytearray(getattr(genuine, field))
    changed[data.draw(st.integers(0, len(changed) - 1))] ^= data.draw(st.integers(1, 255))
    parts = {"body": genuine.body, "signature": genuine.signature, field: bytes(changed)}
    run = [*alice.run[:place], SignedObject(**parts), *alice.run[place + 1 :]]

    with pytest.raises(RemoteError):
        follow(alice.lists[0], run, alice.account_key, alice.now)
    with pytest.raises(RemoteError):
        follow(None, run[: place + 1], alice.account_key, alice.now)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS, data=st.data())
def test_dropped_reordered_and_replayed_lists_are_refused(
    acts: list[tuple[str, int]], data: st.DataObject
) -> None:
    """A run that lost, swapped or repeated a list of one generation does not lead anywhere."""
    alice = live([*acts, ("renew", 0), ("renew", 0)])
    place = data.draw(st.sampled_from([1, 2]))
    head, (older, newer) = alice.run[:-place], alice.run[-2:]
    mutation = data.draw(st.sampled_from(["drop", "reorder", "replay"]))
    run = {
        "drop": [*alice.run[:-2], newer],
        "reorder": [*alice.run[:-2], newer, older],
        "replay": [*alice.run, data.draw(st.sampled_from(head))],
    }[mutation]

    with pytest.raises(REFUSALS):
        follow(alice.lists[0], run, alice.account_key, alice.now)


@settings(max_examples=40, deadline=None)
@given(acts=ACTS)
def test_a_second_history_is_a_fork(acts: list[tuple[str, int]]) -> None:
    """A phone put back from a copy that signs again proves its fork with both lists."""
    alice = live([*acts, ("renew", 0)])
    honest = alice.lists.pop()
    restored = alice.publish()

    with pytest.raises(ForkedListError) as fork:
        follow(honest, [restored.signed], alice.account_key, alice.now)
    assert fork.value.evidence == (honest.signed, restored.signed)


@settings(max_examples=20, deadline=None)
@given(acts=ACTS, data=st.data())
def test_a_swapped_certificate_is_refused(acts: list[tuple[str, int]], data: st.DataObject) -> None:
    """A certificate of another account never stands in a list, even if the phone signs it."""
    alice, mallory = live(acts), Person("mallory")
    genuine = decode(alice.newest.signed.body, DeviceListBody, size_max=LIST_BODY_MAX)
    place = data.draw(st.integers(0, len(genuine.certificates) - 1))
    certificates = list(genuine.certificates)
    certificates[place] = mallory.newest.primary.signed
    body = msgspec.structs.replace(genuine, certificates=tuple(certificates))

    with pytest.raises(RemoteError) as refusal:
        open_list(sign_list(body, alice.phone.signing_seed), alice.account_key)
    assert refusal.value.code == "wrong-account"
