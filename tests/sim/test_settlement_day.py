"""A recorded day: every market settled as it really was."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from polybawt.core.units import MS_NS, SECOND_NS
from polybawt.sim.records import Report
from polybawt.sim.settlement_day import Day, SettlementDay, read_day
from polybawt.sim.venue import Listed, Resolved
from polybawt.sim.world import WorldLike

Find = Callable[[str], Path]


def lines(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()


@pytest.fixture(scope="module")
def day(recorded: Find) -> Day:
    return read_day(
        lines(recorded("settlement/BTC-5m-markets-2026-06-08.jsonl.gz")),
        lines(recorded("settlement/BTCUSD-prices-2026-06-08.csv.gz")),
        "btc/usd",
    )


def test_the_recorded_rule_settles_as_recorded(recorded: Find, day: Day) -> None:
    """Up iff the report of the closing second is not below the strike, as whole numbers.

    Proves: C1, P0.1.
    """
    expected = json.loads(recorded("settlement/expected.json").read_text())["settlement"]
    values = {report.report_ms: report.value_e18 for _, report in day.reports}
    agree = unknown = no_strike = 0
    for outcome in day.outcomes:
        market = outcome.market
        value = values.get(market.end_ns // MS_NS)
        no_strike += not market.strike_e18
        unknown += value is None
        if value is not None and market.strike_e18:
            up = value >= market.strike_e18
            agree += up == (outcome.yes_payout == 1_000_000)

    assert day.bad == []
    assert agree == expected["exact_second_agree"]
    assert unknown == expected["no_tick_at_close_second"]
    assert no_strike == expected["no_strike"]


def test_a_day_lists_strikes_reports_and_resolves_everything(day: Day) -> None:
    """Nothing is published before it was received, no strike before its window starts."""
    world: WorldLike = SettlementDay(day)
    listed = [event for event in world.venue.drain() if isinstance(event, Listed)]
    assert world.end_ns is not None
    reports, resolved = 0, []
    for now_ns in range(world.start_ns, world.end_ns + 30 * SECOND_NS, 30 * SECOND_NS):
        for report in world.step(now_ns):
            assert isinstance(report, Report)
            assert report.report_ms * MS_NS < now_ns
            reports += 1
        resolved += [event for event in world.venue.drain() if isinstance(event, Resolved)]

    assert len(listed) == 292
    assert all(event.market.strike_e18 == 0 for event in listed)
    assert reports == 84_558
    assert len(resolved) == 292
    assert sum(event.yes_payout == 1_000_000 for event in resolved) == 137
    assert sum(event.market.strike_e18 != 0 for event in resolved) == 288
    late_s = sorted((event.now_ns - event.market.end_ns) // SECOND_NS for event in resolved[1:])
    assert (late_s[len(late_s) // 2], late_s[-1]) == (19, 85)  # as measured on the recording


def test_lines_that_cannot_be_understood_are_told(day: Day) -> None:
    """A damaged file is still a day."""
    broken = read_day(["{}", "no json"], ["feed_ts_ms,full_accuracy_value,recv_ms", "1,x,2"], "s")

    assert len(day.bad) == 0
    assert len(broken.bad) == 3
    assert broken.outcomes == []
