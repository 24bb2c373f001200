"""Lists at first contact, at renewal and as evidence (spec 02, "Order of lists")."""

from __future__ import annotations

import pytest
from tests.unit.identity.identity_people import NOW, Person

from untether.base.errors import ExitStatus, LocalError, RemoteError
from untether.base.identifiers import DAY_MS, AccountId, UnixMillis
from untether.protocol.identity import certificate as certificates
from untether.protocol.identity.account import account_id
from untether.protocol.identity.device_list import (
    DeviceListBody,
    account_key_by_id,
    open_list,
)
from untether.protocol.identity.list_rules import ForkedListError, follow
from untether.protocol.identity.recovery_code import encode_recovery_code
from untether.protocol.identity.security_code import format_security_code, security_code
from untether.wire.codec import encode
from untether.wire.records import SignedObject


def test_first_contact_takes_the_key_that_the_id_names() -> None:
    """Only the key whose hash is the pinned id counts, whatever a relay serves."""
    alice, mallory = Person("alice"), Person("mallory")
    pinned = account_id(alice.account_key)

    assert account_key_by_id(alice.newest.signed, pinned) == alice.account_key
    with pytest.raises(RemoteError) as refusal:
        account_key_by_id(mallory.newest.signed, pinned)
    assert refusal.value.code == "wrong-account"


def test_a_list_without_devices_names_no_key() -> None:
    """There is nothing to compare with the id."""
    body = DeviceListBody(AccountId(bytes(16)), 0, 1, bytes(32), NOW, NOW, 1, ())  # type: ignore[arg-type]
    with pytest.raises(RemoteError) as refusal:
        account_key_by_id(SignedObject(encode(body), bytes(64)), AccountId(bytes(16)))
    assert refusal.value.code == "list-no-device"


def test_a_renewal_costs_one_signature_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates that were verified with the list before are not verified again."""
    alice = Person("alice")
    held = alice.publish(add=alice.companion())
    renewed = alice.publish()
    monkeypatch.delattr(certificates, "check_signature")

    assert follow(held, [renewed.signed], alice.account_key, alice.now) == renewed


def test_a_fork_keeps_both_lists_as_evidence() -> None:
    """Anybody can check the evidence later: both open, in one place, with different hashes."""
    alice = Person("alice")
    alice.publish()
    one = alice.lists.pop()
    other = alice.publish()
    with pytest.raises(ForkedListError) as fork:
        follow(one, [other.signed], alice.account_key, alice.now)

    left, right = (open_list(signed, alice.account_key) for signed in fork.value.evidence)
    assert (left, right) == (one, other)
    assert (fork.value.code, fork.value.exit_status) == ("list-forked", ExitStatus.UNTRUSTED)


def test_a_higher_generation_ends_a_fork() -> None:
    """Verifiers on either branch follow the same recovery."""
    alice = Person("alice")
    alice.publish()
    one = alice.lists.pop()
    other = alice.publish()
    recovered = alice.recover(kept=[])

    for held in (one, other):
        assert follow(held, [recovered.signed], alice.account_key, alice.now) == recovered


def test_a_clock_a_day_behind_still_follows() -> None:
    """Twenty-four hours are allowed, not a millisecond more."""
    alice = Person("alice")
    day_behind = UnixMillis(NOW - DAY_MS)
    assert follow(None, alice.run, alice.account_key, day_behind) == alice.newest
    with pytest.raises(RemoteError) as refusal:
        follow(None, alice.run, alice.account_key, UnixMillis(day_behind - 1))
    assert refusal.value.code == "list-from-the-future"


def test_a_list_twice_in_one_run_is_refused() -> None:
    """A run ascends strictly."""
    alice = Person("alice")
    alice.publish()
    run = [alice.run[1], alice.run[1]]
    with pytest.raises(RemoteError) as refusal:
        follow(alice.lists[0], run, alice.account_key, alice.now)
    assert refusal.value.code == "list-rolled-back"


def test_what_comes_before_the_held_list_is_checked_too() -> None:
    """A forged list ahead of the held one can't ride along."""
    alice, mallory = Person("alice"), Person("mallory")
    held = alice.publish()
    alice.publish()
    run = [mallory.newest.signed, *alice.run[1:]]
    with pytest.raises(RemoteError) as refusal:
        follow(held, run, alice.account_key, alice.now)
    assert refusal.value.code == "wrong-account"


def test_linking_does_not_change_the_security_code() -> None:
    """Contacts verify once and stay verified."""
    alice, bob = Person("alice"), Person("bob")
    before = security_code(alice.account_key, bob.account_key)
    alice.publish(add=alice.companion())
    alice.recover(kept=[])
    assert security_code(alice.account_key, bob.account_key) == before


def test_codes_are_grouped_for_people() -> None:
    """Twelve groups of five digits; no code with oneself; no recovery code for a short seed."""
    alice, bob = Person("alice"), Person("bob")
    groups = format_security_code(security_code(alice.account_key, bob.account_key)).split(" ")
    assert [len(group) for group in groups] == [5] * 12

    with pytest.raises(LocalError) as refusal:
        security_code(alice.account_key, alice.account_key)
    assert refusal.value.code == "same-account"
    with pytest.raises(LocalError) as refusal:
        encode_recovery_code(bytes(31))
    assert refusal.value.code == "bad-seed"
