"""The venue as a participant meets it: orders, money, settlement, resolution."""

from collections.abc import Callable

import pytest

from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.sim import rules
from polybawt.sim.accounts import FEES
from polybawt.sim.venue import (
    LevelsMoved,
    OrderChanged,
    Printed,
    Refused,
    Resolved,
    TradeChanged,
    VenueTrade,
)
from tests.sim.conftest import MARKET, NOW, RICH, Floor

YES, NO = MARKET.tokens
ID = MARKET.condition_id
START = 100_000_000  # shares of each token that everybody starts with


def collateral(floor: Floor, owner: str) -> int:
    return floor.venue.total(owner) - RICH


def yes(floor: Floor, owner: str) -> int:
    return floor.venue.total(owner, YES) - START


def no(floor: Floor, owner: str) -> int:
    return floor.venue.total(owner, NO) - START


# --- what a match moves -------------------------------------------------------------------


def test_a_complementary_match_swaps_shares_for_collateral(floor: Floor) -> None:
    """And the taker's fee goes on top of a buy: the reference's own example, 0.17472."""
    floor.place("A", "sell yes 10 @ 0.52")
    answer = floor.place("B", "buy yes 10 @ 0.52")

    assert (answer.spent, answer.got) == (5_200_000, 10_000_000)
    assert answer.trades[0].fee == 174_720
    assert (collateral(floor, "A"), yes(floor, "A")) == (5_200_000, -10_000_000)
    assert (collateral(floor, "B"), yes(floor, "B")) == (-5_374_720, 10_000_000)
    assert floor.venue.total(FEES) == 174_720


def test_two_buyers_mint_a_set(floor: Floor) -> None:
    """The taker's price is one minus the maker's: both together pay exactly a dollar a share."""
    floor.place("A", "buy no 10 @ 0.45")
    backing = floor.venue.accounts.backing(ID)
    answer = floor.place("B", "buy yes 10 @ 0.60")

    assert answer.trades[0].price == 550_000
    assert answer.trades[0].makers[0].price == 450_000
    assert answer.trades[0].makers[0].token_id == NO
    assert (collateral(floor, "A"), no(floor, "A")) == (-4_500_000, 10_000_000)
    assert yes(floor, "B") == 10_000_000
    assert floor.venue.accounts.backing(ID) - backing == 10_000_000


def test_two_sellers_merge_a_set(floor: Floor) -> None:
    """The set is dissolved: its dollar goes to the sellers, the taker's fee out of its part."""
    floor.place("A", "sell no 10 @ 0.45")
    backing = floor.venue.accounts.backing(ID)
    answer = floor.place("B", "sell yes 10 @ 0.50")

    assert (answer.spent, answer.got) == (10_000_000, 5_500_000)
    assert collateral(floor, "A") == 4_500_000
    assert collateral(floor, "B") == 5_500_000 - answer.trades[0].fee
    assert backing - floor.venue.accounts.backing(ID) == 10_000_000


def test_makers_of_one_price_share_a_trade_and_each_price_is_its_own(floor: Floor) -> None:
    """One trade id can carry several makers; the fee is charged once for each price."""
    floor.place("A", "sell yes 10 @ 0.50")
    floor.place("C", "buy no 10 @ 0.50")
    floor.place("A", "sell yes 10 @ 0.51")
    trades = floor.place("B", "buy yes 25 @ 0.51").trades

    assert [(t.price, t.shares, len(t.makers)) for t in trades] == [
        (500_000, 20_000_000, 2),
        (510_000, 5_000_000, 1),
    ]
    assert [trade.fee for trade in trades] == [
        MARKET.fees.charged(trade.price, trade.shares) for trade in trades
    ]


def test_one_may_trade_with_oneself(floor: Floor) -> None:
    """Self-trade prevention is undocumented, so there is none: only the fee is lost."""
    floor.place("A", "sell yes 10 @ 0.50")
    answer = floor.place("A", "buy yes 10 @ 0.50")

    assert collateral(floor, "A") == -answer.trades[0].fee
    assert yes(floor, "A") == 0


# --- the life of an order -----------------------------------------------------------------


