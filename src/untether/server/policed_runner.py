"""Puts the policy on answers that are given before there is a request (spec 08, "Web app").

What can't be read as a request never reaches the application: the parser answers it. In a browser
that answer is one of the relay's origin all the same.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from untether.server.web_headers import HEADERS


class PolicedRunner(web.AppRunner):
    """Runs an application."""

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **self._kwargs)


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class _Handler(web.RequestHandler):
    __slots__ = ()

    def handle_error(self, *given: Any, **named: Any) -> web.StreamResponse:
        """Answer as the parser does, under the policy."""
        answer = super().handle_error(*given, **named)
        answer.headers.update(HEADERS)
        return answer
