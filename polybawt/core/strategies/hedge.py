"""Legged hedge: buy one outcome where the other can be had as well, both for less than a dollar.

Of a pair, one share pays a dollar, whatever comes true.  The first leg is taken where the two
asks allow it, which a mirrored book seldom does, or rests as a bid that is low enough for the
second to be taken at once; the strategy looks for the better of the two sides, and from the first
fill on the kernel covers what was bought, or sells it again.  A pair is held to the end.

Its risk is the time between the legs: whoever sells to a bid that rests may know more than the
book.  Source: requirements H7 and P2.1; data-and-quant 2.2.
"""

from attrs import frozen

from polybawt.core import pricing
from polybawt.core.machines.hedge import LANES, Hedge
from polybawt.core.machines.order import RESTING
from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.strategies import Intent, NewHedge, Strategy, View, Withdraw
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc, cost_up


@frozen(kw_only=True)
class Legged(Strategy):
    """``quantity`` of pairs in all, ``slice_max`` of them at a time; ``loss_max`` a hedge.

    ``improve_ticks``: how far above the best bid its own may be; ``requote_ticks``: how far a bid
    at rest may be below where it would be placed now.
    """

    name: str = "hedge"
    order_notional_max: Usdc = Usdc(10_000_000)
    lifetime_s: int = 30
    quantity: Shares = Shares(20_000_000)
    slice_max: Shares = Shares(10_000_000)
    pair_cost_max: Price = Price(985_000)
    loss_max: Usdc = Usdc(1_000_000)
    leg_timeout_s: int = 10
    slippage_ticks: int = 1
    reach_ticks: int = 5
    cover_cap: Price = Price(950_000)
    rest: bool = True
    improve_ticks: int = 1
    requote_ticks: int = 2
    seconds_left_min: float = 30.0

    def decide(self, view: View) -> tuple[Intent | Withdraw | NewHedge, ...]:
        left_s = (view.market.end_ns - view.now_ns) / SECOND_NS
        if not view.book_fresh or (view.market.end_ns and left_s < self.seconds_left_min):
            return self._back(view, "no time for a second leg")
        found = [wish for token in view.market.tokens if (wish := self._pair(view, token))]
        if any(_busy(hedge) for hedge in view.hedges):
            return self._requoted(view, found)
        return tuple(sorted(found, key=lambda wish: self._behind(view, wish)))

    def _pair(self, view: View, token: str) -> NewHedge | None:
        """How a pair could be had that begins with this token; None when it cannot."""
        size = self._size(view)
        if not size:
            return None
        other = view.market.other(token)
        cover = self._ask(view, other, size, self.slippage_ticks)
        if not cover:
            return None
        second = pricing.all_in(view.market, cover, size, taker=True)
        ask = self._ask(view, token, size, 0)
        taken = pricing.all_in(view.market, ask, size, taker=True) if ask else MILLION
        if taken + second <= self.pair_cost_max and cost_up(ask, size) >= MARKETABLE_BUY_MIN:
            return self._wish(view, token, ask, size, post_only=False)
        limit = self._bid(view, token, self.pair_cost_max - second) if self.rest else Price(0)
        return self._wish(view, token, limit, size, post_only=True) if limit else None

    def _ask(self, view: View, token: str, size: Shares, slippage_ticks: int) -> Price:
        return pricing.to_buy(
            view.book,
            token,
            size,
            slippage_ticks=slippage_ticks,
            reach_ticks=self.reach_ticks,
            cap=self.cover_cap,
        )

    def _bid(self, view: View, token: str, most: int) -> Price:
        """The price of a bid that rests: below the ask, and not far above the best."""
        tick, bid, ask = view.market.tick, view.book.best_bid(token), view.book.best_ask(token)
        if bid is not None:
            most = min(most, bid + self.improve_ticks * tick)
        return view.market.price_down(most if ask is None else min(most, ask - tick))

    def _size(self, view: View) -> Shares:
        """A slice for which both legs have room, of which no order can cost too much."""
        room = min(view.rooms) * MILLION // max(self.pair_cost_max, 1)
        whole = min(self.slice_max, self.quantity, self.order_notional_max, room)
        size = view.market.size_down(whole)
        if not view.market.size_down(size * view.scale_micro // MILLION):
            return Shares(0)  # the breakers would leave less than an order of it
        slices = [min(hedge.slice_max, hedge.room) for hedge in view.hedges]
        return size if all(size >= part for part in slices) else Shares(0)

    def _wish(
        self, view: View, token: str, limit: Price, size: Shares, *, post_only: bool
    ) -> NewHedge:
        return NewHedge(
            at_ns=view.now_ns,
            strategy=self.name,
            condition_id=view.market.condition_id,
            first_token=token,
            limit=limit,
            post_only=post_only,
            quantity=self.quantity,
            slice_max=size,
            pair_cost_max=self.pair_cost_max,
            loss_max=self.loss_max,
            lifetime_s=self.lifetime_s,
            leg_timeout_s=self.leg_timeout_s,
            slippage_ticks=self.slippage_ticks,
        )

    def _behind(self, view: View, wish: NewHedge) -> int:
        """How far a bid is behind the best one: what is nearer comes first, what takes foremost."""
        best = view.book.best_bid(wish.first_token) or Price(0)
        return best - wish.limit if wish.post_only else -MILLION

    def _requoted(self, view: View, found: list[NewHedge]) -> tuple[Withdraw, ...]:
        """First legs at rest that could be bid higher now; the kernel sees to the others."""
        if any(hedge.naked for hedge in view.hedges):
            return ()
        limits = {wish.first_token: wish.limit for wish in found}
        step = self.requote_ticks * view.market.tick
        return tuple(
            Withdraw(at_ns=view.now_ns, intent_id=order.intent_id, reason="the bids are higher")
            for order in view.orders
            if order.state in RESTING
            and order.side is Side.BUY
            and limits.get(order.token_id, 0) - order.price >= step
        )

    def _back(self, view: View, reason: str) -> tuple[Withdraw, ...]:
        """Without a fresh book, or time, no first leg rests."""
        if any(hedge.state != "working" for hedge in view.hedges):
            return ()
        return tuple(
            Withdraw(at_ns=view.now_ns, intent_id=order.intent_id, reason=reason)
            for order in view.orders
            if order.state in RESTING and order.side is Side.BUY
        )


def _busy(hedge: Hedge) -> bool:
    return hedge.state != "working" or any(hedge.tally(*lane).open for lane in LANES)
