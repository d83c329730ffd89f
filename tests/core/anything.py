"""Any value of any record, drawn from its declared types: what a fuzzer says."""

import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

import attrs
from hypothesis import strategies as st

from polybawt.core.strategies import NAME, RESERVED, Strategy, registry
from polybawt.core.strategies.reckless import FOLLIES

I64 = st.integers(-(2**63), 2**63 - 1)
WIDE = st.integers(-(10**36), 10**36)


Known = Mapping[str, st.SearchStrategy[Any]]
"""What fields of these names are drawn from, instead of anything of their type."""


def values(kind: Any, name: str = "", known: Known = {}) -> st.SearchStrategy[Any]:  # noqa: B006
    """Any value of a type as the records declare it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if name in known:
        return known[name]
    if hasattr(kind, "__supertype__"):
        return values(kind.__supertype__, name, known)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(values(argument, name, known) for argument in arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0], "", known), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values(argument, "", known) for argument in arguments))
    if kind is int:
        return WIDE if name.endswith("_e18") else I64
    if kind is float:
        return st.floats(allow_nan=False, allow_infinity=False)
    if kind is Strategy:
        kinds = [values(registry.strategy_class(k), "", known) for k in registry.KINDS]
        return st.one_of(*kinds)
    if attrs.has(kind):
        return records(kind, known)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    return {str: st.text(max_size=20), bool: st.booleans(), type(None): st.none()}[kind]


def records(kind: Any, known: Known = {}) -> st.SearchStrategy[Any]:  # noqa: B006
    """Any record of a class, its fields drawn from their types or from what is ``known``."""
    hints = typing.get_type_hints(kind)
    names = {
        "name": st.from_regex(NAME, fullmatch=True).filter(lambda n: n not in RESERVED),
        "threshold": st.integers(1, 900_000),
        "price_max": st.integers(900_000, 999_999),
        "stop": st.just(0),
        "follies": st.lists(st.sampled_from(sorted(FOLLIES)), max_size=3).map(tuple),
    }
    known = {**names, **known} if issubclass(kind, Strategy) else known
    drawn = {f.name: values(hints[f.name], f.name, known) for f in attrs.fields(kind) if f.init}
    return st.builds(kind, **drawn)
