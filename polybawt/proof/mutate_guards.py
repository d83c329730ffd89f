r"""Asks TLC whether the properties notice a missing guard.

A variable says which guard is missing; it never changes, so the graphs of all mutants are explored
side by side, and a mutant is left alone as soon as something failed.  Only those that are safe are
then asked what happens in the end, one after the other, because TLC names no culprit there.

An action of ours that can never be taken goes along too: the property that says what must be
possible sees nothing else.
"""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.formula import Edit, edited
from polybawt.proof.mutate_beside import ERRORS_MAX, Progress, Properties, config_for
from polybawt.proof.mutate_spec import Mutant, Source

MISSING: Final = "guard_missing"  # the variable that says which one is
EXPLOSION: Final = "explosion"  # more steps than any sound specification has
STOPPED: Final = "no value"  # TLC could not go on: an argument outside of its domain

_TOLD: Final = re.compile(r'<<"([\w ]+)", (\d+)>>')
_MISSING: Final = re.compile(rf"{MISSING} = (\d+)")


@frozen
class Guards:
    """The conjuncts to take away, and what may notice it."""

    source: Source
    mutants: Mapping[int, Mutant]
    never: Mapping[int, Mutant]  # actions of ours that cannot be taken any more
    properties: Properties
    live: str  # the configuration of what must happen in the end
    steps_max: int
    tools: tlc.Tools

    @property
    def none(self) -> int:
        """The number of the sound specification, which goes along: no guard is missing."""
        return max([*self.mutants, *self.never]) + 1


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
        left = {n: m for n, m in (*guards.mutants.items(), *guards.never.items()) if n not in found}
        if not left:
            return found
        texts = {f"{name}.tla": _each_missing(guards.source, left)}
        texts[f"{name}Guards.tla"] = _watch(guards, left)
        config = config_for("WatchedSpec", guards.source.spec)
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
    module, missing = source.text, dict[tuple[int, int], str]()
    for number, mutant in mutants.items():
        place = mutant.edit.start, mutant.edit.end
        instead = f"IF {MISSING} = {number} THEN {mutant.edit.text} ELSE "
        missing[place] = missing.get(place, "") + instead
    for (start, end), instead in sorted(missing.items(), reverse=True):
        module = edited(module, Edit(end, end, "))"))
        module = edited(module, Edit(start, start, f"({instead}("))
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
            *(f"Step{name} ==\n{step}" for name, step in properties.steps.items()),
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
