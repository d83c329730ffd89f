"""Getting rid of everything: after a day's loss, or because an operator wants it.

As long as a breaker says so, whatever rests is withdrawn and whatever is held is sold to the
bids, for the strategy that holds it, in slices of what they take, until nothing is left that
anybody buys.  A hedge is abandoned first: it sells its naked shares itself, and its pairs are sold
when it has ended.  What is refused, expires or comes back is simply still there at the next look.

Not here: the kill switch.  Once that has fired nothing is sent, not even a sale.

Source: requirements, section 3 (limits, kill).
"""

from typing import Final

from polybawt.core import breakers, execution, exposures, facts, hedging, pricing
from polybawt.core.machine import Outputs
from polybawt.core.machines.order import RESTING
from polybawt.core.market import Side
from polybawt.core.state import State
from polybawt.core.strategies import Intent

LIFETIME_S: Final = 5  # of a sale: it takes what is there, and no more


def requested(state: State, request: facts.FlattenRequested) -> Outputs:
    """Entries are barred and everything is sold, until the breaker is reset with a reason."""
    if not request.reason.strip():
        text = f"flattening by {request.actor[:40]!r} gives no reason"
        return (state.notify("warning", "flatten_unexplained", text),)
    return breakers.latch(state, breakers.FLATTEN, request.actor, request.reason)


def wanted(state: State) -> bool:
    """Whether an operator's breaker, or that of the daily loss, says that we hold nothing."""
    latched = {name for name, known in state.breakers.items() if known.state == "latched"}
    return breakers.FLATTEN in latched or (
        breakers.DAILY_LOSS in latched and state.config.tiers.flatten
    )


def tick(state: State) -> Outputs:
    """Withdraw and sell, at most once per poll."""
    if state.barred() or not wanted(state) or not state.due("flatten", state.config.poll_ns):
        return ()
    outputs: Outputs = ()
    for hedge_id in tuple(state.hedges):
        outputs += hedging.abandon(state, hedge_id, "flattening")
    return (*outputs, *_withdrawals(state), *_sales(state))


def _withdrawals(state: State) -> Outputs:
    """Bids at once, a sale when the bids did not take it; a hedge sees to its own."""
    outputs: Outputs = ()
    for record in tuple(state.orders.values()):
        since_ns = state.timers.get(f"order:{record.intent_id}", record.created_ns)
        rested = state.now_ns - since_ns >= state.config.poll_ns
        if record.state not in RESTING or record.intent_id in state.parts:
            continue
        if record.side is Side.BUY or rested:
            outputs += execution.cancel(state, record.intent_id)
    return outputs


def _sales(state: State) -> Outputs:
    """One slice of each token: a second holder's turn comes when the book shows what is left."""
    sales: dict[str, Intent] = {}
    asked = [(o.strategy, o.token_id, o.side) for o in state.open_orders()]
    bid = {token for _, token, side in asked if side is Side.BUY}
    hedged = {(hedge.strategy, hedge.condition_id) for hedge in state.hedges.values()}
    for strategy, token in state.ledger.rounds():
        condition = state.market_of.get(token, "")
        if token in bid or token in sales or (strategy, token, Side.SELL) in asked:
            continue  # it would meet a bid of ours, or sell twice
        if not state.trading(condition) or condition not in state.books:
            continue
        if (strategy, condition) in hedged:
            continue
        if sale := _sale(state, strategy, token):
            sales[token] = sale
    return tuple(sales.values())


def _sale(state: State, strategy: str, token_id: str) -> Intent | None:
    condition = state.market_of[token_id]
    held = exposures.sellable(state, strategy, token_id)
    price, size = pricing.slice_of(state.books[condition], token_id, held)
    if not price:
        return None
    return Intent(
        at_ns=state.now_ns,
        strategy=strategy,
        condition_id=condition,
        token_id=token_id,
        side=Side.SELL,
        price=price,
        size=size,
        post_only=False,
        lifetime_s=LIFETIME_S,
        purpose="flatten",
    )
