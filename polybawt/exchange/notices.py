"""What an account is told when it asks: fills, cancellations, failed fills, resolutions.

Each address that has ever traded keeps its latest notices, until it drops them or until they are
old.  What is kept is what happened; how that reads on the wire is made when somebody asks.
Numbers are counted over all addresses, so that an id names one notice only.

Source: exchange reference 1.2; kinds and shapes as the official client parses them.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from attrs import frozen

from polybawt.core.market import Market
from polybawt.core.units import SECOND_NS
from polybawt.sim.records import (
    Event,
    OrderChanged,
    Resolved,
    TradeChanged,
    VenueOrder,
    VenueTrade,
)

CANCELED: Final = 1
FILLED: Final = 2
RESOLVED: Final = 4
FILL_FAILED: Final = 8
OF_ONE_MAX: Final = 500  # the oldest make room
ADDRESSES_MAX: Final = 10_000
AGE_MAX_NS: Final = 48 * 3600 * SECOND_NS  # they are gone after two days


@frozen(kw_only=True)
class Notice:
    """``order`` as it was then, and the trade behind a fill; or the market that ended."""

    number: int
    owner: str
    kind: int
    now_ns: int
    order: VenueOrder | None = None
    trade: VenueTrade | None = None
    market: Market | None = None


class Notices:
    """``order_of`` finds an order by id; ``reads`` says whether anybody reads for an address."""

    def __init__(
        self, order_of: Callable[[str], VenueOrder | None], reads: Callable[[str], bool]
    ) -> None:
        self._order_of, self._reads = order_of, reads
        self._of: dict[str, deque[Notice]] = {}
        self._in_market: dict[str, set[str]] = {}
        self._count = 0

    def hear(self, event: Event) -> None:
        match event:
            case OrderChanged(kind="CANCELLATION"):
                order = event.order
                self._tell(order.placement.owner, CANCELED, event.now_ns, order=order)
            case TradeChanged() if event.trade.status == "FAILED":
                self._tell_fills(FILL_FAILED, event)
            case TradeChanged() if event.trade.updated_ns == event.trade.match_ns:
                readers = filter(self._reads, event.trade.owners)
                self._in_market.setdefault(event.trade.condition_id, set()).update(readers)
                self._tell_fills(FILLED, event)
            case Resolved():
                for owner in sorted(self._in_market.pop(event.market.condition_id, ())):
                    self._tell(owner, RESOLVED, event.now_ns, market=event.market)

    def _tell_fills(self, kind: int, event: TradeChanged) -> None:
        """One notice for each order in the trade."""
        trade = event.trade
        for order_id in (trade.taker_order_id, *(maker.order_id for maker in trade.makers)):
            order = self._order_of(order_id)
            if order is not None:
                self._tell(order.placement.owner, kind, event.now_ns, order=order, trade=trade)

    def _tell(
        self,
        owner: str,
        kind: int,
        now_ns: int,
        *,
        order: VenueOrder | None = None,
        trade: VenueTrade | None = None,
        market: Market | None = None,
    ) -> None:
        if not self._reads(owner):
            return
        self._count += 1
        kept = self._of.setdefault(owner, deque(maxlen=OF_ONE_MAX))
        kept.append(
            Notice(
                number=self._count,
                owner=owner,
                kind=kind,
                now_ns=now_ns,
                order=order,
                trade=trade,
                market=market,
            )
        )
        if len(self._of) > ADDRESSES_MAX:
            del self._of[next(iter(self._of))]

    def read(self, owner: str, now_ns: int) -> list[Notice]:
        """One address's notices, newest first."""
        kept = self._of.get(owner, deque())
        while kept and kept[0].now_ns + AGE_MAX_NS <= now_ns:
            kept.popleft()
        return list(reversed(kept))

    def drop(self, owner: str, numbers: Iterable[int]) -> None:
        """Forget these; numbers that are not this address's own are passed over."""
        gone = set(numbers)
        kept = self._of.get(owner, deque())
        self._of[owner] = deque(
            (notice for notice in kept if notice.number not in gone), maxlen=OF_ONE_MAX
        )
