"""Spot prices: kept, bounded, a reason to look again, and never a verdict."""

from polybawt.core import facts
from polybawt.core.state import ORACLES_MAX
from polybawt.core.units import MS_NS
from tests.core.script import T0_S, Script

E18 = 10**18


def spot(script: Script, value: int, symbol: str = "btc/usd") -> facts.SpotReported:
    now_ms = script.now_ns // MS_NS
    return facts.SpotReported(symbol=symbol, value_e18=value * E18, spot_ms=now_ms)


def test_spot_is_kept_and_decides_no_market() -> None:
    """Proves: C2."""
    script = Script().start()
    end_ms = (T0_S + 300) * 1000
    script.wait(299)
    script.say(spot(script, 100))
    script.say(facts.SpotReported(symbol="btc/usd", value_e18=200 * E18, spot_ms=end_ms))
    script.wait(2)

    assert script.state.spots["btc/usd"].value == 200 * E18
    settlement = script.state.settlements["0xc1"]
    assert (settlement.state, settlement.strike_e18, settlement.observed) == ("ended", 0, "")


def test_spots_of_many_symbols_are_bounded() -> None:
    """Proves: C5."""
    script = Script().start()
    for number in range(ORACLES_MAX + 5):
        script.say(spot(script, 1, f"c{number}/usd"))
    assert len(script.state.spots) == ORACLES_MAX
    assert script.state.counters["spots_not_kept"] == 5


def test_an_absurd_spot_price_is_refused_at_the_door() -> None:
    script = Script().start()
    script.say(spot(script, 0), facts.SpotReported(symbol="b", value_e18=1, spot_ms=10**15))
    assert script.state.spots == {}
    assert script.state.counters["absurd"] == 2
