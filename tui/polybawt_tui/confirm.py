"""The two dialogs that can change the engine: the kill, and the reset of a breaker.

Each says what will happen, in numbers that stay live while it is open, and asks for a typed word
and a reason.  What happened after Enter is read from the replica, stage by stage.  Getting safer
is quick, getting riskier asks for more.
"""

from collections.abc import Callable
from typing import Final

from textual.app import ComposeResult
from textual.widgets import Input

from polybawt.core.kill import NAME as KILL
from polybawt.core.machines.order import ENDED, OrderMachine
from polybawt.core.machines.order import Cancel as CancelAction
from polybawt_tui.dialogs import Dialog
from polybawt_tui.panels.attention import stage_row
from polybawt_tui.picture import Picture
from polybawt_tui.text import Row, Span, age, fit, money, printable, utc
from polybawt_tui.theme import BREAKERS

WORD: Final = "KILL"
REASON_MIN: Final = 3
RESET_REASON_MIN: Final = 12

Send = Callable[[str, str], None]
"""Called with the breaker's name and the reason once the dialog is satisfied."""


class Confirm(Dialog):
    """A typed word and a reason, then the stages of what was sent."""

    def __init__(self, send: Send) -> None:
        super().__init__()
        self._send = send
        self.sent = False
        self.complaint = self.barred = ""

    def show(self, picture: Picture) -> None:
        self.barred = self.bar(picture)
        super().show(picture)

    def bar(self, picture: Picture) -> str:
        """Why nothing can be sent now, "" when it can."""
        return "" if picture.connected else "there is no link: nothing was sent"

    def fields(self) -> ComposeResult:
        yield Input(placeholder=self.placeholder(), id="word", select_on_focus=False)
        yield Input(placeholder="reason, kept in the journal", id="reason", select_on_focus=False)

    def placeholder(self) -> str:
        raise NotImplementedError

    def on_mount(self) -> None:
        self.query_one("#word", Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in either field: send when both are as they must be."""
        event.stop()
        word = self.query_one("#word", Input).value.strip()
        reason = self.query_one("#reason", Input).value.strip()
        self.complaint = self.barred or self.wrong(word, reason)
        if self.complaint:
            empty = event.input.id == "word" and word and not reason
            self.query_one("#reason" if empty else f"#{event.input.id}", Input).focus()
        elif not self.sent:
            self.sent = True
            for field in self.query(Input):
                field.disabled = True
            self.set_focus(None)
            self._send(word, reason)

    def wrong(self, word: str, reason: str) -> str:
        raise NotImplementedError

    def keys(self, picture: Picture) -> Row:
        if self.sent:
            return (
                ("Esc", "strong"), (" close; the strip goes on showing the progress", "muted"),
            )  # fmt: skip
        keys: Row = (
            ("Tab", "strong"), (" other field  ", "muted"), ("Enter", "strong"),
            (" send  ", "muted"), ("Esc", "strong"), (" leave: nothing was sent  ", "muted"),
        )  # fmt: skip
        if self.complaint:
            return (
                (self.complaint, "warn"),
                ("  Esc", "strong"),
                (" leave: nothing sent", "muted"),
            )
        return keys


class KillDialog(Confirm):
    """No new order leaves any more; what rests is withdrawn."""

    def placeholder(self) -> str:
        return f"type {WORD}"

    def bar(self, picture: Picture) -> str:
        killed = picture.connected and picture.state.killed()
        return "it is killed already: nothing was sent" if killed else super().bar(picture)

    def wrong(self, word: str, reason: str) -> str:
        if word != WORD:
            return f"the word is {WORD}"
        return "" if len(reason) >= REASON_MIN else "say why"

    def rows(self, picture: Picture, width: int) -> list[Row]:
        head: Row = ((fit(" KILL SWITCH", width), "alarm"),)
        if not picture.connected:
            file = printable(str(picture.socket.parent / "KILL"))
            return [
                head,
                (),
                ((" There is no link: nothing can be sent from here.", "bad text"),),
                ((" The engine watches for a file and obeys it without this screen:", ""),),
                ((f"   touch {file}", "strong"),),
                ((" A signal (SIGTERM) stops it and withdraws its orders.", "muted"),),
            ]
        if self.sent:
            return [head, (), *self._progress(picture)]
        killed = picture.state.killed()
        if killed:
            since = utc(picture.state.kill.since_ns)
            return [
                head,
                (),
                ((f" Already killed at {since}: {printable(killed)}", "bad text"),),
                ((" The first reason stands; a second request changes nothing.", ""),),
            ]
        return [head, *self._effects(picture)]

    def _effects(self, picture: Picture) -> list[Row]:
        state = picture.state
        open_ = [order for order in state.orders.values() if order.state not in ENDED]
        asked = [
            order
            for order in open_
            if OrderMachine.allows(order, CancelAction(intent_id=order.intent_id))
        ]
        markets = len({order.condition_id for order in open_})
        unknown = sum(1 for order in open_ if order.state == "unknown")
        waiting = len(open_) - len(asked)
        held = [p for p in state.positions.values() if p.shares]
        cost = money(sum(position.cost for position in held))
        return [
            (),
            ((" cancels   ", "muted"), (f"{len(open_)} open orders", "strong"),
             (f" in {markets} markets: {len(asked)} by their id, then all at once", "")),
            (("           ", ""), (f"? {unknown} UNKNOWN", "unknown" if unknown else "muted"),
             (" among them: proven only when their record was read", "muted")),
            (("           ", ""),
             (f"{waiting} that cannot be cancelled by id yet", "warn" if waiting else "muted"),
             (" (unanswered, or ending)", "muted")),
            ((" latches   ", "muted"), ("no new order leaves", "strong"),
             (" until an operator resets it, with a reason", "")),
            ((" leaves    ", "muted"), (f"{len(held)} positions", "strong"),
             (f" that cost {cost}: nothing is sold", "")),
            ((" goes on   ", "muted"), ("the engine", "strong"),
             (": it books late fills and settles what is held", "")),
            (),
        ]  # fmt: skip

    def _progress(self, picture: Picture) -> list[Row]:
        pending, state = picture.pending, picture.state
        if pending is None:
            return []
        total, ended = len(pending.open_ids), pending.ended(state)
        left = sum(1 for _ in state.open_orders())
        after = pending.sent_since(state)
        return [
            ((" ", ""), *stage_row(picture)),
            (),
            ((" orders    ", "muted"), (f"{ended} of {total} ended", "strong"),
             (f", {left} still open by the engine's own records", "" if left == 0 else "warn")),
            ((" new since ", "muted"), (f"{after}", "strong" if after == 0 else "bad text"),
             (" orders left the engine", "")),
            ((" VERIFIED  ", "muted"), ("means: it is latched, and no order of ours is open", "")),
            (),
            ((f" “{printable(pending.reason)}” by {printable(pending.actor)}", "muted"),),
        ]  # fmt: skip


class ResetDialog(Confirm):
    """A breaker is closed again by hand: riskier than now, so its name and a longer reason."""

    def placeholder(self) -> str:
        return "type the breaker's name"

    def wrong(self, word: str, reason: str) -> str:
        if word not in self._names:
            return f"the name is one of: {', '.join(self._names) or 'none can be reset'}"
        short = len(reason) < RESET_REASON_MIN
        return f"a reason of {RESET_REASON_MIN} letters or more" if short else ""

    def __init__(self, send: Send, names: list[str]) -> None:
        super().__init__(send)
        self._names = names

    def rows(self, picture: Picture, width: int) -> list[Row]:
        state = picture.state
        head: Row = ((fit(" RESET A BREAKER", width), "focus"),)
        if self.sent:
            pending = picture.pending
            reason = printable(pending.reason) if pending else ""
            return [head, (), ((" ", ""), *stage_row(picture)), (), ((f" “{reason}”", "muted"),)]
        if not picture.connected:
            return [head, (), ((" There is no link: nothing can be sent.", "bad text"),)]
        self._names = resettable(picture)
        rows: list[Row] = [head, ()]
        for name in self._names:
            tripped = state.kill if name == KILL else state.breakers[name]
            glyph, word, role = BREAKERS[tripped.state]
            since: Span = (f"  {age(picture.now_ns - tripped.since_ns)}  ", "muted")
            why = printable(state.killed() if name == KILL else tripped.reason)
            rows.append(
                ((f" {fit(name, 10)}", "strong"), (f"{glyph} {word}", role), since, (why, ""))
            )
        if not self._names:
            return [*rows, ((" Every breaker is closed: there is nothing to reset.", ""),)]
        rows += [(), ((" After a reset the engine trades again. ", "warn"),), self._checks(picture)]
        return rows

    def _checks(self, picture: Picture) -> Row:
        """What a careful operator looks at first."""
        state = picture.state
        unknown = sum(1 for order in state.orders.values() if order.state == "unknown")
        left = sum(1 for _ in state.open_orders())
        return (
            (f" Now: phase {state.phase}, {left} orders open, ", ""),
            (f"{unknown} UNKNOWN", "unknown" if unknown else ""),
        )


def resettable(picture: Picture) -> list[str]:
    """The kill when it is not armed, and the breakers that are not closed."""
    names = sorted(b.name for b in picture.state.breakers.values() if b.state != "closed")
    return [KILL, *names] if picture.state.killed() else names
