"""The edges of a machine as its specification has them, against those that Python declares.

An edge is (state, action, next state).  A specification's edges are those of the state graph
that TLC reached, projected to the variable ``state``; the machine's are those of its table.
They must be the same in both directions: an edge that only the table has is dead or missing
in the world that was modelled, one that only the specification has is a crash.
"""

from collections.abc import Iterable
from pathlib import Path

from polybawt.core.machine import name_of
from polybawt.proof.graph import Graph
from polybawt.proof.values import Function, Value

Edge = tuple[str, str, str]


def reached(graph: Graph) -> frozenset[Edge]:
    """The edges of the machine half that were taken, by the names they have in the table.

    Where a specification has several machines of a kind, ``state`` is a function: then the edges
    are those of all of them, and only of the one that moved when one did.
    """
    place = graph.spec.variables.index("state")
    found: set[Edge] = set()
    for source, instance, target in graph.edges:
        action = graph.spec.instances[instance]
        if action.ours:
            before, after = graph.states[source][place], graph.states[target][place]
            event = name_of(action.name)
            found.update((a, event, b) for a, b in _moved(action.arguments, before, after))
    return frozenset(found)


def _moved(arguments: tuple[Value, ...], before: Value, after: Value) -> list[tuple[str, str]]:
    whose = arguments[0] if arguments else ""  # the first parameter says which machine
    if isinstance(before, tuple) and isinstance(after, tuple) and isinstance(whose, int):
        before, after = before[whose - 1], after[whose - 1]  # TLC's form of a function over 1..n
    elif isinstance(before, Function) and isinstance(after, Function):
        before, after = before[whose], after[whose]
    return [(str(before), str(after))]


def differences(specified: Iterable[Edge], declared: Iterable[Edge]) -> list[str]:
    """Each difference as a sentence; none when the two are one automaton."""
    ours, theirs = frozenset(declared), frozenset(specified)
    return [
        *(f"{_text(edge)}: declared in Python, never taken in the model" for edge in ours - theirs),
        *(f"{_text(edge)}: taken in the model, not declared in Python" for edge in theirs - ours),
    ]


def read_lock(path: Path) -> frozenset[Edge]:
    """A committed automaton: one edge per line, sorted, so that a change is a changed line."""
    found = set()
    for line in path.read_text().splitlines():
        source, action, target = line.split()
        found.add((source, action, target))
    return frozenset(found)


def write_lock(path: Path, edges: Iterable[Edge]) -> None:
    path.write_text("".join(f"{_text(edge)}\n" for edge in sorted(edges)))


def _text(edge: Edge) -> str:
    return " ".join(edge)
