"""An input as a script: which genuine message, and how it is changed.

Random bytes never get past a length, a tag or a signature, and coverage does not lead a fuzzer
through a decoder written in C. So an input names one genuine message and lists edits: of its
bytes, or of the tree of arrays that it encodes. Any bytes are a script, a small change of the
script is a small change of the message, and a script is replayed without a fuzzer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from zlib import crc32

import msgspec

EDITS_MAX: Final = 8
"""Of one message; more only hides which one mattered."""

NUMBERS: Final = (
    0, 1, 2, 31, 32, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31,
    2**32 - 1, 2**32, 2**47, 2**48, 2**53 - 1, 2**53, 2**63 - 1, 2**64 - 1, -1, -(2**31), -(2**63),
)  # fmt: skip
TEXTS: Final = (
    "", "\0", "\n", "\x1b[2J", "\u202e", "\ud7ff", "\uffff", "\U0010ffff", "İ", "ß", "a" * 65,
    "é" * 300, "../..", "untether://link/1/", "text", "direct", "phone", "web",
)  # fmt: skip
GROWN_MAX: Final = 1_200_000
"""Bytes that repetition may reach: above the largest frame, and not much."""

OFTEN: Final = 16
HUGE: Final = 0xF0  # of a byte that says how often: from here on another number says it

HERE: Final = 0xC0  # of a byte that chooses a child: from here on the list itself is meant

VARIED_MAX: Final = 4_096
"""Bytes; copying longer messages would take longer than reading them."""

BYTES_OF_ONE: Final = [bytes([value]) for value in range(256)]

RAW: Final = 0
BYTES: Final = 1
TREE: Final = 2


class Script:
    """Reads an input from left to right; beyond its end there are zeros."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """Read one byte."""
        at = self._at
        self._at = at + 1
        return self._data[at] if at < len(self._data) else 0

    def number(self) -> int:
        """Read two bytes."""
        return int.from_bytes(self.take(2), "big")

    def take(self, length: int) -> bytes:
        """Read so many bytes."""
        taken = self._data[self._at : self._at + length]
        self._at += length
        return taken.ljust(length, b"\0")

    def rest(self) -> bytes:
        """Read all that is left."""
        taken = self._data[self._at :]
        self._at = len(self._data)
        return taken


def message(script: Script, genuine: Sequence[bytes]) -> bytes:
    """Read the mode, then raw bytes, or a genuine encoding with edits of its bytes or tree."""
    mode = script.byte() % 3
    if mode == RAW:
        return script.rest()
    base = _chosen(script, genuine)
    if mode == BYTES:
        return edited_bytes(base, script, genuine)
    return edited_encoding(base, script, genuine)


def text(script: Script, genuine: Sequence[bytes]) -> str:
    """Read raw bytes or a changed genuine text; what is no UTF-8 comes as from a command line."""
    raw = script.byte() % 3 == RAW
    data = script.rest() if raw else edited_bytes(_chosen(script, genuine), script, genuine)
    return data.decode("utf-8", "surrogateescape")


def messages(genuine: Sequence[bytes]) -> Callable[[bytes], bytes]:
    """Return what builds a message of an input that is nothing but a script of one."""
    return lambda data: message(Script(data), genuine)


def variant(message: bytes, number: int) -> bytes:
    """Return the nth variant of a message: a byte of it is another one, missing, or added."""
    if not message or len(message) > VARIED_MAX:
        return message[:number]
    chance = crc32(message[:64], number) * 0x9E3779B97F4A7C15 >> 7
    at, value = chance % len(message), (chance >> 32) & 0xFF
    head, kind = message[:at], number % 3
    if kind == 0:
        return head + BYTES_OF_ONE[value] + message[at + 1 :]
    return head + message[at + 1 :] if kind == 1 else head + BYTES_OF_ONE[value] + message[at:]


def variant_of_second(built: tuple[Any, bytes], number: int) -> tuple[Any, bytes]:
    """Return the nth variant of what comes second, beside what says how it is read."""
    return built[0], variant(built[1], number)


def plain(number: int, mode: int = TREE) -> bytes:
    """Return the script of a genuine message as it is: without edits."""
    return bytes([mode, number])


def seeds(genuine: Sequence[bytes], *, raw_max: int = 1_024) -> list[bytes]:
    """Return scripts that give each genuine message, and the short ones raw."""
    raw = [bytes([RAW]) + one for one in genuine if len(one) <= raw_max]
    return raw + [plain(number, mode) for mode in (BYTES, TREE) for number in range(len(genuine))]


def edited_bytes(base: bytes, script: Script, others: Sequence[bytes]) -> bytes:
    """Change bytes of a message as the script says."""
    for _ in range(script.byte() % (EDITS_MAX + 1)):
        edit = BYTE_EDITS[script.byte() % len(BYTE_EDITS)]
        base = edit(base, script, others)[:GROWN_MAX]
    return base


def _turn(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at = script.number() % max(1, len(base))
    return base[:at] + bytes(one ^ script.byte() for one in base[at : at + 1]) + base[at + 1 :]


def _set(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at, length = script.number() % max(1, len(base)), script.byte() % 9
    return base[:at] + script.take(length) + base[at + length :]


def _cut(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    return base[: script.number() % (len(base) + 1)]


def _insert(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at = script.number() % (len(base) + 1)
    return base[:at] + script.take(script.byte() % 33) + base[at:]


def _delete(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at = script.number() % (len(base) + 1)
    return base[:at] + base[at + script.byte() :]


def _double(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at, length = script.number() % (len(base) + 1), script.byte()
    return base[: at + length] + base[at:]


def _splice(base: bytes, script: Script, others: Sequence[bytes]) -> bytes:
    other = others[script.byte() % len(others)]
    at, there = script.number() % (len(base) + 1), script.number() % (len(other) + 1)
    return base[:at] + other[there:]


def _repeat(base: bytes, script: Script, _others: Sequence[bytes]) -> bytes:
    at, length = script.number() % (len(base) + 1), 1 + script.byte() % 32
    return base[:at] + base[at : at + length] * _times(length, script) + base[at:]


BYTE_EDITS: Final[Sequence[Callable[[bytes, Script, Sequence[bytes]], bytes]]] = (
    _turn,
    _set,
    _cut,
    _insert,
    _delete,
    _double,
    _splice,
    _repeat,
)


def edited_encoding(base: bytes, script: Script, others: Sequence[bytes]) -> bytes:
    """Change the tree that an encoding holds; what can't be encoded stays as it was."""
    tree = _tree(base)
    for _ in range(script.byte() % (EDITS_MAX + 1)):
        tree = _edited(tree, script, others)
    encoded = _encoded(tree)
    return base if encoded is None else encoded


