"""Remembers what a pure function of a state answered, by the variables that it looked at.

Most of what a mirror is asked depends on a few variables: whether a kill may fire does not depend
on what rests at the venue.  So every question is asked with a state that takes note of what is
looked at (``Watched``), and its answer is kept in a tree: look at this variable, go on by its
value, look at the next, until there is the answer.  A function that looks at the same variables
and finds the same values must answer the same; what was looked at last time is found first.

States are tuples of numbers here, one per variable (``Numbering``): they are compared a million
times and looked into once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from polybawt.proof.values import Value, Values

Numbers = tuple[int, ...]
"""A state: for each variable the number of its value."""
Delta = tuple[tuple[int, int], ...]
"""What a step changes: place of a variable, number of its new value."""


UNKNOWN: Final = object()  # no answer yet


class Fickle(Exception):
    """What was asked is no function of the state: it keeps something between two questions."""


class Branch(dict[int, Any]):
    """What to do by the number of the value at a place: another branch, or an answer."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        super().__init__()
        self.place = place


class Numbering:
    """A number for each value of each variable, in the order in which they are met."""

    def __init__(self, variables: Sequence[str]) -> None:
        self.places = {name: place for place, name in enumerate(variables)}
        self._numbers: list[dict[Value, int]] = [{} for _ in variables]
        self.values: list[list[Value]] = [[] for _ in variables]

    def number(self, place: int, value: Value) -> int:
        known = self._numbers[place]
        found = known.setdefault(value, len(known))
        if found == len(self.values[place]):
            self.values[place].append(value)
        return found

    def state(self, values: Sequence[Value]) -> Numbers:
        return tuple(self.number(place, value) for place, value in enumerate(values))

    def read(self, state: Numbers) -> tuple[Value, ...]:
        return tuple(of[number] for of, number in zip(self.values, state, strict=True))

    def delta(self, changed: Values) -> Delta:
        of = ((self.places[name], value) for name, value in changed.items())
        return tuple((place, self.number(place, value)) for place, value in of)


class Watched(Mapping[str, Value]):
    """A state by the names of its variables, which takes note of those that are looked at."""

    def __init__(self, numbering: Numbering, state: Numbers) -> None:
        self._numbering, self._state = numbering, state
        self.looked_at: dict[int, None] = {}

    def __getitem__(self, name: str) -> Value:
        place = self._numbering.places[name]
        self.looked_at[place] = None
        return self._numbering.values[place][self._state[place]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbering.places)

    def __len__(self) -> int:
        return len(self._numbering.places)


class Answers:
    """What one function of a state answers."""

    __slots__ = ("_ask", "_numbering", "_root")

    def __init__(self, numbering: Numbering, ask: Callable[[Values], Any]) -> None:
        self._numbering, self._ask = numbering, ask
        self._root: Any = UNKNOWN

    def about(self, state: Numbers) -> Any:
        """The answer; asked for, when nothing like this state was met before."""
        found = self._root
        while isinstance(found, Branch):
            found = found.get(state[found.place], UNKNOWN)
        return self._asked(state) if found is UNKNOWN else found

    def _asked(self, state: Numbers) -> Any:
        at = Watched(self._numbering, state)
        answer = self._ask(at)
        places = [*at.looked_at]
        if not places:
            self._root = answer
            return answer
        if self._root is UNKNOWN:
            self._root = Branch(places[0])
        branch = self._root
        for place, after in zip(places, [*places[1:], None], strict=True):
            if not isinstance(branch, Branch) or branch.place != place:
                raise Fickle("a mirror looks at other variables than it did in an equal state")
            new = answer if after is None else Branch(after)
            branch = branch.setdefault(state[place], new)
        return answer
