"""Prices that run ahead of the oracle: kept for the signals, and a reason to look again.

They settle nothing and stand in for nothing: a market that settles by the oracle is never decided
by spot (finding C2).
"""

from polybawt.core import execution, facts
from polybawt.core.machine import Outputs
from polybawt.core.signals.lead import Spot
from polybawt.core.state import ORACLES_MAX, State


def spotted(state: State, fact: facts.SpotReported) -> Outputs:
    """One spot price, of a symbol that we follow."""
    if fact.symbol not in state.spots and len(state.spots) >= ORACLES_MAX:
        state.count("spots_not_kept")
        return ()
    state.count("spots")
    state.spots.setdefault(fact.symbol, Spot(fact.symbol)).tick(fact.spot_ms, fact.value_e18)
    return decide(state, fact.symbol)


def decide(state: State, symbol: str) -> Outputs:
    """Whatever trades on this symbol is looked at again."""
    outputs: Outputs = ()
    if not any(strategy.enabled for strategy in state.config.strategies):
        return outputs
    for condition_id in dict.fromkeys(state.market_of[token] for token in state.subscribed):
        if state.markets[condition_id].symbol == symbol:
            outputs += execution.decide(state, condition_id)
    return outputs
