"""What tabs are told without having asked (spec 06, "Events"): each event with its details.

``make tables`` writes the shapes into ``webapp/src/types.ts``.
"""

from __future__ import annotations

from msgspec import Struct

from untether.browser import views
from untether.browser.problems import Problem
from untether.device.events import MessageState


class Event(Struct, frozen=True, tag_field="event", omit_defaults=True):
    """Anything that has happened; the tag is its name."""


class Message(Event, frozen=True, tag="message"):
    """A message came in, or was written on one of the own devices."""

    message: views.Message


class Progress(Event, frozen=True, tag="progress"):
    """An own message has come further, or waits for ``cause``."""

    message_id: str
    conversation_id: str
    state: MessageState
    devices: int
    cause: str | None


class Notice(Event, frozen=True, tag="notice"):
    """People should know this; without a notice, something shown elsewhere has changed."""

    notice: views.Notice | None = None


class Connection(Event, frozen=True, tag="connection"):
    """Whether the relay serves this device, and why not."""

    connected: bool
    error: Problem | None


class LoggedOut(Event, frozen=True, tag="logged_out"):
    """This device takes part no more."""


class Suspended(Event, frozen=True, tag="suspended"):
    """The relay does not list this device."""


class ReceivedElsewhere(Event, frozen=True, tag="received_elsewhere"):
    """Another copy of this device receives now."""


class StorageFull(Event, frozen=True, tag="storage_full"):
    """There is no room for messages."""


class ClockDiffers(Event, frozen=True, tag="clock_differs"):
    """The clock of this machine is not the relay's."""


class LinkOffered(Event, frozen=True, tag="link_offered"):
    """The phone can scan this text until then."""

    link_text: str
    expires_at: int


class LinkCertified(Event, frozen=True, tag="link_certified"):
    """On the phone: the new device asks its owner now, and shows the same code."""

    device_name: str
    certificate_code: str
