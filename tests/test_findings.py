"""The requirement ledger, made executable: one test for each of its lines, the id in its name.

Each is a small story through the kernel or the wire; the many cases of a line, its edges and its
mishaps, stand with the module that does the work.  A line whose test is gone has no proof.
"""

import asyncio
from typing import Any

import pytest
from attrs import evolve
from cattrs.errors import BaseValidationError

from polybawt.core import facts
from polybawt.core.breakers import DAILY_LOSS, halted
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.commands import (
    CancelAll,
    CancelOrder,
    Convert,
    FetchBook,
    FetchPrint,
    PostOrder,
    ReadBalance,
    ReadOpenOrders,
    ReadOrder,
    ReadTrades,
    SignOrder,
)
from polybawt.core.machines import conversion, order
from polybawt.core.machines.order import ENDED
from polybawt.core.market import Side
from polybawt.core.risk import CHECKS
from polybawt.core.signals.flow import Flow
from polybawt.core.signals.lead import LeadModel, weight
from polybawt.core.sizing import cost_per_share, kelly_stake
from polybawt.core.state import Config
from polybawt.core.strategies import Intent, Withdraw, registry
from polybawt.core.strategies.ensemble import Ensemble
from polybawt.core.strategies.high_yes import HighYes
from polybawt.core.strategies.subjects import WEATHER_WORDS, is_about
from polybawt.core.strategies.value import Value
from polybawt.core.tiers import Tiers
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc
from polybawt.engine.config import SETTINGS
from polybawt.venue import wire, wire_gamma
from tests.core import test_converting, test_drifts, test_exits, test_halts, test_hedging
from tests.core.script import CASH, LIMITS, MARKET, NO, QUIET, T0, T0_S, YES, Script, cents, shares
from tests.core.strategies import test_arbitrage, test_high_yes, test_snipe, test_value
from tests.core.test_outcomes import end, hold, outcome, report, resolution
from tests.venue.loopback import RESET, Say
from tests.venue.test_gamma import ROW, gamma_with, page, row

E18 = 10**18


@pytest.fixture
def script() -> Script:
    """An engine that trades: its links up, its market listed, its book known."""
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


# 1. Machines and accounting.


def test_c1_p0_1_only_a_published_outcome_pays_and_to_the_micro_unit(script: Script) -> None:
    """Sure of the outcome ourselves we wait; proposed and disputed are told; then it is exact."""
    script.say(report(T0_S, 100))
    hold(script, 10.01, 33)
    end(script)
    script.say(report(T0_S + 300, 101))
    script.say(facts.ResolutionReported(condition_id="0xc1", status="disputed", source="gamma"))
    script.wait(600)
    assert outcome(script) == ("observed", "yes")
    cash = script.state.ledger.cash

    script.say(resolution(MILLION))

    assert outcome(script)[0] == "paid"
    assert script.state.ledger.cash == cash + shares(10.01)


def test_h5_p1_2_p3_4_an_order_has_its_identity_before_it_is_sent_and_is_sent_once(
    script: Script,
) -> None:
    """Whatever is lost, in whatever process, the bytes of one intent leave once."""
    assert script.want() is not None
    assert script.ever(PostOrder) == []  # not before it is signed
    script.say(order.Sign(intent_id="i1", order_id="0xabc", payload="bytes"))
    (post,) = script.of(PostOrder)
    assert (post.order_id, post.payload) == ("0xabc", "bytes")
    script.say(order.Timeout(intent_id="i1", reason="silence"))
    for _ in range(5):
        script.wait(1)
    script.state = decode_state(encode_state(script.state))
    script.start()
    script.wait(5)

    assert len(script.ever(PostOrder)) == 1
    assert script.ever(ReadOrder)


