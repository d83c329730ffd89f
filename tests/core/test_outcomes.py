"""Outcomes are observed by us and published by the venue; only what is published is paid."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from heapq import merge
from pathlib import Path

import pytest
from attrs import evolve

from polybawt.core import facts, outcomes, state
from polybawt.core.commands import FetchResolution, FollowOracle, ReadOrder, Unsubscribe
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Usdc
from polybawt.sim.settlement_day import Day, read_day
from tests.core.script import CASH, MARKET, NO, QUIET, T0_S, YES, Script, cents, shares

Find = Callable[[str], Path]
END_S = T0_S + 300


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def report(second: int, value: int, symbol: str = "btc/usd") -> facts.OracleReported:
    return facts.OracleReported(symbol=symbol, value_e18=value * 10**18, report_ms=second * 1_000)


def resolution(yes: int, no: int | None = None) -> facts.MarketResolved:
    other = MILLION - yes if no is None else no
    return facts.MarketResolved(
        condition_id="0xc1", yes_payout=Usdc(yes), no_payout=Usdc(other), source="gamma"
    )


def hold(script: Script, count: float = 10, price: float = 40) -> None:
    """Shares of yes, settled."""
    script.rest(count, price)
    script.say(script.trade(count, price), script.trade(count, price, status="CONFIRMED"))


def outcome(script: Script) -> tuple[str, str]:
    settlement = script.state.settlements["0xc1"]
    return settlement.state, settlement.observed


def end(script: Script) -> None:
    script.now_ns = END_S * SECOND_NS
    script.wait(0)


@pytest.mark.parametrize(("close", "paid"), [(101, 10), (100, 10), (99, 0)])
def test_a_market_pays_what_was_published_to_the_micro_unit(
    script: Script, close: int, paid: int
) -> None:
    """Strike from the opening second, close from the closing second; equality settles Up.

    Proves: C1, P0.1.
    """
    script.say(report(T0_S, 100))
    hold(script, 10.01, 33)
    end(script)
    script.say(report(END_S, close))
    assert outcome(script) == ("observed", "yes" if close >= 100 else "no")
    script.say(resolution(MILLION if close >= 100 else 0))

    assert outcome(script)[0] == "paid"
    held = script.state.positions[YES]
    amount = shares(10.01) if paid else 0
    assert (held.state, held.paid_out) == ("settled", amount)
    assert script.state.ledger.cash == CASH - held.spent + amount
    assert script.state.ledger.holdings == {}
    assert script.state.pnl() == held.realised == amount - held.spent


def test_a_split_pays_half_rounded_down(script: Script) -> None:
    """Proves: C1 (50/50 is an outcome of its own)."""
    hold(script, 10.01)
    end(script)
    script.wait(91)
    script.say(resolution(MILLION // 2))

    assert script.state.positions[YES].paid_out == shares(10.01) // 2


def test_nothing_is_paid_before_the_venue_said_so(script: Script) -> None:
    """However sure we are ourselves.

    Proves: C1, P0.1.
    """
    script.say(report(T0_S, 100))
    hold(script)
    end(script)
    script.say(report(END_S, 200))
    for _ in range(100):
        script.wait(60)

    assert outcome(script) == ("observed", "yes")
    assert script.state.ledger.cash == CASH - cents(40) * 10
    assert len(script.ever(FetchResolution)) > 50


def test_a_published_outcome_that_contradicts_ours_is_told_and_not_paid(script: Script) -> None:
    """Two voices differ: money waits until the venue has corrected itself.

    Proves: C1.
    """
    script.say(report(T0_S, 100))
    hold(script)
    end(script)
    script.say(report(END_S, 101), resolution(0))
    assert outcome(script)[0] == "conflicting"
    assert script.noticed("outcome_conflict") == 1
    script.say(resolution(0))
    assert outcome(script)[0] == "conflicting"
    assert script.state.ledger.cash == CASH - cents(40) * 10
    script.say(resolution(MILLION))

    assert outcome(script)[0] == "paid"
    assert script.state.ledger.cash == CASH + cents(60) * 10


def conflict(script: Script) -> None:
    """The venue says no, twice; the oracle said yes."""
    script.say(report(T0_S, 100))
    hold(script)
    end(script)
    script.say(report(END_S, 101), resolution(0), resolution(0))
    assert outcome(script)[0] == "conflicting"


def decision(yes: int, reason: str = "seen on chain", market: str = "0xc1") -> Fact:
    return facts.DecideRequested(
        condition_id=market, yes_payout=Usdc(yes), no_payout=Usdc(MILLION - yes),
        actor="jo", reason=reason,
    )  # fmt: skip


def test_an_operator_ends_a_conflict_that_the_venue_does_not(script: Script) -> None:
    """A market whose oracle erred would otherwise never be paid, nor leave memory.

    Proves: C1.
    """
    conflict(script)
    script.say(decision(0))

    assert outcome(script)[0] == "paid"
    assert script.noticed("outcome_decided") == 1
    assert script.state.ledger.cash == CASH - cents(40) * 10


@pytest.mark.parametrize(
    "wrong", [decision(MILLION), decision(0, reason=""), decision(0, market="0xother")]
)
def test_a_decision_that_cannot_stand_is_told_and_changes_nothing(
    script: Script, wrong: Fact
) -> None:
    """Not what is published, without a reason, or of a market that nobody knows."""
    conflict(script)
    script.say(wrong)

    assert outcome(script)[0] == "conflicting"
    assert script.noticed("nothing_decided") == 1
    assert not script.noticed("impossible")


def test_a_decision_that_came_too_late_is_no_alarm(script: Script) -> None:
    """The venue corrected itself while the operator was writing."""
    conflict(script)
    script.say(resolution(MILLION), decision(0))

    assert outcome(script)[0] == "paid"
    assert script.noticed("nothing_decided") == 1
    assert script.state.ledger.cash == CASH + cents(60) * 10


@pytest.mark.parametrize("paid", [(MILLION, MILLION), (-1, MILLION + 1), (0, 0)])
def test_an_absurd_payout_is_refused(script: Script, paid: tuple[int, int]) -> None:
    end(script)
    script.say(resolution(*paid))

    assert outcome(script)[0] == "ended"
    assert script.state.counters["absurd"] == 1


def test_without_our_own_evidence_the_venue_is_believed_after_a_while(script: Script) -> None:
    """A closing second without a report leaves the outcome unprovable by us.

    Proves: C1.
    """
    script.say(report(T0_S, 100))
    hold(script)
    end(script)
    script.say(report(END_S - 1, 101), report(END_S + 1, 101), resolution(MILLION))
    assert outcome(script) == ("resolved", "")
    assert script.state.ledger.cash < CASH
    script.wait(30)
    assert outcome(script)[0] == "resolved"
    script.wait(0.1)

    assert outcome(script) == ("paid", "")
    assert script.state.ledger.cash == CASH + cents(60) * 10


def test_a_close_that_never_comes_is_given_up(script: Script) -> None:
    script.say(report(T0_S, 100))
    end(script)
    script.wait(30)
    assert outcome(script) == ("ended", "")
    script.wait(0.1)
    assert outcome(script) == ("unprovable", "")
    script.say(report(END_S, 99))  # later than late: it counts all the same

    assert outcome(script) == ("observed", "no")


def test_a_close_that_was_reported_before_our_clock_said_so_counts(script: Script) -> None:
    """Clocks differ: the report of the closing second ends the market."""
    script.say(report(T0_S, 100))
    script.now_ns = END_S * SECOND_NS - 500 * MS_NS
    script.say(report(END_S, 100))

    assert outcome(script) == ("observed", "yes")
    assert script.of(Unsubscribe) == [Unsubscribe(tokens=(YES, NO))]


def test_a_close_that_is_known_when_the_market_ends_is_used() -> None:
    """Listed late: its reports came before it did."""
    script = Script(now_ns=(END_S + 1) * SECOND_NS)
    script.say(facts.Started(epoch=1, config=QUIET), report(T0_S, 100), report(END_S, 99))
    script.say(facts.MarketListed(market=MARKET))
    assert script.state.settlements["0xc1"].strike_e18 == 100 * 10**18
    script.wait()

    assert outcome(script) == ("observed", "no")


def test_the_venues_strike_is_used_when_it_came_first(script: Script) -> None:
    listed = evolve(MARKET, strike_e18=50 * 10**18)
    script.say(facts.MarketListed(market=listed), report(T0_S, 100))
    assert script.state.settlements["0xc1"].strike_e18 == 50 * 10**18
    end(script)
    script.say(report(END_S, 60))

    assert outcome(script) == ("observed", "yes")


def test_a_strike_that_is_published_after_the_close_still_decides(script: Script) -> None:
    end(script)
    script.say(report(END_S, 60))
    assert outcome(script) == ("ended", "")
    script.say(facts.MarketListed(market=evolve(MARKET, strike_e18=61 * 10**18)))

    assert outcome(script) == ("observed", "no")


def test_a_close_that_is_reported_after_the_payout_changes_nothing(script: Script) -> None:
    """We were paid on the venue's word; our own evidence came too late."""
    script.say(report(T0_S, 100))
    hold(script)
    end(script)
    script.wait(91)
    script.say(resolution(MILLION))
    cash = script.state.ledger.cash
    script.say(report(END_S, 99), facts.MarketListed(market=evolve(MARKET, strike_e18=7)))

    assert outcome(script) == ("paid", "")
    assert script.state.ledger.cash == cash
    assert script.noticed("impossible") == 0


