"""A relay process: what it prints, how it stops, and that no answer is ever taken back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from tests.unit.server.relay_devices import Device, make_phone, register
from tests.unit.server.relay_process_helper import RelayServer, logged

from untether.adapters.transport.websocket import WebSocketConnector
from untether.base.errors import LocalError, NetworkError, PlatformError
from untether.cli.main import main
from untether.server.config import Config
from untether.server.data_directory import prepare, serve_alone
from untether.server.driver import serving
from untether.server.event_log import Log
from untether.wire.client_frames import Acknowledge
from untether.wire.server_frames import Accepted, Deliveries, Done, Refused, Submitted, Welcome


async def test_the_first_line_is_the_address_and_sigterm_ends_politely(tmp_path: Path) -> None:
    """Scripts read the address; a stopped relay leaves 0, nothing on stdout, no process."""
    with RelayServer(tmp_path) as server:
        assert server.address.startswith("http://localhost:")
        async with WebSocketConnector(server.address) as connector:
            phone = make_phone("alice")
            await phone.connect(connector)
            stopping = asyncio.create_task(asyncio.to_thread(server.stop))
            with pytest.raises(NetworkError) as end:
                await phone.connection.receive()
            assert end.value.details["close_code"] == 1001
            assert await stopping == (0, "")
    assert server.process.poll() == 0


async def test_answered_submissions_survive_sigkill(tmp_path: Path) -> None:
    """Killed in the middle of a load and started again, the relay delivers all it answered."""
    with RelayServer(tmp_path) as server:
        async with WebSocketConnector(server.address) as connector:
            alice, bob = await register(connector, "alice"), await register(connector, "bob")
            await alice.log_in(connector)
            answered = await _write_until_killed(alice, bob, server)
    assert len(answered) >= 100
    with RelayServer(tmp_path) as server:
        async with WebSocketConnector(server.address) as connector:
            first = await bob.receive_mail(connector)
            delivered = [entry.message_id for entry in first.entries]
            remaining = first.remaining
            while remaining:
                push = await bob.push(Deliveries)
                delivered += [entry.message_id for entry in push.entries]
                remaining = push.remaining
                assert isinstance(await bob.ask(Acknowledge(push.entries[-1].stamp)), Done)
    assert len(set(delivered)) == len(delivered)
    assert answered <= set(delivered)
    assert server.process.poll() is not None


async def _write_until_killed(alice: Device, bob: Device, server: RelayServer) -> set[bytes]:
    """Keep submissions in flight, kill the relay among them, and return what was answered."""
    written = {}
    for _ in range(220):
        letter = alice.letter(bob)
        written[await alice.send(letter)] = letter.message_id
    answered: set[bytes] = set()
    try:
        for token, message_id in written.items():
            answer = await alice.answer(token)
            assert isinstance(answer, Submitted), answer
            assert isinstance(answer.verdicts[0], Accepted)
            answered.add(message_id)
            if len(answered) == 100:
                server.process.kill()
    except NetworkError:
        pass
    return answered


async def test_each_start_has_a_number_of_its_own(tmp_path: Path) -> None:
    """So a database that was put back never goes on where it was."""
    numbers = []
    for _ in range(2):
        async with serving(Config(port=0, data=str(tmp_path)), Log()) as relay:
            numbers.append(relay.rules.incarnation)
    assert 0 < numbers[0] < numbers[1]


async def test_the_log_holds_no_name_no_address_and_no_content(tmp_path: Path) -> None:
    """Everything that happens to Alice and Bob leaves only counts and codes on stderr."""
    with RelayServer(tmp_path) as server:
        async with WebSocketConnector(server.address) as connector:
            alice, bob = await register(connector, "alice"), await register(connector, "bob")
            await alice.log_in(connector)
            await alice.write(bob, b"plain words")
            await bob.receive_mail(connector)
            assert isinstance(await alice.ask(alice.login()), Refused)
            await alice.connection.send(b"plain words")
            with pytest.raises(NetworkError):
                await alice.connection.receive()
        server.stop(signal.SIGINT)
    written = server.errors.read_text()
    for word in ("alice", "bob", "plain words", "127.0.0.1", "Traceback"):
        assert word not in written
    lines = logged(written)
    assert [line["event"] for line in lines] == ["serving", "stopping", "stopped"]


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Two relays can't listen at one place."""
    async with serving(Config(port=0, data=str(tmp_path)), Log()) as relay:
        port = int(relay.address.rsplit(":", 1)[1])
        with pytest.raises(PlatformError) as refusal:
            async with serving(Config(port=port, data=str(tmp_path)), Log()):
                pass
    assert refusal.value.code == "cannot-listen"


