"""How much can be lost, counted in every way that has a limit.

The unit is the outlay of what is held, and the most that open orders may still take, those of
which nothing is known included.  It is counted by token, by condition, by event, by asset class,
by strategy, in total, and together: markets that win and lose with one another are added as their
correlation says.  A fill turns a reservation into an outlay that is no larger, and an end returns
it, so nothing here grows but by a new order, or a sale or purchase that failed on chain.

Correlations below zero count as none: what covers another position may be gone before it is.

Source: data-and-quant 5.8 (exposure in dollars at risk); requirements, section 3.
"""

from collections.abc import Callable, Mapping
from math import isqrt
from typing import Final

from polybawt.core import breakers, leave
from polybawt.core.market import Market, Side
from polybawt.core.risk import Gate
from polybawt.core.signals.lead import divergence
from polybawt.core.state import State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, MS_NS, Shares, Usdc, ceil_div

UNLIMITED: Final = Usdc(2**62)


def asset_class(market: Market) -> str:
    """What a market is about, as limits are set for it: crypto, its category, or other."""
    return "crypto" if market.symbol else market.category or "other"


def by_token(state: State) -> dict[str, Usdc]:
    """Every token in which anything can be lost."""
    sums = {token: int(held.outlay) for token, held in state.positions.items() if held.outlay}
    for order in state.open_orders():
        if held_back := state.reserved(order):
            sums[order.token_id] = sums.get(order.token_id, 0) + held_back
    for conversion in state.conversions.values():
        for token in {part.token_id for part in conversion.parts}:
            if bought := conversion.buying(token):
                sums[token] = sums.get(token, 0) + bought
    return {token: Usdc(amount) for token, amount in sums.items()}


def of_markets(
    state: State, within: Callable[[Market], bool], exposed: Mapping[str, Usdc] | None = None
) -> Usdc:
    """The sum over both tokens of all markets that are of one kind."""
    known = by_token(state) if exposed is None else exposed
    return Usdc(
        sum(
            amount
            for token, amount in known.items()
            if (market := state.markets.get(state.market_of.get(token, ""))) and within(market)
        )
    )


def of_strategy(state: State, strategy: str) -> Usdc:
    """Its own outlays and what its own open orders may take."""
    own = (o for o in state.open_orders() if o.strategy == strategy and o.side is Side.BUY)
    held = (token for name, token in state.ledger.rounds() if name == strategy)
    outlays = sum(state.ledger.outlay(strategy, token) for token in held)
    bought = sum(c.buying() for c in state.conversions.values() if c.strategy == strategy)
    return Usdc(outlays + bought + sum(state.reserved(order) for order in own))


def correlation(state: State, one: str, other: str) -> int:
    """Of the payoffs of two tokens, in millionths, never below zero.

    Of one token it is one.  Two markets on one price that are open at the same time go together,
    those on two prices of one class mostly; of questions that exclude each other one wins.
    """
    if one == other:
        return MILLION
    first = state.markets.get(state.market_of.get(one, ""))
    second = state.markets.get(state.market_of.get(other, ""))
    if first is None or second is None or first is second:
        return 0
    if not first.symbol or not second.symbol:
        return 0
    if (one == first.yes_token) != (other == second.yes_token):
        return 0  # one bets on up, one on down
    limits = state.config.limits
    same = first.symbol == second.symbol
    return limits.same_symbol_micro if same else limits.cross_symbol_micro


def joint(state: State, exposed: Mapping[str, Usdc]) -> int:
    """The square of what is at risk together, in millionths of a dollar squared, rounded up."""
    tokens = list(exposed)
    twice = sum(
        exposed[one] * exposed[other] * correlation(state, one, other)
        for at, one in enumerate(tokens)
        for other in tokens[:at]
    )
    own = sum(amount * amount for amount in exposed.values())
    return own + ceil_div(2 * twice, MILLION)


def together(state: State) -> Usdc:
    """What is at risk together; rounded up."""
    square = joint(state, by_token(state))
    root = isqrt(square)
    return Usdc(root if root * root == square else root + 1)


def weight(state: State, exposed: Mapping[str, Usdc], token_id: str) -> Usdc:
    """What is at risk already together with one token, rounded up."""
    parts = (amount * correlation(state, token_id, other) for other, amount in exposed.items())
    return Usdc(ceil_div(sum(parts), MILLION))


def joint_room(state: State, exposed: Mapping[str, Usdc], token_id: str) -> Usdc:
    """The most that one token may add before the limit of what is at risk together is reached.

    The larger root of a quadratic in what is added, rounded down.
    """
    limit = state.config.limits.joint_exposure_max
    beyond = joint(state, exposed) - limit * limit
    if beyond > 0:
        return Usdc(0)
    heavy = weight(state, exposed, token_id)
    return Usdc(isqrt(heavy * heavy - beyond) - heavy)


