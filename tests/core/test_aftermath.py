"""What a fill was worth a second, five and thirty later."""

import pytest

from polybawt.core import aftermath
from polybawt.core.market import Side
from polybawt.core.signals.markouts import Markout
from tests.core.script import Script, cents, shares


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def moved(script: Script, bid: float, ask: float) -> None:
    script.quote(bids=((cents(bid), shares(100)),), asks=((cents(ask), shares(100)),))


def test_a_fill_is_followed_at_each_horizon(script: Script) -> None:
    """Bought at 0.40 with the mid at 0.50: a dime of spread earned, half of it lost again."""
    script.rest(10, 40)
    script.say(script.trade(10, 40))
    moved(script, 40, 50)
    script.wait(1)
    moved(script, 38, 40)
    script.wait(2.5)
    moved(script, 38, 40)
    script.wait(1.5)
    moved(script, 30, 38)
    for _ in range(9):
        script.wait(2.8)
        moved(script, 30, 38)
    script.wait(0.2)
    at = {key: round(value.mean) for key, value in script.state.markouts.items()}

    assert at == {
        "test:maker:1": 50_000, "test:maker:5": -10_000, "test:maker:30": -60_000,
    }  # fmt: skip
    second = script.state.markouts["test:maker:1"]
    assert second.effective == -100_000 * 10_000_000  # below the mid: we were paid for waiting
    assert round(second.adverse) == -50_000
    assert script.state.watched == []


def test_a_sale_that_is_followed_by_a_fall_was_good() -> None:
    assert Markout().mean == Markout().adverse == 0
    script = Script().start()
    script.wait(1)
    script.quote()
    script.rest(10, 40)
    script.say(script.trade(10, 40))
    script.rest(10, 60, side=Side.SELL)
    script.say(script.trade(10, 60, intent_id="i2", trade_id="t2"))
    script.wait(1)
    both = script.state.markouts["test:maker:1"]
    assert (both.fills, both.realised) == (2, -200_000 * 10_000_000)


def test_without_a_fresh_book_nothing_is_measured_and_memory_is_bounded(script: Script) -> None:
    """Proves: C5."""
    script.rest(10, 40)
    script.say(script.trade(10, 40))
    script.wait(40)
    assert script.state.markouts == {}
    assert script.state.counters["markouts_missed"] == 3
    assert script.state.watched == []

    script.quote(bids=(), asks=())
    script.quote()
    script.state.watched = [None] * aftermath.WATCHED_MAX  # type: ignore[list-item]
    script.state.now_ns -= 10**9
    script.rest(10, 39)
    script.say(script.trade(10, 39, intent_id="i2", trade_id="t2"))
    assert script.state.counters["fills_not_watched"] == 1
    assert len(script.state.watched) == aftermath.WATCHED_MAX