def test_h6_p1_5_a_cancel_is_a_request_and_a_thousand_of_them_leave_no_orphan() -> None:
    """Every one stays asked for until the venue's record agrees, some only at the second time."""
    script = Script(config=evolve(QUIET, tiers=Tiers(errors_micro=MILLION))).start()
    for turn in range(1, 1_001):
        script.now_ns += SECOND_NS
        script.say(*(facts.LinkHeard(link=link) for link in ("market", "user", "oracle")))
        script.market = MARKET
        if turn % 100 == 1:
            script.now_ns += 60 * SECOND_NS  # what has ended leaves memory
            script.say(facts.Tick())
        state = script.state
        state.markets["0xc1"] = evolve(MARKET, end_ns=script.now_ns + 600 * SECOND_NS)
        script.quote()
        name = script.rest(5, 20)
        script.say(*_cancel(script, name))
        assert script.order(name).state == "pending_cancel"
        if turn % 3 == 0:
            script.say(order.CancelTimeout(intent_id=name, reason="silence"))
            script.say(order.ReadOpen(intent_id=name, matched=Shares(0)))  # it lives: ask again
            script.say(*_cancel(script, name))
            assert script.of(CancelOrder)
        script.say(order.CancelDone(intent_id=name))
        assert script.order(name).state not in ENDED  # said, and not yet seen
        script.say(order.ReadClosed(intent_id=name, matched=Shares(0), outcome="cancelled"))

    assert not list(script.state.open_orders())
    assert script.state.cash_free() == script.state.ledger.cash == CASH
    assert script.state.counters["order:cancelled"] == 1_000


def _cancel(script: Script, intent_id: str) -> tuple[Withdraw]:
    """A strategy no longer wants it."""
    return (Withdraw(at_ns=script.now_ns, intent_id=intent_id, reason="moved"),)


def test_a_exec_an_answer_that_does_not_come_is_unknown_until_it_is_reconciled(
    script: Script,
) -> None:
    """Neither failed nor accepted: its money stays reserved, and its record decides."""
    script.sign(script.want(10, 40))
    script.say(order.Timeout(intent_id="i1", reason="silence"))
    assert script.order().state == "unknown"
    assert script.state.reserved(script.order()) == 4 * MILLION
    assert script.wait(1.1)
    assert script.of(ReadOrder)

    script.say(order.ReadOpen(intent_id="i1", matched=Shares(0)))

    assert script.order().state == "live"


def test_a_exec_b_exec_no_status_is_dropped_and_fills_count_once_in_any_order(
    script: Script,
) -> None:
    """Unknown words are alarms; a fill repeated, reordered, or late after a cancel counts once."""
    script.rest(10, 40)
    script.say(facts.OrderPushed(order_id="0xid-i1", kind="UPDATE", status="HUH", matched=None))
    script.say(script.trade(1, status="WHAT", trade_id="odd"))
    alarms = [n.name for n in script.state.notices if n.severity in ("warning", "critical")]
    assert len(alarms) >= 2
    script.say(script.trade(4, status="CONFIRMED"), script.trade(4), script.trade(4))
    script.say(*_cancel(script, "i1"))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(4), outcome="cancelled"))
    script.say(script.trade(6, trade_id="late"), script.trade(6, trade_id="late"))

    assert script.state.positions[YES].shares == shares(10)
    assert script.state.ledger.cash == CASH - 4 * MILLION


def test_b_exec_what_is_reserved_is_what_the_open_orders_may_still_take(script: Script) -> None:
    """On intent, less with each fill, nothing after the end; and so in a snapshot."""

    def reserved() -> int:
        return script.state.ledger.cash - script.state.cash_free()

    script.want(10, 40)
    assert reserved() == 4 * MILLION
    script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))
    script.say(order.AckLive(intent_id="i1"), script.trade(4))
    assert reserved() == round(2.4 * MILLION)
    script.state = decode_state(encode_state(script.state))
    assert reserved() == round(2.4 * MILLION)
    script.say(order.Ended(at_ns=script.now_ns, intent_id="i1", reason=""))
    script.say(order.ReadClosed(intent_id="i1", matched=shares(4), outcome="expired"))
    assert reserved() == 0
    taker = script.want(10, 60, post_only=False)
    assert taker is not None
    assert reserved() == 6 * MILLION + MARKET.fees.fee_up(cents(60), shares(10))
    script.sign(taker)
    script.say(order.Reject(intent_id=taker.intent_id, reason="no"))
    assert reserved() == 0


def test_b_exec_a_position_closes_on_fills_and_not_on_an_exit_that_was_sent() -> None:
    """Half of it is sold: half of it is still there, and asked for again."""
    test_exits.test_an_exit_that_expires_is_placed_again_and_closes_on_its_fills()


