"""What an exchange is told: refused early, or right."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core.units import SECOND_NS
from polybawt.exchange.config import InvalidConfig, exchange_config
from polybawt.exchange.worlds import invented
from polybawt.sim.world import World
from polybawt.venue.clock import Clock
from polybawt.venue.signing import Account

ADDRESSES = [
    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
]


def test_the_accounts_are_the_public_development_keys() -> None:
    """Nobody may ever fund them, so they must be the ones that everybody knows."""
    assert [Account(key).address for key in exchange_config(accounts=10).keys] == ADDRESSES


def test_plain_arguments_become_a_configuration() -> None:
    made = exchange_config(collateral="12.5", speed=60, window_s=120, replay="x/y.raw.jsonl.gz")

    assert (made.collateral, made.rate, made.window_s) == (12_500_000, 60.0, 120)
    assert str(made.replay) == "x/y.raw.jsonl.gz"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"port": 70_000}, "port"),
        ({"accounts": 0}, "accounts"),
        ({"accounts": 11}, "accounts"),
        ({"collateral": "ten"}, "collateral"),
        ({"collateral": "-1"}, "collateral"),
        ({"collateral": "0.0000001"}, "collateral"),
        ({"speed": 0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"window_s": 1}, "window_s"),
        ({"markets": 20_001}, "markets"),
        ({"markets": -1}, "markets"),
        ({"markets": 5, "replay": "session.raw.jsonl.gz"}, "markets"),
        ({"indexer_lag_s": -1}, "indexer_lag_s"),
        ({"indexer_lag_s": float("nan")}, "indexer_lag_s"),
    ],
)
def test_an_impossible_setting_is_named(wrong: dict[str, Any], name: str) -> None:
    with pytest.raises(InvalidConfig, match=name):
        exchange_config(**wrong)


def test_the_venues_clock_is_three_numbers() -> None:
    """Engine and exchange compute the same time from the ready line alone."""
    plain = Clock(real_ns=1_000, venue_ns=50)
    fast = Clock(real_ns=1_000, venue_ns=50, rate=60.0)

    assert plain.at(1_000 + 7) == 57
    assert fast.at(1_000 + 2 * SECOND_NS) == 50 + 120 * SECOND_NS


def test_the_admin_token_is_not_printed() -> None:
    assert "hush" not in repr(evolve(exchange_config(), admin_token="hush"))


def test_a_world_is_made_as_it_was_asked_for() -> None:
    """Averages, events, ticks and redemption are terms of the world; a quiet one owns its ticks."""
    told = exchange_config(
        neg_risk_events=1, twap_lookback_s=60, fine_ticks=True, auto_redeem=False, window_s=20
    )
    world = invented(told, 1_700_000_000 * SECOND_NS)
    world.step(1_700_000_001 * SECOND_NS)
    markets = list(world.venue.markets.values())

    assert sum(market.neg_risk for market in markets) == 3
    assert {market.twap_lookback_s for market in markets if market.symbol} == {60}
    assert isinstance(world, World)
    assert world._terms.fine_ticks
    assert not world._terms.auto_redeem
    quiet = invented(exchange_config(quiet_world=True), 1_700_000_000 * SECOND_NS)
    assert isinstance(quiet, World)
    assert not quiet._terms.fine_ticks


@pytest.mark.parametrize(
    "wrong",
    [{"twap_lookback_s": 45}, {"neg_risk_events": 21}, {"neg_risk_events": 1, "replay": "x"}],
)
def test_an_impossible_world_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfig):
        exchange_config(**wrong)
