"""Widgets that draw rows by the line, and repaint only the lines that changed.

The stock table repaints all of itself for one cell; at five repaints a second that is most of a
core.  These compare the new rows with the old and mark the lines that differ.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from polybawt_tui.picture import Picture, Sheet
from polybawt_tui.text import Row, age, fit_row, plain
from polybawt_tui.theme import PAST, STYLES

Draw = Callable[[Picture, int, int], Row]
Compose = Callable[[Picture, int, int, "Panel"], Sheet]

TITLES: Final = {
    "books": "Books",
    "orders": "Orders",
    "events": "Events",
    "profit": "Profit and limits",
    "positions": "Positions",
    "feeds": "Feeds",
    "breakers": "Breakers",
    "settlements": "Settling",
}


class Lines(Widget):
    """Rows of exactly the widget's width."""

    def __init__(self, *, name: str = "", id: str | None = None, classes: str = "") -> None:
        super().__init__(name=name, id=id, classes=classes)
        self.drawn: list[Row] = []
        self._past = False

    def lay(self, rows: Sequence[Row], past: bool = False) -> None:
        """Show these rows, repainting those that differ; ``past`` takes their colours away."""
        width, height = self.size
        fitted = [fit_row(row, width) for row in rows[:height]]
        fitted += [((" " * width, ""),)] * (height - len(fitted))
        if past != self._past or len(fitted) != len(self.drawn):
            self._past, self.drawn = past, fitted
            self.refresh()
            return
        for y, (before, after) in enumerate(zip(self.drawn, fitted, strict=True)):
            if before != after:
                self.refresh(Region(0, y, width, 1))
        self.drawn = fitted

    def render_line(self, y: int) -> Strip:
        if y >= len(self.drawn):
            return Strip.blank(self.size.width, self.visual_style.rich_style)
        styles = PAST if self._past else STYLES
        ground = self.visual_style.rich_style
        segments = [Segment(text, ground + styles[role]) for text, role in self.drawn[y]]
        return Strip(segments).adjust_cell_length(self.size.width, ground)

    @property
    def plain(self) -> str:
        return "\n".join(plain(row) for row in self.drawn)


class Line(Lines):
    """One line that draws itself from the picture, and keeps its colours when the link is gone."""

    DEFAULT_CSS = "Line { height: 1; width: 100%; }"

    def __init__(self, draw: Callable[[Picture, int], Row], *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._draw = draw

    def show(self, picture: Picture) -> None:
        if self.size.width:
            self.lay([self._draw(picture, self.size.width)])


class Panel(Lines, can_focus=True):
    """A heading and a body that scrolls. ``back`` is how far it is scrolled; ``chosen`` a key."""

    DEFAULT_CSS = "Panel { position: absolute; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.panel(1)", "Panel"),
        Binding("shift+tab", "app.panel(-1)", "Back", show=False),
        Binding("up", "scroll(-1)", "Up", show=False),
        Binding("down", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
        Binding("pagedown", "scroll(10)", "Page down", show=False),
        Binding("home", "scroll(-100000)", "First", show=False),
        Binding("end", "scroll(100000)", "Last", show=False),
    ]

    class Moved(Message):
        """The operator moved in this panel; the app draws it anew, or moves its choice."""

        def __init__(self, panel: "Panel", steps: int) -> None:
            super().__init__()
            self.panel, self.steps = panel, steps

    def __init__(self, name: str, compose: Compose) -> None:
        super().__init__(name=name, id=name)
        self._compose_rows = compose
        self.back = 0
        self.chosen = ""
        self.count = 0

    def show(self, picture: Picture) -> None:
        width, height = self.size
        if not width or not height:
            return
        sheet = self._compose_rows(picture, width, height - 1, self)
        rows = list(sheet.rows)
        self.count = len(rows)
        head, body = rows[:1], rows[1:]
        room = height - 2
        note = sheet.note
        if len(body) > room > 0:
            self.back = min(max(self.back, 0), len(body) - room)
            body = body[self.back : self.back + room]
            seen = f"  {self.back + 1}-{self.back + room} of {self.count - 1}"
            note = (*note, (seen, "faint"))
        elif self.name != "events":
            self.back = 0
        past = picture.synced and not picture.connected
        if past:
            note = ((f"{age(picture.silent_ns)} old  ", ""), *note)
        self.lay([self._heading(width, note), *head, *body], past)

    def _heading(self, width: int, note: Row) -> Row:
        title = f" {TITLES[self.name or '']} "
        length = sum(len(text) for text, _ in note)
        ruled = max(width - len(title) - 2 - (length + 2 if length else 0), 1)
        out: Row = (
            ("━━" if self.has_focus else "──", "title" if self.has_focus else "rule"),
            (title, "focus" if self.has_focus else "title"),
            ("─" * ruled, "rule"),
        )
        return (*out, (" ", ""), *note, (" ", "")) if length else out

    def action_scroll(self, steps: int) -> None:
        self.post_message(self.Moved(self, steps))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll(-1)
