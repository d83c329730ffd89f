"""When a strategy sells what it holds again: at a profit, at a loss, or because time is up.

A policy and nothing else: what it wants follows from the view, so it is wanted again whenever it
did not come true, and an exit is over when its fills say so, never because it was sent.  It sells
what the strategy owns and has not on sale already, one order a token at a time, as much as the
bids take; what has to be withdrawn first, so that it never meets itself, it withdraws first.

Less than the venue's smallest order cannot be sold, and stays.  Source: requirements B-exec.
"""

from collections.abc import Iterator

from attrs import frozen

from polybawt.core import pricing
from polybawt.core.machines.order import RESTING, Order
from polybawt.core.market import Side
from polybawt.core.strategies import Intent, View, Withdraw
from polybawt.core.units import SECOND_NS, Price, Shares

Wishes = tuple[Intent | Withdraw, ...]


@frozen(kw_only=True)
class ExitRule:
    """Off as it stands: 0 switches a condition off.  Amounts in millionths of a dollar a share.

    ``take_profit``: above what a share cost, after the fee; with ``rest`` an ask waits there for
    it, without the fee.  ``stop_loss``: below what it cost.  ``seconds_left_min``: with less time
    to the market's end, at any price.
    """

    take_profit: int = 0
    stop_loss: int = 0
    seconds_left_min: float = 0.0
    rest: bool = False
    lifetime_s: int = 10


def wishes(view: View, rule: ExitRule, strategy: str) -> Wishes:
    """What a strategy sells of both tokens of a market now, and what it withdraws for that."""
    return tuple(wish for at in (0, 1) for wish in of_token(view, rule, strategy, at))


def of_token(view: View, rule: ExitRule, strategy: str, at: int) -> Wishes:
    """The same for one token: 0 is yes, 1 is no.  While there is any, it is no time to buy."""
    token, entry = view.market.tokens[at], view.entries[at]
    own = [order for order in view.orders if order.token_id == token]
    on_sale = sum(order.open_size for order in own if order.side is Side.SELL)
    held = Shares(view.held[at] + on_sale)
    if not view.book_fresh or not entry or held < view.market.min_size:
        return ()
    price, size = pricing.slice_of(view.book, token, held)
    if price and _has_to_go(view, rule, entry, pricing.net(view.market, price, size)):
        if own:  # one at a time, and never against ourselves
            return tuple(_withdrawn(view, (o for o in own if not _sells_at(o, price)), "it sells"))
        return (_sale(view, strategy, token, rule, price=price, size=size, post_only=False),)
    if not rule.rest or not rule.take_profit:
        return ()
    return _resting(view, rule, strategy, at, own)


def _has_to_go(view: View, rule: ExitRule, entry: Price, brings: Price) -> bool:
    """Whether what a share brings at the bids, or the time, says so."""
    left_s = (view.market.end_ns - view.now_ns) / SECOND_NS
    return (
        0 < rule.take_profit <= brings - entry
        or 0 < rule.stop_loss <= entry - brings
        or (view.market.end_ns > 0 and left_s < rule.seconds_left_min)
    )


def _resting(view: View, rule: ExitRule, strategy: str, at: int, own: list[Order]) -> Wishes:
    """An ask at the profit that is wanted, above every bid."""
    market, token = view.market, view.market.tokens[at]
    bid = view.book.best_bid(token)
    above = market.tick if bid is None else bid + market.tick
    target = market.price_up(max(view.entries[at] + rule.take_profit, above))
    sales = [order for order in own if order.side is Side.SELL]
    if sales:
        off = (o for o in sales if o.price != target)
        return tuple(_withdrawn(view, off, "what it cost has changed"))
    size = market.size_down(view.held[at])
    if not size or market.price_down(target) != target:
        return ()
    return (_sale(view, strategy, token, rule, price=target, size=size, post_only=True),)


def _sells_at(order: Order, price: Price) -> bool:
    return order.side is Side.SELL and order.price <= price


def _withdrawn(view: View, orders: Iterator[Order], reason: str) -> Iterator[Withdraw]:
    for order in orders:
        if order.state in RESTING:
            yield Withdraw(at_ns=view.now_ns, intent_id=order.intent_id, reason=reason)


def _sale(
    view: View,
    strategy: str,
    token: str,
    rule: ExitRule,
    *,
    price: Price,
    size: Shares,
    post_only: bool,
) -> Intent:
    return Intent(
        at_ns=view.now_ns,
        strategy=strategy,
        condition_id=view.market.condition_id,
        token_id=token,
        side=Side.SELL,
        price=price,
        size=size,
        post_only=post_only,
        lifetime_s=rule.lifetime_s,
        purpose="exit",
    )
