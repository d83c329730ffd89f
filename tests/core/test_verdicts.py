"""Two voices before a payout; how far the oracle is is told; a late word pays nothing again."""

from itertools import permutations

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.commands import FetchResolution
from polybawt.core.units import MILLION, SECOND_NS, Usdc
from polybawt.sim.accounts import Accounts
from tests.core.script import CASH, MARKET, NO, QUIET, T0_S, YES, Script, shares

TWO = evolve(QUIET, sources_min=2)
AVERAGED = evolve(MARKET, twap_lookback_s=60)  # no report of ours can show how it ends
END_S = T0_S + 300


@pytest.fixture
def script() -> Script:
    """An averaged market that has just ended, with ten shares of yes in it."""
    script = Script(config=TWO, market=AVERAGED).start()
    script.wait(1)
    script.quote()
    script.rest(10)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.now_ns = END_S * SECOND_NS
    script.wait(0)
    return script


def says(script: Script, source: str, yes: int = MILLION) -> None:
    fact = facts.MarketResolved(
        condition_id="0xc1", yes_payout=Usdc(yes), no_payout=Usdc(MILLION - yes), source=source
    )
    script.say(fact)


def stands(script: Script, status: str) -> None:
    script.say(facts.ResolutionReported(condition_id="0xc1", status=status, source="gamma"))


def state(script: Script) -> str:
    return script.state.settlements["0xc1"].state


@pytest.mark.parametrize(("one", "other"), [*permutations(("ws", "gamma", "clob", "chain"), 2)])
def test_a_payout_needs_two_voices_that_agree(script: Script, one: str, other: str) -> None:
    """Proves: C1, P0.1."""
    says(script, one)
    says(script, one)
    assert state(script) == "resolved"
    assert script.state.ledger.cash < CASH
    says(script, other)

    assert state(script) == "paid"
    assert script.state.ledger.cash == CASH - shares(4) + shares(10)


def test_the_other_sources_are_asked_at_once_and_until_they_answer(script: Script) -> None:
    """The stream said it first; Gamma and the CLOB do not push."""
    script.wait(1)
    script.wait(1)
    says(script, "ws")
    assert script.of(FetchResolution) == [FetchResolution(condition_id="0xc1")]
    asked = 0
    for _ in range(20):
        script.wait(1)
        asked += len(script.of(FetchResolution))

    assert asked == 4
    says(script, "clob")
    script.wait(6)
    assert script.of(FetchResolution) == []


def test_what_we_observed_ourselves_is_the_second_voice() -> None:
    """Proves: C1."""
    script = Script(config=TWO).start()
    reports = [
        facts.OracleReported(symbol="btc/usd", value_e18=value * 10**18, report_ms=second * 1000)
        for second, value in ((T0_S, 100), (END_S, 101))
    ]
    script.say(reports[0])
    script.now_ns = END_S * SECOND_NS
    script.say(reports[1])
    says(script, "gamma")

    assert state(script) == "paid"


@pytest.mark.parametrize(
    ("source", "paid"), [("clob", True), ("chain", True), ("gamma", False), ("ws", False)]
)
def test_a_lone_voice_is_enough_after_a_while_where_it_is_the_one_that_pays(
    script: Script, source: str, paid: bool
) -> None:
    """Gamma and the stream repeat what others decide; the CLOB and the chain do what they say.

    Proves: C1.
    """
    says(script, source)
    script.wait(30)
    assert state(script) == "resolved"
    script.wait(0.1)

    assert (state(script) == "paid") is paid


def test_voices_that_differ_pay_nothing(script: Script) -> None:
    """Proves: C1."""
    says(script, "ws", 0)
    says(script, "clob")
    says(script, "clob")
    script.wait(3_600)
    assert script.noticed("outcome_conflict") == 1
    assert state(script) != "paid"
    says(script, "gamma")

    assert state(script) == "paid"
    assert script.state.ledger.cash == CASH + shares(6)


def test_an_operator_is_a_voice_like_the_others(script: Script) -> None:
    """What one source published and no other will ever confirm. Proves: C1"""
    says(script, "gamma")
    script.wait(3_600)
    wrong = facts.DecideRequested(
        condition_id="0xc1", yes_payout=Usdc(0), no_payout=Usdc(MILLION), actor="jo", reason="x"
    )
    script.say(wrong)
    assert state(script) == "resolved"
    right = evolve(wrong, yes_payout=Usdc(MILLION), no_payout=Usdc(0))
    script.say(evolve(right, reason=""))
    assert state(script) == "resolved"
    script.say(right)

    assert state(script) == "paid"
    assert script.noticed("outcome_confirmed") == 1


