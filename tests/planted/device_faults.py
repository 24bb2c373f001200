"""Faults of the device engine: sending, receiving, log-out (spec 02, 06, 07)."""

from __future__ import annotations

from typing import Any

from tests.attacks import defences
from tests.attacks.stand_ins import nothing
from tests.planted.fault import Fault, rule

from untether.base.identifiers import AccountId, MessageId
from untether.client.driver import Driver
from untether.device import (
    content_rules,
    engine,
    fan_out,
    gossip,
    inbox,
    inputs,
    outbox,
    receipts,
    senders,
    verdicts,
)
from untether.device.context import Context
from untether.device.effects import AcknowledgeMail, Notify
from untether.device.events import Event
from untether.device.senders import SenderKind
from untether.device.store import outbox as outbox_rows
from untether.device.store import own_device
from untether.device.store import receipts as receipt_rows
from untether.device.store.outbox import Progress
from untether.protocol.identity.lease import LeaseState

TALKS = "tests/conversations"

_targets = fan_out.targets
_take = inbox._take


def no_own_copies(context: Context, device_list: Any, ended_at: Any) -> list[fan_out.Target]:
    """Seal for the other person only."""
    if device_list.account_id == context.own.account_id:
        return []
    return _targets(context, device_list, ended_at)


def acknowledged_before_opened(context: Context, entry: Any) -> None:
    """Acknowledge each third entry without having taken it."""
    if entry.stamp.number % 3:
        _take(context, entry)


def owe_everybody(context: Context, author: AccountId, message_id: MessageId) -> None:
    """Promise a receipt to strangers as well."""
    receipt_rows.add(context.database, author, message_id, context.now)
    context.wake_at(context.now)


def taken_for_sent(context: Context, recipient: Any, _verdict: object) -> None:
    """Take the relay's newer lists for a yes."""
    outbox_rows.save_progress(
        context.database, recipient.message_id, recipient.account_id, Progress.SENT
    )


async def acknowledge_first(self: Driver, event: inputs.Input) -> list[Event]:
    """Acknowledge mail inside the transaction that stores it, and do all else after that."""
    with self._database.transaction():
        wanted = engine.handle(
            event, now=self.now(), randomness=self.randomness, database=self._database
        )
        for effect in wanted:
            if isinstance(effect, AcknowledgeMail):
                await self._carry_out(effect)
    happened = [effect.event for effect in wanted if isinstance(effect, Notify)]
    for told in happened:
        for listener in self._listeners:
            listener.put_nowait(told)
    for effect in wanted:
        if not isinstance(effect, AcknowledgeMail):
            await self._carry_out(effect)
    return happened


