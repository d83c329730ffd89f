"""Sets made, unmade, redeemed and converted: all or nothing, and nothing lost."""

from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from polybawt.core.market import Market, Side
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.sim import contracts
from polybawt.sim.contracts import ADAPTER
from polybawt.sim.oracle import NO, SPLIT, YES
from polybawt.sim.records import Refused, TransactionChanged
from polybawt.sim.transactions import ChainTransaction, Course, SetRequest, reverts
from polybawt.sim.venue import Placement, Venue
from tests.sim.conftest import MARKET, NOW, RICH, Floor

ID = MARKET.condition_id
START = 100_000_000
TEN = Shares(10_000_000)


def event(count: int = 3) -> list[Market]:
    return [
        evolve(
            MARKET, condition_id=f"0x{n + 1:064x}", slug=f"question-{n}", yes_token=f"{n}1",
            no_token=f"{n}0", neg_risk=True, neg_risk_id="0xe",
        )
        for n in range(count)
    ]  # fmt: skip


def send(
    floor: Floor, kind: str, amount: int = TEN, *ids: str, nonce: str = ""
) -> ChainTransaction | Refused:
    request = SetRequest(
        owner="A", kind=kind, condition_ids=ids or (ID,), amount=Shares(amount), nonce=nonce
    )
    return floor.venue.transact(request, floor.now_ns)


def sent(floor: Floor, kind: str, amount: int = TEN, *ids: str, nonce: str = "") -> str:
    answer = send(floor, kind, amount, *ids, nonce=nonce)
    assert isinstance(answer, ChainTransaction), answer
    return answer.transaction_id


def state(floor: Floor, transaction_id: str) -> str:
    found = floor.venue.transaction(transaction_id)
    assert found is not None
    return found.state


def holdings(floor: Floor, owner: str = "A") -> dict[str, int]:
    """Both views, which must agree here."""
    held = floor.venue.holdings(owner)
    assert held == floor.venue.accounts.settleds(owner)
    return held


def test_a_split_moves_everything_when_it_is_mined_and_not_before(floor: Floor) -> None:
    """Sent, executed, mined, confirmed; the money moves once."""
    transaction_id = sent(floor, "split")
    states = []
    for _ in range(6):
        states.append((state(floor, transaction_id), holdings(floor)[MARKET.yes_token] - START))
        floor.wait(1)

    assert states == [
        ("NEW", 0), ("EXECUTED", 0), ("MINED", TEN), ("MINED", TEN), ("MINED", TEN),
        ("CONFIRMED", TEN),
    ]  # fmt: skip
    assert holdings(floor) == {"": RICH - TEN, "111": START + TEN, "222": START + TEN}
    told = [e.transaction.state for e in floor.venue.drain() if isinstance(e, TransactionChanged)]
    assert told == ["NEW", "EXECUTED", "MINED", "CONFIRMED"]


def test_a_merge_is_a_split_backwards(floor: Floor) -> None:
    sent(floor, "merge")
    floor.wait(5)

    assert holdings(floor) == {"": RICH + TEN, "111": START - TEN, "222": START - TEN}


def test_a_transaction_may_fail_and_then_nothing_has_moved(floor: Floor) -> None:
    """The failure is told, and whoever sent it still has what it had."""
    floor.venue.doom(lambda _: None, lambda _: reverts(SECOND_NS))
    transaction_id = sent(floor, "split")
    floor.wait(5)

    assert state(floor, transaction_id) == "FAILED"
    assert holdings(floor) == {"": RICH, "111": START, "222": START}


def test_what_was_spent_in_between_fails_where_it_would_be_mined(floor: Floor) -> None:
    """Judged twice: when it is sent, and when it is mined."""
    first, second = sent(floor, "split", RICH), sent(floor, "split", RICH)
    floor.wait(5)

    assert (state(floor, first), state(floor, second)) == ("CONFIRMED", "FAILED")
    found = floor.venue.transaction(second)
    assert found is not None
    assert found.error == contracts.TOO_LITTLE


def test_unsettled_shares_are_not_on_chain_yet(floor: Floor) -> None:
    """The chain has what was mined; a match alone is not that."""
    floor.venue.grant("A", MARKET.no_token, Shares(50_000_000))
    floor.place("B", "sell yes 50 @ 0.50")
    floor.place("A", "buy yes 50 @ 0.50")

    assert send(floor, "merge", START + TEN) == Refused(contracts.TOO_LITTLE)
    floor.wait(2)
    assert isinstance(send(floor, "merge", START + TEN), ChainTransaction)


