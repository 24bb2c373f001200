"""The prekeys, handshakes, conversations and fan-outs of the specification (spec 04)."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from untether.base.identifiers import DeviceNumber, UnixMillis
from untether.base.secret_bytes import SecretBytes
from untether.crypto import hashes
from untether.crypto.provider import provider
from untether.protocol.pairwise import handshake as handshakes
from untether.protocol.pairwise import ratchet
from untether.protocol.pairwise.fan_out import seal_for_devices
from untether.protocol.pairwise.handshake import Handshake, initiate, respond, session_id
from untether.protocol.pairwise.parties import Ends, Party, account_associated
from untether.protocol.pairwise.prekeys import (
    PeerPrekeys,
    PrekeyPairSecret,
    PrekeyType,
    PublicPrekeyPair,
    sign,
    verify,
)
from untether.protocol.pairwise.ratchet import Context, SkippedRun
from untether.protocol.pairwise.ratchet_state import Message, RatchetState, Root
from untether.wire.codec import encode
from untether.wire.content import BodyKey
from untether.wire.records import ListHead, SignedPrekey

VECTORS = Path(__file__).parents[2] / "vectors"
HANDSHAKE = json.loads((VECTORS / "handshake.json").read_text())
RATCHET = json.loads((VECTORS / "ratchet.json").read_text())
WRAP = json.loads((VECTORS / "wrap.json").read_text())
unhex = bytes.fromhex


def party(described: dict[str, Any]) -> Party:
    """Return a device of a vector file."""
    return Party(
        unhex(described["account_key"]),
        DeviceNumber(described["device"]),
        provider().ed25519_public(unhex(described["signing_seed"])),
        provider().x25519_public(unhex(described["agreement_seed"])),
    )


def ends(file: dict[str, Any], own: str, peer: str) -> Ends:
    """Return both ends as one of them sees them."""
    seed = SecretBytes.fromhex(file[own]["agreement_seed"])
    return Ends.between(party(file[own]), seed, party(file[peer]))


def secret_pair(described: dict[str, Any]) -> PrekeyPairSecret:
    """Return the private half of a prekey pair."""
    return PrekeyPairSecret(
        type=PrekeyType(described["type"]),
        id=unhex(described["id"]),
        x25519_seed=unhex(described["x25519_seed"]),
        kem_seed=unhex(described["kem_seed"]),
        created_at=UnixMillis(described["created_at"]),
        serial=described["serial"],
    )


def public_pair(described: dict[str, Any]) -> PublicPrekeyPair:
    """Return the verified public half of a prekey pair."""
    signed = SignedPrekey(body=unhex(described["body"]), signature=unhex(described["signature"]))
    return verify(signed, party(HANDSHAKE["responder"]), PrekeyType(described["type"]))


@pytest.mark.parametrize("name", ["rotating", "one_time"])
def test_prekeys_are_signed_and_verified_as_specified(name: str) -> None:
    """Body and signature are those of the file."""
    described = HANDSHAKE[name]
    seed = unhex(HANDSHAKE["responder"]["signing_seed"])
    signed = sign(secret_pair(described), party(HANDSHAKE["responder"]), seed)
    assert signed.body.hex() == described["body"]
    assert signed.signature.hex() == described["signature"]
    assert public_pair(described).id.hex() == described["id"]


@pytest.mark.parametrize("case", HANDSHAKE["handshakes"], ids=lambda case: case["name"])
def test_the_responder_derives_the_specified_root(case: dict[str, Any]) -> None:
    """From the prefix and the private keys, with a one-time pair and without."""
    one_time = secret_pair(HANDSHAKE["one_time"]) if case["one_time"] else None
    prefix = unhex(case["prefix"])
    root = respond(
        ends(HANDSHAKE, "responder", "initiator"),
        secret_pair(HANDSHAKE["rotating"]),
        one_time,
        Handshake.from_bytes(prefix),
    )
    assert root.root_key.hex() == case["root_key"]
    assert session_id(prefix).hex() == case["session_id"]


@pytest.mark.parametrize("case", HANDSHAKE["handshakes"], ids=lambda case: case["name"])
def test_the_initiator_writes_the_specified_prefix(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the ephemeral seed and the encapsulation of the file, prefix and root are its own."""

    class FixedEncapsulation(type(provider())):  # type: ignore[misc]  # of this platform
        def mlkem768_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
            """Return the file's secret and ciphertext."""
            return unhex(case["kem_secret"]), unhex(case["prefix"])[-1088:]

    started: list[str] = []

    def note(root_key: bytes, *rest: Any) -> RatchetState:
        started.append(root_key.hex())
        return ratchet.start_sending(root_key, *rest)

    monkeypatch.setattr(handshakes, "provider", FixedEncapsulation)
    monkeypatch.setattr(handshakes, "start_sending", note)
    one_time = public_pair(HANDSHAKE["one_time"]) if case["one_time"] else None
    _, prefix = initiate(
        ends(HANDSHAKE, "initiator", "responder"),
        PeerPrekeys(public_pair(HANDSHAKE["rotating"]), one_time),
        case["number"],
        lambda _: unhex(case["ephemeral_seed"]),
    )
    assert prefix.hex() == case["prefix"]
    assert started == [case["root_key"]]


