"""The values of TLA+: as TLC prints them, as Python has them, and as one text to compare.

A value is an integer, a text, a boolean, a set (``frozenset``), a sequence (``tuple``) or a
function (``Function``; a TLA+ record is one over texts).  Nothing is evaluated here but the
intervals that TLC leaves unevaluated (``1..2``).
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, TypeAlias

Value: TypeAlias = "int | str | bool | frozenset[Value] | tuple[Value, ...] | Function"
Values: TypeAlias = Mapping[str, "Value"]

_TOKEN: Final = re.compile(
    r'\s*(<<|>>|\|->|:>|@@|\.\.|[\[\]{}(),]|"(?:[^"\\]|\\.)*"|-?\d+|[A-Za-z_]\w*)'
)
_NUMBER: Final = re.compile(r"-?\d+")


class Function(Mapping["Value", "Value"]):
    """A function of TLA+: a mapping that never changes and can be a key itself."""

    __slots__ = ("_hash", "_of")

    def __init__(self, of: Mapping["Value", "Value"]) -> None:
        self._of = dict(of)
        self._hash = hash(frozenset(self._of.items()))

    def __getitem__(self, key: "Value") -> "Value":
        return self._of[key]

    def __iter__(self) -> Iterator["Value"]:
        return iter(self._of)

    def __len__(self) -> int:
        return len(self._of)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self._of == other._of

    def __repr__(self) -> str:
        return f"Function({self._of!r})"

    def but(self, key: "Value", value: "Value") -> "Function":
        """The same function, but for one key: ``[f EXCEPT ![key] = value]``."""
        return Function({**self._of, key: value})


class NotAValue(ValueError):
    """The text is no value of TLA+ that we know."""


@lru_cache(maxsize=100_000)
def parse(text: str) -> Value:
    """Read one value; raise ``NotAValue``."""
    reader = _Reader(_TOKEN.findall(text))
    value = reader.value()
    if reader.tokens:
        raise NotAValue(f"{text!r}: {reader.tokens[-1]!r} is one too many")
    return value


def text(value: Value) -> str:
    """One text per value, in TLA+; equal values have equal texts."""
    match value:
        case bool():
            return str(value).upper()
        case str():
            return f'"{value}"'
        case int():
            return str(value)
        case frozenset():
            return "{" + ", ".join(sorted(map(text, value))) + "}"
        case tuple():
            return "<<" + ", ".join(map(text, value)) + ">>"
        case Function():
            pairs = sorted(f"{text(key)} :> {text(of)}" for key, of in value.items())
            return "(" + " @@ ".join(pairs) + ")" if pairs else "<<>>"
    raise NotAValue(f"{value!r} has no form in TLA+")


class _Reader:
    """Recursive descent over the tokens, the next one last."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens[::-1]

    def take(self, wanted: str = "") -> str:
        token = self.tokens.pop() if self.tokens else ""
        if not token or (wanted and token != wanted):
            raise NotAValue(f"{token!r} where {wanted or 'a value'!r} should be")
        return token

    def next(self, token: str) -> bool:
        """Take the token if it is the next one."""
        if not self.tokens or self.tokens[-1] != token:
            return False
        self.tokens.pop()
        return True

    def value(self) -> Value:
        token = self.take()
        match token:
            case "<<":
                return tuple(self.items(">>"))
            case "{":
                return frozenset(self.items("}"))
            case "[":
                return self.record()
            case "(":
                return self.function()
            case "TRUE":
                return True
            case "FALSE":
                return False
        if token.startswith('"'):
            return token[1:-1]
        if not _NUMBER.fullmatch(token):
            raise NotAValue(f"{token!r} is no value")
        low = int(token)
        return frozenset(range(low, int(self.take()) + 1)) if self.next("..") else low

    def items(self, end: str) -> Iterator[Value]:
        while not self.next(end):
            yield self.value()
            self.next(",")

    def record(self) -> Value:
        of: dict[Value, Value] = {}
        while not self.next("]"):
            key = self.take()
            self.take("|->")
            of[key] = self.value()
            self.next(",")
        return Function(of)

    def function(self) -> Value:
        of: dict[Value, Value] = {}
        while not self.next(")"):
            key = self.value()
            self.take(":>")
            of[key] = self.value()
            self.next("@@")
        return Function(of)
