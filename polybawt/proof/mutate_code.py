"""Breaks a machine in one place at a time, and asks whether the kit would notice.

A mutant is another table: a row deleted, sent elsewhere, freed of a guard, or swapped with its
neighbour; or a guard or effect of the module changed in one expression and compiled again.  The
machine's own classes stay what they are.
"""

import ast
import copy
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any, Final

from attrs import field, frozen

from polybawt.core.machine import Guard, Row, Table
from polybawt.proof.mirror import Mirror

Key = tuple[str, str]
Change = Callable[[Any], None]

_COMPARED: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE,
    ast.GtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_COMPUTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip


@frozen
class CodeMutant:
    """Another table. ``keys``: the rows that differ from the machine's own."""

    what: str
    table: Table = field(repr=False)
    keys: frozenset[Key] = field(repr=False)
    rows: tuple[Row, ...] = field(default=(), repr=False)  # two swapped, or one without a guard
    guard: Guard | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.what


def code_mutants(mirror: Mirror) -> Iterator[CodeMutant]:
    """Every edit of the machine's table, and of the functions in it."""
    yield from table_mutants(mirror.table, sorted(str(s.id) for s in mirror.machine.states))
    yield from function_mutants(mirror)


def table_mutants(table: Table, states: Iterable[str]) -> Iterator[CodeMutant]:
    """Rows deleted, sent elsewhere, without a guard, with its contrary, or swapped."""
    states = [*states]
    for key, rows in table.items():
        for place, row in enumerate(rows):
            yield from _of_row(table, key, place, states)
            if place + 1 < len(rows):
                swapped = (*rows[:place], rows[place + 1], row, *rows[place + 2 :])
                what = f"{_told(key, row)} swapped with {rows[place + 1][2]}"
                pair = (row, rows[place + 1])
                yield CodeMutant(what, {**table, key: swapped}, frozenset([key]), pair)


def _of_row(table: Table, key: Key, place: int, states: list[str]) -> Iterator[CodeMutant]:
    rows, keys = table[key], frozenset([key])
    row = rows[place]
    guards, effect, target = row
    told = _told(key, row)

    def instead(*put: Row) -> Table:
        return {**table, key: (*rows[:place], *put, *rows[place + 1 :])}

    yield CodeMutant(f"{told} deleted", instead(), keys)
    for state in states:
        if state != target:
            yield CodeMutant(f"{told} sent to {state}", instead((guards, effect, state)), keys)
    for number, guard in enumerate(guards):
        before, after = guards[:number], guards[number + 1 :]
        name = guard.__name__
        dropped: Row = ((*before, *after), effect, target)
        yield CodeMutant(f"{told} without {name}", instead(dropped), keys, (row,), guard)
        contrary: Row = ((*before, _not(guard), *after), effect, target)
        yield CodeMutant(f"{told} with not {name}", instead(contrary), keys)


def _told(key: Key, row: Row) -> str:
    guards = " and ".join(guard.__name__ for guard in row[0])
    return f"{key[0]} {key[1]} {row[2]}" + (f" if {guards}" if guards else "")


def _not(guard: Guard) -> Guard:
    return lambda record, action: not guard(record, action)


# Functions.


def function_mutants(mirror: Mirror) -> Iterator[CodeMutant]:
    """Every edit of a guard, an effect, or a function of the module that they call."""
    module = mirror.module()
    tree = ast.parse(inspect.getsource(module))
    functions = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef)}
    for name, function in functions.items():
        callers = _callers(name, functions)
        keys = frozenset(
            key for key, rows in mirror.table.items() if any(_uses(r, callers) for r in rows)
        )
        if not keys:
            continue
        for what, edit in edits(function):
            broken = copy.deepcopy(functions)
            edit(broken[name])
            made = _compiled(broken.values(), vars(module))
            yield CodeMutant(f"{name}: {what}", _rebuilt(mirror.table, made, keys, module), keys)


def _callers(name: str, functions: dict[str, ast.FunctionDef]) -> set[str]:
    """A function, and all that reach it."""
    found = {name}
    while more := {
        f
        for f, tree in functions.items()
        if f not in found and any(isinstance(n, ast.Name) and n.id in found for n in ast.walk(tree))
    }:
        found |= more
    return found


def _uses(row: Row, names: set[str]) -> bool:
    return any(f.__name__ in names for f in (*row[0], *([row[1]] if row[1] else [])))


