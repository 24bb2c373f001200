"""Whatever is wrong with a message: nothing changes, and the genuine one still opens."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext

import pytest
from msgspec import structs
from tests.conversations.forgeries import Forger
from tests.conversations.mishaps import copy_database, put_back, query
from tests.world import World, WorldDevice

from untether.adapters.storage.sqlite_database import SqliteDatabase
from untether.base.identifiers import AccountId, MessageId
from untether.device import events, repair
from untether.wire import codec
from untether.wire.content import (
    Content,
    DeviceNotice,
    DirectConversation,
    ListEvidence,
    Text,
)
from untether.wire.records import SignedObject
from untether.wire.server_frames import Entry

SECRET_TABLES = (
    "sessions",
    "sending_chains",
    "skipped_keys",
    "prekeys",
    "used_base_keys",
    "seen",
    "messages",
    "receipts_due",
    "claims_asked",
    "own_lists",
    "accounts",
    "own_device_notices",
    "outbox",
)


def fingerprint(device: WorldDevice) -> str:
    """Return a hash of every row that opening a message may touch."""
    state = [query(device, f"SELECT * FROM {table} ORDER BY 1, 2") for table in SECRET_TABLES]  # noqa: S608
    return hashlib.sha256(repr(state).encode()).hexdigest()


def _people() -> Forger:
    world = World()
    alice, bob = world.register("alice"), world.register("bob")
    alice.send("bob", "hello")
    bob.send("alice", "hello")
    world.pass_time(10_000)
    return Forger(alice, bob)


def _text(forger: Forger, text: str = "genuine") -> Content:
    return forger.content(Text(text))


def _sealed(forger: Forger, content: Content) -> Entry:
    return forger.entry(codec.encode(content), content.message_id)


def _garbage_header(forger: Forger) -> Entry:
    return structs.replace(_sealed(forger, _text(forger)), header=b"\x07" * 100)


def _damaged_header(forger: Forger) -> Entry:
    entry = _sealed(forger, _text(forger))
    assert entry.header is not None
    return structs.replace(entry, header=entry.header[:-1] + bytes([entry.header[-1] ^ 1]))


def _short_header(forger: Forger) -> Entry:
    return structs.replace(_sealed(forger, _text(forger)), header=b"\1")


def _other_body(forger: Forger) -> Entry:
    other = _sealed(forger, _text(forger, "another"))
    return structs.replace(_sealed(forger, _text(forger)), body=other.body)


def _damaged_body(forger: Forger) -> Entry:
    entry = _sealed(forger, _text(forger))
    assert entry.body is not None
    return structs.replace(entry, body=entry.body[:-1] + bytes([entry.body[-1] ^ 1]))


def _swapped_hash(forger: Forger) -> Entry:
    content = _text(forger)
    return forger.entry(codec.encode(content), content.message_id, body_hash=bytes(32))


def _wrong_body_key(forger: Forger) -> Entry:
    content = _text(forger)
    return forger.entry(codec.encode(content), content.message_id, body_key=bytes(32))


def _no_payload(forger: Forger) -> Entry:
    content = _text(forger)
    return forger.entry(codec.encode(content), content.message_id, payload=b"\xc1")


def _no_content(forger: Forger) -> Entry:
    return forger.entry(b"\xc1", MessageId(bytes(16)))


def _trailing_bytes(forger: Forger) -> Entry:
    content = _text(forger)
    return forger.entry(codec.encode(content) + b"\0", content.message_id)


def _unknown_kind(forger: Forger) -> Entry:
    content = _text(forger)
    encoded = codec.encode(content).replace(b"\xa4text", b"\xa4texx", 1)
    return forger.entry(encoded, content.message_id)


def _foreign_conversation(forger: Forger) -> Entry:
    return _sealed(forger, forger.content(Text("x"), other=AccountId(bytes(16))))


def _third_conversation(forger: Forger) -> Entry:
    """Bob's own conversation with somebody else, named by Alice."""
    bob, third = forger.receiver.own.account_id, AccountId(b"\xff" * 16)
    low, high = sorted((bob, third))
    conversation = DirectConversation(AccountId(low), AccountId(high))
    return _sealed(forger, structs.replace(_text(forger), conversation=conversation))


