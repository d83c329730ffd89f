"""The edges of a machine as its specification has them, against those that Python declares.

An edge is (state, action, next state).  A specification's edges are those of the state graph
that TLC reached, projected to the variable ``state``; the machine's are those of its table.
They must be the same in both directions: an edge that only the table has is dead or missing
in the world that was modelled, one that only the specification has is a crash.
"""

from collections.abc import Iterable
from pathlib import Path

from polybawt.core.machine import name_of
from polybawt.proof.catalogue import Mirror
from polybawt.proof.graph import Graph

Edge = tuple[str, str, str]


def reached(graph: Graph, mirror: Mirror) -> frozenset[Edge]:
    """The edges of the machine half that TLC took, by the names they have in the table."""
    states = {node: values["state"].strip('"') for node, values in graph.states.items()}
    taken = {(states[source], label, states[target]) for source, label, target in graph.edges}
    named = {(source, name_of(label), target) for source, label, target in taken}
    return frozenset(edge for edge in named if edge[1] in mirror.actions)


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
