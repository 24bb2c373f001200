"""What the engine's events say to the screens (spec 06, "Events")."""

from __future__ import annotations

from untether.base.errors import UntetherError
from untether.browser import events, views
from untether.browser.page import Page
from untether.browser.problems import defect, problem
from untether.browser.waiting_words import waiting_text
from untether.client.driver import Driver
from untether.client.people import named_notices
from untether.device.events import (
    ClockDiffers,
    DeviceLinked,
    DeviceRemoved,
    DeviceSuspended,
    Event,
    MailboxDrained,
    MessageProgressed,
    MessageReceived,
    MessageRecovered,
    NameResolved,
    NoticePosted,
    ReceivingElsewhere,
)
from untether.device.store import messages, notices


def connected(page: Page) -> None:
    """The relay serves this device."""
    page.say(events.Connection(connected=True, error=None))


def disconnected(page: Page, error: Exception) -> None:
    """The relay does not, and why."""
    why = problem(error) if isinstance(error, UntetherError) else defect(error)
    page.say(events.Connection(connected=False, error=why))


def announce(page: Page, driver: Driver, event: Event) -> None:
    """Tell all tabs of an event; what only a running call waits for is not told."""
    match event:
        case MessageReceived() | MessageRecovered():
            _announce_message(page, driver, event)
        case MessageProgressed(message_id, other, state, devices, cause):
            page.say(
                events.Progress(
                    message_id=message_id.hex(),
                    conversation_id=other.hex(),
                    state=state,
                    devices=devices,
                    cause=waiting_text(cause) if cause else None,
                )
            )
        case NoticePosted():
            announce_notices(page, driver, event)
        case MailboxDrained():
            connected(page)
        case DeviceLinked() | DeviceRemoved() | NameResolved():
            page.say(events.Notice())
        case ClockDiffers():
            page.say(events.ClockDiffers())
        case DeviceSuspended():
            page.say(events.Suspended())
        case ReceivingElsewhere():
            page.say(events.ReceivedElsewhere())
        case _:
            pass


def _announce_message(
    page: Page, driver: Driver, event: MessageReceived | MessageRecovered
) -> None:
    with driver.reading() as database:
        stored = messages.find_own(database, event.author, event.author_device, event.message_id)
        if stored is not None and not stored.held:
            page.say(events.Message(views.message(database, stored)))


def announce_notices(page: Page, driver: Driver, event: NoticePosted) -> None:
    """Tell the newest notice of a kind; one that was taken back meanwhile is not told."""
    with driver.reading() as database:
        alike = [
            one
            for one in notices.unshown(database)
            if one.code == event.code and one.account_id == event.account_id
        ]
        for named in named_notices(database, alike[-1:]):
            page.say(events.Notice(views.notice(named)))
