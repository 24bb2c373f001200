"""Rows of remote devices, one per number *and* keys (spec 06, "Peers")."""

from __future__ import annotations

from msgspec import Struct

from untether.base.identifiers import HOUR_MS, AccountId, DeviceNumber, UnixMillis
from untether.device.store.database import Database, row
from untether.protocol.identity.certificate import DeviceCertificate
from untether.protocol.identity.keys import DevicePublicKeys
from untether.wire.client_frames import AbsenceReason

_RENEWAL_NEEDED = 1
"""No session that is there may seal any more."""
_RENEWAL_WISHED = 2
"""The active session may be one that the peer can't open; without prekeys it has to do."""


class Peer(Struct, frozen=True):
    """A remote device: its row number names it in sessions and seen-marks.

    ``absent`` is why no prekeys of it could be had when last asked, and when that was.
    """

    row: int
    prekey_serial: int
    absent: AbsenceReason | None
    absent_at: UnixMillis | None


def find_or_add(database: Database, certificate: DeviceCertificate) -> Peer:
    """Return the row of a certified device, made when it is first met."""
    keys = (
        certificate.account_id,
        certificate.device,
        certificate.signing_key,
        certificate.agreement_key,
    )
    query = (
        "SELECT peer, prekey_serial, absent, absent_at FROM peers WHERE account_id = ? "
        "AND device = ? AND signing_key = ? AND agreement_key = ?"
    )
    found = row(database, query, *keys)
    if found is None:
        database.run(
            "INSERT INTO peers (account_id, device, signing_key, agreement_key) "
            "VALUES (?, ?, ?, ?)",
            *keys,
        )
        found = row(database, query, *keys)
    assert found is not None
    return Peer(*found)


def was_met(database: Database, account: AccountId, keys: DevicePublicKeys) -> bool:
    """Tell whether a device with these keys is, or was, known of an account."""
    query = "SELECT 1 FROM peers WHERE account_id = ? AND signing_key = ? AND agreement_key = ?"
    return row(database, query, account, keys.signing_key, keys.agreement_key) is not None


def address_of(database: Database, peer: int) -> tuple[AccountId, DeviceNumber]:
    """Return account and number of a device by its row."""
    found = row(database, "SELECT account_id, device FROM peers WHERE peer = ?", peer)
    assert found is not None
    return AccountId(found[0]), DeviceNumber(found[1])


def save_prekeys_seen(database: Database, peer: int, serial: int) -> None:
    """Remember the highest serial of the rotating prekeys; the device can be sealed for."""
    database.run(
        "UPDATE peers SET prekey_serial = ?, absent = NULL, absent_at = NULL WHERE peer = ?",
        serial,
        peer,
    )


def save_absent(database: Database, peer: int, reason: AbsenceReason, now: UnixMillis) -> None:
    """Remember that a device can't be sealed for, and why."""
    database.run("UPDATE peers SET absent = ?, absent_at = ? WHERE peer = ?", reason, now, peer)


def session_began(database: Database, peer: int, generation: int) -> None:
    """A new session with a device is the active one; its account had this generation.

    So the device can be sealed for, whatever was known of its prekeys.
    """
    database.run(
        "UPDATE peers SET generation = ?, renew = 0, absent = NULL, absent_at = NULL "
        "WHERE peer = ?",
        generation,
        peer,
    )


def generation_of(database: Database, peer: int) -> int:
    """Return the generation that a device's account had when its last session began."""
    found = row(database, "SELECT generation FROM peers WHERE peer = ?", peer)
    return 0 if found is None else int(found[0])


def ask_to_renew(database: Database) -> None:
    """Every session is to be replaced by a new one before anything is sealed again."""
    database.run(
        "UPDATE peers SET renew = ? WHERE peer IN (SELECT peer FROM sessions)", _RENEWAL_NEEDED
    )


def wish_start(database: Database, peer: int) -> None:
    """The next thing that is sealed for a device is to start a session, if it has prekeys."""
    database.run("UPDATE peers SET renew = ? WHERE peer = ? AND renew = 0", _RENEWAL_WISHED, peer)


def drop_wish(database: Database, peer: int) -> bool:
    """Forget that a session was wished for; tell whether it was no more than a wish."""
    return (
        database.run(
            "UPDATE peers SET renew = 0 WHERE peer = ? AND renew = ?", peer, _RENEWAL_WISHED
        )
        == 1
    )


