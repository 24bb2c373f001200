"""Write the shapes of calls, questions and events into the screens' TypeScript.

``write_screen_types.py`` writes ``webapp/src/types.ts``; with ``--check`` it only says, by its exit
status, whether the file is up to date.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import msgspec
from msgspec import inspect

from untether.browser import events, views
from untether.browser.calls import CALLS
from untether.browser.questions import QUESTIONS, Proof

FILE = Path(__file__).resolve().parents[1] / "webapp" / "src" / "types.ts"
HEAD = """\
// What screens and engine say to each other. Times are Unix milliseconds, ids are hex.
// Written by `make tables` from the engine's own tables in src/untether/browser: never by hand.
import type { Problem } from "./calls";
"""
WIDTH = 100
PLAIN: dict[type[inspect.Type], str] = {
    inspect.BoolType: "boolean",
    inspect.DictType: "Problem",
    inspect.FloatType: "number",
    inspect.IntType: "number",
    inspect.NoneType: "null",
    inspect.StrType: "string",
}


class Shape(NamedTuple):
    """A type: in words, or an object with its fields; ``end`` is ``[]`` for many of it."""

    words: str
    fields: tuple[tuple[str, Shape], ...] = ()
    end: str = ""


def text() -> str:
    """Return the whole file."""
    calls = [
        (name, Shape("", (("args", given(call.arguments)), ("value", said(value_of(call))))))
        for name, call in CALLS.items()
    ]
    asks = [
        (one.name, Shape("", (("details", said(one.details)), ("answer", given(one.answer)))))
        for one in QUESTIONS
    ]
    happened = [(tag_of(one), said(one, nothing="object")) for one in structs_of(events)]
    tables = {
        "EngineCalls": ("Name of a call → its arguments and its value.", calls),
        "EngineAsks": ("Name of a question → its details and the answer.", asks),
        "EngineEvents": ("Name of an event → its details.", happened),
    }
    shown = [
        interface(one.__name__, one.__doc__ or "", fields_of(one, is_said=one is not Proof))
        for one in NAMED
    ]
    written = [interface(name, comment, tuple(rows)) for name, (comment, rows) in tables.items()]
    return "\n".join([HEAD, *shown, *written])


def interface(name: str, comment: str, rows: tuple[tuple[str, Shape], ...]) -> str:
    """Return one interface with its comment."""
    words = comment.partition("\n\n")[0].replace("``", "`")
    lines = [f"/** {words} */", f"export interface {name} {{"]
    for field, shape in rows:
        lines.extend(laid_out(field, shape, "  "))
    return "\n".join([*lines, "}", ""])


def laid_out(name: str, shape: Shape, indent: str) -> Iterator[str]:
    """Yield a field in one line, or one line for each of its own if it is long."""
    line = f"{indent}{name}: {spelled(shape)};"
    if len(line) <= WIDTH or not shape.fields:
        yield line
        return
    yield f"{indent}{name}: {{"
    for field, inner in shape.fields:
        yield from laid_out(field, inner, f"{indent}  ")
    yield f"{indent}}}{shape.end};"


def spelled(shape: Shape) -> str:
    """Return a type in one line."""
    if not shape.fields:
        return shape.words + shape.end
    inner = "; ".join(f"{name}: {spelled(one)}" for name, one in shape.fields)
    return f"{{ {inner} }}{shape.end}"


def said(kind: object, nothing: str = "Record<string, never>") -> Shape:
    """Return the shape of what the engine says."""
    return shape_of(inspect.type_info(kind), is_said=True, nothing=nothing)


def given(kind: object) -> Shape:
    """Return the shape of what screens say."""
    return shape_of(inspect.type_info(kind), is_said=False)


def shape_of(kind: inspect.Type, *, is_said: bool, nothing: str = "Record<string, never>") -> Shape:
    """Return the shape of a type; ValueError for one that the screens don't know."""
    if isinstance(kind, inspect.StructType):
        if kind.cls in NAMED:
            return Shape(kind.cls.__name__)
        return Shape(nothing, fields_of(kind.cls, is_said=is_said))
    if isinstance(kind, inspect.ListType | inspect.VarTupleType):
        one = shape_of(kind.item_type, is_said=is_said)
        words = f"({one.words})" if " | " in one.words else one.words
        return one._replace(words=words, end="[]")
    if isinstance(kind, inspect.LiteralType):
        return Shape(" | ".join(f'"{value}"' for value in kind.values))
    if isinstance(kind, inspect.UnionType):
        some = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        every = [*some, *(one for one in kind.types if one not in some)]  # null comes last
        return Shape(" | ".join(spelled(shape_of(one, is_said=is_said)) for one in every))
    if type(kind) not in PLAIN:
        raise ValueError(kind)
    return Shape(PLAIN[type(kind)])


def fields_of(struct: type[msgspec.Struct], *, is_said: bool) -> tuple[tuple[str, Shape], ...]:
    """Return the fields of an object; ``?`` where one may be left out."""
    leaves_out = struct.__struct_config__.omit_defaults or not is_said
    return tuple(field_of(one, is_said, leaves_out) for one in inspected(struct))


def field_of(field: inspect.Field, is_said: bool, leaves_out: bool) -> tuple[str, Shape]:
    """Return one field; one left out stands for None where that is its default."""
    kind, name = field.type, field.encode_name
    if field.required or not leaves_out:
        return name, shape_of(kind, is_said=is_said)
    if isinstance(kind, inspect.UnionType) and field.default is None:
        some = tuple(one for one in kind.types if not isinstance(one, inspect.NoneType))
        kind = some[0] if len(some) == 1 else inspect.UnionType(some)
    return f"{name}?", shape_of(kind, is_said=is_said)


def inspected(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """Return the fields of a struct."""
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)
    return found.fields


def structs_of(module: object) -> Iterator[type[msgspec.Struct]]:
    """Yield the structs that a module defines, in its order; not the base of its others."""
    name = getattr(module, "__name__", "")
    for found in vars(module).values():
        if isinstance(found, type) and found.__module__ == name and not found.__subclasses__():
            yield found


def tag_of(event: type[msgspec.Struct]) -> str:
    """Return the name of an event."""
    return str(event.__struct_config__.tag)


def value_of(call: Any) -> object:
    """Return the type of a call's value, as its function says."""
    return get_type_hints(call.carry_out)["return"]


NAMED: tuple[type[msgspec.Struct], ...] = (*structs_of(views), Proof)
"""What screens keep and hand on; other shapes stand only where they are used."""


def main() -> int:
    """Write the file, or check it."""
    if FILE.read_text() == text():
        return 0
    if "--check" in sys.argv:
        sys.stderr.write(f"out of date: {FILE.name}; run: make tables\n")
        return 1
    FILE.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
