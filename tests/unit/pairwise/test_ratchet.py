"""The ratchet opens what was sealed, once, in any order, and bounds its work (spec 04)."""

import pytest
from tests.unit.pairwise.pairwise_people import START, Endpoint, introduce

from untether.base.identifiers import DAY_MS, DeviceNumber, UnixMillis
from untether.base.limits import CHAIN_JUMP_MAX, RECEIVER_CHAINS_MAX, SKIPPED_KEYS_MAX
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.errors import (
    BadMessageError,
    DuplicateMessageError,
    MessageKeyExpiredError,
    TooFarAheadError,
)
from untether.protocol.pairwise.fan_out import pack_chain, seal_for_devices, unpack_chains
from untether.protocol.pairwise.parties import Party, account_associated
from untether.protocol.pairwise.ratchet_state import Message, Root
from untether.protocol.pairwise.session import Session


@pytest.fixture(autouse=True)
def _acquainted(alice: Endpoint, bob: Endpoint) -> None:
    introduce(alice, bob)


def refuse(bob: Endpoint, alice: Endpoint, message: bytes, error: type[Exception]) -> None:
    """Bob must refuse a message and stay byte for byte as he was."""
    before = bob.snapshot()
    with pytest.raises(error):
        bob.open(alice, message)
    assert bob.snapshot() == before


def test_many_messages_in_order(alice: Endpoint, bob: Endpoint) -> None:
    """A chain carries a hundred messages; numbers go up, lengths stay."""
    messages = [alice.seal(bob, b"%d" % index) for index in range(100)]
    assert [bob.open(alice, message).payload for message in messages] == [
        b"%d" % index for index in range(100)
    ]
    assert len({len(message) for message in messages[:10]}) == 1


def test_reversed_order(alice: Endpoint, bob: Endpoint) -> None:
    """The last comes first: all others are opened with the keys kept for them."""
    messages = [alice.seal(bob, b"%d" % index) for index in range(20)]
    for index in reversed(range(20)):
        assert bob.open(alice, messages[index]).payload == b"%d" % index
    assert bob.skipped == {}


def test_late_messages_of_closed_chains(alice: Endpoint, bob: Endpoint) -> None:
    """Messages that were overtaken by a turn of the ratchet still open."""
    late = []
    for turn in range(RECEIVER_CHAINS_MAX - 1):
        late.append(alice.seal(bob, b"late %d" % turn))
        bob.open(alice, alice.seal(bob, b"on time"))
        alice.open(bob, bob.seal(alice, b"turn"))
    bob.open(alice, alice.seal(bob, b"now"))
    for turn, message in enumerate(late):
        assert bob.open(alice, message).payload == b"late %d" % turn
        refuse(bob, alice, message, DuplicateMessageError)


def test_the_end_of_a_closed_chain_may_come_late(alice: Endpoint, bob: Endpoint) -> None:
    """Messages after the last one opened are bridged by the length that the turn names."""
    late = [alice.seal(bob, b"late %d" % index) for index in range(3)]
    alice.open(bob, bob.seal(alice, b"turn"))
    opened = bob.open(alice, alice.seal(bob, b"now"))
    assert [len(run.keys) for run in opened.skipped_added] == [3]
    for index in (2, 0, 1):
        assert bob.open(alice, late[index]).payload == b"late %d" % index
    assert bob.skipped == {}


def test_chains_older_than_five_turns_are_forgotten(alice: Endpoint, bob: Endpoint) -> None:
    """The sixth chain back is not opened any more, and its skipped keys are gone."""
    late = alice.seal(bob, b"late")
    for _ in range(RECEIVER_CHAINS_MAX):
        bob.open(alice, alice.seal(bob, b"on time"))
        alice.open(bob, bob.seal(alice, b"turn"))
    assert len(bob.skipped) == 1
    bob.open(alice, alice.seal(bob, b"now"))
    assert bob.skipped == {}
    refuse(bob, alice, late, BadMessageError)


def test_every_turn_changes_the_root(alice: Endpoint, bob: Endpoint) -> None:
    """A thief of one state is locked out once both sides have turned."""
    roots, keys = set(), set()
    for _ in range(4):
        bob.open(alice, alice.seal(bob, b"ping"))
        alice.open(bob, bob.seal(alice, b"pong"))
        roots.add(bob.book[0].state.root.root_key)
        keys.add(bob.book[0].state.sending.ratchet_key)
    assert len(roots) == len(keys) == 4


