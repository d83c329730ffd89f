"""What the presets promise: every kind at work, every check of the gate seen to refuse."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve, fields

from polybawt.core.risk import CHECKS, Limits
from polybawt.core.state import Config
from polybawt.core.strategies import registry
from polybawt.engine.config import SETTINGS
from polybawt.engine.figures import by_strategy, refusals
from polybawt.ops import presets
from polybawt.ops.exposed import used_now
from polybawt.ops.presets import ADVERSARIAL, ADVERSARIES, ALL, chosen
from tests.core.script import LIMITS, QUIET, Script, rich

wire = pytest.mark.xdist_group("wire")


def test_every_kind_of_strategy_has_its_part_in_the_preset() -> None:
    """A kind that nobody shows at work is a kind that may not work. Proves: A-strat."""
    assert set(registry.KINDS) <= set(presets.SETTINGS) | set(ADVERSARIES)
    assert set(presets.SETTINGS).isdisjoint(ADVERSARIES)


@pytest.mark.parametrize("preset", [ALL, ADVERSARIAL, chosen("value", "paper", recorded=False)])
def test_a_preset_is_a_configuration_that_loads(preset: presets.Preset) -> None:
    """Every name is one of a setting, every strategy can be told from the others."""
    config = SETTINGS.structure(preset.kernel, Config)
    names = [strategy.name for strategy in config.strategies]

    assert len(names) == len(set(names)) > 0
    assert all(strategy.enabled for strategy in config.strategies)


def test_only_the_adversarial_world_lets_the_reckless_in() -> None:
    """They would lose money on purpose."""
    config = SETTINGS.structure(ALL.kernel, Config)

    assert not {registry.kind_of(s) for s in config.strategies} & set(ADVERSARIES)


@pytest.mark.parametrize(
    ("preset", "world", "recorded"),
    [
        ("all-strategies", "paper", True),
        ("value", "adversarial", True),
        ("all-strategies", "adversarial", False),
    ],
)
def test_what_cannot_go_together_is_refused(preset: str, world: str, recorded: bool) -> None:
    """Half of what was asked for would look like all of it."""
    with pytest.raises(ValueError, match="--preset"):
        chosen(preset, world, recorded=recorded)


def test_each_limit_of_the_adversarial_world_is_below_the_one_before_it() -> None:
    """Or the check behind it would never be the first to refuse."""
    config = SETTINGS.structure(ADVERSARIAL.kernel, Config)
    limits = config.limits
    (greedy,) = (s for s in config.strategies if s.name == "greedy")
    in_order = [
        greedy.exposure_max, limits.token_exposure_max, limits.condition_exposure_max,
        limits.event_exposure_max, limits.class_exposure_max, limits.joint_exposure_max,
        limits.total_exposure_max,
    ]  # fmt: skip

    assert in_order == sorted(in_order, reverse=True)
    assert len(set(in_order)) == len(in_order)


# Figures.


def test_what_a_strategy_did_is_told_by_its_name() -> None:
    """Orders, fills, closed rounds, profit and refusals are each strategy's own.

    Proves: A-port, M3.
    """
    settings = {"strategies": [{"name": "test", "enabled": False}]}
    config = evolve(SETTINGS.structure(settings, Config), limits=LIMITS)
    script = Script(config=config).start()
    script.quote()
    first = script.rest(10, 40)
    script.say(script.trade(10, intent_id=first), script.trade(10, status="CONFIRMED"))
    script.want(10, 99)

    figures = by_strategy(script.state)

    assert figures == {
        "test": {"orders": 1, "fills": 1, "closed": 0, "pnl_usdc": "1", "refused": 1}
    }
    assert refusals(script.state) == {"price_cap": 1}


def test_every_limit_of_what_may_be_at_risk_is_looked_at() -> None:
    """A limit that nobody measures may be exceeded and nobody knows. Proves: limits."""
    script = rich()
    script.state.config = evolve(QUIET, strategies=Config().strategies)
    condition, market = next(iter(script.state.markets.items()))
    script.state.markets[condition] = evolve(market, event_id="7")

    used = {name.partition(" ")[0]: (most, limit) for name, most, limit in used_now(script.state)}

    limited = {
        field.name.removesuffix("_exposure_max")
        for field in fields(Limits)
        if field.name.endswith("_exposure_max")
    }
    assert set(used) == limited | {"strategy"}
    assert all(0 <= most <= limit for most, limit in used.values())
    assert used["total"][0] == script.state.total_exposure() > 0


# Whole runs.


async def run(directory: Path, *arguments: str) -> tuple[int | None, dict[str, Any]]:
    paper = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "polybawt", "paper", "--headless", "--json",
        "--state", str(directory), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    said, _ = await paper.communicate()
    return paper.returncode, json.loads(said)


@wire
async def test_every_strategy_runs_beside_the_others(tmp_path: Path) -> None:
    """A short run: most have placed something, no limit was exceeded, the ledgers agree."""
    code, result = await run(tmp_path, "--preset", "all-strategies", "--duration", "12")

    assert (code, result["drift_micro"], result["limits_exceeded"]) == (0, 0, 0)
    assert set(result["strategies"]) == set(registry.KINDS) - set(ADVERSARIES)
    assert sum(did["orders"] for did in result["strategies"].values()) == result["orders"] > 0
    assert sum(did["fills"] for did in result["strategies"].values()) == result["fills"]
    assert sum(result["refusals"].values()) == result["refused"]


@wire
async def test_a_check_that_never_refused_fails_the_run(tmp_path: Path) -> None:
    """In so short a time not everything can go wrong; the run says what did not. Proves: limits."""
    code, result = await run(tmp_path, "--world", "adversarial", "--duration", "4")

    assert code == 1
    assert list(result["refused_by"]) == [name for name, _ in CHECKS]
    assert "killed" in result["never_refused"]
    assert result["refused_by"]["price_cap"] > 0
    assert result["limits_exceeded"] == 0
