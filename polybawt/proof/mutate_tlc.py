r"""Asks TLC about all mutants of a specification at once: a Java that starts takes a second.

*Different*: does a mutant have another graph?  In every state that the specification reaches,
every instance of the broken action is held against the sound one.  That decides it: where two
graphs part, the nearest state at which they do is reached in both.  So a mutant that TLC finds no
difference for *is* the specification, on these bounds.

*Noticed*: does a property fail without one guard?  A variable says which guard is missing; it
never changes, so that the graphs of all mutants are explored side by side, and a mutant is left
alone as soon as something failed.  Only those that are safe are then asked what happens in the
end, one after the other, because TLC names no culprit there.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.formula import Edit, edited
from polybawt.proof.mutate_spec import Mutant, Source
from polybawt.proof.spec import Spec

MISSING: Final = "guard_missing"  # the variable that says which one is
ERRORS_MAX: Final = 60
EXPLOSION: Final = "explosion"  # more steps than any sound specification has
STOPPED: Final = "no value"  # TLC could not go on: an argument outside of its domain

Progress = Callable[[str], None]

_TOLD: Final = re.compile(r'<<"(\w+)", (\d+)>>')
_LINE: Final = re.compile(r"line (\d+)")
_MISSING: Final = re.compile(rf"{MISSING} = (\d+)")
_STEP: Final = re.compile(r"\s*\[\]\[(.*)\]_(\w+|<<.*?>>)\s*", re.S)


@frozen
class Difference:
    """How mutants differ from their specification, by their numbers.

    ``stuttering`` ones differ in steps that change nothing: most properties cannot see those.
    """

    moving: frozenset[int]
    stuttering: frozenset[int]
    stillborn: frozenset[int]
    steps: int  # of the sound one


def difference(
    source: Source, mutants: Sequence[Mutant], tools: tlc.Tools, progress: Progress
) -> Difference:
    """Which mutants have another graph, and which TLC cannot read."""
    stillborn: set[int] = set()
    for _ in range(ERRORS_MAX):
        left = [n for n in range(len(mutants)) if n not in stillborn]
        module, config, owners = _side_by_side(source, mutants, left)
        name = f"{source.spec.name}Mutants"
        texts = {f"{source.spec.name}.tla": source.spec.module, f"{name}.tla": module}
        verdict = tlc.check(tools, texts, config, deadlock=False)
        if verdict.holds:
            told = {(what, int(n)) for what, n in _TOLD.findall(verdict.text)}
            moving = frozenset(n for what, n in told if what == "moves")
            stuttering = frozenset(n for _, n in told) - moving
            return Difference(moving, stuttering, frozenset(stillborn), verdict.generated)
        stillborn.add(_culprit(verdict, owners))
        progress(f"{source.spec.name}: {len(stillborn)} mutants that TLC cannot read")
    raise tlc.Failed(f"{source.spec.name}: more than {ERRORS_MAX} mutants that TLC cannot read")


def _culprit(verdict: tlc.Verdict, owners: Mapping[int, int]) -> int:
    """The mutant in whose lines the error is, the innermost of them."""
    for line in reversed(_LINE.findall(verdict.text)):
        if int(line) in owners:
            return owners[int(line)]
    raise tlc.Failed(f"TLC cannot read a mutant: {verdict.error}")


def _side_by_side(
    source: Source, mutants: Sequence[Mutant], numbers: Iterable[int]
) -> tuple[str, str, dict[int, int]]:
    """Module and configuration; and whose each line of the module is."""
    name, numbers = source.spec.name, [*numbers]
    lines = [
        f"---- MODULE {name}Mutants ----",
        f"EXTENDS {name}, Naturals, TLC",
        f"ASSUME \\A k \\in 0..{2 * len(mutants)} : TLCSet(k, FALSE)",
        'Found(k) == TLCSet(k, TRUE) /\\ PrintT(<<"moves", k>>) /\\ FALSE',
        f"Stutters(k) == IF TLCGet({len(mutants)} + k) THEN FALSE ELSE",
        f'  TLCSet({len(mutants)} + k, TRUE) /\\ PrintT(<<"stutters", k>>) /\\ FALSE',
    ]
    owners: dict[int, int] = {}
    for number in numbers:
        begin = len(lines)
        lines += _broken(source, mutants[number], number).split("\n")
        owners |= dict.fromkeys(range(begin + 1, len(lines) + 1), number)
    lines += [
        "MutantsNext ==",
        "  \\/ Next",
        *(f"  \\/ Differs{number}" for number in numbers),
        "MutantsSpec == Init /\\ [][MutantsNext]_vars",
        "====",
    ]
    return "\n".join(lines), _config("MutantsSpec", source.spec), owners


def _config(specification: str, spec: Spec) -> str:
    constants = [f"CONSTANT {name} = {value}\n" for name, value in spec.constants.items()]
    return f"SPECIFICATION {specification}\n{''.join(constants)}"


def _broken(source: Source, mutant: Mutant, number: int) -> str:
    """A mutant's own definitions, and where they differ from the sound ones."""
    calling = source.calling(mutant.definition)
    names = {name: f"M{number}_{name}" for name in calling}
    definitions = []
    for name in calling:
        place = source.places[name]
        body = source.text[place.start : place.end]
        if name == mutant.definition:
            body = edited(source.text[: place.end], mutant.edit)[place.start :]
        else:
            body = _renamed(source, name, names)
        column = place.start - source.text.rfind("\n", 0, place.start) - 1
        head = f"{names[name]}({place.parameters})" if place.parameters else names[name]
        definitions.append(f"{head} ==\n{' ' * column}{body.rstrip()}")
    pairs = [
        (str(i), str(i).replace(i.name, names[i.name], 1)) for i in source.instances(names.keys())
    ]
    differs = " \\/ ".join(f"({a} /\\ ~({b})) \\/ ({b} /\\ ~({a}))" for a, b in pairs)
    definitions.append(
        f"Differs{number} == (TLCGet({number}) = FALSE) /\\ ({differs}) /\\"
        f" (IF UNCHANGED vars THEN Stutters({number}) ELSE Found({number}))"
    )
    return "\n".join(definitions)