FAULTS = (
    # --- sending --------------------------------------------------------------------------
    Fault(
        "own-copies-not-sent",
        "own devices get no copy of what one of them writes",
        rule(fan_out, "targets", no_own_copies),
    ),
    Fault(
        "sealed-for-itself",
        "a device seals a copy for itself",
        rule(fan_out, "_keys_here", lambda *_: None),
    ),
    Fault(
        "changed-lists-taken-for-sent",
        "a message counts as sent although the relay has answered that lists changed",
        rule(verdicts, "_lists_changed", taken_for_sent),
    ),
    Fault(
        "stale-copies-leave",
        "copies leave that were sealed before a log-out was known",
        defences.CHECK_BEFORE_LEAVING,
        "tests/attacks/test_stale_lists.py"
        "::test_what_was_sealed_before_a_log_out_does_not_leave_after_it",
    ),
    Fault(
        "forked-account-written-to",
        "messages leave for an account with two histories",
        rule(outbox, "_blocked", lambda *_: ""),
        f"{TALKS}/test_forks.py::test_nothing_is_sent_to_a_forked_account_until_a_new_generation",
    ),
    # --- receiving ------------------------------------------------------------------------
    Fault(
        "acknowledged-before-commit",
        "mail is acknowledged inside the transaction that stores it",
        rule(Driver, "handle", acknowledge_first),
        "tests/unit/client/test_driver.py::test_mail_is_acknowledged_last",
    ),
    Fault(
        "acknowledged-before-opened",
        "a third of the mail is acknowledged without having been opened",
        rule(inbox, "_take", acknowledged_before_opened),
    ),
    Fault(
        "not-parked",
        "mail of a device that is not known yet is dropped",
        rule(inbox, "_park", nothing),
    ),
    Fault(
        "failed-open-changes-state",
        "what a failed attempt to open wrote is kept",
        defences.ONE_SAVEPOINT,
        "tests/attacks/test_forged_mail.py::test_a_forged_first_message_uses_no_prekey_up",
    ),
    Fault(
        "anybody-says-anything",
        "what only own devices may say counts from everybody",
        rule(
            content_rules,
            "RULES",
            {kind: (frozenset(SenderKind), act) for kind, (_, act) in content_rules.RULES.items()},
        ),
        f"{TALKS}/test_who_may_say_what.py::test_exactly_the_permitted_cells_act",
    ),
    Fault(
        "conversation-unchecked",
        "a sender writes into the conversation of others",
        defences.CONVERSATION_OF_THE_SENDER,
        "tests/attacks/test_forged_mail.py::test_nobody_speaks_in_the_conversation_of_others",
    ),
    Fault(
        "order-of-arrival",
        "messages are shown in the order in which they came",
        defences.ORDER_OF_MESSAGES,
        "tests/attacks/test_lost_mail.py::test_turned_round_they_are_shown_in_order",
    ),
    Fault(
        "gaps-untold",
        "nobody hears that messages are missing",
        defences.COUNTERS,
        "tests/attacks/test_lost_mail.py::test_dropped_messages_are_missed",
    ),
    Fault(
        "ended-lease-believed",
        "messages of companions are shown after the lease of their list",
        rule(senders, "lease_state", lambda *_: LeaseState.RUNNING),
        f"{TALKS}/test_leases_at_work.py",
    ),
    Fault(
        "receipts-for-strangers",
        "strangers get delivery receipts",
        rule(receipts, "owe", owe_everybody),
        f"{TALKS}/test_receipts.py::test_a_stranger_gets_no_receipt_however_long_they_wait",
    ),
    # --- lists, log-out -----------------------------------------------------------
    Fault(
        "gossip-ignored",
        "a newer list that a message names is not asked for",
        rule(gossip, "hear_own_head", nothing),
        f"{TALKS}/test_gossip.py::test_a_withheld_log_out_ends_after_the_patience",
    ),
    Fault(
        "keys-outlive-log-out",
        "a logged-out device keeps its keys",
        rule(own_device, "erase_keys", nothing),
        f"{TALKS}/test_log_out.py::test_log_out_cuts_a_device_off",
    ),
    Fault(
        "relay-logs-out",
        "a device erases itself because the relay says so",
        defences.LISTS_LOG_OUT,
        "tests/attacks/test_false_log_outs.py::test_a_relay_erases_nothing",
    ),
    Fault(
        "removed-device-believed",
        "mail of a logged-out device is opened for ever",
        rule(senders, "REMOVED_DEVICE_MAIL_MS", 2**50),
        f"{TALKS}/test_removed_devices.py::test_a_stolen_companion_is_not_believed_for_ever",
    ),
    Fault(
        "links-untold",
        "nobody hears of a new device",
        defences.LINKS_ARE_TOLD,
        "tests/attacks/test_link_phishing.py"
        "::test_a_device_linked_by_deceit_is_seen_and_reads_no_history",
    ),
    Fault(
        "names-not-pinned",
        "a name means whatever account the relay gives",
        defences.NAMES_ARE_PINNED,
        "tests/attacks/test_names.py::test_a_name_given_away_takes_nobody_along",
    ),
)
