"""What time alone does, and that nothing grows with it."""

import random
from typing import Any

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.codec import encode_state
from polybawt.core.commands import CancelOrder, FetchMarkets, PostOrder, ReadOrder, ReadTrades
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.state import NOTICES_MAX, Config, State
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, SECOND_NS, Price, Usdc
from tests.core.script import CASH, MARKET, QUIET, T0, T0_S, Script, cents, shares


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def test_time_does_not_go_back(script: Script) -> None:
    """Receivers race: a fact with an older time is heard at the newest one."""
    script.wait(10)
    now_ns = script.state.now_ns
    script.say(facts.Tick(at_ns=T0 - SECOND_NS), facts.LinkHeard(link="user", at_ns=5))

    assert script.state.now_ns == now_ns


def test_markets_are_looked_for_now_and_then(script: Script) -> None:
    script.wait(5)
    assert script.of(FetchMarkets) == [FetchMarkets()]
    script.wait(4.9)
    assert script.of(FetchMarkets) == []
    script.wait(0.1)
    assert script.of(FetchMarkets) == [FetchMarkets()]


def test_a_stopped_engine_asks_for_nothing(script: Script) -> None:
    script.say(facts.StopRequested())
    script.wait()
    assert script.state.phase == "stopped"
    script.wait(60)

    assert script.of(FetchMarkets) == []


def test_an_order_that_rests_past_its_end_is_looked_up(script: Script) -> None:
    """The venue ends it by itself; its push may be lost."""
    script.rest(lifetime_s=10)
    script.wait(12.9)
    assert script.of(ReadOrder) == []
    script.wait(0.1)
    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]


def test_an_order_that_outlived_its_market_is_looked_up(script: Script) -> None:
    script.rest(lifetime_s=10_000)
    script.now_ns = MARKET.end_ns
    script.wait(0)
    script.wait(1)

    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]


def test_a_cancel_that_is_not_answered_is_asked_again_with_patience(script: Script) -> None:
    """Proves: H6, P1.5."""
    script.rest()
    script.say(facts.KillRequested(actor="me", reason="x", source="file"))
    asked = 0
    for _ in range(31):
        script.wait(0.1)
        asked += len(script.of(CancelOrder))
    assert asked == 1  # after three polls
    assert len(script.ever(ReadOrder)) == 4  # at once, then once a second


def test_a_trade_whose_last_word_was_lost_is_read_again(script: Script) -> None:
    """Else its order would never close and its market never pay.

    Proves: recovery, B-exec.
    """
    script.state.config = evolve(QUIET, reconcile_ns=2**60)  # which would read them too
    script.rest(10)
    script.say(script.trade(10))
    script.wait(29)
    assert script.of(ReadTrades) == []
    script.wait(1)
    assert script.of(ReadTrades) == [ReadTrades(after_s=max(0, T0_S + 1 - 120))]
    script.wait(1)
    assert script.of(ReadTrades) == []
    script.say(script.trade(10, status="CONFIRMED", source="read"))
    script.wait(60)

    assert script.of(ReadTrades) == []
    assert script.state.orders == {}


def test_notices_are_bounded(script: Script) -> None:
    for n in range(NOTICES_MAX + 50):
        script.say(facts.BadInput(source="market", reason=str(n), excerpt="?"))

    assert len(script.state.notices) == NOTICES_MAX
    assert script.state.notices[-1].text == f"market: {NOTICES_MAX + 49}: ?"
    assert script.state.counters["bad_input"] == NOTICES_MAX + 50


# A long run.


