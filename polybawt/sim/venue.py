"""The venue: places, matches, cancels, settles and resolves. Pure: time comes in as ``now_ns``.

Being filled in; the signatures are binding.
"""

from collections.abc import Mapping

from polybawt.core.facts import Level
from polybawt.core.market import Market
from polybawt.core.units import Shares, Usdc
from polybawt.sim.records import (
    Accepted,
    Event,
    LevelsMoved,
    Listed,
    MakerMatch,
    OrderChanged,
    Placement,
    Printed,
    Refused,
    Resolved,
    TradeChanged,
    VenueOrder,
    VenueTrade,
)

__all__ = [
    "Accepted",
    "Event",
    "LevelsMoved",
    "Listed",
    "MakerMatch",
    "OrderChanged",
    "Placement",
    "Printed",
    "Refused",
    "Resolved",
    "TradeChanged",
    "Venue",
    "VenueOrder",
    "VenueTrade",
]


class Venue:
    """One simulated exchange."""

    markets: dict[str, Market]

    def __init__(
        self,
        *,
        mine_ns: int,
        confirm_ns: int,
        gtd_margin_s: int = 60,
        taker_delay_ns: int = 0,
        auto_redeem: bool = True,
    ) -> None:
        raise NotImplementedError

    def deposit(self, owner: str, amount: Usdc) -> None:
        raise NotImplementedError

    def grant(self, owner: str, token_id: str, shares: Shares) -> None:
        raise NotImplementedError

    def list_market(self, market: Market, now_ns: int, taker_delay_ns: int = 0) -> None:
        raise NotImplementedError

    def amend(self, market: Market) -> None:
        """Replace a listed market's record (strike published, orders no longer accepted)."""
        raise NotImplementedError

    def place(self, placement: Placement, now_ns: int) -> Accepted | Refused:
        raise NotImplementedError

    def cancel(self, owner: str, order_id: str, now_ns: int) -> str:
        raise NotImplementedError

    def cancel_all(
        self, owner: str, now_ns: int, condition_id: str = "", token_id: str = ""
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        raise NotImplementedError

    def advance(self, now_ns: int) -> None:
        raise NotImplementedError

    def resolve(self, condition_id: str, yes_payout: Usdc, no_payout: Usdc, now_ns: int) -> None:
        raise NotImplementedError

    def drain(self) -> list[Event]:
        raise NotImplementedError

    def order(self, order_id: str) -> VenueOrder | None:
        raise NotImplementedError

    def open_orders(self, owner: str) -> list[VenueOrder]:
        raise NotImplementedError

    def orders(self, owner: str) -> list[VenueOrder]:
        """Every order ever accepted from this owner that is still remembered."""
        raise NotImplementedError

    def trades(self, owner: str) -> list[VenueTrade]:
        raise NotImplementedError

    def balance(self, owner: str, token_id: str = "") -> int:
        raise NotImplementedError

    def total(self, owner: str, token_id: str = "") -> int:
        raise NotImplementedError

    def holdings(self, owner: str) -> Mapping[str, int]:
        """Totals by token id; "" is collateral."""
        raise NotImplementedError

    def levels(self, token_id: str) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
        raise NotImplementedError

    def market_of(self, token_id: str) -> Market | None:
        raise NotImplementedError