def test_a_double_decides_nothing(script: Script) -> None:
    """A history dump carries doubles: wrong in the last digits.

    Proves: C2.
    """
    script.say(evolve(report(T0_S, 100), exact=False))
    assert script.state.settlements["0xc1"].strike_e18 == 0
    script.say(report(T0_S, 100))

    assert script.state.settlements["0xc1"].strike_e18 == 100 * 10**18


def test_an_averaged_market_is_never_observed_from_single_reports() -> None:
    """It settles on an average; a single second would often say the opposite.

    Proves: C2.
    """
    averaged = evolve(MARKET, twap_lookback_s=60)
    script = Script(market=averaged).start()
    script.say(report(T0_S, 100))
    assert script.state.settlements["0xc1"].strike_e18 == 0
    script.say(facts.MarketListed(market=evolve(averaged, strike_e18=100 * 10**18)))
    end(script)
    script.say(report(END_S, 99))
    assert outcome(script) == ("ended", "")
    script.say(resolution(MILLION))

    assert outcome(script) == ("paid", "")


def test_reports_are_kept_once(script: Script) -> None:
    script.say(report(T0_S, 100), report(T0_S, 101))

    assert script.state.settlements["0xc1"].strike_e18 == 100 * 10**18
    assert script.state.counters["repeated_reports"] == 1


