"""One table: which frame, who may send it, which decision it is (spec 08, "Who may send what").

:func:`handle` is the whole entrance. It never raises for what a client sent: every refusal is
an answer. What does come out of it, e.g. a full disk, is the operator's business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple

from untether.base.errors import PlatformError, UntetherError
from untether.base.identifiers import UnixMillis
from untether.base.randomness import Randomness
from untether.relay import (
    accounts,
    link_desk,
    list_requests,
    login,
    mailbox,
    prekeys,
    push,
    status,
    submission,
)
from untether.relay.admission import Terms, admit
from untether.relay.budgets import (
    LINK_ITEMS,
    LINK_SLOTS,
    LOGINS,
    NAME_LOOKUPS,
    SIGNED_UPLOADS,
    SUBMITS,
)
from untether.relay.lists import account_lists
from untether.relay.outcome import Call, CutDevice, Decision, Outcome, Refusal
from untether.relay.principals import Bearer, Device, Guest, Principal
from untether.relay.session import RelaySession
from untether.relay.transaction import RelayStore, RelayTransaction
from untether.wire import client_frames as frames
from untether.wire.client_frames import ClientFrame
from untether.wire.server_frames import LoggedOut, Refused

Decide = Callable[[RelayTransaction, Call, Any], Awaitable[Decision]]
"""``Any`` is the frame of the table's key, or what ``prepare`` makes of it."""


class Rule(NamedTuple):
    """What the relay does with one kind of frame.

    ``prepare`` checks signatures that need no row, before the transaction.
    """

    decide: Decide
    terms: Terms
    prepare: Callable[[Call, Any], Any] | None = None


_GUESTS: Final[frozenset[type[Principal]]] = frozenset({Guest})
_DEVICES: Final[frozenset[type[Principal]]] = frozenset({Device})
_GUESTS_AND_DEVICES = _GUESTS | _DEVICES
_ALL = _GUESTS_AND_DEVICES | {Bearer}

RULES: Final[Mapping[type[ClientFrame], Rule]] = {
    frames.Login: Rule(login.log_in, Terms(_GUESTS, guest_rate=LOGINS), login.prove),
    frames.Register: Rule(accounts.register, Terms(_GUESTS), accounts.prove_newcomer),
    frames.Recover: Rule(list_requests.recover, Terms(_GUESTS)),
    frames.PublishLists: Rule(
        list_requests.publish, Terms(_DEVICES, SIGNED_UPLOADS), list_requests.count_lists
    ),
    frames.FetchLists: Rule(list_requests.fetch, Terms(_ALL)),
    frames.ResolveName: Rule(accounts.resolve_name, Terms(_GUESTS_AND_DEVICES, NAME_LOOKUPS)),
    frames.Resign: Rule(list_requests.resign, Terms(_DEVICES)),
    frames.DepositPrekeys: Rule(prekeys.deposit, Terms(_DEVICES, SIGNED_UPLOADS)),
    frames.ClaimPrekeys: Rule(prekeys.claim, Terms(_DEVICES)),
    frames.Submit: Rule(submission.submit, Terms(_DEVICES, SUBMITS), submission.count_recipients),
    frames.SubmitDirect: Rule(
        submission.submit_direct, Terms(_DEVICES, SUBMITS), submission.count_recipient
    ),
    frames.StartReceiving: Rule(mailbox.start_receiving, Terms(_DEVICES)),
    frames.Acknowledge: Rule(mailbox.acknowledge, Terms(_DEVICES)),
    frames.FetchStatus: Rule(status.fetch_status, Terms(_DEVICES)),
    frames.SubscribePush: Rule(push.subscribe, Terms(_DEVICES, SIGNED_UPLOADS)),
    frames.UnsubscribePush: Rule(push.unsubscribe, Terms(_DEVICES, SIGNED_UPLOADS)),
    frames.OpenLinkSlot: Rule(link_desk.open_slot, Terms(_GUESTS, LINK_SLOTS)),
    frames.ClaimLinkSlot: Rule(link_desk.claim_slot, Terms(_DEVICES)),
    frames.PutLinkItem: Rule(link_desk.put_item, Terms(_GUESTS_AND_DEVICES, guest_rate=LINK_ITEMS)),
    frames.GetLinkItem: Rule(link_desk.get_item, Terms(_GUESTS_AND_DEVICES, guest_rate=LINK_ITEMS)),
}


ALONE: Final[frozenset[type[ClientFrame]]] = frozenset(
    {
        frames.Login,
        frames.Register,
        frames.Recover,
        frames.Resign,
        frames.StartReceiving,
        frames.PublishLists,
        frames.FetchLists,
        frames.GetLinkItem,
    }
)
"""What changes who a connection is, or may have a large answer: it is decided by itself, after all
before and before all behind it."""


def handle(
    store: RelayStore,
    session: RelaySession,
    frame: ClientFrame,
    now: UnixMillis,
    randomness: Randomness,
) -> Coroutine[Any, Any, Outcome]:
    """Decide one frame; awaiting ends after everything that it changed is durable.

    The frame takes its place in the store's order at the call, so frames of one connection
    may be handled at the same time, but nothing before its login is answered. Then ``session``
    is the only thing that changed.
    """
    deciding: Awaitable[Decision]
    try:
        deciding = _begin(store, Call(session, now, randomness), frame)
    except Exception as error:
        deciding = _failed(error)
    return _outcome(session, deciding)


def _begin(store: RelayStore, call: Call, frame: ClientFrame) -> Awaitable[Decision]:
    session = call.session
    rule = RULES[type(frame)]
    admit(session, rule.terms, call.now)
    request = rule.prepare(call, frame) if rule.prepare else frame
    decide = _as_present_device if isinstance(session.principal, Device) else _as_anybody
    return store.transact(decide, rule, call, request)


async def _failed(error: Exception) -> Decision:
    raise error


async def _outcome(session: RelaySession, deciding: Awaitable[Decision]) -> Outcome:
    try:
        decision = await deciding
    except Refusal as refusal:
        return Outcome(Refused(refusal.code, refusal.retry_after_ms), session)
    except PlatformError:
        raise
    except UntetherError as error:
        return Outcome(Refused(error.code), session)
    if decision.principal is not None:
        session = session.as_principal(decision.principal)
    return Outcome(decision.answer, session, decision.effects)


async def _as_anybody(tx: RelayTransaction, rule: Rule, call: Call, request: object) -> Decision:
    return await rule.decide(tx, call, request)


async def _as_present_device(
    tx: RelayTransaction, rule: Rule, call: Call, request: object
) -> Decision:
    """Decide only if the device is still present: its list may have changed since its login."""
    address = call.address
    account = await tx.account(address.account_id)
    if account is None:
        raise Refusal("no-such-account")
    if address.device not in account.present:
        last_word = LoggedOut(await account_lists(tx, account, after=None, reader=address))
        return Decision(Refused("not-listed"), (CutDevice(address, last_word),))
    return await rule.decide(tx, call, request)