def _renamed(source: Source, name: str, names: Mapping[str, str]) -> str:
    """A body that calls the broken definitions in the place of the sound ones."""
    place, text = source.places[name], source.text[: source.places[name].end]
    for token in reversed(source.tokens(name)):
        if token.text in names:
            text = edited(text, Edit(token.start, token.end, names[token.text]))
    return text[place.start :]


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


def _step(source: Source, name: str) -> str:
    """``[][A]_v`` as what must hold of a step, in the columns that it stands in."""
    place = source.places[name]
    body = source.text[place.start : place.end]
    found = _STEP.fullmatch(body)
    if not found or "]_" in found[1]:
        return ""
    column = place.start - source.text.rfind("\n", 0, place.start) - 1
    before = " " * column + body[: found.start(1) - 3]
    return f"Step{name} ==\n{before}  ({found[1]}) \\/ UNCHANGED {found[2]}"


@frozen
class Guards:
    """The conjuncts to take away, and what may notice it."""

    source: Source
    mutants: Mapping[int, Mutant]
    properties: Properties
    live: str  # the configuration of what must happen in the end
    steps_max: int
    tools: tlc.Tools

    @property
    def none(self) -> int:
        """The number of the sound specification, which goes along: no guard is missing."""
        return max(self.mutants) + 1


def noticed(guards: Guards, progress: Progress) -> dict[int, tuple[str, ...]]:
    """What noticed each missing guard, by its number; all that failed in the same place."""
    found = _unsafe(guards)
    left = [n for n in guards.mutants if n not in found]
    name = guards.source.spec.name
    progress(f"{name}: guards, {len(found)} noticed by safety, {len(left)} left for liveness")
    with ThreadPoolExecutor(2) as two:
        ends = two.map(lambda number: _in_the_end(guards, number), left)
        for done, (number, what) in enumerate(zip(left, ends, strict=True)):
            progress(f"{name}: guards, liveness without {done + 1} of {len(left)}")
            if what:
                found[number] = (what,)
    return found


