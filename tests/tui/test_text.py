"""Cells are exact, and what the venue wrote reaches the terminal as letters only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from polybawt.core.units import MILLION, SECOND_NS
from polybawt_tui import text
from polybawt_tui.text import Column

CELLS = st.text(max_size=30).map(text.printable)


@given(CELLS, st.integers(0, 40), st.sampled_from("<>"))
def test_a_fitted_text_has_exactly_its_width(words: str, width: int, align: str) -> None:
    """One cell too many shifts a whole row, and a price stands in another column."""
    assert cell_len(text.fit(words, width, align)) == width


@given(st.lists(st.tuples(CELLS, st.just("")), max_size=6), st.integers(0, 60))
def test_a_fitted_row_has_exactly_its_width(spans: list[text.Span], width: int) -> None:
    """The same for rows of several colours."""
    assert cell_len(text.plain(text.fit_row(tuple(spans), width))) == width


@pytest.mark.parametrize(
    "wild", ["\x1b[31mred", "a\nb", "a\rb", "\u202eevil", "\x9b2J", "a\u200bb"]
)
def test_what_does_not_print_becomes_a_dot(wild: str) -> None:
    """A market's question must not clear the screen or turn a line around."""
    shown = text.printable(wild)

    assert shown.isprintable()
    assert "·" in shown
    assert len(shown) == len(wild)


@pytest.mark.parametrize(
    ("micro", "shown"),
    [(0, "0.00"), (4_999, "0.00"), (5_000, "0.01"), (-4_999, "0.00"), (-5_000, "-0.01"),
     (1_234_567_890_000, "1,234,567.89"), (3_140_000, "3.14")],
)  # fmt: skip
def test_dollars_are_rounded_half_away_from_zero(micro: int, shown: str) -> None:
    """A loss of half a cent is not shown as nothing, nor nothing as a minus."""
    assert text.money(micro) == shown


def test_numbers_and_ages_in_words() -> None:
    """The forms that the panels rely on for their widths."""
    assert [text.price(p) for p in (480_000, 485_500, 10_000, None)] == [
        "0.48", "0.4855", "0.01", "-",
    ]  # fmt: skip
    assert [text.shares(n * MILLION) for n in (5, 999, 1_000, 123_456)] == [
        "5.00", "999.00", "1,000", "123k",
    ]  # fmt: skip
    assert [text.age(n * SECOND_NS // 10) for n in (-5, 2, 95, 120, 2_180, 75_000, 9 * 10**6)] == [
        "0.0s", "0.2s", "9.5s", "12s", "3m38s", "2h05m", "10d",
    ]  # fmt: skip
    assert text.reference(63_123_544863797618000000) == "63,123.54"
    assert text.reference(2_134500000000000000) == "2.1345"
    assert text.reference(0) == "?"
    assert text.utc((12 * 3600 + 3 * 60 + 9) * SECOND_NS) == "12:03:09"


@given(st.integers(-5, 200), st.integers(0, 100), st.integers(1, 30))
def test_a_bar_fills_its_width_and_never_hides_a_use(part: int, whole: int, width: int) -> None:
    """A limit that is touched at all shows at least a sliver; one that is passed is full."""
    filled, empty = text.bar(part, whole, width)

    assert len(filled) + len(empty) == width
    assert bool(filled.strip()) == (part > 0)
    if whole and part >= whole:
        assert filled == "█" * width


@given(st.lists(st.integers(-(10**9), 10**9), max_size=400), st.integers(1, 40), st.integers(1, 6))
def test_a_line_of_dots_has_its_size_and_shows_the_newest(
    values: list[int], width: int, height: int
) -> None:
    """The last column is the present, whatever the number of seconds."""
    lines = text.braille(values, width, height)

    assert [len(line) for line in lines] == [width] * height
    assert any(line[-1] != " " for line in lines) == bool(values)


def test_a_line_of_dots_rises_with_its_values() -> None:
    """High is up."""
    low, high = text.braille([0, 0, 0, 10, 10, 10], 3, 2)[::-1]

    assert low.strip()
    assert high.strip()
    assert high[0] == " "
    assert low[2] == " "


def test_a_table_drops_its_lesser_columns_first() -> None:
    """At 80 columns the state of an order stays, its strategy goes."""
    columns = (Column("state", 5), Column("why", 6, rank=2, grows=True), Column("age", 4, rank=1))
    line = (("LIVE", ""), ("because", ""), ("12s", ""))

    wide, middle, narrow = (text.table(columns, [line], width) for width in (30, 12, 6))

    assert text.plain(wide[1]).split() == ["LIVE", "because", "12s"]
    assert text.plain(middle[0]).split() == ["state", "age"]
    assert text.plain(narrow[1]).split() == ["LIVE"]
