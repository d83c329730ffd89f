"""Code and specification have one graph, and each way of parting is told with the way there."""

from pathlib import Path
from typing import ClassVar

import pytest
from statemachine import State, StateMachine

from polybawt.proof import ChartMirror, Spec, hold
from polybawt.proof.conform import conform, differences, hostile
from polybawt.proof.explore import Code, TooMany, Unplayable, explore
from polybawt.proof.graph import Graph, depth, graph_of
from polybawt.proof.tlc import Failed
from polybawt.proof.values import Value, Values
from tests.proof.lamps import MODELS, Lamp, LampMirror

SPEC = Spec.read(MODELS, "Lamp")

pytestmark = pytest.mark.usefixtures("checker")


@pytest.fixture(scope="module")
def specified(checker: None) -> Graph:
    return graph_of(SPEC)


def findings(specified: Graph, mirror: ChartMirror) -> str:
    return "\n".join(conform(SPEC, specified, mirror, lambda _: None).findings)


def test_the_two_have_one_graph_and_one_digest(specified: Graph) -> None:
    """Both ways, for every state and every action.  Proves: P3.5."""
    held = conform(SPEC, specified, LampMirror(SPEC), lambda _: None)

    assert held.findings == ()
    assert held.digest == specified.digest() == explore(Code(SPEC, LampMirror(SPEC))).digest()
    assert (len(specified.states), len(specified.edges), depth(specified)) == (12, 21, 8)
    assert held.edges_driven == sum(SPEC.instances[i].ours for _, i, _ in specified.edges)
    assert held.bisimulation_pairs == 12 * len(SPEC.instances)
    assert held.toured >= held.edges_driven
    assert held.never == ()


class Stuck(Lamp):
    """It does not wear out when it is on."""

    off, on, broken = State(initial=True), State(), State()
    turn = off.to(broken, cond="worn") | off.to(on) | on.to(off)
    mend = broken.to(off)


class Weak(Lamp):
    """It breaks a turn too early."""

    def worn(self) -> bool:
        return bool(self.model.turns + 1 >= 2)


class Lazy(Lamp):
    """It does not count."""

    def on_turn(self) -> None:
        self.model.turns += self.model.turns == 0


class Willing(Lamp):
    """It can be mended while it is whole."""

    off, on, broken = State(initial=True), State(), State()
    turn = off.to(broken, cond="worn") | off.to(on) | on.to(broken, cond="worn") | on.to(off)
    mend = broken.to(off) | on.to(off)


@pytest.mark.parametrize(
    ("lamp", "says"),
    [
        (Stuck, 'Turn: the code differs: state is "off", not "broken"'),
        (Weak, 'Turn: the code differs: state is "broken", not "off"'),
        (Lazy, "Turn: the code differs: turns is 1, not 2"),
        (Willing, 'Mend(TRUE): not specified, believed by the code: state is "off", not "on"'),
    ],
)
def test_a_machine_that_parts_is_told_with_the_events_that_lead_there(
    specified: Graph, lamp: type[StateMachine], says: str
) -> None:
    found = findings(specified, LampMirror(SPEC, lamp))

    assert says in found
    assert "after Go(TRUE), Turn" in found


class Refuses(Lamp):
    off, on, broken = State(initial=True), State(), State(final=True)
    turn = off.to(broken, cond="worn") | off.to(on) | on.to(broken, cond="worn") | on.to(off)
    mend = on.to(off, cond="worn")


def test_what_is_specified_and_refused_is_told_by_three(specified: Graph) -> None:
    """Forward, on tour, and in the graph."""
    found = findings(specified, LampMirror(SPEC, Refuses))

    assert "Mend(FALSE): specified, refused by the code" in found
    assert "Mend(FALSE): on tour, refused by the code" in found
    assert "Mend(FALSE): specified, not possible in the code" in found


class Ghost(LampMirror):
    """A world in which a lamp turns by itself."""

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        return True


class Frozen(LampMirror):
    """A world in which nobody leaves."""

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        return {"near": True} if arguments[0] and not at["near"] else None


class Elsewhere(LampMirror):
    """A world that begins otherwise."""

    def initial(self) -> list[Values]:
        return [{"state": "off", "turns": 0, "near": True}]