def test_orders_without_money_behind_them_end(floor: Floor) -> None:
    """The contracts know nothing of orders; the venue ends those that lost their cover."""
    floor.place("A", "buy yes 1000 @ 0.50", order_id="big")
    floor.place("A", "sell no 100 @ 0.90", order_id="sale")
    sent(floor, "split", 600_000_000)
    floor.wait(5)

    big, sale = floor.venue.order("big"), floor.venue.order("sale")
    assert big is not None
    assert sale is not None
    assert (big.status, sale.status) == ("CANCELED_NOT_ENOUGH_BALANCE", "LIVE")


def test_the_same_request_with_the_same_nonce_is_one_transaction(floor: Floor) -> None:
    """An answer that was lost can be asked for again; without a nonce each is its own."""
    again = {sent(floor, "split", nonce="7") for _ in range(2)}
    others = {sent(floor, "split") for _ in range(2)}
    other_amount = sent(floor, "split", 1, nonce="7")
    floor.wait(5)

    assert len(again) == 1
    assert len(others) == 2
    assert other_amount not in again
    assert holdings(floor)["111"] == START + 3 * TEN + 1


@pytest.mark.parametrize(
    ("kind", "amount", "ids", "text"),
    [
        ("steal", TEN, (ID,), contracts.UNKNOWN_KIND),
        ("split", TEN, ("0xnone",), contracts.UNKNOWN_CONDITION),
        ("split", TEN, (ID, ID), contracts.UNKNOWN_CONDITION),
        ("split", 0, (ID,), contracts.NO_AMOUNT),
        ("merge", -1, (ID,), contracts.NO_AMOUNT),
        ("split", RICH + 1, (ID,), contracts.TOO_LITTLE),
        ("merge", START + 1, (ID,), contracts.TOO_LITTLE),
        ("redeem", 0, (ID,), contracts.UNRESOLVED),
        ("convert", TEN, (ID,), contracts.NOT_CONVERTIBLE),
    ],
)
def test_what_would_fail_is_refused_at_once(
    floor: Floor, kind: str, amount: int, ids: tuple[str, ...], text: str
) -> None:
    """A relayer simulates before it sends."""
    assert send(floor, kind, amount, *ids) == Refused(text)


def test_a_resolved_market_is_redeemed_and_not_split(build: Callable[..., Floor]) -> None:
    """By hand, where the venue does not do it by itself."""
    floor = build(auto_redeem=False)
    late = sent(floor, "split")
    floor.venue.resolve(ID, *YES, floor.now_ns)
    refused = send(floor, "split")
    transaction_id = sent(floor, "redeem", 0)
    floor.wait(5)

    assert refused == Refused(contracts.RESOLVED)
    assert (state(floor, late), state(floor, transaction_id)) == ("FAILED", "CONFIRMED")
    assert holdings(floor) == {"": RICH + START}
    assert send(floor, "redeem", 0) == Refused(contracts.NOTHING)


@pytest.mark.parametrize("given", [1, 2, 3])
def test_conversion_follows_the_adapters_formula(floor: Floor, given: int) -> None:
    """k NO of n become k - 1 dollars and one YES of each other question (reference 5.2)."""
    questions = event()
    for market in questions:
        floor.venue.list_market(market, NOW)
        floor.venue.grant("A", market.no_token, Shares(START))
    sent(floor, "convert", TEN, *[market.condition_id for market in questions[:given]])
    floor.wait(5)
    held = holdings(floor)

    assert held[""] == RICH + (given - 1) * TEN
    assert [held[m.no_token] for m in questions] == [START - TEN] * given + [START] * (3 - given)
    assert [held.get(m.yes_token, 0) for m in questions] == [0] * given + [TEN] * (3 - given)
    for n, market in enumerate(questions):
        floor.venue.resolve(market.condition_id, *(YES if n == 1 else NO), floor.now_ns)
    assert floor.venue.total(ADAPTER) == 0  # what it owed is exactly what its NO paid


def test_nothing_is_converted_once_a_question_is_decided(floor: Floor) -> None:
    """The set is not whole any more."""
    questions = event()
    for market in questions:
        floor.venue.list_market(market, NOW)
        floor.venue.grant("A", market.no_token, Shares(START))
    floor.venue.resolve(questions[2].condition_id, *NO, floor.now_ns)

    answer = send(floor, "convert", TEN, questions[0].condition_id)

    assert answer == Refused(contracts.RESOLVED)


