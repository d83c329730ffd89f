"""Holds state machines against TLA+ specifications: ours, and anybody's.

``hold`` is the whole kit for a machine of one's own; ``mirror`` and ``verify`` are how this
project uses it.  Nothing of the engine is needed, only TLC: the extra ``proof``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from statemachine import StateChart

from polybawt.proof.conform import Conformance, conform
from polybawt.proof.graph import graph_of
from polybawt.proof.mirror import ChartMirror
from polybawt.proof.spec import Spec

__all__ = ["ChartMirror", "Conformance", "Spec", "hold"]


def hold(
    specification: str | Path,
    machine: type[StateChart[Any]] | Callable[[Spec], ChartMirror],
    progress: Callable[[str], None] = lambda _: None,
) -> Conformance:
    """Hold a python-statemachine class against a specification, under the ``.cfg`` beside it.

    ``machine`` is the class itself when the specification has no world half, else what makes its
    mirror.  The findings of the answer are sentences; none means that the two have one graph.
    """
    path = Path(specification)
    spec = Spec.read(path.parent, path.stem)
    if isinstance(machine, type) and issubclass(machine, StateChart):
        mirror = ChartMirror(spec, machine)
    else:
        mirror = cast(Callable[[Spec], ChartMirror], machine)(spec)
    return conform(spec, graph_of(spec), mirror, progress)
