"""Names and codes: a relay that gives somebody else's account, and somebody who lists everybody."""

from __future__ import annotations

import pytest
from tests.attacks.defences import FINGERPRINTS, NAMES_ARE_PINNED, ONE_NAME, REQUEST_LIMITS
from tests.attacks.lying_relay import answering, give_name
from tests.conversations.list_views import head_of, row_of
from tests.conversations.mishaps import query
from tests.world import World, WorldDevice
from tests.world_relay import Link

from untether.base.errors import PlatformError, TrustError
from untether.base.identifiers import MINUTE_MS, AccountId
from untether.base.limits import NAME_LOOKUPS_BURST, NAME_LOOKUPS_REFILL_MS
from untether.device import events
from untether.protocol.identity.security_code import (
    Side,
    compare_security_qr,
    security_code,
    security_qr_text,
)
from untether.wire.client_frames import ClientFrame, ResolveName
from untether.wire.server_frames import Refused, ServerFrame


@pytest.fixture
def mallory(world: World) -> WorldDevice:
    """Return the phone of Mallory, who works with the relay."""
    return world.register("mallory")


# --- A name that is given away ---------------------------------------------------------------


def write_to_bob(alice: WorldDevice, mallory: WorldDevice) -> None:
    """Let Alice write to Bob by name after the relay gave his name to Mallory."""
    with give_name(alice.world, "bob", mallory):
        for number in range(5):
            alice.send("bob", f"secret {number}")


def test_a_name_given_away_takes_nobody_along(
    alice: WorldDevice, bob: WorldDevice, mallory: WorldDevice
) -> None:
    """Alice writes to the account that she knows, and is told that the name is another's."""
    write_to_bob(alice, mallory)
    assert mallory.texts() == []
    assert bob.texts()[-5:] == [f"secret {number}" for number in range(5)]
    assert alice.notices() == ["identity-changed"]


@pytest.mark.parametrize("whose", ["contact", "own"])
def test_no_account_gets_a_second_name(
    alice: WorldDevice, bob: WorldDevice, mallory: WorldDevice, whose: str
) -> None:
    """The relay gives Mallory's name to an account that Alice knows: nothing gets mixed up."""
    alice.send("bob", "hello")
    with give_name(alice.world, "mallory", bob if whose == "contact" else alice):
        alice.ask(ResolveName("mallory"))
    assert alice.happened(events.RequestRefused) == [
        events.RequestRefused("resolve-name", "account-of-another-name")
    ]
    assert query(alice, "SELECT name FROM contacts") == [("bob",)]
    alice.send("bob", "still you")
    assert bob.texts()[-1] == "still you"
    alice.send("mallory", "and you")
    assert mallory.texts() == ["and you"]


@pytest.mark.parametrize("whose", ["contact", "own"])
def test_twin_an_account_under_two_names(
    alice: WorldDevice, bob: WorldDevice, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    """Without the check an account is a second contact, which the database alone refuses."""
    ONE_NAME.switch_off(monkeypatch)
    alice.send("bob", "hello")
    with give_name(alice.world, "mallory", bob if whose == "contact" else alice):
        if whose == "contact":
            with pytest.raises(PlatformError):
                alice.ask(ResolveName("mallory"))
        else:
            alice.ask(ResolveName("mallory"))
            assert ("mallory", alice.own.account_id) in query(
                alice, "SELECT name, account_id FROM contacts"
            )


def test_twin_without_the_pin_mallory_reads_it(
    alice: WorldDevice, bob: WorldDevice, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were a name whatever the relay says today, a reset account would be everybody's."""
    NAMES_ARE_PINNED.switch_off(monkeypatch)
    before = bob.texts()
    write_to_bob(alice, mallory)
    assert mallory.texts() == [f"secret {number}" for number in range(5)]
    assert (bob.texts(), alice.notices()) == (before, [])


# --- Somebody in the middle ------------------------------------------------------------------


def meet_through_mallory(world: World, mallory: WorldDevice) -> tuple[WorldDevice, WorldDevice]:
    """Let Carol and Dave meet; the relay gives Mallory's account to both for each other's name."""
    carol, dave = world.register("carol"), world.register("dave")
    with give_name(world, "dave", mallory):
        carol.send("dave", "hello Dave")
    with give_name(world, "carol", mallory):
        dave.send("carol", "hello Carol")
    assert mallory.texts() == ["hello Dave", "hello Carol"]
    return carol, dave


def side(device: WorldDevice, account: AccountId) -> Side:
    """Return an account as a device knows it."""
    return Side(row_of(device, account).account_key, head_of(device, account))


def codes(*devices: WorldDevice, mallory: WorldDevice) -> set[str]:
    """Return the digits that devices show for somebody who is Mallory in truth."""
    theirs = mallory.own.account_key
    return {security_code(device.own.account_key, theirs) for device in devices}


def test_the_security_code_finds_somebody_in_the_middle(world: World, mallory: WorldDevice) -> None:
    """The digits on both screens differ, and the scan of one by the other is refused."""
    carol, dave = meet_through_mallory(world, mallory)
    assert len(codes(carol, dave, mallory=mallory)) == 2
    (ours, for_dave), (theirs, for_carol) = (
        (side(device, device.own.account_id), side(device, mallory.own.account_id))
        for device in (carol, dave)
    )
    with pytest.raises(TrustError) as found:
        compare_security_qr(security_qr_text(theirs, for_carol), ours, for_dave)
    assert found.value.code == "security-code-differs"


def test_twin_without_fingerprints_the_codes_agree(
    world: World, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that names no keys proves nothing."""
    FINGERPRINTS.switch_off(monkeypatch)
    carol, dave = meet_through_mallory(world, mallory)
    assert len(codes(carol, dave, mallory=mallory)) == 1


# --- Listing names ---------------------------------------------------------------------------


def look_up(world: World, mallory: WorldDevice) -> int:
    """Ask for a thousand names in a minute; count the answers, whichever they are."""
    answered = 0

    def count(_link: Link, request: ClientFrame, answer: ServerFrame) -> ServerFrame:
        nonlocal answered
        limited = isinstance(answer, Refused) and answer.code == "rate-limited"
        answered += isinstance(request, ResolveName) and not limited
        return answer

    with answering(world, count):
        for number in range(1_000):
            mallory.ask(ResolveName(f"name{number}"))
            world.pass_time(MINUTE_MS // 1_000)
    return answered


def test_names_are_not_listed(world: World, mallory: WorldDevice) -> None:
    """A few names for each account; what is not answered says neither yes nor no."""
    most = NAME_LOOKUPS_BURST + MINUTE_MS // NAME_LOOKUPS_REFILL_MS
    assert NAME_LOOKUPS_BURST <= look_up(world, mallory) <= most


def test_twin_without_the_limit_all_names_are_tried(
    world: World, mallory: WorldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with a list of names has everybody's devices in a day."""
    REQUEST_LIMITS.switch_off(monkeypatch)
    assert look_up(world, mallory) == 1_000