def test_a_limit_order_takes_what_it_can_and_rests_the_remainder(floor: Floor) -> None:
    """A GTC can be matched in part and rest: its status stays LIVE."""
    floor.place("A", "sell yes 10 @ 0.52")
    answer = floor.place("B", "buy yes 25 @ 0.52")

    assert (answer.order.status, answer.order.matched) == ("LIVE", 10_000_000)
    assert floor.venue.levels(YES) == (((520_000, 15_000_000),), ())
    assert floor.venue.open_orders("B") == [answer.order]


def test_a_fill_or_kill_is_never_filled_in_part(floor: Floor) -> None:
    """And its id is spent although nothing happened: a second POST is a duplicate.

    Proves: H5, P1.2.
    """
    floor.place("A", "sell yes 10 @ 0.52")

    assert floor.refused("B", "buy yes 11 @ 0.52", order_type="FOK", order_id="k") == (
        rules.FOK_KILLED
    )
    assert floor.refused("B", "buy yes 5 @ 0.52", order_id="k") == rules.duplicated("k")
    killed = floor.venue.order("k")
    assert killed is not None
    assert (killed.status, killed.matched) == ("INVALID", 0)
    assert floor.place("B", "buy yes 10 @ 0.52", order_type="FOK").order.status == "MATCHED"


def test_a_fill_and_kill_ends_with_what_it_got(floor: Floor) -> None:
    """MATCHED may mean partly filled, then ended: the size says how much."""
    floor.place("A", "sell yes 10 @ 0.52")
    answer = floor.place("B", "buy yes 25 @ 0.52", order_type="FAK")

    assert (answer.order.status, answer.order.matched) == ("MATCHED", 10_000_000)
    assert floor.venue.open_orders("B") == []


def test_a_budget_order_spends_its_collateral_at_better_prices(floor: Floor) -> None:
    """A FOK or FAK buy targets collateral, so a better price brings more shares."""
    floor.place("A", "sell yes 50 @ 0.40")
    answer = floor.place("B", "buy yes 10 @ 0.50", order_type="FOK", budget=Usdc(5_000_000))

    assert (answer.spent, answer.got) == (5_000_000, 12_500_000)


def test_a_good_till_date_order_dies_a_margin_before_its_expiration(floor: Floor) -> None:
    """The venue ends it 60 s early (reference 3.4)."""
    expiration_s = NOW // SECOND_NS + 90
    order = floor.place("A", "buy yes 10 @ 0.40", order_type="GTD", expiration_s=expiration_s).order
    floor.wait(29.9)
    alive = floor.venue.order(order.placement.order_id)
    floor.wait(0.2)
    ended = floor.venue.order(order.placement.order_id)

    assert alive is not None
    assert ended is not None
    assert (alive.status, ended.status) == ("LIVE", "CANCELED_EXPIRED_ORDER")
    assert floor.venue.levels(YES) == ((), ())


def test_a_cancelled_order_leaves_the_book_and_frees_its_money(floor: Floor) -> None:
    """What an ended order held back must be there for the next."""
    order_id = floor.place("A", "buy yes 1000 @ 0.99").order.placement.order_id
    assert isinstance(floor.ask("A", "buy yes 1000 @ 0.98"), Refused)

    assert floor.venue.cancel("A", order_id, floor.now_ns) == ""
    assert floor.venue.levels(YES) == ((), ())
    floor.place("A", "buy yes 1000 @ 0.98")


def test_a_cancel_says_why_nothing_was_cancelled(floor: Floor) -> None:
    """The reasons of reference 1.9, and nobody can cancel what is not theirs."""
    floor.place("A", "sell yes 10 @ 0.52", order_id="a")
    matched = floor.place("B", "buy yes 10 @ 0.52").order.placement.order_id
    floor.place("B", "buy yes 10 @ 0.40", order_id="b")

    cancel = floor.venue.cancel
    assert cancel("A", "b", floor.now_ns) == rules.CANCEL_UNKNOWN
    assert cancel("B", "nothing", floor.now_ns) == rules.CANCEL_UNKNOWN
    assert cancel("B", matched, floor.now_ns) == rules.CANCEL_MATCHED
    assert cancel("B", "b", floor.now_ns) == ""
    assert cancel("B", "b", floor.now_ns) == rules.CANCEL_ENDED