def test_a_used_key_is_a_duplicate(alice: Endpoint, bob: Endpoint) -> None:
    """In the chain, from the skipped ones, and after the state was written and read."""
    first, second = alice.seal(bob, b"first"), alice.seal(bob, b"second")
    bob.open(alice, second)
    bob.open(alice, first)
    for message in (first, second):
        refuse(bob, alice, message, DuplicateMessageError)
    restarted = tuple(Session(one.id, one.sending, one.receiving, one.cold) for one in bob.book)
    bob.book = restarted
    refuse(bob, alice, second, DuplicateMessageError)


def test_a_key_deleted_for_its_age_is_not_a_duplicate(alice: Endpoint, bob: Endpoint) -> None:
    """A message that came too late has a named cause, since it was never opened."""
    late = alice.seal(bob, b"late")
    bob.open(alice, alice.seal(bob, b"on time"))
    bob.expire_skipped()
    refuse(bob, alice, late, MessageKeyExpiredError)


def test_every_changed_byte_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """Header, nonce, ciphertext and tag: a changed message opens nothing and costs nothing."""
    message = alice.seal(bob, b"payload")
    for index in range(len(message)):
        changed = message[:index] + bytes([message[index] ^ 1]) + message[index + 1 :]
        refuse(bob, alice, changed, (BadMessageError, TooFarAheadError, DuplicateMessageError))  # type: ignore[arg-type]
    for length in range(len(message)):
        refuse(bob, alice, message[:length], BadMessageError)
    assert bob.open(alice, message).payload == b"payload"


def test_a_changed_skipped_message_keeps_its_key(alice: Endpoint, bob: Endpoint) -> None:
    """A forgery for a kept key does not use the key up."""
    late = alice.seal(bob, b"late")
    bob.open(alice, alice.seal(bob, b"on time"))
    refuse(bob, alice, late[:-1] + bytes([late[-1] ^ 1]), BadMessageError)
    assert bob.open(alice, late).payload == b"late"


def test_reflection_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """Alice does not take her own message for one of Bob's."""
    refuse(alice, bob, alice.seal(bob, b"mine"), BadMessageError)


def test_addresses_are_bound(alice: Endpoint, bob: Endpoint) -> None:
    """The same keys under another number or account open nothing."""
    message = alice.seal(bob, b"for number 3")
    honest = alice.party
    others: list[Party] = [
        honest._replace(device=DeviceNumber(1)),
        honest._replace(account_key=bytes(32)),
    ]
    for other in others:
        alice.party = other
        refuse(bob, alice, message, BadMessageError)
    alice.party = honest
    assert bob.open(alice, message).payload == b"for number 3"


