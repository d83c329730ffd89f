"""The score itself can be believed: what it calls killed differs, what it calls the same is so."""

from pathlib import Path

import pytest
from attrs import evolve

from polybawt.proof import tlc
from polybawt.proof.conform import Refusals, Relation, forward
from polybawt.proof.explore import Code, explore
from polybawt.proof.formula import Edit, edited
from polybawt.proof.graph import Graph, graph_of
from polybawt.proof.mutate import KINDS, Asked, Kind, Score, scored, told
from polybawt.proof.mutate_bench import Bench
from polybawt.proof.mutate_beside import Beside
from polybawt.proof.mutate_code import CodeMutant, code_mutants
from polybawt.proof.mutate_spec import Mutant, Source, guard_mutants, spec_mutants
from polybawt.proof.spec import Spec
from tests.proof.lamp_machine import LampMachine, LampMirror
from tests.proof.lamps import MODELS

STATES = ["broken", "off", "on"]
UNSEEN = "count: evolve without turned_by"


@pytest.fixture(scope="module")
def tools() -> tlc.Tools:
    """Skips, with the reason, where TLC cannot run."""
    try:
        return tlc.find_tools()
    except tlc.ToolsMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec.read(MODELS, "Lamp")


@pytest.fixture(scope="module")
def mirror(spec: Spec) -> LampMirror:
    return LampMirror(spec.constants)


@pytest.fixture(scope="module")
def graph(spec: Spec, mirror: LampMirror) -> Graph:
    return explore(Code(spec, mirror))


def models(place: Path, survivors: str = "") -> Path:
    """The lamp's specification beside explanations of its own."""
    for file in MODELS.glob("Lamp*"):
        (place / file.name).write_text(file.read_text())
    (place / "survivors").mkdir()
    (place / "survivors" / "Lamp.toml").write_text(survivors)
    return place


def score_of(tools: tlc.Tools, place: Path, *kinds: str) -> Score:
    asked = Asked(
        spec=Spec.read(place, "Lamp"),
        mirror=LampMirror,
        models=place,
        kinds=frozenset(kinds),
        tools=tools,
        progress=lambda _: None,
    )
    return scored(asked)


def test_every_row_guard_and_expression_of_the_machine_is_broken_once(mirror: LampMirror) -> None:
    """One of each kind of edit, by its text."""
    texts = [str(mutant) for mutant in code_mutants(mirror)]

    assert {
        "off turn broken if worn deleted",
        "off turn broken if worn sent to on",
        "off turn broken if worn without worn",
        "off turn broken if worn with not worn",
        "off turn broken if worn swapped with on",
        "worn: Add to Sub in lamp.turns + 1",
        "worn: 1 to 2",
        "worn: GtE to Gt in lamp.turns + 1 >= LASTS",
        "worn: not lamp.turns + 1 >= LASTS",
        "renew: if not mend.lasting",
        UNSEEN,
    } <= {*texts}
    assert len(texts) == len({*texts})


def test_a_code_mutant_is_killed_exactly_when_the_kit_tells(
    spec: Spec, mirror: LampMirror, graph: Graph
) -> None:
    """The short way, one question at a time, comes to what the whole comparison comes to."""
    bench = Bench(spec, graph, mirror)

    def kit_tells(mutant: CodeMutant) -> bool:
        code = Code(spec, LampMirror(spec.constants, mutant.table))
        relation = Relation(graph, code)
        try:
            return (
                any(forward(relation, code))
                or any(Refusals(relation, code).findings())
                or explore(code).digest() != graph.digest()
            )
        except TypeError:
            return True

    mutants = [*code_mutants(mirror)]

    assert [bool(bench.notices(m)) for m in mutants] == [kit_tells(m) for m in mutants]


def test_swapped_rows_are_the_same_machine_only_when_their_guards_exclude_each_other(
    spec: Spec, mirror: LampMirror, graph: Graph
) -> None:
    """``worn`` and ``sound`` do; what has no guard comes last for a reason."""
    bench = Bench(spec, graph, mirror)
    found = {str(m): m for m in code_mutants(mirror)}

    disjoint = found["off turn broken if worn swapped with on"]
    implied = found["off turn on if sound without sound"]
    overlapping = found["on turn broken if worn swapped with off"]

    assert not bench.notices(disjoint)
    assert bench.equivalent(disjoint)
    assert bench.equivalent(implied)
    assert bench.notices(overlapping)
    assert not bench.equivalent(overlapping)


