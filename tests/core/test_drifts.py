"""Our balances against the venue's: told at once, proven by two readings, repaired as drift."""

from itertools import pairwise

import pytest
from attrs import evolve

from polybawt.core import drifts, facts
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.commands import ReadBalance, ReadOpenOrders, ReadTrades
from polybawt.core.ledger import DRIFT
from polybawt.core.machines import order
from polybawt.core.machines.conversion import Conversion, Part
from polybawt.core.market import Side
from polybawt.core.units import MILLION, SECOND_NS, Usdc
from tests.core.script import CASH, NO, QUIET, YES, Script, cents, shares


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def shows(script: Script, amount: int, token: str = "") -> None:
    """The venue answers a read that was sent just now."""
    script.say(facts.BalanceRead(token_id=token, amount=amount, sent_ns=script.now_ns))


def trades_are_read(script: Script) -> None:
    script.say(facts.TradesRead(condition_id="", count=0, sent_ns=script.now_ns))


def twice(script: Script, amount: int, token: str = "") -> None:
    """Two readings, a poll apart, with our trades read in between."""
    shows(script, amount, token)
    trades_are_read(script)
    script.wait(1)
    shows(script, amount, token)


def hold(script: Script, count: float = 10, price: float = 40) -> None:
    """Shares of yes, settled."""
    script.rest(count, price)
    script.say(script.trade(count, price), script.trade(count, price, status="CONFIRMED"))


def profit(script: Script, strategy: str = "test") -> int:
    state = script.state
    return state.ledger.profit(strategy, lambda token: state.mark(state.positions[token]))


# Asking.


def test_every_thirty_seconds_everything_is_asked_again(script: Script) -> None:
    """A stream that never broke may still have lost a fill, and no order waits for the answers.

    Proves: P2.4.
    """
    hold(script)
    asked = list[float]()
    for second in range(1, 65):
        script.wait(1)
        if script.of(ReadOpenOrders):
            assert script.of(ReadTrades)
            asked.append(second)
            trades_are_read(script)
        assert len(script.of(ReadBalance)) <= 1

    assert [round(b - a) for a, b in pairwise(asked)] == [30]
    assert script.state.user_link() == "fresh"
    read = [command.token_id for command in script.ever(ReadBalance)]
    assert {"", YES, NO} <= set(read)


def test_a_reconnect_of_the_user_channel_compares_the_balances_too(script: Script) -> None:
    """Proves: P2.4."""
    hold(script)
    script.say(facts.LinkDown(link="user", reason="test"), facts.LinkUp(link="user"))
    trades_are_read(script)
    seen = [script.of(ReadBalance) for _ in range(3) if script.wait(1) is not None]

    assert [c.token_id for reads in seen for c in reads] == ["", YES, NO]


def test_balances_are_read_once_a_second_at_most(script: Script) -> None:
    """The venue counts them (reference 6, item 16)."""
    trades_are_read(script)
    reads = 0
    for _ in range(25):
        script.wait(0.1)
        reads += len(script.of(ReadBalance))

    assert 2 <= reads <= 3


# Proving.


@pytest.mark.parametrize("amount", [-7 * MILLION, 3, 100 * MILLION])
def test_a_difference_that_two_readings_agree_on_is_booked_as_drift(
    script: Script, amount: int
) -> None:
    """Told with both numbers, and no strategy and no total gains or loses by it.

    Proves: P2.4.
    """
    hold(script)
    cash, before = script.state.ledger.cash, script.state.pnl()
    shows(script, cash + amount)
    assert script.noticed("drift") == 1
    assert script.state.ledger.cash == cash
    trades_are_read(script)
    script.wait(1)
    assert script.of(ReadBalance) == [ReadBalance(refresh=True)]
    shows(script, cash + amount)

    assert script.state.ledger.cash == cash + amount
    assert script.noticed("drift_repaired") == 1
    assert script.state.drifts == {}
    assert (profit(script, DRIFT), profit(script)) == (amount, before)
    assert script.state.pnl() == before
    shows(script, cash + amount)
    assert script.noticed("drift") == 1


def test_one_reading_proves_nothing_however_often_it_comes(script: Script) -> None:
    """Neither without our trades read since, nor within a poll, nor when sent before the first.

    Proves: P2.4.
    """
    early = script.now_ns
    script.wait(1)
    shows(script, CASH - 5)
    for _ in range(10):
        script.wait(1)
        shows(script, CASH - 5)
    trades_are_read(script)
    script.say(facts.BalanceRead(token_id="", amount=CASH - 5, sent_ns=early))

    assert script.state.ledger.cash == CASH
    shows(script, CASH - 5)
    assert script.state.ledger.cash == CASH - 5


