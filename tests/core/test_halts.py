"""Each limit that slows, halts or kills: where it trips, and where it must not."""

import pytest
from attrs import evolve

from polybawt.core import facts, marks
from polybawt.core.breakers import DAILY_LOSS, barred, halted
from polybawt.core.commands import CancelAll, CancelOrder
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.scores import Score
from polybawt.core.signals.lead import Spot
from polybawt.core.state import Marks
from polybawt.core.tiers import Tiers
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Usdc
from tests.core.script import LIMITS, MARKET, QUIET, T0, T0_S, YES, Script, cents, shares

CAPITAL = 100 * MILLION
LONG = evolve(MARKET, end_ns=T0 + 7_200 * SECOND_NS)
ROOMY = evolve(
    LIMITS, token_exposure_max=Usdc(50 * MILLION), condition_exposure_max=Usdc(50 * MILLION),
    class_exposure_max=Usdc(50 * MILLION), joint_exposure_max=Usdc(50 * MILLION),
    total_exposure_max=Usdc(50 * MILLION),
)  # fmt: skip


def playing(tiers: Tiers = Tiers()) -> Script:  # noqa: B008
    """A hundred dollars, twenty of them in shares bought at 0.40."""
    script = Script(config=evolve(QUIET, limits=ROOMY, tiers=tiers), market=LONG)
    script.say(facts.Started(epoch=1, config=script.config), *script.links())
    script.agree(cash=CAPITAL)
    script.say(facts.MarketListed(market=script.market))
    script.wait(1)
    script.quote(bids=((cents(40), shares(500)),), asks=((cents(60), shares(500)),))
    script.rest(50, 40)
    script.say(script.trade(50, 40), script.trade(50, 40, "CONFIRMED"))
    script.wait(0.2)
    return script


def worth(script: Script, price: float) -> None:
    """The only bids are here now."""
    script.quote(bids=((cents(price), shares(500)),), asks=((cents(90), shares(500)),))
    script.wait(0.2)


def fee(price: float) -> int:
    return Script().market.fees.fee_up(cents(price), shares(50))


# Marks.


def test_a_limit_looks_at_what_could_be_had_and_not_at_the_mid() -> None:
    """Proves: M8, P2.3."""
    script = playing()
    assert marks.profit(script.state) == -fee(40)
    assert script.state.pnl() == 50 * 100_000  # the mid is for showing

    script.quote(bids=((cents(30), shares(20)), (cents(20), shares(10))), asks=())
    held = script.state.positions[YES]
    fees = [script.market.fees.fee_up(cents(p), shares(n)) for p, n in ((30, 20), (20, 10))]
    assert marks.liquidation(script.state, held) == 8 * MILLION - sum(fees)  # 20 find no bid


def test_the_peak_and_the_midnight_are_kept_and_a_deposit_is_no_gain() -> None:
    script = playing()
    before = script.state.marks
    assert (before.peak, before.opened) == (0, 0)
    worth(script, 60)
    peak = 10 * MILLION - fee(60)
    assert script.state.marks == evolve(before, peak=Usdc(peak))

    script.wait(86_400)
    after = script.state.marks
    assert after.day == before.day + 1
    assert (after.peak, after.opened) == (peak, marks.profit(script.state))


# The day's loss.


@pytest.mark.parametrize(("bid", "trips"), [(32, False), (31, True)])
def test_a_daily_loss_of_five_per_cent_halts_and_nothing_but_an_operator_resumes(
    bid: int, trips: bool
) -> None:
    """50 shares at 0.40: eight cents down are 4.76 dollars with the fee; nine are 5.27.

    Proves: limits, A-risk.
    """
    script = playing(Tiers(drawdown_micro=MILLION, flatten=False))
    worth(script, bid)

    assert bool(halted(script.state, "test")) is trips
    assert bool(script.of(CancelAll)) is False
    if not trips:
        return
    assert not barred(script.state)  # the way out stays open
    script.wait(3_600)
    worth(script, 80)
    assert script.state.breakers[DAILY_LOSS].state == "latched"
    assert script.want(5, 20) is None
    assert script.state.counters["refused:halted"] == 1
    assert script.want(5, 85, side=Side.SELL, purpose="exit") is not None

    script.say(facts.ResetRequested(breaker=DAILY_LOSS, actor="ann", reason=" "))
    assert script.state.breakers[DAILY_LOSS].state == "latched"
    script.say(facts.ResetRequested(breaker=DAILY_LOSS, actor="ann", reason="seen"))
    assert script.state.breakers[DAILY_LOSS].state == "closed"
    assert script.state.breakers[DAILY_LOSS].reason == "seen"


