r"""Asks TLC about all mutants of a specification at once, beside the sound one: Java starts slowly.

In every state that the specification reaches, every instance of a broken action is held against
the sound one.  *Different*: is there another step?  That decides whether the graph is another:
where two graphs part, the nearest state at which they do is reached in both.  So a mutant that TLC
finds no difference for *is* the specification, on these bounds.  *Seen*: which properties fail
after one wrong step?  One that never does says nothing that the actions do not say themselves.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.formula import Edit, edited
from polybawt.proof.mutate_spec import Mutant, Source
from polybawt.proof.spec import Spec

ERRORS_MAX: Final = 60
WRONG_MAX: Final = 500  # wrong steps of one mutant that are looked at
SANE: Final = "TypeOK"  # what fails it is nothing that other properties can be asked about

Progress = Callable[[str], None]
Ask = Callable[["Broken"], str]
"""What to ask of a mutant, as an action that changes nothing."""

_TOLD: Final = re.compile(r'<<"(\w+)", (\d+)>>')
_LINE: Final = re.compile(r"line (\d+)")
_PLACE: Final = re.compile(r"ine (\d+), col\w* \d+ to line \d+, col\w* \d+ (?:in|of module) (\w+)")
_STEP: Final = re.compile(r"\s*\[\]\[(.*)\]_(\w+|<<.*?>>)\s*", re.S)


@frozen
class Properties:
    """What a safety configuration checks: of states, of steps, and what is of another form."""

    states: tuple[str, ...]
    steps: Mapping[str, str]  # a name, and a definition of what holds of every step
    others: tuple[str, ...]

    @classmethod
    def of(cls, source: Source, states: Iterable[str], properties: Iterable[str]) -> "Properties":
        steps = {name: _step(source, name) for name in properties}
        return cls(
            tuple(states),
            {name: step for name, step in steps.items() if step},
            tuple(name for name, step in steps.items() if not step),
        )

    def only(self, names: Collection[str]) -> "Properties":
        """Some of those that can be asked of a step."""
        steps = {name: step for name, step in self.steps.items() if name in names}
        return Properties(tuple(p for p in self.states if p in names), steps, ())


def _step(source: Source, name: str) -> str:
    """``[][A]_v`` as what must hold of a step, in the columns that it stands in."""
    return _as_step(source.body(name))


def _as_step(body: str) -> str:
    found = _STEP.fullmatch(body)
    if not found or "]_" in found[1]:
        return ""
    return f"{body[: found.start(1) - 3]}  ({found[1]}) \\/ UNCHANGED {found[2]}"


@frozen
class Difference:
    """How mutants differ from their specification, by their numbers.

    ``stuttering`` ones differ in steps that change nothing: most properties cannot see those.
    """

    moving: frozenset[int]
    stuttering: frozenset[int]
    stillborn: frozenset[int]
    steps: int  # of the sound one


@frozen
class Broken:
    """A mutant's own definitions, by the names that they stand for."""

    number: int
    bodies: Mapping[str, str]
    names: Mapping[str, str]
    pairs: Sequence[tuple[str, str]]  # the sound instances and the broken ones

    @property
    def more(self) -> str:
        """The steps that it has and the sound one has not."""
        return " \\/ ".join(f"({broken} /\\ ~({sound}))" for sound, broken in self.pairs)

    @property
    def fewer(self) -> str:
        """The other way round."""
        return " \\/ ".join(f"({sound} /\\ ~({broken}))" for sound, broken in self.pairs)