def room(state: State, strategy: str, token_id: str) -> Usdc:
    """How much more every limit, and the cash, allow one strategy to put into one token."""
    return min(shared_room(state, by_token(state), token_id), own_room(state, strategy))


def own_room(state: State, strategy: str) -> Usdc:
    """What a strategy's own limit leaves it."""
    return Usdc(max(0, strategy_max(state, strategy) - of_strategy(state, strategy)))


def shared_room(state: State, exposed: Mapping[str, Usdc], token_id: str) -> Usdc:
    """What the limits that hold for everybody, and the cash, allow to be put into one token."""
    limits, market = state.config.limits, state.markets[state.market_of[token_id]]
    kind, event, condition = asset_class(market), market.event_id, market.condition_id

    def of(within: Callable[[Market], bool]) -> Usdc:
        return of_markets(state, within, exposed)

    left = [
        limits.token_exposure_max - state.exposure(token_id),
        limits.condition_exposure_max - of(lambda m: m.condition_id == condition),
        limits.of_class(kind) - of(lambda m: asset_class(m) == kind),
        limits.total_exposure_max - state.total_exposure(),
        joint_room(state, exposed, token_id),
        state.cash_free(),
    ]
    if event:
        left.append(limits.event_exposure_max - of(lambda m: m.event_id == event))
    return Usdc(max(0, min(left)))


def gate(state: State, intent: Intent) -> Gate:
    """The numbers behind one decision of the risk gate."""
    market, token = state.markets[intent.condition_id], intent.token_id
    condition, kind, event = market.condition_id, asset_class(market), market.event_id
    exposed = by_token(state)

    def of(within: Callable[[Market], bool]) -> Usdc:
        return of_markets(state, within, exposed)

    book = state.books.get(condition)
    touch = (book.best_ask if intent.side is Side.BUY else book.best_bid)(token) if book else None
    return Gate(
        now_ns=state.now_ns,
        limits=state.config.limits,
        phase=state.phase,
        killed=state.killed(),
        breaker_open=breakers.barred(state),
        halted=breakers.halted(state, intent.strategy),
        venue=leave.why_not(state, intent.post_only),
        user_link=state.user_link(),
        market=market,
        book_state=state.feeds[token].state,
        book_age_ns=state.book_age_ns(token),
        touch=touch,
        oracle_age_ns=oracle_age_ns(state, market),
        divergence_micro=divergence_micro(state, market),
        token_exposure=state.exposure(token),
        condition_exposure=of(lambda m: m.condition_id == condition),
        event_exposure=of(lambda m: bool(event) and m.event_id == event),
        class_name=kind,
        class_exposure=of(lambda m: asset_class(m) == kind),
        strategy_exposure=of_strategy(state, intent.strategy),
        strategy_max=strategy_max(state, intent.strategy),
        joint_square=joint(state, exposed),
        joint_weight=weight(state, exposed, token),
        total_exposure=state.total_exposure(),
        cash_free=state.cash_free(),
        shares_free=sellable(state, intent.strategy, token),
        open_orders=sum(1 for _ in state.open_orders()),
    )


def oracle_age_ns(state: State, market: Market) -> int | None:
    """Since the second of the last report; None where no oracle decides."""
    if not market.symbol:
        return None
    oracle = state.oracles.get(market.symbol)
    return state.now_ns - (oracle.latest_ms if oracle else 0) * MS_NS


def divergence_micro(state: State, market: Market) -> int:
    """Of oracle and spot, in millionths; 0 while either is unknown, or spot is not fresh."""
    oracle, spot = state.oracles.get(market.symbol), state.spots.get(market.symbol)
    if oracle is None or spot is None:
        return 0
    if state.now_ns - spot.latest_ms * MS_NS > state.config.limits.oracle_age_ns_max:
        return 0
    return divergence(oracle, spot, state.config.lead)


def sellable(state: State, strategy: str, token_id: str) -> Shares:
    """What a strategy may sell: its own, and nothing that is on sale or converted already."""
    own = (o for o in state.open_orders() if (o.strategy, o.token_id) == (strategy, token_id))
    asked = sum(order.open_size for order in own if order.side is Side.SELL)
    converting = (c for c in state.conversions.values() if c.strategy == strategy)
    given = sum(one.giving(token_id) for one in converting)
    held = state.ledger.shares(strategy, token_id) - asked - given
    return Shares(min(held, state.shares_free(token_id)))


def strategy_max(state: State, strategy: str) -> Usdc:
    """What a strategy may put at risk; nobody else than its configuration says so."""
    known = (s.exposure_max for s in state.config.strategies if s.name == strategy)
    return next(known, UNLIMITED)
