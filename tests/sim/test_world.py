"""The paper world: what a small stranger meets in it within a minute."""

from collections import Counter

import pytest
from attrs import evolve, frozen

from polybawt.core.market import Market, Side
from polybawt.core.units import MS_NS, SECOND_NS, Price, Shares, Usdc
from polybawt.sim.prices import RecordedPath
from polybawt.sim.records import Quoted, Report
from polybawt.sim.venue import (
    Accepted,
    Event,
    LevelsMoved,
    Listed,
    OrderChanged,
    Placement,
    Printed,
    Resolved,
    TradeChanged,
)
from polybawt.sim.world import World, WorldLike, WorldTerms, series_market

START = 1_700_000_003 * SECOND_NS + 123_456_789
STEP = 50 * MS_NS
ME = "0xme"


@frozen
class Minute:
    world: World
    events: tuple[tuple[int, Event], ...]
    reports: tuple[tuple[int, Report], ...]
    answers: Counter[str]


class Stranger:
    """Quotes a tick inside the spread every two seconds, and now and then takes the best ask."""

    def __init__(self, world: World) -> None:
        self.world, self.count = world, 0
        self.answers: Counter[str] = Counter()
        world.venue.deposit(ME, Usdc(5_000_000_000))

    def act(self, n: int, now_ns: int) -> None:
        if n % 40 == 20:
            for market in self.running():
                bids, asks = self.world.venue.levels(market.yes_token)
                if bids and asks and asks[-1][0] - bids[-1][0] > 2 * market.tick:
                    price = Price(bids[-1][0] + market.tick)
                    self.order(market, price, 25, now_ns, post_only=True)
        if n % 160 == 30 and self.running():
            market = self.running()[-1]
            _, asks = self.world.venue.levels(market.yes_token)
            if asks:
                self.order(market, asks[-1][0], 10, now_ns, post_only=False)

    def running(self) -> list[Market]:
        markets = self.world.venue.markets.values()
        return [m for m in markets if m.accepting_orders and m.strike_e18]

    def order(
        self, market: Market, price: Price, shares: int, now_ns: int, *, post_only: bool
    ) -> None:
        self.count += 1
        order = Placement(
            owner=ME, order_id=f"me-{self.count}", token_id=market.yes_token, side=Side.BUY,
            price=price, size=Shares(shares * 1_000_000), post_only=post_only,
        )  # fmt: skip
        answer = self.world.venue.place(order, now_ns)
        self.answers["accepted" if isinstance(answer, Accepted) else answer.text] += 1