def wish_fulfilled(database: Database, peer: int, number: int) -> None:
    """A session was started; if it was wished for, remember its number."""
    if drop_wish(database, peer):
        save_repair_start(database, peer, number)


def save_repair_start(database: Database, peer: int, number: int) -> None:
    """Remember the number of the last session that was started for a repair, by either side."""
    database.run("UPDATE peers SET repair_start = ? WHERE peer = ?", number, peer)


def repair_start(database: Database, peer: int) -> int:
    """Return that number, 0 when there was none."""
    found = row(database, "SELECT repair_start FROM peers WHERE peer = ?", peer)
    return 0 if found is None else int(found[0])


def count_request(database: Database, peer: int, now: UnixMillis) -> int:
    """Count one more repair request of a device; return how many came within this hour."""
    return _count_within_the_hour(database, "requests", peer, now)


def count_asked(database: Database, peer: int, now: UnixMillis) -> int:
    """Count one more repair request to a device; return how many left within this hour."""
    return _count_within_the_hour(database, "asked", peer, now)


def to_renew(database: Database) -> list[tuple[AccountId, DeviceNumber]]:
    """Return the present devices whose sessions are to be replaced."""
    return [
        (AccountId(account), DeviceNumber(device))
        for account, device in database.rows(
            "SELECT account_id, device FROM peers WHERE renew = ? AND removed_at IS NULL "
            "ORDER BY peer",
            _RENEWAL_NEEDED,
        )
    ]


def to_renew_of(database: Database, account_id: AccountId) -> frozenset[DeviceNumber]:
    """Return the devices of one account whose sessions are to be replaced.

    A wish counts only while something waits that says why the session begins: a start without it
    would look like a copy of this device.
    """
    found = database.rows(
        "SELECT device FROM peers WHERE account_id = ? AND (renew = ? OR renew = ? AND EXISTS "
        "(SELECT 1 FROM outbox_recipients JOIN outbox USING (message_id) WHERE explains_start "
        "AND direct_device = peers.device "
        "AND outbox_recipients.account_id = peers.account_id))",
        account_id,
        _RENEWAL_NEEDED,
        _RENEWAL_WISHED,
    )
    return frozenset(DeviceNumber(device) for (device,) in found)


def removed_since(
    database: Database, account_id: AccountId, device: DeviceNumber, since: UnixMillis
) -> tuple[int, bytes, bytes] | None:
    """Return (row, signing key, agreement key) of a device that was logged out since then.

    None for one whose mail was drained: :func:`end_removed`.
    """
    found = row(
        database,
        "SELECT peer, signing_key, agreement_key FROM peers WHERE account_id = ? AND device = ? "
        "AND removed_at > ? ORDER BY peer DESC",
        account_id,
        device,
        since,
    )
    return None if found is None else (found[0], found[1], found[2])


def mark_removed(database: Database, certificate: DeviceCertificate, now: UnixMillis) -> None:
    """A device was logged out: it is believed until the mailbox is drained, but not for long."""
    find_or_add(database, certificate)
    database.run(
        "UPDATE peers SET removed_at = coalesce(removed_at, ?) WHERE account_id = ? AND device = ?",
        now,
        certificate.account_id,
        certificate.device,
    )


def end_removed(database: Database) -> None:
    """The mailbox is drained: devices that were logged out have nothing on its way any more."""
    database.run("UPDATE peers SET removed_at = 0 WHERE removed_at > 0")


def _count_within_the_hour(database: Database, counter: str, peer: int, now: UnixMillis) -> int:
    database.run(
        f"UPDATE peers SET {counter}_since = ?1, {counter} = 0 WHERE peer = ?2 "  # noqa: S608
        f"AND NOT ({counter}_since > ?1 - ?3 AND {counter}_since <= ?1)",
        now,
        peer,
        HOUR_MS,
    )
    database.run(f"UPDATE peers SET {counter} = {counter} + 1 WHERE peer = ?", peer)  # noqa: S608
    found = row(database, f"SELECT {counter} FROM peers WHERE peer = ?", peer)  # noqa: S608
    return 0 if found is None else int(found[0])
