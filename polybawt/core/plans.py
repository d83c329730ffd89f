"""What belongs to a hedge beside its machine: its terms, its orders, and what its shares cost.

The machine counts shares by leg and side; which token a leg is, which order a share was asked
with, and what was paid for it stand here.  A plan lives as long as its hedge, a part as long as
its order.  Who changes them is ``hedging``.
"""

from attrs import frozen

from polybawt.core.machines.hedge import Leg
from polybawt.core.market import Side
from polybawt.core.strategies import NewHedge
from polybawt.core.units import Price, Shares


@frozen(kw_only=True)
class Plan:
    """``dearest``: what the dearest share of each leg cost since nothing was last naked, fee
    included; ``ever``: the same since the beginning.  ``since_ns``: when its state last changed,
    or it last had reason for hope.
    """

    terms: NewHedge
    since_ns: int
    dearest: tuple[Price, Price] = (Price(0), Price(0))
    ever: tuple[Price, Price] = (Price(0), Price(0))

    def cost(self, leg: Leg) -> Price:
        """What a share of a leg cost at most; 0 when none was bought."""
        at = list(Leg).index(leg)
        return self.dearest[at] or self.ever[at]

    def leg_of(self, token_id: str) -> Leg:
        return Leg.FIRST if token_id == self.terms.first_token else Leg.SECOND


@frozen(kw_only=True)
class Part:
    """One order of a hedge. ``open`` is what the hedge counts of it as neither filled nor ended."""

    hedge_id: str
    leg: Leg
    side: Side
    open: Shares
    unwanted: bool = False