@pytest.mark.parametrize(
    ("mirror", "says"),
    [
        (Ghost, "Turn: possible in the code, not specified; after nothing"),
        (Frozen, "Go(FALSE): specified, not possible in the code; after Go(TRUE)"),
        (Elsewhere, "only the code begins with near = TRUE"),
    ],
)
def test_a_world_that_parts_is_told_too(
    specified: Graph, mirror: type[LampMirror], says: str
) -> None:
    """Half of the graph is the world's; a machine is right only in the world that is modelled."""
    assert says in findings(specified, mirror(SPEC))


class Doubtful(LampMirror):
    """Being broken is a doubt: what is impossible may end there, all else untouched."""

    doubts: ClassVar[frozenset[str]] = frozenset({"broken"})


class Breaks(Lamp):
    off, on, broken = State(initial=True), State(), State()
    turn = off.to(broken, cond="worn") | off.to(on) | on.to(broken, cond="worn") | on.to(off)
    mend = broken.to(off) | off.to(broken)

    def on_mend(self, lasting: bool) -> None:
        if "broken" in self.configuration_values:
            self.model.turns = 0 if lasting else 1


def test_an_impossible_input_may_raise_a_declared_doubt_and_no_other(specified: Graph) -> None:
    declared = conform(SPEC, specified, Doubtful(SPEC, Breaks), lambda _: None)
    undeclared = conform(SPEC, specified, LampMirror(SPEC, Breaks), lambda _: None)

    assert declared.tolerated > 0
    assert not any("believed by the code" in finding for finding in declared.findings)
    assert any("believed by the code" in finding for finding in undeclared.findings)


def test_a_number_out_of_its_domain_is_tried_too() -> None:
    """The boundary is where a guard is wrong."""
    module = 'ours == <<state>>\nA(n, who) == n > 0\nOurs ==\n  \\/ \\E n \\in 1..2 : A(n, "x")\n'

    assert [*map(str, hostile(Spec("X", module, "")))] == ['A(0, "x")', 'A(3, "x")']


def test_a_code_without_end_is_stopped_and_told(
    specified: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless(LampMirror):
        def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
            return {"near": int(at["near"]) + 1}  # type: ignore[arg-type]

    monkeypatch.setattr("polybawt.proof.explore.STATES_MAX", 100)
    with pytest.raises(TooMany, match="more than 100 states"):
        explore(Code(SPEC, Endless(SPEC)))
    assert "Lamp: more than 100 states" in findings(specified, Endless(SPEC))


class Astonished(LampMirror):
    """A world that takes a mended lamp for impossible."""

    def felt(
        self, name: str, arguments: tuple[Value, ...], at: Values, ours: Values, outputs: object
    ) -> Values:
        assert name != "Mend", "nobody mends here"
        return {}


def test_a_code_that_the_world_cannot_follow_is_told_and_not_a_crash(specified: Graph) -> None:
    """A simulated exchange asserts what it knows: a machine that forgets a command meets that."""
    with pytest.raises(Unplayable, match=r"Mend\(FALSE\): the world cannot follow the code"):
        explore(Code(SPEC, Astonished(SPEC)))
    assert 'assert name != "Mend"' in findings(specified, Astonished(SPEC))


def test_equal_graphs_have_no_difference_whatever_order_they_were_found_in(
    specified: Graph,
) -> None:
    order = [*range(len(specified.states))][::-1]
    turned = Graph(
        SPEC,
        [specified.states[node] for node in order],
        [(order[s], i, order[t]) for s, i, t in reversed(specified.edges)],
        tuple(order[node] for node in specified.initial),
    )

    assert [*differences(specified, turned)] == []
    assert turned.digest() == specified.digest()
    fewer = Graph(SPEC, specified.states, specified.edges[1:], specified.initial)
    assert fewer.digest() != specified.digest()


def test_a_specification_that_tlc_cannot_read_is_no_proof(tmp_path: Path) -> None:
    for path in MODELS.iterdir():
        (tmp_path / path.name).write_text(path.read_text().replace("near' = there", "near' = "))

    with pytest.raises(Failed, match="Lamp: "):
        hold(tmp_path / "Lamp.tla", LampMirror)
