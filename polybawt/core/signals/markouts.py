"""What became of the price after we traded: adverse selection, measured.

``M_h = s * (mid(t + h) - price)`` for a fill at t, s = +1 for a purchase, per share; kept apart for
makers and takers of each strategy.  Beside it the effective half-spread ``s * (price - mid(t))``
and the realised one; their difference is what being selected against has cost.

Source: data-and-quant 5.9 (Glosten and Harris 1988; Huang and Stoll 1997).
"""

from typing import Final

from attrs import evolve, frozen

from polybawt.core.machines.trade import Leg
from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Price

HORIZONS_S: Final = (1, 5, 30)


@frozen(kw_only=True)
class Watched:
    """A fill whose markouts are not all known; ``mid`` is that of its own moment."""

    leg: Leg
    condition_id: str
    filled_ns: int
    mid: Price
    done: int = 0  # how many of the horizons

    @property
    def due_ns(self) -> int:
        return self.filled_ns + HORIZONS_S[self.done] * SECOND_NS


@frozen(kw_only=True)
class Markout:
    """Sums over fills at one horizon: shares in millionths, the rest in their product with prices.

    Divide by ``shares`` for millionths of a dollar a share.
    """

    fills: int = 0
    shares: int = 0
    effective: int = 0
    realised: int = 0

    def seen(self, watched: Watched, mid: Price) -> "Markout":
        """One more fill, and the mid at its horizon."""
        leg = watched.leg
        sign = 1 if leg.side is Side.BUY else -1
        return evolve(
            self,
            fills=self.fills + 1,
            shares=self.shares + leg.shares,
            effective=self.effective + sign * (leg.price - watched.mid) * leg.shares,
            realised=self.realised + sign * (leg.price - mid) * leg.shares,
        )

    @property
    def mean(self) -> float:
        """What a share has gained since, in millionths of a dollar; below zero is adverse."""
        return -self.realised / self.shares if self.shares else 0.0

    @property
    def adverse(self) -> float:
        """What being selected against cost a share, in millionths of a dollar."""
        return (self.realised - self.effective) / -self.shares if self.shares else 0.0


def key_of(leg: Leg, horizon_s: int) -> str:
    return f"{leg.strategy}:{'maker' if leg.maker else 'taker'}:{horizon_s}"