def test_a_port_each_strategy_has_its_own_profit_fees_and_streak(script: Script) -> None:
    """Integers all through; what is closed leaves memory."""
    for name, count, trade in (("test", 10, "t1"), ("other", 5, "t2")):
        made = script.want(count, 60, strategy=name, post_only=False)
        script.sign(made)
        assert made is not None
        for status in ("MATCHED", "CONFIRMED"):
            told = script.trade(
                count, 60, status, trade_id=trade, intent_id=made.intent_id, taker=True
            )
            script.say(told)
    ledger, fee = script.state.ledger, MARKET.fees.fee_up(cents(60), shares(10))
    held = script.state.positions[YES]
    assert (held.shares, held.entry) == (shares(15), cents(60))
    assert ledger.outlay("test", YES) == 6 * MILLION + ledger.fees_paid("test")
    assert 0 < ledger.fees_paid("test") <= fee
    end(script)
    script.wait(91)
    script.say(resolution(0))
    script.wait(1)
    for _ in range(40):
        script.wait(1)

    for name in ("test", "other"):
        score = script.state.scores[name]
        assert (score.losses, score.losing, score.wins) == (1, 1, 0)
        assert score.realised == ledger.profit(name, lambda _: Price(0)) < 0
    assert all(type(n) is int for held in ledger.balances.values() for n in held.values())
    assert (ledger.imbalance(), ledger.holdings, script.state.positions) == (0, {}, {})


def test_m8_p2_3_every_change_of_a_book_marks_what_is_held(script: Script) -> None:
    """Nobody has to ask for it."""
    hold(script, 10, 40)
    before = script.state.pnl()
    assert before == 10 * (cents(50) - cents(40))
    script.quote(bids=((cents(70), shares(100)),), asks=((cents(80), shares(100)),))

    assert script.state.pnl() == 10 * (cents(75) - cents(40))


def test_p2_4_a_difference_with_the_venue_is_told_and_repaired_with_evidence() -> None:
    """Asked every thirty seconds; one reading is a doubt, two that agree are a drift."""
    script = Script().start()
    script.wait(1)
    script.quote()
    test_drifts.test_every_thirty_seconds_everything_is_asked_again(script)
    kept = Script().start()
    kept.wait(1)
    kept.quote()
    test_drifts.test_a_difference_that_two_readings_agree_on_is_booked_as_drift(kept, 3)

    assert {ReadTrades, ReadOpenOrders, ReadBalance} <= {type(c) for c in script.all_said}


def test_h7_p2_1_the_second_leg_is_as_large_as_the_fills_of_the_first_and_priced_by_depth() -> None:
    """Six of ten were bought, six are covered; and what nothing covers in time is sold again."""
    script = test_hedging.begun()
    lead = test_hedging.acked(script, "i1")
    script.say(script.trade(6, 30, intent_id=lead))
    first, cover = script.ever(SignOrder)
    assert (first.token_id, first.size) == (YES, shares(10))
    assert (cover.token_id, cover.side, cover.size) == (NO, Side.BUY, shares(6))
    assert cover.price == cents(61)  # the depth of six shares, and a tick for slippage

    test_hedging.test_a_leg_that_nothing_covers_in_time_is_sold_again()


def test_h2_p2_2_a_set_below_a_dollar_is_bought_and_merged_and_one_above_is_sold() -> None:
    """Out of what is held, in matched sizes, or of what is split for it."""
    test_arbitrage.test_a_crossed_book_is_sold_out_of_what_is_held_or_after_a_split()
    test_arbitrage.test_a_book_that_crosses_itself_is_bought_whole_and_merged()
    script = test_converting.holding_a_set()
    cash = script.state.ledger.cash
    script.say(test_converting.swap("merge", 10))
    assert script.of(Convert)
    test_converting.through(
        script, conversion.SeenMoving, conversion.SeenMined, conversion.SeenConfirmed
    )

    assert script.state.ledger.cash - cash == 10 * MILLION


def test_b_core_g2_a_trigger_trades_once_and_a_failed_order_frees_it(script: Script) -> None:
    """Per token and per condition, both by the fact that makes the order."""
    script.want(5, 40, threshold=cents(95))
    assert len(script.state.triggers) == 2
    assert script.want(5, 40, threshold=cents(95)) is None
    assert script.want(5, 40, threshold=cents(95), token_id=NO) is None
    script.say(order.Sign(intent_id="i1", order_id="0xid-i1", payload="{}"))
    script.say(order.Reject(intent_id="i1", reason="no"))
    for _ in range(12):
        script.wait(10)
        script.say(*(facts.LinkHeard(link=link) for link in ("market", "user", "oracle")))
    script.quote()
    again = script.want(5, 40, threshold=cents(95))
    assert again is not None
    assert again.intent_id == "i2"
    script.say(order.Sign(intent_id="i2", order_id="0xid-i2", payload="{}"))
    script.say(order.AckLive(intent_id="i2"))

    assert {held.state for held in script.state.triggers.values()} == {"fired"}