def test_a_spec_mutant_differs_exactly_when_its_graph_has_another_digest(
    spec: Spec, tools: tlc.Tools
) -> None:
    """All mutants in one run of TLC, against a run and a dump for each."""
    source = Source(spec)
    mutants = [m for m in spec_mutants(source, STATES, ["Worn"]) if m.definition == "Mend"][:2]
    turns = source.text.index("Turn ==")
    same = Edit(
        source.text.index("turns + 1", turns), source.text.index("1", turns) + 1, "1 + turns"
    )
    mutants.append(Mutant("Turn", "the same", same))

    found = Beside(source, mutants, tools, lambda _: None).difference()

    digest = graph_of(spec, tools).digest()
    for number, mutant in enumerate(mutants):
        other = evolve(spec, module=edited(source.text, mutant.edit))
        assert (graph_of(other, tools).digest() != digest) == (number in found.moving), mutant
    assert found.moving == {0, 1}


def test_what_tlc_cannot_read_is_stillborn(spec: Spec, tools: tlc.Tools) -> None:
    """Nonsense is found by line and left out; the others are still told."""
    source = Source(spec)
    sound, *_ = guard_mutants(source)
    start = source.text.index("0 ELSE 1")
    text = Mutant("Mend", "a text for a number", Edit(start, start + 1, '"on" + 1'))
    unknown = Mutant("Mend", "no such name", Edit(start, start + 1, "Nothing"))

    found = Beside(source, [text, sound, unknown], tools, lambda _: None).difference()

    assert found.stillborn == {0, 2}
    assert found.moving == {1}


def test_every_unprimed_conjunct_is_a_guard(spec: Spec) -> None:
    """Of the machine and of the world; what assigns is none."""
    assert [str(mutant) for mutant in guard_mutants(Source(spec))] == [
        "Turn: near",
        'Turn: state # "broken"',
        'Mend: state = "broken"',
        "Go: near # there",
    ]


def test_lists_keep_their_columns_when_a_text_grows() -> None:
    """Bullets that no longer stand below each other are another formula."""
    text = "A == x /\\ \\/ y\n          \\/ z\n     /\\ w\n"

    longer = edited(text, Edit(5, 6, "longer"))

    assert longer == "A == longer /\\ \\/ y\n               \\/ z\n          /\\ w\n"
    assert edited(longer, Edit(5, 11, "x")) == longer.replace("longer", "x     ")


def test_what_survives_is_reported_unless_it_is_explained(tools: tlc.Tools, tmp_path: Path) -> None:
    """Who turned the lamp is nothing that the specification knows."""
    score = score_of(tools, models(tmp_path), "code")

    (kind,) = score.kinds
    assert kind.survivors == (UNSEEN,)
    assert not score.good
    assert score.as_json()["survivors"] == [f"code: {UNSEEN}"]
    assert f"  SURVIVES {UNSEEN}" in [*told(score)]


def test_an_explanation_that_nothing_needs_is_stale(tools: tlc.Tools, tmp_path: Path) -> None:
    """Else the list of excuses only grows."""
    survivor = '[[survivor]]\nkind = "code"\nmutant = "{}"\nreason = "it is left out"\n'
    place = models(tmp_path, survivor.format(UNSEEN) + survivor.format("count: 1 to 2"))

    score = score_of(tools, place, "code")

    (kind,) = score.kinds
    assert kind.explained == (UNSEEN,)
    assert kind.stale == ("count: 1 to 2",)
    assert not score.good


def test_the_properties_are_asked_without_each_guard(tools: tlc.Tools, tmp_path: Path) -> None:
    """One runs away, one is noticed in the end, one is missed, and one only stutters."""
    score = score_of(tools, models(tmp_path), "spec", "guards")

    spec, guards = score.kinds
    assert spec.score == 1.0
    assert spec.mutants > 20
    assert dict(guards.notices).keys() == {"explosion", "Temporal properties were violated"}
    assert guards.survivors == ("Turn: near",)
    assert guards.equivalent == ("Go: near # there",)
    assert guards.score == pytest.approx(0.6667)
    assert guards.idle == ("BrokenStays",)


def test_a_machine_that_is_not_the_specification_has_no_score(
    tools: tlc.Tools, tmp_path: Path
) -> None:
    """A comparison that fails already would tell nothing of any mutant."""
    place = models(tmp_path)
    (place / "Lamp.cfg").write_text("SPECIFICATION Spec\nCONSTANT Lasts = 4\n")

    with pytest.raises(tlc.Failed, match="code and specification differ"):
        score_of(tools, place, "code")


def test_the_score_of_nothing_is_whole() -> None:
    """A composition has no machine, and nothing to break in it."""
    assert Kind(name="code").score == 1.0
    assert Score(name="Engine", kinds=()).good
    assert LampMachine.edges()
    assert KINDS == ("code", "spec", "guards")
