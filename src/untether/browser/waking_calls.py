"""Calls by which a closed browser is woken when mail waits (spec 08, "Web push")."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from msgspec import Struct

from untether.browser import views
from untether.browser.app import App
from untether.browser.opening_calls import Nothing


class Endpoint(Struct, frozen=True):
    """Where the browser's push service is to be called."""

    endpoint: str


async def push_key(app: App, _: Nothing) -> views.PushKey:
    """Return the key under which the browser subscribes, if the relay wakes devices."""
    async with app.client.online():
        key = await app.client.push_key()
    return views.PushKey(None if key is None else urlsafe_b64encode(key).rstrip(b"=").decode())


async def subscribe_push(app: App, wanted: Endpoint) -> None:
    """Have the relay call an endpoint when mail waits and this app is closed."""
    async with app.client.online():
        await app.client.subscribe_push(wanted.endpoint)