def test_readings_that_disagree_begin_anew(script: Script) -> None:
    shows(script, CASH - 5)
    trades_are_read(script)
    script.wait(1)
    shows(script, CASH - 6)

    assert script.state.ledger.cash == CASH
    assert script.state.counters["drifts"] == 2


def test_a_difference_that_goes_away_is_told(script: Script) -> None:
    shows(script, CASH - 5)
    script.wait(1)
    shows(script, CASH)

    assert script.noticed("drift_gone") == 1
    assert script.state.drifts == {}


def test_a_missed_fill_is_no_drift_once_our_trades_are_read(script: Script) -> None:
    """The push was lost: the alarm brings the trades, and the second reading agrees.

    Proves: P2.4, H5.
    """
    script.rest()
    shows(script, CASH - cents(40) * 10)
    assert script.noticed("drift") == 1
    assert len(script.of(ReadTrades)) == 1
    script.say(script.trade(10, source="read", status="CONFIRMED"))
    trades_are_read(script)
    script.wait(1)
    shows(script, CASH - cents(40) * 10)

    assert script.noticed("drift_gone") == 1
    assert script.noticed("drift_repaired") == 0
    assert script.state.ledger.of(DRIFT) == 0


def test_nothing_is_compared_while_an_order_is_unknown(script: Script) -> None:
    """It may have filled, and only its record can say so."""
    script.sign(script.want())
    script.say(order.Timeout(intent_id="i1", reason="no answer"))
    twice(script, CASH - cents(40) * 10)

    assert script.noticed("drift") == 0


# The venue's cache.


def test_a_reading_of_what_we_had_before_is_a_stale_cache(script: Script) -> None:
    """Two stale readings agree with each other; that proves nothing.

    Proves: P2.4.
    """
    hold(script)
    cash = script.state.ledger.cash
    for _ in range(5):
        twice(script, CASH)
        twice(script, 0, YES)

    assert (script.state.ledger.cash, script.state.ledger.of("wallet", YES)) == (cash, shares(10))
    assert script.noticed("balance_stale") == 2
    assert script.noticed("drift") == 0
    shows(script, cash)
    shows(script, shares(10), YES)
    assert script.state.drifts == {}


def test_a_cache_that_stands_still_while_we_move_stays_a_stale_one(script: Script) -> None:
    """However much we trade meanwhile: what does not move with us is no drift."""
    hold(script)
    twice(script, CASH)
    script.state.ledger.moved[""].clear()  # as after many more trades
    script.rest(5, 39)
    script.say(script.trade(5, 39, trade_id="t2", intent_id="i2", status="CONFIRMED"))
    twice(script, CASH)

    assert script.noticed("drift") == 0
    assert script.state.ledger.of(DRIFT) == 0


def test_what_we_had_before_is_believed_when_it_stays_so(script: Script) -> None:
    """A cache is renewed at last: after that long it is no cache any more."""
    script.state.config = evolve(QUIET, stale_ns_max=60 * SECOND_NS)
    hold(script)
    twice(script, CASH)
    script.wait(60)
    trades_are_read(script)
    shows(script, CASH)

    assert script.state.ledger.cash == CASH
    assert profit(script, DRIFT) == cents(40) * 10


# Tokens.


def test_shares_that_we_never_bought_are_taken_over_at_nothing(script: Script) -> None:
    """Proves: P2.4."""
    hold(script)
    before = script.state.pnl()
    twice(script, shares(25), YES)

    state = script.state
    assert state.positions[YES].shares == state.ledger.of("wallet", YES) == shares(25)
    assert state.ledger.shares("test", YES) == shares(10)
    assert state.ledger.shares(DRIFT, YES) == shares(15)
    assert state.pnl() == before == profit(script)


def test_shares_of_a_token_that_we_never_traded_are_found(script: Script) -> None:
    twice(script, shares(3), NO)

    assert script.state.positions[NO].shares == shares(3)
    assert (script.state.positions[NO].outlay, script.state.pnl()) == (0, 0)