@pytest.mark.parametrize(
    ("yes", "count"), [(MILLION, 10.01), (0, 10.01), (MILLION // 2, 10.01), (300_000, 10.37)]
)
def test_what_is_booked_is_what_the_venue_pays(yes: int, count: float) -> None:
    """To the millionth, of both tokens, for a winner, a split, and a void that shares otherwise.

    Proves: C1, P0.1.
    """
    script = Script(config=TWO, market=AVERAGED).start()
    script.wait(1)
    script.quote()
    venue = Accounts()
    for number, token in enumerate((YES, NO), start=1):
        script.rest(count, 40, token_id=token)
        made = script.trade(count, 40, intent_id=f"i{number}", trade_id=f"t{number}")
        script.say(made, evolve(made, status="CONFIRMED"))
        venue.grant("us", AVERAGED, token, shares(count))
    before = script.state.ledger.cash
    script.now_ns = END_S * SECOND_NS
    script.wait(0)
    says(script, "ws", yes)
    says(script, "clob", yes)
    paid = venue.redeem("us", AVERAGED, Usdc(yes), Usdc(MILLION - yes))

    assert script.state.ledger.cash - before == paid
    assert script.state.ledger.holdings == {}
    assert script.noticed("outcome_shared") == (yes not in (0, MILLION))
    script.wait(1)
    assert script.state.pnl() == script.state.ledger.cash - CASH


def test_a_word_that_changes_after_the_payout_is_an_alarm_and_pays_nothing(script: Script) -> None:
    """Also when the market has left memory.

    Proves: C1 (late flips).
    """
    says(script, "ws")
    says(script, "clob")
    cash = script.state.ledger.cash
    says(script, "gamma", 0)
    says(script, "gamma")
    assert (script.noticed("outcome_flipped"), script.state.counters["repeats"]) == (1, 1)
    for _ in range(10):
        script.wait(60)
    assert "0xc1" not in script.state.markets
    says(script, "clob", MILLION // 2)

    assert script.noticed("outcome_flipped") == 2
    assert script.state.ledger.cash == cash


def test_how_far_the_oracle_is_is_told_when_it_changes_and_pays_nothing(script: Script) -> None:
    """Requested, proposed, disputed, and thrown back to a second proposal.

    Proves: C1.
    """
    for status in ("requested", "proposed", "proposed", "Disputed", "proposed", "proposed"):
        stands(script, status)
    assert script.state.standings == {"0xc1": "reset"}
    assert script.noticed("outcome_standing") == 4
    stands(script, "disputed")

    told = [n for n in script.state.notices if n.name == "outcome_standing"]
    assert [n.severity for n in told] == ["info", "info", "critical", "warning", "critical"]
    assert state(script) == "ended"
    assert script.state.ledger.cash < CASH


def test_the_standing_of_a_market_that_is_paid_or_unknown_is_no_news(script: Script) -> None:
    says(script, "ws")
    says(script, "clob")
    stands(script, "disputed")
    script.say(facts.ResolutionReported(condition_id="0xc9", status="disputed", source="gamma"))

    assert script.state.standings == {}


def test_a_question_that_we_hold_is_asked_about_before_its_end() -> None:
    """It is answered when it is answered, and the stream may never say so. Proves: C1"""
    question = evolve(MARKET, symbol="", end_ns=0)
    script = Script(config=TWO, market=question).start()
    script.wait(1)
    script.quote()
    script.wait(30)
    assert script.ever(FetchResolution) == []
    script.quote()
    script.rest(10)
    script.say(script.trade(10), script.trade(10, status="CONFIRMED"))
    script.wait(30)
    assert script.of(FetchResolution) == [FetchResolution(condition_id="0xc1")]
    stands(script, "proposed")
    says(script, "gamma")
    says(script, "clob")

    assert script.noticed("outcome_standing") == 1
    assert state(script) == "paid"


def test_the_sources_that_are_kept_are_bounded(script: Script) -> None:
    for number in range(100):
        says(script, f"{number}" * 60, number % 2 * MILLION)

    assert len(script.state.verdicts["0xc1"]) == 8
    assert max(map(len, script.state.verdicts["0xc1"])) == 32
