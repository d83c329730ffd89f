"""What the public prints say of now, and what becomes of one that came without its size."""

from typing import Any

import pytest

from polybawt.core import facts
from polybawt.core.commands import FetchPrint
from polybawt.core.market import Side
from polybawt.core.prints import LOOK_UPS_MAX
from polybawt.core.units import MS_NS, SECOND_NS, Price, Shares
from tests.core.script import MARKET, NO, YES, Script, cents, shares


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.quote()
    return script


def printed(script: Script, size: float | None = 50, age_s: float = 0, **other: Any) -> None:
    terms: dict[str, Any] = {
        "condition_id": MARKET.condition_id,
        "token_id": YES,
        "price": cents(93),
        "price_text": "0.93",
        "shares": None if size is None else shares(size),
        "side": Side.BUY,
        "timestamp_ms": (script.now_ns - round(age_s * SECOND_NS)) // MS_NS,
    }
    script.say(facts.LastTrade(**(terms | other)))


def last(script: Script) -> tuple[Price, Shares | None]:
    flow = script.state.flows[MARKET.condition_id]
    return flow.last_price, flow.last_size


def test_the_newest_print_stands_whatever_order_they_come_in(script: Script) -> None:
    printed(script, 50)
    printed(script, 10, age_s=5, price=cents(20))

    assert last(script) == (cents(93), shares(50))


def test_a_print_of_the_no_token_is_told_in_the_price_of_yes(script: Script) -> None:
    printed(script, token_id=NO, price=cents(6))

    assert last(script) == (cents(94), shares(50))


@pytest.mark.parametrize(("ahead_s", "heard"), [(1, True), (3, False), (3_600, False)])
def test_a_print_of_the_future_says_nothing(script: Script, ahead_s: int, heard: bool) -> None:
    """It would be the newest for as long as it is to come. Proves: G1."""
    printed(script, age_s=-ahead_s)

    assert (script.state.flows[MARKET.condition_id].last_ns > 0) is heard
    assert script.state.counters.get("future_prints", 0) == (0 if heard else 1)


@pytest.mark.parametrize(("age_s", "heard"), [(300, True), (301, False)])
def test_an_old_print_says_nothing_of_now(script: Script, age_s: int, heard: bool) -> None:
    """Proves: G1."""
    printed(script, age_s=age_s)

    assert (script.state.flows[MARKET.condition_id].last_ns > 0) is heard


def test_a_print_without_a_size_is_looked_up(script: Script) -> None:
    """It is unknown, not small. Proves: G3."""
    printed(script, None, token_id=NO, price=cents(7))
    assert last(script) == (cents(93), None)
    script.wait(1)

    asked = FetchPrint(
        condition_id=MARKET.condition_id,
        token_id=NO,
        price=cents(7),
        timestamp_ms=script.state.flows[MARKET.condition_id].last_ns // MS_NS,
    )
    assert script.of(FetchPrint) == [asked]
    script.wait(1)
    assert script.of(FetchPrint) == []  # not at once again
    for _ in range(5):
        script.wait(1)
    assert script.ever(FetchPrint) == [asked, asked]


def test_the_answer_completes_the_print_and_its_volume_once(script: Script) -> None:
    """Proves: G3, H1."""
    printed(script, None)
    at_ms = script.now_ns // MS_NS
    for _ in range(2):
        printed(script, 60, timestamp_ms=at_ms, source="rest", price_text="")

    flow = script.state.flows[MARKET.condition_id]
    assert (flow.last_size, flow.begun, flow.signed) == (shares(60), shares(60), shares(60))
    assert script.state.books[MARKET.condition_id].last_trade == "0.93"
    assert script.state.counters["completed_prints"] == 1
    script.wait(10)
    assert script.ever(FetchPrint) == []


def test_an_answer_about_an_older_print_changes_nothing(script: Script) -> None:
    printed(script, None)
    script.wait(1)
    printed(script, None, price=cents(92))
    printed(script, 60, age_s=1, source="rest")

    assert last(script) == (cents(92), None)


def test_what_is_too_old_to_matter_is_not_looked_up(script: Script) -> None:
    printed(script, None)
    script.now_ns += 301 * SECOND_NS
    script.wait()

    assert script.of(FetchPrint) == []


def test_only_so_many_are_looked_up_at_once(script: Script) -> None:
    """A venue that leaves out every size must not use up our reads."""
    known = script.state.flows
    printed(script, None)
    flow = known[MARKET.condition_id]
    for number in range(10):
        condition = f"0xd{number}"
        known[condition] = flow
        script.state.markets[condition] = MARKET
        script.state.settlements[condition] = script.state.settlements[MARKET.condition_id]
    script.wait(1)

    assert len(script.of(FetchPrint)) == LOOK_UPS_MAX


@pytest.mark.parametrize(
    "absurd",
    [
        {"token_id": ""},
        {"condition_id": " "},
        {"price": Price(0)},
        {"price": Price(1_000_000)},
        {"shares": Shares(0)},
        {"shares": Shares(-1)},
        {"timestamp_ms": 0},
    ],
)
def test_an_absurd_print_is_refused_at_the_door(script: Script, absurd: dict[str, Any]) -> None:
    """Missing and empty identifiers among them. Proves: B-core."""
    printed(script, **absurd)

    assert script.state.counters["absurd"] == 1
    assert MARKET.condition_id not in script.state.flows


@pytest.mark.parametrize(
    "fact",
    [
        facts.OrderPushed(order_id="", kind="PLACEMENT", status="LIVE", matched=None),
        facts.TickSizeChanged(condition_id="", token_id=YES, tick=cents(1)),
        facts.TickSizeChanged(condition_id="0xc1", token_id="", tick=cents(1)),
        facts.PriceChanged(condition_id="", timestamp_ms=1, changes=()),
        facts.MarketResolved(
            condition_id="",
            yes_payout=1_000_000,
            no_payout=0,
            source="gamma",  # type: ignore[arg-type]
        ),
    ],
)
def test_what_names_nothing_is_refused_at_the_door(script: Script, fact: Any) -> None:
    """Proves: B-core."""
    script.say(fact)

    assert script.state.counters["absurd"] == 1
