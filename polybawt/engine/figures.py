"""What each strategy did and brought, and what was refused, from the state alone."""

from collections.abc import Mapping
from typing import Any, Final

from polybawt.core.scores import Score
from polybawt.core.state import State
from polybawt.core.units import micro_text

REFUSED: Final = "refused:"


def by_strategy(state: State) -> dict[str, dict[str, Any]]:
    """Of every strategy that is configured: orders sent, fills, rounds closed, profit, refusals."""
    return {s.name: _figures(state, s.name) for s in state.config.strategies}


def _figures(state: State, name: str) -> dict[str, Any]:
    count: Mapping[str, int] = state.counters
    score = state.scores.get(name, Score())
    return {
        "orders": count.get(f"orders:{name}", 0),
        "fills": count.get(f"fills:{name}", 0),
        "closed": score.wins + score.losses + score.even,
        "pnl_usdc": micro_text(state.ledger.profit(name, state.mark_of)),
        "refused": count.get(f"refusals:{name}", 0),
    }


def refusals(state: State) -> dict[str, int]:
    """How often each check of the gate said no first."""
    named = (name for name in sorted(state.counters) if name.startswith(REFUSED))
    return {name.removeprefix(REFUSED): state.counters[name] for name in named}
