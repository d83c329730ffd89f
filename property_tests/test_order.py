"""``OrderMachine`` against an unreliable venue, and against its own specification.

The network loses and repeats requests; the venue answers late and twice, refuses what landed,
counts behind its own matches, and repeats every trade; the kernel's one duty here is to drop a
trade it knows.
"""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core.commands import CancelOrder, PostOrder, ReadOrder, ReadTrades
from polybawt.core.machine import IllegalAction
from polybawt.core.machines import order as o
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from property_tests.mirror import edge_or_illegal, mirrored

ID = "i1"
END_NS, MARGIN_NS = 1_000, 100

ORDER = o.Order(
    intent_id=ID,
    strategy="value",
    condition_id="0xc",
    token_id="1",
    side=Side.BUY,
    price=Price(450_000),
    size=Shares(10_000_000),
    post_only=False,
    created_ns=0,
    ends_ns=END_NS + MARGIN_NS,
    expiration_s=1,
)
DONE = {"filled", "cancelled", "rejected", "expired"}
OPEN = {"delayed", "resting"}
OUTCOME = {
    "invalid": "rejected", "filled": "cancelled", "cancelled": "cancelled", "expired": "expired"
}  # fmt: skip
OVER = OUTCOME.keys()
ENDING = (o.Abort, o.Reject, o.Fill, o.ReadClosed, o.ReadMissing)