def test_cancel_all_can_be_narrowed_to_a_token(floor: Floor) -> None:
    """The two optional filters of the market cancel."""
    floor.place("A", "buy yes 10 @ 0.40", order_id="yes")
    floor.place("A", "buy no 10 @ 0.40", order_id="no")

    assert floor.venue.cancel_all("A", floor.now_ns, token_id=NO) == (("no",), {})
    assert floor.venue.cancel_all("A", floor.now_ns, condition_id="other") == ((), {})
    assert floor.venue.cancel_all("A", floor.now_ns, condition_id=ID) == (("yes",), {})


# --- the taker delay ----------------------------------------------------------------------


def test_a_marketable_order_is_held_and_cannot_be_cancelled(build: Callable[..., Floor]) -> None:
    """DELAYED is a live state: it counts against the money and matches when it is released."""
    floor = build(taker_delay_ns=SECOND_NS)
    floor.place("A", "sell yes 10 @ 0.52")
    answer = floor.place("B", "buy yes 10 @ 0.52", order_id="held")

    assert (answer.order.status, answer.spent, answer.trades) == ("DELAYED", 0, ())
    assert floor.venue.cancel("B", "held", floor.now_ns) == rules.CANCEL_DELAYED
    assert floor.venue.cancel_all("B", floor.now_ns) == ((), {"held": rules.CANCEL_DELAYED})
    floor.wait(1)
    released = floor.venue.order("held")
    assert released is not None
    assert (released.status, released.matched) == ("MATCHED", 10_000_000)


def test_a_held_order_meets_the_book_of_its_release(build: Callable[..., Floor]) -> None:
    """The maker may have gone meanwhile: then a GTC rests, and a FAK ends with nothing."""
    floor = build(taker_delay_ns=SECOND_NS)
    floor.place("A", "sell yes 10 @ 0.52", order_id="gone")
    floor.place("B", "buy yes 10 @ 0.52", order_id="rests")
    floor.place("C", "buy yes 10 @ 0.52", order_id="ends", order_type="FAK")
    floor.venue.cancel("A", "gone", floor.now_ns)
    floor.wait(1)

    rests, ends = floor.venue.order("rests"), floor.venue.order("ends")
    assert rests is not None
    assert ends is not None
    assert (rests.status, ends.status) == ("LIVE", "CANCELED")


def test_a_quote_that_does_not_cross_is_not_held(build: Callable[..., Floor]) -> None:
    """Only marketable orders are delayed."""
    floor = build(taker_delay_ns=SECOND_NS)

    assert floor.place("A", "buy yes 10 @ 0.40").order.status == "LIVE"


# --- settlement ---------------------------------------------------------------------------


def test_totals_move_at_the_match_and_the_balance_call_when_it_is_mined(floor: Floor) -> None:
    """Gotcha G4: the served balance lags behind what we own."""
    floor.place("A", "sell yes 10 @ 0.50")
    floor.place("B", "buy yes 10 @ 0.50")
    at_match = floor.venue.total("B", YES), floor.venue.balance("B", YES)
    floor.wait(2)
    mined = floor.venue.trades("B")[0].status, floor.venue.balance("B", YES)
    floor.wait(3)

    assert at_match == (110_000_000, 100_000_000)
    assert mined == ("MINED", 110_000_000)
    assert floor.venue.trades("B")[0].status == "CONFIRMED"
    assert floor.venue.holdings("B") == floor.venue.accounts.settleds("B")


def failing(trade: VenueTrade) -> tuple[tuple[str, int], ...]:
    del trade
    return ("MINED", SECOND_NS), ("RETRYING", 2 * SECOND_NS), ("FAILED", 3 * SECOND_NS)


