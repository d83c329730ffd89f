"""Who is in a hurry: signed trades of one market, in buckets of equal volume.

VPIN is the mean imbalance of the last full buckets.  Sides are the venue's own and are never
inferred from book changes, which agree with the truth barely more often than a coin.  The sign is
one for both tokens: buying yes and selling no are +1.  A trade is cut where a bucket is full;
nothing is said before there are enough full buckets.

Source: data-and-quant 5.4 (Easley, Lopez de Prado, O'Hara 2012) and 0.4.
"""

from collections.abc import Iterator
from typing import Final

from attrs import define, field

from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, Shares

BUCKET: Final = Shares(500 * MILLION)
BUCKETS: Final = 10


def sign_of(market: Market, token_id: str, side: Side) -> int:
    """+1 for whoever bets on yes."""
    return 1 if (side is Side.BUY) == (token_id == market.yes_token) else -1


@define
class Flow:
    """``bucket`` shares fill one bucket, ``count`` of them make a reading.

    ``begun`` and ``signed`` are of the bucket that is filling; ``imbalances`` of the last full
    ones, |bought - sold| in shares.
    """

    bucket: Shares = BUCKET
    count: int = BUCKETS
    begun: Shares = Shares(0)
    signed: int = 0
    imbalances: list[int] = field(factory=list)
    last_price: Price = Price(0)  # of yes, as of the newest print
    last_ns: int = 0
    last_token: str = ""  # that it was of
    last_size: Shares | None = None  # None: the venue did not say it, and it is being looked up

    def traded(self, sign: int, shares: Shares) -> Iterator[float]:
        """Take one trade in; every bucket that it fills gives a reading, if there are enough."""
        left = int(shares)
        while left > 0:
            part = min(left, self.bucket - self.begun)
            self.begun, self.signed = Shares(self.begun + part), self.signed + sign * part
            left -= part
            if self.begun < self.bucket:
                return
            self.imbalances.append(abs(self.signed))
            del self.imbalances[: -self.count]
            self.begun, self.signed = Shares(0), 0
            if (reading := self.vpin) is not None:
                yield reading

    @property
    def vpin(self) -> float | None:
        """0 for balanced flow, 1 for all of one side; None before ``count`` full buckets."""
        if len(self.imbalances) < self.count:
            return None
        return sum(self.imbalances) / (self.count * self.bucket)
