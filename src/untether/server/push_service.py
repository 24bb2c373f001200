"""Calls push services: an empty body, signed by this relay's own key (spec 08, "Web push").

Endpoints come from devices, and anybody may register one. So a call goes to a public address only,
to the one that was looked at (a name could have another a moment later), follows no redirection,
and nothing of the answer but its status is read.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from base64 import urlsafe_b64encode
from enum import StrEnum
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from untether.base.identifiers import SECOND_MS, UnixMillis
from untether.base.limits import (
    PUSH_KEPT_MS,
    PUSH_MS,
    PUSH_PROMPT_MS,
    PUSH_PROOF_MS,
    PUSHES_AT_ONCE_MAX,
)
from untether.base.secret_bytes import SecretBytes
from untether.crypto import es256
from untether.relay.push import host_of
from untether.server.push_turns import PushTurns

_GONE: Final = frozenset({404, 410})
_PUBLIC_IPV6: Final = ip_network("2000::/3")
_ANSWERED_BY_ONES_OWN_NETWORK: Final = tuple(
    ip_network(network)
    for network in (
        *("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.175.48.0/24"),
        *("2001::/23", "2620:4f:8000::/48", "3fff::/20"),
    )
)
"""For protocols, relays between kinds of addresses, sinks and examples (RFC 6890, RFC 9637):
whatever is nearest answers there, which may be the own router. Python's versions disagree here."""
_PROOFS_MAX: Final = 1_000
"""Some hundred bytes each; there are a handful of push services, and whatever devices name."""


class Called(StrEnum):
    """What became of a call."""

    TAKEN = "taken"
    LATE = "late"
    """Taken, but not at once: a service that keeps everybody waiting is not called often."""
    GONE = "gone"
    """The push service does not know the endpoint any more."""
    FAILED = "failed"
    """It was answered by something else."""
    UNANSWERED = "unanswered"


class PushService:
    """The way to all push services, and the key by which they know this relay."""

    def __init__(self, seed: SecretBytes, contact: str) -> None:
        self.public_key = es256.public_key(seed)
        self._seed = seed
        self._contact = contact
        self._proofs: dict[str, tuple[UnixMillis, str]] = {}
        self._turns = PushTurns()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> PushService:
        """Open what calls; nothing is called yet."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=PublicResolver(self._turns),
                ssl=ssl.create_default_context(),
                limit=PUSHES_AT_ONCE_MAX,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=PUSH_MS / SECOND_MS),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close it."""
        if self._session is not None:
            await self._session.close()
        self._turns.close()

    async def call(self, endpoint: str, now: UnixMillis) -> Called:
        """Have a device woken; whatever goes wrong is an outcome, not an error."""
        host = host_of(endpoint)
        if host is None:
            return Called.GONE
        clock = asyncio.get_running_loop().time
        async with self._turns.turn(host):
            began = clock()
            status = await self._post(endpoint, host, now)
            is_prompt = status != 0 and clock() - began <= PUSH_PROMPT_MS / SECOND_MS
            self._turns.called(host, is_prompt=is_prompt)
        return _outcome(status, is_prompt=is_prompt)

    async def _post(self, endpoint: str, host: str, now: UnixMillis) -> int:
        """Return the status of the answer, 0 when there was none."""
        assert self._session is not None
        headers = {
            "Authorization": self._proof(host, now),
            "TTL": str(PUSH_KEPT_MS // SECOND_MS),
            "Topic": "mail",  # a later call takes the place of one that still waits
            "Urgency": "high",
        }
        try:
            async with self._session.post(
                URL(endpoint, encoded=True), headers=headers, data=b"", allow_redirects=False
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
            return 0

    def _proof(self, host: str, now: UnixMillis) -> str:
        """Return the proof for one service (RFC 8292), signed anew after half of its time."""
        expires_at, proof = self._proofs.get(host, (UnixMillis(0), ""))
        if expires_at - now < PUSH_PROOF_MS // 2:
            if len(self._proofs) >= _PROOFS_MAX:
                self._proofs.clear()
            expires_at = UnixMillis(now + PUSH_PROOF_MS)
            proof = self._sign(host, expires_at)
            self._proofs[host] = (expires_at, proof)
        return proof

    def _sign(self, host: str, expires_at: UnixMillis) -> str:
        claims = {
            "aud": f"https://{host}",
            "exp": expires_at // SECOND_MS,
            "sub": self._contact,
        }
        signed = f"{_json({'typ': 'JWT', 'alg': 'ES256'})}.{_json(claims)}"
        signature = _base64(es256.sign(self._seed, signed.encode()))
        return f"vapid t={signed}.{signature}, k={_base64(self.public_key)}"


class PublicResolver(AbstractResolver):
    """Looks names up, and knows public addresses only: the connection goes to what it returns."""

    def __init__(self, turns: PushTurns) -> None:
        self._turns = turns

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a name; OSError when it has none."""
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._turns.threads(host), look_up)
        public = [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=of_kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST,
            )
            for of_kind, _, protocol, _, address in found
            if is_public(str(address[0]))
        ]
        if not public:
            raise OSError("no public address")
        return public

    async def close(self) -> None:
        """Nothing is kept open."""


def _outcome(status: int, *, is_prompt: bool) -> Called:
    if status == 0:
        return Called.UNANSWERED
    if status in _GONE:
        return Called.GONE
    if not 200 <= status < 300:
        return Called.FAILED
    return Called.TAKEN if is_prompt else Called.LATE


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public network, also when it stands for another one."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (ip not in _PUBLIC_IPV6 or ip.sixtofour):
        return False
    if any(ip in network for network in _ANSWERED_BY_ONES_OWN_NETWORK):
        return False
    return ip.is_global and not ip.is_multicast


def _json(value: dict[str, object]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