class Replay:
    """One end of the conversation of the file, which draws the file's ratchet seeds."""

    def __init__(self, own: str, peer: str, seeds: Iterator[str]) -> None:
        self.ends = ends(RATCHET, own, peer)
        self.seeds = seeds
        self.state: RatchetState | None = None
        self.skipped: dict[tuple[bytes, int], bytes] = {}

    def draw(self, _length: int) -> bytes:
        """Return the next ratchet seed of this end."""
        return unhex(next(self.seeds))

    def open(self, data: bytes) -> bytes:
        """Open a message and keep what follows."""
        context = Context(
            self.ends.incoming,
            lambda key, number: self.skipped.get((key, number)),
            100,
            UnixMillis(RATCHET["opened_at"]),
            self.draw,
        )
        message = Message.from_bytes(data)
        if self.state is None:
            root = Root(unhex(RATCHET["root_key"]), unhex(RATCHET["prekey_seed"]))
            opening = ratchet.open_first(root, message, context)
        else:
            opening = ratchet.open_message(self.state, message, context)
        self.state = opening.state
        for run in opening.skipped_added:
            self.keep(run)
        return opening.payload

    def keep(self, run: SkippedRun) -> None:
        """Keep skipped keys."""
        for number, key in enumerate(run.keys, run.first):
            self.skipped[run.ratchet_key, number] = key


def test_the_conversation_runs_as_specified() -> None:
    """Sealed in order, each message and column is the file's; delivered out of order, all open."""
    seeds = [*RATCHET["ratchet_seeds"], "11" * 32]  # the last turn is Alice's, and unused
    alice = Replay("initiator", "responder", iter(seeds[::2]))
    bob = Replay("responder", "initiator", iter(seeds[1::2]))
    prekey = provider().x25519_public(unhex(RATCHET["prekey_seed"]))
    alice.state = ratchet.start_sending(unhex(RATCHET["root_key"]), prekey, alice.draw)
    waiting = list(RATCHET["delivery"])
    sealed: list[bytes] = []
    for index, case in enumerate(RATCHET["messages"]):
        sender = alice if case["from"] == "initiator" else bob
        while sender.state is None or sender.state.root.root_key.hex() != case["root_key"]:
            deliver(waiting.pop(0), sealed, alice, bob)
        assert sender.ends.outgoing.hex() == case["associated_data"]
        column, message = ratchet.seal_next(
            sender.state.sending.to_bytes(),
            case["text"].encode(),
            sender.ends.outgoing,
            unhex(case["nonce"]),
        )
        assert message.hex() == case["message"], index
        assert column.hex() == case["sending_after"]
        sender.state = RatchetState(
            type(sender.state.sending).from_bytes(column),
            sender.state.receiving,
            sender.state.root,
        )
        sealed.append(message)
    for index in waiting:
        deliver(index, sealed, alice, bob)


def deliver(index: int, sealed: list[bytes], alice: Replay, bob: Replay) -> None:
    """Deliver a message of the file to its recipient."""
    case = RATCHET["messages"][index]
    recipient = bob if case["from"] == "initiator" else alice
    assert recipient.open(sealed[index]) == case["text"].encode()


def test_message_keys_are_the_specified_ones() -> None:
    """A message key that was skipped is the file's."""
    by_key = {case["message_key"]: case for case in RATCHET["messages"]}
    assert len(by_key) == len(RATCHET["messages"])
    for key, case in by_key.items():
        message = Message.from_bytes(unhex(case["message"]))
        opened = provider().aead_open(
            unhex(key),
            message.nonce,
            message.ciphertext,
            unhex(case["associated_data"]) + message.header,
        )
        assert opened == case["text"].encode()
        assert message.number == case["number"]


def test_the_fan_out_is_the_specified_one() -> None:
    """Payload, new row and the three messages are those of the file."""
    head = WRAP["assumed_head"]
    payload = BodyKey(
        body_key=unhex(WRAP["body_key"]),
        body_hash=unhex(WRAP["body_hash"]),
        assumed_head=ListHead(head["generation"], head["version"], unhex(head["hash"])),
    )
    assert encode(payload).hex() == WRAP["payload"]
    row, messages = seal_for_devices(
        unhex(WRAP["row_before"]),
        unhex(WRAP["payload"]),
        account_associated(party(WRAP["sender"]), unhex(WRAP["recipient_account_key"])),
        lambda _: unhex(WRAP["nonce"]),
    )
    assert row.hex() == WRAP["row_after"]
    assert [message.hex() for message in messages] == WRAP["messages"]


def test_a_chain_step_is_one_keyed_hash() -> None:
    """The step of the file's first chain, by its stored columns."""
    before = unhex(WRAP["row_before"])[44:76]
    assert (
        hashes.keyed_blake2b_512(before, b"untether/v1/ratchet-chain\0")[:32]
        == unhex(WRAP["row_after"])[44:76]
    )


@pytest.mark.parametrize("name", ["handshake", "ratchet", "wrap"])
def test_the_generators_reproduce_the_files(name: str, tmp_path: Path) -> None:
    """The committed vectors are what the independent generators write."""
    again = tmp_path / "again.json"
    command = [sys.executable, "-m", f"vectors.generate_{name}", str(again)]
    subprocess.run(command, cwd=VECTORS.parent, check=True)
    assert again.read_bytes() == (VECTORS / f"{name}.json").read_bytes()
