"""Text for cells of a terminal: spans, rows, numbers, ages, bars and lines of dots.

A row is a tuple of ``(text, role)``; a role is a name from ``theme``.  Nothing here knows markup:
what the venue wrote is shown letter by letter, and letters that do not print, or that would turn
the line around, are shown as a dot.  Rounding here is for the eye and reaches no amount.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from attrs import frozen
from rich.cells import cell_len, set_cell_size

from polybawt.core.units import MILLION, SECOND_NS, micro_text

Span = tuple[str, str]
Row = tuple[Span, ...]

EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
DAY_S: Final = 86_400


def printable(text: str) -> str:
    """What may go to a terminal: no control, no direction change, no invisible letter."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def fit(text: str, width: int, align: str = "<") -> str:
    """Exactly ``width`` cells; what is too long ends in an ellipsis."""
    width = max(width, 0)
    length = cell_len(text)
    if length > width:
        return set_cell_size(set_cell_size(text, width - 1) + "…", width) if width else ""
    if align == ">":
        return " " * (width - length) + text
    return set_cell_size(text, width)


def fit_row(row: Row, width: int) -> Row:
    """The row as exactly ``width`` cells."""
    out: list[Span] = []
    left = width
    for text, role in row:
        length = cell_len(text)
        if length >= left:
            out.append((fit(text, left), role))
            return tuple(out)
        out.append((text, role))
        left -= length
    return (*out, (" " * left, ""))


def plain(row: Row) -> str:
    return "".join(text for text, _ in row)


@frozen
class Column:
    """One column of a table. The highest ``rank`` leaves first when the width is short."""

    title: str
    width: int
    align: str = "<"
    rank: int = 0
    grows: bool = False


def table(columns: Sequence[Column], lines: Iterable[Sequence[Span]], width: int) -> list[Row]:
    """A heading and its lines, in the columns that fit; spare width goes to those that grow."""
    kept = list(range(len(columns)))
    while len(kept) > 1 and sum(columns[i].width + 1 for i in kept) - 1 > width:
        worst = max(kept, key=lambda i: columns[i].rank)
        if columns[worst].rank == 0:
            break
        kept.remove(worst)
    spare = max(0, width - sum(columns[i].width + 1 for i in kept) + 1)
    growing = [i for i in kept if columns[i].grows]
    widths = {i: columns[i].width for i in kept}
    if growing:
        widths[growing[0]] += spare
    rows = [tuple(_cell(columns[i], widths[i], (columns[i].title, "faint")) for i in kept)]
    rows += [tuple(_cell(columns[i], widths[i], line[i]) for i in kept) for line in lines]
    return [_spaced(row) for row in rows]


def _cell(column: Column, width: int, span: Span) -> Span:
    return fit(span[0], width, column.align), span[1]


def _spaced(cells: tuple[Span, ...]) -> Row:
    return tuple(part for cell in cells for part in (cell, (" ", "")))[:-1]


# Numbers.


def money(micro: int, *, sign: bool = False, places: int = 2) -> str:
    """Dollars, rounded half away from zero for the eye: 3,140,000 is ``3.14``."""
    unit = int(10 ** (6 - places))
    cents = (abs(micro) + unit // 2) // unit
    whole, part = divmod(cents, 10**places)
    mark = "-" if micro < 0 and cents else "+" if sign and cents else ""
    return f"{mark}{whole:,}.{part:0{places}d}"


def price(micro: int | None) -> str:
    """At least two decimals, as many more as the price has; a dash for none."""
    if micro is None:
        return "-"
    whole, _, part = micro_text(micro).partition(".")
    return f"{whole}.{part.ljust(2, '0')}"


def shares(micro: int) -> str:
    """Two decimals below a thousand, none above, thousands of thousands as ``k``."""
    if abs(micro) < 1_000 * MILLION:
        return money(micro)
    whole = micro // MILLION
    return f"{whole:,}" if abs(whole) < 100_000 else f"{whole // 1_000:,}k"


def reference(value_e18: int) -> str:
    """An oracle's price with decimals that suit its size; a question mark for none."""
    if not value_e18:
        return "?"
    places = 2 if abs(value_e18) >= 100 * 10**18 else 4 if abs(value_e18) >= 10**18 else 6
    unit = 10 ** (18 - places)
    whole, part = divmod((abs(value_e18) + unit // 2) // unit, 10**places)
    return f"{'-' if value_e18 < 0 else ''}{whole:,}.{part:0{places}d}"


# Times.


def age(ns: int) -> str:
    """``0.2s``, ``12s``, ``3m38s``, ``2h05m``, ``3d``: at most five cells up to a hundred hours."""
    ns = max(ns, 0)
    if ns < 10 * SECOND_NS:
        return f"{ns // (SECOND_NS // 10) / 10:.1f}s"
    seconds = ns // SECOND_NS
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3_600:
        return f"{seconds // 60}m{seconds % 60:02d}s"
    if seconds < DAY_S:
        return f"{seconds // 3_600}h{seconds % 3_600 // 60:02d}m"
    return f"{seconds // DAY_S}d"


def utc(ns: int) -> str:
    """Time of day, UTC."""
    seconds = ns // SECOND_NS % DAY_S
    return f"{seconds // 3_600:02d}:{seconds % 3_600 // 60:02d}:{seconds % 60:02d}"


# Pictures.


def bar(part: int, whole: int, width: int) -> tuple[str, str]:
    """The filled and the empty cells of a bar, in eighths; what is above the whole is full."""
    eighths = 0 if whole <= 0 else min(max(part, 0) * width * 8 // whole, width * 8)
    eighths = 1 if part > 0 and eighths == 0 else eighths
    full, rest = divmod(eighths, 8)
    filled = "█" * full + (EIGHTHS[rest] if rest else "")
    return filled, "░" * (width - len(filled))


def bar_left(part: int, whole: int, width: int) -> str:
    """A bar that grows from the right to the left, in whole cells (blocks have no right part)."""
    cells = 0 if whole <= 0 else min(-(-max(part, 0) * width // whole), width)
    return " " * (width - cells) + "█" * cells


def braille(values: Sequence[int], width: int, height: int) -> list[str]:
    """A line of dots through ``values``, newest right: ``height`` rows of ``width`` cells."""
    columns, dots = width * 2, height * 4
    points = _resampled(values, columns)
    if not points:
        return [" " * width] * height
    low, high = min(points), max(points)
    spread = max(high - low, 1)
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for x, value in enumerate(points, start=columns - len(points)):
        y = dots // 2 if high == low else (value - low) * (dots - 1) // spread
        first = y if before is None else before
        for dot in range(min(first, y), max(first, y) + 1):
            row, bit = height - 1 - dot // 4, 3 - dot % 4
            cells[row][x // 2] |= _DOTS[x % 2][bit]
        before = y
    return ["".join(chr(0x2800 + cell) if cell else " " for cell in row) for row in cells]


_DOTS: Final = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # top to bottom


def _resampled(values: Sequence[int], columns: int) -> list[int]:
    """At most ``columns`` values, each the last of its share: the newest is always there."""
    count = len(values)
    if count <= columns:
        return list(values)
    return [values[(x + 1) * count // columns - 1] for x in range(columns)]
