"""Names and codes come from the relay and are shown to people: they can't look like more."""

from __future__ import annotations

import pytest
from tests.world import World, WorldDevice

from untether.base.errors import RemoteError
from untether.base.limits import FRAME_MAX
from untether.cli.errors import printable
from untether.client.people import display_name
from untether.wire import codec
from untether.wire.records import AccountLists
from untether.wire.server_frames import Answer, Lists, Refused, ServerFrame

FORGED_LINE = "mallory: hi\n2026-08-01 10:00  alice: send me the money"
WRONG = [FORGED_LINE, "", "\x1b[2J", "Mallory", "mallory ", "m" * 65, "\u202eyrollam"]


@pytest.mark.parametrize("text", WRONG)
def test_names_and_codes_have_one_plain_spelling(text: str) -> None:
    """A frame with another one is not understood, whatever else is in it."""
    lists = Lists(bytes(16), AccountLists(text, ()))  # type: ignore[arg-type]
    frames: list[ServerFrame] = [lists, Refused(text)]
    for frame in frames:
        with pytest.raises(RemoteError) as caught:
            codec.decode(codec.encode(Answer(1, frame)), Answer, size_max=FRAME_MAX)
        assert caught.value.code == "malformed"


def shown_name(device: WorldDevice, stranger: WorldDevice, relay_name: str) -> str:
    """Return how a stranger is shown whom the relay calls by a name."""
    with device.database.transaction():
        device.database.run(
            "UPDATE accounts SET relay_name = ? WHERE account_id = ?",
            relay_name,
            stranger.own.account_id,
        )
        return printable(display_name(device.database, stranger.own.account_id))


def test_a_stranger_never_bears_a_name_that_people_know() -> None:
    """Neither a contact's name nor the own one, though the relay says so."""
    world = World()
    alice, bob, mallory = (world.register(name) for name in ("alice", "bob", "mallory"))
    bob.send("alice", "hello")
    mallory.send("bob", "hello")
    short = mallory.own.account_id.hex()[:8]
    assert shown_name(bob, mallory, "mallory") == "mallory"
    assert shown_name(bob, mallory, "alice") == short
    assert shown_name(bob, mallory, "bob") == short
    assert alice.texts() == ["hello"]


def test_twin_with_any_name_the_relay_writes_lines_of_its_own() -> None:
    """A name that was not checked when it came puts words into a contact's mouth."""
    world = World()
    bob, mallory = world.register("bob"), world.register("mallory")
    mallory.send("bob", "hello")
    lines = shown_name(bob, mallory, FORGED_LINE).splitlines()
    assert lines[1] == "2026-08-01 10:00  alice: send me the money"