def test_a_failed_trade_is_reversed_on_all_sides(build: Callable[..., Floor]) -> None:
    """Even when it had been mined: nobody gains or loses anything, the fee included."""
    floor = build(fates=failing)
    floor.place("A", "sell yes 10 @ 0.50")
    floor.place("C", "buy no 10 @ 0.50")
    floor.place("B", "buy yes 20 @ 0.50")
    before = floor.venue.trades("B")[0].tx_hash
    floor.wait(3)

    trade = floor.venue.trades("B")[0]
    assert trade.status == "FAILED"
    assert trade.tx_hash != before  # a hash seen before the end may change
    for owner in "ABC":
        assert (collateral(floor, owner), yes(floor, owner), no(floor, owner)) == (0, 0, 0)
        assert floor.venue.holdings(owner) == floor.venue.accounts.settleds(owner)
    assert floor.venue.total(FEES) == 0


def test_orders_that_nothing_stands_behind_any_more_are_cancelled(
    build: Callable[..., Floor],
) -> None:
    """Shares that were bought, offered for sale, and then never delivered."""
    floor = build(fates=failing)
    floor.place("A", "sell yes 50 @ 0.50")
    floor.place("B", "buy yes 50 @ 0.50")
    floor.place("B", "sell yes 120 @ 0.90", order_id="empty")
    floor.wait(3)

    order = floor.venue.order("empty")
    assert order is not None
    assert order.status == "CANCELED_NOT_ENOUGH_BALANCE"


# --- resolution ---------------------------------------------------------------------------


def test_resolution_cancels_pays_and_tells(floor: Floor) -> None:
    """Holders are paid without asking; open orders end with their own status."""
    floor.place("A", "buy yes 10 @ 0.40", order_id="open")
    floor.venue.drain()
    floor.venue.resolve(ID, Usdc(1_000_000), Usdc(0), floor.now_ns)
    events = floor.venue.drain()

    assert [type(event) for event in events] == [OrderChanged, LevelsMoved, Resolved]
    order = floor.venue.order("open")
    assert order is not None
    assert order.status == "CANCELED_MARKET_RESOLVED"
    assert floor.venue.holdings("A") == {"": RICH + START}
    assert floor.venue.accounts.backing(ID) == 0


def test_a_split_resolution_pays_both_halves_exactly(floor: Floor) -> None:
    """0.5/0.5 exists: each share pays half a dollar."""
    floor.venue.resolve(ID, Usdc(500_000), Usdc(500_000), floor.now_ns)

    assert floor.venue.holdings("A") == {"": RICH + START}


def test_payment_waits_for_the_last_trade(floor: Floor) -> None:
    """A trade may still fail: nobody is paid for shares that were never theirs."""
    floor.place("A", "sell yes 10 @ 0.50")
    floor.place("B", "buy yes 10 @ 0.50")
    floor.venue.resolve(ID, Usdc(0), Usdc(1_000_000), floor.now_ns)
    unpaid = yes(floor, "B")
    floor.wait(5)

    assert unpaid == 10_000_000
    assert floor.venue.holdings("B") == {"": RICH + START - 5_000_000 - 175_000}


def test_without_auto_redeem_each_holder_asks(build: Callable[..., Floor]) -> None:
    """And a market that somebody still holds is not forgotten."""
    floor = build(auto_redeem=False, keep_ns=SECOND_NS)
    floor.venue.resolve(ID, Usdc(1_000_000), Usdc(0), floor.now_ns)
    floor.wait(10)

    assert floor.venue.redeem("A", ID) == START
    assert ID in floor.venue.markets


def test_an_ended_market_is_forgotten_but_its_order_ids_are_not(
    build: Callable[..., Floor],
) -> None:
    """Bounded memory without giving up idempotency. Proves: H5, P1.2, C5, P0.5."""
    floor = build(keep_ns=SECOND_NS)
    floor.place("A", "sell yes 10 @ 0.50", order_id="old")
    floor.place("B", "buy yes 10 @ 0.50")
    floor.wait(5)
    floor.venue.resolve(ID, Usdc(1_000_000), Usdc(0), floor.now_ns)
    floor.wait(1)

    assert floor.venue.markets == {}
    assert floor.venue.order("old") is None
    assert floor.venue.trades("B") == []
    assert floor.venue.order_ids("A") == ("old",)
    assert floor.venue.market_of(YES) is None
    assert floor.venue.levels(YES) == ((), ())
    floor.venue.list_market(MARKET, floor.now_ns)
    assert floor.refused("A", "buy yes 10 @ 0.50", order_id="old") == rules.duplicated("old")