def _compiled(functions: Iterable[ast.FunctionDef], names: dict[str, Any]) -> dict[str, Any]:
    """The functions in a namespace of their own, in which they call each other."""
    namespace = dict(names)
    tree = ast.fix_missing_locations(ast.Module([*functions], type_ignores=[]))
    exec(compile(tree, "mutant", "exec"), namespace)  # noqa: S102 - our own source, broken
    return namespace


def _rebuilt(table: Table, made: dict[str, Any], keys: Iterable[Key], module: Any) -> Table:
    def of(function: Any) -> Any:
        ours = isinstance(function, FunctionType) and function.__module__ == module.__name__
        return made.get(function.__name__, function) if ours else function

    broken = {
        key: tuple((tuple(map(of, g)), of(e) if e else None, t) for g, e, t in table[key])
        for key in keys
    }
    return {**table, **broken}


def edits(function: ast.FunctionDef) -> Iterator[tuple[str, Callable[[ast.FunctionDef], None]]]:
    """What can be done to one function: a text, and what does it to a copy."""
    truth = isinstance(function.returns, ast.Name) and function.returns.id == "bool"
    for place, node in enumerate(_inside(function)):
        for what, change in (*_of_expression(node), *_of_statement(node, truth=truth)):

            def edit(tree: ast.FunctionDef, place: int = place, change: Change = change) -> None:
                change(_inside(tree)[place])

            yield what, edit


def _inside(function: ast.FunctionDef) -> list[ast.AST]:
    """All that a call of it evaluates: no annotations of its parameters."""
    return [function, *(node for statement in function.body for node in ast.walk(statement))]


def _of_expression(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare():
            for n, op in enumerate(node.ops):
                if other := _COMPARED.get(type(op)):
                    what = f"{type(op).__name__} to {other.__name__} in {ast.unparse(node)}"
                    yield what, _puts("ops", n, other())
        case ast.BoolOp():
            flip = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield f"{type(flip).__name__} in {ast.unparse(node)}", _sets("op", flip)
        case ast.BinOp() | ast.AugAssign():
            if counter := _COMPUTED.get(type(node.op)):
                what = f"{type(node.op).__name__} to {counter.__name__} in {ast.unparse(node)}"
                yield what, _sets("op", counter())
        case ast.Constant(value=bool() as truth):
            yield f"{truth} to {not truth}", _sets("value", not truth)
        case ast.Constant(value=int() as number):
            yield f"{number} to {number + 1}", _sets("value", number + 1)
        case ast.IfExp() | ast.If():
            yield f"if not {ast.unparse(node.test)}", _sets("test", _contrary(node.test))
        case ast.Call(func=ast.Name(id="evolve")):
            for n, keyword in enumerate(node.keywords):
                kept = [*node.keywords[:n], *node.keywords[n + 1 :]]
                yield f"evolve without {keyword.arg}", _sets("keywords", kept)


def _of_statement(node: ast.AST, *, truth: bool) -> Iterator[tuple[str, Change]]:
    """``truth``: the function answers a question."""
    match node:
        case ast.Return(value=ast.expr() as value) if truth:
            yield f"not {ast.unparse(value)}", _sets("value", _contrary(value))
        case ast.Return(value=ast.Tuple(elts=[record, outputs])):
            for what, fewer in _fewer(outputs):
                yield what, _sets("value", ast.Tuple([record, fewer], ast.Load()))
    body = getattr(node, "body", None)
    for n, statement in enumerate(body if isinstance(body, list) else []):
        if not isinstance(statement, ast.Return | ast.If) and not _is_text(statement):
            yield f"without {ast.unparse(statement)}", _puts("body", n, ast.Pass())


def _fewer(outputs: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """What a step lets out, one less."""
    if not isinstance(outputs, ast.Tuple):
        yield f"without {ast.unparse(outputs)}", ast.Tuple([], ast.Load())
        return
    for n, output in enumerate(outputs.elts):
        kept = [*outputs.elts[:n], *outputs.elts[n + 1 :]]
        yield f"without {ast.unparse(output)}", ast.Tuple(kept, ast.Load())


def _contrary(test: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), test)


def _sets(name: str, value: Any) -> Change:
    return lambda node: setattr(node, name, value)


def _puts(name: str, place: int, value: Any) -> Change:
    def put(node: Any) -> None:
        getattr(node, name)[place] = value

    return put


def _is_text(statement: ast.stmt) -> bool:
    """A docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
