"""Every size of terminal has a plan: nothing overlaps, and the focus is always on the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt_tui.plan import NAMES, plan

SIZES = st.tuples(st.integers(40, 260), st.integers(7, 100))


@given(SIZES, st.sampled_from(NAMES))
def test_panels_never_overlap_nor_leave_the_screen(size: tuple[int, int], focused: str) -> None:
    """A panel that hides another hides facts."""
    width, height = size
    cells: set[tuple[int, int]] = set()
    for place in plan(width, height, focused).values():
        own = {(place.x + x, place.y + y) for x in range(place.width) for y in range(place.height)}
        assert not own & cells
        cells |= own

    assert all(0 <= x < width and 0 <= y < height for x, y in cells)


@given(SIZES, st.sampled_from(NAMES))
def test_the_panel_with_the_focus_is_always_shown(size: tuple[int, int], focused: str) -> None:
    """Tab reaches every panel, also where it had no room before."""
    assert focused in plan(*size, focused)


def test_the_main_layout_shows_every_panel() -> None:
    """120x40 less the strip, the attention line and the footer."""
    assert set(plan(120, 37, "books")) == set(NAMES)


def test_a_small_terminal_shows_what_matters_most() -> None:
    """80x24 less four lines."""
    assert set(plan(80, 20, "books")) == {"books", "orders", "positions", "events"}


@pytest.mark.parametrize(("width", "columns"), [(80, 1), (120, 2), (200, 3)])
def test_a_broader_terminal_has_more_columns(width: int, columns: int) -> None:
    """Space is used, not stretched."""
    assert len({place.x for place in plan(width, 50, "books").values()}) == columns


def test_a_zoomed_panel_has_the_whole_screen() -> None:
    """One thing to look at."""
    places = plan(120, 37, "orders", zoomed=True)

    assert list(places) == ["orders"]
    assert (places["orders"].width, places["orders"].height) == (120, 37)
