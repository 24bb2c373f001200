"""From stored content to sealed copies at the relay (spec 05, "Sending").

Theory of operation. A message is stored with its body sealed once and one row per account.
:func:`advance` moves each account as far as it can: no verified list → ask for it; a device
without a session → ask for its prekeys; everything there → seal a header per device and keep
the sealed copies. As soon as no account waits for an answer, one Submit carries all sealed
ones. The relay then decides account by account (:mod:`.verdicts`).

Nothing here remembers what was asked: the rows say what is missing, and asking twice is
harmless. So after a crash or a reconnection, advancing every row is all there is to do.

Between sealing and leaving time may pass, and a log-out may become known. So sealed copies are
checked again each time before they leave: what would not be sealed so any more is sealed anew.
"""

from __future__ import annotations

from untether.base.identifiers import AccountId, MessageId, UnixMillis
from untether.base.limits import QUEUED_RETRY_MS, REFUSED_RETRY_MS
from untether.device import directory, fan_out, leases, sessions
from untether.device.context import Context
from untether.device.events import MessageProgressed
from untether.device.fan_out import Target
from untether.device.store import contacts, messages, outbox, own_lists, own_standing, sent
from untether.device.store.accounts import AccountRow
from untether.device.store.messages import Message
from untether.device.store.outbox import Outgoing, OutgoingRecipient, Progress
from untether.device.store.own_standing import SigningStopped
from untether.wire import codec
from untether.wire.client_frames import ClaimPrekeys, Copy, Recipient, Submit, SubmitDirect
from untether.wire.content import BodyKey, is_repaired
from untether.wire.server_frames import PASSING_REFUSALS, Bundles, Refused, ServerFrame


def advance_all(context: Context) -> None:
    """Move every message that may leave; called at each connection and each Tick."""
    for message_id in outbox.unsent(context.database, context.now):
        advance(context, message_id)
    departure = outbox.next_departure(context.database, context.now)
    if departure is not None:
        context.wake_at(departure)


def account_learned(context: Context, account: AccountId) -> None:
    """A newer list or prekeys of an account are here: move what waited for them."""
    for message_id in outbox.waiting_for(context.database, account, context.now):
        advance(context, message_id)


def advance(context: Context, message_id: MessageId) -> None:
    """Seal what can be sealed; submit when no account waits for an answer."""
    message = outbox.find(context.database, message_id)
    if message is None:
        return
    recipients = outbox.recipients(context.database, message_id)
    moved = False
    for recipient in recipients:
        if recipient.progress is not Progress.SENT and not _may_leave(context, recipient):
            _seal_for_account(context, message, recipient.account_id)
            moved = True
    if moved:
        recipients = outbox.recipients(context.database, message_id)
    if any(recipient.progress is Progress.WAITING for recipient in recipients):
        return
    sealed = [recipient for recipient in recipients if recipient.progress is Progress.SEALED]
    if sealed:
        _submit(context, message, sealed)


def on_prekeys(context: Context, request: ClaimPrekeys, answer: ServerFrame) -> None:
    """Start sessions with the prekeys that the relay handed out, then go on sending.

    A device that it has none for may be gone: then the list held is old, and nothing that is
    sealed for it alone would ever bring the newer one. A session may have begun since they were
    asked for, e.g. in another process of this device; a second start would look like a copy of
    this device.
    """
    if isinstance(answer, Refused):
        account_refused(context, request.account_id, answer)
    if not isinstance(answer, Bundles):
        return
    device_list = directory.held_list(context, request.account_id)
    if device_list is None:
        return
    by_device = {bundle.device: bundle for bundle in answer.bundles}
    asked = [one for one in device_list.devices if one.device in request.devices]
    missing = sessions.without_session(context, [Target(one) for one in asked])
    for certificate in asked:
        if certificate.device in missing:
            sessions.start(context, certificate, by_device.get(certificate.device))
    if any(number not in by_device for number in missing):
        directory.fetch(context, request.account_id)
    account_learned(context, request.account_id)


def account_refused(context: Context, account: AccountId, answer: Refused) -> None:
    """The relay would not say what messages to an account wait for."""
    for message_id in outbox.waiting_for(context.database, account, context.now):
        if any(
            recipient.account_id == account and recipient.progress is Progress.WAITING
            for recipient in outbox.recipients(context.database, message_id)
        ):
            refused(context, message_id, answer)


def refused(context: Context, message_id: MessageId, answer: Refused) -> None:
    """A request that a message needs has changed nothing: tell why, and ask the same again."""
    passing = answer.code in PASSING_REFUSALS
    wait = max(answer.retry_after_ms, REFUSED_RETRY_MS if passing else QUEUED_RETRY_MS)
    context.wake_at(UnixMillis(context.now + wait))
    message = shown_message(context, message_id)
    if message is not None and message.state == "queued":
        context.notify(
            MessageProgressed(
                message_id, message.other, message.state, message.devices, answer.code
            )
        )


def stuck(
    context: Context,
    message_id: MessageId,
    account: AccountId,
    cause: str,
    wait_ms: int = QUEUED_RETRY_MS,
) -> None:
    """Note why a message can't leave for an account now, and when it is tried again."""
    retry_at = UnixMillis(context.now + wait_ms)
    outbox.save_progress(
        context.database, message_id, account, Progress.STUCK, cause=cause, retry_at=retry_at
    )
    context.wake_at(retry_at)
    message = shown_message(context, message_id)
    if message is not None and message.other == account:
        context.notify(
            MessageProgressed(message_id, message.other, message.state, message.devices, cause)
        )


