"""Sealing for devices and opening from them: the session book over its rows (spec 04).

The decisions are :mod:`untether.protocol.pairwise.session_book`'s; this module brings it the
rows and writes back what it returns, in the engine's transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from untether.base.errors import RemoteError
from untether.base.identifiers import SECOND_MS, AccountId, DeviceNumber, UnixMillis
from untether.base.limits import QUEUED_RETRY_MS, REPAIR_START_MS, SKIPPED_KEY_MS
from untether.device import directory
from untether.device.context import Context
from untether.device.fan_out import Target
from untether.device.parties import own_party, party_of
from untether.device.senders import Sender
from untether.device.store import peers, prekeys, sessions
from untether.device.store.database import Database
from untether.device.store.peers import Peer
from untether.device.store.sessions import PeerKey
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.pairwise import session_book
from untether.protocol.pairwise.fan_out import PACKED_CHAIN_LENGTH, seal_for_devices
from untether.protocol.pairwise.parties import Ends, Party, account_associated
from untether.protocol.pairwise.prekeys import (
    PrekeyPairSecret,
    PrekeyType,
    check_serial,
    is_asleep,
    verify_bundle,
)
from untether.protocol.pairwise.session_book import Arrival, Opened, Sessions
from untether.wire.client_frames import AbsenceReason
from untether.wire.records import PrekeyBundle


class DatabaseShelf(Struct, frozen=True):
    """What opening looks up; implements :class:`session_book.KeyShelf`."""

    database: Database

    def rotating_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """See the port."""
        return prekeys.find(self.database, prekey_id, PrekeyType.ROTATING)

    def one_time_prekey(self, prekey_id: bytes) -> PrekeyPairSecret | None:
        """See the port."""
        return prekeys.find(self.database, prekey_id, PrekeyType.ONE_TIME)

    def base_key_used(self, rotating_id: bytes, base_key: bytes) -> bool:
        """See the port."""
        return prekeys.base_key_used(self.database, rotating_id, base_key)

    def skipped_key(self, session_id: bytes, ratchet_key: bytes, number: int) -> bytes | None:
        """See the port."""
        return sessions.find_skipped(self.database, session_id, ratchet_key, number)


def mark_absent(context: Context, targets: Sequence[Target]) -> list[Target]:
    """Look devices up; those that could not be sealed for get that reason, until a day passed."""
    marked = []
    for target in targets:
        peer = peers.find_or_add(context.database, target.certificate)
        fresh = peer.absent_at is not None and context.now - peer.absent_at < QUEUED_RETRY_MS
        absent = peer.absent if target.absent is None and fresh else target.absent
        marked.append(replace(target, absent=absent, peer=peer.row))
    return marked


def without_session(context: Context, targets: Sequence[Target]) -> list[DeviceNumber]:
    """Return the devices whose prekeys must be claimed before anything is sealed for them."""
    if not targets:
        return []
    account = targets[0].certificate.account_id
    ready = set(sessions.load_chains(context.database, account))
    for device, session in sessions.unanswered(context.database, account).items():
        if not session_book.can_seal((session,), context.now):
            ready.discard(device)
    ready -= peers.to_renew_of(context.database, account)
    numbers = [target.certificate.device for target in targets if target.absent is None]
    return [number for number in numbers if number not in ready]


def start(context: Context, certificate: DeviceCertificate, bundle: PrekeyBundle | None) -> None:
    """Start a session with prekeys that the relay handed out, or note why that can't be."""
    peer = peers.find_or_add(context.database, certificate)
    key = PeerKey(peer.row, certificate.account_id, certificate.device)
    before = sessions.load_book(context.database, key)
    if bundle is None:
        _not_started(context, peer, before, "unsealable")
        return
    party = party_of(certificate)
    try:
        claimed = verify_bundle(bundle, party)
        check_serial(claimed.rotating, peer.prekey_serial)
    except RemoteError as error:
        context.notice("prekeys-refused", certificate.account_id, cause=error.code)
        _not_started(context, peer, before, "unsealable")
        return
    if not before and is_asleep(claimed.rotating, context.now):
        _not_started(context, peer, before, "asleep")
        return
    after, dropped = session_book.start(
        before,
        _ends(context, party),
        claimed,
        context.now,
        context.randomness,
    )
    sessions.save_book(context.database, key, before, after, dropped)
    peers.save_prekeys_seen(context.database, peer.row, claimed.rotating.serial)
    peers.wish_fulfilled(context.database, peer.row, after[0].number)
    generation, _ = _generation_of(context, certificate.account_id, certificate.device)
    peers.session_began(context.database, peer.row, generation)


