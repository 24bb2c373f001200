"""One device as a machine: one table from inputs to functions, no logic (spec 06).

The caller opens a transaction, calls :func:`handle`, commits, and only then performs the
effects. The engine keeps nothing between calls, so several processes may share one profile.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from untether.base.identifiers import UnixMillis
from untether.base.randomness import Randomness
from untether.device import (
    connection,
    contacts,
    inputs,
    leases,
    linking,
    linking_companion,
    linking_phone,
    log_out,
    membership,
    outbox,
    outgoing,
    prekeys,
    publication,
    recovery,
    registration,
    same_phone,
    upkeep,
    verdicts,
    verification,
)
from untether.device.context import Context
from untether.device.effects import Effect
from untether.device.inputs import Input, RelayAnswered
from untether.device.store.database import Database
from untether.wire import client_frames


def handle(
    event: Input, *, now: UnixMillis, randomness: Randomness, database: Database
) -> list[Effect]:
    """Take one input inside the open transaction; return what to do after its commit.

    Raises UntetherError when the input can't be carried out; the transaction is then to be
    rolled back, and nothing has happened.
    """
    context = Context(database, now, randomness)
    INPUTS[type(event)](context, event)
    return context.effects


def _answered(context: Context, event: RelayAnswered) -> None:
    act = ANSWERS.get(type(event.request))
    if act is not None:
        act(context, event.request, event.answer)


INPUTS: dict[type, Callable[[Context, Any], None]] = {
    inputs.Challenged: connection.challenged,
    inputs.RelayAnswered: _answered,
    inputs.RelayPushed: connection.pushed,
    inputs.Tick: upkeep.tick,
    inputs.StartMail: connection.start_mail,
    inputs.BeginRegistration: registration.begin,
    inputs.CertificateSigned: verification.signed,
    inputs.BeginRecovery: recovery.begin,
    inputs.ConfirmRecovery: recovery.confirm,
    inputs.RecoverSamePhone: same_phone.recover,
    inputs.SetLease: leases.set_lease,
    inputs.VerificationRefused: verification.refused,
    inputs.OfferLink: linking_companion.offer,
    inputs.ConfirmAccount: linking_companion.confirm,
    inputs.ApproveLink: linking_phone.approve,
    inputs.ConfirmLink: linking_phone.confirm,
    inputs.CancelLink: linking.cancel,
    inputs.LogOutDevice: log_out.log_out,
    inputs.Resign: log_out.resign,
    inputs.SendText: outgoing.send_text,
    inputs.AcceptContact: contacts.accept,
    inputs.MarkVerified: contacts.mark_verified,
}
"""Input → what it does."""

ANSWERS: dict[type, Callable[[Context, Any, Any], None]] = {
    client_frames.Login: connection.on_login,
    client_frames.Register: registration.on_answer,
    client_frames.Recover: recovery.on_answer,
    client_frames.PublishLists: publication.on_published,
    client_frames.Resign: log_out.on_resigned,
    client_frames.OpenLinkSlot: linking.on_slot_opened,
    client_frames.ClaimLinkSlot: linking.on_claimed,
    client_frames.PutLinkItem: linking.on_put,
    client_frames.GetLinkItem: linking.on_item,
    client_frames.FetchLists: membership.on_lists,
    client_frames.ResolveName: contacts.on_resolved,
    client_frames.DepositPrekeys: prekeys.on_deposited,
    client_frames.ClaimPrekeys: outbox.on_prekeys,
    client_frames.Submit: verdicts.on_submitted,
    client_frames.SubmitDirect: verdicts.on_submitted,
}
"""Request → what its answer does."""
