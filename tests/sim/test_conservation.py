"""Whatever traders do and however their trades end, no value is made or lost.

A stateful test over the whole venue: random orders of every type, cancels, time, trades that
fail or are retried, and a resolution.  Its invariants are what the venue promises.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from polybawt.core.market import Side
from polybawt.core.units import MS_NS, SECOND_NS, Price, Shares, Usdc, complement
from polybawt.sim.accounts import moves_of
from polybawt.sim.chain import Fate
from polybawt.sim.venue import (
    Accepted,
    LevelsMoved,
    Placement,
    Resolved,
    TradeChanged,
    Venue,
    VenueTrade,
)
from tests.sim.conftest import MARKET, NOW

OWNERS = ("A", "B", "C")
FATES: tuple[Fate, ...] = (
    (("MINED", SECOND_NS), ("CONFIRMED", 3 * SECOND_NS)),
    (("RETRYING", SECOND_NS), ("MINED", 2 * SECOND_NS), ("CONFIRMED", 4 * SECOND_NS)),
    (("RETRYING", SECOND_NS), ("FAILED", 2 * SECOND_NS)),
    (("MINED", SECOND_NS), ("RETRYING", 2 * SECOND_NS), ("FAILED", 3 * SECOND_NS)),
    (("CONFIRMED", SECOND_NS),),
)


def by_its_id(trade: VenueTrade) -> Fate:
    return FATES[int(trade.trade_id[:8], 16) % len(FATES)]


class ValueIsConserved(RuleBasedStateMachine):
    """Three traders, one market, and every fate a trade can have."""

    @initialize(delay_ms=st.sampled_from([0, 0, 400]))
    def open(self, delay_ms: int) -> None:
        self.venue = Venue(
            mine_ns=0, confirm_ns=0, fates=by_its_id, taker_delay_ns=delay_ms * MS_NS
        )
        self.venue.list_market(MARKET, NOW)
        for owner in OWNERS:
            self.venue.deposit(owner, Usdc(60_000_000))
            for token_id in MARKET.tokens:
                self.venue.grant(owner, token_id, Shares(30_000_000))
        self.now_ns, self.count, self.resolved = NOW, 0, False
        self.public: dict[tuple[str, Side, int], int] = {}
        self.unsettled: dict[str, VenueTrade] = {}

    @rule(
        owner=st.sampled_from(OWNERS),
        token_id=st.sampled_from(MARKET.tokens),
        side=st.sampled_from(Side),
        cents=st.integers(30, 70),
        lots=st.integers(500, 3_000),
        order_type=st.sampled_from(["GTC", "GTC", "GTC", "GTD", "FOK", "FAK"]),
        post_only=st.booleans(),
        by_budget=st.booleans(),
    )
    def place(
        self, owner: str, token_id: str, side: Side, cents: int, lots: int, order_type: str,
        post_only: bool, by_budget: bool,
    ) -> None:  # fmt: skip
        self.count += 1
        immediate = order_type in ("FOK", "FAK")
        budget = Usdc(lots // 100 * 1_000_000) if immediate and by_budget else None
        answer = self.venue.place(
            Placement(
                owner=owner, order_id=str(self.count), token_id=token_id, side=side,
                price=Price(cents * 10_000), size=Shares(lots * 10_000), order_type=order_type,
                post_only=post_only and not immediate,
                expiration_s=self.now_ns // SECOND_NS + 65 if order_type == "GTD" else 0,
                budget=budget if side is Side.BUY else None,
            ),
            self.now_ns,
        )  # fmt: skip
        if isinstance(answer, Accepted) and order_type == "FOK" and budget is None:
            assert answer.order.status == "DELAYED" or answer.order.matched == lots * 10_000

    @rule(owner=st.sampled_from(OWNERS), number=st.integers(1, 40))
    def cancel(self, owner: str, number: int) -> None:
        self.venue.cancel(owner, str(number), self.now_ns)

    @rule(owner=st.sampled_from(OWNERS))
    def cancel_all(self, owner: str) -> None:
        self.venue.cancel_all(owner, self.now_ns)

    @rule(ms=st.integers(1, 2_500))
    def wait(self, ms: int) -> None:
        self.now_ns += ms * MS_NS
        self.venue.advance(self.now_ns)

    @rule(yes=st.sampled_from([0, 500_000, 1_000_000]))
    def resolve(self, yes: int) -> None:
        if self.count > 12 and not self.resolved:
            self.resolved = True
            payouts = Usdc(yes), Usdc(1_000_000 - yes)
            self.venue.resolve(MARKET.condition_id, *payouts, self.now_ns)

    @invariant()
    def value_is_conserved(self) -> None:
        accounts = self.venue.accounts
        assert accounts.worth() == accounts.brought_in
        backing = accounts.backing(MARKET.condition_id)
        assert [accounts.outstanding(token) for token in MARKET.tokens] == [backing, backing]

    @invariant()
    def holds_are_what_open_orders_would_cost(self) -> None:
        for owner in OWNERS:
            resting = [o for o in self.venue.open_orders(owner) if o.status == "LIVE"]
            held = sum(
                order.placement.price * order.open_size // 1_000_000
                for order in resting
                if order.placement.side is Side.BUY
            )
            spendable = self.venue.total(owner) - self.venue.spendable(owner)
            delayed = any(o.status == "DELAYED" for o in self.venue.open_orders(owner))
            assert spendable >= held if delayed else spendable == held

    @invariant()
    def the_book_is_a_mirror_and_never_crossed(self) -> None:
        bids, asks = self.venue.levels(MARKET.yes_token)
        no_bids, no_asks = self.venue.levels(MARKET.no_token)
        assert no_asks == tuple((complement(price), size) for price, size in bids)
        assert no_bids == tuple((complement(price), size) for price, size in asks)
        assert not bids or not asks or bids[-1][0] < asks[-1][0]
        assert all(size > 0 for _, size in (*bids, *asks))

    @invariant()
    def what_is_told_is_what_is(self) -> None:
        """A listener that folds the events has the venue's books and settled balances."""
        for event in self.venue.drain():
            if isinstance(event, LevelsMoved):
                for token_id, side, price, size in event.changes:
                    self.public[token_id, side, price] = size
            elif isinstance(event, TradeChanged):
                self.fold(event.trade)
            elif isinstance(event, Resolved):
                assert not self.unsettled
        for token_id in MARKET.tokens:
            for side, levels in zip(Side, self.venue.levels(token_id), strict=True):
                told = {
                    (price, size)
                    for (token, told_side, price), size in self.public.items()
                    if (token, told_side) == (token_id, side) and size
                }
                assert told == set(levels)
        for owner in OWNERS:
            for asset in ("", *MARKET.tokens):
                coming = sum(
                    amount
                    for trade in self.unsettled.values()
                    for who, token_id, amount in moves_of(trade)
                    if (who, token_id) == (owner, asset)
                )
                assert self.venue.total(owner, asset) == self.venue.balance(owner, asset) + coming

    def fold(self, trade: VenueTrade) -> None:
        if trade.status == "MATCHED":
            assert trade.trade_id not in self.unsettled
            self.unsettled[trade.trade_id] = trade
        elif trade.status != "RETRYING":
            self.unsettled.pop(trade.trade_id, None)

    def teardown(self) -> None:
        """In the end every trade is final, and both views of every account agree."""
        if not hasattr(self, "venue"):
            return
        self.venue.advance(self.now_ns + 10 * SECOND_NS)
        for owner in OWNERS:
            assert self.venue.holdings(owner) == self.venue.accounts.settleds(owner)
        self.value_is_conserved()


TestValueIsConserved = ValueIsConserved.TestCase
TestValueIsConserved.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None, derandomize=True
)
