"""Conversions in the kernel: what is held back, what is booked, and that it sums to the dollar."""

from attrs import evolve

from polybawt.core import facts
from polybawt.core.commands import Convert, ReadBalance, ReadConversion
from polybawt.core.machines import conversion as c
from polybawt.core.machines.conversion import Conversion
from polybawt.core.market import Market
from polybawt.core.state import Config
from polybawt.core.strategies import Swap
from polybawt.core.units import MILLION, SECOND_NS, Usdc
from tests.core.script import LIMITS, MARKET, NO, QUIET, T0, T0_S, YES, Script, shares

ME = "test"
ALL, NONE = Usdc(MILLION), Usdc(0)
ROOMY = evolve(
    LIMITS,
    **dict.fromkeys(
        (f"{of}_exposure_max" for of in ("token", "condition", "event", "class", "joint", "total")),
        Usdc(1_000 * MILLION),
    ),
)
TIMELESS = evolve(MARKET, symbol="", start_ns=0, end_ns=0)


def swap(kind: str, count: float, *conditions: str) -> Swap:
    named = conditions or (MARKET.condition_id,)
    return Swap(strategy=ME, kind=kind, condition_ids=named, amount=shares(count))


def bought(script: Script, token: str, count: float, price: float, name: str) -> None:
    """A purchase that has settled."""
    intent = script.rest(count, price, token_id=token)
    for status in ("MATCHED", "CONFIRMED"):
        script.say(script.trade(count, price, status, trade_id=name, intent_id=intent))


def holding_a_set(config: Config = QUIET) -> Script:
    """10 yes for 0.40 and 10 no for 0.50: a dollar each for 0.90."""
    script = Script(config=config)
    script.start().quote()
    bought(script, YES, 10, 40, "t1")
    bought(script, NO, 10, 50, "t2")
    return script


def only(script: Script) -> Conversion:
    (record,) = script.state.conversions.values()
    return record


def through(script: Script, *answers: type[c.Action]) -> None:
    """The venue takes it, and then says these of it."""
    named = only(script).conversion_id
    script.say(c.AckTaken(conversion_id=named, transaction_id="t9"))
    for answer in answers:
        terms = {"reason": "reverted"} if answer is c.SeenFailed else {}
        script.say(answer(conversion_id=named, **terms))


def test_a_merged_set_is_a_dollar_and_a_gain_in_both_rounds() -> None:
    """Bought for 9.00, merged for 10.00: the gain is 1.00, 4/9 of the proceeds with the yes.

    Proves: H2, P2.2.
    """
    script = holding_a_set()
    cash = script.state.ledger.cash
    script.say(swap("merge", 10))
    (request,) = script.of(Convert)
    assert (request.kind, request.amount) == ("merge", 10 * MILLION)
    through(script, c.SeenMoving, c.SeenMined, c.SeenConfirmed)
    assert script.state.ledger.cash - cash == 10 * MILLION
    assert script.state.ledger.holdings == {}
    script.wait()
    assert script.state.ledger.of(ME) == -1 * MILLION
    assert script.state.scores[ME].wins == 2
    assert script.state.conversions == {}


def test_a_split_is_bought_by_the_books_mid_and_its_cash_is_held_back() -> None:
    """Cash on its way to the contracts cannot also be bid: 10 dollars, 5 of it for each half."""
    script = Script().start()
    script.quote()
    free, exposed = script.state.cash_free(), script.state.total_exposure()
    script.say(swap("split", 10))
    assert script.state.cash_free() == free - 10 * MILLION
    assert script.state.total_exposure() == exposed + 10 * MILLION
    assert script.state.exposure(YES) == 5 * MILLION
    through(script, c.SeenMined)
    assert script.state.cash_free() == free - 10 * MILLION
    assert script.state.exposure(YES) == 5 * MILLION
    assert script.state.positions[NO].shares == 10 * MILLION
    assert script.state.ledger.shares(ME, YES) == 10 * MILLION


def test_what_is_being_merged_cannot_be_sold() -> None:
    """Shares on their way to the contracts are held back, whatever is known of the request."""
    script = holding_a_set()
    script.say(swap("merge", 6))
    named = only(script).conversion_id
    assert script.state.shares_free(YES) == 4 * MILLION
    script.say(c.AckLost(conversion_id=named, reason="silence"))
    assert script.state.shares_free(NO) == 4 * MILLION
    script.say(swap("merge", 5))
    assert len(script.state.conversions) == 1


