"""High-probability yes: what trades near a dollar mostly pays one, and is bought once a market.

A print of yes at or above the threshold is the signal, if it is of now, large enough and known
to be, in a market that is of the right kind and far enough from its end.  Then the price that
would really be paid is looked at: the ask must bear the print out, and leave an edge after fees
to what the operator believes such a share to be worth.  Per market and threshold it trades once
(``Intent.threshold``).  What is on the watchlist, or everything, is only proposed to a human.
It holds to the end, or sells where the bid has fallen to a stop.

No edge is assumed: ``fair`` is the operator's belief, and 0.97 is the claim of a stranger.

Source: data-and-quant 5.12 (G1, G3, G5, G6); requirements, section 2.
"""

from typing import Final

from attrs import frozen

from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.sizing import cost_per_share
from polybawt.core.strategies import Intent, Strategy, View, Withdraw
from polybawt.core.strategies.subjects import WEATHER_WORDS, is_about
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, cost_up

HOUR_S: Final = 3_600


@frozen(kw_only=True)
class HighYes(Strategy):
    """Prices in millionths of a dollar, times in seconds; every bound is one that passes.

    ``apart_max``: how far print and ask may be apart.  ``stop``: the bid at which it sells, 0 to
    hold to the end.  ``watchlist``: condition ids or slugs that it only proposes, to a human;
    ``approval``: it proposes everything.
    """

    name: str = "high_yes"
    lifetime_s: int = 5
    threshold: Price = Price(900_000)
    price_max: Price = Price(950_000)
    fair: Price = Price(970_000)
    apart_max: int = 20_000
    print_age_s_max: float = 300.0
    print_size_min: Shares = Shares(50 * MILLION)
    seconds_left_min: float = 6.0 * HOUR_S
    barred_slugs: tuple[str, ...] = ("weather",)
    barred_words: tuple[str, ...] = WEATHER_WORDS
    stop: Price = Price(0)
    approval: bool = False
    watchlist: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if not 0 < self.threshold <= self.price_max < MILLION:
            raise ValueError(f"threshold: not 0 < {self.threshold} <= {self.price_max} < {MILLION}")
        if not 0 <= self.stop < self.threshold:
            raise ValueError(f"stop: {self.stop} is not below the threshold {self.threshold}")

    @property
    def thresholds(self) -> tuple[Price, ...]:
        return (self.threshold,)

    def decide(self, view: View) -> tuple[Intent | Withdraw, ...]:
        if view.orders or not view.book_fresh:
            return ()  # one order at a time
        wish = self._sale(view) or (None if self.objection(view) else self._purchase(view))
        return () if wish is None else (wish,)

    def objection(self, view: View) -> str:
        """Why this market is not entered now; "" when only the size is left to find."""
        if self.threshold in view.spent:
            return "its threshold was traded on"
        return self._of_print(view) or self._of_market(view) or self._of_book(view)

    def _of_print(self, view: View) -> str:
        flow = view.flow
        if flow is None or not flow.last_ns:
            return "nothing was traded"
        age_s = (view.now_ns - flow.last_ns) / SECOND_NS
        if age_s < 0:
            return "the trade is of the future"
        if age_s > self.print_age_s_max:
            return f"the trade is {age_s:.0f} s old"
        if flow.last_price < self.threshold:
            return f"the trade was at {flow.last_price}"
        if flow.last_size is None:
            return "the trade is of unknown size"
        small = flow.last_size < self.print_size_min
        return f"the trade was of {flow.last_size} only" if small else ""

    def _of_market(self, view: View) -> str:
        market = view.market
        if not market.end_ns:
            return "the market names no end"
        left_s = (market.end_ns - view.now_ns) / SECOND_NS
        if left_s < self.seconds_left_min:
            return f"it ends in {left_s:.0f} s"
        if is_about(market, self.barred_slugs, self.barred_words):
            return "it is of a barred kind"
        return ""

    def _of_book(self, view: View) -> str:
        """The price to be paid, not the price that was: one print may be anything."""
        ask, flow = view.book.best_ask(view.market.yes_token), view.flow
        if ask is None or flow is None:
            return "nothing is on offer"
        if ask > self.price_max:
            return f"the ask is {ask}"
        if abs(ask - flow.last_price) > self.apart_max:
            return f"the ask is {ask}, the trade was at {flow.last_price}"
        return ""

    def _purchase(self, view: View) -> Intent | None:
        market = view.market
        price, offered = view.book.levels(market.yes_token)[1][-1]
        cost = cost_per_share(market, price, taker=True)
        size = market.size_down(min(self.stake(view, self.fair, cost, view.rooms[0]), offered))
        if cost_up(price, size) < MARKETABLE_BUY_MIN:
            return None
        ask_first = self.approval or not {market.condition_id, market.slug}.isdisjoint(
            self.watchlist
        )
        return self._intent(view, Side.BUY, price, size, approval=ask_first)

    def _sale(self, view: View) -> Intent | None:
        """Out, where the bid says that it was wrong; less than the venue's minimum stays."""
        bid, size = view.book.best_bid(view.market.yes_token), view.market.size_down(view.held[0])
        if not self.stop or bid is None or bid > self.stop or not size:
            return None
        return self._intent(view, Side.SELL, bid, size, approval=False)

    def _intent(
        self, view: View, side: Side, price: Price, size: Shares, *, approval: bool
    ) -> Intent:
        buys = side is Side.BUY
        return self.wish(
            view,
            view.market.yes_token,
            side,
            price,
            size,
            fair=self.fair,
            purpose="entry" if buys else "exit",
            threshold=self.threshold if buys else Price(0),
            approval=approval,
        )
