"""Runs a relay: opens the store, listens, keeps house, and stops without losing an answer.

The caller shows the address once the relay answers there; logs go to standard error.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from untether.base.errors import PlatformError
from untether.base.identifiers import RelayId
from untether.base.secret_bytes import SecretBytes
from untether.crypto import es256
from untether.relay.mailbox import begin_incarnation
from untether.relay.session import RelayRules
from untether.relay.transaction import RelayStore
from untether.server import config as configuration
from untether.server.app import create_app
from untether.server.config import Config
from untether.server.data_directory import (
    PUSH_KEY_NAME,
    confirm_identity,
    own_secret,
    serve_alone,
)
from untether.server.event_log import Log, report_libraries
from untether.server.housekeeping import close_silent, keep_house
from untether.server.metrics import Metrics
from untether.server.policed_runner import PolicedRunner
from untether.server.push_service import PushService
from untether.server.relay_process import RelayProcess, own_relay_id
from untether.server.store import check_store, open_store
from untether.server.web_files import load as load_web_files

RELAY_ID_LENGTH = 16
STOP_TIMEOUT_S = 5  # for connections to take their last answers
COLLECT_AFTER_ALLOCATIONS = 100_000
BACKLOG = 1024  # a restarted relay is met by all its devices at once


def run(config: Config, show_address: Callable[[str], object]) -> None:
    """Serve until SIGINT or SIGTERM; raises LocalError or PlatformError if it can't start.

    ``show_address`` is told the address when the relay answers there.
    """
    configuration.check(config)
    log = Log()
    report_libraries(log)
    _calm_collector()
    with serve_alone(config.data_directory), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve_until_signal(config, log, show_address))


@asynccontextmanager
async def serving(config: Config, log: Log) -> AsyncIterator[RelayProcess]:
    """Serve inside the context; leaving it finishes what runs, then stops."""
    tls = configuration.tls_context(config)
    metrics = Metrics()
    web_files = load_web_files(config.web_directory)
    if web_files is None:
        log.info("no-web-app")
    check_store(config.database)
    async with (
        open_store(config.database, metrics.commit_batch.observe) as store,
        _push_service(config) as push_service,
    ):
        listener = _listen(config)
        port = int(listener.getsockname()[1])
        relay = await _start(
            config, port, store, metrics=metrics, log=log, push_service=push_service
        )
        confirm_identity(config.data_directory, relay.rules.relay_id)
        runner = PolicedRunner(
            create_app(relay, web_files), access_log=None, shutdown_timeout=STOP_TIMEOUT_S
        )
        await runner.setup()
        assert runner.server is not None
        house = {
            asyncio.create_task(keep_house(relay)),
            asyncio.create_task(close_silent(relay, runner.server)),
        }
        try:
            await web.SockSite(runner, listener, ssl_context=tls, backlog=BACKLOG).start()
            yield relay
        finally:
            for task in house:
                task.cancel()
            await asyncio.wait(house)
            if relay.web_push is not None:
                await relay.web_push.close()
            await runner.cleanup()
            listener.close()


@asynccontextmanager
async def _push_service(config: Config) -> AsyncIterator[PushService | None]:
    """Open the way to push services, if the operator has said who calls them."""
    if not config.push_contact:
        yield None
        return
    fresh = SecretBytes.generate(es256.SEED_LENGTH, RelayProcess.randomness)
    seed = own_secret(config.data_directory, PUSH_KEY_NAME, fresh)
    async with PushService(seed, config.push_contact) as opened:
        yield opened


async def _start(
    config: Config,
    port: int,
    store: RelayStore,
    *,
    metrics: Metrics,
    log: Log,
    push_service: PushService | None,
) -> RelayProcess:
    fresh = RelayId(RelayProcess.randomness(RELAY_ID_LENGTH))
    rules = RelayRules(
        relay_id=await store.transact(own_relay_id, fresh),
        origins=config.origins(port),
        registration=config.registration,
        incarnation=await store.transact(begin_incarnation, RelayProcess.now()),
        push_key=None if push_service is None else push_service.public_key,
    )
    return RelayProcess(
        config=config,
        address=config.shown_address(port),
        store=store,
        rules=rules,
        metrics=metrics,
        log=log,
        push_service=push_service,
    )


async def _serve_until_signal(
    config: Config, log: Log, show_address: Callable[[str], object]
) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signal_number, stopped.set)
    async with serving(config, log) as relay:
        log.info("serving")
        show_address(relay.address)
        await stopped.wait()
        log.info("stopping", count=len(relay.hub.sockets()))
    log.info("stopped")


def _listen(config: Config) -> socket.socket:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        return socket.create_server(
            (config.host, config.port),
            family=family,
            backlog=BACKLOG,
            dualstack_ipv6=config.host == "::" and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise PlatformError(
            "cannot-listen",
            f"Listening on {config.host} port {config.port} failed: {error.strerror}.",
            "Choose another --port, or end the program that has it.",
        ) from error


def _calm_collector() -> None:
    """Let the garbage collector look seldom: a busy relay has thousands of requests in flight.

    None of them is a cycle, and walking them at Python's defaults takes a fifth of the CPU.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_ALLOCATIONS, 20, 50)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Choose uvloop where it exists: it joins the writes of one tick into one call."""
    try:
        import uvloop  # noqa: PLC0415 (absent on some platforms)
    except ImportError:
        return None
    return uvloop.new_event_loop
