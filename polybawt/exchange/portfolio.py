"""What an owner's deeds add up to: holdings at average cost, what was made of them, and when.

A deed is one thing that moved somebody's tokens: a trade, a set split or merged, a redemption, a
conversion.  Holdings are a fold over deeds and nothing else, so that a reader who sees less of
them (an indexer that lags) sees an older portfolio and not a wrong one.  Costs leave fees out, as
the venue's do; they are told beside.

A split set costs half a dollar a side, and merges at the same; redeemed shares sell at their
payout.  Nothing here knows a market, a price of today or a request.

Source: exchange reference 5.2.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from attrs import define, field, frozen

from polybawt.core.units import MILLION

TRADE: Final = "TRADE"
SPLIT: Final = "SPLIT"
MERGE: Final = "MERGE"
REDEEM: Final = "REDEEM"
CONVERSION: Final = "CONVERSION"
DEPOSIT: Final = "DEPOSIT"
HALF: Final = MILLION // 2

Part = tuple[str, str, int, int]
"""Condition, token, signed shares, and the price of each, in millionths."""


@frozen(kw_only=True)
class Deed:
    """``usdc`` is what it cost or brought, without ``fee``; amounts in millionths."""

    kind: str
    at_ns: int
    condition_id: str = ""
    parts: tuple[Part, ...] = ()
    shares: int = 0
    usdc: int = 0
    fee: int = 0
    side: str = ""
    price: int = 0
    token_id: str = ""
    tx_hash: str = ""
    taker: bool = False


@define
class Holding:
    """One token of one owner. ``bought``, ``spent`` and ``fees`` are of all that ever came in."""

    condition_id: str
    token_id: str
    size: int = 0
    cost: int = 0
    bought: int = 0
    spent: int = 0
    fees: int = 0
    realized: int = 0
    first_ns: int = 0
    last_ns: int = 0

    @property
    def average(self) -> int:
        """What a share of it cost: of those held, or of all there ever were."""
        if self.size > 0:
            return self.cost * MILLION // self.size
        return self.spent * MILLION // self.bought if self.bought else 0

    def move(self, shares: int, price: int, at_ns: int) -> None:
        self.first_ns, self.last_ns = self.first_ns or at_ns, at_ns
        worth = abs(shares) * price // MILLION
        if shares >= 0:
            self.size += shares
            self.cost += worth
            self.bought += shares
            self.spent += worth
            return
        given = min(-shares, self.size)
        basis = self.cost * given // self.size if self.size else 0
        self.realized += worth - basis
        self.cost -= basis
        self.size -= given


@define
class Portfolio:
    """All holdings of one owner, and the sums over them."""

    holdings: dict[str, Holding] = field(factory=dict)
    trades: int = 0
    volume: int = 0
    volume_usdc: int = 0
    fees: int = 0
    deposits: int = 0

    @property
    def realized(self) -> int:
        return sum(holding.realized for holding in self.holdings.values())

    def size(self, token_id: str) -> int:
        held = self.holdings.get(token_id)
        return held.size if held else 0

    def add(self, deed: Deed) -> None:
        for condition_id, token_id, shares, price in deed.parts:
            held = self.holdings.setdefault(token_id, Holding(condition_id, token_id))
            held.move(shares, price, deed.at_ns)
            if shares > 0:
                held.fees += deed.fee
        self.fees += deed.fee
        if deed.kind == DEPOSIT:
            self.deposits += deed.usdc
        if deed.kind == TRADE:
            self.trades += 1
            self.volume += deed.shares
            self.volume_usdc += deed.usdc


def folded(deeds: Iterable[Deed]) -> Portfolio:
    portfolio = Portfolio()
    for deed in deeds:
        portfolio.add(deed)
    return portfolio


def along(deeds: Sequence[Deed], times_ns: Iterable[int]) -> Iterator[tuple[int, Portfolio]]:
    """The portfolio as it grew, at each time: the same object, read it before going on."""
    portfolio, following = Portfolio(), 0
    for at_ns in times_ns:
        while following < len(deeds) and deeds[following].at_ns <= at_ns:
            portfolio.add(deeds[following])
            following += 1
        yield at_ns, portfolio
