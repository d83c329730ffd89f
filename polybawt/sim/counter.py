"""The counter: where orders are handed in, held, cancelled and taken off when their time is up.

It judges a placement in the venue's order of checks (``rules``) and lets the ``desk`` carry out
what follows; timers are the expirations and the ends of taker delays.  Whoever calls has advanced
the venue's clock before.

Source: exchange reference, sections 1.7, 1.9, 3.4 and 3.6.
"""

from collections.abc import Iterable
from heapq import heappop, heappush

from attrs import evolve

from polybawt.core.units import SECOND_NS, Shares
from polybawt.sim import rules
from polybawt.sim.chain import NEVER_NS
from polybawt.sim.desk import Desk
from polybawt.sim.records import Accepted, LevelSet, Placement, Refused, VenueOrder
from polybawt.sim.shelf import Shelf


class Counter:
    """All that an order can be asked for, and the timers of those that are open."""

    def __init__(self, desk: Desk, shelf: Shelf, gtd_margin_s: int) -> None:
        self._desk, self._shelf, self._gtd_margin_s = desk, shelf, gtd_margin_s
        self._timers: list[tuple[int, str]] = []

    def place(self, placement: Placement, now_ns: int) -> Accepted | Refused:
        """Check in the venue's order; then match or hold, and rest what may rest."""
        market, desk = self._shelf.market_of(placement.token_id), self._desk
        if market is None:
            return Refused(rules.NO_BOOK, 404)
        book = self._shelf.book_of(placement.token_id)
        crosses = book.crosses(placement.terms)
        text = rules.terms_refused(placement, market, crosses, now_ns, self._gtd_margin_s)
        if text:
            return Refused(text)
        if desk.orders.known(placement.order_id):
            return Refused(rules.duplicated(placement.order_id))
        order = VenueOrder(
            placement=placement, status="LIVE", matched=Shares(0), created_ns=now_ns,
            trade_ids=(), condition_id=market.condition_id,
        )  # fmt: skip
        plan = desk.plan(order)
        hold = desk.hold_for(order, plan)
        if not desk.affords(order, hold):
            return Refused(rules.uncovered(*desk.funds(order), hold))
        text = rules.meeting_refused(placement, plan, crosses)
        if text in rules.KILLS:  # it is gone, but its id is spent
            desk.orders.put(evolve(order, status="INVALID"), 0)
        if text:
            return Refused(text)
        if placement.order_type == "GTD":
            self._set_timer(self._ends_ns(placement), placement.order_id)
        delay_ns = self._shelf.delay_ns(market.condition_id) if crosses else 0
        if delay_ns:
            order = evolve(order, status="DELAYED")
            self._set_timer(now_ns + delay_ns, placement.order_id)
        desk.orders.put(order, hold)
        desk.tell(order, "PLACEMENT", now_ns)
        if delay_ns:
            return Accepted(order, 0, 0, ())
        answer = desk.execute(order, plan, now_ns)
        self._publish(order.condition_id, now_ns)
        return answer

    def cancel(self, owner: str, order_id: str, now_ns: int) -> str:
        """Cancel one order; "" when done, else the venue's reason."""
        order = self._desk.orders.get(order_id)
        if order is None or order.placement.owner != owner:
            return rules.CANCEL_UNKNOWN
        if order.status == "DELAYED":
            return rules.CANCEL_DELAYED
        if not order.open:
            return rules.CANCEL_MATCHED if order.status == "MATCHED" else rules.CANCEL_ENDED
        self._desk.end(order, "CANCELED", now_ns)
        self._publish(order.condition_id, now_ns)
        return ""

    def cancel_all(
        self, owner: str, now_ns: int, condition_id: str = "", token_id: str = ""
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Cancel every open order of an owner, or of one market or token of it."""
        answers = {
            order.placement.order_id: self.cancel(owner, order.placement.order_id, now_ns)
            for order in self._desk.orders.open(owner)
            if condition_id in ("", order.condition_id)
            and token_id in ("", order.placement.token_id)
        }
        done = tuple(order_id for order_id, reason in answers.items() if not reason)
        return done, {order_id: reason for order_id, reason in answers.items() if reason}

    def set_levels(self, owner: str, levels: Iterable[LevelSet], now_ns: int) -> None:
        """Let an adopted account rest exactly these sizes, as a recorded book says.

        Orders of others that a level crosses are matched first, as by any order.
        """
        assert not self._desk.orders.outside(owner), owner
        for level in levels:
            book = self._shelf.book_of(level[0])
            self._desk.set_level(owner, book, level, now_ns)
            self._publish(book.market.condition_id, now_ns, recorded=True)

    # --- time -----------------------------------------------------------------------------

    @property
    def due_ns(self) -> int:
        return self._timers[0][0] if self._timers else NEVER_NS

    def wake_next(self, now_ns: int) -> None:
        self._wake(heappop(self._timers)[1], now_ns)

    def _wake(self, order_id: str, now_ns: int) -> None:
        """An order's time has come: its expiration, or the end of its taker delay."""
        order, desk = self._desk.orders.get(order_id), self._desk
        if order is None or not order.open:
            return
        if order.placement.order_type == "GTD" and now_ns >= self._ends_ns(order.placement):
            desk.end(order, "CANCELED_EXPIRED_ORDER", now_ns)
        elif order.status == "DELAYED":
            self._release(order, now_ns)
        self._publish(order.condition_id, now_ns)

    def _release(self, order: VenueOrder, now_ns: int) -> None:
        """Match a held order against the book as it is now."""
        plan, desk = self._desk.plan(order), self._desk
        hold = desk.hold_for(order, plan)
        order = evolve(order, status="LIVE")
        if not desk.affords(order, hold):
            desk.end(order, "CANCELED_NOT_ENOUGH_BALANCE", now_ns)
        elif rules.meeting_refused(order.placement, plan, crosses=False):
            desk.end(order, "CANCELED", now_ns)
        elif not desk.execute(order, plan, now_ns).trades:
            desk.tell(order, "UPDATE", now_ns)  # it rests after all: say so

    def _publish(self, condition_id: str, now_ns: int, *, recorded: bool = False) -> None:
        """Tell the levels that moved, and what their new place means for the tick."""
        self._desk.publish(condition_id, now_ns, recorded=recorded)
        self._shelf.refine(condition_id, now_ns)

    def _ends_ns(self, placement: Placement) -> int:
        return (placement.expiration_s - self._gtd_margin_s) * SECOND_NS

    def _set_timer(self, due_ns: int, order_id: str) -> None:
        heappush(self._timers, (due_ns, order_id))
