"""The one estimate that bears on a decision, against a recorded day and its closed forms."""

import gzip
import json
from collections.abc import Callable
from math import log, sqrt
from pathlib import Path
from statistics import NormalDist, fmean

import pytest

from polybawt.core.signals import fair_value
from polybawt.core.signals.fair_value import (
    PROBABILITY_MIN,
    Oracle,
    VolatilityModel,
    as_price,
    up_value,
    volatility,
)
from polybawt.core.units import SECOND_NS
from polybawt.sim.settlement_day import read_day

Find = Callable[[str], Path]
REFERENCE = VolatilityModel(interval_s=60, step_s=5, window_s=3_600, prior_weight=0)
E18 = 10**18
AGE_MS_MAX = 5_000  # of the value seen, as the reference measured it


def test_the_recorded_day_has_its_reference_quality(recorded: Find) -> None:
    """Brier score and log-loss of 2026-06-08, at six times before the close, as measured apart.

    Proves: P2.5.
    """
    expected = json.loads(recorded("settlement/expected.json").read_text())
    table = expected["digital_fair_value_reference"]["by_seconds_left"]

    def lines(name: str) -> list[str]:
        return gzip.decompress(recorded(name).read_bytes()).decode().splitlines()

    day = read_day(
        lines("settlement/BTC-5m-markets-2026-06-08.jsonl.gz"),
        lines("settlement/BTCUSD-prices-2026-06-08.csv.gz"),
        "btc/usd",
    )
    moments = sorted(
        (result.market.end_ns // SECOND_NS - int(left), left, index)
        for index, result in enumerate(day.outcomes)
        for left in table
        if result.market.strike_e18
    )
    reports = iter(sorted((r.report_ms, r.value_e18) for _, r in day.reports))
    never = 10**15, 0
    oracle, following = Oracle("btc/usd"), next(reports)
    scores: dict[str, list[tuple[float, float]]] = {left: [] for left in table}
    for second, left, index in moments:
        while following[0] <= second * 1_000:
            oracle.report(*following)
            following = next(reports, never)
        if second * 1_000 - oracle.latest_ms > AGE_MS_MAX:
            continue
        result = day.outcomes[index]
        chance = up_value(
            value=oracle.value,
            strike=result.market.strike_e18,
            sigma=volatility(oracle, REFERENCE),
            seconds_left=int(left),
        )
        hit = chance if result.yes_payout else 1 - chance
        scores[left].append(((1 - hit) ** 2, -log(hit)))

    for left, row in table.items():
        brier, logloss = (fmean(column) for column in zip(*scores[left], strict=True))
        assert len(scores[left]) == pytest.approx(row["n"], abs=1), left
        assert brier == pytest.approx(row["brier"], abs=0.001), left
        assert logloss == pytest.approx(row["logloss"], abs=0.002), left


def chance(**other: float) -> float:
    terms: dict[str, float] = {
        "value": 100 * E18,
        "strike": 100 * E18,
        "sigma": 1e-4,
        "seconds_left": 100,
    }
    return up_value(**(terms | other))  # type: ignore[arg-type]


def test_a_value_at_the_strike_is_a_coin() -> None:
    assert chance() == 0.5


def test_the_estimate_is_the_normal_distribution_of_the_distance() -> None:
    """0.1 % above the strike with 1 bp a root second and 100 s to go is one deviation."""
    distance = log(100.1 / 100) / (1e-4 * sqrt(100))

    assert chance(value=100 * E18 + E18 // 10) == pytest.approx(NormalDist().cdf(distance))


def test_noise_adds_to_the_variance() -> None:
    """Near the close what we see is not what settles."""
    deviation = sqrt(1e-8 * 1 + 0.0005**2)
    expected = NormalDist().cdf(log(100.1 / 100) / deviation)

    seen = chance(value=100 * E18 + E18 // 10, seconds_left=1, noise=0.0005)
    assert seen == pytest.approx(expected)


@pytest.mark.parametrize(
    ("left", "variance"), [(200, 200 - 40), (60, 20), (30, 30**3 / (3 * 60**2))]
)
def test_an_average_varies_less_than_its_end(left: float, variance: float) -> None:
    """Variance of the mean of the last 60 s: before its window, at its edge, inside it."""
    seen = chance(value=100 * E18 + E18 // 50, seconds_left=left, twap_s=60)
    distance = log(100.02 / 100) / (1e-4 * sqrt(variance))

    assert seen == pytest.approx(NormalDist().cdf(distance))


def test_nothing_is_ever_certain() -> None:
    """A probability of one would bet everything."""
    assert chance(value=200 * E18) == 1 - PROBABILITY_MIN
    assert chance(value=50 * E18) == PROBABILITY_MIN
    assert chance(value=10**36, strike=1) == 1 - PROBABILITY_MIN
    assert chance(value=1, strike=10**36) == PROBABILITY_MIN


@pytest.mark.parametrize(("value", "sure"), [(100, 1.0), (99, 0.0), (101, 1.0)])
def test_without_any_variance_the_strike_decides(value: int, sure: float) -> None:
    """Equality is Up."""
    assert chance(value=value * E18, sigma=0) == sure
    assert chance(value=value * E18, seconds_left=0) == sure
    assert chance(value=value * E18, seconds_left=-5) == sure


def test_a_probability_leaves_as_a_price_rounded_down() -> None:
    assert as_price(0.5) == 500_000
    assert as_price(0.123_456_9) == 123_456


# The oracle.


def test_a_report_is_kept_once_and_the_latest_is_by_its_own_time() -> None:
    oracle = Oracle("btc/usd")
    assert oracle.value == 0
    assert oracle.report(2_000, 20)
    assert oracle.report(1_000, 10)
    assert not oracle.report(2_000, 21)

    assert (oracle.value, oracle.latest_ms, oracle.at(1_000), oracle.at(1_500)) == (
        20,
        2_000,
        10,
        0,
    )


def test_a_double_is_good_for_returns_and_gives_way_to_the_exact_value() -> None:
    oracle = Oracle("btc/usd")
    assert oracle.report(1_000, 9, exact=False)
    assert not oracle.report(1_000, 9, exact=False)
    assert (oracle.at(1_000), oracle.near(1_000), oracle.value) == (0, 9, 9)
    assert oracle.report(1_000, 10)
    assert not oracle.report(1_000, 9, exact=False)

    assert (oracle.at(1_000), oracle.near(1_000), oracle.value) == (10, 10, 10)


def test_reports_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proves: C5, M1."""
    monkeypatch.setattr(fair_value, "REPORTS_MAX", 3)
    oracle = Oracle("btc/usd")
    for second in range(10):
        oracle.report(second, second)
        oracle.report(second + 100, second, exact=False)

    assert list(oracle.values) == [7, 8, 9]
    assert list(oracle.rough) == [107, 108, 109]


def test_volatility_is_of_returns_over_the_interval() -> None:
    """Steps of 1 bp a second in one direction are 60 bp a minute."""
    oracle = Oracle("btc/usd")
    for second in range(0, 121, 5):
        oracle.report(second * 1_000, round(100 * E18 * 1.0001**second))
    seen = volatility(oracle, REFERENCE)

    assert seen == pytest.approx(60 * log(1.0001) / sqrt(60))


def test_few_returns_are_shrunk_toward_the_prior() -> None:
    model = VolatilityModel(prior=0.0002, prior_weight=3)
    oracle = Oracle("btc/usd")
    assert volatility(oracle, model) == pytest.approx(0.0002)
    assert volatility(oracle, VolatilityModel(prior=0.0002, prior_weight=0)) == 0.0002
    oracle.report(0, 100 * E18)
    oracle.report(60_000, 101 * E18)

    square = log(1.01) ** 2 / 60
    assert volatility(oracle, model) == pytest.approx(sqrt((3 * 0.0002**2 + square) / 4))


def averaged(oracle: Oracle, at_s: int, value: int, twap_s: int = 4) -> int:
    return fair_value.settling_value(oracle, 10_000, twap_s, at_s * 1_000, value)


def test_what_is_averaged_already_is_settled() -> None:
    """The last four seconds of ten count: 7, 8, 9 and 10.  Proves: A-alpha."""
    oracle = Oracle("btc/usd")
    for second, value in ((6, 50), (7, 100), (8, 104)):
        oracle.report(second * 1_000, value)

    assert averaged(oracle, 6, 99) == 99  # not begun: the price is all there is
    assert averaged(oracle, 8, 120) == (100 + 104 + 120 + 120) // 4
    assert averaged(oracle, 9, 120) == (100 + 104 + 104 + 120) // 4  # a hole is as before it
    assert averaged(oracle, 12, 120) == (100 + 104 + 104 + 104) // 4
    assert averaged(oracle, 8, 120, twap_s=0) == 120


def test_an_average_of_mostly_holes_is_not_known() -> None:
    oracle = Oracle("btc/usd")
    oracle.report(7_000, 100)
    assert averaged(oracle, 8, 120) == 110  # 100, 100, 120, 120
    assert averaged(oracle, 9, 120) == 0


def test_inside_the_window_the_settled_part_decides_more_and_more() -> None:
    """A jump of the last second moves an average of sixty little."""
    late, early = Oracle("btc/usd"), Oracle("btc/usd")
    for second in range(-60, 9):
        late.report(second * 1_000 + 60_000, 100 * E18)
    end_ms = 70_000
    inside = fair_value.settling_value(late, end_ms, 60, 68_000, 106 * E18)
    assert inside == (58 * 100 + 2 * 106) * E18 // 60
    assert fair_value.settling_value(early, end_ms, 60, 5_000, 106 * E18) == 106 * E18
