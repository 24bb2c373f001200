"""Keeping the own prekeys at their level (spec 04, "Prekeys").

Pairs are stored before they leave, and what the relay has not confirmed is sent again as the
same bytes. The stock is refilled to a constant level, so its size tells nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.identifiers import UnixMillis
from untether.base.limits import (
    CLOCK_AHEAD_MAX_MS,
    LIST_BODY_MAX,
    ONE_TIME_PREKEYS,
    PREKEY_RETIRED_MS,
    PREKEY_ROTATION_MS,
)
from untether.device.context import Context
from untether.device.parties import own_party
from untether.device.store import own_standing, prekeys
from untether.device.store.own_standing import Renewal
from untether.protocol.pairwise.prekeys import (
    PrekeyPairSecret,
    PublicPrekeyPair,
    generate_one_time,
    generate_rotating,
    sign,
)
from untether.wire import codec
from untether.wire.client_frames import DepositPrekeys
from untether.wire.records import PrekeyStock, SignedPrekey
from untether.wire.server_frames import PrekeysStored, ServerFrame


def full_stock(context: Context) -> PrekeyStock:
    """Return what a device brings when it is admitted, made where it is missing."""
    _rotate_if_due(context)
    missing = ONE_TIME_PREKEYS - len(prekeys.not_uploaded(context.database))
    for _ in range(missing):
        prekeys.add(context.database, generate_one_time(context.now, context.randomness))
    return unconfirmed(context)


def keep_up(context: Context, one_time_at_relay: int) -> None:
    """Rotate and refill when due; called when a login tells how many pairs are left.

    A whole new stock that waits for its confirmation is sent once the mailbox is drained.
    """
    if own_standing.load(context.database).renewal is Renewal.MADE:
        return
    rotated = _rotate_if_due(context)
    waiting = len(prekeys.not_uploaded(context.database))
    for _ in range(ONE_TIME_PREKEYS - one_time_at_relay - waiting):
        prekeys.add(context.database, generate_one_time(context.now, context.randomness))
    if rotated or one_time_at_relay < ONE_TIME_PREKEYS:
        context.request(DepositPrekeys(unconfirmed(context)))


def replace_all(context: Context) -> None:
    """Make new pairs in place of all; those that a copy may have used are handed out no more.

    Called with a drained mailbox; :func:`send_replacement` follows until the relay confirms.
    """
    prekeys.delete_one_time(context.database)
    current = prekeys.newest_rotating(context.database)
    prekeys.retire_rotating(context.database, context.now)
    serial = 0 if current is None else current.secret.serial
    prekeys.add(context.database, generate_rotating(serial, context.now, context.randomness))
    for _ in range(ONE_TIME_PREKEYS):
        prekeys.add(context.database, generate_one_time(context.now, context.randomness))


def send_replacement(context: Context) -> None:
    """Have the relay hold what it has not confirmed, and nothing else."""
    context.request(DepositPrekeys(unconfirmed(context), replace=True))


def on_deposited(context: Context, request: DepositPrekeys, answer: ServerFrame) -> None:
    """The relay has them."""
    if isinstance(answer, PrekeysStored):
        mark_uploaded(context, request.prekeys)
        if request.replace:
            standing = own_standing.load(context.database)
            own_standing.save(context.database, replace(standing, renewal=Renewal.NOT_DUE))


def mark_uploaded(context: Context, stock: PrekeyStock) -> None:
    """Note that the relay has confirmed a stock."""
    signed = (stock.rotating, *stock.one_time)
    prekeys.mark_uploaded(context.database, [_prekey_id(one) for one in signed])


def forget_retired(context: Context) -> None:
    """Delete rotating pairs replaced long ago; called only when the mailbox is drained."""
    prekeys.delete_retired(context.database, UnixMillis(context.now - PREKEY_RETIRED_MS))


def _rotate_if_due(context: Context) -> bool:
    current = prekeys.newest_rotating(context.database)
    if current is not None:
        age_ms = context.now - current.secret.created_at
        if -CLOCK_AHEAD_MAX_MS <= age_ms < PREKEY_ROTATION_MS:  # else the clock was ahead
            return not current.uploaded
    serial = 0 if current is None else current.secret.serial
    prekeys.retire_rotating(context.database, context.now)
    prekeys.add(context.database, generate_rotating(serial, context.now, context.randomness))
    return True


def unconfirmed(context: Context) -> PrekeyStock:
    """Return what the relay has not confirmed, and the rotating pair with it."""
    rotating = prekeys.newest_rotating(context.database)
    assert rotating is not None
    return PrekeyStock(
        rotating=_sign(context, rotating.secret),
        one_time=tuple(_sign(context, secret) for secret in prekeys.not_uploaded(context.database)),
    )


def _sign(context: Context, secret: PrekeyPairSecret) -> SignedPrekey:
    return sign(secret, own_party(context), context.own.secrets.signing_seed)


def _prekey_id(signed: SignedPrekey) -> bytes:
    return codec.decode(signed.body, PublicPrekeyPair, size_max=LIST_BODY_MAX).id
