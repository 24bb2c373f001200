"""What happens between the relay's challenge and an idle connection (spec 08, "Login").

At each connection everything open is done again from its rows: unpublished lists, prekeys,
messages, parked mail. So a lost answer or a killed process needs no other care.
"""

from __future__ import annotations

from untether.base.errors import TrustError
from untether.base.limits import CLOCK_WARNING_MS
from untether.device import (
    account_lists,
    directory,
    introductions,
    leases,
    linking,
    membership,
    own_account,
    recovery,
    registration,
    restored,
    upkeep,
)
from untether.device.context import Context
from untether.device.events import ClockDiffers, ReceivingElsewhere
from untether.device.inputs import Challenged, RelayPushed, StartMail
from untether.device.store.own_device import OwnDevice, State
from untether.protocol.identity.login import LoginStatement, sign_login
from untether.wire.client_frames import Login, StartReceiving
from untether.wire.server_frames import (
    Challenge,
    Deliveries,
    Displaced,
    LinkNews,
    ListNews,
    LoggedOut,
    NotListed,
    ServerFrame,
    Welcome,
)

NONCE_LENGTH = 32


def challenged(context: Context, event: Challenged) -> None:
    """Log in, or go on with a registration; raises TrustError ``relay-changed``."""
    own = context.own_or_none
    if own is None:
        linking.pursue(context)
        return
    own = _pin_relay(context, own, event.challenge)
    difference = event.challenge.relay_time - context.now
    if abs(difference) > CLOCK_WARNING_MS:
        context.notify(ClockDiffers(difference))
    if own.state is State.REGISTERING:
        registration.submit(context)
    elif own.state is State.LINKING:
        linking.pursue(context)
    elif own.takes_part:
        _log_in(context, event)
    elif own.state is State.RECOVERING:
        recovery.go_on(context)


def on_login(context: Context, request: Login, answer: ServerFrame) -> None:
    """The relay lists this device, or says why not."""
    if isinstance(answer, Welcome):
        _welcomed(context, request, answer)
    elif isinstance(answer, NotListed):
        membership.not_listed(context, answer.account)


def start_mail(context: Context, _command: StartMail) -> None:
    """Become the receiving socket."""
    context.request(StartReceiving(context.active.acknowledged))


def pushed(context: Context, event: RelayPushed) -> None:
    """Take mail or news; neither is for a device that takes no part yet."""
    own = context.own_or_none
    takes_part = own is not None and own.takes_part
    match event.frame:
        case Deliveries() if takes_part:
            account_lists.take_mail(context, event.frame)
        case ListNews() if takes_part:  # the head is known already when a device has resigned
            directory.fetch(context, context.own.account_id)
        case LinkNews():
            linking.news(context, event.frame)
        case LoggedOut():
            membership.not_listed(context, event.frame.account)
        case Displaced():
            context.notify(ReceivingElsewhere())


def _pin_relay(context: Context, own: OwnDevice, challenge: Challenge) -> OwnDevice:
    if own.relay_id is None:
        return context.change_own(relay_id=challenge.relay_id)
    if own.relay_id != challenge.relay_id:
        raise TrustError(
            "relay-changed",
            f"{own.origin} is another relay than the one this account was made on.",
            "Check the address; if the relay lost its database, its owner must restore it.",
        )
    return own


def _log_in(context: Context, event: Challenged) -> None:
    own = context.own
    assert own.certificate is not None
    counter = own.login_counter + 1
    context.change_own(login_counter=counter)
    nonce = context.randomness(NONCE_LENGTH)
    statement = LoginStatement(
        relay_id=event.challenge.relay_id,
        origin=event.origin,
        server_nonce=event.challenge.nonce,
        client_nonce=nonce,
        account_id=own.account_id,
        device=own.device,
        counter=counter,
    )
    context.request(
        Login(
            certificate=own.certificate,
            nonce=nonce,
            origin=event.origin,
            counter=counter,
            signature=sign_login(own.secrets.signing_seed, statement),
        )
    )


def _welcomed(context: Context, login: Login, welcome: Welcome) -> None:
    if context.own.state is State.SUSPENDED:
        context.change_own(state=State.ACTIVE)
    restored.compare_memories(context, login, welcome)
    held = own_account.newest(context).head
    if welcome.head == held:
        leases.renew_if_due(context)
    elif welcome.head.is_news_to(held):
        directory.fetch(context, context.own.account_id)
    else:
        own_account.mark_missing_at_relay(context, welcome.head)
    introductions.introduce_new_phone(context)
    upkeep.run(context, one_time_at_relay=welcome.one_time_prekeys)
