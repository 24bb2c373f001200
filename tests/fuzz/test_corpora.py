"""Everything that reads bytes of others, on what fuzzing found, without a fuzzer (``fuzz/``).

Each target runs its genuine seeds and its kept inputs under the same invariant as in a long
run: a value or a clear error, within 50 ms and 64 MiB, and no change by what is refused.
"""

from __future__ import annotations

import sys
import tracemalloc
from time import thread_time

import pytest
from fuzz.harness import CPU_S_MAX, MEMORY_BYTES_MAX, Case, InvariantError, Judge
from fuzz.script import HERE, NUMBERS, TREE, Script, edited_encoding, message, plain
from fuzz.targets import TARGETS
from hypothesis import given
from hypothesis import strategies as st

from fuzz import __main__ as command
from fuzz import corpus
from untether.base.errors import LocalError, RemoteError
from untether.wire.codec import encode

CORPORA_BYTES_MAX = 512 * 1024
COVERAGE_TIMES = 4
"""So much slower a reader may be while its coverage is measured."""


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_found_is_read_or_refused(name: str) -> None:
    """Each seed and each kept input keeps the invariant."""
    target = TARGETS[name]
    with target.prepare() as case:
        judge = Judge(case, COVERAGE_TIMES * target.cpu_s_max)
        inputs = [*case.seeds, *corpus.kept(name)]
        for one in inputs:
            judge.attempt(one)
        assert len(inputs) > 2


@pytest.mark.parametrize("name", ["client-frame", "device-list", "pairwise-open", "relay-request"])
def test_no_input_takes_much_memory(name: str) -> None:
    """Measured to the byte, beside the growth of the process that every run measures."""
    with TARGETS[name].prepare() as case:
        for one in [*case.seeds[:10], *corpus.kept(name)[:10]]:
            built = case.build(one)
            tracemalloc.start()
            try:
                case.read(built)
            except (LocalError, RemoteError):
                pass
            finally:
                _, peak = tracemalloc.get_traced_memory()
                tracemalloc.stop()
            assert peak < MEMORY_BYTES_MAX


def test_every_corpus_has_a_target_and_all_are_small() -> None:
    """A corpus that nothing replays proves nothing, and a clone stays quick."""
    files = list(corpus.CORPORA.glob("*"))
    assert {file.name for file in files} == {f"{name}.txt" for name in TARGETS}
    assert sum(file.stat().st_size for file in files) <= CORPORA_BYTES_MAX


def broken(read: object) -> Case:
    """Return a case of a reader that breaks the invariant."""
    assert callable(read)
    return Case(lambda data: data, read, [])


def test_the_harness_sees_what_breaks_the_invariant() -> None:
    """Twin: a traceback, a slow reader, a greedy one, a long error, an error without a code."""

    def slow(_data: bytes) -> None:
        until = thread_time() + 1.2 * CPU_S_MAX
        while thread_time() < until:
            pass

    def greedy(_data: bytes) -> None:
        bytearray(4 * MEMORY_BYTES_MAX)

    def talkative(data: bytes) -> None:
        raise RemoteError("malformed", f"This came: {data * 9_000!r}")

    def nameless(_data: bytes) -> None:
        raise RemoteError("Not A Code", "Something is wrong.")

    for read in (slow, greedy, talkative, nameless):
        with pytest.raises(InvariantError):
            Judge(broken(read), CPU_S_MAX).attempt(b"input")
    with pytest.raises(ZeroDivisionError):
        Judge(broken(lambda _data: 1 // 0), CPU_S_MAX).attempt(b"input")
    Judge(broken(lambda _data: None), CPU_S_MAX).attempt(b"input")


def test_a_script_without_edits_is_the_genuine_message() -> None:
    """And an edit of its tree reaches a number three levels down."""
    genuine = [encode([1, [b"x", ["text", 7]]])]
    message = Script(plain(0))
    assert message.byte() == TREE
    assert message.byte() == 0
    assert edited_encoding(genuine[0], Script(b""), genuine) == genuine[0]
    walk = bytes([1, 1, 1, 1, 0, 2, 0, NUMBERS.index(2**53)])
    assert edited_encoding(genuine[0], Script(walk), genuine) == encode(
        [1, [b"x", ["text", 2**53]]]
    )


@given(st.binary(max_size=200))
def test_every_script_is_a_message(data: bytes) -> None:
    """Also one that grows a number beyond what an encoding holds, and then repeats it."""
    genuine = [encode([1, [b"x", ["text", 2**64 - 1]]]), encode(2**64 - 1)]
    assert isinstance(message(Script(data), genuine), bytes)


def test_a_number_without_an_encoding_is_left_out() -> None:
    """Its list can't be repeated, and the message stays as it was."""
    genuine = [encode([2**64 - 1])]
    grow_and_repeat = [2, 0, 9, 2, 255, len(NUMBERS), HERE, 2, 0, 3]
    assert edited_encoding(genuine[0], Script(bytes(grow_and_repeat)), genuine) == genuine[0]


def test_without_a_fuzzer_it_says_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a platform without wheels of Atheris the command names those that have them."""
    monkeypatch.setattr(sys, "argv", ["fuzz", "link-text"])
    monkeypatch.setattr(command, "find_spec", lambda _name: None)
    assert command.main() == 1
    assert "Linux on x86-64" in capsys.readouterr().err
