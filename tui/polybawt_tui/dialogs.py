"""A box over the screen, and the two of them that change nothing: the picture and the help.

The truth strip stays on top of every dialog, live.  Escape always leaves.
"""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from polybawt_tui.panels.attention import attention
from polybawt_tui.panels.strip import strip
from polybawt_tui.picture import Picture
from polybawt_tui.text import Row, fit
from polybawt_tui.widgets import Line, Lines


class Dialog(ModalScreen[None]):
    """The strip stays on top; below it a box of live rows and, where one is needed, inputs."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]
    LINES: ClassVar[int] = 9

    def compose(self) -> ComposeResult:
        yield Line(strip, id="strip")
        yield Line(attention, id="attention")
        with Vertical(id="box"):
            rows = Lines(id="rows")
            rows.styles.height = self.LINES
            yield rows
            yield from self.fields()
            yield Lines(id="keys")

    def fields(self) -> ComposeResult:
        return iter(())

    @property
    def made(self) -> bool:
        """Whether it has its rows yet: the repaint timer does not wait for that."""
        return bool(self.query("#keys"))

    def show(self, picture: Picture) -> None:
        for line in self.query(Line):
            line.show(picture)
        rows = self.query_one("#rows", Lines)
        rows.lay(self.rows(picture, rows.size.width))
        self.query_one("#keys", Lines).lay([self.keys(picture)])

    def rows(self, picture: Picture, width: int) -> list[Row]:
        raise NotImplementedError

    def keys(self, picture: Picture) -> Row:
        return (("Esc", "strong"), (" back", "muted"))

    def action_leave(self) -> None:
        self.dismiss()


class SaveDialog(Dialog):
    """Where the picture of the screen goes."""

    LINES: ClassVar[int] = 3

    def __init__(self, path: str, save: Callable[[str], None]) -> None:
        super().__init__()
        self._path, self._save = path, save

    def fields(self) -> ComposeResult:
        yield Input(self._path, id="path", select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss()
        self._save(event.value.strip())

    def rows(self, picture: Picture, width: int) -> list[Row]:
        return [((fit(" SAVE THE SCREEN AS SVG", width), "focus"),), (), ((" to the file", ""),)]

    def keys(self, picture: Picture) -> Row:
        return (("Enter", "strong"), (" save  ", "muted"), ("Esc", "strong"), (" back", "muted"))


class HelpDialog(Dialog):
    """Every key, every glyph, and the one rule behind them."""

    LINES: ClassVar[int] = 19

    def rows(self, picture: Picture, width: int) -> list[Row]:
        keys = (
            ("k  !", "kill: cancel everything, send nothing more; asks for a word"),
            ("R", "reset a breaker; asks for its name and a reason"),
            ("a  d", "approve or decline a proposed trade; asks for its id and a reason"),
            ("o", "accept the payouts of an outcome in conflict; asks for a reason"),
            ("f", "freeze the panels; the engine and line 1 go on"),
            ("Tab", "next panel, also one that had no room; Shift+Tab back"),
            ("z", "the panel with the focus alone on the screen, and back"),
            ("↑ ↓", "scroll; in Books: the market whose ladder is shown"),
            ("s", "save the screen as an SVG file"),
            ("q", "leave; the engine runs on"),
        )
        rows: list[Row] = [((fit(" HELP", width), "focus"),), ()]
        rows += [((fit(f" {key}", 8), "strong"), (words, "")) for key, words in keys]
        rows += [
            (),
            ((" ● ", "ok"), ("as it should be   ", ""), ("◐", "warn"), (" late, between   ", ""),
             (" ✖ ", "bad"), (" down   ", ""), (" ? ", "unknown"), (" not known", "")),
            ((" ◆ ", "own"), ("our own order     ", ""), ("~", "warn"),
             (" a mark from a book that is not fresh", "")),
        ]  # fmt: skip
        rows += [
            ((" blue", "up"), (" bid, up, profit   ", ""), ("orange", "down"),
             (" ask, down, loss   grey is calm", "")),
            (),
            ((" A replica: it folds the engine's journal and holds no truth.", "muted"),),
            ((" Grey all over: the link is gone and what you see is the past.", "muted"),),
        ]  # fmt: skip
        return rows
