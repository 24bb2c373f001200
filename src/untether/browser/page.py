"""What the engine and the tabs of the web app say to each other: JSON texts, one object each.

A tab calls: ``{tab, id, call, args}``; the engine returns ``{tab, id, value}`` or ``{tab, id,
error}``. The engine asks the tab whose call needs it: ``{tab, ask, what, details}``; the tab
answers ``{answer, value}`` or ``{answer, refused}``. An event, ``{event, …}``, is for all tabs.
The names are in the tables of ``calls``, ``questions`` and ``events``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from itertools import count
from typing import Any

import msgspec

from untether.base.errors import LocalError, UntetherError, VerificationError
from untether.browser.events import Event
from untether.browser.problems import Problem, defect, problem
from untether.browser.questions import Answer, Details, Question

Perform = Callable[[str, Any], Awaitable[object]]
"""Carries out a call, by its name and its arguments."""

_REFUSALS = {
    "verification-cancelled": "You have stopped the verification.",
    "verification-failed": "You could not be verified.",
}
_asking_tab: ContextVar[str] = ContextVar("asking_tab")


class _Said(msgspec.Struct, frozen=True):
    """Any text of a tab; what is there tells what it is."""

    tab: str = ""
    id: int = 0
    call: str = ""
    args: Any = None
    answer: int = 0
    value: Any = None
    refused: str | None = None


class Page:
    """All tabs of this app; ``post`` brings a text to them."""

    def __init__(self, post: Callable[[str], object]) -> None:
        self._post = post
        self._perform: Perform | None = None
        self._calls: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._asked: dict[tuple[str, int], asyncio.Future[Any]] = {}
        self._numbers = count(1)

    def serve(self, perform: Perform) -> None:
        """Let ``perform`` carry out the calls from now on."""
        self._perform = perform

    def hear(self, text: str) -> None:
        """Take a text of a tab; what is none of ours is dropped."""
        try:
            said = msgspec.json.decode(text, type=_Said)
        except msgspec.DecodeError:
            return
        if said.call == "cancel":
            self._cancel(said)
        elif said.call:
            task = asyncio.ensure_future(self._carry_out(said))
            self._calls[said.tab, said.id] = task
            task.add_done_callback(lambda _: self._calls.pop((said.tab, said.id), None))
        elif said.answer:
            self._take_answer(said)

    def say(self, event: Event) -> None:
        """Tell all tabs what has happened."""
        self._send(event)

    async def ask(self, question: Question[Details, Answer], details: Details) -> Answer:
        """Ask the tab whose call this is; VerificationError when its person refuses."""
        tab = _asking_tab.get("")
        if not tab:  # nobody has called for this, so nobody is there to be asked
            raise refused("verification-failed")
        number = next(self._numbers)
        asked = self._asked[tab, number] = asyncio.get_running_loop().create_future()
        self._send({"tab": tab, "ask": number, "what": question.name, "details": details})
        try:
            return msgspec.convert(await asked, question.answer)
        except msgspec.ValidationError as error:
            raise refused("verification-failed") from error
        finally:
            del self._asked[tab, number]

    def _take_answer(self, said: _Said) -> None:
        asked = self._asked.get((said.tab, said.answer))
        if asked is None or asked.done():
            return
        if said.refused is None:
            asked.set_result(said.value)
            return
        code = said.refused if said.refused in _REFUSALS else "verification-failed"
        asked.set_exception(refused(code))

    def _cancel(self, said: _Said) -> None:
        meant = said.args.get("id") if isinstance(said.args, dict) else None
        task = self._calls.get((said.tab, meant)) if isinstance(meant, int) else None
        if task is not None:
            task.cancel()
        self._send({"tab": said.tab, "id": said.id, "value": None})

    async def _carry_out(self, said: _Said) -> None:
        _asking_tab.set(said.tab)
        try:
            assert self._perform is not None
            value = await self._perform(said.call, said.args)
        except asyncio.CancelledError:
            self._refuse(said, problem(_cancelled()))
        except UntetherError as error:
            self._refuse(said, problem(error))
        except Exception as error:
            self._refuse(said, defect(error))
            raise
        else:
            self._send({"tab": said.tab, "id": said.id, "value": value})

    def _refuse(self, said: _Said, why: Problem) -> None:
        self._send({"tab": said.tab, "id": said.id, "error": why})

    def _send(self, said: object) -> None:
        self._post(msgspec.json.encode(said).decode())


def _cancelled() -> LocalError:
    return LocalError("cancelled", "You have stopped this.")


def refused(code: str) -> VerificationError:
    """Return what a question ends with that was not answered."""
    return VerificationError(code, _REFUSALS[code], "Nothing was changed.")