def test_shares_that_are_gone_cost_no_strategy_anything(script: Script) -> None:
    """Who held them has back what they cost; the account drift bears it.

    Proves: P2.4.
    """
    hold(script)
    twice(script, shares(12), YES)
    before = profit(script)
    twice(script, shares(4), YES)

    state = script.state
    assert state.positions[YES].shares == state.ledger.of("wallet", YES) == shares(4)
    assert state.ledger.shares(DRIFT, YES) == 0  # that went first
    assert state.ledger.shares("test", YES) == shares(4)
    assert state.ledger.of(DRIFT) == cents(40) * 6
    assert state.positions[YES].outlay == state.ledger.outlay("test", YES) == cents(40) * 4
    mid = state.mark(state.positions[YES])
    assert profit(script) == before - (mid - cents(40)) * 6  # what it could have made of them
    assert state.pnl() == profit(script)


def test_all_shares_gone_closes_the_round_without_a_loss(script: Script) -> None:
    script.state.config = evolve(QUIET, stale_ns_max=60 * SECOND_NS)
    hold(script)
    twice(script, 0, YES)  # what we had before
    script.wait(60)
    trades_are_read(script)
    shows(script, 0, YES)
    script.wait(31)

    assert script.state.positions == {}
    assert script.state.scores == {}
    assert profit(script) == 0


def test_the_tokens_of_a_market_that_has_ended_are_not_compared(script: Script) -> None:
    """They can turn into money at any moment."""
    hold(script)
    script.now_ns = script.market.end_ns
    script.wait(1)
    twice(script, 3, YES)

    assert script.noticed("drift") == 0


def test_an_unknown_token_is_none_of_ours(script: Script) -> None:
    twice(script, 5, "4711")

    assert script.state.positions == {}


# Payouts on their way.


def test_a_payout_that_the_venue_made_first_is_no_drift(script: Script) -> None:
    """Proves: P2.4, C1."""
    hold(script)
    cash = script.state.ledger.cash
    script.now_ns = script.market.end_ns
    script.wait(1)
    twice(script, cash + shares(10))
    assert script.noticed("drift") == 0
    twice(script, cash + shares(10) + 1)

    assert script.noticed("drift") == 1
    assert script.state.ledger.cash == cash  # what is the payout's share in it is not known yet


def test_a_payout_that_the_venue_shows_later_is_no_drift(script: Script) -> None:
    """Proves: P2.4, C1."""
    hold(script)
    cash = script.state.ledger.cash
    script.now_ns = script.market.end_ns
    script.wait(31)
    resolved = facts.MarketResolved(
        condition_id="0xc1", yes_payout=Usdc(MILLION), no_payout=Usdc(0), source="gamma"
    )
    script.say(resolved)
    assert script.state.ledger.cash == cash + shares(10)
    script.wait(1)
    assert script.of(ReadBalance) == [ReadBalance()]
    script.state.ledger.moved.clear()
    twice(script, cash)
    assert script.noticed("drift") == 0
    script.wait(30)
    twice(script, cash)

    assert script.noticed("drift_repaired") == 1  # it never came


# Large ones.


@pytest.mark.parametrize(("amount", "killed"), [(-500, True), (-499, False), (500, True)])
def test_a_drift_of_half_of_all_we_have_kills(script: Script, amount: int, killed: bool) -> None:
    """It is not repaired: nobody knows what we have. Proves: faults (50 % drift), kill."""
    twice(script, CASH + amount * MILLION)

    assert bool(script.state.killed()) is killed
    assert (script.state.ledger.cash == CASH) is killed
    assert script.state.kill.source == ("drift" if killed else "")


def test_drifts_that_are_large_together_kill(script: Script) -> None:
    twice(script, CASH - 300 * MILLION)
    assert not script.state.killed()
    twice(script, CASH - 600 * MILLION)

    assert script.state.killed()


def test_a_drift_in_shares_kills_by_what_they_are_worth(script: Script) -> None:
    """Fifty cents each, by the book. Proves: faults (50 % drift)."""
    hold(script)
    twice(script, shares(900), YES)
    assert not script.state.killed()
    twice(script, shares(2_500), YES)

    assert script.state.killed()


