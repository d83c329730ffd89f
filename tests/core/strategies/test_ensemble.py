"""Opinions weighed in log-odds, and the veto of flow that knows more."""

import pytest
from attrs import evolve

from polybawt.core.signals.flow import Flow
from polybawt.core.strategies import Intent, Withdraw
from polybawt.core.strategies.ensemble import Ensemble
from polybawt.core.units import MILLION, Price, Shares
from tests.core.script import cents, shares
from tests.core.strategies.test_value import a_book, a_view, oracle, resting

ENSEMBLE = Ensemble()
ONE_SIDED = Flow(bucket=Shares(10), count=2, imbalances=[10, 8])
BALANCED = Flow(bucket=Shares(10), count=2, imbalances=[0, 2])


def test_one_opinion_alone_is_what_it_says() -> None:
    heavy = a_book(((cents(45), shares(90)),), ((cents(55), shares(30)),))
    book_only = evolve(ENSEMBLE, model_weight=0.0, spot_weight=0.0)
    model_only = evolve(ENSEMBLE, book_weight=0.0, spot_weight=0.0)

    assert abs((book_only.fair(a_view(book=heavy)) or 0) - 525_000) <= 1
    assert abs((model_only.fair(a_view(oracle=oracle(100.0))) or 0) - 500_000) <= 1


def test_two_opinions_meet_in_log_odds() -> None:
    """Half of 0.9 and half of 0.5 is 0.75: odds of 9 and of 1 make odds of 3."""
    book = a_book(((cents(45), shares(50)),), ((cents(55), shares(50)),))
    both = evolve(ENSEMBLE, model_weight=1.0, spot_weight=0.0, book_weight=1.0)
    sure = both.modelled(a_view(oracle=oracle(100.1)))
    assert sure is not None
    odds = sure / (MILLION - sure)

    fair = both.fair(a_view(oracle=oracle(100.1), book=book))
    assert fair == pytest.approx(MILLION * odds**0.5 / (1 + odds**0.5), abs=2)


def test_a_heavy_book_raises_the_belief_and_not_the_stake() -> None:
    """Proves: M7."""
    lean = a_book(((cents(45), shares(90)),), ((cents(55), shares(30)),))
    even = a_book(((cents(45), shares(50)),), ((cents(55), shares(50)),))
    assert (
        Price(0) < (ENSEMBLE.fair(a_view(book=even)) or 0) < (ENSEMBLE.fair(a_view(book=lean)) or 0)
    )


@pytest.mark.parametrize(("flow", "bids"), [(ONE_SIDED, False), (BALANCED, True), (None, True)])
def test_one_sided_flow_vetoes_and_withdraws(flow: Flow | None, bids: bool) -> None:
    """Proves: A-strat, H1."""
    wishes = ENSEMBLE.decide(a_view(flow=flow))
    assert any(isinstance(wish, Intent) for wish in wishes) is bids

    rests = ENSEMBLE.decide(a_view(flow=flow, orders=(resting(47),)))
    withdrawn = [wish for wish in rests if isinstance(wish, Withdraw)]
    assert bool(withdrawn) is not bids
    assert all("VPIN" in wish.reason for wish in withdrawn)


def test_a_one_sided_book_vetoes() -> None:
    lonely = a_book(((cents(45), shares(500)),), ((cents(55), shares(5)),))
    assert "book" in ENSEMBLE.toxic(a_view(book=lonely))
    assert ENSEMBLE.toxic(a_view()) == ""