def test_without_the_addresses_a_message_would_pass_for_anothers(
    alice: Endpoint, bob: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twin: with the associated data cut to the header, the address means nothing."""
    seal_next, open_next = ratchet.seal_next, ratchet.open_next
    monkeypatch.setattr(ratchet, "seal_next", lambda s, p, _, n: seal_next(s, p, b"", n))
    monkeypatch.setattr(ratchet, "open_next", lambda r, d, _: open_next(r, d, b""))
    message = alice.seal(bob, b"for number 3")
    alice.party = alice.party._replace(device=DeviceNumber(1))
    assert bob.open(alice, message).payload == b"for number 3"


def test_the_largest_jump(alice: Endpoint, bob: Endpoint) -> None:
    """2,000 missing messages are bridged; one more is refused before any work."""
    messages = [alice.seal(bob, b"") for _ in range(CHAIN_JUMP_MAX + 2)]
    refuse(bob, alice, messages[CHAIN_JUMP_MAX + 1], TooFarAheadError)
    bob.open(alice, messages[CHAIN_JUMP_MAX])
    assert len(bob.skipped) == SKIPPED_KEYS_MAX
    assert bob.open(alice, messages[0]).payload == b""


def test_a_closed_chain_cannot_claim_too_many(alice: Endpoint, bob: Endpoint) -> None:
    """The number of messages of the closed chain is bounded as a jump is."""
    for _ in range(CHAIN_JUMP_MAX + 1):
        alice.seal(bob, b"lost")
    alice.open(bob, bob.seal(alice, b"turn"))
    refuse(bob, alice, alice.seal(bob, b"far"), TooFarAheadError)


def craft(alice: Endpoint, bob: Endpoint, previous_length: int) -> bytes:
    """A message that Alice's own device seals under a dishonest previous length."""
    alice.open(bob, bob.seal(alice, b"turn"))
    sending = alice.book[0].sending
    lying = sending[:32] + previous_length.to_bytes(4, "big") + sending[36:]
    _, message = ratchet.seal_next(lying, b"", alice.ends(bob).outgoing, bytes(12))
    return message


def test_opened_messages_cannot_be_denied(alice: Endpoint, bob: Endpoint) -> None:
    """A closed chain with fewer messages than were opened is a lie."""
    bob.open(alice, alice.seal(bob, b"one"))
    refuse(bob, alice, craft(alice, bob, 0), BadMessageError)


def test_a_closed_chain_has_an_end(alice: Endpoint, bob: Endpoint) -> None:
    """A message beyond the end that its sender named is refused, not called a duplicate."""
    beyond = alice.seal(bob, b"beyond")
    bob.open(alice, craft(alice, bob, 1))
    refuse(bob, alice, beyond, BadMessageError)


def test_a_ratchet_key_of_small_order_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """Mixing a secret that everybody knows into the root is refused."""
    message = alice.seal(bob, b"")
    refuse(bob, alice, message[:1] + bytes(32) + message[33:], BadMessageError)


def test_an_unknown_version_is_refused(alice: Endpoint, bob: Endpoint) -> None:
    """A later version byte is not guessed at."""
    refuse(bob, alice, b"\x03" + alice.seal(bob, b"")[1:], BadMessageError)


def test_a_chain_started_long_ago_wants_an_answer(alice: Endpoint, bob: Endpoint) -> None:
    """Bob never wrote on his new chain: after seven days Alice's message asks him to."""
    bob.now = UnixMillis(START + 7 * DAY_MS - 1)
    assert not bob.open(alice, alice.seal(bob, b"six days")).answer_wanted
    bob.now = UnixMillis(START + 7 * DAY_MS)
    assert bob.open(alice, alice.seal(bob, b"seven days")).answer_wanted
    bob.seal(alice, b"answer")
    assert not bob.open(alice, alice.seal(bob, b"again")).answer_wanted


def test_states_do_not_print_keys(alice: Endpoint) -> None:
    """A failed assertion or a log line shows no key of a session."""
    session = alice.book[0]
    shown = repr((session, session.state, session.state.sending, session.state.root))
    assert session.state.sending.chain_key.hex() not in shown
    assert shown == "(<Session>, <RatchetState>, <SendingChain>, <Root>)"


def test_parts_survive_the_store(bob: Endpoint) -> None:
    """Columns read and written again are the same bytes."""
    state = bob.book[0].state
    assert state.receiving is not None
    assert len(state.sending.to_bytes()) == 72
    assert len(state.receiving.to_bytes()) == 77
    assert Root.from_bytes(state.root.to_bytes()) == state.root
    assert bob.book[0].with_state(state) == bob.book[0]


def test_a_fan_out_equals_single_seals(alice: Endpoint, bob: Endpoint) -> None:
    """The packed row of a contact gives each device the message that it would get alone."""
    sending, ends = alice.book[0].sending, alice.ends(bob)
    others = [DeviceNumber(1), bob.party.device, DeviceNumber(70_000)]
    packed = b"".join(pack_chain(device, sending) for device in others)
    associated = account_associated(alice.party, bob.party.account_key)
    row, messages = seal_for_devices(packed, b"wrap", associated, bytes)
    following, message = ratchet.seal_next(sending, b"wrap", ends.outgoing, bytes(12))
    assert messages[1] == message
    assert unpack_chains(row) == dict.fromkeys(others, following)
    assert unpack_chains(packed) == dict.fromkeys(others, sending)
    assert len(set(messages)) == 3
    assert bob.open(alice, messages[1]).payload == b"wrap"
    refuse(bob, alice, messages[0], DuplicateMessageError)


def test_a_fan_out_to_nobody_is_empty() -> None:
    """A contact without sessions costs nothing."""
    assert seal_for_devices(b"", b"wrap", b"", bytes) == (b"", [])


def test_messages_are_read_as_they_are_written(alice: Endpoint, bob: Endpoint) -> None:
    """Version, ratchet key, previous length, number, nonce, ciphertext."""
    data = alice.seal(bob, b"x" * 64)
    message = Message.from_bytes(data)
    assert message.header + message.nonce + message.ciphertext == data
    assert message.ratchet_key == data[1:33]
    assert (message.previous_length, message.number) == (1, 1)
