"""Accounts for the relay benchmark: made with the product's own keys and rules.

They are registered straight into the relay's database before it starts, since a running relay
rightly refuses hundreds of registrations from one address.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from secrets import token_bytes
from time import time_ns

import msgspec

from untether.adapters.storage.relay_sqlite import SqliteRelayStore
from untether.base.identifiers import DAY_MS, AccountId, DeviceNumber, RelayId, UnixMillis
from untether.crypto.provider import provider
from untether.protocol.identity.certificate import (
    Role,
    issue_certificate_body,
    sign_as_account,
    sign_as_device,
    verify_certificate,
)
from untether.protocol.identity.device_list import open_list, sign_list
from untether.protocol.identity.keys import DeviceSecrets
from untether.protocol.identity.login import LoginStatement, sign_login
from untether.protocol.identity.next_list import first_list_body
from untether.protocol.pairwise import prekeys
from untether.protocol.pairwise.parties import Party
from untether.relay.budgets import Budgets
from untether.relay.principals import Guest
from untether.relay.requests import handle
from untether.relay.session import RelayRules, RelaySession
from untether.wire.client_frames import Login, Register
from untether.wire.records import ListHead, PrekeyStock, SignedCertificate, SignedObject
from untether.wire.server_frames import Challenge, Done


class BenchAccount(msgspec.Struct):
    """One account with one device."""

    account_id: AccountId
    device: DeviceNumber
    signing_seed: bytes
    certificate: SignedCertificate
    device_list: SignedObject
    head: ListHead
    prekeys: PrekeyStock


def make_account(now: UnixMillis) -> BenchAccount:
    """Make an account with fresh keys."""
    account_seed = token_bytes(32)
    account_key = provider().ed25519_public(account_seed)
    keys = DeviceSecrets.generate(token_bytes)
    body = issue_certificate_body(
        account_key=account_key,
        device=DeviceNumber(0),
        role=Role.PRIMARY,
        generation=0,
        keys=keys.public_keys,
    )
    signed = SignedCertificate(
        body=body,
        account_signature=sign_as_account(account_seed, body),
        device_signature=sign_as_device(keys.signing_seed, body, account_key),
    )
    certificate = verify_certificate(signed, account_key)
    first = open_list(
        sign_list(first_list_body(certificate, now, 30 * DAY_MS), keys.signing_seed), account_key
    )
    owner = Party(account_key, certificate.device, keys.signing_key, keys.agreement_key)
    pair = prekeys.generate_rotating(0, now, token_bytes)
    return BenchAccount(
        account_id=certificate.account_id,
        device=certificate.device,
        signing_seed=bytes(keys.signing_seed),
        certificate=signed,
        device_list=first.signed,
        head=first.head,
        prekeys=PrekeyStock(prekeys.sign(pair, owner, keys.signing_seed)),
    )


def prepare_accounts(database: Path, file: Path, number: int) -> None:
    """Register accounts in the database and write their keys to a file."""
    accounts = asyncio.run(_register(database, number))
    file.write_bytes(msgspec.msgpack.encode(accounts))


async def _register(database: Path, number: int) -> list[BenchAccount]:
    now = UnixMillis(time_ns() // 1_000_000)
    accounts = [make_account(now) for _ in range(number)]
    store = SqliteRelayStore.open(database)
    rules = RelayRules(relay_id=RelayId(bytes(16)), origins=frozenset(), registration="open")
    for place, account in enumerate(accounts):
        session = RelaySession(rules, Budgets(), bytes(32), Guest("benchmark"))
        request = Register(f"account{place}", (account.device_list,), account.prekeys)
        outcome = await handle(store, session, request, now, token_bytes)
        if not isinstance(outcome.answer, Done):
            raise TypeError(f"the registration failed: {outcome.answer}")
    await store.close()
    return accounts


def read_accounts(file: Path) -> list[BenchAccount]:
    """Read what :func:`prepare_accounts` wrote."""
    return msgspec.msgpack.decode(file.read_bytes(), type=list[BenchAccount])


def login_frame(account: BenchAccount, challenge: Challenge, port: int) -> Login:
    """Sign a login for a challenge of the relay on this machine."""
    statement = LoginStatement(
        relay_id=challenge.relay_id,
        origin=f"http://127.0.0.1:{port}",
        server_nonce=challenge.nonce,
        client_nonce=token_bytes(32),
        account_id=account.account_id,
        device=account.device,
        counter=1,
    )
    return Login(
        certificate=account.certificate,
        nonce=statement.client_nonce,
        origin=statement.origin,
        counter=statement.counter,
        signature=sign_login(account.signing_seed, statement),
    )
