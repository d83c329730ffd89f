"""Strategies by their kind: how they are written, read, named and refused."""

import pytest
from attrs import evolve

from polybawt.core.codec import CONVERTER
from polybawt.core.strategies import Strategy, registry
from polybawt.core.strategies.value import Value


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_kind_is_loaded_named_and_comes_back_equal(kind: str) -> None:
    """Its own name is its kind's by default, so that an operator need not write both."""
    strategy = registry.strategy_class(kind)()  # type: ignore[call-arg]
    told = CONVERTER.unstructure(strategy, unstructure_as=Strategy)

    assert told["kind"] == kind == registry.kind_of(strategy) == strategy.name
    assert CONVERTER.structure(told, Strategy) == strategy


def test_two_variants_of_one_kind_stand_side_by_side() -> None:
    """Proves: M3."""
    pair = (Value(name="calm"), Value(name="bold", take_edge=5_000))
    told = CONVERTER.unstructure(pair, unstructure_as=tuple[Strategy, ...])

    assert CONVERTER.structure(told, tuple[Strategy, ...]) == pair


def test_a_strategy_without_a_kind_bets_on_value() -> None:
    """As journals say it that knew no other."""
    assert CONVERTER.structure({"name": "mine"}, Strategy) == Value(name="mine")


def test_a_kind_that_is_none_is_told_with_those_that_are() -> None:
    with pytest.raises(registry.UnknownKind, match="'magic' is none of value"):
        registry.strategy_class("magic")


@pytest.mark.parametrize("name", ["", "wallet", "fees", "a/b", "A", "x" * 41, "-a"])
def test_a_name_that_could_be_taken_for_an_account_is_refused(name: str) -> None:
    """Names are accounts of the ledger: one of ours must not be another's."""
    with pytest.raises(ValueError, match="cannot be a strategy's name"):
        evolve(Value(), name=name)
