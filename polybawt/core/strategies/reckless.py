"""Everything a strategy must not want: it exists to try the gate that stands behind all others.

It reads no signal and hopes for nothing; each of its follies is a wish that one named check has to
refuse, or that the venue refuses after it.  Only the adversarial world enables it.  What it is not:
a way to trade, or a substitute for a test; it shows that the gate refuses in a running engine what
the tests say that it refuses.
"""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import frozen

from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.strategies import Intent, Strategy, View
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc, cost_up

BEYOND_TICKS: Final = 12  # the best ask, of a wish that goes too far
CROWD: Final = 3  # wishes at one moment
CROWD_S, CROWD_EVERY_S = 6, 30  # it comes and goes, so that others are heard too


@frozen(kw_only=True)
class Reckless(Strategy):
    """``follies``: which it commits; ``notionals``: what its heavy bids would reserve.

    ``cheap``: the most that it spends where it takes.
    """

    name: str = "reckless"
    lifetime_s: int = 2
    follies: tuple[str, ...] = ("dear", "far", "odd", "heavy", "short")
    notionals: tuple[Usdc, ...] = ()
    cheap: Usdc = Usdc(1_500_000)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        for folly in self.follies:
            if folly not in FOLLIES:
                raise ValueError(f"follies: {folly[:40]!r} is none of {', '.join(FOLLIES)}")

    def decide(self, view: View) -> tuple[Intent, ...]:
        return tuple(wish for folly in self.follies for wish in FOLLIES[folly](self, view))

    def dear(self, view: View) -> list[Intent]:
        """A share that can hardly bring what it costs."""
        top = Price(MILLION - view.market.tick)
        return [self._wish(view, top, view.market.min_size, post_only=False)]

    def far(self, view: View) -> list[Intent]:
        """A price that the book does not ask for."""
        ask = view.book.best_ask(view.market.yes_token)
        if ask is None:
            return []
        price = Price(ask + BEYOND_TICKS * view.market.tick)
        return [self._wish(view, price, view.market.min_size, post_only=False)]

    def odd(self, view: View) -> list[Intent]:
        """Half a tick."""
        price = Price(MILLION // 2 + view.market.tick // 2)
        return [self._wish(view, price, view.market.min_size, post_only=True)]

    def heavy(self, view: View) -> list[Intent]:
        """Bids at the lowest price, that reserve more than a limit allows and never fill."""
        tick = view.market.tick
        sizes = (view.market.size_down(amount * MILLION // tick) for amount in self.notionals)
        return [self._wish(view, tick, size, post_only=True) for size in sizes]

    def short(self, view: View) -> list[Intent]:
        """A sale of what it does not have."""
        top = Price(MILLION - view.market.tick)
        size = Shares(view.held[0] + view.market.min_size)
        return [self._wish(view, top, size, post_only=True, side=Side.SELL)]

    def crossing(self, view: View) -> list[Intent]:
        """A bid that is to rest where something is offered: the venue refuses it."""
        ask = view.book.best_ask(view.market.yes_token)
        return [] if ask is None else [self._wish(view, ask, view.market.min_size, post_only=True)]

    def crowd(self, view: View) -> list[Intent]:
        """More bids than may be open, for some seconds."""
        if view.now_ns // SECOND_NS % CROWD_EVERY_S >= CROWD_S:
            return []
        tick, size = view.market.tick, view.market.min_size
        return [self._wish(view, tick, size, post_only=True) for _ in range(CROWD)]

    def modest(self, view: View) -> list[Intent]:
        """A bid that nobody minds: whatever shuts everything is seen to shut it out as well."""
        if view.orders:
            return []
        return [self._wish(view, view.market.tick, view.market.min_size, post_only=True)]

    def eager(self, view: View) -> list[Intent]:
        """The least that can be taken, where it is cheap."""
        ask, size = view.book.best_ask(view.market.yes_token), view.market.min_size
        if view.orders or ask is None or not MARKETABLE_BUY_MIN <= cost_up(ask, size) <= self.cheap:
            return []
        return [self._wish(view, ask, size, post_only=False)]

    def asking(self, view: View) -> list[Intent]:
        """A bid that a human has to approve."""
        tick, size = view.market.tick, view.market.min_size
        return [self._wish(view, tick, size, post_only=True, approval=True)]

    def _wish(
        self,
        view: View,
        price: Price,
        size: Shares,
        *,
        post_only: bool,
        side: Side = Side.BUY,
        approval: bool = False,
    ) -> Intent:
        token = view.market.yes_token
        return self.wish(view, token, side, price, size, post_only=post_only, approval=approval)


FOLLIES: Final[Mapping[str, Callable[[Reckless, View], list[Intent]]]] = {
    folly.__name__: folly
    for folly in (
        Reckless.dear, Reckless.far, Reckless.odd, Reckless.heavy, Reckless.short,
        Reckless.crossing, Reckless.crowd, Reckless.modest, Reckless.eager, Reckless.asking,
    )
}  # fmt: skip
