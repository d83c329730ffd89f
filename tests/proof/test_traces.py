"""Runs of the code are explained by the specification, and a spoilt run is not."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.proof import Spec, tlc, traces
from polybawt.proof.explore import Code, explore
from tests.proof.lamps import MODELS, LampMirror

SPEC = Spec.read(MODELS, "Lamp")
CODE = Code(SPEC, LampMirror(SPEC))
GRAPH = explore(CODE)
TURN = 0


@settings(deadline=None)
@given(st.data())
def test_whatever_way_hypothesis_takes_is_explained(data: st.DataObject) -> None:
    """It steers machine and world by itself; the judge sees only the machine."""
    trace = traces.walk(CODE, lambda many: data.draw(st.integers(0, many - 1)), 30)

    assert traces.Judge(GRAPH).first_wrong(trace) is None


def test_the_two_judges_agree_on_runs_and_on_spoilt_ones(checker: None) -> None:
    draw = Random(3).randrange
    good = [traces.walk(CODE, draw, 20) for _ in range(20)]
    bad = [traces.spoilt(SPEC, trace, draw) for trace in good if trace]
    judge = traces.Judge(GRAPH)

    accepted = traces.by_tlc(SPEC, [*good, *bad], tlc.find_tools())

    assert accepted == set(range(len(good)))
    assert all(judge.first_wrong(trace) is None for trace in good)
    assert all(judge.first_wrong(trace) is not None for trace in bad)


def test_the_first_step_that_nothing_explains_is_named() -> None:
    """A lamp that was turned twice does not shine: its hand may be anywhere, its state not."""
    on, off = ("on", 1), ("off", 2)

    assert traces.Judge(GRAPH).first_wrong(((TURN, on), (TURN, off))) is None
    assert traces.Judge(GRAPH).first_wrong(((TURN, on), (TURN, on))) == 1
    assert traces.Judge(GRAPH).first_wrong(((TURN, off),)) == 0


def test_a_run_ends_where_nothing_can_happen() -> None:
    class Still(LampMirror):
        def moves(self, *_: object) -> None:
            return None

    assert traces.walk(Code(SPEC, Still(SPEC)), lambda _: 0, 10) == ()


def test_a_batch_that_tlc_cannot_read_is_no_verdict(checker: None) -> None:
    broken = Spec("Lamp", SPEC.module.replace("Init ==", "Ini =="), SPEC.config)
    with pytest.raises(tlc.Failed):
        traces.by_tlc(broken, [], tlc.find_tools())
