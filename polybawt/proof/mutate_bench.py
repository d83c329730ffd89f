"""Asks of a broken machine what the kit asks of the sound one, and whether it would tell.

A mutant is held against the sound machine wherever the kit asks: in every state of our half with
every instance of an action, specified or not, and with worse ones.  Only the questions that look
at a broken row are asked again.  Where every answer is the same the graph is the same, for its
steps are made of these answers; where one differs, it must be forward, refusal, the graph or the
tour that tells.

A mutant that nothing tells is *equivalent* only where a reason can be shown: two swapped rows
never hold together, a guard that was dropped always holds where it is tried.  Every other is a
survivor.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from attrs import field, frozen

from polybawt.core.machine import Fact, Guard, Record, Row
from polybawt.proof.conform import Relation, Tour, hostile
from polybawt.proof.explore import Code
from polybawt.proof.graph import Graph, Node, State
from polybawt.proof.mirror import Mirror, Step
from polybawt.proof.mutate_code import CodeMutant, Key
from polybawt.proof.spec import Instance, Spec

RAISED: Final = (
    ArithmeticError, AssertionError, AttributeError, LookupError, NameError, TypeError, ValueError
)  # fmt: skip


@frozen
class Question:
    """A state of our half, at a node that has it, and an instance; ``number``: a real one's."""

    node: Node
    instance: Instance
    number: int | None


@frozen
class Looked:
    """Which questions a row is tried at, and with what."""

    questions: list[int] = field(factory=list)
    tried: list[tuple[Record, Fact]] = field(factory=list)


class Bench:
    """A sound machine, and all that the kit asks of it."""

    def __init__(self, spec: Spec, graph: Graph, mirror: Mirror) -> None:
        self._spec, self._mirror, self._own = spec, mirror, mirror.table
        code = Code(spec, mirror)
        self._relation = Relation(graph, code)
        self._nodes: dict[State, list[Node]] = defaultdict(list)
        for node, state in enumerate(graph.states):
            self._nodes[code.seen_by_us(state)].append(node)
        self._seen = {node: seen for seen, node in self._relation.states.items()}
        self._follows = {(source, n): graph.states[to] for source, n, to in graph.edges}
        self._questions = [*self._all()]
        self._answers: list[Step | None] = []
        self._looked: dict[Key, Looked] = defaultdict(Looked)
        self._ask()

    def _all(self) -> Iterator[Question]:
        """As forward and refusal ask: every instance of ours everywhere, and hostile ones."""
        real = [(i, n) for n, i in enumerate(self._spec.instances) if i.ours]
        for instance, number in [*real, *((i, None) for i in hostile(self._spec))]:
            for node in self._relation.states.values():
                yield Question(node, instance, number)

    def _ask(self) -> None:
        """Every question of the sound machine; a row that never matches notes who looks."""
        looking: dict[Key, tuple[Record, Fact]] = {}

        def spy(key: Key) -> Row:
            def look(record: Record, action: Fact) -> bool:
                looking[key] = record, action
                return False

            return (look,), None, ""

        self._mirror.table = {key: (spy(key), *rows) for key, rows in self._own.items()}
        for number, question in enumerate(self._questions):
            looking.clear()
            self._answers.append(self._answer(question))
            for key, tried in looking.items():
                self._looked[key].questions.append(number)
                self._looked[key].tried.append(tried)
        self._mirror.table = self._own

    def _answer(self, question: Question) -> Step | None:
        at = self._relation.graph.values(question.node)
        return self._mirror.step(at, question.instance.name, question.instance.arguments)

    def notices(self, mutant: CodeMutant) -> str:
        """What tells that this is not the machine, "" when nothing does."""
        self._mirror.table = mutant.table
        try:
            return self._told(mutant)
        except RAISED as e:
            return f"raises {type(e).__name__}"
        finally:
            self._mirror.table = self._own

    def _told(self, mutant: CodeMutant) -> str:
        doubtful = []
        for number in sorted({n for k in mutant.keys for n in self._looked[k].questions}):
            question, answer = self._questions[number], self._answer(self._questions[number])
            if answer != self._answers[number]:
                if told := self._differs(question, answer):
                    return told
                doubtful.append(question)
        code = Code(self._spec, self._mirror)
        if any(self._leads_elsewhere(code, question) for question in doubtful):
            return "graph"
        return "tour" if any(Tour(self._relation, code).findings()) else ""

    def _differs(self, question: Question, answer: Step | None) -> str:
        """Which of forward and refusal tells, as ``conform`` has them."""
        seen, ours, at = self._seen[question.node], self._spec.ours, question.node
        if question.number is not None and (seen, question.number) in self._relation.edges:
            wanted = self._relation.edges[seen, question.number][0]
            same = answer is not None and tuple(answer[0][name] for name in ours) == wanted
            return "" if same else "forward"
        if answer is None or (
            question.number is not None and question.instance.name in self._mirror.believes
        ):
            return ""
        before = self._relation.graph.values(at)
        changed = {name for name in ours if answer[0][name] != before[name]}
        doubt = answer[0]["state"] in self._mirror.doubts
        return "" if changed <= {"state"} and (not changed or doubt) else "refusal"

    def _leads_elsewhere(self, code: Code, question: Question) -> bool:
        """Whether machine and world take another step together, wherever we are in this state."""
        if question.number is None:
            return False
        graph = self._relation.graph
        return any(
            code.after(graph.states[node], question.number, graph.values(node))
            != self._follows.get((node, question.number))
            for node in self._nodes[self._seen[question.node]]
        )

    # Which survivors are the same machine.

    def equivalent(self, mutant: CodeMutant) -> bool:
        """Whether what is tried shows that the edit cannot matter."""
        if len(mutant.rows) == 2:
            return self._disjoint(mutant.keys, *mutant.rows)
        if mutant.guard and len(mutant.rows) == 1:
            return self._implied(mutant.keys, mutant.rows[0], mutant.guard)
        return False

    def _tried(self, keys: frozenset[Key]) -> list[tuple[Record, Fact]]:
        return [tried for key in keys for tried in self._looked[key].tried]

    def _disjoint(self, keys: frozenset[Key], first: Row, second: Row) -> bool:
        """Both rows are taken at some time, and never could be at one."""
        held = [(_holds(first, *tried), _holds(second, *tried)) for tried in self._tried(keys)]
        apart = all(pair in ((True, False), (False, True), (False, False)) for pair in held)
        return apart and any(a for a, _ in held) and any(b for _, b in held)

    def _implied(self, keys: frozenset[Key], row: Row, guard: Guard) -> bool:
        """The guard holds whenever the row's other guards do and no row before matches."""
        rows = next(self._own[key] for key in keys)
        earlier = rows[: rows.index(row)]
        others: Row = (tuple(g for g in row[0] if g is not guard), row[1], row[2])
        alone: Row = ((guard,), row[1], row[2])
        asked = [
            _holds(alone, *tried)
            for tried in self._tried(keys)
            if _holds(others, *tried) is not False and not any(_holds(e, *tried) for e in earlier)
        ]
        return bool(asked) and all(asked)


def _holds(row: Row, record: Record, action: Fact) -> bool | None:
    """Whether the guards do; ``None`` when they refuse to say, as where they are never tried."""
    try:
        return all(guard(record, action) for guard in row[0])
    except RAISED:
        return None
