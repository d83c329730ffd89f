r"""A second opinion on what happens in the end: our own search for a fair way to avoid it.

``P ~> Q`` fails when from a reachable state with P there is a way to a set of states that can be
walked for ever, without Q, and fairly: every weakly fair action is taken in it or is somewhere
disabled, every strongly fair one is taken in it or nowhere enabled.  ``<>[]Q`` fails when such a
set has a state without Q.  ``[]A =>`` before either confines the whole way to A, ``<>[]B =>`` the
set to B.  TLC only draws the graph: for every state it notes P, Q, A, B, and which instances are
steps of which fair action.

And fairness that nothing needs is an assumption that nobody should have to believe: without any
one conjunct, some property must fail.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, product
from pathlib import Path
from typing import Final

from attrs import frozen

from polybawt.proof import tlc
from polybawt.proof.graph import Graph, Node, read_with
from polybawt.proof.spec import Spec, Unreadable, bindings, split
from polybawt.proof.values import Value, text

FLAGS: Final = "flags"
_FAIR: Final = re.compile(r"([WS])F_vars\((.*)\)", re.S)
_EVERY: Final = re.compile(r"\\A\s+(.*?)\s*:\s*(?=\S)", re.S)


@frozen
class Fair:
    """One fair action; ``conjunct`` is how ``Fairness`` has it, without its quantifier."""

    conjunct: str
    strong: bool
    action: str


@frozen
class Promise:
    """``before ~> after``, or ``<>[]after`` when it ``stays``; under two assumptions."""

    name: str
    before: str
    after: str
    stays: bool = False
    always: str = "TRUE"
    forever: str = "TRUE"


@frozen
class Opinion:
    """What our own search says. ``others`` are properties of a form that it does not know."""

    holds: tuple[str, ...]
    fails: tuple[str, ...]
    others: tuple[str, ...]
    needless: tuple[str, ...]


def opinion(spec: Spec, properties: Iterable[str], tools: tlc.Tools) -> Opinion:
    """Search on the graph of a liveness configuration, and drop each fairness in turn."""
    conjuncts = _lines(spec, "Fairness", "/\\")
    fair = [f for line in conjuncts for f in _fair(spec, line)]
    named = [*properties]
    leads = [lead for name in named for lead in _promises(spec, name)]
    others = [name for name in named if name not in {lead.name for lead in leads}]
    search = Search(spec, leads, fair, tools)
    fails = [lead.name for n, lead in enumerate(leads) if search.escapes(n, fair)]
    needless = []
    for conjunct in dict.fromkeys(f.conjunct for f in fair):
        kept = [f for f in fair if f.conjunct != conjunct]
        noticed = any(search.escapes(n, kept) for n in range(len(leads)))
        if not noticed and not (others and _tlc_notices(spec, conjunct, tools)):
            needless.append(" ".join(conjunct.split()))
    return Opinion(
        holds=tuple(lead.name for lead in leads if lead.name not in fails),
        fails=tuple(dict.fromkeys(fails)),
        others=tuple(others),
        needless=tuple(needless),
    )


Flags = tuple[tuple[tuple[Value, ...], ...], tuple[frozenset[int], ...]]
"""Of a state: (P, Q, A, B) per property; and the instances that are steps of each fair action."""


class Search:
    """The graph with, for every state, what the properties and the fair actions say of it."""

    def __init__(
        self, spec: Spec, leads: list[Promise], fair: list[Fair], tools: tlc.Tools
    ) -> None:
        self._fair = {f: number for number, f in enumerate(fair)}
        self.graph, flags = _flagged(spec, leads, fair, tools)
        self._leaving = self.graph.leaving()
        self._must: dict[int, set[Node]] = {}  # what a set that breaks ``<>[]`` has a state of
        self._begun = [self._broken(flags, n, lead) for n, lead in enumerate(leads)]
        # Per fair action: where it is enabled, and where it leads; what changes nothing is no step.
        self._steps: list[dict[Node, list[Node]]] = [{} for _ in fair]
        for node, (_, fairly) in enumerate(flags):
            for number, instances in enumerate(fairly):
                targets = [t for i, t in self._leaving[node] if i in instances and t != node]
                if targets:
                    self._steps[number][node] = targets

    def _broken(self, flags: list[Flags], number: int, lead: Promise) -> list[set[Node]]:
        """Where a promise may be waited for in vain, as strongly connected parts."""
        before, after, always, forever = (
            {n for n, row in enumerate(flags) if row[0][number][place]} for place in range(4)
        )
        possible = self._reach(always.intersection(self.graph.initial), always.__contains__)
        if lead.stays:
            self._must[number] = set(range(len(flags))) - after
            return [*self._components(possible & forever)]
        waiting = self._reach(possible & before - after, lambda n: n in always and n not in after)
        return [*self._components(waiting & forever)]

    def escapes(self, lead: int, fair: Iterable[Fair]) -> list[Node]:
        """A fair set of states that breaks a promise for ever; none when there is no such."""
        numbered, must = [(self._fair[f], f.strong) for f in fair], self._must.get(lead)
        todo = [*self._begun[lead]]
        while todo:
            component = todo.pop()
            if must is not None and not component & must:
                continue
            starved = self._starved(component, numbered)
            if starved is None:
                return sorted(component)
            if starved:
                todo += self._components(component - starved)
        return []

    def _reach(self, begin: Iterable[Node], allowed: Callable[[Node], bool]) -> set[Node]:
        seen = set(begin)
        todo = [*seen]
        while todo:
            for _, target in self._leaving[todo.pop()]:
                if target not in seen and allowed(target):
                    seen.add(target)
                    todo.append(target)
        return seen

    def _starved(self, component: set[Node], fair: list[tuple[int, bool]]) -> set[Node] | None:
        """``None``: fair. Else the states to do without, so that the rest may be; or none."""
        for number, strong in fair:
            steps = self._steps[number]
            enabled = component & steps.keys()
            taken = any(target in component for node in enabled for target in steps[node])
            if not enabled or taken:
                continue
            if strong:
                return enabled
            if enabled == component:
                return set()
        return None

    def _components(self, nodes: set[Node]) -> Iterator[set[Node]]:
        """Strongly connected components (Tarjan, without recursion), single states included."""
        index: dict[Node, int] = {}
        low: dict[Node, int] = {}
        stack: list[Node] = []
        on: set[Node] = set()
        for root in nodes:
            if root in index:
                continue
            work = [(root, iter(self._leaving[root]))]
            index[root] = low[root] = len(index)
            stack.append(root)
            on.add(root)
            while work:
                node, edges = work[-1]
                for _, target in edges:
                    if target not in nodes:
                        continue
                    if target not in index:
                        index[target] = low[target] = len(index)
                        stack.append(target)
                        on.add(target)
                        work.append((target, iter(self._leaving[target])))
                        break
                    if target in on:
                        low[node] = min(low[node], index[target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[node])
                    if low[node] == index[node]:
                        component = set()
                        while node not in component:
                            component.add(stack.pop())
                        on -= component
                        yield component


def _flagged(
    spec: Spec, leads: list[Promise], fair: list[Fair], tools: tlc.Tools
) -> tuple[Graph, list[Flags]]:
    """The graph, and what each state is flagged with."""
    name = f"{spec.name}Liveness"
    lead_flags = ", ".join(
        f"<<({lead.before}), ({lead.after}), ({lead.always}), ({lead.forever})>>" for lead in leads
    )
    steps = ", ".join(
        "({"
        + ", ".join(
            f"IF ENABLED (({spec.call(number)}) /\\ ({f.action})) THEN {number} ELSE -1"
            for number in _instances_in(spec, f)
        )
        + "} \\ {-1})"
        for f in fair
    )
    module, config = spec.driver(
        name, FLAGS, f"<<<<{lead_flags}>>, <<{steps}>>>>", extends="Integers"
    )
    texts = {f"{spec.name}.tla": spec.module, f"{name}.tla": module}
    with tempfile.TemporaryDirectory(prefix="polybawt-dump-") as place:
        dump = Path(place) / "graph.dot"
        verdict = tlc.check(tools, texts, config, dump)
        if not verdict.holds:
            raise tlc.Failed(f"{name}: {verdict.violated or verdict.error}")
        graph, flags = read_with(dump, spec, FLAGS)
        return graph, flags  # type: ignore[return-value]  # the module above says so


def _instances_in(spec: Spec, fair: Fair) -> list[int]:
    """The instances whose action a fair action can be made of."""
    names, todo = set[str](), [fair.action]
    while todo:
        for word in set(re.findall(r"\w+", todo.pop())) & spec.definitions.keys():
            if word not in names:
                names.add(word)
                todo.append(spec.definitions[word].body)
    return [n for n, instance in enumerate(spec.instances) if instance.name in names]


def _lines(spec: Spec, name: str, operator: str) -> list[str]:
    """The parts of a definition: its outermost bullets, or all of it on one line."""
    body = spec.definition(name).body
    if not body.startswith(operator):
        return [body] if "\\A" in body else split(body, operator) or [body]
    bullet = re.compile(rf"^( *){re.escape(operator)}", re.M)
    outer = min((len(found[1]) for found in bullet.finditer(body, 1)), default=0)
    parts = re.split(rf"^ {{{outer}}}{re.escape(operator)}", body, flags=re.M)
    return [part.removeprefix(operator).strip() for part in parts if part.strip()]


def _each(spec: Spec, line: str) -> Iterator[tuple[str, str]]:
    r"""A line without its ``\A``, once per value: definitions to put before, and the rest."""
    domains: dict[str, tuple[Value, ...]] = {}
    while every := _EVERY.match(line):
        domains |= {name: spec.domain(domain) for name, domain in bindings(every[1])}
        line = line[every.end() :].strip()
    for values in product(*domains.values()):
        bound = " ".join(f"{n} == {text(v)}" for n, v in zip(domains, values, strict=True))
        yield (f"LET {bound} IN " if bound else ""), line


def _fair(spec: Spec, line: str) -> Iterator[Fair]:
    for let, inner in _each(spec, line):
        for part in split(inner, "/\\") or [inner]:
            found = _FAIR.fullmatch(part.strip())
            if not found:
                raise Unreadable(f"{spec.name}: {part!r} in Fairness is no WF_vars or SF_vars")
            yield Fair(part.strip(), found[1] == "S", f"{let}({found[2]})")


def _promises(spec: Spec, name: str) -> Iterator[Promise]:
    """A property, once per value that it is quantified over; none when its form is another."""
    for let, inner in _each(spec, spec.definition(name).body):
        assumed, arrow, promised = _cut(inner, "=>")
        always = _after("[]", assumed) if arrow else "TRUE"
        forever = _after("<>[]", assumed) if arrow else "TRUE"
        if not arrow:
            promised = inner
        elif not always and not forever:
            continue
        before, leads, after = _cut(promised, "~>")
        if (whole := _after("[]", promised)) and not leads:
            before, leads, after = _cut(whole, "=>")
            after = _after("<>", after) if leads else _after("<>", whole)
        if not leads:
            before = "TRUE"
        stays = _after("<>[]", promised) if not leads else ""
        if (stays or after) and not re.search(
            r"\[\]|<>", " ".join((before, after, stays, always, forever))
        ):
            yield Promise(
                name,
                f"{let}({before})",
                f"{let}({stays or after})",
                bool(stays),
                f"{let}({always or 'TRUE'})",
                f"{let}({forever or 'TRUE'})",
            )


def _cut(formula: str, operator: str) -> tuple[str, str, str]:
    """Both sides of the one operator outside of all brackets, and the operator; or all of it."""
    parts = split(_bare(formula), operator)
    return (parts[0], operator, parts[1]) if len(parts) == 2 else (formula, "", "")


def _after(operator: str, formula: str) -> str:
    """What an operator in front of a formula is applied to; "" when there is another."""
    inner = _bare(formula)
    return _bare(inner.removeprefix(operator)) if inner.startswith(operator) else ""


def _bare(formula: str) -> str:
    """Without brackets around all of it."""
    formula = formula.strip()
    while formula.startswith("(") and formula.endswith(")"):
        depths = accumulate((sign == "(") - (sign == ")") for sign in formula[:-1])
        if 0 in depths:
            break
        formula = formula[1:-1].strip()
    return formula


def _tlc_notices(spec: Spec, conjunct: str, tools: tlc.Tools) -> bool:
    """Whether TLC finds a violation without one conjunct of the fairness."""
    start = re.search(r"^Fairness ==", spec.module, re.M)
    assert start, "there is a Fairness"
    before, after = spec.module[: start.end()], spec.module[start.end() :]
    module = before + after.replace(conjunct, "TRUE", 1)
    return bool(tlc.check(tools, {f"{spec.name}.tla": module}, spec.config).violated)


def told(found: Opinion) -> list[str]:
    """Where our search differs from TLC, which found that all holds; and needless fairness."""
    wrong = [f"{name} fails by our own search, and holds by TLC's" for name in found.fails]
    return [*wrong, *(f"Fairness: {line}: no property needs it" for line in found.needless)]
