"""``RecoveryMachine`` in an engine that dies, among orders that are lost, repeated and filled."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.commands import Stop as Leave
from polybawt.core.machines import recovery as r
from property_tests.mirror import edge_or_illegal, mirrored

ACCOUNT = ("trades", "open_orders", "balance")


@define
class Sent:
    """One order: journaled, held in the lane, on the wire and at the venue."""

    read: str
    disk: str = "intent"
    booked: int = 0
    held: bool = False
    wire: str = "none"
    venue: str = "none"
    past: bool = False

    @property
    def landable(self) -> bool:
        return self.wire == "sent" and self.venue == "none" and not self.past


def some(**wanted: Any) -> Callable[[Any], Any]:
    """There is an order like this."""
    return when(lambda s: bool(s.like(**wanted)))


class RecoveryLife(RuleBasedStateMachine):
    @initialize(
        limit=st.integers(1, 3),
        every_ns=st.integers(1, 100),
        most_ns=st.integers(1, 100),
        begins=st.sampled_from(("starting", "trading", "stopping")),
    )
    def init(self, limit: int, every_ns: int, most_ns: int, begins: str) -> None:
        """From nothing, or amid trading: with as many orders as may be, in the lane still."""
        self.session, self.now_ns = r.Recovery(), 1
        self.limit, self.every_ns, self.most_ns = limit, every_ns, most_ns
        self.orders: list[Sent] = []
        self.late: set[str] = set()
        self.lost: set[str] = set()
        self.doubt: set[str] = set()
        self.kill = self.overdue = False
        if begins == "starting":
            return
        self.start(0, 1)
        for read in ACCOUNT:
            self.step(r.Arrive(read=read))
            self.doubt.discard(read)
        for number in range(limit):
            self.orders.append(Sent(read=f"order:i{number + 1}", disk="open", held=True))
        if begins == "stopping":
            self.stop(0)

    def step(self, action: r.Action) -> tuple[Any, ...]:
        before = self.session
        after, outputs = r.RecoveryMachine.step(before, evolve(action, at_ns=self.now_ns))
        self.session = after
        if after.state == "trading" != before.state:
            assert before.state == "reconciling"
        if isinstance(action, r.Start):
            assert after.epoch > before.epoch
        else:
            assert after.epoch == before.epoch
        return outputs

    @property
    def gate(self) -> bool:
        return self.session.state == "trading" and not self.kill

    @property
    def awaited(self) -> set[str]:
        return {awaited.read for awaited in self.session.awaited}

    @property
    def running(self) -> bool:
        return self.session.state != "stopped"

    @property
    def all_ended(self) -> bool:
        return all(order.disk == "ended" for order in self.orders)

    def like(self, **wanted: Any) -> list[Sent]:
        return [
            o
            for o in self.orders
            if all(
                getattr(o, field) in (value if isinstance(value, tuple) else (value,))
                for field, value in wanted.items()
            )
        ]

    def pick(self, draw: st.DataObject, **wanted: Any) -> Sent:
        return draw.draw(st.sampled_from(self.like(**wanted)))

    # The machine.

    @rule(often=st.integers(0, 4), skipped=st.integers(1, 3))
    def start(self, often: int, skipped: int) -> None:
        if often and self.session.state != "starting":
            return
        reads = (*(o.read for o in self.like(disk="open")), *ACCOUNT)
        old = r.Start(epoch=self.session.epoch, reads=reads)
        assert not r.RecoveryMachine.allows(self.session, old)
        outputs = self.step(r.Start(epoch=self.session.epoch + skipped, reads=reads))
        assert [query.read for query in outputs] == [*reads]
        assert [awaited.read for awaited in self.session.awaited] == [*reads]
        self.doubt, self.late, self.lost, self.overdue = set(reads), set(), set(), False
        for order in self.orders:
            order.disk = "ended" if order.disk == "intent" else order.disk
            order.held = False
            order.wire = "gone" if order.wire == "refused" else order.wire

    @rule(draw=st.data(), other=st.sampled_from((*ACCOUNT, "order:i1", "order:i9")))
    def arrive(self, draw: st.DataObject, other: str) -> None:
        heard = [*sorted(self.awaited - self.lost), other]
        read = draw.draw(st.sampled_from(heard))
        if read not in self.lost:
            assert self.step(r.Arrive(read=read)) == ()
            self.late.discard(read)
            self.doubt.discard(read)

    @when(lambda s: s.session.awaited)
    @rule(draw=st.data())
    def ask(self, draw: st.DataObject) -> None:
        """Time asks at every tick, and it is sent only when it is allowed."""
        known = draw.draw(st.sampled_from(self.session.awaited))
        ask = r.Ask(at_ns=self.now_ns, read=known.read, every_ns=self.every_ns)
        late = self.now_ns - known.asked_ns >= self.every_ns
        due = late and self.session.state == "reconciling"
        assert r.RecoveryMachine.allows(self.session, ask) == due
        if due:
            (query,) = self.step(ask)
            assert query.read == known.read
            asked_ns = {one.read: one.asked_ns for one in self.session.awaited}
            assert asked_ns[known.read] == self.now_ns
            self.lost.discard(known.read)
            self.late.discard(known.read)

    @rule(often=st.integers(0, 4))
    def stop(self, often: int) -> None:
        if often == 0:
            assert self.step(r.Stop()) == ()

    @when(lambda s: s.session.state == "stopping")
    @rule()
    def rest(self) -> None:
        rest = r.Rest(at_ns=self.now_ns, quiet=self.all_ended, most_ns=self.most_ns)
        overdue = self.now_ns - self.session.since_ns >= self.most_ns
        assert r.RecoveryMachine.allows(self.session, rest) == (overdue or self.all_ended)
        if overdue or self.all_ended:
            assert self.step(rest) == (Leave(),)
            self.overdue = False

    # The world: the engine.

    @rule()
    def want(self) -> None:
        counted = [o for o in self.orders if o.disk != "ended" or o.booked]
        if self.gate and len(counted) < self.limit and len(self.orders) < 9:
            assert not self.doubt
            self.orders.append(Sent(read=f"order:i{len(self.orders) + 1}"))

    @some(disk="intent")
    @rule(draw=st.data())
    def sign(self, draw: st.DataObject) -> None:
        if self.gate:
            order = self.pick(draw, disk="intent")
            order.disk, order.held = "open", True

    @some(disk="intent")
    @rule(draw=st.data())
    def abandon(self, draw: st.DataObject) -> None:
        if not self.gate and self.running:
            self.pick(draw, disk="intent").disk = "ended"

    @some(held=True)
    @rule(draw=st.data())
    def send(self, draw: st.DataObject) -> None:
        if self.gate:
            order = self.pick(draw, held=True)
            order.held, order.wire = False, "sent"

    @some(held=True)
    @rule(draw=st.data())
    def halt(self, draw: st.DataObject) -> None:
        if not self.gate and self.running:
            order = self.pick(draw, held=True)
            order.held, order.disk = False, "ended"

    @some(wire="refused")
    @rule(draw=st.data())
    def reject(self, draw: st.DataObject) -> None:
        if self.running:
            order = self.pick(draw, wire="refused")
            order.wire, order.disk = "gone", "ended"

    @some(venue="filled", booked=0)
    @rule(draw=st.data())
    def book(self, draw: st.DataObject) -> None:
        if self.running:
            order = self.pick(draw, venue="filled", booked=0)
            order.booked, order.disk = order.booked + 1, "ended"

    @some(venue="over")
    @rule(draw=st.data())
    def close(self, draw: st.DataObject) -> None:
        if self.running:
            self.pick(draw, venue="over").disk = "ended"

    @some(disk="open", venue="none", past=True)
    @rule(draw=st.data())
    def miss(self, draw: st.DataObject) -> None:
        if self.running:
            self.pick(draw, disk="open", venue="none", past=True).disk = "ended"

    @when(lambda s: s.session.awaited)
    @rule(draw=st.data())
    def fail(self, draw: st.DataObject) -> None:
        self.lost.add(draw.draw(st.sampled_from(sorted(self.awaited))))

    @when(lambda s: s.lost)
    @rule(draw=st.data(), ns=st.integers(0, 60))
    def wait(self, draw: st.DataObject, ns: int) -> None:
        self.now_ns += ns
        for known in self.session.awaited:
            if known.read in self.lost and self.now_ns - known.asked_ns >= self.every_ns:
                self.late.add(known.read)

    @when(lambda s: s.session.state == "stopping")
    @rule(ns=st.integers(0, 60))
    def tire(self, ns: int) -> None:
        self.now_ns += ns
        self.overdue = self.now_ns - self.session.since_ns >= self.most_ns

    @rule(often=st.integers(0, 9))
    def fire(self, often: int) -> None:
        self.kill = self.kill or often == 0

    # Network and venue.

    @some(wire=("gone", "refused"), disk="open")
    @rule(draw=st.data())
    def repeat(self, draw: st.DataObject) -> None:
        self.pick(draw, wire=("gone", "refused"), disk="open").wire = "sent"

    @some(wire="sent")
    @rule(draw=st.data())
    def lose(self, draw: st.DataObject) -> None:
        self.pick(draw, wire="sent").wire = "gone"

    @some(wire="sent", venue="none", past=False)
    @rule(draw=st.data())
    def accept(self, draw: st.DataObject) -> None:
        order = self.pick(draw, wire="sent", venue="none", past=False)
        order.wire, order.venue = "gone", "rests"

    @some(wire="sent", venue="none")
    @rule(draw=st.data())
    def refuse(self, draw: st.DataObject) -> None:
        self.pick(draw, wire="sent", venue="none").wire = "refused"

    @some(venue="rests")
    @rule(draw=st.data())
    def match(self, draw: st.DataObject) -> None:
        self.pick(draw, venue="rests").venue = "filled"

    @some(venue="rests")
    @rule(draw=st.data())
    def end(self, draw: st.DataObject) -> None:
        self.pick(draw, venue="rests").venue = "over"

    @some(disk=("intent", "open"))
    @rule(draw=st.data())
    def expire(self, draw: st.DataObject) -> None:
        order = self.pick(draw, disk=("intent", "open"))
        order.past = True
        order.venue = "over" if order.venue == "rests" else order.venue

    # What must always hold.

    def all_orders(self) -> list[Sent]:
        return getattr(self, "orders", [])

    @invariant()
    def journal_first(self) -> None:
        for o in self.all_orders():
            if o.held or o.wire != "none" or o.venue != "none":
                assert o.disk in ("open", "ended")

    @invariant()
    def sent_first(self) -> None:
        for o in self.all_orders():
            assert o.venue == "none" or o.wire in ("sent", "gone")

    @invariant()
    def no_orphan(self) -> None:
        for o in self.like(disk="ended") if hasattr(self, "orders") else ():
            assert o.venue != "rests"
            assert not o.landable

    @invariant()
    def past_is_over(self) -> None:
        for o in self.all_orders():
            assert not (o.past and o.venue == "rests")

    @invariant()
    def booked_once(self) -> None:
        for o in self.all_orders():
            assert o.booked == 0 or (o.booked == 1 and o.venue == "filled")

    @invariant()
    def nothing_lost(self) -> None:
        for o in self.all_orders():
            assert not (o.disk == "ended" and o.venue == "filled") or o.booked == 1

    @invariant()
    def capital(self) -> None:
        at_risk = [o for o in self.all_orders() if o.venue in ("rests", "filled") or o.landable]
        assert len(at_risk) <= getattr(self, "limit", 0)

    @invariant()
    def nothing_before_intent(self) -> None:
        """An order that was not wanted has no record here at all."""
        assert all(o.disk in ("intent", "open", "ended") for o in self.all_orders())

    @invariant()
    def intents_are_counted(self) -> None:
        reads = [o.read for o in self.all_orders()]
        assert reads == [f"order:i{n + 1}" for n in range(len(reads))]

    @invariant()
    def trading_is_agreed(self) -> None:
        if hasattr(self, "session") and self.session.state == "trading":
            assert self.session.awaited == ()

    @invariant()
    def late_is_lost(self) -> None:
        if hasattr(self, "late"):
            assert self.late <= self.lost <= self.awaited

    @invariant()
    def doubt_is_awaited(self) -> None:
        if hasattr(self, "doubt"):
            assert self.doubt == self.awaited

    @invariant()
    def overdue_is_stopping(self) -> None:
        if hasattr(self, "overdue") and self.overdue:
            assert self.session.state == "stopping"


TestRecoveryLife = RecoveryLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Recovery", RecoveryLife)


@pytest.mark.parametrize("state", [s.id for s in r.RecoveryMachine.states])
@pytest.mark.parametrize("reads", [(), ("trades",), ("trades", "order:i1")])
def test_every_action_in_every_state_is_an_edge_or_illegal(
    state: str, reads: tuple[str, ...]
) -> None:
    awaited = tuple(r.Awaited(read=read, asked_ns=50) for read in reads)
    session = r.Recovery(state=state, epoch=2, since_ns=50, awaited=awaited)
    for action in (
        r.Start(epoch=2, reads=("trades",)),
        r.Start(epoch=3, reads=("trades",)),
        r.Arrive(read="trades"),
        r.Arrive(read="balance"),
        r.Ask(at_ns=59, read="trades", every_ns=10),
        r.Ask(at_ns=60, read="trades", every_ns=10),
        r.Stop(),
        r.Rest(at_ns=59, quiet=False, most_ns=10),
        r.Rest(at_ns=60, quiet=False, most_ns=10),
        r.Rest(at_ns=50, quiet=True, most_ns=10),
    ):
        edge_or_illegal(r.RecoveryMachine, session, action)
