"""Every way of counting what can be lost, and the room that is left by each."""

from math import isqrt

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import exposures, facts
from polybawt.core.market import Side
from polybawt.core.risk import ClassLimit, Limits
from polybawt.core.state import State
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, Usdc
from tests.core.script import LIMITS, MARKET, NO, QUIET, YES, Script, cents

OTHER = evolve(MARKET, condition_id="0xc2", slug="eth", yes_token="2001", no_token="2002")
ETH = evolve(OTHER, symbol="eth/usd")
VOTE = evolve(
    MARKET, condition_id="0xc3", slug="vote", yes_token="3001", no_token="3002", symbol="",
    category="politics", event_id="e1", neg_risk_id="0xe",
)  # fmt: skip
WIDE = evolve(LIMITS, token_exposure_max=Usdc(20 * MILLION))


def playing(*others: object, limits: Limits = WIDE) -> Script:
    script = Script(config=evolve(QUIET, limits=limits)).start()
    for market in others:
        script.say(facts.MarketListed(market=market))  # type: ignore[arg-type]
    script.wait(1)
    script.quote()
    return script


def room(script: Script, token: str, strategy: str = "test") -> int:
    return exposures.room(script.state, strategy, token)


def test_a_class_is_crypto_a_category_or_other() -> None:
    assert exposures.asset_class(MARKET) == "crypto"
    assert exposures.asset_class(VOTE) == "politics"
    assert exposures.asset_class(evolve(VOTE, category="")) == "other"


def test_each_strategy_has_a_limit_of_its_own() -> None:
    """Two variants share the market and not the risk.  Proves: limits, M3."""
    small = Value(name="small", exposure_max=Usdc(4 * MILLION), enabled=False)
    script = Script(config=evolve(QUIET, limits=WIDE, strategies=(small,))).start()
    script.wait(1)
    script.quote()
    script.rest(5, 40, strategy="small")

    assert exposures.of_strategy(script.state, "small") == 2 * MILLION
    assert exposures.of_strategy(script.state, "test") == 0
    assert room(script, NO, "small") == 2 * MILLION
    assert script.want(6, 40, strategy="small", token_id=NO) is None
    assert script.state.counters["refused:strategy_exposure"] == 1
    assert script.want(6, 40, token_id=NO) is not None


def test_both_tokens_of_a_condition_count_against_its_limit() -> None:
    script = playing(limits=evolve(WIDE, condition_exposure_max=Usdc(5 * MILLION)))
    script.rest(10, 40)

    assert room(script, NO) == 1 * MILLION
    assert script.want(5, 30, token_id=NO) is None
    assert script.state.counters["refused:condition_exposure"] == 1
    assert script.want(5, 20, token_id=NO) is not None
    assert room(script, NO) == 0


def test_an_asset_class_and_an_event_have_limits() -> None:
    """Proves: limits, A-risk."""
    classes = (ClassLimit(name="crypto", exposure_max=Usdc(6 * MILLION)),)
    script = playing(VOTE, limits=evolve(WIDE, classes=classes, event_exposure_max=Usdc(MILLION)))
    script.rest(10, 40)

    assert room(script, YES) == 2 * MILLION
    assert room(script, VOTE.yes_token) == MILLION
    assert script.want(10, 30) is None
    assert script.state.counters["refused:class_exposure"] == 1


def test_what_wins_together_is_added_as_its_correlation_says() -> None:
    """Two markets on one price are one bet; on two prices 0.8 of one.  Proves: A-risk."""
    state = playing(OTHER).state
    assert exposures.correlation(state, YES, YES) == MILLION
    assert exposures.correlation(state, YES, OTHER.yes_token) == MILLION
    assert exposures.correlation(state, YES, OTHER.no_token) == 0  # not below: it may be gone
    assert exposures.correlation(state, YES, NO) == 0

    state = playing(ETH, VOTE).state
    assert exposures.correlation(state, YES, ETH.yes_token) == 800_000
    assert exposures.correlation(state, YES, VOTE.yes_token) == 0
    both = {YES: Usdc(3 * MILLION), ETH.yes_token: Usdc(4 * MILLION)}
    assert exposures.joint(state, both) == 44_200_000_000_000  # 9 + 16 + 2 * 12 * 0.8


def test_the_joint_limit_refuses_what_each_single_limit_lets_pass() -> None:
    script = playing(OTHER, limits=evolve(WIDE, joint_exposure_max=Usdc(7 * MILLION)))
    script.rest(10, 40)
    left = room(script, OTHER.yes_token)

    assert left == 3 * MILLION
    assert script.want(5, 50) is not None
    assert exposures.together(script.state) == 6_500_000
    assert script.want(5, 20) is None
    assert script.state.counters["refused:joint_exposure"] == 1


amounts = st.integers(0, 10**8)


@given(amounts, amounts, amounts, st.integers(0, MILLION), st.integers(1, 10**8))
def test_the_joint_room_is_the_most_that_fits(
    one: int, two: int, three: int, cross: int, limit: int
) -> None:
    """To the millionth: all of it fits, and a millionth more does not."""
    limits = evolve(WIDE, joint_exposure_max=Usdc(limit), cross_symbol_micro=cross)
    state = State(config=evolve(QUIET, limits=limits))
    for market in (MARKET, ETH, VOTE):
        state.markets[market.condition_id] = market
        state.market_of |= dict.fromkeys(market.tokens, market.condition_id)
    held = {YES: one, ETH.yes_token: two, VOTE.yes_token: three}
    exposed = {token: Usdc(amount) for token, amount in held.items() if amount}
    heavy = exposures.weight(state, exposed, YES)
    square = exposures.joint(state, exposed)
    if square > limit * limit:
        return
    room = isqrt(heavy * heavy + limit * limit - square) - heavy

    assert square + room * (room + 2 * heavy) <= limit * limit
    assert square + (room + 1) * (room + 1 + 2 * heavy) > limit * limit
    grown = exposed | {YES: Usdc(exposed.get(YES, 0) + room)}
    assert exposures.joint(state, grown) <= limit * limit


def test_only_its_own_shares_can_be_sold_by_a_strategy() -> None:
    """One variant must not sell what another bought."""
    script = playing()
    script.rest(10, 40, strategy="one")
    script.say(script.trade(10, 40))

    assert exposures.sellable(script.state, "one", YES) == 10 * MILLION
    assert exposures.sellable(script.state, "two", YES) == 0
    assert script.want(5, 60, strategy="two", side=Side.SELL) is None


@pytest.mark.parametrize(("age_s", "passes"), [(4.8, True), (5.2, False)])
def test_a_silent_oracle_stops_entries(age_s: float, passes: bool) -> None:
    """Proves: C2, P0.2."""
    script = playing(limits=evolve(WIDE, oracle_age_ns_max=Limits().oracle_age_ns_max))
    now_ms = script.now_ns // 10**6
    report = facts.OracleReported(symbol="btc/usd", value_e18=10**20, report_ms=now_ms)
    script.say(report)
    script.wait(age_s)
    script.quote()

    assert (script.want(5) is not None) is passes
    assert script.state.counters.get("refused:oracle_age", 0) == (not passes)


def test_a_price_that_the_book_does_not_have_is_not_sent() -> None:
    """A trigger's old price of 0.95 met a book at 0.60.  Proves: G5."""
    script = playing()
    assert script.want(5, 90, post_only=False) is None
    assert script.state.counters["refused:touch"] == 1
    assert script.want(5, 65, post_only=False) is not None
    assert room(script, YES) < cents(65) * 100
