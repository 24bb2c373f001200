"""The row of this device: its keys, its account and where it stands (spec 06, "Own device")."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final

from msgspec import Struct

from untether.base.errors import LocalError
from untether.base.identifiers import AccountId, DeviceNumber, RelayId
from untether.base.limits import CERTIFICATE_BODY_MAX, LEASE_DEFAULT_MS
from untether.base.secret_bytes import SecretBytes
from untether.device.store.database import Database
from untether.protocol.identity.account import account_id
from untether.protocol.identity.certificate import CertificateBody, Role
from untether.protocol.identity.keys import DevicePublicKeys, DeviceSecrets
from untether.wire import codec
from untether.wire.content import DeviceKind
from untether.wire.records import SignedCertificate, Stamp

_CERTIFICATE_MAX = 1024  # our own row: some 250 bytes
_STAMP_MAX = 64  # our own row: two numbers


class State(Enum):
    """Where this device stands."""

    REGISTERING = "registering"
    RECOVERING = "recovering"
    LINKING = "linking"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    LOGGED_OUT = "logged-out"


class OwnDevice(Struct, frozen=True):
    """Everything about this device; the defaults are those of one that is not listed yet.

    ``certificate`` is None until the account key signed it. ``recovery_code_unseen``: the
    account was made here, and its code has not been shown to the end.
    """

    state: State
    account_key: bytes
    name: str
    origin: str
    role: Role
    device: DeviceNumber
    secrets: DeviceSecrets
    device_name: str
    device_kind: DeviceKind
    relay_id: RelayId | None = None
    generation: int = 0
    certificate: SignedCertificate | None = None
    sealed_account_seed: bytes | None = None
    login_counter: int = 0
    acknowledged: Stamp | None = None
    invitation: str | None = None
    lease_ms: int = LEASE_DEFAULT_MS
    recovery_code_unseen: bool = False
    device_platform: str = ""

    @property
    def takes_part(self) -> bool:
        """Whether this device may send and receive, as far as it knows; a suspended one may."""
        return self.state in (State.ACTIVE, State.SUSPENDED)

    @property
    def account_id(self) -> AccountId:
        """Hash of the account key."""
        return account_id(self.account_key)

    @property
    def public_keys(self) -> DevicePublicKeys:
        """Those of ``secrets``; read from the certificate, which costs less than deriving them."""
        if self.certificate is None:
            return self.secrets.public_keys
        body = codec.decode(self.certificate.body, CertificateBody, size_max=CERTIFICATE_BODY_MAX)
        return DevicePublicKeys(body.signing_key, body.agreement_key)


_COLUMNS = (
    "state, account_key, account_name, origin, relay_id, role, device, generation, "
    "signing_seed, agreement_seed, certificate, device_name, device_kind, "
    "sealed_account_seed, login_counter, acknowledged, invitation, lease_ms, "
    "recovery_code_unseen, device_platform"
)


def load(database: Database) -> OwnDevice | None:
    """Return this device, or None in a profile that was never used."""
    found = database.rows(f"SELECT {_COLUMNS} FROM own_device")  # noqa: S608 (constant)
    if not found:
        return None
    row = found[0]
    return OwnDevice(
        state=State(row[0]),
        account_key=row[1],
        name=row[2],
        origin=row[3],
        relay_id=None if row[4] is None else RelayId(row[4]),
        role=Role(row[5]),
        device=DeviceNumber(row[6]),
        generation=row[7],
        secrets=DeviceSecrets(SecretBytes(row[8]), SecretBytes(row[9])),
        certificate=None
        if row[10] is None
        else codec.decode(row[10], SignedCertificate, size_max=_CERTIFICATE_MAX),
        device_name=row[11],
        device_kind=row[12],
        sealed_account_seed=row[13],
        login_counter=row[14],
        acknowledged=None if row[15] is None else codec.decode(row[15], Stamp, size_max=_STAMP_MAX),
        invitation=row[16],
        lease_ms=row[17],
        recovery_code_unseen=bool(row[18]),
        device_platform=row[19],
    )


def require(database: Database) -> OwnDevice:
    """Return this device; raises LocalError ``no-account`` in an unused profile."""
    own = load(database)
    if own is None:
        raise LocalError(
            "no-account",
            "This profile has no account yet.",
            "Make one with `untether register NAME --server URL`, or link this device with "
            "`untether link --server URL`.",
        )
    return own


def save(database: Database, own: OwnDevice) -> None:
    """Write the whole row."""
    database.run(
        f"INSERT OR REPLACE INTO own_device (only_row, {_COLUMNS}) "  # noqa: S608 (constant)
        "VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        own.state.value,
        own.account_key,
        own.name,
        own.origin,
        own.relay_id,
        int(own.role),
        own.device,
        own.generation,
        bytes(own.secrets.signing_seed),
        bytes(own.secrets.agreement_seed),
        None if own.certificate is None else codec.encode(own.certificate),
        own.device_name,
        own.device_kind,
        own.sealed_account_seed,
        own.login_counter,
        None if own.acknowledged is None else codec.encode(own.acknowledged),
        own.invitation,
        own.lease_ms,
        own.recovery_code_unseen,
        own.device_platform,
    )


def save_acknowledged(database: Database, up_to: Stamp) -> None:
    """Remember the newest mail that was taken; this often, no keys are written again."""
    database.run("UPDATE own_device SET acknowledged = ?", codec.encode(up_to))


def mark_recovery_code_seen(database: Database) -> None:
    """Remember that the person has been shown the recovery code."""
    database.run("UPDATE own_device SET recovery_code_unseen = 0")


ERASED_WITH_KEYS: Final = (
    "sessions",
    "sending_chains",
    "skipped_keys",
    "prekeys",
    "used_base_keys",
    "outbox",
    "outbox_recipients",
    "sent_again",
    "sent",
    "publications",
    "companion_links",
    "phone_links",
    "own_resignation",
)
"""Tables that a logged-out device must not keep; messages, contacts and lists stay."""

ERASED_WITH_MESSAGES: Final = (
    "messages",
    "parked",
    "repairs",
    "seen",
    "contacts",
    "peers",
    "claims_asked",
    "claims_said",
    "notices",
    "receipts_due",
    "counters",
    "counters_heard",
    "counters_missing",
    "own_device_notices",
)
"""Tables of what people wrote, and whom they knew."""


def erase_keys(database: Database) -> None:
    """Erase what a logged-out device must not keep."""
    _empty(database, ERASED_WITH_KEYS)
    database.run(
        "UPDATE own_device SET state = ?, signing_seed = zeroblob(32), "
        "agreement_seed = zeroblob(32), sealed_account_seed = NULL",
        State.LOGGED_OUT.value,
    )


def erase_messages(database: Database) -> None:
    """Erase what people wrote, as the owner ordered, and what was known of other accounts."""
    _empty(database, ERASED_WITH_MESSAGES)
    own = load(database)
    if own is not None:
        database.run("DELETE FROM accounts WHERE account_id <> ?", own.account_id)
        database.run("DELETE FROM resignations WHERE account_id <> ?", own.account_id)


def erase_everything(database: Database) -> None:
    """Empty every table but the list of upgrades: the profile is unused again."""
    tables = database.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
        "AND name <> 'upgrade_done'"
    )
    _empty(database, [table for (table,) in tables])


def _empty(database: Database, tables: Iterable[str]) -> None:
    for table in tables:
        database.run(f'DELETE FROM "{table}"')  # noqa: S608 (names of our own tables)