def test_a_lost_answer_is_asked_for_again_by_the_same_name() -> None:
    """Silence is neither yes nor no: it is never sent a second time as a new one."""
    script = holding_a_set()
    script.say(swap("merge", 10))
    (first,) = script.of(Convert)
    script.say(c.AckLost(conversion_id=first.conversion_id, reason="silence"))
    script.wait(6)
    assert script.of(Convert) == [first]
    script.say(c.AckDeclined(conversion_id=first.conversion_id, reason="too little"))
    assert only(script).state == "unknown", "the first may still land"


def test_a_failure_after_it_was_mined_is_reversed_exactly() -> None:
    script = holding_a_set()
    before = {name: dict(of) for name, of in script.state.ledger.balances.items()}
    held = dict(script.state.positions)
    script.say(swap("merge", 7))
    through(script, c.SeenMined)
    assert script.state.positions[YES].shares == 3 * MILLION
    script.say(c.SeenFailed(conversion_id="c1", reason="reorganised"))
    assert script.state.ledger.balances == before
    assert script.state.positions == held
    assert script.noticed("conversion_failed") == 1


def test_shares_that_have_not_settled_are_not_asked_for_yet() -> None:
    """The contracts know only what is on chain: a match that is not mined would be declined."""
    script = Script().start()
    script.quote()
    bought(script, YES, 10, 40, "t1")
    intent = script.rest(10, 50, token_id=NO)
    script.say(script.trade(10, 50, trade_id="t2", intent_id=intent))
    script.say(swap("merge", 10))
    assert (only(script).state, script.of(Convert)) == ("wanted", [])
    assert script.state.shares_free(YES) == 0
    script.say(script.trade(10, 50, "CONFIRMED", trade_id="t2", intent_id=intent))
    script.wait()
    assert len(script.of(Convert)) == 1


def test_what_waits_is_dropped_by_a_kill_and_what_has_left_is_followed() -> None:
    """Once the kill fired nothing new leaves; what became of the old must be known."""
    script = holding_a_set()
    intent = script.rest(5, 40)
    script.say(script.trade(5, 40, trade_id="t3", intent_id=intent))
    script.say(swap("merge", 3))
    script.say(facts.KillRequested(actor="a", reason="b", source="api"))
    script.wait()
    assert script.state.conversions == {}
    assert script.ever(Convert) == []
    other = holding_a_set()
    other.say(swap("merge", 3))
    other.say(facts.KillRequested(actor="a", reason="b", source="api"))
    through(other)
    other.wait(2)
    assert other.of(ReadConversion) == [ReadConversion(conversion_id="c1", transaction_id="t9")]
    other.say(swap("merge", 3))
    assert len(other.ever(Convert)) == 1


def test_more_than_is_held_or_allowed_is_refused() -> None:
    script = holding_a_set()
    for wish in (
        swap("merge", 11), swap("split", 10_000), swap("merge", 0), swap("burn", 1),
        swap("merge", 1, "0xnone"), swap("convert", 1), swap("redeem", 1),
        swap("merge", 1, MARKET.condition_id, MARKET.condition_id),
    ):  # fmt: skip
        script.say(wish)
        assert script.state.conversions == {}, wish
    assert script.state.counters["conversions_refused"] == 8


def test_a_start_waits_until_it_is_known_what_became_of_them() -> None:
    """A crash swallows answers: the request is unknown, and trading waits for it.

    Proves: P1.2.
    """
    script = holding_a_set()
    script.say(swap("merge", 10))
    script.say(facts.Started(epoch=2, config=script.config), *script.links())
    again = script.ever(Convert)
    assert again[0] == again[-1]
    assert len(again) == 2
    script.agree()
    assert script.state.phase == "reconciling"
    assert "conversion:c1" in script.state.awaited
    script.say(c.AckTaken(conversion_id="c1", transaction_id="t9"))
    assert "conversion:c1" not in script.state.awaited
    script.wait(1)
    assert len(script.of(ReadConversion)) == 1


def event(count: int) -> list[Market]:
    """Questions of which exactly one comes true."""
    return [
        evolve(
            TIMELESS, condition_id=f"0xe{n}", slug=f"e{n}", yes_token=f"{n}1", no_token=f"{n}2",
            neg_risk=True, neg_risk_id="0xevent", event_id="event",
        )
        for n in range(1, count + 1)
    ]  # fmt: skip


def in_an_event(count: int = 3) -> tuple[Script, list[Market]]:
    """10 NO of every question, for 0.60 each."""
    markets = event(count)
    script = Script(config=Config(strategies=(), limits=ROOMY), market=markets[0]).start()
    for market in markets:
        script.say(facts.MarketListed(market=market))
        script.wait()
        script.market = market
        script.quote()
        intent = script.rest(10, 60, condition_id=market.condition_id, token_id=market.no_token)
        for status in ("MATCHED", "CONFIRMED"):
            name = f"t{market.slug}"
            script.say(script.trade(10, 60, status, trade_id=name, intent_id=intent))
    return script, markets


