"""A specification that keeps the form is read; one that does not is told what and where."""

from pathlib import Path

import pytest

from polybawt.proof.spec import Spec, Unreadable
from tests.proof.lamps import MODELS

LAMP = Spec.read(MODELS, "Lamp")


def spec(module: str, config: str = "CONSTANT Size = 2\n") -> Spec:
    """A module that begins with the usual definitions."""
    return Spec("X", f"ours == <<a>>\nA(p) == p = p\nB == TRUE\nSet == {{1, 2}}\n{module}", config)


def test_a_specification_tells_its_halves_and_every_instance() -> None:
    assert LAMP.constants == {"Lasts": 3}
    assert LAMP.ours == ("state", "turns")
    assert LAMP.world == ("near",)
    assert LAMP.variables == ("near", "state", "turns")
    assert [*map(str, LAMP.instances)] == [
        "Turn", "Mend(FALSE)", "Mend(TRUE)", "Go(FALSE)", "Go(TRUE)",
    ]  # fmt: skip
    assert [i.ours for i in LAMP.instances] == [True, True, True, False, False]
    assert LAMP.definitions["Mend"].parameters == ("lasting",)


@pytest.mark.parametrize(
    ("domain", "values"),
    [
        ("1..Size", (1, 2)),
        ("0..Size - 1", (0, 1)),
        ("-1..Size + 1", (-1, 0, 1, 2, 3)),
        ('{"a", "b"}', ("a", "b")),
        ("{Size, 7}", (2, 7)),
        ("BOOLEAN", (False, True)),
        ("Set", (1, 2)),
        ("(Set \\cup {3})", (1, 2, 3)),
    ],
)
def test_a_finite_domain_is_read(domain: str, values: tuple[object, ...]) -> None:
    assert spec("").domain(domain) == values


@pytest.mark.parametrize(
    ("half", "instances"),
    [
        ("\\/ B", ["B"]),
        ("\\/ B \\/ A(1)", ["B", "A(1)"]),
        ("B", ["B"]),
        ("\\/ \\E x \\in Set : A(x)", ["A(1)", "A(2)"]),
        ("\\/ (\\E x, y \\in Set : (A(x) \\/ A(y)))", ["A(1)", "A(2)", "A(1)", "A(2)"]),
        ("\\/ \\E x \\in {1}, y \\in BOOLEAN : A(y)", ["A(FALSE)", "A(TRUE)"]),
        ('\\/ A("x")', ['A("x")']),
    ],
)
def test_instances_are_all_that_the_disjuncts_say(half: str, instances: list[str]) -> None:
    assert [*map(str, spec(f"Ours ==\n  {half}\n").instances)] == instances


@pytest.mark.parametrize(
    ("half", "why"),
    [
        ("\\/ C", "no call of an action"),
        ("\\/ A", "another number of arguments"),
        ("\\/ \\E x \\in [Set -> Set] : A(x)", "no finite domain"),
        ("\\/ \\E x \\in 0..Long : A(x)", "invalid literal|no number"),
    ],
)
def test_a_half_that_does_not_keep_the_form_is_told_where(half: str, why: str) -> None:
    with pytest.raises((Unreadable, ValueError), match=why):
        _ = spec(f"Ours ==\n  {half}\n").instances


def test_a_list_of_variables_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="ours is no list of variables"):
        _ = Spec("X", "ours == <<a, b>> \\o <<c>>\n", "").ours
    with pytest.raises(Unreadable, match="no definition of ours"):
        _ = Spec("X", "", "").ours
    with pytest.raises(Unreadable, match="no such file"):
        Spec.read(tmp_path, "X")


def test_a_comment_defines_nothing() -> None:
    """Whoever writes about an action has not written it."""
    assert "Z" not in spec("(* \nZ == TRUE *)\n\\* Z == 1\n").definitions


def test_the_driver_gives_every_instance_a_name_of_its_own() -> None:
    """TLC labels an edge with its innermost action and forgets the arguments."""
    module, config = LAMP.driver()

    assert "I2 == Mend(TRUE) /\\ TRUE\n" in module
    assert module.count("\\/ I") == 5
    assert config == "SPECIFICATION DriverSpec\nCONSTANT Lasts = 3\n"
    assert LAMP.instance("I2") == 2
    assert LAMP.instance("Closed") is None
