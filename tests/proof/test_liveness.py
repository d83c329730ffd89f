"""Our own search for a fair way out agrees with TLC, and finds fairness that nothing needs."""

from pathlib import Path

import pytest

from polybawt.proof import liveness, tlc
from polybawt.proof.spec import Spec, Unreadable
from tests.proof.lamps import MODELS

pytestmark = pytest.mark.usefixtures("checker")

LAMP = Spec.read(MODELS, "Lamp", "Live")
PROPERTIES = ("Mended", "Wears", "Comes")


def changed(old: str, new: str) -> Spec:
    assert old in LAMP.module
    return Spec(LAMP.name, LAMP.module.replace(old, new), LAMP.config)


def test_what_tlc_proved_our_search_finds_no_way_out_of() -> None:
    opinion = liveness.opinion(LAMP, PROPERTIES, tlc.find_tools())

    assert opinion.holds == PROPERTIES
    assert opinion.others == ()
    assert liveness.told(opinion) == []


WEARS = 'Wears      == (state = "on") ~> (state = "broken")'


@pytest.mark.parametrize(
    ("promise", "holds"),
    [
        ('<>[](state # "on")', False),  # it is mended and turned again, for ever
        ('(<>[]near) => []<>(state = "broken")', True),
        ('(<>[]near) => <>[](state = "broken")', False),
        ('([](turns < 2)) => <>[](state # "broken")', True),
        ('[]((state = "broken") => <>(state = "off"))', True),
        ("\\A n \\in 1..2 : (turns = n) ~> (turns = 3)", True),
        ("\\A n \\in 3..4 : (turns = 1) ~> (turns = n)", False),
    ],
)
def test_promises_of_other_forms_are_judged_as_tlc_judges_them(promise: str, holds: bool) -> None:
    spec = changed(WEARS, f"Wears == {promise}")

    opinion = liveness.opinion(spec, ["Wears"], tlc.find_tools())

    assert opinion.others == ()
    assert bool(opinion.fails) is not holds
    verdict = tlc.check(tlc.find_tools(), {"Lamp.tla": spec.module}, spec.config)
    assert bool(verdict.violated) is not holds


def test_a_promise_of_a_form_that_we_do_not_know_is_left_to_tlc() -> None:
    """No opinion is better than a guess; which fairness it needs, TLC says."""
    spec = changed(WEARS, 'Wears == ([]<>near) => []<>(state = "broken")')

    opinion = liveness.opinion(spec, PROPERTIES, tlc.find_tools())

    assert opinion.others == ("Wears",)
    assert opinion.needless == ()


@pytest.mark.parametrize(
    ("old", "new", "fails"),
    [
        ("SF_vars(Turn)", "WF_vars(Turn)", "Wears"),  # a hand may come and go for ever
        ("SF_vars(Mend(lasting))", "WF_vars(Go(lasting))", "Mended"),
        ("WF_vars(Go(TRUE))", "WF_vars(Go(FALSE))", "Wears"),
    ],
)
def test_a_weaker_fairness_leaves_a_way_out_by_both_opinions(
    old: str, new: str, fails: str
) -> None:
    """A checker that agrees with everything would agree with TLC too."""
    spec = changed(old, new)

    assert fails in liveness.opinion(spec, PROPERTIES, tlc.find_tools()).fails
    verdict = tlc.check(tlc.find_tools(), {"Lamp.tla": spec.module}, spec.config)
    assert verdict.violated


def test_fairness_that_no_property_needs_is_told() -> None:
    spec = changed("  /\\ SF_vars(Turn)\n", "  /\\ SF_vars(Turn)\n  /\\ WF_vars(Go(FALSE))\n")

    opinion = liveness.opinion(spec, PROPERTIES, tlc.find_tools())

    assert opinion.needless == ("WF_vars(Go(FALSE))",)
    assert liveness.told(opinion) == ["Fairness: WF_vars(Go(FALSE)): no property needs it"]


def test_fairness_of_another_form_is_not_guessed() -> None:
    with pytest.raises(Unreadable, match="no WF_vars or SF_vars"):
        liveness.opinion(changed("SF_vars(Turn)", "[]<>near"), PROPERTIES, tlc.find_tools())


def test_a_graph_that_tlc_cannot_draw_is_no_opinion(tmp_path: Path) -> None:
    with pytest.raises(tlc.Failed):
        liveness.opinion(changed("near' = there", "near' = "), PROPERTIES, tlc.find_tools())