def test_no_of_every_question_are_dollars_all_but_one() -> None:
    """n NO make n - 1 dollars: 10 sets bought for 18.00 are converted for 20.00.

    Proves: H2.
    """
    script, markets = in_an_event(3)
    cash = script.state.ledger.cash
    script.say(swap("convert", 10, *(m.condition_id for m in markets)))
    through(script, c.SeenConfirmed)
    assert script.state.ledger.cash - cash == 20 * MILLION
    assert script.state.ledger.holdings == {}
    script.wait()
    assert script.state.ledger.of(ME) == -2 * MILLION


def test_no_of_some_questions_are_dollars_and_yes_of_the_others() -> None:
    """2 of 3: one dollar, and a yes of the third, which is booked as bought at its mid."""
    script, markets = in_an_event(3)
    cash = script.state.ledger.cash
    script.say(swap("convert", 10, *(m.condition_id for m in markets[:2])))
    assert script.state.exposure(markets[2].yes_token) == 5 * MILLION
    through(script, c.SeenConfirmed)
    assert script.state.ledger.cash - cash == 10 * MILLION
    assert script.state.positions[markets[2].yes_token].spent == 5 * MILLION
    assert script.state.positions[markets[0].no_token].earned == 7_500_000
    assert script.state.ledger.holdings == {
        markets[2].yes_token: 10 * MILLION, markets[2].no_token: 10 * MILLION
    }  # fmt: skip


def test_questions_of_different_events_cannot_be_converted() -> None:
    script, markets = in_an_event(2)
    script.say(swap("convert", 1, markets[0].condition_id, "0xc9"))
    assert script.state.conversions == {}


# Redeeming.


def oracle(script: Script, at_s: int, dollars: int) -> None:
    ms = (T0_S + at_s) * 1000
    script.say(facts.OracleReported(symbol="btc/usd", value_e18=dollars * 10**18, report_ms=ms))


def decided(script: Script) -> None:
    """Its market ends up, by the oracle and by the venue."""
    oracle(script, 0, 70_000)
    script.now_ns = T0 + 301 * SECOND_NS
    oracle(script, 300, 70_001)
    script.wait()
    script.say(
        facts.MarketResolved(condition_id="0xc1", yes_payout=ALL, no_payout=NONE, source="gamma")
    )
    for _ in range(3):
        script.wait(1)


def resolved(config: Config) -> Script:
    """A set of a market that was decided for yes."""
    script = holding_a_set(config)
    decided(script)
    return script


def test_a_wallet_that_must_redeem_is_paid_when_its_redemption_is_confirmed() -> None:
    """Nothing is counted that is not there: the payout is booked after the redemption.

    Proves: C1.
    """
    script = resolved(Config(strategies=(), limits=LIMITS, auto_redeem=False))
    cash = script.state.ledger.cash
    (request,) = script.ever(Convert)
    assert (request.kind, request.condition_ids, request.amount) == ("redeem", ("0xc1",), 0)
    assert script.state.settlements["0xc1"].state == "resolved"
    through(script, c.SeenMined)
    script.wait()
    assert script.state.ledger.cash == cash
    script.say(c.SeenConfirmed(conversion_id="c1"))
    assert {read.token_id for read in script.of(ReadBalance)} == {"", YES, NO}
    script.wait()
    assert script.state.settlements["0xc1"].state == "paid"
    assert script.state.ledger.cash == cash + 10 * MILLION


def test_a_redemption_that_failed_is_wanted_again_after_a_while() -> None:
    script = resolved(Config(strategies=(), limits=LIMITS, auto_redeem=False))
    script.say(c.AckDeclined(conversion_id="c1", reason="result not received yet"))
    for _ in range(65):
        script.wait(1)
    assert len(script.ever(Convert)) == 2
    assert script.ever(Convert)[0].name != script.ever(Convert)[1].name


def test_where_the_venue_redeems_by_itself_nobody_else_does() -> None:
    script = resolved(Config(strategies=(), limits=LIMITS))
    assert script.ever(Convert) == []
    assert script.state.settlements["0xc1"].state == "paid"


def test_an_open_conversion_keeps_a_market_from_being_paid() -> None:
    """What it moves would be counted twice, or not at all."""
    script = holding_a_set()
    script.say(swap("merge", 4))
    decided(script)
    assert script.state.settlements["0xc1"].state == "resolved"
    through(script, c.SeenConfirmed)
    script.wait(1)
    assert script.state.settlements["0xc1"].state == "paid"
    assert script.state.ledger.cash == 1_000 * MILLION - 9 * MILLION + 4 * MILLION + 6 * MILLION
