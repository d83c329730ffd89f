"""Reads what a specification offers to the kit: variables, halves, actions, instances.

A specification keeps a form (``models/README.md``, "How to write one"): ``ours`` and ``world``
list its variables; its actions stand between the headings of the machine and of the world; and
``Ours`` and ``World`` are the disjunctions of all action *instances*, whose arguments come from
finite domains.  The *driver* is a module in which every instance has a name of its own, because
TLC 2.15 labels an edge with the innermost action and without its arguments.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Final

from attrs import field, frozen

from polybawt.proof.values import Value, parse, text

MACHINE_HALF: Final = "(* the machine *)"
WORLD_HALF: Final = "(* the world"
DRIVER: Final = "Driver"

_COMMENT: Final = re.compile(r"\\\*[^\n]*|\(\*.*?\*\)", re.S)
_DEFINED: Final = re.compile(r"^(\w+)(?:\(([^)=]*)\))?[ \t]*==", re.M)
_END: Final = re.compile(r"^(?:-{4,}|={4,}|ASSUME|CONSTANTS?|VARIABLES?)", re.M)
_BOUND: Final = re.compile(r"\\E\s+(.*?)\s*:\s*(?=[\w\\(])", re.S)
_CALL: Final = re.compile(r"(\w+)(?:\((.*)\))?", re.S)
_CONSTANT: Final = re.compile(r"^\s*(?:CONSTANTS?\s+)?(\w+) = (-?\d+)\s*$", re.M)


class Unreadable(Exception):
    """The specification does not keep the form; the text says where and what to do."""


@frozen
class Instance:
    """One action with its arguments. ``ours``: it is the machine's, else the world's."""

    name: str
    arguments: tuple[Value, ...]
    ours: bool

    def __str__(self) -> str:
        given = ", ".join(map(text, self.arguments))
        return f"{self.name}({given})" if given else self.name


@frozen
class Definition:
    parameters: tuple[str, ...]
    body: str


@frozen
class Spec:
    """One module under one configuration."""

    name: str
    module: str = field(repr=False)
    config: str = field(repr=False)

    @classmethod
    def read(cls, models: Path, name: str, kind: str = "") -> "Spec":
        """``models/NAME.tla`` under ``models/NAMEkind.cfg``."""
        module, config = models / f"{name}.tla", models / f"{name}{kind}.cfg"
        for path in (module, config):
            if not path.is_file():
                raise Unreadable(f"{path}: no such file")
        return cls(name, module.read_text(), config.read_text())

    @cached_property
    def constants(self) -> dict[str, int]:
        return {name: int(value) for name, value in _CONSTANT.findall(self.config)}

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Every definition of the module, without its comments."""
        bare = _COMMENT.sub("", self.module)
        starts = [*_DEFINED.finditer(bare)]
        ends = sorted([m.start() for m in starts] + [m.start() for m in _END.finditer(bare)])
        found = {}
        for start in starts:
            end = next((e for e in ends if e > start.start()), len(bare))
            parameters = tuple(p.strip() for p in (start[2] or "").split(",") if p.strip())
            found[start[1]] = Definition(parameters, bare[start.end() : end].strip())
        return found

    @cached_property
    def ours(self) -> tuple[str, ...]:
        return self._listed("ours")

    @cached_property
    def world(self) -> tuple[str, ...]:
        return self._listed("world") if "world" in self.definitions else ()

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """All of them, sorted: the order in which states are written."""
        return tuple(sorted((*self.ours, *self.world)))

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The machine's, then the world's, in the order of the specification."""
        return (*self._instances("Ours"), *self._instances("World"))

    def actions(self, *, ours: bool) -> dict[str, Definition]:
        """The actions of one half, by name, in the order of their instances."""
        names = dict.fromkeys(i.name for i in self.instances if i.ours == ours)
        return {name: self.definitions[name] for name in names}

    def domain(self, expression: str) -> tuple[Value, ...]:
        """The values of a finite domain: an interval, a set spelt out, BOOLEAN, or a name."""
        expression = expression.strip()
        if parts := split(expression, r"\cup"):
            return tuple(dict.fromkeys(v for part in parts for v in self.domain(part)))
        if expression.startswith("(") and expression.endswith(")"):
            return self.domain(expression[1:-1])
        if expression == "BOOLEAN":
            return (False, True)
        if interval := re.fullmatch(r"(.+)\.\.(.+)", expression):
            low, high = (self._number(end) for end in interval.groups())
            return tuple(range(low, high + 1))
        if expression.startswith("{"):
            return tuple(self._scalar(item) for item in expression[1:-1].split(",") if item.strip())
        if expression in self.definitions:
            return self.domain(self.definitions[expression].body)
        raise Unreadable(f"{self.name}: {expression!r} is no finite domain that the kit can read")

    def driver(
        self, name: str = "", flags: str = "", of: str = "", extends: str = ""
    ) -> tuple[str, str]:
        """Module and configuration in which every edge is labelled with its instance.

        ``flags`` is a variable more, which every state holds the value of ``of`` in.
        """
        names = [f"I{n}" for n in range(len(self.instances))]
        rest = [d for d in self._disjuncts("Next") if d not in ("Ours", "World")]
        also = f" /\\ {flags}' = DriverFlags'" if flags else ""
        begun = f" /\\ {flags} = DriverFlags" if flags else ""
        every = f"<<vars, {flags}>>" if flags else "vars"
        module = [
            f"---- MODULE {name or self.name + DRIVER} ----",
            f"EXTENDS {', '.join(filter(None, (self.name, extends)))}",
            *([f"VARIABLE {flags}", f"DriverFlags == {of}"] if flags else []),
            *(f"{n} == {i} /\\ TRUE{also}" for n, i in zip(names, self.instances, strict=True)),
            "DriverNext ==",
            *(f"  \\/ {n}" for n in names),
            *(f"  \\/ ({disjunct}{also})" for disjunct in rest),
            f"DriverSpec == Init{begun} /\\ [][DriverNext]_{every}",
            "====",
        ]
        constants = [f"CONSTANT {name} = {value}" for name, value in self.constants.items()]
        return "\n".join(module), "\n".join(["SPECIFICATION DriverSpec", *constants, ""])

    def call(self, number: int) -> str:
        """An instance as TLA+ calls it."""
        return str(self.instances[number])

    def instance(self, label: str) -> int | None:
        """Which instance an edge's label names; none is the stuttering at rest."""
        return int(label[1:]) if re.fullmatch(r"I\d+", label) else None

    def _listed(self, name: str) -> tuple[str, ...]:
        found = re.fullmatch(r"<<([\w\s,]*)>>", self.definition(name).body)
        if not found:
            raise Unreadable(f"{self.name}: {name} is no list of variables: {name} == <<a, b>>")
        return tuple(v.strip() for v in found[1].split(",") if v.strip())

    def definition(self, name: str) -> Definition:
        if name not in self.definitions:
            raise Unreadable(f"{self.name}: no definition of {name}")
        return self.definitions[name]

    def _disjuncts(self, name: str) -> list[str]:
        body = self.definition(name).body
        lines = re.split(r"(?:^|\n)\s*\\/", body) if body.startswith("\\/") else [body]
        return [
            part
            for line in lines
            if line.strip()
            for part in ([line.strip()] if "\\E" in line else split(line, "\\/") or [line.strip()])
        ]

    def _instances(self, half: str) -> Iterator[Instance]:
        if half not in self.definitions:
            return
        for disjunct in self._disjuncts(half):
            inner = disjunct.strip()
            if inner.startswith("(") and inner.endswith(")"):
                inner = inner[1:-1].strip()
            domains: dict[str, tuple[Value, ...]] = {}
            while bound := _BOUND.match(inner):
                for name, domain in bindings(bound[1]):
                    domains[name] = self.domain(domain)
                inner = inner[bound.end() :].strip()
            if inner.startswith("(") and inner.endswith(")"):
                inner = inner[1:-1].strip()
            for called in split(inner, "\\/") or [inner]:
                yield from self._called(called, domains, half == "Ours")

    def _called(
        self, called: str, domains: Mapping[str, tuple[Value, ...]], ours: bool
    ) -> Iterator[Instance]:
        call = _CALL.fullmatch(called.strip())
        if not call or call[1] not in self.definitions:
            raise Unreadable(f"{self.name}: {called!r} is no call of an action")
        given = [part.strip() for part in (call[2] or "").split(",") if part.strip()]
        if len(given) != len(self.definitions[call[1]].parameters):
            raise Unreadable(f"{self.name}: {called!r} has another number of arguments")
        choices = [domains[g] if g in domains else (self._scalar(g),) for g in given]
        for arguments in product(*choices):
            yield Instance(call[1], arguments, ours)

    def _scalar(self, item: str) -> Value:
        item = item.strip()
        return self.constants[item] if item in self.constants else parse(item)

    def _number(self, item: str) -> int:
        """An integer, a constant, or one of them plus or minus an integer."""
        found = re.fullmatch(r"\s*(-?\w+)\s*(?:([+-])\s*(\w+))?\s*", item)
        if not found:
            raise Unreadable(f"{self.name}: {item!r} is no number that the kit can read")
        first, second = (
            self.constants[part] if part in self.constants else int(part)
            for part in (found[1], found[3] or "0")
        )
        return first - second if found[2] == "-" else first + second


def split(expression: str, operator: str) -> list[str]:
    """The parts between an operator outside of all brackets; none when it is not there."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(expression):
        if expression.startswith(operator, at) and depth == 0:
            parts.append(expression[start:at].strip())
            at = start = at + len(operator)
            continue
        depth += (expression[at] in "({[") - (expression[at] in ")}]")
        at += 1
    return [p for p in (*parts, expression[start:].strip()) if p] if parts else []


def bindings(bound: str) -> Iterator[tuple[str, str]]:
    r"""``a, b \in D, c \in E`` as names and domains."""
    waiting: list[str] = []
    for part in split(bound, ",") or [bound]:
        names, found, domain = part.partition("\\in")
        waiting.append(names.strip())
        if found:
            yield from ((name, domain.strip()) for name in waiting)
            waiting = []
