"""Whether specification and declaration still say the same words: names, parameters, guards.

What they *do* is compared in ``conform``; this is for the reader, who holds one beside the other.
An action has the name of its class, its parameters are the fields, and for every state the guards
are tried in the order in which the specification's action names them.
"""

import re
from collections.abc import Iterator

from attrs import fields

from polybawt.core.machine import Fact, Guard, name_of, table_of
from polybawt.proof.mirror import Mirror
from polybawt.proof.spec import Spec


def drift(spec: Spec, mirror: Mirror | type[Mirror]) -> Iterator[str]:
    """Names, parameters and guards of specification and declaration, where they differ."""
    declared, specified = mirror.actions(), spec.actions(ours=True)
    names = {name_of(name): name for name in specified}
    for event in sorted(declared.keys() ^ names.keys()):
        where = "the code" if event in declared else "the specification"
        yield f"{event}: an action of {where} alone"
    for event in sorted(declared.keys() & names.keys()):
        definition = specified[names[event]]
        yield from _parameters(mirror, declared[event], definition.parameters)
        yield from _guards(spec, mirror, event, definition.body)


def _parameters(
    mirror: Mirror | type[Mirror], action: type[Fact], specified: tuple[str, ...]
) -> Iterator[str]:
    base: type[Fact] = mirror.module().Action
    left_out = {f.name for f in fields(base)} | mirror.left_out
    mine = [f.name for f in fields(action)]
    stand_for = [f for p in specified for f in mirror.renamed.get(p, (p,))]
    for name in stand_for:
        if name not in mine and name not in specified:
            yield f"{action.__name__}: {name} is declared in the mirror and no field"
        elif name not in mine and name not in mirror.renamed:
            yield f"{action.__name__}: {name} is a parameter of the specification and no field"
    for name in mine:
        if name not in stand_for and name not in left_out:
            yield f"{action.__name__}: {name} is a field and no parameter of the specification"


def _guards(spec: Spec, mirror: Mirror | type[Mirror], event: str, body: str) -> Iterator[str]:
    """The guards of an action by name, and for each state in the order in which they are tried."""
    rows = {
        state.id: table_of(mirror.machine).get((str(state.id), event), ())
        for state in mirror.machine.states
    }
    tried = {
        state: list(dict.fromkeys(_camel(g.__name__) for row in of for g in row[0]))
        for state, of in rows.items()
    }
    mine = {name for names in tried.values() for name in names}
    known = {_camel(f.__name__) for f in _functions_of(mirror)}
    said = [w for w in dict.fromkeys(re.findall(r"\w+", body)) if w in known or w in mine]
    for name in sorted(mine - set(said)):
        yield f"{event}: the guard {name} is not in the specification's action"
    for name in sorted(set(said) - mine):
        if name in spec.definitions:
            yield f"{event}: the guard {name} is not tried by the code"
    for state, names in tried.items():
        order = [name for name in said if name in names]
        if order != [name for name in names if name in said]:
            yield f"{event} in {state}: guards are tried as {names}, specified as {order}"


def _functions_of(mirror: Mirror | type[Mirror]) -> set[Guard]:
    """Every guard of the machine."""
    return {g for rows in table_of(mirror.machine).values() for row in rows for g in row[0]}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
