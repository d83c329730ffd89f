"""What the legs of a hedge are, and what they would cost or bring by the book as it is now.

Questions about one hedge, its orders and its market, answered from the state; nothing is changed
here.  A cover is priced by the depth that its size needs, with fee and slippage, on top of what
the dearest share of the other leg cost; a sale by the bids, against the same.  Who acts on the
answers is ``hedging``.

Source: requirements H7 and P2.1; exchange reference 3.4.
"""

from attrs import evolve

from polybawt.core import pricing
from polybawt.core.machines import hedge
from polybawt.core.machines.hedge import Hedge, Lane, Leg
from polybawt.core.machines.order import Order
from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.plans import Part
from polybawt.core.state import State
from polybawt.core.strategies import NewHedge
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc, cost_up


def token_of(state: State, live: Hedge, leg: Leg) -> str:
    first = state.plans[live.hedge_id].terms.first_token
    return first if leg is Leg.FIRST else state.markets[live.condition_id].other(first)


def waiting(state: State, live: Hedge, lane: Lane) -> Shares:
    """What was wanted of a lane and is no order yet: never more than one intent at a time."""
    asked = sum(p.open for _, p in parts(state, live.hedge_id) if (p.leg, p.side) == lane)
    return Shares(live.tally(*lane).open - asked)


def parts(state: State, hedge_id: str) -> list[tuple[str, Part]]:
    return [(key, part) for key, part in state.parts.items() if part.hedge_id == hedge_id]


def out_of_time(state: State, live: Hedge) -> bool:
    plan = state.plans[live.hedge_id]
    return state.now_ns - plan.since_ns >= plan.terms.leg_timeout_s * SECOND_NS


def owed(state: State, strategy: str) -> Usdc:
    """What the covers of its hedges may still take: of what is naked, and what may become so.

    Covers on the book are counted already, as every order is.
    """
    total = 0
    for live in (h for h in state.hedges.values() if h.strategy == strategy):
        terms = state.plans[live.hedge_id].terms
        bare = live.naked + live.tally(Leg.FIRST, Side.BUY).open
        bare -= live.tally(Leg.SECOND, Side.BUY).open
        total += cost_up(Price(max(0, live.pair_cost_max - terms.limit)), Shares(max(0, bare)))
    return Usdc(total)


# Prices.


def pair_cost(state: State, wish: NewHedge) -> Price:
    """What a pair costs at most, its first leg bought at the limit, now; 0 for cannot be had."""
    market = state.markets[wish.condition_id]
    size = min(wish.slice_max, wish.quantity)
    if size <= 0:
        return Price(0)
    cover = cover_limit(state, wish, market.other(wish.first_token), size)
    if not cover:
        return Price(0)
    first = pricing.all_in(market, wish.limit, size, taker=not wish.post_only)
    return Price(first + pricing.all_in(market, cover, size, taker=True))


def cover_limit(state: State, terms: NewHedge, token_id: str, size: Shares) -> Price:
    limits, book = state.config.limits, state.books.get(terms.condition_id)
    if book is None:
        return Price(0)
    return pricing.to_buy(
        book,
        token_id,
        size,
        slippage_ticks=terms.slippage_ticks,
        reach_ticks=limits.touch_ticks_max,
        cap=limits.price_cap,
    )


def cover_price(
    state: State, live: Hedge, leg: Leg, limit: Price, size: Shares
) -> tuple[Price, bool]:
    """A cover worth less than a taker's minimum waits just below the ask (reference 3.4)."""
    book = state.books[live.condition_id]
    best = book.best_ask(token_of(state, live, leg))
    if best is None or cost_up(best, size) >= MARKETABLE_BUY_MIN:
        return limit, False
    return book.market.price_down(min(limit, best - book.market.tick)), True


def cover(state: State, live: Hedge) -> hedge.Cover | None:
    plan, size = state.plans[live.hedge_id], live.uncovered
    if size < live.order_min:
        return None
    limit = cover_limit(state, plan.terms, token_of(state, live, live.long.other), size)
    if not limit:
        return None
    market = state.markets[live.condition_id]
    pair = plan.cost(live.long) + pricing.all_in(market, limit, size, taker=True)
    return hedge.Cover(
        at_ns=state.now_ns, hedge_id=live.hedge_id, limit=limit, pair_cost=Price(pair)
    )


def unwind(state: State, live: Hedge) -> hedge.Unwind | None:
    plan, size = state.plans[live.hedge_id], live.sellable
    if size < live.order_min:
        return None
    limit = sale_limit(state, live, size)
    if not limit:
        return None
    market = state.markets[live.condition_id]
    loss = max(1, plan.cost(live.long) - pricing.net(market, limit, size))
    return hedge.Unwind(at_ns=state.now_ns, hedge_id=live.hedge_id, limit=limit, loss=Price(loss))


def sale_limit(state: State, live: Hedge, size: Shares) -> Price:
    book, terms = state.books.get(live.condition_id), state.plans[live.hedge_id].terms
    if book is None:
        return Price(0)
    token = token_of(state, live, live.long)
    return pricing.to_sell(book, token, size, slippage_ticks=terms.slippage_ticks)


# Orders at rest.


def stale(state: State, live: Hedge, part: Part, record: Order) -> str:
    """Why an order at rest should not, "" when it should."""
    if part.unwanted or (live.state == "unwinding" and out_of_time(state, live)):
        return "the hedge wants it no more"
    if part.side is Side.SELL:
        limit = sale_limit(state, live, part.open or record.open_size)
        return "the bids are lower" if 0 < limit < record.price else ""
    terms = state.plans[live.hedge_id].terms
    if part.leg is Leg.FIRST and live.long is Leg.FIRST:
        asked = evolve(terms, limit=record.price, post_only=record.post_only)
        pair = pair_cost(state, asked)
        return "" if 0 < pair <= live.pair_cost_max else "no pair can be had"
    if not live.naked:
        return "nothing is naked"
    return "the asks are higher" if _outbid(state, live, part, record) else ""


def _outbid(state: State, live: Hedge, part: Part, record: Order) -> bool:
    """Whether a cover at rest could be had by bidding more, within the pair's cost."""
    plan, size, market = state.plans[live.hedge_id], part.open, state.markets[live.condition_id]
    limit = cover_limit(state, plan.terms, record.token_id, size) if size else Price(0)
    if (
        not limit
        or plan.cost(part.leg.other) + pricing.all_in(market, limit, size, taker=True)
        > live.pair_cost_max
    ):
        return False
    return cover_price(state, live, part.leg, limit, size)[0] > record.price
