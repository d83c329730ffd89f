"""``LeaseMachine`` against a store, a rival that never looks at a clock, and an exchange.

Process, rival and store share nothing but time, which goes on while any of them is paused.  Under
one epoch any number of orders is written; the specification has one.
"""

import pytest
from attrs import define, evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.machines import lease as le
from property_tests.mirror import edge_or_illegal, mirrored

EXPOSED_MAX = 2
HOLDING, ENDED = ("taking_over", "leading"), ("deposed", "released")
NEW = le.Lease(process="a", ttl_ns=100, margin_ns=20)
PICKS = st.integers(0, 99)


@define(eq=False)
class Order:
    epoch: int
    life: str = "asked"


@define
class Call:
    """A request of ours: where it is, and for an answer to the first the epoch that it grants."""

    asks: le.AskLease
    place: str = "asked"
    offer: int = 0


class LeaseLife(RuleBasedStateMachine):
    call: Call | None

    @initialize(ttl_ns=st.integers(2, 200), margin_ns=st.integers(1, 40), leads=st.booleans())
    def init(self, ttl_ns: int, margin_ns: int, leads: bool) -> None:
        self.margin_ns = min(margin_ns, ttl_ns - 1)
        self.ttl_ns = ttl_ns
        self.now_ns = 0
        self.newest, self.expires_ns, self.theirs = 0, 0, 0
        self.orders: list[Order] = []
        self.start()
        if leads:
            self.step(le.Acquire(process="a"))
            self.newest, self.expires_ns = 1, ttl_ns
            self.call = None
            self.step(le.Grant(process="a", epoch=1))
            self.step(le.TakenOver(process="a"))
            self.reading = False

    def start(self) -> None:
        """A process that is started again is another process."""
        self.lease = evolve(NEW, ttl_ns=self.ttl_ns, margin_ns=self.margin_ns)
        self.call = None
        self.freeing: le.ReleaseLease | None = None
        self.reading = False
        self.counted: list[Order] = []

    def step(self, action: le.Action) -> None:
        before = self.lease
        action = evolve(action, at_ns=self.now_ns)
        self.lease, outputs = le.LeaseMachine.step(before, action)
        if before.state != "acquiring" or self.lease.state != "taking_over":
            assert self.lease.epoch == before.epoch
        for output in outputs:
            if isinstance(output, le.AskLease):
                assert self.call is None
                self.call = Call(output)
            elif isinstance(output, le.ReleaseLease):
                self.call, self.freeing = None, output
            else:
                assert output == le.TakeOver(process="a", epoch=self.lease.epoch)
                self.reading = True
        if self.lease.state in ENDED:
            self.call, self.counted, self.reading = None, [], False

    def picked(self, pick: int, *lives: str) -> Order | None:
        found = [order for order in self.orders if order.life in lives]
        return found[pick % len(found)] if found else None

    def has(self, life: str) -> bool:
        return any(order.life == life for order in self.orders)

    @property
    def turned(self) -> bool:
        """Whether an append of ours was refused."""
        return any(o.life == "refused" and o.epoch == self.lease.epoch for o in self.orders)

    @property
    def exposed(self) -> list[Order]:
        return [order for order in self.orders if order.life in ("journaled", "live")]

    @property
    def free(self) -> bool:
        return self.now_ns >= self.expires_ns

    def at(self, place: str) -> bool:
        return self.call is not None and self.call.place == place

    # The machine.

    @when(lambda s: s.lease.state in ("standby", *ENDED))
    @rule()
    def acquire(self) -> None:
        if self.lease.state in ENDED:
            self.start()
        self.step(le.Acquire(process="a"))

    @when(lambda s: s.at("yes") and s.call.offer)
    @rule()
    def grant(self) -> None:
        assert self.call is not None
        epoch, self.call = self.call.offer, None
        self.step(le.Grant(process="a", epoch=epoch))

    @when(lambda s: s.at("no"))
    @rule()
    def refuse(self) -> None:
        self.call = None
        self.step(le.Refuse(process="a"))

    @when(lambda s: s.call is not None)
    @rule(often=st.integers(0, 5))
    def timeout(self, often: int) -> None:
        if often == 0:
            self.call = None
            self.step(le.Timeout(process="a"))

    @when(lambda s: s.reading)
    @rule()
    def taken_over(self) -> None:
        self.reading = False
        if self.lease.state == "taking_over":
            self.counted += [order for order in self.exposed if order not in self.counted]
        self.step(le.TakenOver(process="a"))

    @when(lambda s: s.lease.state in (*HOLDING, "lapsed") and s.lease.asked_ns is None)
    @rule()
    def renew(self) -> None:
        self.step(le.Renew(process="a"))

    @when(lambda s: s.at("yes") and not s.call.offer)
    @rule()
    def renewed(self) -> None:
        self.call = None
        self.step(le.Renewed(process="a"))

    @when(lambda s: s.lease.state in HOLDING and s.now_ns >= s.lease.deadline_ns)
    @rule()
    def lapse(self) -> None:
        self.step(le.Lapse(process="a"))

    @when(lambda s: s.lease.state in (*HOLDING, "lapsed") and s.turned)
    @rule()
    def fenced(self) -> None:
        self.step(le.Fenced(process="a"))

    @when(lambda s: s.lease.state in (*HOLDING, "lapsed"))
    @rule(often=st.integers(0, 9))
    def release(self, often: int) -> None:
        if often == 0:
            self.step(le.Release(process="a"))

    # The store.

    @when(lambda s: s.at("asked") and not s.call.asks.epoch and s.free)
    @rule()
    def give(self) -> None:
        assert self.call is not None
        self.newest, self.expires_ns = self.newest + 1, self.now_ns + self.ttl_ns
        self.call.place, self.call.offer = "yes", self.newest

    @when(lambda s: s.at("asked") and s.call.asks.epoch and s.call.asks.epoch == s.newest)
    @rule()
    def prolong(self) -> None:
        assert self.call is not None
        self.expires_ns, self.call.place = self.now_ns + self.ttl_ns, "yes"

    @when(lambda s: s.at("asked"))
    @rule()
    def deny(self) -> None:
        assert self.call is not None
        epoch = self.call.asks.epoch
        if epoch != self.newest if epoch else not self.free:
            self.call.place = "no"

    @when(lambda s: s.freeing is not None)
    @rule()
    def free_(self) -> None:
        assert self.freeing is not None
        if self.freeing.epoch == self.newest:
            self.expires_ns = self.now_ns
        self.freeing = None

    @when(lambda s: s.has("asked"))
    @rule(pick=PICKS)
    def append(self, pick: int) -> None:
        order = self.picked(pick, "asked")
        if order and order.epoch == self.newest:
            order.life = "journaled"

    @when(lambda s: s.has("asked"))
    @rule(pick=PICKS)
    def fence(self, pick: int) -> None:
        order = self.picked(pick, "asked")
        if order and order.epoch != self.newest:
            order.life = "refused"

    # The rival.

    @when(lambda s: s.free)
    @rule(often=st.integers(0, 3))
    def take(self, often: int) -> None:
        if often:
            return
        self.newest, self.expires_ns = self.newest + 1, self.now_ns + self.ttl_ns
        self.theirs = self.newest

    @when(lambda s: s.theirs and s.theirs == s.newest)
    @rule()
    def keep(self) -> None:
        self.expires_ns = self.now_ns + self.ttl_ns

    @when(lambda s: s.theirs and s.theirs == s.newest)
    @rule()
    def leave(self) -> None:
        self.expires_ns = self.now_ns

    @when(lambda s: s.theirs)
    @rule()
    def compete(self) -> None:
        waiting = [o for o in self.orders if o.life == "asked" and o.epoch == self.theirs]
        if len(self.exposed) + len(waiting) < EXPOSED_MAX:
            self.orders.append(Order(self.theirs))

    # The rest of our process, the exchange, and time.

    @when(lambda s: le.may_trade(s.lease, s.now_ns))
    @rule()
    def write(self) -> None:
        if len(self.counted) < EXPOSED_MAX:
            order = Order(self.lease.epoch)
            self.orders.append(order)
            self.counted.append(order)

    @when(lambda s: s.counted and s.has("over"))
    @rule(pick=PICKS)
    def learn(self, pick: int) -> None:
        over = [order for order in self.counted if order.life == "over"]
        if over:
            self.counted.remove(over[pick % len(over)])

    @when(lambda s: s.has("journaled"))
    @rule(pick=PICKS)
    def push(self, pick: int) -> None:
        order = self.picked(pick, "journaled")
        if order:
            order.life = "live"

    @when(lambda s: s.exposed)
    @rule(pick=PICKS)
    def end(self, pick: int) -> None:
        order = self.picked(pick, "journaled", "live")
        if order:
            order.life = "over"

    @rule(percent=st.integers(0, 50))
    def tick(self, percent: int) -> None:
        self.now_ns += self.ttl_ns * percent // 100

    # What must always hold.

    @invariant()
    def one_holder_per_epoch(self) -> None:
        offer = self.call.offer if self.call else 0
        held = [epoch for epoch in (self.lease.epoch, offer, self.theirs) if epoch]
        assert len(held) == len(set(held))

    @invariant()
    def deadline_is_safe(self) -> None:
        """While we may write nobody else has the lease, with the margin to spare."""
        if le.may_write(self.lease, self.now_ns):
            assert self.lease.epoch == self.newest
            assert self.expires_ns >= self.lease.deadline_ns + self.margin_ns

    @invariant()
    def answer_is_safe(self) -> None:
        if self.at("yes") and self.now_ns < self.lease.offered_until_ns:
            assert self.call is not None
            assert self.newest in (self.lease.epoch, self.call.offer)
            assert self.expires_ns >= self.lease.offered_until_ns + self.margin_ns

    @invariant()
    def holders_have_an_epoch(self) -> None:
        assert (self.lease.epoch > 0) == (self.lease.state in (*HOLDING, "lapsed", *ENDED))

    @invariant()
    def lapsed_is_past(self) -> None:
        if self.lease.state == "lapsed":
            assert self.now_ns >= self.lease.deadline_ns

    @invariant()
    def one_request(self) -> None:
        assert (self.lease.asked_ns is not None) == (self.call is not None)
        if self.freeing:
            assert self.lease.state == "released"

    @invariant()
    def deposed_is_true(self) -> None:
        if self.lease.state == "deposed" or (self.at("no") and self.lease.epoch):
            assert self.lease.epoch < self.newest

    @invariant()
    def refused_is_true(self) -> None:
        assert all(o.epoch < self.newest for o in self.orders if o.life == "refused")

    @invariant()
    def written_has_holder(self) -> None:
        assert all(0 < order.epoch <= self.newest for order in self.orders)

    @invariant()
    def leader_knows(self) -> None:
        if self.lease.state == "leading" and self.lease.epoch == self.newest:
            assert all(order in self.counted for order in self.exposed)

    @invariant()
    def counted_is_written(self) -> None:
        assert all(order in self.orders for order in self.counted)

    @invariant()
    def exposure_bound(self) -> None:
        assert len(self.exposed) <= EXPOSED_MAX

    @invariant()
    def nothing_uncalled_for(self) -> None:
        if self.lease.asked_ns is None:
            for answer in (le.Timeout(process="a"), le.Renewed(process="a")):
                assert not le.LeaseMachine.allows(self.lease, answer)


TestLeaseLife = LeaseLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Lease", LeaseLife)


@pytest.mark.parametrize("asking", [False, True])
@pytest.mark.parametrize("state", [s.id for s in le.LeaseMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str, asking: bool) -> None:
    asked_ns = 50 if asking or state == "acquiring" else None
    lease = evolve(NEW, state=state, asked_ns=asked_ns, epoch=3, deadline_ns=90)
    for action in (
        le.Acquire(process="a"),
        le.Grant(process="a", epoch=3, at_ns=60),
        le.Grant(process="a", epoch=4, at_ns=60),
        le.Grant(process="a", epoch=4, at_ns=100),
        le.Refuse(process="a"),
        le.Timeout(process="a"),
        le.TakenOver(process="a"),
        le.Renew(process="a"),
        le.Renewed(process="a", at_ns=60),
        le.Renewed(process="a", at_ns=130),
        le.Lapse(process="a", at_ns=89),
        le.Lapse(process="a", at_ns=90),
        le.Fenced(process="a"),
        le.Release(process="a"),
    ):
        edge_or_illegal(le.LeaseMachine, lease, action)
