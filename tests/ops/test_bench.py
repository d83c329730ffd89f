"""The benchmarks measure what they say: tiny runs of each, whose figures mean nothing.

No speed is asserted here: a test on a busy machine would fail for its neighbours.  That every
order a benchmark counts was really signed and really taken is asserted by the benchmark itself.
"""

import json

import pytest

from polybawt import cli
from polybawt.ops import bench
from polybawt.ops.bench_exchange import exchange_measures
from polybawt.ops.bench_rest import rest_measures
from polybawt.ops.bench_sign import sign_measures
from polybawt.ops.bench_terms import Measure, exchange, worker

KEYS = {"name", "metric", "value", "unit", "target", "ok", "beside"}


def hush(words: str, part: float) -> None:
    assert words
    assert 0 <= part <= 1


def a_measure(value: float, *, at_most: bool = False) -> Measure:
    return Measure(
        name="n", metric="m", value=value, unit="/s", target=10, at_most=at_most, beside={"x": 1}
    )


def test_a_target_is_met_from_the_right_side() -> None:
    assert [a_measure(value).ok for value in (9, 10, 11)] == [False, True, True]
    assert [a_measure(value, at_most=True).ok for value in (9, 10, 11)] == [True, True, False]


def test_a_missed_target_fails_the_command_and_is_shown() -> None:
    measures = [a_measure(11), a_measure(9)]

    assert bench.good(measures[:1])
    assert not bench.good(measures)
    assert [row["ok"] for row in bench.as_json(measures)["benches"]] == [True, False]
    assert "FAIL" in bench.told(measures)
    assert "FAIL" not in bench.told(measures[:1])


def test_a_soak_is_asked_for_by_name_and_for_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", "soak", "--minutes", "0"]) == cli.USAGE
    assert "--minutes: 0 is not above 0" in capsys.readouterr().err

    assert cli.main(["bench", "soak", "--tiny", "--json"]) == cli.GOOD
    (soak,) = json.loads(capsys.readouterr().out)["benches"]
    assert (soak["value"], soak["target"]) == (0, 0)
    assert soak["beside"]["books_compared"] > 0


async def test_the_exchange_is_measured_by_orders_it_takes_and_messages_it_tells() -> None:
    """Orders, messages and answers come from one run against one exchange. Proves: load"""
    measures = await exchange_measures(hush, tiny=True)

    assert [measure.metric.split()[-1] for measure in measures] == [
        "accepted",
        "subscriber",
        "load",
    ]
    assert all(measure.value > 0 for measure in measures)
    heard = measures[1].beside["heard"]
    assert heard == 4 * 30 * 9, "four rounds in thirty markets, nine messages each"


async def test_a_refused_order_is_no_measurement() -> None:
    """An exchange that is fast at refusing is not a fast exchange."""
    async with (
        exchange("--accounts", "9", "--collateral", "0") as card,
        worker("polybawt.ops.bench_load") as load,
    ):
        got = await load.ask({"card": card, "do": "orders", "count": 4, "lines": 1})

    assert got["refused"].startswith("4 refused, the first with 400")
    assert "not enough balance" in got["refused"]


async def test_signing_is_measured_beside_both_clients_with_both_curves() -> None:
    pytest.importorskip("py_clob_client_v2")
    pytest.importorskip("polymarket")

    measures = await sign_measures(hush, tiny=True)

    assert [(m.metric.split("beside ")[1], m.target) for m in measures] == [
        ("py-clob-client-v2 with coincurve", 10),
        ("polymarket-client with coincurve", 10),
        ("py-clob-client-v2 by default", 80),
        ("polymarket-client by default", 80),
    ]
    assert all(measure.beside["polybawt_per_s"] for measure in measures)


async def test_posting_is_measured_beside_plain_httpx() -> None:
    measures = await rest_measures(hush, tiny=True)

    assert [measure.at_most for measure in measures] == [False, True]
    assert all(measure.value > 0 for measure in measures)
    assert measures[0].beside["plain_httpx_per_s"] > 0


def test_the_command_knows_its_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["bench", "nonsense", "--json"])

    assert code == cli.USAGE
    assert "exchange, sign, rest, gamma" in json.loads(capsys.readouterr().out)["error"]
    assert a_measure(1).as_json().keys() == KEYS
