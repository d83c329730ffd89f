r"""Breaks a specification in one place at a time.

A *spec* mutant changes the machine half, or what it uses: an operator, a name of a state, a
guard, an assignment.  A *guards* mutant takes one unprimed conjunct away from any action of
either half.  Both are edits of the module's text; whether anything notices is asked elsewhere.
"""

import random
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from itertools import islice
from typing import Final

from attrs import evolve, frozen

from polybawt.proof.formula import Edit, Formula, Token, bare, tokens_of
from polybawt.proof.spec import Instance, Spec

SEED: Final = 20_261_121
LISTS: Final = ("ours", "world", "vars")

_DEFINED: Final = re.compile(r"^(\w+)(?:\(((?:[^()=]|\([^()]*\))*)\))?[ \t]*==", re.M)
_END: Final = re.compile(r"^(?:-{4,}|={4,}|ASSUME|CONSTANTS?|VARIABLES?)", re.M)
_OPERATORS: Final = {
    "=": "#", "#": "=", "+": "-", "-": "+", "<": "<=", "<=": "<", "=<": "<", ">": ">=", ">=": ">",
    "\\in": "\\notin", "\\notin": "\\in", "\\cup": "\\cap", "\\cap": "\\cup",
    "TRUE": "FALSE", "FALSE": "TRUE",
}  # fmt: skip
_QUESTIONS: Final = frozenset(
    ("=", "#", "<", "<=", "=<", ">", ">=", "\\in", "\\notin", "\\subseteq", "~", "/\\", "\\/")
)


@frozen
class Mutant:
    """One edit of one definition."""

    definition: str
    what: str
    edit: Edit

    def __str__(self) -> str:
        return f"{self.definition}: {self.what}"


@frozen
class Place:
    """Where a definition stands: its body from ``start`` to ``end``."""

    parameters: str
    start: int
    end: int


class Source:
    """A module as text without comments, and which definition calls which."""

    def __init__(self, spec: Spec) -> None:
        self.spec, self.text = spec, bare(spec.module)
        starts = [*_DEFINED.finditer(self.text)]
        ends = sorted([m.start() for m in starts] + [m.start() for m in _END.finditer(self.text)])
        self.places: dict[str, Place] = {}
        for found in starts:
            end = next((e for e in ends if e > found.start()), len(self.text))
            self.places[found[1]] = Place(found[2] or "", found.end(), end)

    def tokens(self, name: str) -> list[Token]:
        place = self.places[name]
        return tokens_of(self.text, place.start, place.end)

    def formula(self, name: str) -> Formula:
        return Formula(self.tokens(name), self.actions)

    @cached_property
    def uses(self) -> dict[str, frozenset[str]]:
        """The definitions that a definition calls."""
        known = self.places.keys() - set(LISTS)
        return {n: frozenset(t.text for t in self.tokens(n)) & known - {n} for n in known}

    def reached(self, names: Iterable[str]) -> frozenset[str]:
        """These definitions, and all that they call."""
        found, todo = set[str](), [*names]
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += self.uses[name]
        return frozenset(found)

    @cached_property
    def called(self) -> list[str]:
        """What the instances call, in the order of the module."""
        called = self.reached(instance.name for instance in self.spec.instances)
        return [name for name in self.places if name in called]

    @cached_property
    def actions(self) -> frozenset[str]:
        """The definitions that say what follows."""
        says = {n for n in self.called if Formula(self.tokens(n)).says_next()}
        while more := {n for n in self.called if n not in says and self.uses[n] & says}:
            says |= more
        return frozenset(says)

    def calling(self, name: str, also: Iterable[str] = ()) -> list[str]:
        """What says something else when this definition does, in the order of the module.

        Of what the instances call, and of other definitions that are named.
        """
        some = {*self.called, *self.reached(also)}
        return [n for n in self.places if n in some and name in self.reached([n])]

    def body(self, name: str, text: str = "") -> str:
        """A definition's body in its columns; ``text``: of a module that is changed only there."""
        place = self.places[name]
        column = place.start - self.text.rfind("\n", 0, place.start) - 1
        return (
            " " * column + (text or self.text)[place.start : None if text else place.end].rstrip()
        )

    def instances(self, names: Collection[str]) -> list[Instance]:
        """The instances of these actions."""
        return [i for i in self.spec.instances if i.name in names]


def guard_mutants(source: Source) -> list[Mutant]:
    """Every unprimed conjunct of every action, taken away."""
    found = []
    for name in source.called:
        formula = source.formula(name)
        for part in formula.parts():
            if not part.primed:
                what = formula.text(part.first, part.beyond)
                found.append(Mutant(name, what, formula.edit(part.first, part.beyond, "TRUE")))
    return _numbered(found)


