"""The gate: each check refuses at its limit, passes just below, and says its numbers."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.exposures import room
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.risk import CHECKS, ClassLimit, Gate, Limits, refusal, spend
from polybawt.core.strategies import Intent
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from tests.core.script import MARKET, NO, T0, YES, Script, cents, shares

LIMITS = Limits()
CLASSES = (ClassLimit(name="crypto", exposure_max=Usdc(10 * MILLION)),)
OPEN = Gate(
    now_ns=T0,
    limits=LIMITS,
    phase="trading",
    killed="",
    breaker_open="",
    halted="",
    user_link="fresh",
    market=MARKET,
    book_state="fresh",
    book_age_ns=0,
    touch=cents(40),
    oracle_age_ns=None,
    divergence_micro=0,
    token_exposure=Usdc(0),
    condition_exposure=Usdc(0),
    event_exposure=Usdc(0),
    class_name="crypto",
    class_exposure=Usdc(0),
    strategy_exposure=Usdc(0),
    strategy_max=Usdc(20 * MILLION),
    joint_square=0,
    joint_weight=Usdc(0),
    total_exposure=Usdc(0),
    cash_free=Usdc(100 * MILLION),
    shares_free=0,
    open_orders=0,
)
BUY = Intent(
    strategy="test",
    condition_id="0xc1",
    token_id=YES,
    side=Side.BUY,
    price=cents(40),
    size=shares(10),
    post_only=True,
    lifetime_s=60,
)
SELL = evolve(BUY, side=Side.SELL)
FEE = MARKET.fees.fee_up(cents(40), shares(10))


def check(gate: dict[str, Any], intent: Intent = BUY) -> tuple[str, str]:
    refused = refusal(evolve(OPEN, **gate), intent)
    return (refused.check, refused.text) if refused else ("", "")


def test_an_open_gate_lets_pass() -> None:
    assert check({}) == ("", "")
    assert spend(OPEN, BUY) == 4 * MILLION
    assert spend(OPEN, evolve(BUY, post_only=False)) == 4 * MILLION + FEE
    assert spend(OPEN, SELL) == 0


@pytest.mark.parametrize(
    ("gate", "intent", "refused"),
    [
        ({"killed": "file: gone"}, BUY, ("killed", "kill switch: file: gone")),
        ({"phase": "reconciling"}, BUY, ("phase", "engine is reconciling")),
        ({"breaker_open": "venue"}, BUY, ("breaker", "breaker venue is open")),
        ({"user_link": "down"}, BUY, ("user_link", "user channel is down")),
        (
            {"market": evolve(MARKET, accepting_orders=False)},
            BUY,
            ("market_open", "market accepts no orders"),
        ),
        ({"now_ns": MARKET.end_ns}, BUY, ("market_open", "market has ended")),
        ({}, evolve(BUY, size=Shares(4_990_000)), ("terms", "size 4990000 is below")),
        ({}, evolve(BUY, price=405_000), ("terms", "price 405000 breaks the tick")),
        ({"book_state": "suspect"}, BUY, ("book_age", "book is suspect")),
        ({"book_state": "stale"}, BUY, ("book_age", "book is stale")),
        ({"book_state": "silent"}, BUY, ("book_age", "book is silent")),
        ({"book_state": "down"}, BUY, ("book_age", "book is down")),
        (
            {"book_age_ns": LIMITS.book_age_ns_max + 1},
            BUY,
            ("book_age", "book is 3000000001 ns old, limit 3000000000"),
        ),
        ({}, evolve(BUY, price=cents(96), size=shares(5)), ("price_cap", "0.96 above cap 0.95")),
        ({"oracle_age_ns": 5_000_000_001}, BUY, ("oracle_age", "5000000001 ns old, limit 5000")),
        ({"divergence_micro": 3_001}, BUY, ("divergence", "3001 millionths apart, limit 3000")),
        (
            {"touch": Price(349_999)},
            evolve(BUY, post_only=False),
            ("touch", "price 0.4 is too far beyond the best, 0.349999"),
        ),
        ({"touch": None}, evolve(BUY, post_only=False), ("touch", "nothing to take in the book")),
        ({"now_ns": MARKET.end_ns - 1}, BUY, ("late_quote", "1 ns to the end, a quote needs 2")),
        ({"open_orders": 50}, BUY, ("open_orders", "50 orders open, limit 50")),
        ({"strategy_exposure": 17_000_000}, BUY, ("strategy_exposure", "of test 17 + 4 above 20")),
        (
            {"class_exposure": 6_500_000, "limits": evolve(LIMITS, classes=CLASSES)},
            BUY,
            ("class_exposure", "crypto exposure 6.5 + 4 above 10"),
        ),
        (
            {"joint_square": 17 * 17 * 10**12, "joint_weight": 15 * MILLION},
            BUY,
            ("joint_exposure", "joint exposure 20.615528 above 20"),
        ),
        ({"token_exposure": 6_000_001}, BUY, ("token_exposure", "6.000001 + 4 above 10")),
        ({"total_exposure": 16_000_001}, BUY, ("total_exposure", "16.000001 + 4 above 20")),
        ({"cash_free": 3_999_999}, BUY, ("collateral", "order 0 + 4 above 3.999999")),
        ({"shares_free": 9_990_000}, SELL, ("collateral", "0.01 shares short")),
        (
            {"token_exposure": 6_000_000},
            evolve(BUY, post_only=False),
            ("token_exposure", f"6 + 4.{FEE:06d} above 10".replace("000 ", " ")),
        ),
    ],
)
def test_each_check_refuses_beyond_its_limit(
    gate: dict[str, Any], intent: Intent, refused: tuple[str, str]
) -> None:
    """By name, and with the numbers that would have to change.

    Proves: limits.
    """
    name, text = check(gate, intent)

    assert name == refused[0]
    assert refused[1] in text


@pytest.mark.parametrize(
    ("gate", "intent"),
    [
        ({"user_link": "fresh"}, BUY),
        ({"now_ns": MARKET.end_ns - LIMITS.rest_ns_min}, BUY),
        ({"now_ns": 10**19, "market": evolve(MARKET, end_ns=0)}, BUY),  # it names no end
        ({}, evolve(BUY, size=shares(5))),
        ({"book_age_ns": LIMITS.book_age_ns_max}, BUY),
        ({}, evolve(BUY, price=cents(95), size=shares(5))),
        ({}, evolve(BUY, price=cents(95), size=shares(5), token_id=NO)),
        ({"open_orders": 49}, BUY),
        ({"token_exposure": 6_000_000}, BUY),
        ({"total_exposure": 16_000_000}, BUY),
        ({"cash_free": 4_000_000}, BUY),
        ({"oracle_age_ns": LIMITS.oracle_age_ns_max}, BUY),
        ({"divergence_micro": LIMITS.divergence_micro_max}, BUY),
        ({"touch": cents(35)}, evolve(BUY, post_only=False)),
        ({"touch": None}, BUY),
        ({"now_ns": MARKET.end_ns - 1}, evolve(BUY, post_only=False)),
        ({"strategy_exposure": 16_000_000}, BUY),
        ({"condition_exposure": 16_000_000}, BUY),
        ({"event_exposure": 16_000_000}, BUY),
        ({"class_exposure": 16_000_000}, BUY),
        ({"joint_square": 20 * 20 * 10**12 - 16 * 10**12}, BUY),
        ({"token_exposure": 6_000_000 - FEE}, evolve(BUY, post_only=False)),
        ({"cash_free": 4_000_000 + FEE}, evolve(BUY, post_only=False)),
        ({"shares_free": 10 * MILLION}, SELL),
        ({"shares_free": 10 * MILLION}, evolve(SELL, price=cents(99))),  # the cap is on buys
    ],
)
def test_each_check_passes_at_its_limit(gate: dict[str, Any], intent: Intent) -> None:
    """To the last millionth: equality is inside.

    Proves: limits.
    """
    assert check(gate, intent) == ("", "")


def test_a_sale_is_not_refused_for_the_exposure_it_reduces() -> None:
    """Above a limit, selling is the way back under it."""
    above = {
        "token_exposure": 11 * MILLION,
        "total_exposure": 21 * MILLION,
        "cash_free": -1,
        "shares_free": 10 * MILLION,
    }

    assert check(above, SELL) == ("", "")
    assert check(above, BUY)[0] == "token_exposure"


TROUBLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    # of the gate, and of the intent, that make just this check refuse
    "killed": ({"killed": "x"}, {}),
    "phase": ({"phase": "stopping"}, {}),
    "breaker": ({"breaker_open": "venue"}, {}),
    "halted": ({"halted": "daily_loss"}, {}),
    "venue": ({"venue": "venue is restarting"}, {}),
    "version": ({"market": evolve(MARKET, version="v3")}, {}),
    "user_link": ({"user_link": "down"}, {}),
    "market_open": ({"market": evolve(MARKET, accepting_orders=False)}, {}),
    "terms": ({}, {"size": Shares(1)}),
    "book_age": ({"book_state": "down"}, {}),
    "oracle_age": ({"oracle_age_ns": LIMITS.oracle_age_ns_max + 1}, {}),
    "divergence": ({"divergence_micro": LIMITS.divergence_micro_max + 1}, {}),
    "price_cap": ({}, {"price": cents(96)}),
    "touch": ({"touch": None}, {"post_only": False}),
    "late_quote": ({"now_ns": MARKET.end_ns - LIMITS.rest_ns_min + 1}, {}),
    "open_orders": ({"open_orders": 50}, {}),
    "strategy_exposure": ({"strategy_exposure": 16_000_001}, {}),
    "token_exposure": ({"token_exposure": 6_000_001}, {}),
    "condition_exposure": ({"condition_exposure": 16_000_001}, {}),
    "event_exposure": (
        {"event_exposure": 16_000_001, "market": evolve(MARKET, event_id="e")},
        {},
    ),
    "class_exposure": ({"class_exposure": 16_000_001}, {}),
    "joint_exposure": ({"joint_square": 20 * 20 * 10**12 - 16 * 10**12 + 1}, {}),
    "total_exposure": ({"total_exposure": 16_000_001}, {}),
    "collateral": ({"cash_free": 3_999_999}, {}),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_each_trouble_is_refused_by_its_own_check(name: str) -> None:
    """Proves: limits."""
    gate, terms = TROUBLE[name]

    assert check(gate, evolve(BUY, **terms))[0] == name


def test_the_first_refusal_wins_in_the_order_of_the_table() -> None:
    """The kill before all else; the numbers last."""
    assert list(TROUBLE) == [name for name, _ in CHECKS]
    for later, name in enumerate(TROUBLE):
        gate: dict[str, Any] = {}
        terms: dict[str, Any] = {}
        for other in reversed(list(TROUBLE)[later:]):
            gate |= TROUBLE[other][0]
            terms |= TROUBLE[other][1]
        assert check(gate, evolve(BUY, **terms))[0] == name


def test_what_takes_risk_off_need_not_know_what_a_share_is_worth() -> None:
    """An exit with a silent oracle is better than none; an entry is not."""
    blind = {
        "halted": "daily_loss",
        "oracle_age_ns": 10**12,
        "divergence_micro": 10**6,
        "shares_free": 10 * MILLION,
    }
    deep = evolve(SELL, post_only=False, price=cents(1))

    for purpose in ("exit", "flatten", "hedge"):
        assert check(blind, evolve(deep, purpose=purpose)) == ("", "")
    assert check(blind, deep)[0] == "halted"
    assert check({"shares_free": 10 * MILLION}, deep)[0] == "touch"


@pytest.mark.parametrize("spelling", ["BUY", "buy", "Buy"])
def test_the_price_cap_holds_whatever_the_spelling(spelling: str) -> None:
    """A side is read into an enumeration at the edge; "buy" never slips under the cap.

    Proves: limits (price cap).
    """
    side = Side(spelling.upper())

    assert check({}, evolve(BUY, side=side, price=cents(96)))[0] == "price_cap"


# In the kernel.


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def test_an_unknown_order_counts_in_full(script: Script) -> None:
    """We do not know that it is not on the book.

    Proves: A-exec, limits.
    """
    script.sign(script.want(20, 40))
    script.say(order.Timeout(intent_id="i1", reason="reset"))
    assert script.state.exposure(YES) == 8 * MILLION
    assert room(script.state, "test", YES) == 2 * MILLION
    assert script.want(6, 40) is None
    assert script.state.counters["refused:token_exposure"] == 1

    assert script.want(5, 40) is not None
    assert room(script.state, "test", YES) == 0


def test_what_is_held_and_what_is_asked_share_one_limit(script: Script) -> None:
    script.rest(20, 40)
    script.say(script.trade(10))
    assert script.state.exposure(YES) == 8 * MILLION
    script.say(script.trade(10, trade_id="t2"))

    assert script.state.exposure(YES) == 8 * MILLION
    assert script.state.total_exposure() == 8 * MILLION
    assert script.state.exposure(NO) == 0
    assert script.want(25, 48, token_id=NO) is None
    assert script.want(20, 50, token_id=NO) is not None
    assert room(script.state, "test", NO) == 0


def test_a_purchase_counts_in_full_whatever_was_sold_before(script: Script) -> None:
    """Cheap shares, sold, must not make room for dear ones.  Proves: limits."""
    script.rest(20, 10)
    script.say(script.trade(20, 10))
    script.rest(20, 10, side=Side.SELL)
    script.say(script.trade(20, 10, intent_id="i2", trade_id="t2"))
    assert script.state.exposure(YES) == 0

    script.rest(20, 48)
    script.say(script.trade(10, 48, intent_id="i3", trade_id="t3"))

    assert script.state.exposure(YES) == cents(48) * 20
    assert script.want(20, 5) is None


def test_an_old_book_is_not_traded_on(script: Script) -> None:
    """Proves: H4, P1.3."""
    script.now_ns += 3 * SECOND_NS
    assert script.want(5) is not None
    script.now_ns += 1
    assert script.want(5) is None
    assert script.state.counters["refused:book_age"] == 1


def test_a_lost_user_channel_stops_new_orders(script: Script) -> None:
    script.say(facts.LinkDown(link="user", reason="reset"))

    assert script.want(5) is None
    assert script.state.counters["refused:user_link"] == 1