def by_its_id(transaction: ChainTransaction) -> Course | None:
    """One in three fails."""
    return reverts(SECOND_NS) if int(transaction.transaction_id[:8], 16) % 3 == 0 else None


class SetsAreConserved(RuleBasedStateMachine):
    """Two owners, one plain market and one event: everything the contracts can do, with trades,
    failures and every verdict in between."""

    OWNERS = ("A", "B")

    @initialize(auto_redeem=st.booleans())
    def open(self, auto_redeem: bool) -> None:
        self.venue = Venue(mine_ns=SECOND_NS, confirm_ns=SECOND_NS, auto_redeem=auto_redeem)
        self.venue.doom(lambda _: None, by_its_id)
        self.markets = [MARKET, *event()]
        for market in self.markets:
            self.venue.list_market(market, NOW)
            for owner in self.OWNERS:
                self.venue.grant(owner, market.no_token, Shares(20_000_000))
        for owner in self.OWNERS:
            self.venue.deposit(owner, Usdc(50_000_000))
        self.now_ns, self.count, self.won = NOW, 0, False

    @rule(
        owner=st.sampled_from(OWNERS),
        kind=st.sampled_from(["split", "split", "merge", "redeem", "convert", "convert"]),
        ids=st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
        amount=st.integers(1, 30_000_000),
    )
    def send(self, owner: str, kind: str, ids: list[int], amount: int) -> None:
        named = tuple(self.markets[n].condition_id for n in ids)
        request = SetRequest(
            owner=owner,
            kind=kind,
            condition_ids=named if kind == "convert" else named[:1],
            amount=Shares(0 if kind == "redeem" else amount),
        )
        self.venue.transact(request, self.now_ns)

    @rule(
        owner=st.sampled_from(OWNERS), n=st.integers(0, 3), no=st.booleans(),
        side=st.sampled_from(Side), cents=st.integers(20, 80), lots=st.integers(500, 2_000),
    )  # fmt: skip
    def trade(self, owner: str, n: int, no: bool, side: Side, cents: int, lots: int) -> None:
        self.count += 1
        placement = Placement(
            owner=owner, order_id=str(self.count), token_id=self.markets[n].tokens[no], side=side,
            price=Price(cents * 10_000), size=Shares(lots * 10_000),
        )  # fmt: skip
        self.venue.place(placement, self.now_ns)

    @rule(ms=st.integers(1, 3_000))
    def wait(self, ms: int) -> None:
        self.now_ns += ms * 1_000_000
        self.venue.advance(self.now_ns)

    @rule(n=st.integers(0, 3), what=st.sampled_from([YES, NO, SPLIT]))
    def resolve(self, n: int, what: tuple[Usdc, Usdc]) -> None:
        question = self.venue.question(self.markets[n].condition_id)
        assert question is not None
        if n and what != NO:
            what = NO if self.won else YES
            self.won = self.won or not question.resolved
        if not question.resolved and self.count > 3:
            self.venue.resolve(self.markets[n].condition_id, *what, self.now_ns)

    @invariant()
    def value_is_conserved(self) -> None:
        """All collateral and sets together are what was ever brought in, market by market."""
        accounts = self.venue.accounts
        assert accounts.worth() == accounts.brought_in
        for market in self.markets:
            question = self.venue.question(market.condition_id)
            assert question is not None
            if not question.resolved:
                backing = accounts.backing(market.condition_id)
                assert [accounts.outstanding(t) for t in market.tokens] == [backing, backing]

    @invariant()
    def nobody_owes(self) -> None:
        """Only the adapter may, and never more than its NO are worth when one question wins."""
        for owner in self.OWNERS:
            held = self.venue.holdings(owner)
            assert all(amount >= 0 for amount in held.values()), held
            assert self.venue.spendable(owner) >= 0

    @invariant()
    def both_views_agree_on_what_the_contracts_did(self) -> None:
        """A transaction is in both views of an account at the same instant."""
        for owner in (*self.OWNERS, ADAPTER):
            if all(trade.final for trade in self.venue.trades(owner)):
                settled = self.venue.accounts.settleds(owner)
                totals = self.venue.holdings(owner)
                assert {t: n for t, n in totals.items() if n} == {
                    t: n for t, n in settled.items() if n
                }


TestSetsAreConserved = SetsAreConserved.TestCase
TestSetsAreConserved.settings = settings(
    max_examples=120, stateful_step_count=40, deadline=None, derandomize=True
)