def spec_mutants(
    source: Source, states: Iterable[str], guards: Iterable[str], *, ours: bool = True
) -> list[Mutant]:
    """Every edit of the machine half, or of the world's, and of what it uses.

    ``states`` are the names of the machine's states, ``guards`` those of its guards.
    """
    used = source.reached(i.name for i in source.spec.instances if i.ours == ours)
    breaking = Breaking(source, [*states], {*guards})
    return _numbered([m for name in source.called if name in used for m in breaking.of(name)])


def never_mutants(source: Source) -> list[Mutant]:
    """Every action of ours, with something in it that is never true."""
    found = []
    for name in dict.fromkeys(i.name for i in source.spec.instances if i.ours):
        formula = source.formula(name)
        for part in islice(formula.parts(), 1):
            found.append(Mutant(name, "never", formula.edit(part.first, part.beyond, "FALSE")))
    return found


def _numbered(mutants: list[Mutant]) -> list[Mutant]:
    """Two that read the same are told apart by a number."""
    seen: Counter[str] = Counter()
    found = []
    for mutant in mutants:
        seen[str(mutant)] += 1
        again = seen[str(mutant)]
        found.append(evolve(mutant, what=f"{mutant.what} ({again})") if again > 1 else mutant)
    return found


class Breaking:
    """The edits of one definition after the other."""

    def __init__(self, source: Source, states: list[str], guards: set[str]) -> None:
        self._source, self._states = source, states
        self._lots = random.Random(SEED)  # noqa: S311 - the same lots every time
        self._questions = {
            n for n in source.called if n in guards or _asks(source.formula(n), source, n)
        }
        self._families = [*_families(source.text)]

    def of(self, name: str) -> Iterator[Mutant]:
        formula = self._source.formula(name)
        parts = [*formula.parts()]
        assigned = {p.first + 2 for p in parts if p.primed and _assigns(formula, p.first)}
        fixed = formula.binders() | formula.updates() | assigned
        for at in range(len(formula.tokens)):
            if at not in fixed:
                yield from self._at(name, formula, at)
        for part in parts:
            if not part.primed:
                what = f"{formula.text(part.first, part.beyond)} removed"
                yield Mutant(name, what, formula.edit(part.first, part.beyond, "TRUE"))
            elif _assigns(formula, part.first):
                variable = formula.tokens[part.first].text
                what = f"{formula.text(part.first, part.beyond)} to UNCHANGED {variable}"
                edit = formula.edit(part.first, part.beyond, f"UNCHANGED {variable}")
                yield Mutant(name, what, edit)

    def _at(self, name: str, formula: Formula, at: int) -> Iterator[Mutant]:
        """The edits of what begins with one token."""
        text, end = formula.tokens[at].text, at + 1
        put: list[str] = []
        if text in _OPERATORS and not (text == "-" and formula.unary(at)):
            put = [_OPERATORS[text]]
        elif text[0] == '"':
            put = self._instead(text)
        elif text.isdigit() and not formula.indexes(at):
            put = [str(int(text) + 1)]
        elif text == "IF":
            first, end = formula.condition(at)
            put, at = [f"~({formula.text(first, end)})"], first
        elif text in self._questions:
            if end < len(formula.tokens) and formula.tokens[end].text == "(":
                end = formula.closing(end) + 1
            put = ["TRUE", f"(~{formula.text(at, end)})"]
        for other in put:
            line = self._line(formula, at)
            what = f"{formula.text(at, end)} to {other} in {line}"
            yield Mutant(name, what, formula.edit(at, end, other))

    def _instead(self, text: str) -> list[str]:
        """Another name for a state, or another word of a set that has this one."""
        families = [[f'"{state}"' for state in self._states], *self._families]
        family: list[str] = next((f for f in families if text in f), [])
        others = sorted({*family} - {text})
        return [self._lots.choice(others)] if others else []

    def _line(self, formula: Formula, at: int) -> str:
        text, place = self._source.text, formula.tokens[at].start
        line = text[text.rfind("\n", 0, place) + 1 : text.find("\n", place)]
        return " ".join(line.split())


def _families(text: str) -> Iterator[list[str]]:
    """The sets of words that a module spells out, the largest first: what stands for what."""
    sets = re.findall(r'\{\s*("\w*"(?:\s*,\s*"\w*")*)\s*\}', text)
    yield from sorted((re.findall(r'"\w*"', found) for found in sets), key=len, reverse=True)


def _assigns(formula: Formula, first: int) -> bool:
    """Whether a conjunct is ``variable' = ...``."""
    return [t.text for t in formula.tokens[first + 1 : first + 3]] == ["'", "="]


def _asks(formula: Formula, source: Source, name: str) -> bool:
    """Whether a definition is true or false, as far as its form tells."""
    if name in source.actions or formula.tokens[0].text in ("IF", "CASE", "LET", "{", "["):
        return False
    return any(formula.find(0, len(formula.tokens), q) < len(formula.tokens) for q in _QUESTIONS)
