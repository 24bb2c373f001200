"""Collect every error code of the program with its meaning and its next step, from the code.

What an error says is read where it is made: ``SomeError("code", message, hint)``. A part that is
filled in when it happens becomes “…”; what a helper is called with is read at its calls. Codes
that stand in a table of the program are taken from there. A code that can't be found by any of
these is an error of this tool, so that none is left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from untether.adapters.storage import sqlite_database
from untether.base import errors
from untether.cli.arguments import UsageError
from untether.client import recovery, refusals
from untether.protocol.linking.failures import FAILURES

SOURCES = Path(errors.__file__).resolve().parents[1]
CLASSES: dict[str, type[errors.UntetherError]] = {
    name: found
    for name, found in {**vars(errors), "UsageError": UsageError}.items()
    if isinstance(found, type) and issubclass(found, errors.UntetherError)
}
FROM_TABLES = frozenset({"code", "refused.code", "unreachable.code", "*failure"})
"""Expressions that stand for codes which a table has, or which came with another error."""
FILLED_IN = "…"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Row:
    """One thing that an error says; ``kind`` is the class, which says who must act."""

    code: str
    meaning: str
    next_step: str
    kind: type[errors.UntetherError] = field(compare=False)


def all_rows() -> list[Row]:
    """Return all rows by code; those that would say nothing are left out."""
    rows = set(table_rows())
    for path in sorted(SOURCES.rglob("*.py")):
        rows |= set(Module(path).rows())
    return sorted(row for row in rows if row.meaning != FILLED_IN)


def table_rows() -> Iterator[Row]:
    """Yield what the program itself keeps in tables."""
    for code, (message, hint) in refusals._TEXTS.items():
        yield Row(code, message, hint, errors.RefusedError)
    slow_down = refusals.refusal("rate-limited", 1000)
    hint = slow_down.hint.replace("1", FILLED_IN)
    yield Row(slow_down.code, slow_down.message, hint, type(slow_down))
    yield Row("usage", "The command line can't be read; the message says why.", "", UsageError)
    for code, (message, hint) in recovery._FAILURES.items():
        yield Row(code, message, hint, errors.LocalError)
    for code, failure in FAILURES.items():
        yield Row(code, failure.message, failure.hint, failure.error)
    for failed in vars(sqlite_database).values():
        if isinstance(failed, sqlite_database._Failure):
            yield Row(failed.code, failed.message, failed.hint, errors.PlatformError)


class Module:
    """One file of the program, in which errors are looked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tree = ast.parse(path.read_text())
        self.calls = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        self.constants = {
            target.id: node.value
            for node in self.tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }

    def rows(self) -> Iterator[Row]:
        """Yield what the errors of this file say."""
        for function in [None, *self._functions()]:
            for call in _own_calls(function or self.tree):
                kind = self._kind(call, function)
                if kind is not None and call.args:
                    yield from self._rows_of(call, kind, function)
                elif isinstance(call.func, ast.Name) and call.func.id == "check_signature":
                    yield from self._signature_rows(call)

    def _functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def _kind(self, call: ast.Call, function: Function | None) -> type[errors.UntetherError] | None:
        """Return the class of the error that a call makes, if it makes one."""
        if isinstance(call.func, ast.Name):
            return CLASSES.get(call.func.id)
        made = self._class_of(function)
        if made is None or not made.bases or ast.unparse(call.func) != "super().__init__":
            return None
        return CLASSES.get(ast.unparse(made.bases[0]))

    def _rows_of(
        self, call: ast.Call, kind: type[errors.UntetherError], function: Function | None
    ) -> Iterator[Row]:
        code, *said = call.args
        codes = self._texts(code, function)
        if FILLED_IN in "".join(codes):
            self._check_known(code)
            return
        messages = self._texts(said[0], function) if said else [""]
        hints = self._texts(said[1], function) if len(said) > 1 else [""]
        if len(codes) > 1:  # one choice decides all three
            messages, hints = (
                texts if len(texts) == len(codes) else texts * len(codes)
                for texts in (messages, hints)
            )
            yield from (Row(*one, kind) for one in zip(codes, messages, hints, strict=True))
        else:
            yield from (Row(*one, kind) for one in product(codes, messages, hints))

    def _signature_rows(self, call: ast.Call) -> Iterator[Row]:
        for keyword in call.keywords:
            if keyword.arg == "code" and isinstance(keyword.value, ast.Constant):
                meaning = "A signature does not fit what it should vouch for."
                yield Row(str(keyword.value.value), meaning, "", errors.RemoteError)

    def _check_known(self, code: ast.expr) -> None:
        expression = ast.unparse(code)
        if expression not in FROM_TABLES and "not-sealed-" not in expression:
            raise SystemExit(f"{self.path}:{code.lineno}: which codes does {expression} stand for?")

    def _texts(self, node: ast.expr, function: Function | None) -> list[str]:
        """Return what an expression can say, in one or several texts."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                parts = [
                    one.value if isinstance(one, ast.Constant) else FILLED_IN for one in values
                ]
                return ["".join(map(str, parts))]
            case ast.IfExp(body=first, orelse=second):
                return [*self._texts(first, function), *self._texts(second, function)]
            case ast.Name(id=name) if name in self.constants:
                return self._texts(self.constants[name], None)
            case ast.Name(id=name) if function is not None:
                return self._given(name, function) or [FILLED_IN]
        return [FILLED_IN]

    def _given(self, name: str, function: Function) -> list[str]:
        """Return what a helper, or an error's class, is called with for one of its parameters."""
        parameters = [one.arg for one in function.args.args if one.arg != "self"]
        if name not in parameters:
            return []
        place = parameters.index(name)
        made = self._class_of(function)
        called = function.name if made is None else made.name
        return [
            text
            for call in self.calls
            if isinstance(call.func, ast.Name) and call.func.id == called
            if len(call.args) > place
            for text in self._texts(call.args[place], None)
        ]

    def _class_of(self, function: Function | None) -> ast.ClassDef | None:
        classes = (node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef))
        return next((made for made in classes if function in made.body), None)


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls of a scope, not those of the functions in it."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, Function):
            continue
        if isinstance(node, ast.Call):
            yield node
        yield from _own_calls(node)


GROUPS: tuple[tuple[str, tuple[type[errors.UntetherError], ...]], ...] = (
    ("1: the caller must act", (errors.LocalError,)),
    ("1: this machine failed", (errors.PlatformError,)),
    ("2: the command line", (UsageError,)),
    ("3: wait for the relay", (errors.NetworkError,)),
    ("4: a person must decide", (errors.TrustError,)),
    ("5: wait", (errors.RateLimitedError,)),
    ("6: refused", (errors.RefusedError,)),
    ("6: what came from others was not taken", (errors.RemoteError,)),
    ("7: the owner must be verified", (errors.VerificationError,)),
)
"""Heading, which begins with the exit status → classes."""


def error_rows() -> Iterator[str]:
    """Yield a table for each group."""
    rows = all_rows()
    for heading, kinds in GROUPS:
        yield f"\n## {heading}\n\n| code | meaning | next step |\n|---|---|---|"
        for row in rows:
            if row.kind in kinds:
                yield f"| `{row.code}` | {_cell(row.meaning)} | {_cell(row.next_step)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