def _edited(node: Any, script: Script, others: Sequence[bytes]) -> Any:
    """Walk to a node and change it."""
    choice = script.byte()
    if isinstance(node, list) and node and choice < HERE:
        at = choice % len(node)
        return [*node[:at], _edited(node[at], script, others), *node[at + 1 :]]
    kind = script.byte() % 8
    if kind == 0:
        return _grafted(script, others)
    if kind == 1:
        return (None, True, [], b"", "", 0, 1.5, {})[script.byte() % 8]
    match node:
        case list():
            return _edited_list(node, script)
        case bytes():
            return _edited_value(node, script, others)
        case str():
            changed = _edited_value(node.encode(), script, others).decode(errors="replace")
            return (*TEXTS, changed)[script.byte() % (len(TEXTS) + 1)]
        case int():
            near = node + script.byte() - 128
            return (*NUMBERS, near)[script.byte() % (len(NUMBERS) + 1)]
    return node


def _edited_value(value: bytes, script: Script, others: Sequence[bytes]) -> bytes:
    """Change one value by one edit: repeat it, change the record that it holds, or its bytes."""
    kind = script.byte() % 4
    if kind == 0:
        return value * _times(len(value), script)
    if kind == 1 and isinstance(held := _tree(value), list):  # as in signed objects
        encoded = _encoded(_edited(held, script, others))
        if encoded is not None:
            return encoded
    return BYTE_EDITS[script.byte() % len(BYTE_EDITS)](value, script, others)


def _tree(data: bytes) -> Any:
    """Return the tree of an encoding; what is none is one byte string."""
    try:
        return msgspec.msgpack.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return data


def _encoded(tree: Any) -> bytes | None:
    """Return the encoding of a tree, or None when it has a number or text that has none."""
    try:
        return msgspec.msgpack.encode(tree)
    except (OverflowError, UnicodeEncodeError):
        return None


def _chosen(script: Script, genuine: Sequence[bytes]) -> bytes:
    return genuine[script.byte() % len(genuine)]


def _edited_list(node: list[Any], script: Script) -> list[Any]:
    kind = script.byte() % 6
    if kind == 0:
        return node * _times(len(_encoded(node) or b""), script)
    if kind == 1:
        return [node]
    if not node:
        return [script.byte()]
    first, second = script.byte() % len(node), script.byte() % len(node)
    changed = list(node)
    match kind:
        case 2:
            del changed[first]
        case 3:
            changed.insert(second, node[first])
        case 4:
            changed[first], changed[second] = node[second], node[first]
        case 5:
            changed[second] = node[first]
    return changed


def _times(size: int, script: Script) -> int:
    """Read how often something is repeated: a few times, seldom until it is too large."""
    few = script.byte()
    times = few % OFTEN if few < HUGE else script.number()
    return min(times, GROWN_MAX // (size + 1))


def _grafted(script: Script, others: Sequence[bytes]) -> Any:
    """Take a node of another genuine message."""
    node = _tree(_chosen(script, others))
    while isinstance(node, list) and node and (choice := script.byte()) < HERE:
        node = node[choice % len(node)]
    return node
