"""What a paper run is made of, by its name: the kernel's settings, and the world they need.

``value`` is what trades unless something else is asked for.  ``all-strategies`` runs every kind
that the registry has, each under settings with which this world lets it place, fill and close a
trade within two minutes; they show that it works, not that it earns.  ``adversarial`` is a world
that breaks things on purpose, with limits so tight that every check of the gate has to refuse.
"""

from collections.abc import Mapping
from typing import Any, Final

from attrs import field, frozen

from polybawt.core.strategies.registry import KINDS
from polybawt.core.units import MILLION, SECOND_NS

WINDOW_S: Final = 20  # of the up-or-down markets
CALM_S: Final = 8.0  # more than the oracle's challenge window, and a look at what it decided
MODEL: Final = {"interval_s": 5, "step_s": 1, "window_s": 300, "prior": 0.0001}  # their volatility
VALUE: Final[Mapping[str, Any]] = {"kind": "value", "model": MODEL}


def dollars(amount: float) -> int:
    return round(amount * MILLION)


def ns(seconds: float) -> int:
    return round(seconds * SECOND_NS)


@frozen(kw_only=True)
class Preset:
    """``engine``: settings beside the kernel's; ``exchange``: arguments of its command.

    ``operator``: who sits at the desk, "" for nobody.  ``calm_s``: how long after everybody has
    stopped the oracle may still decide what was proposed to it, and the venue pay.
    """

    name: str
    kernel: Mapping[str, Any] = field(factory=lambda: {"strategies": [dict(VALUE)]})
    engine: Mapping[str, Any] = field(factory=dict)
    exchange: tuple[str, ...] = ()
    operator: str = ""
    calm_s: float = 0.0


OWN: Final = {"order_notional_max": dollars(3), "exposure_max": dollars(8)}
SETTINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "value": {"model": MODEL, **OWN},
    "snipe": {
        "model": MODEL, "edge": 5_000, "move_sigmas": 0.3, "spot_age_ms_max": 1_500,
        "full_size_s": 1.0, **OWN,
    },
    "ensemble": {"model": MODEL, **OWN},
    "high_yes": {
        "threshold": 800_000, "apart_max": 50_000, "print_size_min": 5 * MILLION,
        "seconds_left_min": 1.0, "approval": True, **OWN, "order_notional_max": dollars(5),
    },
    "arbitrage": {
        "edge": 2_000, "sets_max": 10 * MILLION, "order_notional_max": dollars(10),
        "exposure_max": dollars(40),
    },
    "hedge": {
        "pair_cost_max": 1_030_000, "seconds_left_min": 6.0, "leg_timeout_s": 4, "lifetime_s": 8,
        "quantity": 5 * MILLION, "slice_max": 5 * MILLION, "exposure_max": dollars(12),
    },
}  # fmt: skip
"""One of each kind; a kind without an entry cannot be shown to work."""
ADVERSARIES: Final = ("reckless",)  # they trade nowhere but in the adversarial world

ALL: Final = Preset(
    name="all-strategies",
    kernel={
        "strategies": [{"kind": kind, **SETTINGS[kind]} for kind in KINDS if kind in SETTINGS],
        "limits": {
            "token_exposure_max": dollars(30),
            "condition_exposure_max": dollars(60),
            "event_exposure_max": dollars(60),
            "class_exposure_max": dollars(150),
            "joint_exposure_max": dollars(150),
            "total_exposure_max": dollars(200),
        },
        "tiers": {"losses_max": 1_000},  # to be seen at work, they go on after losses
    },
    exchange=("--neg-risk", "2", "--collateral", "5000"),
    operator="approving",
    calm_s=CALM_S,
)
ADVERSARIAL: Final = Preset(
    name="adversarial",
    kernel={
        "strategies": [
            {**VALUE, "order_notional_max": dollars(2.5)},
            {
                "kind": "reckless", "name": "greedy", "exposure_max": dollars(9),
                "notionals": [dollars(amount) for amount in (9.5, 8.5, 7.5, 6.5, 5.5, 4.5, 3.5)],
            },
            {"kind": "reckless", "name": "crossing", "follies": ["crossing"]},
            {"kind": "reckless", "name": "crowd", "follies": ["crowd"]},
            {"kind": "reckless", "name": "modest", "follies": ["modest", "eager"]},
            {"kind": "reckless", "name": "asking", "follies": ["asking"]},
        ],
        # each is below the one before it, so that every one is the first to refuse something
        "limits": {
            "token_exposure_max": dollars(8),
            "condition_exposure_max": dollars(7),
            "event_exposure_max": dollars(6),
            "class_exposure_max": dollars(5),
            "joint_exposure_max": dollars(4),
            "total_exposure_max": dollars(3),
            "open_orders_max": 4,
        },
        "tiers": {
            "rejects_max": 1, "rejects_cool_ns": ns(4), "losses_max": 1_000,
            "errors_micro": MILLION, "oracle_dead_ns": ns(3_600),
        },
        "breaker_failures_max": 1,
        "breaker_cool_ns": ns(3),
        "decide_ns": ns(0.2),
        "ask_ns": ns(2),
        "submit_ns_max": ns(3),
    },
    # slow to see that a market is over, and soon back after a crash
    engine={"tick_s": 0.4, "snapshot_facts": 500},
    exchange=("--neg-risk", "1", "--unknown-versions", "4"),
    operator="adversary",
    calm_s=CALM_S,
)  # fmt: skip
PRESETS: Final = {preset.name: preset for preset in (Preset(name="value"), ALL)}


def chosen(preset: str, world: str, *, recorded: bool) -> Preset:
    """What a run is made of, or ``ValueError`` with what cannot go together."""
    if recorded and (preset, world) != ("value", "paper"):
        raise ValueError("--preset and --world are for the paper world: a recording is its own")
    if world == "paper":
        return PRESETS[preset]
    if preset != "value":
        raise ValueError("--preset: the adversarial world has strategies of its own")
    return ADVERSARIAL
