"""What the reckless wish for, and which check has to refuse it."""

import pytest
from attrs import evolve

from polybawt.core.state import Config
from polybawt.core.strategies.reckless import FOLLIES, Reckless
from polybawt.core.units import MILLION, Usdc
from tests.core.script import LIMITS, MARKET, Script

TIGHT = evolve(LIMITS, open_orders_max=2)


def playing(*follies: str, notionals: tuple[int, ...] = ()) -> Script:
    reckless = Reckless(follies=follies, notionals=tuple(map(Usdc, notionals)))
    script = Script(config=Config(strategies=(reckless,), limits=TIGHT)).start()
    script.wait(20)  # a time at which there is a crowd
    script.quote()
    return script


@pytest.mark.parametrize(
    ("folly", "check"),
    [
        ("dear", "price_cap"),
        ("far", "touch"),
        ("odd", "terms"),
        ("heavy", "token_exposure"),
        ("short", "collateral"),
        ("crowd", "open_orders"),
    ],
)
def test_a_folly_is_refused_by_its_check(folly: str, check: str) -> None:
    """Each stands for one reason to refuse. Proves: limits."""
    script = playing(folly, notionals=(11 * MILLION,))

    assert script.state.counters[f"refused:{check}"] > 0


@pytest.mark.parametrize("folly", ["modest", "crossing"])
def test_a_folly_that_the_gate_lets_pass_is_an_order(folly: str) -> None:
    """What the venue has to refuse must reach it."""
    script = playing(folly)

    (order,) = script.state.orders.values()
    assert order.post_only
    assert (order.price == MARKET.tick) is (folly == "modest")


def test_what_is_asked_of_a_human_waits_for_one() -> None:
    script = playing("asking")

    assert not script.state.orders
    assert [known.state for known in script.state.approvals.values()] == ["requested"]


def test_only_a_cheap_share_is_taken() -> None:
    """The eager one must not spend what the others are refused for."""
    assert not playing("eager").state.orders  # five shares at 0.60


def test_an_unknown_folly_is_a_wrong_setting() -> None:
    with pytest.raises(ValueError, match="'wise' is none of"):
        Reckless(follies=("wise",))
    assert "dear" in FOLLIES
