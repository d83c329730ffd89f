"""When high-probability yes buys, waits, asks a human and sells."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.book import Book, Levels
from polybawt.core.commands import FetchPrint, SignOrder
from polybawt.core.machines import order
from polybawt.core.market import MARKETABLE_BUY_MIN, Market, Side
from polybawt.core.signals.flow import Flow
from polybawt.core.strategies import Intent, View
from polybawt.core.strategies.high_yes import HighYes
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, cost_up
from tests.core.script import LIMITS, MARKET, T0, YES, Script, cents, shares

HOUR = 3_600 * SECOND_NS
LONG = evolve(MARKET, symbol="", end_ns=T0 + 24 * HOUR, question="Will it?", slug="will-it")
BIDS: Levels = ((cents(91), shares(100)),)
ASKS: Levels = ((cents(95), shares(500)), (cents(93), shares(100)))
PLAIN = HighYes()


def a_flow(price: float = 93, size: float | None = 50, age_s: float = 1) -> Flow:
    return Flow(
        last_price=cents(price),
        last_ns=T0 - round(age_s * SECOND_NS),
        last_size=None if size is None else shares(size),
        last_token=YES,
    )


def a_book(bids: Levels = BIDS, asks: Levels = ASKS, market: Market = LONG) -> Book:
    book = Book(market)
    book.replace(YES, bids, asks)
    return book


def a_view(**other: Any) -> View:
    terms: dict[str, Any] = {
        "now_ns": T0,
        "market": LONG,
        "book": a_book(),
        "book_fresh": True,
        "oracle": None,
        "strike_e18": 0,
        "orders": (),
        "bankroll": Usdc(1_000 * MILLION),
        "rooms": (Usdc(10 * MILLION), Usdc(10 * MILLION)),
        "flow": a_flow(),
    }
    return View(**(terms | other))


def wish(view: View, strategy: HighYes = PLAIN) -> Intent | None:
    made = strategy.decide(view)
    assert all(isinstance(one, Intent) for one in made)
    return made[0] if made else None  # type: ignore[return-value]


def test_it_takes_the_ask_of_yes_when_yes_traded_high() -> None:
    """At the price of the book, once per threshold, with an edge to what it believes."""
    made = wish(a_view())

    assert made is not None
    assert (made.token_id, made.side, made.price) == (YES, Side.BUY, cents(93))
    assert (made.threshold, made.purpose, made.approval) == (PLAIN.threshold, "entry", False)
    assert not made.post_only
    assert MARKETABLE_BUY_MIN <= cost_up(made.price, made.size) <= PLAIN.order_notional_max


@pytest.mark.parametrize(("price", "buys"), [(90, True), (89.9, False), (20, False)])
def test_the_threshold_itself_is_enough(price: float, buys: bool) -> None:
    near = a_book(asks=((cents(91), shares(100)),), bids=())
    wide = evolve(PLAIN, apart_max=MILLION)

    assert (wish(a_view(flow=a_flow(price), book=near), wide) is not None) is buys


@pytest.mark.parametrize(("size", "buys"), [(50, True), (49.99, False), (None, False)])
def test_the_size_filter_passes_at_exactly_50(size: float | None, buys: bool) -> None:
    """And what is unknown waits for its look-up: it is neither small nor large.

    Proves: B-strat, G3.
    """
    assert (wish(a_view(flow=a_flow(size=size))) is not None) is buys


def test_an_unknown_size_is_told_from_a_small_one() -> None:
    """Proves: G3."""
    assert PLAIN.objection(a_view(flow=a_flow(size=None))) == "the trade is of unknown size"
    assert "only" in PLAIN.objection(a_view(flow=a_flow(size=0)))


@pytest.mark.parametrize(("left_ns", "buys"), [(6 * HOUR, True), (6 * HOUR - 1, False)])
def test_the_time_filter_passes_at_exactly_6_hours(left_ns: int, buys: bool) -> None:
    """Proves: B-strat."""
    market = evolve(LONG, end_ns=T0 + left_ns)

    assert (wish(a_view(market=market)) is not None) is buys


def test_a_market_that_names_no_end_is_not_entered() -> None:
    assert wish(a_view(market=evolve(LONG, end_ns=0))) is None


@pytest.mark.parametrize(
    ("age_s", "buys"), [(0, True), (300, True), (300.001, False), (-0.001, False), (-3_600, False)]
)
def test_an_old_trade_and_one_of_the_future_never_trigger(age_s: float, buys: bool) -> None:
    """A 0.95 of two months ago met a market at 0.05. Proves: G1."""
    assert (wish(a_view(flow=a_flow(age_s=age_s))) is not None) is buys


@pytest.mark.parametrize("flow", [None, Flow()])
def test_without_a_trade_there_is_no_signal(flow: Flow | None) -> None:
    assert wish(a_view(flow=flow)) is None


@pytest.mark.parametrize(
    ("ask", "buys"), [(5, False), (90, False), (91, True), (95, True), (96, False)]
)
def test_the_price_to_be_paid_must_bear_the_print_out(ask: float, buys: bool) -> None:
    """One share at an absurd level is a print too. Proves: G5, limits."""
    book = a_book(asks=((cents(ask), shares(100)),), bids=())

    assert (wish(a_view(book=book)) is not None) is buys


def test_it_pays_no_more_than_its_own_cap() -> None:
    """However near the print is to the ask. Proves: limits."""
    near = evolve(PLAIN, apart_max=MILLION, fair=cents(99))
    book = a_book(asks=((cents(96), shares(100)),))

    assert wish(a_view(book=book), near) is None
    assert wish(a_view(book=book), evolve(near, price_max=cents(96))) is not None


def test_an_empty_side_and_a_doubtful_book_are_not_traded_on() -> None:
    """Proves: G5."""
    assert wish(a_view(book=a_book(asks=()))) is None
    assert wish(a_view(book_fresh=False)) is None


def test_it_takes_no_more_than_is_offered() -> None:
    """What is left would rest, at the price of those who know more. Proves: G5."""
    made = wish(a_view(book=a_book(asks=((cents(93), Shares(5_010_000)),))))
    bare = wish(a_view(book=a_book(asks=((cents(93), Shares(4_990_000)),))))

    assert made is not None
    assert made.size == Shares(5_010_000)
    assert bare is None


def test_a_barred_kind_is_not_entered() -> None:
    """By its tags, and by the words of a title that has none. Proves: G6."""
    assert wish(a_view(market=evolve(LONG, tags=("weather",)))) is None
    assert wish(a_view(market=evolve(LONG, question="Highest temperature in Rome?"))) is None
    assert wish(a_view(market=evolve(LONG, question="Rainbow Six Siege: A or B?"))) is not None


def test_no_edge_no_trade() -> None:
    """Fees are part of the price. Proves: A-alpha, M7."""
    assert wish(a_view(), evolve(PLAIN, fair=cents(93))) is None
    assert wish(a_view(bankroll=Usdc(0))) is None
    assert wish(a_view(rooms=(Usdc(900_000), Usdc(0)))) is None


def test_the_watchlist_is_only_proposed() -> None:
    """By condition id or slug; everything, if the operator so wishes. Proves: A-strat."""
    for listed in (LONG.condition_id, LONG.slug):
        made = wish(a_view(), evolve(PLAIN, watchlist=("other", listed)))
        assert made is not None
        assert made.approval
    everything = wish(a_view(), evolve(PLAIN, approval=True))
    assert everything is not None
    assert everything.approval
    other = wish(a_view(), evolve(PLAIN, watchlist=("other",)))
    assert other is not None
    assert not other.approval


def test_a_threshold_that_was_traded_on_is_spent() -> None:
    """Proves: G2."""
    assert wish(a_view(spent=(PLAIN.threshold,))) is None


HELD = (shares(8.005), Shares(0))


@pytest.mark.parametrize(("stop", "sells"), [(0, False), (90, False), (89.99, False), (91, True)])
def test_it_holds_to_the_end_or_sells_at_its_stop(stop: float, sells: bool) -> None:
    strategy = HighYes(threshold=cents(95), stop=cents(stop))
    made = wish(a_view(held=HELD, spent=strategy.thresholds), strategy)

    assert (made is not None) is sells
    if made is not None:
        assert (made.side, made.purpose, made.price) == (Side.SELL, "exit", cents(91))
        assert (made.size, made.threshold, made.approval) == (shares(8), Price(0), False)


def test_less_than_the_minimum_cannot_be_sold() -> None:
    strategy = HighYes(threshold=cents(95), stop=cents(91))

    assert wish(a_view(held=(shares(4), Shares(0)), spent=strategy.thresholds), strategy) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0},
        {"threshold": 960_000},
        {"price_max": MILLION, "threshold": 950_000},
        {"stop": 900_000},
        {"stop": -1},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    """Proves: M3."""
    with pytest.raises(ValueError, match=r"threshold|stop"):
        HighYes(**wrong)


# In the kernel.


def begun(strategy: HighYes) -> Script:
    config = evolve(Script().config, strategies=(strategy,), limits=LIMITS)
    script = Script(config=config, market=LONG).start()
    script.quote(bids=BIDS, asks=ASKS)
    return script


def printed(script: Script, size: float | None = 50, **other: Any) -> None:
    terms: dict[str, Any] = {
        "condition_id": LONG.condition_id, "token_id": YES, "price": cents(93),
        "price_text": "0.93", "shares": None if size is None else shares(size),
        "side": Side.BUY, "timestamp_ms": script.now_ns // MS_NS,
    }  # fmt: skip
    script.say(facts.LastTrade(**(terms | other)))
    script.wait(1)


def test_it_trades_once_however_often_the_signal_comes() -> None:
    """Proves: G2, A-strat."""
    script = begun(PLAIN)
    printed(script)
    assert len(script.ever(SignOrder)) == 1
    script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))
    script.say(order.AckLive(intent_id="i1"))
    script.say(order.ReadClosed(intent_id="i1", matched=Shares(0), outcome="expired"))
    for _ in range(5):
        script.quote(bids=BIDS, asks=ASKS)
        printed(script)

    assert len(script.ever(SignOrder)) == 1
    assert script.state.counters.get("refused", 0) == 0  # it knows, and does not ask


def test_a_print_without_a_size_trades_when_its_size_is_known() -> None:
    """Proves: G3."""
    script = begun(PLAIN)
    printed(script, None)
    assert script.ever(SignOrder) == []
    (asked,) = script.ever(FetchPrint)
    printed(script, 50, timestamp_ms=asked.timestamp_ms, source="rest")

    assert len(script.ever(SignOrder)) == 1


def test_what_is_on_the_watchlist_waits_for_a_human() -> None:
    """Proves: A-strat."""
    script = begun(evolve(PLAIN, watchlist=(LONG.slug,)))
    printed(script)
    assert script.ever(SignOrder) == []
    (asked,) = script.state.approvals.values()
    script.say(facts.ApproveRequested(approval_id="a1", actor="ann", terms=asked.terms))

    assert len(script.ever(SignOrder)) == 1
    assert len(script.state.triggers) == 2
    printed(script)
    assert list(script.state.approvals) == ["a1"]
