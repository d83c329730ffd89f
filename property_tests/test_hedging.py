"""Legged hedges through the whole kernel, against an exchange that is late and loses things.

The game is the kernel's own, played by one strategy that hedges: Hypothesis proposes pairs, moves
the book, fills, voids, cancels and loses.  The exchange keeps account of what really happened to
each hedge, and that is what its machine is held against.  Proves: H7, P2.1, kill.
"""

from collections import Counter
from collections.abc import Iterator

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from hypothesis.stateful import precondition as when

from polybawt.core import facts, pricing
from polybawt.core.codec import decode, decode_state, encode
from polybawt.core.kernel import step
from polybawt.core.machine import Fact
from polybawt.core.machines.hedge import LANES, Hedge, Leg
from polybawt.core.market import LOT, Side
from polybawt.core.plans import Part
from polybawt.core.state import State
from polybawt.core.strategies import NewHedge
from polybawt.core.units import MS_NS, SECOND_NS, Price, Shares, Usdc
from property_tests.test_kernel import KernelLife, Resting
from tests.core.script import MARKET, NO, YES

NAME = "hedge"


class HedgeLife(KernelLife):
    """``hedges``: each as it was last seen; ``parts``: to which of them an order belongs."""

    @initialize()
    def init(self) -> None:
        self.hedges: dict[str, Hedge] = {}
        self.parts: dict[str, Part] = {}
        self.firsts: dict[str, str] = {}
        self.budgets: dict[str, int] = {}
        super().init()
        self.script.market = evolve(MARKET, end_ns=MARKET.end_ns + 3_600 * SECOND_NS)
        self.tell(facts.MarketListed(market=self.script.market))

    def tell(self, *told: Fact) -> None:
        for fact in told:
            super().tell(fact)
            self.look()

    def look(self) -> None:
        """Remember what leaves the state, and judge each order when it is made."""
        state = self.script.state
        self.hedges |= state.hedges
        for hedge_id, plan in state.plans.items():
            self.firsts.setdefault(hedge_id, plan.terms.first_token)
            self.budgets.setdefault(hedge_id, plan.terms.loss_max)
        for intent_id in set(state.parts) - set(self.parts):
            self.parts[intent_id] = part = state.parts[intent_id]
            live, made = state.hedges[part.hedge_id], state.orders[intent_id]
            assert made.size <= live.slice_max
            if part.side is Side.BUY and live.state == "hedging":
                cost = state.plans[part.hedge_id].cost(part.leg.other)
                paid = pricing.all_in(MARKET, made.price, made.size, taker=not made.post_only)
                assert 0 < cost <= live.pair_cost_max - paid

    # We.

    def want(self, token: str, side: Side, cents: int, size: int, post_only: bool) -> None:
        """Nobody but the hedge trades here."""

    def rest(self, token: str, cents: int, size: int) -> None:
        """Nor here."""

    @rule(
        first=st.sampled_from((YES, NO)),
        bid=st.integers(20, 49),
        spread=st.integers(1, 20),
        below=st.integers(0, 10),
        post_only=st.booleans(),
        size=st.sampled_from((500, 800, 1_100)),
        slices=st.integers(1, 3),
        pair=st.integers(95, 108),
        loss=st.sampled_from((0, 100_000, 3_000_000)),
        timeout_s=st.sampled_from((3, 12)),
        go=st.booleans(),
        parts=st.lists(st.sampled_from((3, 5, 8, 10, 10, 10)), max_size=4),
    )
    def pair(
        self,
        first: str,
        bid: int,
        spread: int,
        below: int,
        post_only: bool,
        size: int,
        slices: int,
        pair: int,
        loss: int,
        timeout_s: int,
        go: bool,
        parts: list[int],
    ) -> None:
        """A strategy sees a pair in a book that it has just seen."""
        if go:
            self.come_round()
        self.look_up(bid, bid + spread)
        best = bid if first == YES else 100 - bid - spread
        limit = best - below if post_only else best + spread
        self.tell(
            NewHedge(
                strategy=NAME, condition_id="0xc1", first_token=first,
                limit=Price(max(1, limit) * 10_000), post_only=post_only,
                quantity=Shares(slices * size * LOT), slice_max=Shares(size * LOT),
                pair_cost_max=Price(pair * 10_000), loss_max=Usdc(loss), lifetime_s=20,
                leg_timeout_s=timeout_s, slippage_ticks=1,
            )
        )  # fmt: skip
        if go:
            self.go()
            for part in parts:
                self.fill(part, taker=False, times=1)

    def come_round(self) -> None:
        """Whatever was broken is whole again."""
        state = self.script.state
        if state.killed():
            self.tell(facts.ResetRequested(breaker="kill", actor="me", reason="test"))
        if state.feeds["user"].state != "fresh" or state.feeds["market"].state != "fresh":
            self.tell(*self.script.links())
        if state.phase != "trading" or state.rereads:
            self.agree()

    def look_up(self, bid: int, ask: int) -> None:
        """Book and oracle are fresh, or nothing would be entered."""
        self.show_book(bid, ask)
        now_ms = self.script.now_ns // MS_NS
        report = facts.OracleReported(symbol="btc/usd", value_e18=10**18, report_ms=now_ms)
        self.tell(report)

    @rule(bid=st.integers(2, 49), ask=st.integers(50, 98))
    def quote(self, bid: int, ask: int) -> None:
        self.look_up(bid, ask)
        self.pass_time(0.25)
        self.go()

    @when(lambda self: self.asked or self.wire)
    @rule()
    def go(self) -> None:
        """All that waits is signed, and arrives."""
        while self.asked:
            self.sign()
        while self.wire:
            self.arrive("live")

    @when(lambda self: self.open_books())
    @rule(share=st.sampled_from((3, 5, 10, 10)), taker=st.booleans(), times=st.integers(1, 3))
    def fill(self, share: int, taker: bool, times: int) -> None:
        """The newest is matched, we hear of it, and what we want then is soon on the book."""
        for _ in range(times):
            if self.open_books():
                self.match(len(self.open_books()) - 1, share, taker=taker, heard=True)
                self.go()

    @rule(seconds=st.integers(1, 6), bid=st.integers(20, 49), spread=st.integers(1, 20))
    def live_on(self, seconds: int, bid: int, spread: int) -> None:
        """Time passes with a book that stays fresh, and cancels are answered."""
        for _ in range(seconds):
            self.look_up(bid, bid + spread)
            self.pass_time(1.0)
            self.go()
            self.answer_cancel(0, "done")
            for record in tuple(self.script.state.orders.values()):
                if record.state == "closing":
                    self.tell(self.record_of(record))

    @rule(reset=st.sampled_from((True, True, True, False)))
    def kill(self, reset: bool) -> None:
        self.tell(facts.KillRequested(actor="me", reason="test", source="file"))
        if reset:
            self.tell(facts.ResetRequested(breaker="kill", actor="me", reason="test"))

    # What must always hold.

    def bought(self, hedge_id: str, leg: Leg) -> int:
        """What the exchange has of a leg in the end, matched and not failed."""
        return sum(
            trade.shares if ours.side is Side.BUY else -trade.shares
            for trade, ours in self.matches(hedge_id)
            if trade.status != "FAILED" and self.parts[ours.intent_id].leg is leg
        )

    def matches(self, hedge_id: str) -> Iterator[tuple[facts.TradeReported, Resting]]:
        for trade in self.trades.values():
            taker = trade.taker_order_id != "0xother"
            ours = self.books[trade.taker_order_id if taker else trade.makers[0].order_id]
            if self.parts[ours.intent_id].hedge_id == hedge_id:
                yield trade, ours

    @invariant()
    def no_more_than_a_slice_is_naked(self) -> None:
        """Of what the exchange really did; only what failed on chain can lay bare more."""
        for hedge_id, known in getattr(self, "hedges", {}).items():
            naked = self.bought(hedge_id, Leg.FIRST) - self.bought(hedge_id, Leg.SECOND)
            failed = sum(t.shares for t, _ in self.matches(hedge_id) if t.status == "FAILED")
            assert abs(naked) <= known.slice_max + failed

    @invariant()
    def what_may_still_be_matched_is_open(self) -> None:
        """By leg and side: no order on the book that a live hedge does not count."""
        if not hasattr(self, "hedges"):
            return
        rests = Counter[tuple[str, Leg, Side]]()
        for ours in self.open_books():
            part = self.parts[ours.intent_id]
            rests[part.hedge_id, part.leg, part.side] += ours.rest
        for (hedge_id, leg, side), rest in rests.items():
            assert self.script.state.hedges[hedge_id].tally(leg, side).open >= rest

    @invariant()
    def the_tallies_are_the_ledgers_shares(self) -> None:
        if not hasattr(self, "hedges"):
            return
        held = {YES: 0, NO: 0}
        for hedge_id, known in self.hedges.items():
            first = self.firsts[hedge_id]
            held[first] += known.held(Leg.FIRST)
            held[MARKET.other(first)] += known.held(Leg.SECOND)
            assert 0 <= known.loss_left <= self.budgets[hedge_id]
            assert all(known.tally(*lane).open >= 0 for lane in LANES)
        for token, count in held.items():
            assert self.script.state.ledger.shares(NAME, token) == count

    @invariant()
    def a_live_hedge_has_a_plan_and_one_market_one_hedge(self) -> None:
        state = self.script.state if hasattr(self, "script") else State()
        assert set(state.plans) == set(state.hedges)
        assert len(state.hedges) <= 1
        assert set(state.parts) <= set(state.orders)

    # The end.

    def come_to_rest(self) -> None:
        super().come_to_rest()
        for _ in range(3):
            self.pass_time(25)
        ended = self.script.state.counters
        assert not self.script.state.hedges
        assert ended.get("hedge:done", 0) + ended.get("hedge:failed", 0) == len(self.hedges)
        assert ended.get("hedge:failed", 0) == ended.get("notice:hedge_stranded", 0)
        naked = sum(
            self.bought(hedge_id, Leg.FIRST) != self.bought(hedge_id, Leg.SECOND)
            for hedge_id in self.hedges
        )
        assert ended.get("hedge:failed", 0) == naked

    def replay(self) -> None:
        told, state = self.script.heard, self.script.state
        assert replayed(told, State()) == state
        if self.middle:
            count, body = self.middle
            assert replayed(told[count:], decode_state(body)) == state


def replayed(told: list[Fact], state: State) -> State:
    for fact in told:  # what a strategy says is derived in earnest
        step(state, fact if isinstance(fact, NewHedge) else decode(*encode(fact)))
    return state


TestHedgeLife = HedgeLife.TestCase
