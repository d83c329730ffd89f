"""The terminal: one screen over one replica of the engine.

A task follows the audit stream and folds it; five times a second the screen takes a picture of
the replica and repaints the lines that changed.  The terminal holds no truth and can be ended at
any time; the engine runs on.
"""

import asyncio
from pathlib import Path
from typing import ClassVar, Final

from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widgets import Footer

from polybawt.core.machines.settlement import Settlement
from polybawt.engine.replica import Change, Folded, NotSent, Replica, Unanswered
from polybawt_tui.approve import ApproveDialog, DecideDialog, DeclineDialog
from polybawt_tui.command import Pending
from polybawt_tui.confirm import KillDialog, ResetDialog, resettable
from polybawt_tui.dialogs import Dialog, HelpDialog, SaveDialog
from polybawt_tui.history import History
from polybawt_tui.panels.attention import attention
from polybawt_tui.panels.books import books
from polybawt_tui.panels.events import events as tail
from polybawt_tui.panels.health import breakers, feeds, settlements
from polybawt_tui.panels.money import positions, profit, purse
from polybawt_tui.panels.orders import orders
from polybawt_tui.panels.strip import strip
from polybawt_tui.picture import Picture, active_markets, picture_of, still
from polybawt_tui.plan import NAMES, TWO, plan
from polybawt_tui.theme import THEME
from polybawt_tui.widgets import Compose, Line, Panel

FLUSH_S: Final = 0.2
CONNECT_S_MAX: Final = 30.0
SETTLE_S: Final = 0.5  # for a picture without a terminal: the time of two repaints

COMPOSERS: Final[dict[str, Compose]] = {
    "books": lambda picture, width, height, panel: books(picture, width, height, panel.chosen),
    "orders": lambda picture, width, height, panel: orders(picture, width, height),
    "events": lambda picture, width, height, panel: tail(picture, width, height, panel.back),
    "profit": lambda picture, width, height, panel: profit(picture, width, height),
    "positions": lambda picture, width, height, panel: positions(picture, width, height),
    "feeds": lambda picture, width, height, panel: feeds(picture, width, height),
    "breakers": lambda picture, width, height, panel: breakers(picture, width, height),
    "settlements": lambda picture, width, height, panel: settlements(picture, width, height),
}
PARTING: Final = "The terminal has left; the engine runs on."