class OrderLife(RuleBasedStateMachine):
    @initialize(lots=st.integers(2, 5) | st.integers(1, 10_000), begun=st.integers(0, 5))
    def init(self, lots: int, begun: int) -> None:
        """Most games begin late, where an order rests, is matched, or has been withdrawn."""
        self.order = evolve(ORDER, size=Shares(lots * 10_000))
        self.copies, self.asked, self.landed = 0, False, 0
        self.book = "none"
        self.trades: list[tuple[str, int]] = []
        self.said: set[str] = set()
        self.now_ns, self.misled = 1, False
        self.posts: list[PostOrder] = []
        if begun > 0:
            self.sign()
            self.submit()
        if begun > 1:
            self.arrive(held=False)
        if begun > 2:
            self.ack_live()
        if begun > 3 and lots > 1:
            self.matched(lots // 2)
        if begun > 4:
            self.cancel()
            self.withdraw("withdrawn")

    def step(self, action: o.Action) -> None:
        before = self.order
        self.order, outputs = o.OrderMachine.step(before, evolve(action, at_ns=self.now_ns))
        for command in outputs:
            assert isinstance(command, PostOrder | CancelOrder | ReadOrder | ReadTrades)
            self.posts += [command] if isinstance(command, PostOrder) else []
        booked = action.shares if isinstance(action, o.Fill) else 0
        assert self.order.filled == before.filled + booked
        self.asked |= CancelOrder(intent_id=ID, order_id="0xd") in outputs
        if before.state not in DONE and self.order.state in DONE:
            self.ends(before, evolve(action, at_ns=self.now_ns))

    def ends(self, before: o.Order, by: o.Action) -> None:
        """Neither silence, nor an early absence, nor the answer to a cancel is an end."""
        assert isinstance(by, ENDING), by
        if isinstance(by, o.ReadClosed):
            assert by.matched == before.filled
        if isinstance(by, o.ReadMissing):
            assert self.now_ns > before.ends_ns
        if isinstance(by, o.Reject):
            assert before.state not in ("live", "delayed", "partially_filled", "closing")

    @property
    def sent(self) -> bool:
        return bool(self.posts)

    @property
    def executed(self) -> int:
        return sum(shares for _, shares in self.trades)

    @property
    def can_arrive(self) -> bool:
        return self.copies > 0 and self.book == "none" and self.now_ns <= END_NS

    @property
    def at_rest(self) -> bool:
        return self.order.filled == self.executed and self.book not in OPEN and not self.can_arrive

    @property
    def heard(self) -> bool:
        """Whether the order is one that the venue can say something of."""
        return self.order.state not in ("intent", "signed", "closed")

    # The machine: we hear what was ever said, and what a read can answer.

    @when(lambda s: s.order.state == "intent")
    @rule()
    def sign(self) -> None:
        self.step(o.Sign(intent_id=ID, order_id="0xd", payload="{}"))

    @when(lambda s: s.order.state == "signed")
    @rule(often=st.integers(0, 9))
    def abort(self, often: int) -> None:
        if often == 0:
            self.step(o.Abort(intent_id=ID))

    @when(lambda s: s.order.state == "signed")
    @rule()
    def submit(self) -> None:
        self.step(o.Submit(intent_id=ID))
        self.copies += 1

    @when(lambda s: s.heard and s.sent)
    @rule()
    def timeout(self) -> None:
        self.step(o.Timeout(intent_id=ID))

    @when(lambda s: s.heard and "live" in s.said)
    @rule()
    def ack_live(self) -> None:
        self.step(o.AckLive(intent_id=ID))

    @when(lambda s: s.heard and "delayed" in s.said)
    @rule()
    def ack_delayed(self) -> None:
        self.step(o.AckDelayed(intent_id=ID))

    @when(lambda s: s.heard and "refused" in s.said)
    @rule()
    def reject(self) -> None:
        self.misled |= self.book not in ("none", "invalid") or self.executed > 0 or self.can_arrive
        self.step(o.Reject(intent_id=ID, reason="refused"))

    @when(lambda s: s.heard and "duplicate" in s.said)
    @rule()
    def duplicate(self) -> None:
        self.step(o.Duplicate(intent_id=ID))

    @when(lambda s: s.heard and s.trades)
    @rule(choice=st.randoms(use_true_random=False))
    def fill(self, choice: object) -> None:
        trade_id, shares = choice.choice(self.trades)  # type: ignore[attr-defined]
        if trade_id not in self.order.trade_ids:  # as the kernel does
            self.step(o.Fill(intent_id=ID, trade_id=trade_id, shares=Shares(shares)))

    @when(lambda s: o.OrderMachine.allows(s.order, o.Cancel(intent_id=ID)))
    @rule()
    def cancel(self) -> None:
        self.step(o.Cancel(intent_id=ID))

    @when(lambda s: s.heard and "withdrawn" in s.said)
    @rule()
    def cancel_done(self) -> None:
        self.step(o.CancelDone(intent_id=ID))

    @when(lambda s: s.heard and "kept" in s.said)
    @rule()
    def cancel_refused(self) -> None:
        self.step(o.CancelRefused(intent_id=ID))

    @when(lambda s: s.heard and s.asked)
    @rule()
    def cancel_timeout(self) -> None:
        self.step(o.CancelTimeout(intent_id=ID))

    @when(lambda s: s.heard and s.book in OVER)
    @rule()
    def ended(self) -> None:
        self.step(o.Ended(intent_id=ID))

    @when(lambda s: s.heard and s.said & {"live", "delayed"})
    @rule(choice=st.data())
    def read_open(self, choice: st.DataObject) -> None:
        """As it was at some time: a read may be stale, its count older than its status."""
        held = choice.draw(st.sampled_from(sorted(self.said & {"live", "delayed"}))) == "delayed"
        self.step(o.ReadOpen(intent_id=ID, matched=Shares(self.counted(choice)), delayed=held))

    @when(lambda s: s.heard and s.book in OVER)
    @rule(choice=st.data())
    def read_closed(self, choice: st.DataObject) -> None:
        """It ended; its record may count fewer matches than there were, or misname a full one."""
        total = self.counted(choice)
        self.misled |= total != self.executed
        outcome = OUTCOME[self.book]
        if self.book == "filled":
            outcome = choice.draw(st.sampled_from(["cancelled", "expired", "rejected"]))
        self.step(o.ReadClosed(intent_id=ID, matched=Shares(total), outcome=outcome))

    def counted(self, choice: st.DataObject) -> int:
        count = choice.draw(st.integers(0, len(self.trades)))
        return sum(shares for _, shares in self.trades[: len(self.trades) - count])

    @when(lambda s: s.heard and s.sent)
    @rule()
    def read_missing(self) -> None:
        self.misled |= self.now_ns > self.order.ends_ns and self.book != "none"
        self.step(o.ReadMissing(intent_id=ID))

    @when(lambda s: s.order.state in DONE and s.at_rest)
    @rule()
    def close(self) -> None:
        self.step(o.Close(intent_id=ID))

    # The world.

    @when(lambda s: s.can_arrive)
    @rule(held=st.booleans())
    def arrive(self, held: bool) -> None:
        self.copies, self.landed = 0, self.landed + 1
        self.book = "delayed" if held else "resting"
        self.said.add("delayed" if held else "live")

    @when(lambda s: s.copies > 0)
    @rule()
    def lose(self) -> None:
        self.copies -= 1

    @when(lambda s: s.order.state == "submitted" and s.book == "none")
    @rule()
    def send_again(self) -> None:
        self.copies += 1

    @when(lambda s: s.book != "none" and s.now_ns <= END_NS)
    @rule()
    def recognise(self) -> None:
        self.said.add("duplicate")

    @when(lambda s: s.book != "none")
    @rule(often=st.integers(0, 3))
    def misreport(self, often: int) -> None:
        if often == 0:
            self.said.add("refused")

    @when(lambda s: s.copies > 0)
    @rule()
    def refuse(self) -> None:
        self.copies -= 1
        self.said.add("refused")

    @when(lambda s: s.book == "delayed")
    @rule()
    def release(self) -> None:
        self.book = "resting"
        self.said.add("live")

    @when(lambda s: s.book == "resting")
    @rule(choice=st.data())
    def match(self, choice: st.DataObject) -> None:
        rest = (self.order.size - self.executed) // 10_000
        self.matched(choice.draw(st.integers(1, rest)))

    def matched(self, lots: int) -> None:
        self.trades.append((f"t{len(self.trades)}", lots * 10_000))
        if self.executed == self.order.size:
            self.book = "filled"

    @when(lambda s: s.asked)
    @rule(answer=st.sampled_from(["kept", "withdrawn"]))
    def withdraw(self, answer: str) -> None:
        if self.book == "resting":
            self.book = "cancelled"
            self.said.add("withdrawn")
        else:
            self.said.add(answer if self.book == "filled" else "kept")

    @when(lambda s: s.sent)
    @rule()
    def withdraw_all(self) -> None:
        self.asked = True

    @when(lambda s: s.book in OPEN)
    @rule(outcome=st.sampled_from(["cancelled", "expired", "invalid"]), often=st.integers(0, 3))
    def remove(self, outcome: str, often: int) -> None:
        if often == 0:
            self.book = outcome

    @rule(ns=st.integers(0, 200))
    def pass_(self, ns: int) -> None:
        self.now_ns += ns
        if self.now_ns > END_NS and self.book in OPEN:
            self.book = "expired"

    # What must always hold.

    @invariant()
    def no_overfill(self) -> None:
        assert 0 <= self.order.filled <= self.executed <= self.order.size

    @invariant()
    def booked_once(self) -> None:
        """Whatever is said of a trade again.  Proves: B-exec."""
        known = self.order.trade_ids
        assert len(set(known)) == len(known)
        for trade_id in known[-1:]:
            again = o.Fill(intent_id=ID, trade_id=trade_id, shares=Shares(1))
            with pytest.raises((AssertionError, IllegalAction)):
                o.OrderMachine.step(self.order, again)

    @invariant()
    def at_most_one_order(self) -> None:
        """Proves: H5."""
        assert self.landed == (self.book != "none")
        assert len(self.posts) <= 1  # one submission, of one payload

    @invariant()
    def no_ghost(self) -> None:
        if self.order.state == "closed":
            assert self.book not in OPEN
            assert not self.can_arrive

    @invariant()
    def no_lost_fill(self) -> None:
        if self.order.state == "closed":
            assert self.order.filled == self.executed
        assert self.order.filled == sum(
            shares for trade_id, shares in self.trades if trade_id in self.order.trade_ids
        )

    @invariant()
    def closed_is_deaf(self) -> None:
        if self.order.state == "closed":
            assert not any(o.OrderMachine.allows(self.order, action) for _, action in VARIANTS)

    @invariant()
    def filled_means_full(self) -> None:
        if self.order.state != "closed":
            assert (self.order.state == "filled") == (self.order.filled == self.order.size)

    @invariant()
    def untouched_while_unfilled(self) -> None:
        if self.order.state in ("live", "delayed", "submitted"):
            assert self.order.filled == 0

    @invariant()
    def nothing_before_submit(self) -> None:
        if not self.sent:
            assert self.order.state in ("intent", "signed", "rejected", "closed")
            assert (self.copies, self.book, self.said, self.asked) == (0, "none", set(), False)

    @invariant()
    def believed_is_said(self) -> None:
        if self.order.state in ("live", "delayed"):
            assert self.order.state in self.said
        if self.order.state == "pending_cancel":
            assert self.asked

    @invariant()
    def reserve_exact(self) -> None:
        """Proves: B-exec."""
        over = self.order.state in DONE | {"closed"}
        assert self.order.open_size == (0 if over else self.order.size - self.order.filled)

    @invariant()
    def reserve_covers(self) -> None:
        """Of a venue that misled nobody: we hold back what we may still have to pay for."""
        open_ = self.book in OPEN or self.can_arrive
        may_match = self.order.size - self.executed if open_ else 0
        if not self.misled:
            assert self.order.open_size >= self.executed - self.order.filled + may_match

    @invariant()
    def rejected_is_proven(self) -> None:
        if self.order.state == "rejected" and not self.misled:
            assert not self.sent or "refused" in self.said or self.book == "invalid"

    @invariant()
    def first_things_first(self) -> None:
        """The world we play is the world of the specification."""
        if self.book == "none":
            assert self.said <= {"refused", "kept"}
        else:
            assert self.copies == 0
        assert self.executed == 0 or "live" in self.said
        assert (self.executed == self.order.size) == (self.book == "filled")
        assert self.book not in OPEN or self.now_ns <= END_NS
        assert self.asked or not self.said & {"kept", "withdrawn"}
        assert "withdrawn" not in self.said or self.book in ("cancelled", "filled")


TestOrderLife = OrderLife.TestCase


def test_rules_and_invariants_are_those_of_the_specification() -> None:
    mirrored("Order", OrderLife)


VARIANTS = [
    (evolve(ORDER, filled=Shares(filled), trade_ids=("t0",) if filled else ()), action)
    for filled in (0, 4_000_000)
    for action in (
        o.Sign(intent_id=ID, order_id="0xd", payload="{}"),
        o.Abort(intent_id=ID), o.Submit(intent_id=ID), o.Timeout(intent_id=ID),
        o.AckLive(intent_id=ID), o.AckDelayed(intent_id=ID), o.Reject(intent_id=ID, reason="x"),
        o.Duplicate(intent_id=ID), o.Cancel(intent_id=ID), o.CancelDone(intent_id=ID),
        o.CancelRefused(intent_id=ID), o.CancelTimeout(intent_id=ID), o.Ended(intent_id=ID),
        o.Close(intent_id=ID),
        *(o.Fill(intent_id=ID, trade_id="t1", shares=Shares(n)) for n in (1, 10_000_000 - filled)),
        *(
            o.ReadOpen(intent_id=ID, matched=Shares(n), delayed=held)
            for n in (-1, 0, 4_000_000, 10_000_001) for held in (False, True)
        ),
        *(
            o.ReadClosed(intent_id=ID, matched=Shares(n), outcome=outcome)
            for n in (-1, 0, 4_000_000, 10_000_000, 10_000_001)
            for outcome in ("", "cancelled", "expired", "rejected")
        ),
        *(o.ReadMissing(intent_id=ID, at_ns=ns) for ns in (0, END_NS + MARGIN_NS + 1)),
    )
]  # fmt: skip


@pytest.mark.parametrize("state", [s.id for s in o.OrderMachine.states])
def test_every_action_in_every_state_is_an_edge_or_illegal(state: str) -> None:
    for order, action in VARIANTS:
        edge_or_illegal(o.OrderMachine, evolve(order, state=state), action)