def _note_of_the_receiver(forger: Forger) -> Entry:
    bob = forger.receiver.own.account_id
    return _sealed(
        forger, structs.replace(_text(forger), conversation=DirectConversation(bob, bob))
    )


def _unordered_conversation(forger: Forger) -> Entry:
    content = _text(forger)
    conversation = DirectConversation(content.conversation.high, content.conversation.low)
    return _sealed(forger, structs.replace(content, conversation=conversation))


def _wrong_message_id(forger: Forger) -> Entry:
    return forger.entry(codec.encode(_text(forger)), MessageId(b"\5" * 16))


def _not_allowed(forger: Forger) -> Entry:
    notice = DeviceNotice(forger.receiver.own.device, bytes(32), "mine", "phone", 1)  # type: ignore[arg-type]
    return _sealed(forger, forger.content(notice))


def _forged_evidence(forger: Forger) -> Entry:
    evidence = ListEvidence((SignedObject(b"\x90", bytes(64)),))
    return _sealed(forger, forger.content(evidence))


FORGERIES: list[tuple[Callable[[Forger], Entry], str]] = [
    (_garbage_header, "bad-message"),
    (_damaged_header, "bad-message"),
    (_short_header, "bad-message"),
    (_other_body, "body-swapped"),
    (_damaged_body, "body-swapped"),
    (_swapped_hash, "body-swapped"),
    (_wrong_body_key, "body-uncommitted"),
    (_no_payload, "malformed"),
    (_no_content, "malformed"),
    (_trailing_bytes, "malformed"),
    (_unknown_kind, "malformed"),
    (_foreign_conversation, "wrong-conversation"),
    (_third_conversation, "wrong-conversation"),
    (_note_of_the_receiver, "wrong-conversation"),
    (_unordered_conversation, "wrong-conversation"),
    (_wrong_message_id, "wrong-message-id"),
    (_not_allowed, "not-allowed"),
    (_forged_evidence, "malformed"),
]


@pytest.mark.parametrize(
    ("forge", "cause"), FORGERIES, ids=[forge.__name__[1:] for forge, _ in FORGERIES]
)
def test_a_failed_open_changes_no_byte(forge: Callable[[Forger], Entry], cause: str) -> None:
    """Every row is as before, the cause is told, and the next genuine message opens."""
    forger = _people()
    bob = forger.receiver
    forgery = forge(forger)
    before = fingerprint(bob)
    forger.deliver(forgery)
    assert fingerprint(bob) == before
    [told] = bob.happened(events.NoticePosted)
    wanted = "message-waits" if cause in repair.REPAIRED else "message-not-readable"
    assert (told.code, told.details["cause"]) == (wanted, cause)
    forger.say(_text(forger))
    assert bob.texts()[-1] == "genuine"


@pytest.mark.parametrize("forge", [_foreign_conversation, _wrong_message_id])
def test_twin_without_the_savepoint_the_session_is_damaged(
    forge: Callable[[Forger], Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Switched off: what was checked last leaves traces of what was done first."""
    forger = _people()
    forgery = forge(forger)
    before = fingerprint(forger.receiver)
    monkeypatch.setattr(SqliteDatabase, "savepoint", lambda _: nullcontext())
    forger.deliver(forgery)
    assert fingerprint(forger.receiver) != before


def test_a_replay_is_refused_also_after_a_restart() -> None:
    """The used key is gone from the disk: nothing is shown twice, and nobody is alarmed."""
    forger = _people()
    bob = forger.receiver
    entry = _sealed(forger, _text(forger))
    forger.deliver(entry)
    assert bob.texts().count("genuine") == 1
    put_back(bob, copy_database(bob))
    before = fingerprint(bob)
    forger.deliver(entry)
    assert fingerprint(bob) == before
    assert bob.texts().count("genuine") == 1
    assert "message-not-readable" not in bob.notices()


def test_one_message_sealed_twice_is_shown_once() -> None:
    """A sender that seals again under another key repeats the message id: seen before."""
    forger = _people()
    content = _text(forger)
    forger.say(content)
    forger.say(content)
    assert forger.receiver.texts().count("genuine") == 1
