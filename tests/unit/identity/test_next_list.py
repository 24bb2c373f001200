"""What a phone may sign next, and what it refuses to (spec 02, "Making lists")."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.unit.identity.identity_people import NOW, Person

from untether.base.errors import LocalError
from untether.base.identifiers import DAY_MS, DeviceNumber
from untether.protocol.identity.certificate import Role
from untether.protocol.identity.next_list import (
    allocate_number,
    first_list_body,
    first_number_of_generation,
    next_list_body,
    recovered_list_body,
)

ONE, TWO = DeviceNumber(1), DeviceNumber(2)


def test_numbers_are_consumed_and_never_return() -> None:
    """An aborted link's number is skipped, a logged-out device's number is not given again."""
    alice = Person("alice")
    assert allocate_number(alice.newest) == 1
    assert allocate_number(alice.newest, consumed_max=DeviceNumber(4)) == 5

    alice.publish(add=alice.certify(alice.new_device(), DeviceNumber(5), Role.COMPANION))
    alice.publish(remove=[DeviceNumber(5)])
    assert allocate_number(alice.newest, consumed_max=DeviceNumber(4)) == 6
    assert alice.newest.was_removed(DeviceNumber(5))
    assert not alice.newest.was_removed(DeviceNumber(6))


def test_generations_have_numbers_of_their_own() -> None:
    """A recovery that saw too little still can't reuse a number of an earlier generation."""
    assert first_number_of_generation(0, None) == 0
    assert first_number_of_generation(2, TWO) == 2048
    assert first_number_of_generation(1, DeviceNumber(5000)) == 5001


def test_a_recovery_keeps_what_was_confirmed() -> None:
    """The new phone takes the first number of its generation; only kept companions stay."""
    alice = Person("alice")
    alice.publish(add=alice.companion())
    alice.publish(add=alice.companion())
    recovered = alice.recover(kept=[TWO])

    assert [one.device for one in recovered.devices] == [2, 1024]
    assert (recovered.head.generation, recovered.head.version) == (1, 1)
    assert recovered.previous_hash == alice.lists[-2].head.hash
    assert (recovered.device(ONE), recovered.next_number) == (None, 1025)
    assert [one.device for one in recovered.companions] == [2]


def test_the_same_phone_recovers_under_its_number() -> None:
    """Only the generation of its certificate rises; the next companion gets a high number."""
    alice = Person("alice")
    recovered = alice.recover(kept=[], same_phone=True)

    assert (recovered.primary.device, recovered.primary.generation) == (0, 1)
    assert recovered.next_number == 1024


def test_what_a_phone_does_not_sign() -> None:
    """Each misuse is a LocalError with its code, before anything is signed."""
    alice, bob = Person("alice"), Person("bob")
    held = alice.publish(add=alice.companion())
    laptop = alice.newest.companions[0]
    late = alice.certify(alice.new_device(), DeviceNumber(2), Role.PRIMARY, 1)
    good = alice.certify(alice.new_device(), DeviceNumber(1024), Role.PRIMARY, 1)
    old = alice.certify(alice.phone, DeviceNumber(0), Role.PRIMARY, 0)
    lease = 30 * DAY_MS

    def following(**changes: object) -> Callable[[], object]:
        return lambda: next_list_body(held, **{"now": NOW, "lease_ms": lease, **changes})  # type: ignore[arg-type]

    refused: list[tuple[str, Callable[[], object]]] = [
        ("phone-stays", following(remove=[DeviceNumber(0)])),
        ("no-such-device", following(remove=[DeviceNumber(7)])),
        ("not-a-companion", following(add=bob.companion())),
        ("not-a-companion", following(add=good)),
        ("number-used", following(add=laptop)),
        ("bad-lease", following(lease_ms=181 * DAY_MS)),
        ("bad-lease", following(lease_ms=0)),
        ("not-a-phone", lambda: first_list_body(laptop, NOW, lease)),
        ("wrong-generation", lambda: first_list_body(good, NOW, lease)),
        ("not-a-phone", lambda: recovered_list_body(held, laptop, [], NOW, lease)),
        ("wrong-account", lambda: recovered_list_body(held, bob.newest.primary, [], NOW, lease)),
        ("wrong-generation", lambda: recovered_list_body(held, old, [], NOW, lease)),
        ("number-used", lambda: recovered_list_body(held, late, [], NOW, lease)),
        ("phone-stays", lambda: recovered_list_body(held, good, [DeviceNumber(0)], NOW, lease)),
        ("no-such-device", lambda: recovered_list_body(held, good, [TWO], NOW, lease)),
    ]
    for code, make in refused:
        with pytest.raises(LocalError) as refusal:
            make()
        assert refusal.value.code == code


def test_a_fifth_companion_is_not_signed() -> None:
    """Four companions are the limit; one must go before another comes."""
    alice = Person("alice")
    for _ in range(4):
        alice.publish(add=alice.companion())
    with pytest.raises(LocalError) as refusal:
        alice.publish(add=alice.companion())
    assert refusal.value.code == "too-many-devices"

    alice.publish(add=alice.companion(), remove=[ONE])
    assert [one.device for one in alice.newest.companions] == [2, 3, 4, 5]