@pytest.mark.parametrize(
    "absurd",
    [report(T0_S, 0), report(T0_S, -5), report(T0_S, 10**30), report(T0_S + 70, 1), report(-1, 1)],
)
def test_an_absurd_report_is_refused(script: Script, absurd: facts.OracleReported) -> None:
    """One report from the future would be the latest price for ever.

    Proves: faults (absurd prices, clock skew).
    """
    script.say(absurd)

    assert script.state.oracles["btc/usd"].value == 0
    assert script.state.counters["absurd"] == 1


def test_oracles_are_bounded(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "ORACLES_MAX", 2)
    script.say(report(T0_S, 1, "eth/usd"), report(T0_S, 1, "sol/usd"), report(T0_S, 1))

    assert set(script.state.oracles) == {"btc/usd", "eth/usd"}
    assert script.state.counters["reports_not_kept"] == 1


# Paying.


def test_a_market_does_not_pay_while_a_trade_of_it_may_still_fail(script: Script) -> None:
    """Settlement races a trade: the payout is of what came to rest.

    Proves: faults (settlement racing a trade), C1.
    """
    script.say(report(T0_S, 100))
    script.rest(10)
    script.say(script.trade(10))
    end(script)
    script.say(report(END_S, 101), resolution(MILLION))
    assert outcome(script)[0] == "resolved"
    script.say(script.trade(10, status="FAILED"))
    script.wait()

    assert outcome(script)[0] == "paid"
    assert script.state.ledger.cash == CASH


