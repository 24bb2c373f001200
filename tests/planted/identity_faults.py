"""Faults of identity and linking (spec 02, 03)."""

from __future__ import annotations

from tests.attacks import defences
from tests.attacks.stand_ins import nothing
from tests.planted.fault import Fault, rule

from untether.protocol.identity import list_rules, recovery_code
from untether.protocol.linking import offer, phone

LINKING = "tests/unit/linking"
IDENTITY = "tests/unit/identity"


FAULTS = (
    # --- identity -------------------------------------------------------------------------
    Fault(
        "certificate-unsigned",
        "a device certificate counts without its signatures",
        defences.CERTIFICATE_SIGNATURES,
        "tests/attacks/test_ghost_devices.py::test_a_ghost_gets_no_copy",
    ),
    Fault(
        "list-unsigned",
        "a device list counts without the phone's signature",
        defences.LIST_SIGNATURE,
        f"{IDENTITY}/test_identity_defences.py::test_the_attack_fails_by_this_check_alone",
    ),
    Fault(
        "list-order-unchecked",
        "an older list, of a lower version or generation, replaces a newer one",
        defences.LIST_ORDER,
        "tests/attacks/test_stale_lists.py::test_no_older_list_is_taken",
    ),
    Fault(
        "fork-unnoticed",
        "two lists for one place in the order are no fork",
        rule(list_rules, "_check_same_generation", nothing),
        f"{IDENTITY}/test_lists_in_use.py::test_a_fork_keeps_both_lists_as_evidence",
    ),
    Fault(
        "claim-as-old-as-the-first",
        "a claim about lists is settled by a list that was issued before it",
        defences.CLAIMS_HAVE_THEIR_OWN_TIME,
        "tests/attacks/test_stale_lists.py::test_no_renewal_from_before_a_log_out_wins_time",
    ),
    Fault(
        "device-number-returns",
        "a removed device number may be listed again",
        rule(list_rules, "_check_devices", nothing),
        "tests/vectors/test_device_list_vectors.py::test_bad_runs_are_refused_with_their_error",
    ),
    Fault(
        "list-from-the-future",
        "a list that was issued ahead of the clock is believed",
        rule(list_rules, "_check_clock", nothing),
        f"{IDENTITY}/test_lists_in_use.py::test_a_clock_a_day_behind_still_follows",
    ),
    Fault(
        "lease-ignored",
        "companions get copies for ever, whoever renews the list",
        defences.LEASE,
        "tests/attacks/test_stale_lists.py::test_a_withheld_log_out_ends_with_the_lease",
    ),
    Fault(
        "recovery-code-unchecked",
        "a mistyped recovery code is taken for another account key",
        rule(recovery_code, "_holds", lambda _: True),
        "tests/vectors/test_recovery_code_vectors.py",
    ),
    Fault(
        "codes-agree",
        "the security code does not depend on the account keys",
        defences.FINGERPRINTS,
        "tests/attacks/test_names.py::test_the_security_code_finds_somebody_in_the_middle",
    ),
    # --- linking --------------------------------------------------------------------------
    Fault(
        "offer-swapped",
        "the scanned code does not fix the offer",
        rule(offer, "check_offer_hash", nothing),
        f"{LINKING}/test_link_attacks.py::test_offer_of_the_photographer_is_refused",
    ),
    Fault(
        "old-offer-taken",
        "a link code never ends",
        defences.OFFERS_END,
        "tests/attacks/test_link_phishing.py::test_an_old_code_links_nobody",
    ),
    Fault(
        "fifth-companion",
        "a phone links one companion more than an account may have",
        rule(phone, "check_limit", nothing),
        f"{LINKING}/test_link_both_ends.py"
        "::test_fifth_companion_is_refused_at_the_scan_and_at_the_approval",
    ),
)
