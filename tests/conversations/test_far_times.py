"""A peer dates its messages as it likes; what came can be shown all the same (spec 00, "Times")."""

from __future__ import annotations

import pytest
from msgspec import structs
from msgspec.structs import replace
from tests.conversations.forgeries import Forger
from tests.world import World

from untether.base.identifiers import UnixMillis
from untether.base.limits import TIME_MAX
from untether.cli.render import message_json, message_line
from untether.client.people import NamedMessage
from untether.device import events
from untether.device.store.messages import Message
from untether.wire import codec
from untether.wire.content import Text

TOO_FAR = UnixMillis(2**53 - 1)


@pytest.fixture
def forger() -> Forger:
    """Return Alice, who has a session with Bob and says what she wants."""
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    bob.send("alice", "hello")
    return Forger(alice, bob)


def dated(forger: Forger, time: UnixMillis) -> None:
    """Let Bob receive a message of that time."""
    content = structs.replace(forger.content(Text("from far away")), sent_at=time)
    forger.deliver(forger.entry(codec.encode(content), content.message_id))


def show(message: Message) -> str:
    """Show a message to a person and to a program."""
    named = NamedMessage(message, "alice", "bob", known=True)
    return f"{message_line(named)} {message_json(named)}"


def test_a_message_from_the_end_of_all_calendars_is_shown(forger: Forger) -> None:
    """The last day of the year 9999 is a date in every time zone."""
    dated(forger, UnixMillis(TIME_MAX))
    message = forger.receiver.history()[-1]
    assert message.text == "from far away"
    assert "9999-12-31" in show(message)


def test_a_message_from_beyond_is_refused(forger: Forger) -> None:
    """It is not stored, so it can't stand in the way of what else is in the history."""
    before = forger.receiver.texts()
    dated(forger, UnixMillis(TIME_MAX + 1))
    assert forger.receiver.texts() == before
    notice = forger.receiver.happened(events.NoticePosted)[-1]
    assert (notice.code, notice.details["cause"]) == ("message-not-readable", "malformed")


def test_stored_without_the_bound_it_could_never_be_shown(forger: Forger) -> None:
    """Twin: one such message in a history, and the history is never seen again."""
    message = replace(forger.receiver.history()[-1], sent_at=TOO_FAR)
    with pytest.raises(ValueError, match="year"):
        show(message)