def test_a_market_does_not_pay_while_an_order_of_it_is_open(script: Script) -> None:
    """Its record may count a fill that we have not booked."""
    script.say(report(T0_S, 100))
    script.rest(10)
    end(script)
    script.say(report(END_S, 101), resolution(MILLION))
    assert outcome(script)[0] == "resolved"
    script.wait()
    assert script.of(ReadOrder) == [ReadOrder(intent_id="i1", order_id="0xid-i1")]
    script.say(order.ReadClosed(intent_id="i1", matched=shares(0), outcome="cancelled"))
    script.wait()

    assert outcome(script)[0] == "paid"


def test_a_doubtful_position_is_told_and_not_paid(script: Script) -> None:
    """We sold what we turned out not to have."""
    script.rest(10)
    script.say(script.trade(10))
    script.rest(10, 60, side=Side.SELL)
    script.say(script.trade(10, 60, trade_id="t2", intent_id="i2", status="CONFIRMED"))
    script.say(script.trade(10, status="FAILED"))
    end(script)
    script.wait(91)
    script.say(resolution(MILLION))

    assert outcome(script)[0] == "paid"
    assert script.noticed("impossible") == 1
    assert script.state.positions[YES].state == "oversold"


def test_a_resolution_is_booked_once(script: Script) -> None:
    hold(script)
    end(script)
    script.wait(91)
    script.say(resolution(MILLION))
    cash = script.state.ledger.cash
    script.say(resolution(MILLION), evolve(resolution(MILLION), condition_id="0xc9"))

    assert script.state.ledger.cash == cash
    assert script.state.counters["repeats"] == 1
    assert script.state.counters["unknown_resolution"] == 1


def test_a_market_may_be_resolved_before_its_end(script: Script) -> None:
    """A question with a date is answered when it is answered."""
    dateless = evolve(MARKET, condition_id="0xc2", yes_token="2", no_token="3", symbol="", end_ns=0)
    script.say(facts.MarketListed(market=dateless))
    script.wait()
    assert script.state.settlements["0xc2"].state == "trading"
    script.say(evolve(resolution(MILLION), condition_id="0xc2"))

    assert script.state.settlements["0xc2"].state == "paid"
    assert Unsubscribe(tokens=("2", "3")) in script.said


def test_what_contradicts_the_machine_is_told(script: Script) -> None:
    """A step that no honest world asks for is an alarm and changes nothing."""
    from polybawt.core.machines.settlement import Pay

    before = script.state.settlements["0xc1"]
    outcomes.advance(script.state, Pay(at_ns=1, condition_id="0xc1"))

    assert script.noticed("impossible") == 1
    assert script.state.settlements["0xc1"] == before


# Listings.


def test_a_listing_may_say_more_of_a_market(script: Script) -> None:
    """A symbol that comes later is followed, and its seconds are watched."""
    script.say(facts.MarketListed(market=evolve(MARKET, accepting_orders=False)))
    assert script.want() is None
    bare = evolve(MARKET, condition_id="0xc2", yes_token="2", no_token="3", symbol="")
    script.say(facts.MarketListed(market=bare))
    script.say(facts.MarketListed(market=evolve(bare, symbol="eth/usd")))
    assert script.said == (FollowOracle(symbols=("eth/usd",)),)
    script.say(report(T0_S, 7, "eth/usd"))

    assert script.state.settlements["0xc2"].strike_e18 == 7 * 10**18
    assert script.state.counters["markets"] == 2


