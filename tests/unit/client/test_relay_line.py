"""The line to the relay: one question, one answer, and a loss that nobody waits through."""

from __future__ import annotations

import asyncio

import pytest
from msgspec import structs
from tests.unit.client.scripted_relay import (
    CHALLENGE,
    NOW,
    Notebook,
    ScriptedConnector,
    turn,
)

from untether.base.errors import (
    NetworkError,
    PlatformError,
    RateLimitedError,
    RefusedError,
    RemoteError,
    TrustError,
    UntetherError,
)
from untether.base.limits import LEASE_MAX_MS, LEASE_MIN_MS
from untether.base.randomness import Randomness
from untether.client import relay_line
from untether.client.relay_line import RelayLine
from untether.wire.client_frames import FetchStatus, ResolveName
from untether.wire.codec import encode
from untether.wire.server_frames import Answer, Displaced, Done, Status

STATUS = Status(mailbox_entries=0, one_time_prekeys=0, activity=())


@pytest.fixture
def connector() -> ScriptedConnector:
    """A relay that challenges."""
    return ScriptedConnector()


@pytest.fixture
def notebook() -> Notebook:
    """What came over the line."""
    return Notebook()


@pytest.fixture
def line(
    connector: ScriptedConnector, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> RelayLine:
    """A line that waits a moment only."""
    monkeypatch.setattr(relay_line, "CHALLENGE_MS", 300)
    monkeypatch.setattr(relay_line, "ANSWER_MS", 400)
    monkeypatch.setattr(relay_line, "reconnect_delay_ms", lambda failures, _: failures and 1)
    return RelayLine(connector, notebook)


async def test_the_same_question_is_asked_once(
    line: RelayLine, connector: ScriptedConnector, notebook: Notebook
) -> None:
    """Two who ask the same get one answer; another question has a token of its own."""
    async with line.opened():
        first = await line.request(FetchStatus())
        second = await line.request(FetchStatus())
        other = await line.request(ResolveName("bob"))
        assert [one.token for one in connector.last.sent] == [1, 2]
        connector.last.say(2, Done(NOW))
        connector.last.say(1, STATUS)
        assert await first == await second == STATUS
        assert await other == Done(NOW)
        await line.idle()
        assert [type(request) for request, _ in notebook.answers] == [ResolveName, FetchStatus]
        again = await line.request(FetchStatus())
        assert connector.last.sent[-1].token == 3
    with pytest.raises(NetworkError, match="closed"):
        await again


async def test_whoever_waits_hears_of_the_loss(
    line: RelayLine, connector: ScriptedConnector
) -> None:
    """An answer, an event and an idle line all end with the line."""
    async with line.opened():
        answered = await line.request(FetchStatus())
        event = asyncio.create_task(line.unless_lost(asyncio.Event().wait()))
        settled = asyncio.create_task(line.settled())
        await turn()
        connector.last.lose()
        for waiting in (answered, event, settled):
            with pytest.raises(NetworkError) as caught:
                await waiting
            assert caught.value.code == "closed"
        assert not line.is_open
        assert connector.last.closed
        with pytest.raises(NetworkError, match="cut"):
            await line.request(FetchStatus())
        await line.tell(FetchStatus())


async def test_without_a_line_it_says_why(line: RelayLine, connector: ScriptedConnector) -> None:
    """Never opened, or not reached: who asks hears the reason, not just that nobody is there."""
    with pytest.raises(NetworkError) as caught:
        await line.request(FetchStatus())
    assert caught.value.code == "offline"
    connector.refuse = 1
    with pytest.raises(NetworkError):
        async with line.opened():
            pass
    with pytest.raises(NetworkError) as caught:
        await line.request(FetchStatus())
    assert caught.value.code == "unreachable"


async def test_what_has_come_is_not_lost_with_the_line(line: RelayLine) -> None:
    """Something that is there already is taken, even when the line has gone since."""
    there: asyncio.Queue[str] = asyncio.Queue()
    there.put_nowait("mail")
    async with line.opened():
        assert await line.unless_lost(there.get()) == "mail"


async def test_a_relay_that_does_not_answer_has_gone(
    line: RelayLine, connector: ScriptedConnector
) -> None:
    """Silence ends the line while an answer is due, and only then."""
    async with line.opened():
        await asyncio.sleep(0.5)
        assert line.is_open
        answered = await line.request(FetchStatus())
        for _ in range(6):
            await asyncio.sleep(0.1)
            connector.last.say(0, Displaced())
        assert not answered.done()
        with pytest.raises(NetworkError) as caught:
            await answered
        assert caught.value.code == "no-answer"


async def test_a_relay_that_only_pushes_has_gone_too(
    line: RelayLine, connector: ScriptedConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames of its own renew the patience, but not without end; an answer renews all of it."""
    monkeypatch.setattr(relay_line, "ANSWER_MS", 300)
    monkeypatch.setattr(relay_line, "ANSWERS_OVERTAKEN_MS", 500)
    async with line.opened():
        others = [await line.request(ResolveName(name)) for name in ("bob", "carol")]
        answered = await line.request(FetchStatus())
        for token in (0, 1, 0, 2, 0, 0):
            await asyncio.sleep(0.15)
            connector.last.say(token, Displaced() if not token else Done(NOW))
        assert [await other for other in others] == [Done(NOW)] * 2
        assert not answered.done()
        with pytest.raises(NetworkError) as caught:
            while not answered.done():
                await asyncio.sleep(0.01)
                connector.last.say(0, Displaced())
            await answered
        assert caught.value.code == "no-answer"


async def test_without_the_bound_a_silent_relay_is_waited_for(
    line: RelayLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: with the patience switched off, nothing ever ends the wait."""
    monkeypatch.setattr(RelayLine, "_renew_patience", lambda _: None)
    async with line.opened():
        answered = await line.request(FetchStatus())
        await asyncio.sleep(0.6)
        assert not answered.done()


def challenge_with_lease(lease_max_ms: int) -> bytes:
    """Return the first frame of a relay with a policy about leases."""
    return encode(Answer(0, structs.replace(CHALLENGE, lease_max_ms=lease_max_ms)))


@pytest.mark.parametrize(
    "first",
    [
        None,
        b"\xc1",
        encode(Answer(0, STATUS)),
        challenge_with_lease(0),
        challenge_with_lease(LEASE_MIN_MS - 1),
        challenge_with_lease(LEASE_MAX_MS + 1),
    ],
)
async def test_what_does_not_challenge_is_no_relay(
    first: bytes | None, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence, garbage, another frame, a policy that no phone could follow: nothing is taken."""
    monkeypatch.setattr(relay_line, "CHALLENGE_MS", 300)
    connector = ScriptedConnector(first)
    with pytest.raises(NetworkError) as caught:
        async with RelayLine(connector, notebook).opened():
            pass
    assert caught.value.code == "not-a-relay"
    assert connector.last.closed
    assert notebook.challenges == []


async def test_a_challenge_that_can_not_be_taken_closes_the_socket(
    line: RelayLine,
    connector: ScriptedConnector,
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """E.g. another relay than the pinned one: no socket stays open behind the error."""

    async def refuse(_challenge: object, _origin: str) -> None:
        raise TrustError("relay-changed", "another relay")

    monkeypatch.setattr(notebook, "challenged", refuse)
    with pytest.raises(TrustError):
        async with line.opened():
            pass
    assert connector.last.closed
    assert not line.is_open


async def test_a_bad_answer_ends_only_its_question(
    line: RelayLine, connector: ScriptedConnector, notebook: Notebook
) -> None:
    """A RemoteError reaches who asked; the line goes on with the next answer."""

    def fail() -> None:
        raise RemoteError("bad-list", "no")

    async with line.opened():
        notebook.fail = fail
        answered = await line.request(FetchStatus())
        connector.last.say(1, STATUS)
        with pytest.raises(RemoteError):
            await answered
        notebook.fail = lambda: None
        second = await line.request(FetchStatus())
        connector.last.say(99, STATUS)
        connector.last.say(2, STATUS)
        assert await second == STATUS


@pytest.mark.parametrize("error", [PlatformError("disk-full", "full"), ValueError("a defect")])
async def test_a_failure_of_this_machine_ends_the_line(
    line: RelayLine, connector: ScriptedConnector, notebook: Notebook, error: Exception
) -> None:
    """A full disk while an answer is taken is told to who waits, and nothing more is taken."""

    def fail() -> None:
        raise error

    async with line.opened():
        notebook.fail = fail
        answered = await line.request(FetchStatus())
        connector.last.say(1, STATUS)
        with pytest.raises(type(error)):
            await answered
        with pytest.raises(type(error)):
            await line.settled()
        assert not line.is_open


async def test_a_defect_at_a_push_ends_the_line(
    line: RelayLine,
    connector: ScriptedConnector,
    notebook: Notebook,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A line that nobody reads any more must not look open."""

    async def fail(_frame: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(notebook, "pushed", fail)
    async with line.opened():
        connector.last.say(0, STATUS)
        with pytest.raises(ValueError, match="defect"):
            await line.unless_lost(asyncio.Event().wait())
        assert (line.is_open, connector.last.closed) == (False, True)


async def test_staying_open_opens_again(line: RelayLine, connector: ScriptedConnector) -> None:
    """Each loss and each failed try is told, and `then` is done after each login."""
    told: list[str] = []
    began: list[int] = []
    twice = asyncio.Event()

    async def then() -> None:
        began.append(len(connector.opened))
        if len(began) == 2:
            twice.set()

    def on_failure(error: UntetherError) -> None:
        told.append(error.code)

    staying = asyncio.create_task(line.stay_open(bytes, on_failure, then=then))
    await line.until_open()
    await turn()
    connector.refuse = 2
    connector.last.lose()
    await twice.wait()
    assert told == ["closed", "unreachable", "unreachable"]
    assert began == [1, 2]
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)
    assert all(one.closed for one in connector.opened)


async def test_an_open_line_is_shared(line: RelayLine, connector: ScriptedConnector) -> None:
    """Who wants a connection while one is open opens none; it ends with who opened it."""
    async with line.opened():
        async with line.opened():
            question = await line.request(FetchStatus())
            connector.last.say(1, STATUS)
            assert await question == STATUS
        assert line.is_open
    assert len(connector.opened) == 1
    assert connector.last.closed
    assert not line.is_open


async def test_two_that_want_a_line_at_once_open_one(
    line: RelayLine, connector: ScriptedConnector
) -> None:
    """The second waits for the first's challenge."""

    async def ask() -> None:
        async with line.opened():
            assert line.challenge is not None
            await turn()

    await asyncio.gather(ask(), ask())
    assert len(connector.opened) == 1


async def test_who_stays_open_goes_on_after_another_s_socket(
    line: RelayLine, connector: ScriptedConnector
) -> None:
    """It uses what is open, opens its own when that is closed, and closes nobody else's."""
    calls = 0

    async def then() -> None:
        nonlocal calls
        calls += 1

    async with line.opened():
        staying = asyncio.create_task(line.stay_open(bytes, lambda _: None, then=then))
        await asyncio.sleep(0.01)
        assert (calls, len(connector.opened)) == (1, 1)
    await asyncio.sleep(0.01)
    assert (calls, len(connector.opened)) == (2, 2)
    assert line.is_open
    async with line.opened():
        staying.cancel()
        await asyncio.gather(staying, return_exceptions=True)
        assert not line.is_open
        with pytest.raises(NetworkError, match="closed"):
            await line.unless_lost(asyncio.Event().wait())


async def test_an_old_line_is_opened_anew(
    line: RelayLine, connector: ScriptedConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a device that is never cut off logs in again; a question under way is answered first."""
    monkeypatch.setattr(relay_line, "CONNECTION_MS", 10)
    told: list[UntetherError] = []
    twice = asyncio.Event()

    async def then() -> None:
        if len(connector.opened) == 2:
            twice.set()

    staying = asyncio.create_task(line.stay_open(bytes, told.append, then=then))
    await line.until_open()
    answered = await line.request(FetchStatus())
    await asyncio.sleep(0.03)
    assert not connector.last.closed
    connector.last.say(1, STATUS)
    assert await answered == STATUS
    await twice.wait()
    assert told == []
    assert connector.opened[0].closed
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (RateLimitedError("rate-limited", "slow"), True),
        (RefusedError("relay-failure", "ill"), True),
        (RefusedError("wrong-origin", "no"), False),
        (TrustError("relay-changed", "no"), False),
    ],
)
async def test_only_what_passes_is_tried_again(
    line: RelayLine, error: UntetherError, passes: bool
) -> None:
    """A follower survives a busy or ill relay, and ends for what a person must decide."""
    tries: list[str] = []
    twice = asyncio.Event()

    async def then() -> None:
        tries.append(error.code)
        if len(tries) == 1:
            raise error
        twice.set()

    told: list[UntetherError] = []
    staying = asyncio.create_task(line.stay_open(bytes, told.append, then=then))
    again = asyncio.create_task(twice.wait())
    await asyncio.wait({again, staying}, return_when=asyncio.FIRST_COMPLETED)
    again.cancel()
    assert (len(tries) == 2) is passes
    assert told == ([error] if passes else [])
    staying.cancel()
    (end,) = await asyncio.gather(staying, return_exceptions=True)
    assert (end is error) is not passes


async def test_who_gets_no_mail_waits_longer_each_time(
    line: RelayLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relay that takes logins and refuses mail is not hurried."""
    failures: list[int] = []
    enough = asyncio.Event()

    def delay_ms(failed: int, _randomness: Randomness) -> int:
        failures.append(failed)
        if len(failures) == 4:
            enough.set()
        return 0

    async def then() -> None:
        await line.fail(RefusedError("relay-failure", "ill"))

    monkeypatch.setattr(relay_line, "reconnect_delay_ms", delay_ms)
    staying = asyncio.create_task(line.stay_open(bytes, lambda _: None, then=then))
    await enough.wait()
    assert failures == [0, 1, 2, 3]
    staying.cancel()
    await asyncio.gather(staying, return_exceptions=True)


async def test_the_challenge_is_kept(line: RelayLine, notebook: Notebook) -> None:
    """Linking reads from it who the relay is."""
    assert line.challenge is None
    async with line.opened():
        assert line.challenge == CHALLENGE
        assert notebook.challenges == [line.origin]
