"""What a strategy is shown before it decides: one market, its own part in it, and its event.

Everything here is derived anew from the state; a view holds nothing that the state does not.
"""

from collections.abc import Mapping

from attrs import frozen

from polybawt.core import breakers, exposures, hedging, triggers
from polybawt.core.machines.order import Order
from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.strategies import Question, Strategy, View
from polybawt.core.units import MILLION, Price, Shares, Usdc, ceil_div


@frozen
class Shown:
    """What all strategies are shown alike: worked out once for all of them."""

    market: Market
    event: tuple[Market, ...]
    fresh: Mapping[str, bool]
    bankroll: Usdc
    scale_micro: int
    rooms: Mapping[str, Usdc]  # by token, before a strategy's own limit


def shown(state: State, market: Market) -> Shown:
    """One market that has a book; and its event, when every market of it has one."""
    event = state.events.get(market.neg_risk_id, {})  # of which exactly one comes true
    whole = all(condition in state.books for condition in event)
    siblings = [state.markets[condition] for condition in event] if whole else []
    asked = {m.condition_id: m for m in (market, *siblings)}
    exposed = exposures.by_token(state)
    return Shown(
        market,
        tuple(siblings),
        {c: all(map(state.book_fresh, m.tokens)) for c, m in asked.items()},
        state.equity(),
        breakers.scale(state),
        {t: exposures.shared_room(state, exposed, t) for m in asked.values() for t in m.tokens},
    )


def view(state: State, strategy: Strategy, shown: Shown) -> View:
    """What is shown to all, and the strategy's own part in it."""
    own = tuple(order for order in state.open_orders() if order.strategy == strategy.name)
    market, own_room = shown.market, exposures.own_room(state, strategy.name)
    asked = _question(state, strategy.name, market, shown, own, own_room=own_room)
    return View(
        market=market,
        book=asked.book,
        book_fresh=asked.book_fresh,
        orders=asked.orders,
        held=asked.held,
        entries=asked.entries,
        rooms=asked.rooms,
        now_ns=state.now_ns,
        oracle=state.oracles.get(market.symbol),
        strike_e18=state.settlements[market.condition_id].strike_e18,
        bankroll=shown.bankroll,
        spot=state.spots.get(market.symbol),
        flow=state.flows.get(market.condition_id),
        spent=tuple(
            threshold
            for threshold in strategy.thresholds
            if triggers.traded(state, market.condition_id, threshold)
        ),
        event=tuple(
            _question(state, strategy.name, m, shown, own, own_room=own_room) for m in shown.event
        ),
        scale_micro=shown.scale_micro,
        hedges=tuple(hedging.of_strategy(state, strategy.name, market.condition_id)),
        conversions=tuple(c for c in state.conversions.values() if c.strategy == strategy.name),
        halted=breakers.halted(state, strategy.name),
    )


def _question(
    state: State,
    strategy: str,
    market: Market,
    shown: Shown,
    own: tuple[Order, ...],
    *,
    own_room: Usdc,
) -> Question:
    condition, (yes, no) = market.condition_id, market.tokens
    return Question(
        market=market,
        book=state.books[condition],
        book_fresh=shown.fresh[condition],
        orders=tuple(order for order in own if order.condition_id == condition),
        held=(_held(state, strategy, yes), _held(state, strategy, no)),
        entries=(entry(state, strategy, yes), entry(state, strategy, no)),
        rooms=(min(shown.rooms[yes], own_room), min(shown.rooms[no], own_room)),
    )


def _held(state: State, strategy: str, token_id: str) -> Shares:
    return Shares(max(0, exposures.sellable(state, strategy, token_id)))


def entry(state: State, strategy: str, token_id: str) -> Price:
    """What each share held has cost, fees and earlier sales counted in, rounded up; 0 for none."""
    shares = state.ledger.shares(strategy, token_id)
    if shares <= 0:
        return Price(0)
    return Price(ceil_div(state.ledger.outlay(strategy, token_id) * MILLION, shares))