def test_a_market_whose_times_move_is_watched_at_its_new_ones(script: Script) -> None:
    """And when it has left memory no second of it is left behind."""
    moved = evolve(MARKET, start_ns=MARKET.start_ns + SECOND_NS, end_ns=MARKET.end_ns + SECOND_NS)
    script.say(facts.MarketListed(market=moved), report(T0_S, 1), report(T0_S + 1, 100))
    assert script.state.settlements["0xc1"].strike_e18 == 100 * 10**18
    script.now_ns = (END_S + 1) * SECOND_NS
    script.say(report(END_S, 1))
    assert outcome(script)[0] == "trading"
    script.say(report(END_S + 1, 100), resolution(MILLION))
    assert outcome(script) == ("paid", "yes")
    script.wait(121)

    assert (script.state.markets, script.state.moments) == ({}, {})
    script.say(report(END_S + 100, 1))


@pytest.mark.parametrize(
    "changed",
    [
        {"yes_token": "7"},
        {"condition_id": "0xc2"},
        {"condition_id": "0xc2", "no_token": "7"},
    ],
)
def test_a_token_has_one_market_for_ever(script: Script, changed: dict[str, str]) -> None:
    """Shares could otherwise be paid by another question's outcome."""
    script.say(facts.MarketListed(market=evolve(MARKET, **changed)))

    assert script.state.markets == {"0xc1": MARKET}
    assert script.noticed("market_changed") == 1


@pytest.mark.parametrize(
    "absurd",
    [
        {"condition_id": ""}, {"yes_token": ""}, {"no_token": YES}, {"tick": Price(0)},
        {"tick": Price(-100)}, {"tick": Price(MILLION)}, {"tick": Price(30_000)},
        {"tick": Price(10)}, {"min_size": -1}, {"strike_e18": -1}, {"start_ns": -1},
        {"fees": evolve(MARKET.fees, exponent=9)}, {"fees": evolve(MARKET.fees, rate_micro=-1)},
    ],
)  # fmt: skip
def test_an_absurd_market_is_refused(absurd: dict[str, object]) -> None:
    script = Script(market=evolve(MARKET, **absurd))
    script.start()

    assert script.state.markets == {}
    assert script.state.counters["absurd"] == 1