def run(seconds: int, *, trade: bool = True, keep_s: int = 600) -> Minute:
    world = World(WorldTerms(keep_ns=keep_s * SECOND_NS), START)
    stranger = Stranger(world)
    events: list[tuple[int, Event]] = []
    reports: list[tuple[int, Report]] = []
    for n in range(seconds * SECOND_NS // STEP):
        now_ns = START + (n + 1) * STEP
        reports += [(now_ns, r) for r in world.step(now_ns) if isinstance(r, Report)]
        if trade:
            stranger.act(n, now_ns)
        events += [(now_ns, event) for event in world.venue.drain()]
    return Minute(world, tuple(events), tuple(reports), stranger.answers)


@pytest.fixture(scope="module")
def minute() -> Minute:
    return run(60)


def test_a_stranger_is_filled_in_full_and_in_part_as_maker_and_as_taker(minute: Minute) -> None:
    """Everything the engine must handle happens to it within one paper minute."""
    kinds: Counter[str] = Counter()
    for _, event in minute.events:
        if isinstance(event, OrderChanged) and event.kind == "UPDATE":
            order = event.order
            partly = 0 < order.matched < order.placement.size
            kinds[f"{'partly' if partly else 'fully'} filled"] += 1
        if isinstance(event, TradeChanged):
            role = "taker" if event.trade.taker_owner == ME else "maker"
            kinds[f"{role} {event.trade.status}"] += 1
        if isinstance(event, OrderChanged) and event.kind == "CANCELLATION":
            kinds["ended at the close"] += 1

    assert kinds["fully filled"] >= 5
    assert kinds["partly filled"] >= 3
    assert kinds["maker CONFIRMED"] >= 5
    assert kinds["taker CONFIRMED"] >= 2
    assert kinds["ended at the close"] >= 1
    assert minute.answers["accepted"] >= 20


def test_the_book_moves_at_a_believable_rate(minute: Minute) -> None:
    """Busy enough to exercise a feed, slow enough for a laptop."""
    moves = sum(isinstance(event, LevelsMoved) for _, event in minute.events)
    prints = sum(isinstance(event, Printed) for _, event in minute.events)

    assert 20 <= moves / 60 <= 60
    assert prints >= 60


def test_two_markets_are_always_open_and_each_is_listed_a_window_ahead(minute: Minute) -> None:
    """A strategy must never find the shelf empty."""
    listed = [(now, event.market) for now, event in minute.events if isinstance(event, Listed)]
    fresh = [(now, market) for now, market in listed if now > START + SECOND_NS]

    assert fresh
    assert all(now <= market.start_ns - 20 * SECOND_NS + STEP for now, market in fresh)
    for n in range(60):
        at_ns = START + n * SECOND_NS + STEP
        assert sum(m.start_ns <= at_ns < m.end_ns for _, m in listed) >= 2


def test_a_market_pays_by_the_report_of_its_last_second(minute: Minute) -> None:
    """The strike is the report of the first second; a tie is Up."""
    values = {report.report_ms: report.value_e18 for _, report in minute.reports}
    resolved = [event for _, event in minute.events if isinstance(event, Resolved)]
    judged = [e for e in resolved if e.market.start_ns // MS_NS in values]

    assert len(resolved) >= 4
    assert judged
    for event in judged:
        market = event.market
        assert market.strike_e18 == values[market.start_ns // MS_NS]
        up = values[market.end_ns // MS_NS] >= market.strike_e18
        assert event.yes_payout == (1_000_000 if up else 0)
        assert event.now_ns > market.end_ns


def test_a_tie_is_up() -> None:
    """A price that has not moved settles Up: equality is not below (data reference 0.3)."""
    flat = RecordedPath([Report("btc/usd", 64_000 * 10**18, 0)])
    world = World(WorldTerms(), START, path=flat)
    world.step(START + 60 * SECOND_NS)
    resolved = [event for event in world.venue.drain() if isinstance(event, Resolved)]

    assert len(resolved) >= 4
    assert {event.yes_payout for event in resolved} == {1_000_000}


def test_reports_come_once_a_second_and_late(minute: Minute) -> None:
    """The publication delay is what an informed trader lives on."""
    times = [report.report_ms for _, report in minute.reports]

    assert times == list(range(times[0], times[0] + 1_000 * len(times), 1_000))
    assert all(
        1_200 * MS_NS <= now - report.report_ms * MS_NS < 1_200 * MS_NS + STEP
        for now, report in minute.reports
    )


def test_value_is_conserved_through_the_whole_minute(minute: Minute) -> None:
    """Agents, fees, the stranger and the backing of every set together."""
    accounts = minute.world.venue.accounts

    assert accounts.worth() == accounts.brought_in


def test_the_same_seed_and_the_same_orders_give_the_same_world(minute: Minute) -> None:
    """Every failure can be run again."""
    assert run(60).events == minute.events


def test_nobody_can_move_the_price() -> None:
    """The path does not depend on who trades."""
    assert run(20, trade=False).reports == run(20).reports


def test_ended_markets_leave_and_the_world_stays_small() -> None:
    """Bounded memory: a soak of hours holds no more than a soak of minutes. Proves: C5, P0.5."""
    world: WorldLike = run(120, trade=False, keep_s=10).world

    assert len(world.venue.markets) <= 9
    assert world.end_ns is None
    assert world.rest_book("1") is None
    assert not world.recorded


def test_a_late_step_skips_nothing() -> None:
    """A process that slept for a minute finds the reports and resolutions of that minute."""
    world = World(WorldTerms(), START)
    told = world.step(START + 60 * SECOND_NS)
    reports = [one for one in told if isinstance(one, Report)]
    resolved = [event for event in world.venue.drain() if isinstance(event, Resolved)]

    assert len(reports) == 60
    assert len(resolved) >= 4


def test_ids_follow_from_seed_and_epoch() -> None:
    """Two worlds of one seed list the same tokens; another seed lists others."""
    one = series_market(WorldTerms(stride_s=10), 1_700_000_000)

    assert one == series_market(WorldTerms(stride_s=10), 1_700_000_000)
    assert one.slug == "btc-updown-20s-1700000000"
    other = series_market(WorldTerms(seed="b", stride_s=10), 1_700_000_000)
    assert one.condition_id != other.condition_id
    assert len(one.condition_id) == 66
    assert 0 < int(one.yes_token) < 2**256


def test_position_ids_look_like_those_of_the_new_protocol() -> None:
    """Module byte 1, bits 40 to 103 zero, the outcome in the last byte (reference 3.2)."""
    market = series_market(WorldTerms(stride_s=10, position_ids_every=1), 1_700_000_000)
    up, down = int(market.yes_token), int(market.no_token)

    assert market.version == "v2"
    assert (up >> 248, up >> 40 & (2**64 - 1), up & 0xFF, down - up) == (1, 0, 0, 1)
    assert market.condition_id == f"0x{up >> 8:062x}00"
    assert series_market(WorldTerms(stride_s=10), 1_700_000_000).version == "v1"


def test_a_market_may_be_of_a_version_that_nobody_knows() -> None:
    """As the next one will be, on the day it comes; its ids are those of the first."""
    market = series_market(WorldTerms(stride_s=10, unknown_version_every=1), 1_700_000_000)

    assert market.version == "v9"
    assert evolve(market, version="v1") == series_market(WorldTerms(stride_s=10), 1_700_000_000)


# Averages, as the series settles by since August 2026.


def test_with_an_average_both_ends_of_a_market_are_averages_of_what_was_reported() -> None:
    """Strike and end are the mean of 60 reports each (reference 5.4); the published average of
    that second is the very value. Proves: P2.2."""
    world = World(WorldTerms(twap_lookback_s=60), START)
    told = world.step(START + 600 * SECOND_NS)
    averages = {q.at_ms: q.value_e18 for q in told if isinstance(q, Quoted) and q.window_s == 60}
    reports = {r.report_ms: r.value_e18 for r in told if isinstance(r, Report)}
    judged = [
        event
        for event in world.venue.drain()
        if isinstance(event, Resolved)
        and event.market.start_ns // MS_NS in averages
        and event.market.end_ns // MS_NS in averages
    ]

    assert len(judged) >= 50
    for event in judged:
        market = event.market
        assert market.twap_lookback_s == 60
        assert market.strike_e18 == averages[market.start_ns // MS_NS]
        up = averages[market.end_ns // MS_NS] >= market.strike_e18
        assert event.yes_payout == (1_000_000 if up else 0)
    late_ms = max(averages)
    mean = sum(reports[late_ms - 1_000 * n] for n in range(60)) // 60
    assert 0 <= mean - averages[late_ms] < 10**10


def test_an_average_and_a_report_can_disagree_about_the_winner() -> None:
    """Why the look-back has to be read per market: who assumes the report is sometimes wrong."""
    winners = []
    for window_s in (0, 60):
        world = World(WorldTerms(twap_lookback_s=window_s), START)
        world.step(START + 600 * SECOND_NS)
        resolved = [event for event in world.venue.drain() if isinstance(event, Resolved)]
        winners.append([event.yes_payout for event in resolved])

    assert len(winners[0]) == len(winners[1]) >= 50
    assert winners[0] != winners[1]


def test_spot_is_out_before_the_report_of_its_second() -> None:
    """The lead that a sniper lives on, and the basis that misleads it (data reference 3)."""
    world = World(WorldTerms(), START)
    seen: dict[int, dict[str, tuple[int, int]]] = {}
    for n in range(200):
        now_ns = START + (n + 1) * STEP
        for one in world.step(now_ns):
            if isinstance(one, Quoted) and one.feed == "binance":
                seen.setdefault(one.at_ms, {})["spot"] = now_ns, one.value_e18
                assert one.symbol == "btcusdt"
            if isinstance(one, Report):
                seen.setdefault(one.report_ms, {})["report"] = now_ns, one.value_e18
    both = [pair for pair in seen.values() if len(pair) == 2][2:]

    assert len(both) >= 5
    for pair in both:
        assert pair["report"][0] - pair["spot"][0] == 1_100 * MS_NS
        assert 20 < (pair["spot"][1] - pair["report"][1]) * 10**6 // pair["report"][1] < 60


def test_long_windows_remember_their_strike() -> None:
    """A market of four hours is struck when it is found, however long ago it began."""
    world = World(WorldTerms(window_s=14_400, twap_lookback_s=60), START)
    world.step(START + 2 * SECOND_NS)

    assert any(market.strike_e18 for market in world.venue.markets.values())
