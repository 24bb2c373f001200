"""Faults of healing: messages sent again, databases put back from a copy (spec 02, 10)."""

from __future__ import annotations

from typing import Any

from tests.attacks.defences import Defence, Place
from tests.attacks.stand_ins import nothing
from tests.planted.fault import Fault, rule

from untether.base.identifiers import MessageId
from untether.device import prekeys, repair, repair_answers, restored, same_phone
from untether.device.context import Context
from untether.device.senders import Sender
from untether.device.store import inbox, outbox, own_lists, sent

TALKS = "tests/conversations"

_send_replacement = prekeys.send_replacement


def whoever_asks(context: Context, _sender: Sender, message_id: MessageId) -> Any:
    """Find what was sent, whoever it was sealed for."""
    return sent.find(context.database, message_id)


def another_stock(context: Context) -> None:
    """Make new prekeys whenever the relay is to replace all."""
    prekeys.replace_all(context)
    _send_replacement(context)


FAULTS = (
    # --- copies ---------------------------------------------------------------------------
    Fault(
        "copy-unnoticed",
        "a database that was put back from a copy goes on as if nothing had happened",
        rule(restored, "compare_memories", nothing),
        f"{TALKS}/test_restored_copies.py::test_a_restored_companion_renews_its_sessions_and_prekeys",
    ),
    Fault(
        "prekeys-made-again",
        "a device that was put back makes new prekeys until the relay has confirmed some",
        rule(prekeys, "send_replacement", another_stock),
        f"{TALKS}/test_restored_copies.py"
        "::test_new_prekeys_are_made_once_however_often_they_are_sent",
    ),
    Fault(
        "log-outs-given-up",
        "a phone that gives way to its other life forgets whom it had logged out",
        rule(same_phone, "_do_again", nothing),
        f"{TALKS}/test_restored_copies.py"
        "::test_a_log_out_signed_before_it_heard_of_its_other_life_is_signed_again",
    ),
    # --- repairs --------------------------------------------------------------------------
    Fault(
        "repair-for-everybody",
        "a message is sent again to a device that it was not sealed for",
        rule(repair_answers, "entitled", whoever_asks),
        f"{TALKS}/test_repair_entitlement.py::test_a_device_that_was_linked_later_gets_nothing",
    ),
    Fault(
        "repair-without-end",
        "a message that can't be opened is asked for without end",
        Defence(Place(repair, "REPAIR_TRIES_MAX", 10**9), Place(repair, "REPAIR_BACK_OFF", 1)),
        f"{TALKS}/test_repair_bounds.py::test_after_five_tries_and_a_month_it_is_given_up",
    ),
    Fault(
        "not-repaired",
        "a message that can't be opened is not asked for",
        rule(repair, "begin", lambda *_: True),
        seeds=40,  # one world in six has a message that can't be opened
    ),
    Fault(
        "request-waits-its-turn",
        "what waited longer goes before the request that explains a fresh session",
        rule(outbox, "_ORDER", "created_at, outbox.message_id"),
        f"{TALKS}/test_repair_starts.py::test_a_request_goes_before_what_waited_longer",
    ),
    Fault(
        "seen-marks-forgotten",
        "a message counts as new whatever its id",
        rule(inbox, "mark_seen", lambda *_: True),
        f"{TALKS}/test_repair.py::test_the_message_after_its_answer_is_not_shown_again",
    ),
    Fault(
        "late-evidence-refused",
        "a list that a contact shows after the next one is known is a message not to be read",
        rule(own_lists, "with_hash", nothing),
        f"{TALKS}/test_gossip.py::test_evidence_that_comes_late_is_no_news",
    ),
)
