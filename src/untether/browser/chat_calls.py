"""Calls about conversations: the list, their pages, sending, what was read."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from msgspec import Meta, Struct

from untether.base.errors import LocalError, NetworkError, RemoteError, UntetherError
from untether.base.identifiers import AccountId, DeviceNumber, MessageId, UnixMillis, short_id
from untether.browser import events, views
from untether.browser.app import App
from untether.browser.opening_calls import Nothing
from untether.client import sending
from untether.client.people import display_name, named_notices
from untether.device.events import MessageProgressed
from untether.device.inputs import SendText
from untether.device.store import contacts, conversations, messages, notices, outbox, own_device
from untether.device.store.conversations import Place
from untether.device.store.database import Database
from untether.wire import codec
from untether.wire.client_frames import ResolveName

_PAGE_MAX = 200  # messages: several screens full
_NOTICES_MAX = 100  # of one person: more than anybody reads
_CURSOR_MAX = 128  # bytes of our own cursors: some 60

Limit = Annotated[int, Meta(ge=1, le=_PAGE_MAX)]


class PageOf(Struct, frozen=True):
    """Which part of a conversation; ``before`` is the ``earlier`` of another page."""

    conversation_id: str
    before: str | None
    limit: Limit


class Send(Struct, frozen=True):
    """A text for a conversation, or for somebody by name."""

    text: str
    conversation_id: str | None = None
    name: str | None = None


class OneConversation(Struct, frozen=True):
    """A conversation."""

    conversation_id: str


class Rows(Struct, frozen=True):
    """Notices that were shown."""

    rows: tuple[int, ...]


class _Cursor(codec.Record, frozen=True):
    """Where a page begins, and the time of its first message."""

    accepted_at: int | None
    author_device: int
    counter: int
    message_id: bytes
    sent_at: int


async def chats(app: App, _: Nothing) -> list[views.Chat]:
    """Return all conversations, the newest first."""
    with app.client.driver.reading() as database:
        unread = conversations.unread(database)
        waiting = Counter(one.account_id for one in notices.unshown(database))
        people = {one.account_id for one in contacts.every(database)}
        shown = [
            (
                last := next(iter(conversations.page(database, account, None, 1)), None),
                views.chat(
                    database,
                    account,
                    last=last,
                    unread=unread.get(account, 0),
                    notices=waiting[account],
                ),
            )
            for account in people.union(messages.others(database))
        ]
    shown.sort(key=lambda one: (-_newest(one[0]), one[1].name))
    return [chat for _, chat in shown]


def _newest(last: messages.Message | None) -> int:
    if last is None:
        return 0
    return _time(last)


def _time(message: messages.Message | _Cursor) -> int:
    """Return when the relay took it; its writer's clock may say anything."""
    return message.sent_at if message.accepted_at is None else message.accepted_at


async def conversation(app: App, wanted: PageOf) -> views.Conversation:
    """Return a page of messages, with the notices that belong between them."""
    account = _account(wanted.conversation_id)
    cursor = None if wanted.before is None else _cursor(wanted.before)
    ends = None if cursor is None else _time(cursor)
    with app.client.driver.reading() as database:
        place = None if cursor is None else _place(cursor)
        found = conversations.page(database, account, place, wanted.limit + 1)
        has_earlier, found = len(found) > wanted.limit, found[-wanted.limit :]
        begins = _time(found[0]) if has_earlier else 0
        between = [
            one
            for one in notices.about(database, account, _NOTICES_MAX)
            if begins <= one.posted_at and (ends is None or one.posted_at < ends)
        ]
        return views.Conversation(
            messages=tuple(_message(database, one) for one in found),
            notices=tuple(views.notice(one) for one in named_notices(database, between)),
            earlier=_spelled(found[0]) if has_earlier else None,
        )


async def send(app: App, wanted: Send) -> views.Message:
    """Queue a text and return it at once; events tell how far it comes."""
    driver = app.client.driver
    if wanted.conversation_id is not None:
        account = _account(wanted.conversation_id)
        _look_up_again(app, account)
    else:
        async with app.client.online_if_possible():
            account = await sending.resolve(driver, wanted.name or "")
    happened = await driver.handle(SendText(account, wanted.text))
    queued = next(one for one in happened if isinstance(one, MessageProgressed))
    with driver.reading() as database:
        own = own_device.require(database)
        stored = messages.find_own(database, own.account_id, own.device, queued.message_id)
        assert stored is not None
        shown = _message(database, stored)
    app.page.say(events.Message(shown))
    app.receiver.wake()
    return shown


async def mark_read(app: App, read: OneConversation) -> None:
    """Note that a conversation was shown to its end."""
    with app.client.driver.writing() as database:
        conversations.mark_read(database, _account(read.conversation_id))
    app.page.say(events.Notice())


async def unshown(app: App, _: Nothing) -> list[views.Notice]:
    """Return what people should know and was not shown yet, oldest first."""
    return [views.notice(one) for one in app.client.notices()]


async def notices_shown(app: App, shown: Rows) -> None:
    """Note that people have seen these notices."""
    seen = [one for one in app.client.notices() if one.notice.row in shown.rows]
    if seen:
        app.client.mark_shown(seen)
        app.page.say(events.Notice())


def _look_up_again(app: App, account: AccountId) -> None:
    """Let the relay say once whose name it is now: a change is told beside the conversation.

    Somebody who was no contact is one from then on.
    """
    driver = app.client.driver
    with driver.reading() as database:
        is_own = own_device.require(database).account_id == account
        known = contacts.by_account(database, account)
        name = known.name if known is not None else display_name(database, account)
    is_named = not is_own and name != short_id(account)
    if is_named and driver.is_connected and account not in app.looked_up:
        app.looked_up.add(account)
        app.in_background(_resolve(app, account, name))


async def _resolve(app: App, account: AccountId, name: str) -> None:
    try:
        await app.client.driver.ask(ResolveName(name))
    except NetworkError:
        app.looked_up.discard(account)  # with the next message
    except UntetherError:
        pass  # what is wrong with the name stands in a notice


def _message(database: Database, stored: messages.Message) -> views.Message:
    cause = ""
    if stored.state == "queued":
        cause = outbox.cause_of(database, stored.message_id, stored.other)
    return views.message(database, stored, cause)


def _account(conversation_id: str) -> AccountId:
    try:
        return AccountId(bytes.fromhex(conversation_id))
    except ValueError as error:
        raise _bad_call() from error


def _spelled(first: messages.Message) -> str:
    place = conversations.place_of(first)
    return codec.encode(
        _Cursor(
            place.accepted_at,
            place.author_device,
            place.counter,
            place.message_id,
            first.sent_at,
        )
    ).hex()


def _cursor(text: str) -> _Cursor:
    try:
        return codec.decode(bytes.fromhex(text), _Cursor, size_max=_CURSOR_MAX)
    except (ValueError, RemoteError) as error:
        raise _bad_call() from error


def _place(cursor: _Cursor) -> Place:
    return Place(
        None if cursor.accepted_at is None else UnixMillis(cursor.accepted_at),
        DeviceNumber(cursor.author_device),
        cursor.counter,
        MessageId(cursor.message_id),
    )


def _bad_call() -> LocalError:
    return LocalError("bad-call", "The screens asked for what can't be.", "Load the app again.")
