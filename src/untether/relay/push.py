"""Where a device wants to be woken when it has mail and no connection (spec 08, "Web push").

An endpoint is an address that the device's browser got from its push service. The relay will call
it, so it must not name anything that only the relay can reach: here by its spelling, in the
server by the network address that it has when it is called.
"""

from __future__ import annotations

import re
from typing import Final

from untether.base.identifiers import DeviceAddress
from untether.base.limits import PUSH_ENDPOINT_MAX
from untether.relay.outcome import Call, Decision, Refusal
from untether.relay.transaction import RelayTransaction
from untether.wire.client_frames import SubscribePush, UnsubscribePush
from untether.wire.server_frames import Done

_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_ENDPOINT: Final = re.compile(
    rf"https://(?P<host>({_LABEL}\.)+(?P<last>{_LABEL}))"
    r"(/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?(\?[A-Za-z0-9._~%!$&'()*+,;=:@/?-]*)?\Z"
)
"""No port, no user, no fragment, and a name of two parts or more that is no number."""
_OWN_NETWORKS: Final = (".localhost", ".local", ".internal", ".home.arpa", ".lan")


async def subscribe(tx: RelayTransaction, call: Call, request: SubscribePush) -> Decision:
    """Remember the one endpoint of the asking device."""
    if call.session.rules.push_key is None:
        raise Refusal("push-off")
    if host_of(request.endpoint) is None:
        raise Refusal("bad-endpoint")
    await tx.put_push_endpoint(call.address, request.endpoint)
    return Decision(Done(call.now))


async def unsubscribe(tx: RelayTransaction, call: Call, _request: UnsubscribePush) -> Decision:
    """Forget it."""
    await tx.delete_push_endpoint(call.address)
    return Decision(Done(call.now))


async def has_mail(tx: RelayTransaction, address: DeviceAddress) -> bool:
    """Tell whether mail waits for a device."""
    row = await tx.device(address)
    return row is not None and row.entries > 0


async def endpoint_of(tx: RelayTransaction, address: DeviceAddress) -> str | None:
    """Return where a device wants to be woken, if anywhere."""
    return await tx.push_endpoint(address)


async def forget_endpoint(tx: RelayTransaction, address: DeviceAddress, endpoint: str) -> None:
    """Forget an endpoint that the push service does not know any more, unless it was replaced."""
    if await tx.push_endpoint(address) == endpoint:
        await tx.delete_push_endpoint(address)


def host_of(endpoint: str) -> str | None:
    """Return the host of an endpoint that may be called by its spelling, else None."""
    found = _ENDPOINT.fullmatch(endpoint) if len(endpoint) <= PUSH_ENDPOINT_MAX else None
    if found is None or found["last"].isdigit() or found["host"].endswith(_OWN_NETWORKS):
        return None
    return found["host"]
