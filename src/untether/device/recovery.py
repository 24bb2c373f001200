"""A new phone for an account whose old one is gone (spec 02, "Recovery").

Theory of operation. The recovery code has opened the account key, outside the engine. The new
phone asks the relay, as a guest, for the newest list; its owner says which companions stay;
the account key certifies the new phone with the next generation; and the list that starts this
generation goes to the relay with the phone's prekeys, all or nothing.

What stands in the rows decides how to go on after a lost answer or a crash: no certificate →
ask for the list again; a certificate → the list is signed, and the same bytes are sent again.
A signed list that the relay can't take is dropped together with its generation: the next one
has a higher number, so no two lists are ever signed for one place.

A phone that another one has displaced comes here too (:func:`begin_again`): it keeps its
messages and its seal, and gets new keys and a new number.
"""

from __future__ import annotations

from msgspec.structs import replace

from untether.base.errors import LocalError, RemoteError
from untether.base.identifiers import DeviceNumber
from untether.base.limits import LISTS_PER_ANSWER_MAX
from untether.device import directory, new_generation, own_account, prekeys, registration
from untether.device.context import Context
from untether.device.events import AccountActivated, RecoveryFound, RequestRefused
from untether.device.inputs import BeginRecovery, CertificateSigned, ConfirmRecovery
from untether.device.store import (
    accounts,
    messages,
    outbox,
    own_device,
    own_lists,
    own_standing,
    publications,
    sessions,
)
from untether.device.store import prekeys as prekey_rows
from untether.device.store.own_device import State
from untether.device.store.own_standing import OwnStanding
from untether.protocol.identity.device_list import open_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.next_list import first_number_of_generation
from untether.wire.client_frames import FetchLists, Recover
from untether.wire.server_frames import PASSING_REFUSALS, Done, Lists, Refused, ServerFrame


def begin(context: Context, command: BeginRecovery) -> None:
    """Make this device's keys; the next connection asks for the account's list."""
    context.require_unused("recover")
    context.save_own(registration.new_phone(context, command, State.RECOVERING))


def begin_again(context: Context) -> None:
    """Make a displaced phone a new one: other keys, and nothing that belonged to the old."""
    sessions.delete_all(context.database)
    prekey_rows.delete_all(context.database)
    outbox.unseal_all(context.database)
    own_lists.delete_unpublished(context.database)
    publications.take_given_up(context.database)  # the owner says anew which companions stay
    context.change_own(
        state=State.RECOVERING,
        secrets=DeviceSecrets.generate(context.randomness),
        certificate=None,
        acknowledged=None,
    )
    go_on(context)


def go_on(context: Context) -> None:
    """Ask for what is missing, at the beginning and at each connection."""
    if context.own.certificate is None:
        directory.fetch(context, context.own.account_id)
    else:
        _submit(context)


def on_lists(context: Context, _request: FetchLists, answer: ServerFrame) -> None:
    """Show the owner which companions the account has."""
    own = context.own
    if own.certificate is not None:
        return
    if isinstance(answer, Refused):
        _fail(context, answer.code, answer.retry_after_ms)
    elif not isinstance(answer, Lists) or answer.account_id != own.account_id:
        return
    elif answer.account.name != own.name:
        _fail(context, "recovery-wrong-name")
    else:
        try:
            directory.learn(context, own.account_id, answer.account)
        except RemoteError as error:
            _fail(context, error.code)
            return
        if not answer.account.more:
            _show_companions(context)


def confirm(context: Context, command: ConfirmRecovery) -> None:
    """Consume generation and number, and have the account key certify this phone."""
    own = context.own
    held = directory.held_list(context, own.account_id)
    if own.state is not State.RECOVERING or held is None:
        raise _nothing_to_confirm()
    if own.certificate is not None:
        _submit(context)
        return
    companions = {one.device for one in held.companions}
    for number in command.keep:
        if number not in companions:
            raise LocalError(
                "no-such-device",
                f"The account has no companion {number}.",
                "Keep only companions that were shown.",
            )
    generation = max(held.head.generation, own.generation) + 1
    number = first_number_of_generation(generation, DeviceNumber(held.next_number - 1))
    messages.renumber_unsent(context.database, own.account_id, own.device, number)
    own = context.change_own(generation=generation, device=number)
    standing = own_standing.load(context.database)
    own_standing.save(context.database, replace(standing, kept=command.keep))
    context.sign_certificate(new_generation.certificate_body(own))


def certificate_signed(context: Context, signed: CertificateSigned) -> None:
    """Sign the list that starts the generation, and send it with the prekeys."""
    if context.own.certificate is None:
        held = directory.held_list(context, context.own.account_id)
        kept = own_standing.load(context.database).kept
        if held is None or kept is None:
            raise _nothing_to_confirm()
        first = new_generation.sign_first_list(context, signed, held, kept)
        own_lists.add(context.database, first, signed_here=True, published=False)
    _submit(context)


def verification_refused(context: Context) -> None:
    """The account key will not sign: the owner may confirm again."""
    context.notify(RequestRefused("recover", "verification-refused"))


def on_answer(context: Context, request: Recover, answer: ServerFrame) -> None:
    """This is the account's phone now, or its owner must look again."""
    own = context.own_or_none
    if own is None or own.state is not State.RECOVERING:
        return
    if isinstance(answer, Done):
        prekeys.mark_uploaded(context, request.prekeys)
        first = open_list(request.lists[-1], own.account_key)
        own_account.store_recovered(context, first, published=True)
        own_standing.save(context.database, OwnStanding())
        context.change_own(state=State.ACTIVE)
        context.notify(AccountActivated(own.account_id, own.name, own.device))
    elif isinstance(answer, Lists):
        _look_again(context, "recovery-moved-on")
    elif isinstance(answer, Refused):
        if answer.code in PASSING_REFUSALS:
            context.notify(RequestRefused("recover", answer.code, answer.retry_after_ms))
        else:
            _look_again(context, answer.code)


def _submit(context: Context) -> None:
    context.request(
        Recover(
            account_id=context.own.account_id,
            lists=tuple(own_lists.unpublished(context.database, LISTS_PER_ANSWER_MAX)),
            prekeys=prekeys.full_stock(context),
        )
    )


def _show_companions(context: Context) -> None:
    account = context.own.account_id
    held = directory.held_list(context, account)
    assert held is not None
    resigned = accounts.resigned(context.database, account)
    found = [one for one in held.companions if one.device not in resigned]
    context.notify(RecoveryFound(tuple((one.device, one.short_code) for one in found)))


def _look_again(context: Context, code: str) -> None:
    """Drop a list that the relay can't take, and start again from the newest one.

    With new keys: should the relay hold the list after all, the old ones are taken.
    """
    own_lists.delete_unpublished(context.database)
    prekey_rows.delete_all(context.database)
    context.change_own(secrets=DeviceSecrets.generate(context.randomness), certificate=None)
    context.notify(RequestRefused("recover", code))
    directory.fetch(context, context.own.account_id)


def _nothing_to_confirm() -> LocalError:
    return LocalError(
        "nothing-to-confirm", "No recovery waits for an answer.", "Run `untether recover`."
    )


def _fail(context: Context, code: str, retry_after_ms: int = 0) -> None:
    """Say why the recovery can't go on; a profile that was new is unused again."""
    has_history = bool(own_lists.newest(context.database, 1))
    if code not in PASSING_REFUSALS and not has_history:
        own_device.erase_everything(context.database)
        context.forget_own()
    context.notify(RequestRefused("recover", code, retry_after_ms))
