"""The venue's order records: what was accepted, what is open, what it holds back.

The id of an order is known for ever, even when the order itself is forgotten with its market:
that is what makes a second POST of the same bytes a duplicate (reference 3.5).  Orders of the
simulation's own agents are the exception: their ids are counted, never repeat, and leave with
them, so that a soak of many hours stays small.
"""

from collections.abc import Iterable

from polybawt.core.market import Side
from polybawt.sim.accounts import COLLATERAL
from polybawt.sim.records import Placement, VenueOrder


def spends(placement: Placement) -> str:
    """The token an order gives: collateral for a buy, the token itself for a sale."""
    return COLLATERAL if placement.side is Side.BUY else placement.token_id


class Orders:
    """Every order of a venue, with running sums of what the open ones hold back."""

    def __init__(self) -> None:
        self._orders: dict[str, VenueOrder] = {}
        self._holds: dict[str, int] = {}
        self._held: dict[tuple[str, str], int] = {}
        self._open: dict[str, dict[str, None]] = {}
        self._in_market: dict[str, dict[str, None]] = {}
        self._ids: dict[str, list[str]] = {}
        self._known: set[str] = set()
        self._own: set[str] = set()

    def adopt(self, owner: str) -> None:
        """An account of the simulation itself."""
        self._own.add(owner)

    def outside(self, owner: str) -> bool:
        """Whether somebody out there listens to what becomes of this account."""
        return owner not in self._own

    def known(self, order_id: str) -> bool:
        return order_id in self._known or order_id in self._orders

    def get(self, order_id: str) -> VenueOrder | None:
        return self._orders.get(order_id)

    def ids(self, owner: str) -> tuple[str, ...]:
        """Every order id ever accepted from an outside owner, oldest first."""
        return tuple(self._ids.get(owner, ()))

    def open(self, owner: str) -> list[VenueOrder]:
        return [self._orders[order_id] for order_id in self._open.get(owner, ())]

    def of_market(self, condition_id: str) -> list[VenueOrder]:
        return [self._orders[order_id] for order_id in self._in_market.get(condition_id, ())]

    def held(self, owner: str, token_id: str = COLLATERAL) -> int:
        """What this owner's open orders hold back: collateral, or shares of a token."""
        return self._held.get((owner, token_id), 0)

    def hold(self, order_id: str) -> int:
        """What one order holds back."""
        return self._holds.get(order_id, 0)

    def put(self, order: VenueOrder, hold: int) -> None:
        """Record an order as it is now; ``hold`` is what it holds back while open."""
        placement = order.placement
        order_id, owner = placement.order_id, placement.owner
        assert hold == 0 or order.open, order
        if order_id not in self._orders:
            self._in_market.setdefault(order.condition_id, {})[order_id] = None
            if self.outside(owner):
                self._known.add(order_id)
                self._ids.setdefault(owner, []).append(order_id)
        self._orders[order_id] = order
        self._set_hold(order, hold)
        if order.open:
            self._open.setdefault(owner, {})[order_id] = None
        else:
            self._open.get(owner, {}).pop(order_id, None)
            if not self.outside(owner):
                self._drop(order)

    def _set_hold(self, order: VenueOrder, hold: int) -> None:
        placement = order.placement
        key = placement.owner, spends(placement)
        after = self._held.get(key, 0) - self._holds.get(placement.order_id, 0) + hold
        assert after >= 0, order
        if after:
            self._held[key] = after
        else:
            self._held.pop(key, None)
        if hold:
            self._holds[placement.order_id] = hold
        else:
            self._holds.pop(placement.order_id, None)

    def _drop(self, order: VenueOrder) -> None:
        order_id = order.placement.order_id
        del self._orders[order_id]
        self._in_market[order.condition_id].pop(order_id)

    def forget(self, condition_id: str) -> None:
        """Drop the records of an ended market; the ids of outside orders stay known."""
        gone: Iterable[str] = self._in_market.pop(condition_id, {})
        for order_id in gone:
            assert not self._orders[order_id].open, order_id
            del self._orders[order_id]
