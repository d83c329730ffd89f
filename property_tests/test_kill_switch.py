"""``KillSwitchMachine`` amid any number of orders, lost requests, deaths and untrue refusals."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.commands import CancelAll, ReadOpenOrders
from polybawt.core.machines import kill_switch as k
from property_tests.mirror import edge_or_illegal, mirrored

GONE = ("over", "cancelled")
ALIVE = ("lane", "wire", "rests")
TEXTS = st.sampled_from(("", " ", "drill"))


@define
class Sent:
    """One order: what our records say of it, and where it is."""

    told: str = "none"
    where: str = "none"


def some(test: str, *values: str) -> Callable[[Any], Any]:
    """There is an order that is told so, or is there."""
    return when(lambda s: any(getattr(o, test) in values for o in s.orders))


class KillSwitchLife(RuleBasedStateMachine):
    @initialize(
        places=st.lists(st.sampled_from(("none", *ALIVE, "over")), min_size=1, max_size=5),
        every_ns=st.integers(1, 200),
        begins=st.sampled_from(("armed", "fired", "answered", "drained")),
    )
    def init(self, places: list[str], every_ns: int, begins: str) -> None:
        """Amid orders anywhere; most that matters comes after it was fired."""
        self.switch, self.every_ns, self.now_ns = k.KillSwitch(), every_ns, 1
        self.orders = [Sent("none" if place == "none" else "open", place) for place in places]
        self.held = self.sent = 0
        self.read: tuple[bool, ...] = ()  # asked; then also: whether anything was listed
        if begins == "armed":
            return
        self.fire(0, "file")
        if begins == "drained":  # but for what we were told had ended
            self.orders = [
                Sent("deceived", "rests") if o.where in ALIVE else Sent() for o in self.orders
            ]
            self.held, self.read = 0, (True, False)
            self.drain()
        elif begins == "answered":
            self.read = (True,)
            self.answer()

    def step(self, action: k.Action) -> None:
        before = self.switch
        after, outputs = k.KillSwitchMachine.step(before, evolve(action, at_ns=self.now_ns))
        self.switch = after
        if before.state != "armed" and after.state == "armed":
            assert isinstance(action, k.Reset)
            assert action.reason.strip()
            assert action.actor.strip()
            assert (after.actor, after.reason) == (action.actor, action.reason)
        if before.state != "armed" and after.state != "armed":
            assert (after.why, after.since_ns) == (before.why, before.since_ns)
        if after.state == "fired" and (before.state != "fired" or outputs):
            assert CancelAll() in outputs
        assert after.asked_ns == (self.now_ns if outputs else before.asked_ns)
        for output in outputs:
            assert isinstance(output, CancelAll | ReadOpenOrders)
            self.held += isinstance(output, CancelAll)
            self.read = () if isinstance(output, ReadOpenOrders) else self.read
        if ReadOpenOrders() in outputs:
            self.read = (True,)

    @property
    def unended(self) -> bool:
        return any(order.told == "open" for order in self.orders)

    def pick(self, draw: st.DataObject, *where: str, told: tuple[str, ...] = ()) -> Sent:
        found = [o for o in self.orders if o.where in where and (not told or o.told in told)]
        return draw.draw(st.sampled_from(found))

    # The machine.

    @rule(often=st.integers(0, 3), source=st.sampled_from(("file", "terminal", "signal")))
    def fire(self, often: int, source: str) -> None:
        if often == 0 or self.switch.state != "armed":
            self.step(k.Fire(source=source, reason="drill", actor="jo"))

    @when(lambda s: s.switch.state != "armed")
    @rule()
    def ask(self) -> None:
        """Time asks at every tick, and it is sent only when it is allowed."""
        ask = k.Ask(at_ns=self.now_ns, every_ns=self.every_ns)
        due = self.now_ns - self.switch.asked_ns >= self.every_ns
        assert k.KillSwitchMachine.allows(self.switch, ask) == due
        if due:
            self.step(ask)

    @when(lambda s: len(s.read) == 2)
    @rule()
    def drain(self) -> None:
        drain = k.Drain(listed=self.read[1], unended=self.unended)
        fired = self.switch.state == "fired"
        quiet = fired and not self.unended and not self.read[1]
        assert k.KillSwitchMachine.allows(self.switch, drain) == quiet
        if quiet:
            self.step(drain)
            self.read = ()

    @when(lambda s: s.switch.state != "armed" and (s.read[1:] == (True,) or s.unended))
    @rule()
    def rest(self) -> None:
        self.step(k.Rest())
        assert self.switch.state == "fired"

    @rule(often=st.integers(0, 3), actor=TEXTS, reason=TEXTS)
    def reset(self, often: int, actor: str, reason: str) -> None:
        if often == 0:
            self.step(k.Reset(actor=actor, reason=reason))

    # The world: the engine.

    @some("told", "none")
    @rule()
    def want(self) -> None:
        if not self.switch.why:
            order = next(o for o in self.orders if o.told == "none")
            order.told, order.where = "open", "lane"

    @some("where", "lane")
    @rule(draw=st.data())
    def send(self, draw: st.DataObject) -> None:
        if not self.switch.why:
            self.pick(draw, "lane").where = "wire"

    @some("where", "lane")
    @rule(draw=st.data())
    def halt(self, draw: st.DataObject) -> None:
        if self.switch.why:
            order = self.pick(draw, "lane")
            order.told, order.where = "ended", "over"

    @when(lambda s: any(o.where in GONE and o.told == "open" for o in s.orders))
    @rule(draw=st.data())
    def learn(self, draw: st.DataObject) -> None:
        self.pick(draw, *GONE, told=("open",)).told = "ended"

    @when(lambda s: any(o.where in GONE and o.told in ("ended", "deceived") for o in s.orders))
    @rule(draw=st.data())
    def forget(self, draw: st.DataObject) -> None:
        order = self.pick(draw, *GONE, told=("ended", "deceived"))
        order.told = order.where = "none"

    @when(lambda s: s.held)
    @rule()
    def leave(self) -> None:
        self.held, self.sent = self.held - 1, self.sent + 1

    @rule()
    def lapse(self) -> None:
        self.read = ()

    @rule(ns=st.integers(0, 150))
    def pass_(self, ns: int) -> None:
        self.now_ns += ns

    @rule(often=st.integers(0, 3))
    def crash(self, often: int) -> None:
        if often == 0:
            self.held, self.read = 0, ()
            for order in self.orders:
                order.where = "over" if order.where == "lane" else order.where

    # Network and venue.

    @some("where", "wire")
    @rule(draw=st.data())
    def land(self, draw: st.DataObject) -> None:
        self.pick(draw, "wire").where = "rests"

    @some("where", "wire")
    @rule(draw=st.data())
    def refuse(self, draw: st.DataObject) -> None:
        self.pick(draw, "wire").where = "over"

    @some("where", "wire")
    @rule(draw=st.data())
    def deceive(self, draw: st.DataObject) -> None:
        order = self.pick(draw, "wire")
        order.told, order.where = "deceived", "rests"

    @some("where", "rests")
    @rule(draw=st.data())
    def end(self, draw: st.DataObject) -> None:
        self.pick(draw, "rests").where = "over"

    @when(lambda s: s.sent)
    @rule(done=st.booleans())
    def withdraw(self, done: bool) -> None:
        self.sent -= 1
        for order in self.orders:
            order.where = "cancelled" if done and order.where == "rests" else order.where

    @when(lambda s: s.read == (True,))
    @rule()
    def answer(self) -> None:
        self.read = (True, any(order.where == "rests" for order in self.orders))

    # What must always hold.

    @invariant()
    def fired_has_reason(self) -> None:
        if hasattr(self, "switch"):
            assert (self.switch.state == "armed") == (self.switch.why == "")
            assert (self.switch.source == "") == (self.switch.why == "")

    @invariant()
    def journal_first(self) -> None:
        for order in getattr(self, "orders", ()):
            assert order.told != "none" or order.where == "none"

    @invariant()
    def ends_are_proven(self) -> None:
        for order in getattr(self, "orders", ()):
            assert order.told != "ended" or order.where in GONE

    @invariant()
    def drained_is_true(self) -> None:
        if hasattr(self, "switch") and self.switch.state == "drained":
            alive = [order for order in self.orders if order.where in ALIVE]
            assert all(order.told == "deceived" for order in alive)

    def teardown(self) -> None:
        """Fired for good, with every request answered in the end: drained, and nothing rests."""
        if not hasattr(self, "switch"):
            return
        self.step(k.Fire(source="file", reason="end", actor="jo"))
        for order in self.orders:
            if order.where in ("lane", "wire"):
                order.where = "over"
        for _ in range(4):
            self.now_ns += self.every_ns
            self.ask()
            if self.held:
                self.sent, self.held = 1, 0
                self.withdraw(done=True)
            for order in self.orders:
                if order.where in GONE and order.told == "open":
                    order.told = "ended"
            self.answer()
            if self.switch.state == "drained" and (self.read[1] or self.unended):
                self.rest()
            elif self.switch.state == "fired":
                self.drain()
        assert self.switch.state == "drained"
        assert not [order for order in self.orders if order.where in ALIVE]


TestKillSwitchLife = KillSwitchLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("KillSwitch", KillSwitchLife)


@pytest.mark.parametrize("state", [s.id for s in k.KillSwitchMachine.states])
@pytest.mark.parametrize(
    "action",
    [
        k.Fire(source="file", reason="drill", actor="jo"),
        k.Ask(at_ns=59, every_ns=10),
        k.Ask(at_ns=60, every_ns=10),
        k.Drain(listed=False, unended=False),
        k.Drain(listed=True, unended=False),
        k.Drain(listed=False, unended=True),
        k.Rest(),
        k.Reset(actor="ops", reason="checked"),
        k.Reset(actor="ops", reason=""),
    ],
)
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, action: k.Action) -> None:
    switch = k.KillSwitch(state=state, asked_ns=50, source="" if state == "armed" else "file")
    edge_or_illegal(k.KillSwitchMachine, switch, action)
