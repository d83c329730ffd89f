"""Reads values off a state of a specification, as the types that a mirror knows them to have.

A function over ``1..n`` comes from TLC as a sequence: its value for one of them is *of* it.
"""

from polybawt.proof.values import Value, Values


def number(at: Values, variable: str) -> int:
    value = at[variable]
    assert isinstance(value, int)
    return value


def numbers(at: Values, variable: str) -> frozenset[int]:
    """A set of numbers."""
    value = at[variable]
    assert isinstance(value, frozenset)
    return frozenset(int(str(one)) for one in value)


def each(at: Values, variable: str) -> tuple[Value, ...]:
    """A sequence."""
    value = at[variable]
    assert isinstance(value, tuple)
    return value


def words(at: Values, variable: str) -> tuple[str, ...]:
    """A sequence of texts."""
    return tuple(map(str, each(at, variable)))


def of(at: Values, variable: str, one: int) -> Value:
    return each(at, variable)[one - 1]


def but(at: Values, variable: str, one: int, new: Value) -> tuple[Value, ...]:
    """The same, but for one: ``[f EXCEPT ![one] = new]``."""
    value = each(at, variable)
    return (*value[: one - 1], new, *value[one:])
