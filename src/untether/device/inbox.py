"""From a mailbox entry to a message on the screen (spec 07, "Inbox").

Theory of operation. Entries come in the order of their stamps and are acknowledged together,
after the commit, so every single one must end here: opened, known before, parked until its
sender's list is fetched, asked for again (:mod:`.repair`), or given up with a named cause.
Opening happens inside a savepoint. When any check fails, the savepoint takes back everything the
attempt wrote: the sessions are byte for byte as before.
"""

from __future__ import annotations

from untether.base.errors import RemoteError, TrustError
from untether.base.identifiers import AccountId, UnixMillis
from untether.base.limits import (
    BODY_MAX,
    HEADER_MAX,
    PARKED_FROM_UNKNOWN_BYTES_MAX,
    PARKED_FROM_UNKNOWN_MAX,
    PARKED_MS,
    PARKED_PER_UNKNOWN_ACCOUNT_MAX,
)
from untether.device import (
    content_rules,
    directory,
    gossip,
    outgoing,
    prekeys,
    repair,
    repair_starts,
    restored,
    senders,
    sessions,
)
from untether.device.context import Context
from untether.device.events import MailboxDrained
from untether.device.senders import Sender
from untether.device.store import inbox
from untether.device.store.inbox import GivenUp
from untether.protocol.body import open_body
from untether.protocol.pairwise.errors import DuplicateMessageError
from untether.protocol.pairwise.session_book import Opened
from untether.wire import codec
from untether.wire.content import BodyKey, Content, is_repaired
from untether.wire.server_frames import Deliveries, Entry


class UnknownSenderError(RemoteError):
    """The sender's device is not on any list held: fetch it, then open the mail."""

    def __init__(self) -> None:
        super().__init__("unknown-sender", "The message came from a device not known yet.")


def take_deliveries(context: Context, deliveries: Deliveries) -> None:
    """Open or park every entry, then acknowledge them all."""
    for entry in deliveries.entries:
        _take(context, entry)
    stamps = [entry.stamp for entry in deliveries.entries]
    if deliveries.gap_at is not None:
        context.notice("mail-lost", count=deliveries.dropped)
        stamps.append(deliveries.gap_at)
    if stamps:
        context.acknowledge(max(stamps))
    if deliveries.remaining == 0:
        sessions.forget_removed_devices(context)
        restored.drained(context)
        prekeys.forget_retired(context)
        context.notify(MailboxDrained())


def account_learned(context: Context, account: AccountId) -> None:
    """A newer list of an account is held: open what waited for it."""
    for parked in inbox.waiting_from(context.database, account):
        try:
            _open(context, parked.entry)
        except UnknownSenderError:
            continue
        except DuplicateMessageError:
            pass
        except (RemoteError, TrustError) as error:
            _not_opened(context, parked.entry, error.code, came_at=parked.parked_at)
        inbox.remove(context.database, parked.row)


def look_after_parked(context: Context) -> None:
    """Open what can be opened by now, ask again for lists, and give up what waited too long."""
    for account in inbox.waiting_accounts(context.database):
        account_learned(context, account)
    overdue = UnixMillis(context.now - PARKED_MS)
    for parked in inbox.parked_before(context.database, overdue):
        inbox.remove(context.database, parked.row)
        _give_up(context, parked.entry, "sender-never-known", parked.parked_at)
        context.notice("message-lost", parked.entry.sender, cause="sender-never-known")
    inbox.forget_given_up(context.database, overdue)
    for account in inbox.waiting_accounts(context.database):
        directory.fetch(context, account)


def _take(context: Context, entry: Entry) -> None:
    acknowledged = context.own.acknowledged
    if (
        acknowledged is not None
        and entry.stamp <= acknowledged
        and (entry.stamp.incarnation == acknowledged.incarnation)
    ):
        return
    try:
        _open(context, entry)
    except DuplicateMessageError:
        return
    except UnknownSenderError as error:
        _park(context, entry, error.code)
    except (RemoteError, TrustError) as error:
        _not_opened(context, entry, error.code, came_at=context.now)