def test_an_operator_who_arms_the_kill_again_accepts_the_drift(script: Script) -> None:
    """Proves: kill, P2.4."""
    twice(script, CASH // 4)
    for _ in range(3):
        twice(script, CASH // 4)
    assert script.state.ledger.cash == CASH
    reset = facts.ResetRequested(breaker="kill", actor="jo", reason="withdrawn by hand")
    script.say(reset)
    script.wait(1)
    twice(script, CASH // 4)

    assert script.state.ledger.cash == CASH // 4
    assert not script.state.killed()


# Starting.


def restarted(script: Script) -> None:
    script.now_ns += SECOND_NS
    epoch = script.state.epoch + 1
    script.say(facts.Started(epoch=epoch, config=QUIET), *script.links())


def test_a_start_waits_until_a_drift_is_proven(script: Script) -> None:
    """Trading begins with what is there, not with what was.

    Proves: P2.4, recovery.
    """
    hold(script)
    cash = script.state.ledger.cash
    restarted(script)
    trades_are_read(script)
    assert script.of(ReadBalance) == [ReadBalance(), ReadBalance(token_id=YES)]
    script.say(facts.OpenOrdersRead(order_ids=()))
    shows(script, shares(10), YES)
    script.say(order.ReadClosed(intent_id="i1", matched=shares(10), outcome="filled"))
    shows(script, cash - MILLION)
    assert script.state.awaited == ("balance",)
    trades_are_read(script)
    script.wait(2)
    assert script.of(ReadBalance) == [ReadBalance(refresh=True)]
    shows(script, cash - MILLION)

    assert script.state.phase == "trading"
    assert script.state.ledger.cash == cash - MILLION


def test_a_large_drift_at_the_start_kills_before_the_first_order(script: Script) -> None:
    """Proves: faults (50 % drift), recovery."""
    restarted(script)
    script.say(facts.OpenOrdersRead(order_ids=()))
    trades_are_read(script)
    twice(script, CASH // 10)

    assert script.state.phase == "trading"
    assert script.state.killed()
    assert script.want() is None


def test_a_doubt_outlives_the_process(script: Script) -> None:
    """Proves: recovery."""
    hold(script)
    shows(script, 5, YES)
    shows(script, CASH)
    state = decode_state(encode_state(script.state))

    assert state == script.state
    assert set(state.drifts) == {"", YES}


def test_an_oversold_doubt_is_not_made_worse(script: Script) -> None:
    """A purchase failed after its shares were sold on: that is told by itself."""
    script.rest(10)
    script.say(script.trade(10))
    script.rest(10, 60, side=Side.SELL)
    script.say(script.trade(10, 60, trade_id="t2", intent_id="i2", status="CONFIRMED"))
    script.say(script.trade(10, status="FAILED"))
    assert script.state.positions[YES].state == "oversold"
    twice(script, 0, YES)

    held = script.state.positions.get(YES)
    assert (held.shares if held else 0) == script.state.ledger.of("wallet", YES)
    assert script.state.ledger.imbalance() == 0


def test_capital_without_a_price_is_a_dollar_a_share(script: Script) -> None:
    """Rather too early than too late."""
    script.state.config = evolve(QUIET, drift_max_micro=100_000)
    script.state.books.clear()
    twice(script, shares(101), NO)

    assert script.state.killed()


@pytest.mark.parametrize(
    ("missing", "stale"),
    [(4, True), (7, True), (3, True), (9, True), (2, False), (5, False), (6, True), (8, False)],
)
def test_trades_may_be_mined_in_another_order_than_we_heard_of_them(
    missing: int, stale: bool
) -> None:
    """Moved by 2, 3 and 4, of which one may be older than all that can be in disorder."""
    moved = [2, *[0] * 4, 3, 4]

    assert drifts.lacks_newest(moved, missing) is stale


def test_an_account_that_was_emptied_is_no_stale_one(script: Script) -> None:
    """We began with all of it: it never was less."""
    twice(script, 0)

    assert script.state.killed()


@pytest.mark.parametrize(("step", "told"), [("wanted", 2), ("taken", 0), ("mined", 0)])
def test_nothing_is_compared_while_a_conversion_is_on_its_way(
    script: Script, step: str, told: int
) -> None:
    """A split, a merge or a redemption moves money at the venue before it does in our books.

    Proves: P2.4, H2.
    """
    hold(script)
    part = Part(
        token_id=YES, condition_id="0xc1", side=Side.SELL, shares=shares(5), notional=Usdc(1)
    )
    record = Conversion(
        conversion_id="c1", strategy="test", kind="merge", condition_ids=("0xc1",),
        amount=shares(5), parts=(part,), created_ns=script.now_ns, state=step,
    )  # fmt: skip
    script.state.conversions["c1"] = record
    shows(script, script.state.ledger.cash + MILLION)
    shows(script, shares(5), YES)

    assert script.noticed("drift") == told
