"""Logins: a certified device key proves itself (spec 08, "Login").

The proof needs no row: an account id is the hash of the account key, and the certificate
carries that key. So signatures are checked before the transaction, where they hold up nobody.
"""

from __future__ import annotations

from typing import NamedTuple

from untether.base.identifiers import HOUR_MS, UnixMillis
from untether.base.limits import CERTIFICATE_BODY_MAX
from untether.protocol.identity.certificate import (
    CertificateBody,
    DeviceCertificate,
    verify_certificate,
)
from untether.protocol.identity.login import LoginStatement, verify_login
from untether.relay.lists import account_lists, head_of, held_list
from untether.relay.mailbox import own_row
from untether.relay.outcome import Call, Decision, Refusal
from untether.relay.principals import Bearer, Device
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import Login
from untether.wire.codec import decode_canonical
from untether.wire.server_frames import NotListed, Welcome


class ProvenLogin(NamedTuple):
    """The connection holds the device key of this certificate."""

    certificate: DeviceCertificate
    counter: int


def prove(call: Call, request: Login) -> ProvenLogin:
    """Check certificate, origin and signature; Refusal or RemoteError when one is off."""
    rules = call.session.rules
    if request.origin not in rules.origins:
        raise Refusal("wrong-origin")
    body = decode_canonical(
        request.certificate.body, CertificateBody, size_max=CERTIFICATE_BODY_MAX
    )
    certificate = verify_certificate(request.certificate, body.account_key)
    statement = LoginStatement(
        relay_id=rules.relay_id,
        origin=request.origin,
        server_nonce=call.session.nonce,
        client_nonce=request.nonce,
        account_id=certificate.account_id,
        device=certificate.device,
        counter=request.counter,
    )
    verify_login(certificate, statement, request.signature)
    return ProvenLogin(certificate, request.counter)


async def log_in(tx: RelayTransaction, call: Call, login: ProvenLogin) -> Decision:
    """Welcome a present device; tell any other bearer of its key all that there is to judge by."""
    address = login.certificate.address
    account = await tx.account(address.account_id)
    if account is None:
        raise Refusal("no-such-account")
    listed = (await held_list(tx, account)).device(address.device)
    same_keys = listed is not None and listed.public_keys == login.certificate.public_keys
    if not same_keys or address.device not in account.present:
        answer = NotListed(await account_lists(tx, account, after=None, reader=address))
        return Decision(answer, principal=Bearer(address))
    row = await own_row(tx, address)
    seen = row._replace(
        login_counter=max(row.login_counter, login.counter),
        last_active_at=max(row.last_active_at, rounded_to_hour(call.now)),
    )
    if seen != row:
        await tx.put_device(seen)
    welcome = Welcome(
        counter=row.login_counter,
        head=head_of(account),
        one_time_prekeys=await tx.count_one_time_prekeys(address),
        mailbox_entries=row.entries,
    )
    return Decision(welcome, principal=Device(address))


def rounded_to_hour(now: UnixMillis) -> UnixMillis:
    """Keep no finer trace of when somebody was here."""
    return UnixMillis(now - now % HOUR_MS)