def test_after_a_reset_the_day_is_counted_from_there() -> None:
    """Else it would be shut again at once, or never again."""
    script = playing(Tiers(drawdown_micro=MILLION, flatten=False))
    worth(script, 30)
    script.say(facts.ResetRequested(breaker=DAILY_LOSS, actor="ann", reason="seen"))
    script.wait(1)
    assert not halted(script.state, "test")

    worth(script, 19)
    assert halted(script.state, "test") == DAILY_LOSS


def test_before_the_limit_orders_are_made_smaller() -> None:
    """From half of it on they are half as large.  Proves: A-risk."""
    script = playing(Tiers(drawdown_micro=MILLION))
    worth(script, 37)
    whole = script.want(10, 20)
    worth(script, 33)
    half = script.want(10, 20)

    assert (whole and whole.size, half and half.size) == (shares(10), shares(5))
    assert script.want(9, 20) is None  # half of it is below the venue's minimum
    assert script.state.counters["refused:terms"] == 1
    exit_ = script.want(10, 85, side=Side.SELL, purpose="exit")
    assert exit_ is not None
    assert exit_.size == shares(10)


# Drawdown.


@pytest.mark.parametrize(("bid", "trips"), [(22, False), (21, True)])
def test_a_drawdown_of_ten_per_cent_kills_within_one_look(bid: int, trips: bool) -> None:
    """Proves: limits, kill."""
    script = playing(Tiers(daily_loss_micro=MILLION))
    script.rest(5, 20)
    worth(script, bid)

    assert bool(script.state.killed()) is trips
    if trips:
        assert script.state.kill.source == "drawdown"
        assert script.ever(CancelAll)
        assert script.ever(CancelOrder)
        script.say(facts.ResetRequested(breaker="kill", actor="ann", reason="seen"))
        script.wait(1)
        assert not script.state.killed()  # from here it is a new peak
        assert script.state.marks.peak < 0


# Rows of losses.


def lose(script: Script, turn: int, gain: int = -1) -> None:
    buy, sell = f"i{2 * turn}", f"i{2 * turn + 1}"
    for name, side, price in ((buy, Side.BUY, 40), (sell, Side.SELL, 40 + gain)):
        made = script.rest(5, price, side=side, strategy="loser")
        assert made == name
        script.say(script.trade(5, price, intent_id=name, trade_id=f"t{name}"))
        script.say(script.trade(5, price, "CONFIRMED", intent_id=name, trade_id=f"t{name}"))
    script.wait(0.2)


def test_five_losses_in_a_row_stop_one_strategy_for_ten_minutes() -> None:
    """The others go on.  Then a small probe, and a gain, lets it back.  Proves: limits, A-risk."""
    script = playing()
    for turn in range(1, 5):
        lose(script, turn)
    assert not halted(script.state, "loser")
    lose(script, 5)

    assert halted(script.state, "loser") == "losses.loser"
    assert script.want(5, 20, strategy="loser") is None
    assert script.want(5, 20, strategy="other") is not None
    script.wait(599)
    assert halted(script.state, "loser")
    script.wait(2)
    script.quote(bids=((cents(40), shares(500)),), asks=((cents(60), shares(500)),))
    assert script.state.breakers["losses.loser"].state == "half_open"
    probe = script.want(40, 20, strategy="loser")
    assert probe is not None
    assert probe.size == shares(10)  # a quarter
    assert script.want(40, 20, strategy="loser") is None  # one probe at a time


def test_a_gain_ends_the_row() -> None:
    script = playing()
    for turn, gain in enumerate((-1, -1, -1, -1, 1, -1), start=1):
        lose(script, turn, gain)
    assert script.state.scores["loser"] == Score(
        wins=1, losses=5, losing=1, lost_ns=script.state.scores["loser"].lost_ns,
        realised=Usdc(-200_000),
    )  # fmt: skip
    assert not halted(script.state, "loser")


def test_five_refusals_stop_the_strategy_whose_orders_they_are() -> None:
    script = playing()
    for turn in range(5):
        wish = script.want(5, 20, strategy="odd")
        script.sign(wish)
        assert wish is not None
        script.say(order.Reject(intent_id=wish.intent_id, reason="no"))
        assert bool(halted(script.state, "odd")) is (turn == 4)
    assert halted(script.state, "odd") == "rejects.odd"
    assert not halted(script.state, "test")


