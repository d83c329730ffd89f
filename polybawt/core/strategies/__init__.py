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
from polybawt.core.machines.conversion import Conversion
from polybawt.core.machines.hedge import Hedge
from polybawt.core.machines.order import Order
from polybawt.core.market import Market, Side
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.signals.flow import Flow
from polybawt.core.signals.lead import Spot
from polybawt.core.sizing import kelly_stake, shares_for
from polybawt.core.units import MILLION, Price, Shares, Usdc


@frozen(kw_only=True)
class Intent(Fact):
    """What a strategy wants. ``fair`` is what it believes a share is worth; 0 if it has no view.

    ``purpose``: ``entry`` takes on risk; ``exit``, ``hedge`` and ``flatten`` are to take it off,
    and an exit or a flattening can only sell what is held.  ``hedge_id`` names the hedge whose
    leg it is.  ``threshold``: it trades once per token, condition and threshold (0: as often as
    it likes).  ``approval``: an operator must say yes first.
    """

    strategy: str
    condition_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    post_only: bool
    lifetime_s: int
    fair: Price = Price(0)
    purpose: str = "entry"
    hedge_id: str = ""
    threshold: Price = Price(0)
    approval: bool = False


@frozen(kw_only=True)
class Withdraw(Fact):
    """A strategy no longer wants one of its orders."""

    intent_id: str
    reason: str


@frozen(kw_only=True)
class Swap(Fact):
    """Another form of what it holds: ``kind`` is split, merge or convert (quantitative 5.2).

    ``amount``: sets, or NO shares of each of ``condition_ids``.
    """

    strategy: str
    kind: str
    condition_ids: tuple[str, ...]
    amount: Shares


@frozen(kw_only=True)
class Question:
    """One market of an event, as a strategy sees it beside the others."""

    market: Market
    book: Book
    book_fresh: bool
    orders: tuple[Order, ...]  # its own, that have not ended
    held: tuple[Shares, Shares] = (Shares(0), Shares(0))  # its own yes and no, free to sell
    entries: tuple[Price, Price] = (Price(0), Price(0))  # what they cost a share, fees included
    rooms: tuple[Usdc, Usdc]  # how much more the limits allow: of the yes, of the no token


@frozen(kw_only=True)
class View(Question):
    """What one strategy may know of one market, at one moment.

    ``event``: every market of the same neg-risk event, this one among them; else empty.  ``spot``:
    the prices that run ahead of the oracle's.  ``scale_micro``: the part of its usual size that
    the breakers leave it.
    """

    now_ns: int
    oracle: Oracle | None
    strike_e18: int
    bankroll: Usdc
    spot: Spot | None = None
    flow: Flow | None = None
    event: tuple[Question, ...] = ()
    hedges: tuple[Hedge, ...] = ()  # its own, of this market
    conversions: tuple[Conversion, ...] = ()  # its own, that have not ended, of all markets
    spent: tuple[Price, ...] = ()  # of its thresholds, those that were traded on here
    scale_micro: int = MILLION
    halted: str = ""  # the breaker that lets it take on no risk now


@frozen(kw_only=True)
class NewHedge(Fact):
    """A pair can be had: its first leg at ``limit`` or better, its second as deep as the book is.

    A hedge of it begins, or the one that the strategy has in this market buys its next slice; at
    most ``quantity`` shares in all, ``slice_max`` at a time, each pair for ``pair_cost_max`` all
    in.  A first leg that nothing covers for ``leg_timeout_s`` is sold, losing ``loss_max`` at most.
    """

    strategy: str
    condition_id: str
    first_token: str
    limit: Price
    post_only: bool
    quantity: Shares
    slice_max: Shares
    pair_cost_max: Price
    loss_max: Usdc
    lifetime_s: int
    leg_timeout_s: int
    slippage_ticks: int


NO_PRICE: Final = Price(0)
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

    @property
    def thresholds(self) -> tuple[Price, ...]:
        """At which it trades once (``Intent.threshold``)."""
        return ()

    def stake(
        self, view: View, fair: Price, cost: int, room: Usdc, *, part_micro: int = MILLION
    ) -> Shares:
        """How many shares to buy at ``cost`` each, all in, when one is worth ``fair``.

        Its part of Kelly's stake, ``part_micro`` millionths of that, within its room and its
        largest order; 0 below the market's minimum.
        """
        kelly = kelly_stake(
            fair=fair, cost=cost, bankroll=view.bankroll, fraction_micro=self.kelly_micro
        )
        most = min(kelly * part_micro // MILLION, room, self.order_notional_max)
        return shares_for(view.market, Usdc(most), cost)

    def wish(
        self,
        view: View,
        token_id: str,
        side: Side,
        price: Price,
        size: Shares,
        *,
        post_only: bool = False,
        market: Market | None = None,
        fair: Price = NO_PRICE,
        purpose: str = "entry",
        threshold: Price = NO_PRICE,
        approval: bool = False,
    ) -> Intent:
        """An order of its own; of another ``market`` than the view's where it names one."""
        return Intent(
            at_ns=view.now_ns,
            strategy=self.name,
            condition_id=(market or view.market).condition_id,
            token_id=token_id,
            side=side,
            price=price,
            size=size,
            post_only=post_only,
            lifetime_s=self.lifetime_s,
            fair=fair,
            purpose=purpose,
            threshold=threshold,
            approval=approval,
        )

    @abstractmethod
    def decide(self, view: View) -> tuple[Intent | Withdraw | NewHedge | Swap, ...]:
        """What it wants in this market, at this moment."""
