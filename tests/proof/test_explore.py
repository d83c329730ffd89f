"""Exploring remembers answers by what they depend on; it must find what asking again would."""

from collections.abc import Iterator

import pytest

from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.explore import Code, explore, fickle
from polybawt.proof.recall import Answers, Fickle, Numbering
from polybawt.proof.spec import Spec
from polybawt.proof.values import Function, Value, Values
from polybawt.proof.verify import MODELS
from tests.proof.lamps import MODELS as LAMP
from tests.proof.lamps import LampMirror

SPEC = Spec.read(LAMP, "Lamp")


@pytest.mark.parametrize(
    ("name", "every"),
    {
        "Approval": 1, "Breaker": 1, "Feed": 1, "Trade": 1, "Trigger": 3, "Settlement": 20,
        "VenueMode": 40, "Lease": 40, "KillSwitch": 100,
    }.items(),
)  # fmt: skip
def test_what_is_remembered_is_what_is_answered(name: str, every: int) -> None:
    """Else a cheaper verification would be a weaker one. Proves: H5."""
    spec = Spec.read(MODELS, name)
    code = Code(spec, MIRRORS[name](spec.constants))

    reached = explore(code)

    assert [*fickle(Code(spec, code.mirror), reached, every)] == []


class Moody(LampMirror):
    """A world that keeps something: it answers every third question otherwise."""

    asked = 0

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        self.asked += 1
        return None if self.asked % 3 == 0 else super().moves(name, arguments, at)


def test_a_world_that_changes_its_mind_is_found() -> None:
    code = Code(SPEC, Moody(SPEC))

    assert any("now otherwise" in found for found in fickle(code, explore(code)))


def test_a_question_that_looks_at_other_things_in_an_equal_state_is_an_error() -> None:
    """What is remembered by the wrong variables would be told of the wrong states."""
    looks = iter(["a", "b"])
    numbering = Numbering(["a", "b"])
    answers = Answers(numbering, lambda at: at[next(looks)])

    assert answers.about(numbering.state([1, 2])) == 1
    with pytest.raises(Fickle):
        answers.about(numbering.state([3, 2]))


def counted(asked: list[Values]) -> Answers:
    def answer(at: Values) -> Value:
        asked.append(at)
        return at["b"] if at["a"] else -1

    return Answers(NUMBERING, answer)


NUMBERING = Numbering(["a", "b", "c"])


def states() -> Iterator[tuple[int, ...]]:
    for a in (False, True):
        for b in range(4):
            for c in (frozenset({1}), Function({1: 2}), ()):
                yield NUMBERING.state([a, b, c])


def test_nothing_is_asked_twice_and_nothing_else_is_told() -> None:
    asked: list[Values] = []
    answers = counted(asked)

    told = [answers.about(state) for state in states()]

    assert told == [-1] * 12 + [b for b in range(4) for _ in range(3)]
    assert len(asked) == 1 + 4  # once without a, whatever b is; once for each b with it


def test_a_state_that_is_looked_at_whole_is_remembered_whole() -> None:
    """A mirror may copy a state: then its answer depends on all of it."""
    whole = Answers(NUMBERING, dict)

    assert [whole.about(state) for state in states()] == [
        dict(zip("abc", NUMBERING.read(state), strict=True)) for state in states()
    ]