def _in_the_end(guards: Guards, number: int) -> str:
    """The property that fails without one guard, which no state and no step shows."""
    spec = guards.source.spec
    texts = {f"{spec.name}.tla": edited(guards.source.text, guards.mutants[number].edit)}
    configs = [guards.live, *([spec.config] if guards.properties.others else [])]
    for config in filter(None, configs):
        verdict = tlc.check(guards.tools, texts, config)
        if not verdict.holds:
            return verdict.violated or STOPPED
    return ""


def _unsafe(guards: Guards) -> dict[int, tuple[str, ...]]:
    """What a state or a step showed to be wrong."""
    found: dict[int, tuple[str, ...]] = {}
    name = guards.source.spec.name
    for _ in range(ERRORS_MAX):
        left = {n: m for n, m in guards.mutants.items() if n not in found}
        if not left:
            return found
        texts = {f"{name}.tla": _each_missing(guards.source, left)}
        texts[f"{name}Guards.tla"] = _watch(guards, left)
        config = _config("WatchedSpec", guards.source.spec)
        config += "CONSTRAINT Watched\nACTION_CONSTRAINT WatchedStep\n"
        verdict = tlc.check(guards.tools, texts, config, deadlock=False)
        told = _told(verdict.text)
        if guards.none in told:
            raise tlc.Failed(f"{name}: {told[guards.none][0]} fails with every guard in its place")
        found |= told
        if verdict.holds:
            return found
        culprits = _MISSING.findall(verdict.text)
        if not culprits or int(culprits[-1]) == guards.none:
            raise tlc.Failed(f"{name} without one guard: {verdict.error}")
        found[int(culprits[-1])] = (STOPPED,)
    raise tlc.Failed(f"{name}: more than {ERRORS_MAX} guards without which TLC stops")


def _told(text: str) -> dict[int, tuple[str, ...]]:
    """What failed of each mutant; the workers may say it twice."""
    told: dict[int, dict[str, None]] = {}
    for what, number in _TOLD.findall(text):
        told.setdefault(int(number), {})[what] = None
    return {number: (*names,) for number, names in told.items()}


def _each_missing(source: Source, mutants: Mapping[int, Mutant]) -> str:
    """The module with a variable that says which guard is missing."""
    module = source.text
    for number, mutant in sorted(mutants.items(), key=lambda m: m[1].edit.start, reverse=True):
        start, end = mutant.edit.start, mutant.edit.end
        module = edited(module, Edit(end, end, "))"))
        module = edited(module, Edit(start, start, f"(IF {MISSING} = {number} THEN TRUE ELSE ("))
    return re.sub(r"^(?=VARIABLES?\b)", f"VARIABLE {MISSING}\n", module, count=1, flags=re.M)


def _watch(guards: Guards, mutants: Mapping[int, Mutant]) -> str:
    """A module that explores them all, and looks no further where something has failed."""
    name, properties, many = guards.source.spec.name, guards.properties, guards.none + 1
    count = f"{many} + {MISSING}"
    numbers = ", ".join(map(str, [*mutants, guards.none]))
    return "\n".join(
        [
            f"---- MODULE {name}Guards ----",
            f"EXTENDS {name}, Naturals, TLC",
            f"ASSUME \\A k \\in 0..{2 * many} : TLCSet(k, 0)",
            f"Failed(what) == TLCSet({MISSING}, 1) /\\ PrintT(<<what, {MISSING}>>)",
            f"Sound == TLCGet({MISSING}) = 0",
            *properties.steps.values(),
            "Watched ==",
            "  /\\ Sound",
            *(f'  /\\ {p} \\/ Failed("{p}")' for p in properties.states),
            "  /\\ Sound",
            "WatchedStep ==",
            "  /\\ Sound",
            f"  /\\ TLCSet({count}, TLCGet({count}) + 1)",
            f'  /\\ (TLCGet({count}) < {guards.steps_max}) \\/ Failed("{EXPLOSION}")',
            *(f'  /\\ Step{p} \\/ Failed("{p}")' for p in properties.steps),
            "  /\\ Sound",
            f"WatchedInit == Init /\\ {MISSING} \\in {{{numbers}}}",
            f"WatchedNext == Next /\\ UNCHANGED {MISSING}",
            f"WatchedSpec == WatchedInit /\\ [][WatchedNext]_<<vars, {MISSING}>>",
            "====",
        ]
    )