class TerminalApp(App[None]):
    """``socket`` is the engine's audit stream, ``actor`` who is named in what it journals."""

    CSS_PATH = "terminal.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (TWO, "-main")]  # noqa: RUF012  as Textual has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("k,exclamation_mark", "kill", "Kill", key_display="k"),
        Binding("R", "reset", "Reset", key_display="R"),
        Binding("a", "approve", "Approve"),
        Binding("d", "decline", "Decline", show=False),
        Binding("o", "decide", "Outcome", show=False),
        Binding("f", "freeze", "Freeze"),
        Binding("z", "zoom", "Zoom"),
        Binding("s", "save", "SVG"),
        Binding("question_mark", "help", "Help", key_display="?"),
        Binding("q", "leave", "Quit"),
    ]

    def __init__(
        self, socket: Path, actor: str, replica: Replica | None = None, parting: str = PARTING
    ) -> None:
        super().__init__()
        self.socket, self.actor, self.parting = socket, actor, parting
        self.replica = replica or Replica()
        self.history = History(self.replica)
        self.pending: Pending | None = None
        self.frozen: Picture | None = None
        self.zoomed = False
        self.panels = {name: Panel(name, COMPOSERS[name]) for name in NAMES}

    def compose(self) -> ComposeResult:
        yield Line(strip, id="strip")
        yield Line(attention, id="attention")
        yield Line(purse, id="purse")
        with Container(id="body"):
            yield from self.panels.values()
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.register_theme(THEME)
        self.theme = THEME.name
        self.panels["books"].focus()
        self.follow()
        self.set_interval(FLUSH_S, self.flush)

    # The stream.

    @work(exclusive=True, group="stream")
    async def follow(self) -> None:
        await self.replica.follow(self.socket, self.take)

    def take(self, change: Change) -> None:
        """One change of the replica: remembered now, painted with the next picture."""
        self.history.take(change)
        if self.pending is not None and isinstance(change, Folded):
            self.pending.hear(change.fact)
            self.pending.note(self.replica.state)

    # Painting.

    def picture(self) -> Picture:
        return picture_of(self.replica, self.history, self.pending, self.socket)

    def flush(self) -> None:
        """Draw everything that is visible from one picture; nothing is, once the app is leaving."""
        if not self.screen_stack:
            return
        picture = self.picture()
        shown = self.frozen or picture
        for screen in self.screen_stack:
            if isinstance(screen, Dialog) and screen.made:  # not one that is being composed
                screen.show(picture)
        base = self.screen_stack[0]
        for line in base.query(Line):
            line.show(self._strip_picture(picture))
        for panel in self.panels.values():
            if panel.display:
                panel.show(shown)

    def _strip_picture(self, picture: Picture) -> Picture:
        """Line 1 and 2 are never frozen; they say that the rest is."""
        if self.frozen is None:
            return picture
        return picture.with_frozen(self.frozen.frozen_ns)

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.arrange)

    def arrange(self) -> None:
        """Put every panel in its place for this size and this focus."""
        size = self.screen_stack[0].query_one("#body", Container).size
        focused = next((n for n, p in self.panels.items() if p.has_focus), "")
        places = plan(size.width, size.height, focused, self.zoomed)
        for name, panel in self.panels.items():
            place = places.get(name)
            panel.display = place is not None
            if place is not None:
                panel.styles.offset = (place.x, place.y)
                panel.styles.width, panel.styles.height = place.width, place.height
        self.call_after_refresh(self.flush)

    # Keys.

    def action_panel(self, step: int) -> None:
        """Move the focus to the next panel; one that has no room gets it."""
        now = next((n for n, p in self.panels.items() if p.has_focus), NAMES[0])
        panel = self.panels[NAMES[(NAMES.index(now) + step) % len(NAMES)]]
        panel.display = True
        panel.focus()
        self.call_after_refresh(self.arrange)

    def on_panel_moved(self, moved: Panel.Moved) -> None:
        panel = moved.panel
        if panel.name == "books":
            panel.chosen = self._next_market(panel.chosen, moved.steps)
        elif panel.name == "events":
            panel.back = min(max(panel.back - moved.steps, 0), len(self.history.entries))
        else:
            panel.back = max(panel.back + moved.steps, 0)
        self.flush()

    def _next_market(self, chosen: str, steps: int) -> str:
        ids = [market.condition_id for market in active_markets(self.replica.state)]
        at = ids.index(chosen) if chosen in ids else 0
        return ids[min(max(at + steps, 0), len(ids) - 1)] if ids else ""

    def action_freeze(self) -> None:
        self.frozen = None if self.frozen else still(self.picture())
        self.flush()

    def action_zoom(self) -> None:
        self.zoomed = not self.zoomed
        self.arrange()

    def action_help(self) -> None:
        self._open(HelpDialog())

    def action_kill(self) -> None:
        self._open(KillDialog(self._kill))

    def action_reset(self) -> None:
        self._open(ResetDialog(self._reset, resettable(self.picture())))

    def action_approve(self) -> None:
        dialog = ApproveDialog(lambda word, reason: self._approve(dialog.shown[word], word, reason))
        self._open(dialog)

    def action_decline(self) -> None:
        self._open(DeclineDialog(self._decline))

    def action_decide(self) -> None:
        dialog = DecideDialog(lambda word, reason: self._decide(dialog.shown[word], reason))
        self._open(dialog)

    def action_save(self) -> None:
        name = f"polybawt-{max(self.replica.seq, 0)}.svg"
        self._open(SaveDialog(str(Path.cwd() / name), self._save))

    def action_leave(self) -> None:
        self.exit(message=self.parting)

    def _open(self, dialog: Dialog) -> None:
        self.push_screen(dialog)
        self.call_after_refresh(self.flush)

    # Acting.

    def _kill(self, _: str, reason: str) -> None:
        self._command("KILL", "kill", reason)
        self.say("KillRequested", reason=reason, source="terminal")

    def _reset(self, breaker: str, reason: str) -> None:
        self._command("RESET", breaker, reason)
        self.say("ResetRequested", breaker=breaker, reason=reason)

    def _approve(self, terms: str, approval_id: str, reason: str) -> None:
        self._command("APPROVE", approval_id, reason)
        self.say("ApproveRequested", approval_id=approval_id, terms=terms, reason=reason)

    def _decline(self, approval_id: str, reason: str) -> None:
        self._command("DECLINE", approval_id, reason)
        self.say("DeclineRequested", approval_id=approval_id, reason=reason)

    def _decide(self, shown: Settlement, reason: str) -> None:
        """The payouts that were shown; should they have changed, nothing is decided."""
        assert shown.yes_payout is not None, shown
        assert shown.no_payout is not None, shown
        self._command("DECIDE", shown.condition_id, reason)
        self.say(
            "DecideRequested",
            condition_id=shown.condition_id,
            yes_payout=shown.yes_payout,
            no_payout=shown.no_payout,
            reason=reason,
        )

    def _command(self, kind: str, breaker: str, reason: str) -> None:
        state = self.replica.state
        self.pending = Pending(
            kind=kind,
            breaker=breaker,
            actor=self.actor,
            reason=reason,
            sent_ns=self.replica.venue_ns(),
            open_ids=frozenset(order.intent_id for order in state.open_orders()),
            posted=state.counters.get("orders", 0),
        )

    @work(group="command")
    async def say(self, kind: str, **fields: str | int) -> None:
        """Send one command and keep what was answered; what came of it the facts will tell."""
        pending = self.pending
        assert pending is not None, kind
        try:
            refused = await self.replica.send(kind, actor=self.actor, **fields)
        except NotSent as why:
            pending.answer = f"not sent: {why}"
        except Unanswered:
            pending.answer = "lost"
        else:
            pending.answer = refused or "accepted"
        self.flush()

    def _save(self, name: str) -> None:
        path = Path(name).expanduser()
        try:
            path.write_text(self.export_screenshot(title="PolyBawt"), encoding="utf-8")
        except OSError as wrong:
            self.notify(f"not saved: {wrong}", severity="error", markup=False)
        else:
            self.notify(f"saved {path}", markup=False)


def run(path: Path, actor: str) -> int:
    """The terminal, until the operator leaves it."""
    app = TerminalApp(path, actor)
    app.run()
    return app.return_code or 0


async def screenshot(path: Path, *, size: tuple[int, int], after_s: float, actor: str = "") -> str:
    """An SVG of the terminal as it looks ``after_s`` seconds after it connected, without one."""
    app = TerminalApp(path, actor)
    async with app.run_test(size=size) as pilot:
        async with asyncio.timeout(CONNECT_S_MAX):
            while not app.replica.connected:
                await pilot.pause(FLUSH_S)
        await pilot.pause(after_s)
        await pilot.pause(SETTLE_S)
        return app.export_screenshot(title="PolyBawt")