def test_one_relay_for_each_directory(tmp_path: Path) -> None:
    """The second is refused while the first one runs, and welcome afterwards."""
    with serve_alone(tmp_path):
        with pytest.raises(LocalError) as refusal, serve_alone(tmp_path):
            pass
        assert refusal.value.code == "already-serving"
    with serve_alone(tmp_path):
        pass


def test_an_unusable_directory_is_named(tmp_path: Path) -> None:
    """A file in the way is an operator's problem, told as one."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError) as refusal:
        prepare(tmp_path / "file" / "data")
    assert refusal.value.code == "io-error"
    prepare(tmp_path / "new" / "data")
    assert (tmp_path / "new" / "data").stat().st_mode & 0o777 == 0o700


async def test_an_invitation_made_beside_a_running_relay_admits_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``invite`` opens the same database; the code works once, and nobody enters without."""
    file = tmp_path / "relay.toml"
    file.write_text('registration = "invitation"\ndata = "data"\n')
    with RelayServer(tmp_path / "data", "--config", str(file)) as server:
        invite = ["invite", "--data", str(tmp_path / "data")]
        assert await asyncio.to_thread(main, invite) == 0
        code = capsys.readouterr().out.strip()
        async with WebSocketConnector(server.address) as connector:
            alice, mallory = make_phone("alice"), make_phone("mallory")
            await alice.connect(connector)
            await mallory.connect(connector)
            assert await mallory.ask(mallory.registration()) == Refused("invitation-needed")
            assert isinstance(await alice.ask(alice.registration(code)), Done)
            assert await mallory.ask(mallory.registration(code)) == Refused("invitation-needed")
            assert isinstance(await alice.log_in(connector), Welcome)


def test_an_invitation_needs_a_relay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong directory is refused, not filled with a new database."""
    assert main(["-o", "json", "invite", "--data", str(tmp_path)]) == 1
    assert json.loads(capsys.readouterr().err)["error"] == "no-relay"
    assert not list(tmp_path.iterdir())


async def test_an_invitation_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts get code and end."""
    async with serving(Config(port=0, data=str(tmp_path)), Log()):
        pass
    invite = ["invite", "--data", str(tmp_path), "-o", "json"]
    assert await asyncio.to_thread(main, invite) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == {"invitation", "expires_at"}


@pytest.mark.parametrize(
    ("options", "code"),
    [(["--host", "192.0.2.1"], "plain-http"), (["--host", ""], "bad-config")],
)
def test_serve_refuses_before_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: str
) -> None:
    """An unsafe or impossible start is refused in words, and nothing is created."""
    assert main(["serve", "-o", "json", "--data", str(tmp_path), *options]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["error"] == code
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("left", [None, b"", b"x"], ids=["missing", "empty", "one byte"])
async def test_a_relay_without_its_database_does_not_become_another(
    tmp_path: Path, left: bytes | None
) -> None:
    """It says so and does not start; with the database back it is the old one again."""
    config = Config(port=0, data=str(tmp_path))
    async with serving(config, Log()) as relay:
        known = relay.rules.relay_id
    database = tmp_path / "relay.sqlite3"
    kept = database.read_bytes()
    database.unlink()
    if left is not None:
        database.write_bytes(left)
    for _ in range(2):
        with pytest.raises(PlatformError) as refused:
            async with serving(config, Log()):
                pass
        assert refused.value.code == "relay-storage"
    database.write_bytes(kept)
    async with serving(config, Log()) as relay:
        assert relay.rules.relay_id == known
    (tmp_path / "relay.id").write_bytes(b"")  # the power went while it was written
    async with serving(config, Log()) as relay:
        assert relay.rules.relay_id == known
    assert (tmp_path / "relay.id").read_text().strip() == known.hex()
    (tmp_path / "relay.id").unlink()
    os.mkfifo(tmp_path / "relay.id")
    with pytest.raises(PlatformError) as unusable:
        async with serving(config, Log()):
            pass
    assert unusable.value.code == "io-error"
    (tmp_path / "relay.id").unlink()
    database.unlink()
    async with serving(config, Log()) as relay:
        assert relay.rules.relay_id != known
