"""A laptop that gives up before it has read an answer: the phone hears of it all the same."""

from collections.abc import Callable

import pytest
from tests.unit.linking.link_walk import NOW, PREKEYS, Alice, Linking

from untether.protocol.linking import companion, phone
from untether.protocol.linking.channel import withdrawal_channel
from untether.wire.link_offer import LinkAcceptance, LinkIndex


@pytest.mark.parametrize(
    "walk", [Linking.until_offer_read, Linking.until_verifying, Linking.until_phone_answered]
)
def test_laptop_that_has_read_no_answer_withdraws(
    alice: Alice, walk: Callable[[Linking], object]
) -> None:
    """Without a channel the phone hears of it, whatever it was about to do."""
    linking = Linking(alice)
    laptop = companion.refuse(linking.laptop, "link-cancelled", linking.randomness)
    item = linking.carried(laptop, LinkIndex.ACCEPTANCE)
    walk(linking)
    linking.phone = phone.read_acceptance(linking.phone, item, linking.randomness)

    assert linking.phone.failure == "link-cancelled"
    assert linking.phone.outgoing is None


def test_laptop_that_can_not_open_the_answer_withdraws(linking: Linking) -> None:
    """Both ends say that the relay has changed it; also when it is too short to be one."""
    item = linking.until_phone_answered()
    for changed in (bytes(32) + item[32:], item[:31]):
        laptop = companion.read_answer(linking.laptop, changed, NOW, linking.randomness)
        told = linking.carried(laptop, LinkIndex.ACCEPTANCE)
        ended = phone.read_acceptance(linking.phone, told, linking.randomness)
        assert laptop.failure == ended.failure == "link-tampered"


def test_nothing_but_a_refusal_counts_as_a_withdrawal(linking: Linking) -> None:
    """Who has photographed the code can seal under its key, and must get nobody linked."""
    linking.until_phone_answered()
    forged = withdrawal_channel(linking.phone.link_text).seal(
        LinkIndex.ACCEPTANCE, LinkAcceptance(bytes(64), PREKEYS), linking.randomness
    )
    read = phone.read_acceptance(linking.phone, forged, linking.randomness)

    assert read.failure == "link-tampered"
    assert read.certificate is None


def test_acceptance_before_the_answer_is_tampering(alice: Alice) -> None:
    """What stands at the place of the acceptance too early is not from the laptop."""
    linking = Linking(alice)
    linking.until_verifying()
    read = phone.read_acceptance(linking.phone, b"acceptance", linking.randomness)

    assert read.failure == "link-tampered"