# 2. Market data and signals.


@pytest.mark.parametrize(("age_ms", "trades"), [(300_000, True), (300_001, False)])
def test_g1_an_old_trade_never_triggers(age_ms: int, trades: bool) -> None:
    """300 s by default, to the millisecond."""
    script = test_high_yes.begun(HighYes())
    script.now_ns += 400 * SECOND_NS
    script.say(*script.links()[3:])
    script.quote(bids=test_high_yes.BIDS, asks=test_high_yes.ASKS)
    printed_ms = script.now_ns // MS_NS - age_ms
    script.say(
        facts.LastTrade(
            condition_id="0xc1", token_id=YES, price=cents(93), price_text="0.93",
            shares=shares(50), side=Side.BUY, timestamp_ms=printed_ms,
        )
    )  # fmt: skip
    assert bool(script.state.flows["0xc1"].last_ns) is trades  # an older one is not remembered
    script.state.timers.clear()  # it was looked at in this moment, before the trade
    script.wait(0)

    assert bool(script.ever(SignOrder)) is trades


def test_g3_a_trade_without_a_size_is_looked_up_and_not_too_small() -> None:
    """It trades as soon as its size is known, and not before."""
    script = test_high_yes.begun(HighYes())
    test_high_yes.printed(script, None)
    assert script.ever(SignOrder) == []
    (asked,) = script.ever(FetchPrint)
    test_high_yes.printed(script, 50, timestamp_ms=asked.timestamp_ms, source="rest")

    assert len(script.ever(SignOrder)) == 1


def test_g5_b_core_the_price_that_would_be_paid_is_looked_at_and_not_the_triggers() -> None:
    """A print of 0.93 in a book that asks 0.97 is no signal; nor may an order reach beyond it."""
    asks = ((cents(97), shares(100)),)
    assert test_high_yes.wish(test_high_yes.a_view(book=test_high_yes.a_book(asks=asks))) is None
    assert test_high_yes.wish(test_high_yes.a_view()) is not None
    moved = test_high_yes.a_view(flow=test_high_yes.a_flow(90.5))  # three cents below the ask
    assert test_high_yes.wish(moved) is None
    script = Script().start()
    script.quote()
    assert script.want(10, 66, post_only=False) is None  # six ticks beyond the ask

    assert script.state.counters["refused:touch"] == 1


@pytest.mark.parametrize(
    ("title", "barred"),
    [
        ("Rainbow Six Siege: who wins the major?", False),
        ("Will it rain in Kyiv on May 3?", True),
        ("Ukraine ceasefire in May?", False),
        ("Who wins the Bahrain Grand Prix?", False),
    ],
)
def test_g6_category_filters_match_whole_words(title: str, barred: bool) -> None:
    """A game with a rainbow in its name is no weather."""
    market = evolve(MARKET, question=title, slug="x", category="", tags=())

    assert is_about(market, ("weather",), ("rain", *WEATHER_WORDS)) is barred


@pytest.mark.parametrize(
    ("size", "left_ns", "trades"),
    [
        (50, 6 * 3_600 * SECOND_NS, True),
        (49.99, 6 * 3_600 * SECOND_NS, False),
        (50, 6 * 3_600 * SECOND_NS - 1, False),
    ],
)
def test_b_strat_filters_pass_at_exactly_50_shares_and_6_hours(
    size: float, left_ns: int, trades: bool
) -> None:
    """The bound itself is good enough."""
    market = evolve(test_high_yes.LONG, end_ns=T0 + left_ns)
    view = test_high_yes.a_view(market=market, flow=test_high_yes.a_flow(size=size))

    assert (test_high_yes.wish(view) is not None) is trades


@pytest.mark.parametrize("missing", ["conditionId", "slug", "clobTokenIds"])
def test_b_core_what_has_no_identifier_is_refused_at_the_edge(missing: str) -> None:
    """Missing or empty: half a market would be traded for another."""
    without = {name: value for name, value in ROW.items() if name != missing}
    for odd in (without, row(**{missing: ""})):
        with pytest.raises(wire.READ_ERRORS):
            wire_gamma.market(odd)


