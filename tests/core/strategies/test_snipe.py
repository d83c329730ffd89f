"""When spot has moved and the book has not: what is taken, and what is left alone."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core.market import Side
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.signals.lead import Spot
from polybawt.core.strategies import View
from polybawt.core.strategies.snipe import Snipe
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Usdc
from tests.core.script import MARKET, NO, T0_S, YES, cents, shares
from tests.core.strategies.test_value import E18, NOW, a_book, a_view, resting

SNIPE = Snipe()
NOW_MS = NOW // MS_NS


def prices(
    move: float = 0.002, spot_age_ms: int = 100, report_age_ms: int = 1_000
) -> dict[str, Any]:
    """Reports at 100 for half a minute, spot 1 % above them; then spot moves."""
    oracle, spot = Oracle("btc/usd"), Spot("btc/usd")
    for second in range(T0_S + 60, T0_S + 99):
        spot.tick(second * 1_000, 101 * E18)
    for second in range(T0_S + 62, T0_S + 97):
        oracle.report(second * 1_000, 100 * E18)
    oracle.report(NOW_MS - report_age_ms, 100 * E18)
    spot.tick(NOW_MS - spot_age_ms, round(101 * (1 + move) * 10**9) * 10**9)
    return {"oracle": oracle, "spot": spot}


def view(**other: Any) -> View:
    return a_view(**(prices() | other))


def test_a_move_up_buys_up_at_the_ask_that_still_stands() -> None:
    """Proves: A-strat."""
    (taken,) = SNIPE.decide(view())

    assert (taken.token_id, taken.side, taken.price) == (YES, Side.BUY, cents(55))
    assert (taken.post_only, taken.lifetime_s) == (False, 2)
    assert taken.fair > cents(90)
    assert taken.price * taken.size // MILLION <= SNIPE.order_notional_max


def test_a_move_down_buys_down() -> None:
    (taken,) = SNIPE.decide(view(**prices(move=-0.002)))
    assert (taken.token_id, taken.price) == (NO, cents(55))


@pytest.mark.parametrize(
    "other",
    [
        prices(move=0.00003),  # no larger than what two seconds bring anyway
        prices(spot_age_ms=501),
        prices(report_age_ms=3_001),
        prices(report_age_ms=50),  # the report has caught up
        {"spot": None},
        {"oracle": None},
        {"book_fresh": False},
        {"strike_e18": 0},
        {"now_ns": MARKET.end_ns - 3 * SECOND_NS},
        {"orders": (resting(40),)},
        {"book": a_book(((cents(45), shares(50)),), ())},
        {"book": a_book(((cents(88), shares(50)),), ((cents(95), shares(50)),))},
        {"rooms": (Usdc(0), Usdc(0))},
        {"market": evolve(MARKET, twap_lookback_s=280)},  # half of the average has no report
    ],
    ids=lambda other: ",".join(other)[:30],
)
def test_without_a_fresh_signal_and_an_edge_nothing_is_taken(other: dict[str, Any]) -> None:
    """Each precondition alone is enough to wait."""
    assert SNIPE.decide(view(**other)) == ()


def test_the_usual_difference_of_spot_and_oracle_is_no_signal() -> None:
    """Spot is always 1 % above here: only the move counts."""
    calm = prices(move=0.0)
    assert evolve(SNIPE, move_sigmas=0.0).fair(view(**calm)) is None
    fair = evolve(SNIPE, move_sigmas=0.0).fair(view(**prices(move=0.00002)))
    assert fair is not None
    assert abs(fair - cents(50)) < cents(5)


def test_an_older_signal_moves_the_price_less() -> None:
    """Proves: A-alpha."""
    new, old = (SNIPE.fair(view(**prices(spot_age_ms=age))) for age in (0, 450))
    assert new is not None
    assert old is not None
    assert new > old > cents(50)


def test_near_the_end_the_stake_shrinks() -> None:
    """Proves: A-alpha."""
    bold = evolve(SNIPE, order_notional_max=Usdc(1_000 * MILLION), full_size_s=300.0)
    bold = evolve(bold, kelly_micro=20_000)
    (early,) = bold.decide(view(rooms=(Usdc(500 * MILLION),) * 2))
    (late,) = evolve(bold, full_size_s=600.0).decide(view(rooms=(Usdc(500 * MILLION),) * 2))
    assert late.size * 2 == pytest.approx(early.size, rel=0.01)
