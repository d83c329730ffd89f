"""Where each panel stands, for any size of the terminal: a pure function.

Under 100 columns there is one column of panels, up to 160 two, above that three.  A column takes
as many panels as have room, in order of what matters most, and the one that has the focus in any
case; spare lines go to those that can use them.
"""

from typing import Final

from attrs import frozen

TOP: Final = 2  # truth strip and attention line
GUTTER: Final = 2
WIDE: Final = 160
TWO: Final = 100


@frozen
class Slot:
    """``least`` lines with the heading, ``most`` that are of use, ``weight`` for spare lines."""

    name: str
    least: int
    most: int
    weight: int


@frozen
class Place:
    x: int
    y: int
    width: int
    height: int


BOOKS: Final = Slot("books", 7, 34, 4)
ORDERS: Final = Slot("orders", 5, 60, 3)
EVENTS: Final = Slot("events", 4, 60, 3)
PROFIT: Final = Slot("profit", 6, 12, 2)
POSITIONS: Final = Slot("positions", 4, 20, 2)
FEEDS: Final = Slot("feeds", 6, 16, 2)
BREAKERS: Final = Slot("breakers", 4, 8, 1)
SETTLEMENTS: Final = Slot("settlements", 4, 24, 1)

NAMES: Final = (
    "books", "orders", "events", "profit", "positions", "feeds", "breakers", "settlements",
)  # fmt: skip
"""In the order of the Tab key."""

ONE: Final = ((BOOKS, ORDERS, POSITIONS, EVENTS, PROFIT, FEEDS, BREAKERS, SETTLEMENTS),)
PAIR: Final = (
    (BOOKS, ORDERS, EVENTS),
    (PROFIT, POSITIONS, FEEDS, BREAKERS, SETTLEMENTS),
)
TRIPLE: Final = (
    (BOOKS, ORDERS),
    (PROFIT, POSITIONS, EVENTS),
    (FEEDS, BREAKERS, SETTLEMENTS),
)


def plan(width: int, height: int, focused: str, zoomed: bool = False) -> dict[str, Place]:
    """Places inside a body of ``width`` by ``height``; a panel without one is not shown."""
    if zoomed and focused:
        return {focused: Place(0, 0, width, height)}
    columns = TRIPLE if width >= WIDE else PAIR if width >= TWO else ONE
    places: dict[str, Place] = {}
    x = 0
    for column, share in zip(columns, _widths(width, len(columns)), strict=True):
        y = 0
        for slot, lines in _stack(column, height, focused):
            places[slot.name] = Place(x, y, share, lines)
            y += lines
        x += share + GUTTER
    return places


def _widths(width: int, count: int) -> tuple[int, ...]:
    """The first column is the broadest."""
    if count == 1:
        return (width,)
    room = width - GUTTER * (count - 1)
    if count == 2:
        right = min(max(room * 38 // 100, 48), 62)
        return (room - right, right)
    middle, right = min(room * 32 // 100, 74), min(max(room * 25 // 100, 48), 60)
    return (room - middle - right, middle, right)


def _stack(column: tuple[Slot, ...], height: int, focused: str) -> list[tuple[Slot, int]]:
    """The panels of one column that have room, from top to bottom, and their lines."""
    wanted = sorted(column, key=lambda slot: slot.name != focused)  # the focused one first
    chosen: list[Slot] = []
    left = height
    for slot in wanted:
        if slot.least <= left:
            chosen.append(slot)
            left -= slot.least
    lines = {slot.name: slot.least for slot in chosen}
    while left and chosen:
        hungry = [slot for slot in chosen if lines[slot.name] < slot.most] or chosen
        poorest = min(hungry, key=lambda slot: (lines[slot.name] - slot.least) / slot.weight)
        lines[poorest.name] += 1
        left -= 1
    return [(slot, lines[slot.name]) for slot in column if slot in chosen]
