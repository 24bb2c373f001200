"""Write ratchet.json: one conversation, message by message, with the columns stored after it."""

from __future__ import annotations

from vectors.identity_builder import account, device, write
from vectors.pairwise_builder import (
    START_MS,
    Chain,
    End,
    associated_data,
    chain_step,
    mix_root,
    stream,
    x25519,
    x25519_public,
)

ALICE = End(account("alice"), 0, device("alice phone"))
BOB = End(account("bob"), 1027, device("bob laptop"))


class Conversation:
    """Both ends at once: who writes next turns the ratchet if the other one wrote before."""

    def __init__(self) -> None:
        self.root = stream("root", 32)
        self.prekey_seed = stream("prekey", 32)
        self.seeds: list[bytes] = []
        self.messages: list[dict[str, object]] = []
        self.previous = {ALICE: 0, BOB: 0}
        self.turn(ALICE, x25519_public(self.prekey_seed))

    def turn(self, sender: End, peer_ratchet_key: bytes) -> None:
        """Start a new chain of one side."""
        seed = stream(f"ratchet {len(self.seeds)}", 32)
        self.seeds.append(seed)
        self.root, chain_key = mix_root(self.root, x25519(seed, peer_ratchet_key))
        self.chain = Chain(x25519_public(seed), self.previous[sender], 0, chain_key)
        self.sender, self.recipient = sender, BOB if sender is ALICE else ALICE

    def answer(self) -> None:
        """Let the other side write."""
        self.previous[self.sender] = self.chain.number
        self.turn(self.recipient, self.chain.ratchet_key)

    def write(self, text: str) -> None:
        """Seal one message."""
        number, before = self.chain.number, self.chain.key
        nonce = stream(f"nonce {text}", 12)
        associated = associated_data(self.sender, self.recipient)
        message = self.chain.seal(text.encode(), nonce, associated)
        self.messages.append(
            {
                "from": "initiator" if self.sender is ALICE else "responder",
                "text": text,
                "number": number,
                "nonce": nonce.hex(),
                "associated_data": associated.hex(),
                "message_key": chain_step(before)[1].hex(),
                "message": message.hex(),
                "sending_after": self.chain.state().hex(),
                "root_key": self.root.hex(),
            }
        )


def main() -> None:
    """Write the file."""
    talk = Conversation()
    root_key, prekey_seed = stream("root", 32), talk.prekey_seed
    for text in ("hello", "are you there?", "never mind"):
        talk.write(text)
    talk.answer()
    talk.write("I am")
    talk.answer()
    for text in ("good", "see you"):
        talk.write(text)
    talk.answer()
    talk.write("at nine")
    document: dict[str, object] = {
        "about": "docs/spec/04-pairwise.md, Double Ratchet; bytes in hexadecimal",
        "initiator": ALICE.described(),
        "responder": BOB.described(),
        "opened_at": START_MS,
        "root_key": root_key.hex(),
        "prekey_seed": prekey_seed.hex(),
        "ratchet_seeds": [seed.hex() for seed in talk.seeds],
        "messages": talk.messages,
        "delivery": [1, 0, 3, 5, 2, 4, 6],
    }
    write("ratchet.json", document)


if __name__ == "__main__":
    main()
