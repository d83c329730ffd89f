"""VPIN from real sides, in volume buckets."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.market import Side
from polybawt.core.signals.flow import Flow, sign_of
from polybawt.core.units import MILLION, Shares, parse_scaled
from tests.core.script import MARKET, NO, YES


@pytest.mark.parametrize(("volume", "count"), [(500, 10), (1000, 10), (1000, 50)])
def test_the_recorded_tape_gives_the_reference_readings(
    recorded: Callable[[str], Path], volume: int, count: int
) -> None:
    """1,594 trades of one market, each with its aggressor's side.  Proves: H1, P1.3."""
    tape = json.loads(recorded("trades/btc5m_tape_1779805500_first60s.json").read_text())
    reference = json.loads(recorded("trades/expected_vpin.json").read_text())["vpin"]
    expected = reference[f"V={volume},n={count}"]
    flow = Flow(bucket=Shares(volume * MILLION), count=count)
    readings: list[float] = []
    for _, side, _, size, token, _ in sorted(tape["trades"], key=lambda trade: trade[0]):
        up = token == tape["up_token"]
        sign = 1 if (side == "BUY") == up else -1
        readings += flow.traded(sign, Shares(parse_scaled(size, 6)))

    assert len(readings) == expected["values"]
    assert readings[:5] == pytest.approx(expected["first"], abs=1e-9)
    assert readings[-5:] == pytest.approx(expected["last"], abs=1e-9)
    assert max(readings, default=0) == pytest.approx(expected["max"], abs=1e-9)


def test_both_tokens_have_one_sign() -> None:
    """Buying yes and selling no are the same bet."""
    assert sign_of(MARKET, YES, Side.BUY) == sign_of(MARKET, NO, Side.SELL) == 1
    assert sign_of(MARKET, YES, Side.SELL) == sign_of(MARKET, NO, Side.BUY) == -1


def test_nothing_is_said_before_there_are_enough_buckets() -> None:
    flow = Flow(bucket=Shares(10), count=2)
    assert list(flow.traded(1, Shares(19))) == []
    assert flow.vpin is None
    assert list(flow.traded(-1, Shares(1))) == [pytest.approx((10 + 8) / 20)]
    assert list(flow.traded(1, Shares(20))) == [pytest.approx(18 / 20), pytest.approx(1.0)]


@given(st.lists(st.tuples(st.sampled_from((-1, 1)), st.integers(1, 10**9)), max_size=60))
def test_readings_stay_between_balanced_and_one_sided(trades: list[tuple[int, int]]) -> None:
    flow = Flow(bucket=Shares(1_000_000), count=5)
    for sign, shares in trades[:20]:
        for reading in flow.traded(sign, Shares(shares % 10_000_000 + 1)):
            assert 0 <= reading <= 1
    assert len(flow.imbalances) <= 5
    assert 0 <= flow.begun < flow.bucket
