"""The protocol of a strategy: facts in, intents out.

A strategy reads a view of one market and says what it wants; it owns no state that is not in
the view, places nothing, and cannot exceed a limit: the risk gate stands behind it.  It is its
settings and nothing else, so that two variants of one kind run side by side under two names.
"""

import re
from abc import ABC, abstractmethod
from typing import Final

from attrs import frozen

from polybawt.core.book import Book
from polybawt.core.machine import Fact
from polybawt.core.machines.order import Order
from polybawt.core.market import Market, Side
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.units import Price, Shares, Usdc


@frozen(kw_only=True)
class Intent(Fact):
    """What a strategy wants. ``fair`` is what it believes a share is worth; 0 if it has no view."""

    strategy: str
    condition_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    post_only: bool
    lifetime_s: int
    fair: Price = Price(0)


@frozen(kw_only=True)
class Withdraw(Fact):
    """A strategy no longer wants one of its orders."""

    intent_id: str
    reason: str


@frozen(kw_only=True)
class View:
    """What one strategy may know of one market, at one moment."""

    now_ns: int
    market: Market
    book: Book
    book_fresh: bool
    oracle: Oracle | None
    strike_e18: int
    orders: tuple[Order, ...]  # its own, in this market, that have not ended
    bankroll: Usdc
    rooms: tuple[Usdc, Usdc]  # how much more the limits allow: of the yes, of the no token


NAME: Final = re.compile("[a-z][a-z0-9_.-]{0,39}")
RESERVED: Final = ("wallet", "equity", "fees", "drift")  # accounts of the ledger


@frozen(kw_only=True)
class Strategy(ABC):
    """What every strategy is told: its name, whether it runs, and what it may put at risk.

    ``kelly_micro``: the part of Kelly's stake that it bets; ``exposure_max``: of all its orders
    and holdings together, beside the limits that hold for everybody.
    """

    name: str
    enabled: bool = True
    kelly_micro: int = 250_000
    order_notional_max: Usdc = Usdc(5_000_000)
    exposure_max: Usdc = Usdc(20_000_000)
    lifetime_s: int = 60

    def __attrs_post_init__(self) -> None:
        if not NAME.fullmatch(self.name) or self.name in RESERVED:
            raise ValueError(f"name: {self.name[:60]!r} cannot be a strategy's name")

    @abstractmethod
    def decide(self, view: View) -> tuple[Intent | Withdraw, ...]:
        """What it wants in this market, at this moment."""