def _open(context: Context, entry: Entry) -> None:
    sender = senders.find(context, entry.sender, entry.sender_device)
    if sender is None:
        raise UnknownSenderError
    if entry.header is None or entry.body is None:
        raise RemoteError(f"not-sealed-{entry.absent or 'unknown'}", "The sender could not seal.")
    with context.undoable():
        opened = _open_header(context, sender, entry, entry.header)
        payload = codec.decode(opened.payload, BodyKey, size_max=HEADER_MAX)
        plaintext = open_body(entry.body, body_key=payload.body_key, body_hash=payload.body_hash)
        content = codec.decode(plaintext, Content, size_max=BODY_MAX)
        if content.message_id != entry.message_id:
            raise RemoteError("wrong-message-id", "The message is not the one it was sent as.")
        looks_copied = opened.possible_copy and not (
            _claims_recovery(context, sender, content)
            or repair_starts.explains_start(context, sender, content.kind, opened)
        )
        repair_starts.answer_on_new_session(context, sender, content.kind, opened)
        if inbox.mark_seen(context.database, sender.row, content.message_id):
            content_rules.take(context, sender, content, entry.accepted_at)
        repair.arrived(context, sender, content.message_id)
    if not sender.removed:
        gossip.hear_own_head(context, entry.sender, content.own_head)
        gossip.hear_assumed_head(context, sender, payload.assumed_head)
    if looks_copied:
        context.notice("possible-copy", sender.account_id, device=sender.device)
    if opened.answer_wanted and not senders.is_stranger(context, sender):
        outgoing.turn_ratchet(context, sender.account_id, sender.device)


def _open_header(context: Context, sender: Sender, entry: Entry, header: bytes) -> Opened:
    """Open the header; a used key under an id never seen is no repetition but another message.

    Its sender was put back from a copy, and does not know yet that it used the key before.
    """
    try:
        return sessions.open_message(context, sender, header)
    except DuplicateMessageError:
        if inbox.is_seen(context.database, sender.row, entry.message_id):
            raise
        raise RemoteError("message-key-used", "The message came under a used key.") from None


def _claims_recovery(context: Context, sender: Sender, content: Content) -> bool:
    """Tell whether a phone started anew because it recovered, and the list is on its way.

    A false claim doesn't stay quiet: the list is never served, or another one settles the claim,
    and either is told.
    """
    held = directory.held_list(context, sender.account_id)
    if held is None or held.primary.device != sender.device:
        return False
    return content.own_head.generation > held.head.generation


def _park(context: Context, entry: Entry, cause: str) -> None:
    if inbox.is_waiting(context.database, entry):
        return
    count, size = inbox.waiting_total(context.database)
    if (
        inbox.waiting_count(context.database, entry.sender) >= PARKED_PER_UNKNOWN_ACCOUNT_MAX
        or count >= PARKED_FROM_UNKNOWN_MAX
        or size >= PARKED_FROM_UNKNOWN_BYTES_MAX
    ):
        context.notice("message-lost", entry.sender, cause="too-many-from-unknown")
        return
    inbox.park(context.database, entry, cause, context.now)
    directory.fetch(context, entry.sender)


def _not_opened(context: Context, entry: Entry, cause: str, *, came_at: UnixMillis) -> None:
    """Repair what can be repaired, give up the rest; both are told."""
    if cause in repair.REPAIRED and (
        not is_repaired(entry.message_id) or repair.begin(context, entry, cause)
    ):
        return
    _give_up(context, entry, cause, came_at)
    if cause == "device-removed":
        context.notice("message-lost", entry.sender, cause=cause, device=entry.sender_device)
    else:
        context.notice(
            "message-not-readable", entry.sender, cause=cause, device=entry.sender_device
        )


def _give_up(context: Context, entry: Entry, cause: str, came_at: UnixMillis) -> None:
    given_up = GivenUp(entry.sender, entry.sender_device, entry.message_id, cause, came_at)
    inbox.add_given_up(context.database, given_up, context.now)
