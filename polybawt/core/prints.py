"""Public trades: what they say of now, and the size that one of them came without.

A print counts while it is young; the newest by the venue's own time stands, whatever order they
come in.  A size that the venue did not say is unknown, which is not small: it is looked up until
the venue's index has it or the print is too old to matter.

What a print means for the book's hash stands in ``market_data``; the flow itself in
``signals.flow``.

Source: data-and-quant 5.4 and 5.12 (G1, G3).
"""

from typing import Final

from polybawt.core import facts
from polybawt.core.commands import FetchPrint
from polybawt.core.machine import Outputs
from polybawt.core.market import Market
from polybawt.core.signals.flow import Flow, sign_of
from polybawt.core.state import State
from polybawt.core.units import MS_NS, SECOND_NS, Shares, complement

LOOK_UPS_MAX: Final = 5  # a poll
LOOK_UP_NS: Final = 5 * SECOND_NS  # the indexer lags the exchange


def follow(state: State, market: Market, fact: facts.LastTrade) -> None:
    """What is too old says nothing of now, and a print without a size is no print of nothing."""
    state.count("prints")
    flow = state.flows.setdefault(market.condition_id, Flow())
    if state.now_ns - fact.timestamp_ms * MS_NS > state.config.limits.print_age_ns_max:
        state.count("old_prints")
        return
    if fact.timestamp_ms * MS_NS - state.now_ns > state.config.clock_off_ns_max:
        state.count("future_prints")  # it would be the newest for as long as it is to come
        return
    if fact.timestamp_ms * MS_NS >= flow.last_ns:
        yes = fact.token_id == market.yes_token
        flow.last_price = fact.price if yes else complement(fact.price)
        flow.last_ns = fact.timestamp_ms * MS_NS
        flow.last_token, flow.last_size = fact.token_id, fact.shares
    if fact.shares is None:
        state.count("unsized_prints")
        return
    _count_volume(state, market, flow, fact, fact.shares)


def _count_volume(
    state: State, market: Market, flow: Flow, fact: facts.LastTrade, shares: Shares
) -> None:
    for _ in flow.traded(sign_of(market, fact.token_id, fact.side), shares):
        state.count("vpin_readings")


def complete(state: State, market: Market, fact: facts.LastTrade) -> None:
    """The size that the newest print came without; an older one's no longer matters."""
    flow = state.flows.get(market.condition_id)
    newest = flow is not None and flow.last_ns == fact.timestamp_ms * MS_NS
    if flow is None or not newest or flow.last_size is not None or fact.shares is None:
        state.count("late_answers")
        return
    state.count("completed_prints")
    flow.last_size = fact.shares
    _count_volume(state, market, flow, fact, fact.shares)


def look_up(state: State) -> Outputs:
    """A print without a size is not a small one: its size is asked for while it may matter."""
    if not state.due("prints", state.config.poll_ns):
        return ()
    outputs: Outputs = ()
    for condition_id, flow in state.flows.items():
        age_ns = state.now_ns - flow.last_ns
        if flow.last_size is not None or age_ns > state.config.limits.print_age_ns_max:
            continue
        if len(outputs) < LOOK_UPS_MAX and state.due(f"print:{condition_id}", LOOK_UP_NS):
            yes = flow.last_token == state.markets[condition_id].yes_token
            outputs += (
                FetchPrint(
                    condition_id=condition_id,
                    token_id=flow.last_token,
                    price=flow.last_price if yes else complement(flow.last_price),
                    timestamp_ms=flow.last_ns // MS_NS,
                ),
            )
    return outputs
