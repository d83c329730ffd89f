"""Which strategies there are, by the kind that an operator writes, and how they are written.

A kind is loaded when it is first asked for: an engine that never uses one never imports it.  In
the journal and in a configuration a strategy stands as its settings and its ``kind``; a setting
that its kind does not have is an error there.
"""

from importlib import import_module
from typing import Any, Final

from cattrs import Converter

from polybawt.core.strategies import Strategy

KINDS: Final = {
    "value": "polybawt.core.strategies.value:Value",
    "hedge": "polybawt.core.strategies.hedge:Legged",
    "arbitrage": "polybawt.core.strategies.arbitrage:Arbitrage",
    "snipe": "polybawt.core.strategies.snipe:Snipe",
    "high_yes": "polybawt.core.strategies.high_yes:HighYes",
    "ensemble": "polybawt.core.strategies.ensemble:Ensemble",
    "reckless": "polybawt.core.strategies.reckless:Reckless",
}
USUAL: Final = "value"


class UnknownKind(ValueError):
    """No strategy is of this kind; names those that are."""

    def __init__(self, kind: object) -> None:
        super().__init__(f"kind: {str(kind)[:40]!r} is none of {', '.join(KINDS)}")


def strategy_class(kind: str) -> type[Strategy]:
    """The class of a kind, or ``UnknownKind``."""
    if kind not in KINDS:
        raise UnknownKind(kind)
    module, _, name = KINDS[kind].partition(":")
    found: type[Strategy] = getattr(import_module(module), name)
    return found


def kind_of(strategy: Strategy) -> str:
    cls = type(strategy)
    return next(k for k, path in KINDS.items() if path == f"{cls.__module__}:{cls.__qualname__}")


def teach(converter: Converter) -> None:
    """Let a converter read and write strategies by their kind."""

    def structured(fields: Any, _: Any) -> Strategy:
        if not isinstance(fields, dict):
            raise UnknownKind(fields)
        settings = dict(fields)
        kind = settings.pop("kind", USUAL)
        return converter.structure(settings, strategy_class(kind if type(kind) is str else ""))

    def unstructured(strategy: Strategy) -> dict[str, Any]:
        settings = converter.unstructure(strategy, unstructure_as=type(strategy))
        return {"kind": kind_of(strategy), **settings}

    converter.register_structure_hook_func(lambda wanted: wanted is Strategy, structured)
    converter.register_unstructure_hook_func(lambda held: held is Strategy, unstructured)
