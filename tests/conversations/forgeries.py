"""What a device says that does not keep to the rules: real seals around chosen contents."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import structs
from tests.attacks.lying_relay import push
from tests.world import WorldDevice

from untether.base.identifiers import AccountId, MessageId
from untether.device import directory, sessions
from untether.device.context import Context
from untether.device.fan_out import Target
from untether.protocol.body import seal_body
from untether.wire import codec
from untether.wire.content import BodyKey, Content, DirectConversation, Kind
from untether.wire.records import Stamp
from untether.wire.server_frames import Entry


@dataclass
class Forger:
    """A device that has a session with another one, and says through it what it wants."""

    sender: WorldDevice
    receiver: WorldDevice

    def content(self, kind: Kind, other: AccountId | None = None) -> Content:
        """Return a regular content of the sender, in its conversation with ``other``."""
        own, now = self.sender.own.account_id, self.sender.world.now
        low, high = sorted((own, self.receiver.own.account_id if other is None else other))
        with self.sender.database.transaction():
            held = directory.held_list(self._context(), own)
        assert held is not None
        return Content(
            message_id=MessageId(self.sender.world.randomness(16)),
            conversation=DirectConversation(AccountId(low), AccountId(high)),
            kind=kind,
            counter=1,
            sent_at=now,
            own_head=held.head,
            salt=bytes(16),
        )

    def entry(
        self,
        plaintext: bytes,
        message_id: MessageId,
        *,
        payload: bytes | None = None,
        **payload_changes: bytes,
    ) -> Entry:
        """Seal any plaintext, with any payload; the session's chain moves on as usual."""
        body = seal_body(plaintext, self.sender.world.randomness)
        number, account = self.receiver.own.device, self.receiver.own.account_id
        with self.sender.database.transaction():
            context = self._context()
            held = directory.held_list(context, account)
            assert held is not None
            certificate = held.device(number)
            assert certificate is not None
            key = BodyKey(bytes(body.body_key), body.body_hash, held.head)
            inner = codec.encode(structs.replace(key, **payload_changes))
            headers = sessions.seal(context, [Target(certificate)], payload or inner)
        acknowledged = self.receiver.own.acknowledged
        assert acknowledged is not None
        return Entry(
            stamp=Stamp(acknowledged.incarnation, acknowledged.number + 1),
            sender=self.sender.own.account_id,
            sender_device=self.sender.own.device,
            accepted_at=self.sender.world.now,
            message_id=message_id,
            header=headers[number],
            body=body.sealed,
        )

    def deliver(self, entry: Entry) -> None:
        """Let the relay push an entry to the receiver."""
        push(self.receiver, entry)

    def say(self, content: Content) -> None:
        """Seal a content and have it delivered."""
        self.deliver(self.entry(codec.encode(content), content.message_id))

    def _context(self) -> Context:
        world = self.sender.world
        return Context(self.sender.database, world.now, world.randomness)