class Days:
    """A hurried venue: market after market, order after order, with every kind of end."""

    def __init__(self) -> None:
        self.script, self.lots = Script(config=Config(strategies=())), random.Random(5)
        self.script.say(facts.Started(epoch=1, config=QUIET), *self.script.links())
        self.script.agree()
        self.trades, self.won = 0, 0
        self.sizes: list[dict[str, int]] = []

    def market(self, number: int) -> None:
        script = self.script
        script.now_ns = (script.now_ns // SECOND_NS + 1) * SECOND_NS
        market = evolve(
            MARKET,
            condition_id=f"0xc{number}",
            slug=f"m{number}",
            yes_token=f"y{number}",
            no_token=f"n{number}",
            start_ns=script.now_ns,
            end_ns=script.now_ns + 300 * SECOND_NS,
        )
        script.market = market
        script.say(facts.MarketListed(market=market))
        script.say(self.report(100))
        script.wait(1)
        for _ in range(10):
            script.wait(20)
            script.say(facts.LinkHeard(link="market"))
            script.quote()
            script.say(self.report(self.lots.randint(90, 110)))
            self.order(market.yes_token)
        script.now_ns = market.end_ns
        script.say(self.report(101))
        for record in tuple(script.state.orders.values()):
            if record.state in ("live", "partially_filled", "unknown", "pending_cancel", "closing"):
                closed = order.ReadClosed(
                    intent_id=record.intent_id, matched=record.filled, outcome="cancelled"
                )
                script.say(closed)
        paid = facts.MarketResolved(
            condition_id=market.condition_id,
            yes_payout=Usdc(MILLION),
            no_payout=Usdc(0),
            source="gamma",
        )
        script.say(paid)
        script.wait(1)
        self.sizes.append(sizes(script.state))
        script.heard.clear()
        script.all_said.clear()

    def report(self, value: int) -> facts.OracleReported:
        second_ms = self.script.now_ns // SECOND_NS * 1_000
        return facts.OracleReported(symbol="btc/usd", value_e18=value * 10**18, report_ms=second_ms)

    def order(self, token: str) -> None:
        script, lots = self.script, self.lots
        wish = script.want(lots.randint(5, 9), 10, token_id=token)
        if wish is None:
            return
        intent_id = wish.intent_id
        script.sign(wish)
        fate = lots.choice(("reject", "timeout", "fill", "fill", "part", "cancel", "void"))
        told: list[Any] = [order.AckLive(intent_id=intent_id)]
        if fate == "reject":
            told = [order.Reject(intent_id=intent_id, reason="no")]
        elif fate == "timeout":
            told = [order.Timeout(intent_id=intent_id, reason="reset")]
        elif fate in ("fill", "part", "void"):
            self.trades += 1
            count = wish.size / MILLION if fate != "part" else 2
            trade = script.trade(count, 10, trade_id=f"t{self.trades}", intent_id=intent_id)
            last = "FAILED" if fate == "void" else "CONFIRMED"
            told += [trade, evolve(trade, status=last), trade]
            self.won += round(count) if fate != "void" else 0
        elif fate == "cancel":
            told += [
                facts.OrderPushed(
                    order_id=f"0xid-{intent_id}", kind="CANCELLATION", status="", matched=None
                ),
                order.ReadClosed(intent_id=intent_id, matched=shares(0), outcome="cancelled"),
            ]
        script.say(*told)


def sizes(state: State) -> dict[str, int]:
    kept = {
        name: len(value)
        for name in State.__slots__
        if isinstance(value := getattr(state, name, None), dict | list)
    }
    kept["reports"] = sum(len(oracle.values) for oracle in state.oracles.values())
    return kept


def test_a_long_run_leaves_memory_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand markets and ten thousand wishes: what is over is gone, the rest is bounded.

    Proves: C5, P0.5, M1.
    """
    monkeypatch.setattr("polybawt.core.state.FORGOTTEN_MAX", 500)
    monkeypatch.setattr("polybawt.core.outcomes.SETTLEMENTS_MAX", 100)
    monkeypatch.setattr("polybawt.core.signals.fair_value.REPORTS_MAX", 300)
    days = Days()
    for number in range(1_000):
        days.market(number)
        if number == 200:
            early = len(encode_state(days.script.state))
    late = len(encode_state(days.script.state))
    state, last = days.script.state, days.sizes[-1]

    assert state.counters["markets_settled"] >= 998
    assert state.counters["orders"] > 5_000
    assert state.counters["fills"] > 2_000
    assert state.counters["voids"] > 300
    assert last["forgotten"] == 500
    assert last["settlements"] <= 102
    many = ("forgotten", "settlements", "reports", "answers", "counters", "notices")
    assert max(last[name] for name in last if name not in many) < 60
    assert last["answers"] <= 60
    assert last["reports"] == 300
    assert last["counters"] < 80
    assert late < early * 1.1
    assert state.ledger.imbalance() == 0
    assert state.ledger.cash == CASH + days.won * 900_000  # bought at 0.10, all of it paid 1.00
    assert state.ledger.holdings == {}


def test_a_thousand_cancel_cycles_leave_no_orphan(script: Script) -> None:
    """Proves: H6, P1.5."""
    for n in range(1_000):
        intent_id = script.rest(5, 10 + n % 5)
        script.say(order.Ended(intent_id=intent_id, reason="CANCELED"))
        read = order.ReadClosed(intent_id=intent_id, matched=shares(0), outcome="cancelled")
        script.say(read)
        if n % 20 == 0:
            script.wait(31)
            script.quote()
            if script.now_ns > MARKET.end_ns - 60 * SECOND_NS:
                script.now_ns = T0 + 2 * SECOND_NS
                script.state.now_ns = script.now_ns
    script.wait(31)

    assert script.state.orders == {}
    assert script.state.total_exposure() == 0
    assert len(script.ever(PostOrder)) == 1_000


def test_fifty_fills_at_once_do_not_diverge(script: Script) -> None:
    """In any order, repeated, with failures among them: the same books.

    Proves: C3, C4, M6.
    """
    ends = set()
    for seed in range(200):
        world = Script().start()
        world.wait(1)
        world.quote()
        world.say(
            Intent(
                strategy="test", condition_id="0xc1", token_id="1001", side=Side.BUY,
                price=cents(10), size=shares(100), post_only=True, lifetime_s=60,
            )
        )  # fmt: skip
        world.sign(world.order())
        world.say(order.AckLive(intent_id="i1"))
        pushes = []
        for n in range(50):
            trade = world.trade(2, 10, trade_id=f"t{n}")
            final = "FAILED" if n % 10 == 0 else "CONFIRMED"
            pushes += [trade, trade, evolve(trade, status="MINED"), evolve(trade, status=final)]
        kept = list(pushes)
        random.Random(seed).shuffle(kept)
        heard: dict[str, int] = {}
        for push in kept:
            if push.status == "FAILED" and not heard.get(push.trade_id):
                continue  # a failure that is heard first books nothing: another story
            heard[push.trade_id] = 1
            world.say(push)
        for n in range(50):
            final = "FAILED" if n % 10 == 0 else "CONFIRMED"
            world.say(world.trade(2, 10, trade_id=f"t{n}", status=final))
        held = world.state.positions["1001"]
        ends.add((world.state.ledger.cash, held.shares, held.spent, world.order().filled))

    assert ends == {(1_000 * MILLION - 45 * 200_000, shares(90), Usdc(9_000_000), shares(100))}
    assert Price(100_000) == cents(10)