def seal(context: Context, targets: Sequence[Target], payload: bytes) -> dict[DeviceNumber, bytes]:
    """Seal one payload for devices of one account that all have a session."""
    if not targets:
        return {}
    certificate = targets[0].certificate
    account = certificate.account_id
    wanted = {target.certificate.device for target in targets}
    packed = sessions.load_packed(context.database, account)
    records = [
        packed[start : start + PACKED_CHAIN_LENGTH]
        for start in range(0, len(packed), PACKED_CHAIN_LENGTH)
    ]
    chosen = [record for record in records if _device_of(record) in wanted]
    following, messages = seal_for_devices(
        b"".join(chosen),
        payload,
        account_associated(own_party(context), certificate.account_key),
        context.randomness,
    )
    others = [record for record in records if _device_of(record) not in wanted]
    sessions.save_packed(context.database, account, b"".join((following, *others)))
    prefixes = {
        device: session.prefix
        for device, session in sessions.unanswered(context.database, account).items()
    }
    return {
        _device_of(record): prefixes.get(_device_of(record), b"") + message
        for record, message in zip(chosen, messages, strict=True)
    }


def open_message(context: Context, sender: Sender, header: bytes) -> Opened:
    """Open what a device sealed for this one and store the new state.

    Raises RemoteError subclasses of :mod:`untether.protocol.pairwise.errors`; the caller's
    savepoint then takes back what was written.
    """
    key = PeerKey(sender.row, sender.account_id, sender.device)
    before = sessions.load_book(context.database, key)
    generation, is_phone = _generation_of(context, sender.account_id, sender.device)
    recovered = is_phone and generation > peers.generation_of(context.database, sender.row)
    arrival = Arrival(
        ends=_ends(context, sender.party),
        shelf=DatabaseShelf(context.database),
        now=context.now,
        randomness=context.randomness,
        cause_known=recovered,
    )
    opened = session_book.open_message(before, header, arrival)
    sessions.save_book(context.database, key, before, opened.sessions, opened.dropped)
    _store_keys(context, opened)
    if opened.started is not None and opened.sessions[0].id == opened.session_id:
        peers.session_began(context.database, sender.row, generation)
    return opened


def start_for_repair(
    context: Context, peer: PeerKey, *, since: UnixMillis, again: bool = False
) -> None:
    """Let the next thing that is sealed for a device start a session, unless one began ``since``.

    Only once in a while, whatever a relay damages, unless it is needed ``again``. A start that
    nobody answered for as long may never have been opened.
    """
    book = sessions.load_book(context.database, peer)
    active = book[0] if book else None
    if active is not None and active.created_at > since:
        hopeless = active.is_unanswered and context.now - active.created_at >= REPAIR_START_MS
        if not (again and hopeless):
            return
    last = peers.repair_start(context.database, peer.row)
    if again or not book or context.now // SECOND_MS >= last + REPAIR_START_MS // SECOND_MS:
        peers.wish_start(context.database, peer.row)


def forget_removed_devices(context: Context) -> None:
    """The mailbox is drained: nothing of removed devices is left to open, nor believed."""
    sessions.delete_removed(context.database)
    peers.end_removed(context.database)


def forget_old_keys(context: Context) -> None:
    """Delete skipped keys that waited too long."""
    sessions.empty_skipped(context.database, UnixMillis(context.now - SKIPPED_KEY_MS))


def _store_keys(context: Context, opened: Opened) -> None:
    database = context.database
    for run in opened.skipped_added:
        sessions.add_skipped(database, opened.session_id, run, context.now)
    if opened.skipped_used is not None:
        sessions.use_skipped(database, opened.session_id, *opened.skipped_used)
    for ratchet_key in opened.forgotten:
        sessions.forget_chain(database, opened.session_id, ratchet_key)
    if opened.started is None:
        return
    if opened.started.one_time_id is None:
        prekeys.remember_base_key(database, opened.started.rotating_id, opened.started.base_key)
    else:
        prekeys.delete(database, opened.started.one_time_id)


def _generation_of(context: Context, account: AccountId, device: DeviceNumber) -> tuple[int, bool]:
    """Return the generation of an account's newest list, and whether this device is its phone."""
    device_list = directory.held_list(context, account)
    if device_list is None:
        return 0, False
    return device_list.head.generation, device_list.primary.device == device


def _not_started(context: Context, peer: Peer, before: Sessions, reason: AbsenceReason) -> None:
    """Note why a device can't be sealed for; a start that was only wished for is done without."""
    dropped = peers.drop_wish(context.database, peer.row)
    if not (dropped and session_book.can_seal(before, context.now)):
        peers.save_absent(context.database, peer.row, reason, context.now)


def _ends(context: Context, peer: Party) -> Ends:
    return Ends.between(own_party(context), context.own.secrets.agreement_seed, peer)


def _device_of(record: bytes) -> DeviceNumber:
    return DeviceNumber(int.from_bytes(record[:4], "big"))
