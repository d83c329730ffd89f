"""Faults strike whom their rules name, as often as they say, and are counted."""

import pytest

from polybawt.core.units import SECOND_NS
from polybawt.sim.faults import RULES_MAX, Fault, Faults, InvalidFault, read_faults

AT = 1_000 * SECOND_NS


def faults(*rules: Fault, seed: int = 1) -> Faults:
    return Faults(rules, seed, AT)


def test_a_rule_strikes_what_it_names_and_nothing_else() -> None:
    found = faults(Fault(kind="reset", method="POST", path="/order"))

    assert found.strike(("reset",), AT, "POST", "/orders") is not None
    assert found.strike(("reset",), AT, "GET", "/order") is None
    assert found.strike(("reset",), AT, "POST", "/book") is None
    assert found.strike(("slow", "drop"), AT, "POST", "/order") is None
    assert found.tally == {"reset": 1}


def test_a_count_is_an_end_and_a_window_has_two() -> None:
    found = faults(Fault(kind="slow", count=2), Fault(kind="drop", from_s=10, until_s=20))
    strikes = [found.strike(("slow",), AT) is not None for _ in range(4)]
    drops = [found.strike(("drop",), AT + s * SECOND_NS) is not None for s in (9, 10, 19, 20)]

    assert strikes == [True, True, False, False]
    assert drops == [False, True, True, False]


def test_a_share_is_drawn_and_the_same_seed_draws_the_same() -> None:
    def drawn(seed: int) -> list[bool]:
        found = faults(Fault(kind="drop", share=0.3), seed=seed)
        return [found.strike(("drop",), AT) is not None for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 40 <= sum(drawn(1)) <= 80


def test_the_first_rule_that_fits_is_the_fault() -> None:
    found = faults(Fault(kind="slow", count=1), Fault(kind="reset"))
    kinds = [found.strike(("slow", "reset"), AT) for _ in range(3)]

    assert [f.kind for f in kinds if f] == ["slow", "reset", "reset"]


def test_rules_are_added_and_cleared_and_the_tally_stays() -> None:
    found = faults()
    found.add([Fault(kind="drop")])
    found.strike(("drop",), AT)
    found.clear()

    assert found.strike(("drop",), AT) is None
    assert found.tally == {"drop": 1}
    with pytest.raises(InvalidFault, match="at most"):
        found.add([Fault(kind="drop")] * (RULES_MAX + 1))


def test_a_table_is_read_with_its_numbers() -> None:
    (rule,) = read_faults({"fault": [{"kind": "slow", "share": 0.5, "seconds": 2}]}, "x")

    assert rule == Fault(kind="slow", share=0.5, seconds=2.0)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "tables and nothing else"),
        ({"fault": []} | {"more": 1}, "tables and nothing else"),
        ({"fault": {}}, "list"),
        ({"fault": [{"kind": "rust"}]}, "fault 1: kind is one of"),
        ({"fault": [{"kind": "drop", "often": 1}]}, "no setting 'often'"),
        ({"fault": [{"kind": "drop", "share": "1"}]}, "share is '1', not float"),
        ({"fault": [{"kind": "drop", "share": True}]}, "share is True"),
        ({"fault": [{"kind": "drop", "path": 7}]}, "path is 7, not str"),
        ({"fault": [{"kind": "drop", "share": 2}]}, "not between 0 and 1"),
        ({"fault": [{"kind": "drop", "seconds": -1}]}, "not between 0 and a million"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_place(rows: object, why: str) -> None:
    with pytest.raises(InvalidFault, match=why):
        read_faults(rows, "faults.toml")
