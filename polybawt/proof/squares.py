"""Values of a real journal, held against the graph of a specification.

The names of states are not all that a specification counts.  A real trade, of whatever orders and
sizes, is looked at as the specification looks at one: its state, and how often all of it was
booked, taken back, and told to have settled, since the journal began.  What a step makes of that
must be an edge there: that abstracting and stepping commute is the *square*.

Only ``Trade`` so far.  It has no constants, so its committed graph is that of every real trade; a
breaker's is one of its limits, and no graph of the configured limits is committed.
"""

from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Final

from attrs import frozen

from polybawt.core.machine import Fact, Outputs
from polybawt.core.machines.trade import Filled, Settled, Trade, Voided
from polybawt.proof import locks
from polybawt.proof.explore import Code, explore
from polybawt.proof.mirrors.trade import TradeMirror
from polybawt.proof.spec import Spec

NAME: Final = "Trade"
IN_PART: Final = -1  # of several legs some were told, or one twice


@frozen
class Counted:
    """A trade as the specification has it."""

    state: str
    booked: int = 0
    voided: int = 0
    told: int = 0


class TradeSquare:
    """Every trade of one journal, and what became of it so far."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._known: dict[str, Counted] = {}

    def see(self, before: Trade, action: Fact, after: Trade, outputs: Outputs) -> str:
        """What of a step is no edge of the specification, or ""."""
        known = self._known.get(before.trade_id, Counted("seen"))
        at = Counted(before.state, known.booked, known.voided, known.told)
        now = Counted(
            after.state,
            at.booked + times(before, outputs, Filled),
            at.voided + times(before, outputs, Voided),
            at.told + sum(isinstance(output, Settled) for output in outputs),
        )
        self._known[before.trade_id] = now
        name = type(action).__name__
        if (at, name, now) in self._edges:
            return ""
        return f"{name} of trade {before.trade_id} makes {now} of {at}, as models/Trade.tla never"

    @cached_property
    def _edges(self) -> frozenset[tuple[Counted, str, Counted]]:
        """The specification's, by way of the code: none, if its graph is not the committed one."""
        spec = Spec.read(self._models, NAME)
        graph = explore(Code(spec, TradeMirror(spec.constants)))
        if graph.digest() != locks.read(self._models, NAME).get("digest"):
            return frozenset()
        ours = [spec.variables.index(name) for name in ("state", "booked", "voided", "told")]
        seen = [Counted(*(state[place] for place in ours)) for state in graph.states]  # type: ignore[arg-type]
        return frozenset(
            (seen[source], spec.instances[number].name, seen[target])
            for source, number, target in graph.edges
        )


def times(trade: Trade, outputs: Outputs, told: type[Filled | Voided]) -> int:
    """How often it was told of every leg, and of nothing else."""
    legs = Counter(output.leg for output in outputs if isinstance(output, told))
    one = Counter(trade.legs)
    found = {legs[leg] // one[leg] for leg in one}
    whole = len(found) == 1 and all(legs[leg] == one[leg] * max(found) for leg in legs | one)
    return found.pop() if whole else IN_PART