# What kills beside losses.


@pytest.mark.parametrize("link", ["market", "user"])
def test_a_stream_that_stays_away_kills_after_its_grace(link: str) -> None:
    """Proves: kill."""
    script = playing()
    script.say(facts.LinkDown(link=link, reason="reset"))
    for _ in range(29):
        script.wait(1)
    assert not script.state.killed()
    script.say(facts.LinkUp(link=link))
    script.wait(0.1)
    script.say(facts.LinkDown(link=link, reason="reset"))
    for _ in range(29):
        script.wait(1)
    assert not script.state.killed()  # it was back in between
    script.wait(2)
    assert script.state.kill.source == "disconnect"


def test_a_stream_that_nobody_needs_may_be_away() -> None:
    """Between two markets there is nothing to subscribe to."""
    script = Script(config=QUIET)
    script.say(facts.Started(epoch=1, config=QUIET), facts.LinkUp(link="user"))
    script.say(facts.LinkHeard(link="user"))
    script.agree()
    for _ in range(60):
        script.wait(1)
    assert script.state.phase == "trading"
    assert script.state.feeds["market"].state == "down"
    assert not script.state.killed()


def report(script: Script, value: int = 100) -> None:
    now_ms = script.now_ns // MS_NS
    script.say(facts.OracleReported(symbol="btc/usd", value_e18=value * 10**18, report_ms=now_ms))


def test_an_oracle_that_we_depend_on_and_that_is_silent_kills_at_once() -> None:
    """There is no grace beyond the limit.  Proves: kill, C2."""
    script = playing()
    report(script)
    script.wait(60)
    assert not script.state.killed()
    script.wait(0.2)
    assert script.state.kill.source == "oracle"


def test_a_silent_oracle_is_nothing_to_us_without_anything_at_stake() -> None:
    script = Script().start()
    script.wait(1)
    script.quote()
    report(script)
    script.wait(90)
    assert not script.state.killed()


@pytest.mark.parametrize(("spot", "cancels"), [(100_299, False), (100_302, True)])
def test_oracle_and_spot_apart_cancel_what_rests(spot: int, cancels: bool) -> None:
    """Above 0.3 %, the usual difference taken off.  Proves: C2."""
    script = playing()
    script.rest(5, 20)
    script.state.spots["btc/usd"] = lead = Spot("btc/usd")
    for _ in range(20):
        lead.tick(script.now_ns // MS_NS - 700, 101 * 10**18)
        report(script)
        script.wait(1)
    script.quote()
    script.all_said.clear()
    lead.tick(script.now_ns // MS_NS, 101 * spot * 10**13)
    report(script)
    script.wait(0.2)

    assert bool(script.ever(CancelOrder)) is cancels
    assert bool(script.noticed("divergence")) is cancels
    assert (script.want(5, 20) is None) is cancels


def ask(script: Script, bad: bool) -> None:
    wish = script.want(5, 20)
    script.sign(wish)
    assert wish is not None
    said = order.Timeout if bad else order.Reject
    script.say(said(intent_id=wish.intent_id, reason="x"))


@pytest.mark.parametrize(("errors", "kills"), [(2, False), (3, True)])
def test_more_than_a_tenth_of_errors_in_a_minute_kills(errors: int, kills: bool) -> None:
    """Two of twenty are a tenth; three are more.  Proves: kill."""
    script = playing(Tiers(rejects_max=99, errors_min=20))
    script.state.answers.clear()
    for turn in range(20):
        ask(script, bad=turn < errors)
    script.wait(0.2)
    assert bool(script.state.killed()) is kills
    assert not kills or script.state.kill.source == "errors"


def test_few_answers_are_no_rate_and_old_ones_do_not_count() -> None:
    script = playing(Tiers(rejects_max=99))
    script.state.answers.clear()
    for _ in range(3):
        ask(script, bad=True)
    script.wait(0.2)
    assert not script.state.killed()
    script.wait(61)
    script.quote()
    for _ in range(20):
        ask(script, bad=False)
    script.wait(0.2)
    assert not script.state.killed()


def test_nothing_is_measured_before_we_know_what_we_have() -> None:
    script = Script()
    script.say(facts.Started(epoch=1, config=QUIET))
    script.wait(5)
    assert script.state.marks == Marks()
    assert script.now_ns > T0_S * SECOND_NS