def test_markets_and_settlements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is alive is never evicted; what has left memory is remembered for a while.

    Proves: C5, M1.
    """
    monkeypatch.setattr(outcomes, "SETTLEMENTS_MAX", 3)
    monkeypatch.setattr(outcomes, "MARKETS_MAX", 8)
    script = Script(now_ns=END_S * SECOND_NS).start()
    for n in range(2, 11):
        market = evolve(MARKET, condition_id=f"0xc{n}", yes_token=f"y{n}", no_token=f"n{n}")
        script.say(facts.MarketListed(market=market))
    assert (len(script.state.markets), len(script.state.settlements)) == (8, 8)
    assert script.state.counters["markets_not_kept"] == 2
    script.wait()
    for n in range(2, 9):
        script.say(evolve(resolution(MILLION), condition_id=f"0xc{n}"))
    script.wait(121)
    script.wait()

    assert set(script.state.markets) == {"0xc1"}
    assert set(script.state.settlements) == {"0xc1", "0xc6", "0xc7", "0xc8"}
    script.say(facts.MarketListed(market=evolve(MARKET, condition_id="0xc8", yes_token="y8")))
    assert set(script.state.markets) == {"0xc1"}  # one that left does not come back


def test_a_paid_market_leaves_nothing_behind(script: Script) -> None:
    """Proves: C5, M1."""
    hold(script)
    script.wait(31)
    end(script)
    script.say(report(END_S, 1))
    script.wait(91)
    script.say(resolution(MILLION))
    script.wait(30)
    mine = script.state
    assert "0xc1" not in mine.markets
    kept = (mine.books, mine.orders, mine.intent_of, mine.trades, mine.positions, mine.moments)
    assert kept == ({},) * 6
    assert set(mine.feeds) == set(state.LINKS)
    assert set(mine.timers) <= {"discover", "trades", "reread", "reconcile", "balance", "prints"}
    assert mine.ledger.holdings == {}


# A recorded day.


@pytest.fixture(scope="module")
def day(recorded: Find) -> Day:
    def lines(name: str) -> list[str]:
        return gzip.decompress(recorded(name).read_bytes()).decode().splitlines()

    return read_day(
        lines("settlement/BTC-5m-markets-2026-06-08.jsonl.gz"),
        lines("settlement/BTCUSD-prices-2026-06-08.csv.gz"),
        "btc/usd",
    )


def played(day: Day, wrong: str = "") -> Iterator[Fact]:
    """The day as the engine would hear it; ``wrong`` names a market that pays the other way."""
    listings, strikes, endings = [], [], []
    for result in day.outcomes:
        market = result.market
        bare = facts.MarketListed(
            market=evolve(market, strike_e18=0), at_ns=market.start_ns - 60 * SECOND_NS
        )
        struck = facts.MarketListed(market=market, at_ns=market.start_ns + 20 * SECOND_NS)
        yes = result.yes_payout
        yes = Usdc(MILLION - yes) if market.condition_id == wrong else yes
        paid = facts.MarketResolved(
            condition_id=market.condition_id,
            yes_payout=yes,
            no_payout=Usdc(MILLION - yes),
            source="gamma",
            at_ns=result.closed_ns,
        )
        listings.append(bare)
        strikes.append(struck)
        endings.append(paid)
    reports = [
        facts.OracleReported(
            symbol=r.symbol, value_e18=r.value_e18, report_ms=r.report_ms, at_ns=at_ns
        )
        for at_ns, r in day.reports
    ]
    begin, finish = listings[0].at_ns, endings[-1].at_ns + 300 * SECOND_NS
    ticks = (facts.Tick(at_ns=at_ns) for at_ns in range(begin, finish, 2 * SECOND_NS))
    lists = (sorted(row, key=lambda f: f.at_ns) for row in (listings, strikes, endings, reports))
    yield facts.Started(epoch=1, config=QUIET, at_ns=begin)
    yield from merge(*lists, ticks, key=lambda f: f.at_ns)


def play(day: Day, wrong: str = "") -> tuple[Script, dict[str, str]]:
    """The state at the end, and what was observed of each market."""
    script, seen = Script(), dict[str, str]()
    for fact in played(day, wrong):
        script.say(fact)
        if isinstance(fact, facts.MarketListed | facts.Tick):
            seen |= {c: s.observed for c, s in script.state.settlements.items()}
    script.heard.clear()
    return script, seen


def test_a_recorded_day_is_read_as_it_was_settled(recorded: Find, day: Day) -> None:
    """292 markets of 2026-06-08: none observed wrong, all paid as published.

    Proves: C1, P0.1.
    """
    expected = json.loads(recorded("settlement/expected.json").read_text())["settlement"]
    script, seen = play(day)
    truth = {o.market.condition_id: "yes" if o.yes_payout else "no" for o in day.outcomes}
    judged = Counter("silent" if not seen[c] else seen[c] == truth[c] for c in truth)

    assert judged == {True: expected["exact_second_agree"], "silent": 12}
    assert {s.state for s in script.state.settlements.values()} == {"paid"}
    assert script.state.counters["markets_settled"] == len(day.outcomes) == 292
    assert script.noticed("outcome_conflict") == 0
    assert len(script.state.markets) < 10
    assert len(script.state.moments) < 20


def test_a_recorded_market_that_pays_the_other_way_is_conflicting(day: Day) -> None:
    """The same day with one lie in it: that market, and no other, is told and not paid.

    Proves: C1.
    """
    shorter = Day(outcomes=day.outcomes[:6], reports=day.reports[:2_400])
    lie = shorter.outcomes[2].market.condition_id
    script, _ = play(shorter, wrong=lie)

    assert [c for c, s in script.state.settlements.items() if s.state == "conflicting"] == [lie]
    assert script.noticed("outcome_conflict") == 1
    assert script.state.counters["markets_settled"] == 5