def test_h1_p1_3_vpin_counts_real_trades_and_no_book(script: Script) -> None:
    """A thousand changes of a book move nothing; trades fill buckets with their sides."""
    for price in range(30, 50):
        script.quote(bids=((cents(price), shares(9_999)),))
    assert "0xc1" not in script.state.flows or script.state.flows["0xc1"].vpin is None
    for nth in range(20):
        script.say(
            facts.LastTrade(
                condition_id="0xc1", token_id=YES if nth % 2 else NO, price=cents(50),
                price_text="0.5", shares=shares(250), side=Side.BUY if nth % 2 else Side.SELL,
                timestamp_ms=script.now_ns // MS_NS,
            )
        )  # fmt: skip

    assert script.state.flows["0xc1"].vpin == 1.0  # buying yes and selling no are one side


def test_h4_p1_4_a_book_older_than_three_seconds_is_fetched_and_not_traded(script: Script) -> None:
    """The age of the book at every decision is what the gate was told: three seconds at most."""
    script.wait(3.1)
    assert script.want() is None
    script.wait(0.1)
    assert script.of(FetchBook)
    assert script.state.counters["refused:book_age"] == 1
    ages = []
    for _ in range(40):
        script.wait(0.5)
        if script.of(FetchBook) or script.now_ns % (2 * SECOND_NS) == 0:
            script.say(*script.links()[3:])
            script.quote()
        if script.want(5, 1) is not None:
            ages.append(script.state.book_age_ns(YES))

    assert len(ages) > 10
    assert sorted(ages)[len(ages) * 95 // 100] < 5 * SECOND_NS


def test_c2_p0_2_without_the_oracle_nothing_is_entered_and_apart_from_spot_all_is_withdrawn() -> (
    None
):
    """Five seconds of silence bar entries, whatever spot says; 0.3 % apart cancels what rests."""
    script = Script(config=evolve(QUIET, limits=Config().limits)).start()
    script.wait(1)
    script.quote()
    now_ms = script.now_ns // MS_NS
    script.say(facts.SpotReported(symbol="btc/usd", value_e18=100 * E18, spot_ms=now_ms))
    assert script.want() is None  # spot is no substitute
    assert script.state.counters["refused:oracle_age"] == 1
    script.say(report(script.now_ns // SECOND_NS, 100))
    assert script.want() is not None
    test_halts.test_oracle_and_spot_apart_cancel_what_rests(100_302, cancels=True)


def test_a_alpha_a_signal_fades_and_a_stake_is_of_the_edge_after_fees() -> None:
    """Half of it is gone after its half-life; without an edge that the fee leaves, nothing."""
    weights = [weight(age_ms, LeadModel()) for age_ms in range(0, 3_000, 250)]
    assert weights[0] == 1.0
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] < 0.5
    free, room = evolve(test_snipe.SNIPE, order_notional_max=CASH), (CASH, CASH)
    far, near = (
        free.decide(
            test_snipe.view(
                market=evolve(MARKET, end_ns=test_value.NOW + left * SECOND_NS), rooms=room
            )
        )
        for left in (120, 20)
    )
    assert isinstance(far[0], Intent)
    assert isinstance(near[0], Intent)
    assert near[0].size < far[0].size
    cost = cost_per_share(MARKET, cents(50), taker=True)
    assert cost > cents(50)

    def stake(fair: int) -> int:
        return kelly_stake(fair=Price(fair), cost=cost, bankroll=CASH, fraction_micro=MILLION)

    assert stake(cost) == stake(cents(51)) == 0
    assert stake(cost + 10_000) == CASH * 10_000 // (MILLION - cost)


@pytest.mark.parametrize("status", [425, 429, 500, 503])
async def test_m2_b_ing_discovery_asks_again_and_what_is_cancelled_stays_so(status: int) -> None:
    """After refusals and broken connections the listing is whole; a cancel ends the waiting."""
    steps: list[Say | str] = [Say(status, {"error": "x"}), RESET, page(ROW)]
    async with gamma_with(*steps) as (gamma, server):
        assert [type(fact) for fact in await gamma.markets()] == [facts.MarketListed]
        assert len(server.heard) == 3
        server.then(*[Say(status, {"error": "x"})] * 50)
        asking = asyncio.create_task(gamma.markets())
        while len(server.heard) < 4:
            await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking


def test_a_exec_b_ing_quiet_is_alive_never_heard_is_not_and_a_wrong_hash_is_fetched() -> None:
    """PONG keeps a quiet book; a stream that never spoke is not trusted; a doubt is read again."""
    script = Script().start()
    script.quote()
    for _ in range(20):
        script.wait(1)
        script.say(*script.links()[3:])  # nothing but PONG
    assert script.want() is not None
    script.quote(hash="wrong")
    assert script.of(FetchBook)
    assert script.want() is None

    mute = Script()
    mute.say(facts.Started(epoch=1, config=QUIET), *mute.links()[:3])
    mute.say(facts.MarketListed(market=MARKET))
    mute.agree()
    mute.quote()
    assert mute.want() is None
    assert mute.state.counters["refused:user_link"] == 1


def test_m3_every_threshold_is_a_setting_of_its_strategy_and_variants_run_side_by_side() -> None:
    """Checked when it is written, and each has its own account."""
    settings = [{"name": "calm", "rest_edge": 40_000}, {"name": "keen", "rest_edge": 10_000}]
    config = SETTINGS.structure({"strategies": settings}, Config)
    coin = evolve(MARKET, start_ns=T0 + 20 * SECOND_NS)  # before its start it is one
    script = Script(config=evolve(config, limits=LIMITS), market=coin).start()
    script.wait(1)
    script.quote()
    script.wait(0.3)
    prices = {o.strategy: o.price for o in script.state.orders.values() if o.token_id == YES}
    assert prices["calm"] < prices["keen"] < cents(50)
    for wrong in ({"rest_edge": "2"}, {"edge": 1}, {"name": "no good"}):
        with pytest.raises(BaseValidationError):
            SETTINGS.structure({"strategies": [wrong]}, Config)


def test_a_strat_every_strategy_decides_through_one_protocol() -> None:
    """Each kind wishes for something where it should, and the ensemble vetoes one-sided flow."""
    needed = {"snipe", "arbitrage", "hedge", "value", "high_yes", "ensemble"}
    assert needed <= set(registry.KINDS)
    assert test_snipe.SNIPE.decide(test_snipe.view())
    assert test_arbitrage.ME.decide(test_arbitrage.view(*test_arbitrage.CHEAP))
    assert Value().decide(test_value.a_view())
    assert test_high_yes.wish(test_high_yes.a_view()) is not None
    one_sided = Flow(imbalances=[500 * MILLION] * 10)
    assert Ensemble().decide(test_value.a_view())
    assert Ensemble().decide(test_value.a_view(flow=one_sided)) == ()
    watched = test_high_yes.begun(HighYes(watchlist=(MARKET.condition_id,)))
    test_high_yes.printed(watched)
    assert [a.state for a in watched.state.approvals.values()] == ["requested"]
    assert test_hedging.begun().state.hedges


# 3. Risk.


def test_limits_exposure_losses_and_the_price_cap_hold() -> None:
    """Ten dollars a token, twenty in all, 0.95; five per cent halt, ten kill, five in a row."""
    limits, tiers = Config().limits, Tiers()
    assert (limits.token_exposure_max, limits.total_exposure_max) == (10 * MILLION, 20 * MILLION)
    script = Script().start()
    script.quote()
    assert script.want(25, 40, token_id=YES) is not None
    assert script.want(5, 1, token_id=YES) is None  # a cent above
    script.want(16, 60, token_id=NO)
    assert script.want(5, 96, token_id=NO) is None
    assert script.want(5, 95, token_id=NO) is None
    count = script.state.counters
    assert (count["refused:token_exposure"], count["refused:price_cap"]) == (2, 1)
    assert (tiers.daily_loss_micro, tiers.drawdown_micro) == (50_000, 100_000)
    assert (tiers.losses_max, tiers.losses_cool_ns) == (5, 600 * SECOND_NS)
    losing = test_halts.playing()
    test_halts.worth(losing, 31)
    assert halted(losing.state, "test") == DAILY_LOSS
    test_halts.worth(losing, 21)
    assert losing.state.kill.source == "drawdown"
    test_halts.test_five_losses_in_a_row_stop_one_strategy_for_ten_minutes()


def test_a_risk_classes_correlation_collateral_and_tiers_bind() -> None:
    """By kind of market, by what wins together, by the cash there is, softly and then hard."""
    named = [name for name, _ in CHECKS]
    assert {"class_exposure", "joint_exposure", "collateral", "late_quote", "halted"} <= set(named)
    other = evolve(MARKET, condition_id="0xc2", yes_token="2001", no_token="2002", slug="other")
    tight = evolve(LIMITS, joint_exposure_max=Usdc(6 * MILLION))
    script = Script(config=evolve(QUIET, limits=tight)).start()
    script.quote()
    assert script.want(10, 40) is not None
    script.market = other
    script.say(facts.MarketListed(market=other))
    script.wait(0.1)
    script.quote()
    assert script.want(10, 40, token_id="2001") is None  # both win when the price rises
    assert script.want(10, 40, token_id="2002") is not None  # one of the two does
    assert script.state.counters["refused:joint_exposure"] == 1
    poor = Script()
    poor.say(facts.Started(epoch=1, config=QUIET), *poor.links())
    poor.say(facts.MarketListed(market=MARKET))
    poor.agree(cash=3 * MILLION)
    poor.quote()
    assert poor.want(10, 40) is None
    assert poor.state.counters["refused:collateral"] == 1
    test_halts.test_before_the_limit_orders_are_made_smaller()


def test_a_risk_a_loss_is_forgiven_by_an_operator_with_a_reason_and_by_nothing_else() -> None:
    """Not by time, not by a gain, not by a restart."""
    script = test_halts.playing()
    test_halts.worth(script, 31)
    test_halts.worth(script, 60)
    script.wait(90_000)
    script.state = decode_state(encode_state(script.state))
    assert script.state.breakers[DAILY_LOSS].state == "latched"
    script.say(facts.ResetRequested(breaker=DAILY_LOSS, actor="ann", reason=""))
    assert script.state.breakers[DAILY_LOSS].state == "latched"
    script.say(facts.ResetRequested(breaker=DAILY_LOSS, actor="ann", reason="seen"))
    assert script.state.breakers[DAILY_LOSS].state == "closed"
    assert (script.state.breakers[DAILY_LOSS].actor, script.heard[-1].reason) == ("ann", "seen")  # type: ignore[attr-defined]


@pytest.mark.parametrize("source", ["file", "signal", "api", "terminal"])
def test_kill_after_it_fires_no_order_leaves_until_an_operator_resets_it(
    script: Script, source: str
) -> None:
    """By whatever it fires: all is withdrawn, it outlives the process, and nothing is sent."""
    script.rest(10, 40)
    script.want(5, 30)
    script.say(facts.KillRequested(actor="ann", reason="enough", source=source))
    assert script.of(CancelAll)
    assert script.of(CancelOrder)
    script.say(order.Sign(intent_id="i2", order_id="0xid-i2", payload="{}"))
    script.state = decode_state(encode_state(script.state))
    posted = len(script.ever(PostOrder))
    script.start()
    script.quote()
    script.say(order.ReadClosed(intent_id="i1", matched=Shares(0), outcome="cancelled"))
    script.wait(0.1)
    assert script.state.phase == "trading"
    assert script.want() is None
    script.say(facts.ResetRequested(breaker="kill", actor="ann", reason=""))
    assert script.want() is None
    assert script.state.counters["refused:killed"] == 2
    assert len(script.ever(PostOrder)) == posted == 1

    script.say(facts.ResetRequested(breaker="kill", actor="ann", reason="looked into"))
    script.quote()
    assert script.want(5, 20) is not None


@pytest.mark.parametrize("source", ["drawdown", "disconnect", "oracle", "errors"])
def test_kill_it_fires_by_itself(source: str) -> None:
    """A loss, a stream that stays away, a silent oracle at stake, one error in ten."""
    script = test_halts.playing(Tiers(daily_loss_micro=MILLION, rejects_max=99))
    match source:
        case "drawdown":
            test_halts.worth(script, 20)
        case "disconnect":
            script.say(facts.LinkDown(link="user", reason="reset"))
            for _ in range(32):
                script.wait(1)
        case "oracle":
            script.say(report(script.now_ns // SECOND_NS, 100))
            for _ in range(62):
                script.say(*script.links()[3:])
                script.wait(1)
        case "errors":
            for nth in range(20):
                made = script.want(5, 1)
                script.sign(made)
                assert made is not None
                answer: Any = order.Timeout if nth % 5 == 0 else order.Reject
                script.say(answer(intent_id=made.intent_id, reason="no"))
            assert not script.state.killed()
            script.wait(0.1)

    assert script.state.kill.source == source