# --- events -------------------------------------------------------------------------------


def test_a_match_is_told_in_order(floor: Floor) -> None:
    """Acceptance, print, trade, the maker's fill, the taker's, and the level that went."""
    floor.place("A", "sell yes 10 @ 0.50")
    floor.venue.drain()
    floor.place("B", "buy yes 10 @ 0.50")
    events = floor.venue.drain()

    assert [type(event) for event in events] == [
        OrderChanged, Printed, TradeChanged, OrderChanged, OrderChanged, LevelsMoved,
    ]  # fmt: skip
    levels = events[-1]
    assert isinstance(levels, LevelsMoved)
    assert levels.changes == (
        (YES, Side.SELL, Price(500_000), Shares(0)),
        (NO, Side.BUY, Price(500_000), Shares(0)),
    )
    assert floor.venue.drain() == []


def test_the_simulation_s_own_accounts_are_not_listened_to(floor: Floor) -> None:
    """Their orders move levels, and that is all the public ever learns of them."""
    floor.venue.adopt("C")
    floor.place("C", "buy yes 10 @ 0.40", order_id="own")

    assert [type(event) for event in floor.venue.drain()] == [LevelsMoved]
    floor.venue.cancel("C", "own", floor.now_ns)
    assert floor.venue.order("own") is None


def test_the_clock_never_runs_backwards(floor: Floor) -> None:
    """A caller that is late must not place orders into the past."""
    floor.wait(10)
    late = floor.venue.advance(NOW)

    assert late == NOW + 10 * SECOND_NS


@pytest.mark.parametrize("size", [Shares(3_000_000), Shares(0)])
def test_a_recorded_level_is_set_to_its_absolute_size(floor: Floor, size: Shares) -> None:
    """Growing joins the back of the queue, shrinking is taken from there."""
    floor.venue.adopt("tape", unlimited=True)
    level = (YES, Side.SELL, Price(500_000), Shares(8_000_000))
    floor.venue.set_levels("tape", [level], NOW)
    floor.place("A", "sell yes 10 @ 0.50")
    floor.venue.set_levels("tape", [(*level[:3], size)], NOW)
    told = floor.venue.drain()[-1]

    assert floor.venue.levels(YES)[1] == ((500_000, 10_000_000 + size),)
    assert isinstance(told, LevelsMoved)
    assert told.recorded


def test_a_recorded_level_that_shrinks_gives_up_its_youngest_part(floor: Floor) -> None:
    """Whoever waited behind the old part still waits behind all of it."""
    floor.venue.adopt("tape", unlimited=True)
    at = YES, Side.SELL, Price(500_000)
    floor.venue.set_levels("tape", [(*at, Shares(8_000_000))], NOW)
    floor.place("A", "sell yes 10 @ 0.50", order_id="ours")
    for size in (13_000_000, 8_000_000):
        floor.venue.set_levels("tape", [(*at, Shares(size))], NOW)
    floor.place("B", "buy yes 10 @ 0.50")

    ours = floor.venue.order("ours")
    assert ours is not None
    assert ours.matched == 2_000_000


def test_a_recorded_level_trades_with_our_order_that_it_crosses(floor: Floor) -> None:
    """That is how a resting order of ours is filled by recorded flow."""
    floor.venue.adopt("tape", unlimited=True)
    floor.venue.set_levels("tape", [(YES, Side.SELL, Price(600_000), Shares(50_000_000))], NOW)
    floor.place("A", "sell yes 10 @ 0.50", order_id="ours")
    level = (YES, Side.BUY, Price(550_000), Shares(25_000_000))
    floor.venue.set_levels("tape", [level], NOW)

    ours = floor.venue.order("ours")
    assert ours is not None
    assert ours.status == "MATCHED"
    assert floor.venue.levels(YES)[0] == ((550_000, 15_000_000),)