@frozen
class Beside:
    """A specification and its mutants in one module."""

    source: Source
    mutants: Sequence[Mutant]
    tools: tlc.Tools
    progress: Progress

    def difference(self) -> Difference:
        """Which mutants have another graph, and which TLC cannot read."""
        many = len(self.mutants)
        head = [
            f"ASSUME \\A k \\in 0..{2 * many} : TLCSet(k, FALSE)",
            'Found(k) == TLCSet(k, TRUE) /\\ PrintT(<<"moves", k>>) /\\ FALSE',
            f"Stutters(k) == IF TLCGet({many} + k) THEN FALSE ELSE",
            f'  TLCSet({many} + k, TRUE) /\\ PrintT(<<"stutters", k>>) /\\ FALSE',
        ]

        def ask(broken: Broken) -> str:
            n = broken.number
            kind = f"IF UNCHANGED vars THEN Stutters({n}) ELSE Found({n})"
            return f"(TLCGet({n}) = FALSE) /\\ ({broken.more} \\/ {broken.fewer}) /\\ ({kind})"

        verdict, stillborn = self._run(head, ask, ())
        told = {(what, int(n)) for what, n in _TOLD.findall(verdict.text)}
        moving = frozenset(n for what, n in told if what == "moves")
        stuttering = frozenset(n for _, n in told) - moving
        return Difference(moving, stuttering, stillborn, verdict.generated)

    def seen(self, properties: Properties) -> set[str]:
        """The properties that some wrong step breaks."""
        names = [*properties.states, *properties.steps]
        first, sane = len(names), f"({SANE})'" if SANE in self.source.places else "TRUE"
        head = [
            *(f"Step{name} ==\n{step}" for name, step in properties.steps.items()),
            f"ASSUME \\A k \\in 0..{first + len(self.mutants)} : TLCSet(k, 0)",
            "Fails(k, what) == (TLCGet(k) = 1) \\/ (TLCSet(k, 1) /\\ PrintT(<<what, k>>))",
            "Looked(k) == TLCSet(k, TLCGet(k) + 1)",
            f"Hungry == \\E k \\in 0..{first - 1} : TLCGet(k) = 0",
            f"Sane == {sane}",
        ]

        def judged(broken: Broken, number: int, name: str) -> str:
            its = broken.names.get(name, f"Step{name}" if name in properties.steps else name)
            holds = its if name in properties.steps else f"({its})'"
            sane = "" if name == SANE else "~Sane \\/ "
            return f'({sane}{holds} \\/ Fails({number}, "{name}"))'

        def ask(broken: Broken) -> str:
            count = first + broken.number
            few = f"Hungry /\\ (TLCGet({count}) < {WRONG_MAX})"
            judge = " /\\ ".join(judged(broken, n, name) for n, name in enumerate(names))
            return f"{few} /\\ ({broken.more}) /\\ Looked({count}) /\\ {judge} /\\ FALSE"

        verdict, _ = self._run(head, ask, names)
        return {name for name, _ in _TOLD.findall(verdict.text)}

    def _run(
        self, head: list[str], ask: Ask, also: Collection[str]
    ) -> tuple[tlc.Verdict, frozenset[int]]:
        """TLC's answer, and the mutants that it could not read.

        ``also`` are definitions that are broken with what they call.
        """
        name, stillborn = self.source.spec.name, set[int]()

        def check(numbers: list[int]) -> tuple[tlc.Verdict, int | None]:
            module, owners = self._module(numbers, head, ask, also)
            texts = {f"{name}.tla": self.source.spec.module, f"{name}Mutants.tla": module}
            config = config_for("MutantsSpec", self.source.spec)
            verdict = tlc.check(self.tools, texts, config, deadlock=False)
            return verdict, None if verdict.holds else _culprit(verdict, owners, f"{name}Mutants")

        for _ in range(ERRORS_MAX):
            left = [n for n in range(len(self.mutants)) if n not in stillborn]
            verdict, culprit = check(left)
            if verdict.holds:
                return verdict, frozenset(stillborn)
            while culprit is None and left:  # the error says no place: half of them, and again
                half, rest = left[: len(left) // 2], left[len(left) // 2 :]
                bad, culprit = check(half)
                left = rest if bad.holds else half
                culprit = left[0] if culprit is None and len(left) == 1 else culprit
            if culprit is None:
                raise tlc.Failed(f"{name}: {verdict.error}")
            stillborn.add(culprit)
            self.progress(f"{name}: {len(stillborn)} mutants that TLC cannot read")
        raise tlc.Failed(f"{name}: more than {ERRORS_MAX} mutants that TLC cannot read")

    def _module(
        self, numbers: Iterable[int], head: list[str], ask: Ask, also: Collection[str]
    ) -> tuple[str, dict[int, int]]:
        """The module; and whose each line of it is."""
        name, numbers = self.source.spec.name, [*numbers]
        lines = [f"---- MODULE {name}Mutants ----", f"EXTENDS {name}, Naturals, TLC"]
        lines += [line for text in head for line in text.split("\n")]
        owners: dict[int, int] = {}
        for number in numbers:
            begin = len(lines)
            broken = _broken(self.source, self.mutants[number], number, also)
            for head_of, body in broken.bodies.items():
                lines += f"{head_of} ==\n{body}".split("\n")
            lines.append(f"Differs{number} == {ask(broken)}")
            owners |= dict.fromkeys(range(begin + 1, len(lines) + 1), number)
        lines += ["MutantsNext ==", "  \\/ Next", *(f"  \\/ Differs{n}" for n in numbers)]
        lines += ["MutantsSpec == Init /\\ [][MutantsNext]_vars", "===="]
        return "\n".join(lines), owners


def config_for(specification: str, spec: Spec) -> str:
    """A configuration of another specification with the same constants."""
    constants = [f"CONSTANT {name} = {value}\n" for name, value in spec.constants.items()]
    return f"SPECIFICATION {specification}\n{''.join(constants)}"


def _culprit(verdict: tlc.Verdict, owners: Mapping[int, int], module: str) -> int | None:
    """The mutant in whose lines the error is, the innermost of them; ``None`` where TLC is mute."""
    places = [line for line, where in _PLACE.findall(verdict.text) if where == module]
    lines = [int(line) for line in places or _LINE.findall(verdict.text)]
    return next((owners[line] for line in reversed(lines) if line in owners), None)


def _broken(source: Source, mutant: Mutant, number: int, also: Collection[str]) -> Broken:
    """The definition that is edited, and all that say something else because of it."""
    names = {name: f"M{number}_{name}" for name in source.calling(mutant.definition, also)}
    bodies = {}
    for name, its in names.items():
        place = source.places[name]
        if name == mutant.definition:
            edit = mutant.edit
            body = source.body(name, edited(source.text[: place.end], edit))
        else:
            body = source.body(name, _renamed(source, name, names))
        head = f"{its}({place.parameters})" if place.parameters else its
        bodies[head] = _as_step(body) or body
    pairs = [(str(i), str(i).replace(i.name, names[i.name], 1)) for i in source.instances(names)]
    return Broken(number, bodies, names, pairs)


def _renamed(source: Source, name: str, names: Mapping[str, str]) -> str:
    """The module up to a body that calls the broken definitions instead of the sound ones."""
    text = source.text[: source.places[name].end]
    for token in reversed(source.tokens(name)):
        if token.text in names:
            text = edited(text, Edit(token.start, token.end, names[token.text]))
    return text
