"""The log: lines hold transitions and shortened ids, never free text."""

from __future__ import annotations

import io
import json
import logging

import pytest

from untether.server.event_log import Log, report_libraries
from untether.server.metrics import Metrics


def test_a_line_is_json_with_shortened_ids() -> None:
    """An identifier leaves only its first eight digits."""
    stream = io.StringIO()
    Log(stream).info("login", account=bytes(range(16)), device=3)
    line = json.loads(stream.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "login", "level": "info", "account": "00010203", "device": 3}


@pytest.mark.parametrize(
    "fields", [{"name": "alice"}, {"code": "Hello Bob"}, {"code": "x" * 65}, {"text": "hi"}]
)
def test_free_text_and_unknown_fields_are_refused(fields: dict[str, str]) -> None:
    """What could carry a name or a plaintext has no way into a line."""
    stream = io.StringIO()
    with pytest.raises(ValueError, match="log"):
        Log(stream).warning("login", **fields)
    assert stream.getvalue() == ""


def test_two_relays_in_one_process_count_apart() -> None:
    """Metrics live on their own registry."""
    first, second = Metrics(), Metrics()
    first.refusals["malformed"] += 1
    assert b'untether_refusals_total{code="malformed"} 1.0' in first.exposition()
    assert b"malformed" not in second.exposition()


def test_libraries_report_without_their_words() -> None:
    """What aiohttp or asyncio would print becomes a line with type and places."""
    stream = io.StringIO()
    before = logging.root.handlers[:]
    try:
        report_libraries(Log(stream))
        try:
            raise KeyError("alice's peer 192.0.2.1")
        except KeyError:
            logging.getLogger("aiohttp.server").exception("Error handling request from 192.0.2.1")
        logging.getLogger("asyncio").warning("slow callback with alice")
    finally:
        logging.root.handlers[:] = before
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (first["event"], first["error"]) == ("library-aiohttp", "KeyError")
    assert second["event"] == "library-asyncio"
    assert "192.0.2.1" not in stream.getvalue()
    assert "alice" not in stream.getvalue()