def is_outdated(context: Context, recipient: OutgoingRecipient, found: AccountRow | None) -> bool:
    """Tell whether copies are of another list than the one held, or for whom nothing is sealed now.

    A lease may have ended since, or a device resigned, which leaves the head of the list as it was.
    ``found`` is what is held of the account.
    """
    if found is None:
        return True
    device_list = directory.list_of(found)
    if device_list.head != recipient.head:
        return True
    wanted = fan_out.targets(context, device_list, found.lease_ended_at)
    present = {target.certificate.device for target in wanted if target.absent is None}
    return any(copy.header and copy.device not in present for copy in recipient.copies)


def shown_message(context: Context, message_id: MessageId) -> Message | None:
    """Return what people see of an outgoing message, None for control messages."""
    own = context.own
    return messages.find_own(context.database, own.account_id, own.device, message_id)


def _seal_for_account(context: Context, message: Outgoing, account: AccountId) -> None:
    """Seal for an account, or note what must come first, or why it can't be."""
    found = directory.row(context, account)
    if found is None:
        outbox.save_progress(context.database, message.message_id, account, Progress.WAITING)
        directory.fetch(context, account)
        return
    cause = _blocked(context, found)
    if cause:
        stuck(context, message.message_id, account, cause)
        return
    targets = [
        target
        for target in fan_out.targets(context, directory.list_of(found), found.lease_ended_at)
        if message.direct_device in (None, target.certificate.device)
    ]
    if message.direct_device is not None and not targets:
        outbox.remove(context.database, message.message_id)  # its one device is gone for ever
        return
    targets = sessions.mark_absent(context, targets)
    if _have_sessions(context, message, account, targets) and _reach_anybody(
        context, message, account, targets
    ):
        _seal(context, message, found, targets)


def _have_sessions(
    context: Context, message: Outgoing, account: AccountId, targets: list[Target]
) -> bool:
    """Tell whether all devices have sessions; ask for prekeys of those that have none."""
    missing = sessions.without_session(context, targets)
    if not missing:
        return True
    if _is_ahead_of_relay(context, account):
        stuck(context, message.message_id, account, "relay-behind")
    else:
        outbox.save_progress(context.database, message.message_id, account, Progress.WAITING)
        context.request(ClaimPrekeys(account, tuple(missing)))
    return False


def _reach_anybody(
    context: Context, message: Outgoing, account: AccountId, targets: list[Target]
) -> bool:
    """Tell whether there is somebody to seal for; the own account may be without other devices."""
    is_direct = message.direct_device is not None
    may_be_nobody = account == context.own.account_id and not is_direct
    if may_be_nobody or any(target.absent is None for target in targets):
        return True
    if is_direct:
        directory.fetch(context, account)  # no verdict on a copy for others brings newer lists
    reasons = sorted({target.absent for target in targets if target.absent})
    stuck(context, message.message_id, account, reasons[0] if reasons else "no-devices")
    return False


def _seal(context: Context, message: Outgoing, found: AccountRow, targets: list[Target]) -> None:
    """Seal a header for each device that gets one, and keep the copies."""
    head = directory.list_of(found).head
    payload = codec.encode(BodyKey(message.body_key, message.body_hash, head))
    sealable = [target for target in targets if target.absent is None]
    headers = sessions.seal(context, sealable, payload)
    numbered = ((target.certificate.device, target.absent) for target in targets)
    copies = tuple(Copy(device, headers.get(device), absent) for device, absent in numbered)
    outbox.save_sealed(context.database, message.message_id, found.account_id, head, copies)
    if is_repaired(message.message_id):
        devices = [target.peer for target in targets if target.peer is not None]
        sent.keep(context.database, message.message_id, message.content, devices, context.now)


def _may_leave(context: Context, recipient: OutgoingRecipient) -> bool:
    """Tell whether there are sealed copies that would be sealed for the same devices now."""
    if recipient.progress is not Progress.SEALED:
        return False
    found = directory.row(context, recipient.account_id)
    if found is None or _blocked(context, found):
        return False
    return not is_outdated(context, recipient, found)


def _is_ahead_of_relay(context: Context, account: AccountId) -> bool:
    """Tell whether the relay may not have the newest devices of the own account yet.

    Their prekeys travel with the list that adds them; once it is confirmed, what waits goes on.
    """
    is_own = account == context.own.account_id
    return is_own and bool(own_lists.unpublished(context.database, 1))


def _blocked(context: Context, found: AccountRow) -> str:
    """Return why nothing may be sent to an account at all, or an empty string."""
    if found.forked:
        return "lists-forked"
    stopped = own_standing.load(context.database).signing_stopped
    if stopped is not SigningStopped.NOT:
        return str(stopped.value)
    if leases.ask_if_long_ended(context, found):
        return "lease-long-ended"
    contact = contacts.by_account(context.database, found.account_id)
    if contact is not None and contact.verified and contact.waiting_account_id is not None:
        return "identity-changed"
    return ""


def _submit(context: Context, message: Outgoing, sealed: list[OutgoingRecipient]) -> None:
    if message.direct_device is not None:
        (recipient,) = sealed
        (copy,) = recipient.copies
        assert recipient.head is not None
        assert copy.header is not None
        context.request(
            SubmitDirect(
                message_id=message.message_id,
                body=message.body,
                account_id=recipient.account_id,
                head=recipient.head,
                device=copy.device,
                header=copy.header,
            )
        )
        return
    context.request(
        Submit(
            message_id=message.message_id,
            body=message.body,
            recipients=tuple(
                Recipient(recipient.account_id, recipient.head, recipient.copies)
                for recipient in sealed
                if recipient.head is not None
            ),
        )
    )
