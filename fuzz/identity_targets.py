"""Decoders of what devices sign (spec 02, 04, 08), with every signature taken as genuine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.unit.identity.identity_people import Person
from tests.unit.relay.relay_desk import RelayDesk, make_phone

from fuzz import script
from fuzz.harness import Case, expect
from fuzz.script import Script
from fuzz.shortcuts import signatures_hold
from untether.adapters.storage.relay_memory import MemoryRelayStore
from untether.base.identifiers import DeviceNumber
from untether.base.limits import FRAME_MAX
from untether.protocol.identity.certificate import short_code, verify_certificate
from untether.protocol.identity.device_list import DeviceList, account_key_by_id, open_list
from untether.protocol.identity.list_rules import follow
from untether.protocol.identity.resignation import open_resignation, sign_resignation
from untether.protocol.identity.wipe_order import open_wipe_order, sign_wipe_order
from untether.protocol.pairwise import prekeys
from untether.protocol.pairwise.parties import Party
from untether.relay.login import prove
from untether.relay.outcome import Call, Refusal
from untether.relay.principals import Guest
from untether.wire.client_frames import Login
from untether.wire.codec import decode, encode
from untether.wire.records import PrekeyStock, SignedCertificate, SignedObject

SIGNATURE = bytes(64)
Run = tuple[SignedObject, ...]


def long_history() -> Person:
    """Return Alice, who linked, logged out, renewed and recovered."""
    alice = Person("alice")
    alice.publish(add=alice.companion())
    alice.publish(add=alice.companion())
    alice.publish(remove=[DeviceNumber(1)])
    alice.publish()
    alice.recover(kept=[DeviceNumber(2)])
    alice.publish(add=alice.companion())
    alice.recover(kept=[], same_phone=True)
    alice.publish()
    return alice


@contextmanager
def certificates() -> Iterator[Case]:
    """Somebody shows a certificate, alone or with its signatures."""
    alice = long_history()
    shown = [device for one in alice.lists for device in one.devices]
    genuine = list(dict.fromkeys(device.signed.body for device in shown))

    def read(body: bytes) -> object:
        signed = SignedCertificate(body, SIGNATURE, SIGNATURE)
        certificate = verify_certificate(signed, alice.account_key)
        expect(encode(decode(body, list[Any], size_max=len(body))) == body, "two spellings")
        return short_code(certificate.signed.body)

    with signatures_hold():
        yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)


@contextmanager
def device_lists() -> Iterator[Case]:
    """Somebody shows a run of lists to a device that holds none, or one of them."""
    alice = long_history()
    run_of_all = tuple(alice.run)
    runs = [run_of_all[start:end] for start, end in ((0, 1), (0, 3), (2, 5), (4, 9), (0, 9))]
    genuine = [encode(one) for one in runs]

    def build(data: bytes) -> tuple[DeviceList | None, bytes]:
        steps = Script(data)
        number = steps.byte() % (len(alice.lists) + 1)
        held = alice.lists[number] if number < len(alice.lists) else None
        return held, script.message(steps, genuine)

    def read(built: tuple[DeviceList | None, bytes]) -> object:
        held, encoded = built
        shown = decode(encoded, Run, size_max=FRAME_MAX)
        for signed in shown[:1]:
            account_key_by_id(signed, alice.newest.account_id)
        newest = follow(held, shown, alice.account_key, alice.now)
        if held is not None:
            expect(newest.head >= held.head, "what is held went back")
        return open_list(newest.signed, alice.account_key)

    with signatures_hold():
        found = script.seeds(genuine, raw_max=0)
        yield Case(build, read, [bytes([held]) + one for held in (0, 2, 5, 9) for one in found])


@contextmanager
def log_outs() -> Iterator[Case]:
    """Somebody shows a resignation or a wipe order."""
    alice = Person("alice")
    keys = alice.new_device()
    companion = alice.certify(keys, DeviceNumber(1), alice.companion().role)
    alice.publish(add=companion)
    without = alice.publish(remove=[companion.device])
    resignation = sign_resignation(
        keys.signing_seed, alice.newest.account_id, companion.device, alice.lists[1].head.hash
    )
    order = sign_wipe_order(
        alice.phone.signing_seed, alice.newest.account_id, companion.device, without.head.hash
    )
    genuine = [resignation.body, order.body]

    def build(data: bytes) -> tuple[int, SignedObject]:
        steps = Script(data)
        return steps.byte() % 2, SignedObject(script.message(steps, genuine), SIGNATURE)

    def read(built: tuple[int, SignedObject]) -> object:
        is_order, signed = built
        if is_order:
            return open_wipe_order(signed, without)
        return open_resignation(signed, companion)

    with signatures_hold():
        found = script.seeds(genuine)
        yield Case(build, read, [kind + one for kind in (b"\0", b"\1") for one in found])


@contextmanager
def prekey_stocks() -> Iterator[Case]:
    """A relay takes prekeys, a device claims them; what is verified can start a session."""
    phone = make_phone(RelayDesk(MemoryRelayStore()), "alice")
    keys = phone.certificate
    owner = Party(keys.account_key, keys.device, keys.signing_key, keys.agreement_key)
    genuine = [encode(phone.stock(0)), encode(phone.stock(2))]

    def read(encoded: bytes) -> object:
        stock = decode(encoded, PrekeyStock, size_max=FRAME_MAX)
        verified = prekeys.verify_stock(stock, owner)
        prekeys.check_serial(verified.rotating.pair, 5)
        return prekeys.is_asleep(verified.rotating.pair, phone.desk.now)

    with signatures_hold():
        seeds = script.seeds(genuine, raw_max=0)
        yield Case(script.messages(genuine), read, seeds, script.variant)


@contextmanager
def logins() -> Iterator[Case]:
    """A guest shows a login to the relay; a refusal is a code, like every other one."""
    desk = RelayDesk(MemoryRelayStore())
    phone = make_phone(desk, "alice")
    session = desk.session(Guest("192.0.2.1"))
    call = Call(session, desk.now, desk.randomness)
    genuine = [encode(phone.login(session))]

    def read(encoded: bytes) -> object:
        login = decode(encoded, Login, size_max=FRAME_MAX)
        try:
            return prove(call, login)
        except Refusal as refusal:
            expect(refusal.code == "wrong-origin", "a login is refused without a reason")
            return None

    with signatures_hold():
        yield Case(script.messages(genuine), read, script.seeds(genuine), script.variant)
