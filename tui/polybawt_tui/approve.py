"""The dialogs in which an operator decides for the engine: a proposed trade, a disputed outcome.

Each lists what waits, in the engine's own words and with the time that is left, and asks for the
id of the one that is meant and a reason.  What is sent is what was shown: should it have changed,
the engine does nothing and says so.
"""

from typing import Final

from polybawt.core.approvals import WAITING
from polybawt.core.machines.approval import Approval
from polybawt.core.machines.settlement import Settlement
from polybawt.core.state import State
from polybawt_tui.confirm import REASON_MIN, RESET_REASON_MIN, Confirm, Send
from polybawt_tui.names import market_text
from polybawt_tui.panels.attention import stage_row
from polybawt_tui.picture import Picture
from polybawt_tui.text import Row, age, fit, money, printable

LISTED_MAX: Final = 4


def waiting(state: State) -> list[Approval]:
    """What a human is asked now, the one with the least time left first."""
    asked = (known for known in state.approvals.values() if known.state in WAITING)
    return sorted(asked, key=lambda known: known.expires_ns)


def disputed(state: State) -> dict[str, Settlement]:
    """Outcomes that only an operator can decide, by the short name that is typed."""
    found = [s for s in state.settlements.values() if s.state == "conflicting"]
    return {f"m{number}": settlement for number, settlement in enumerate(found, start=1)}


class ApproveDialog(Confirm):
    """Yes to one proposed trade, on the terms that stand here."""

    LINES = 3 + 2 * LISTED_MAX
    TITLE, VERB = "APPROVE A TRADE", "ordered at once, if every limit still allows it"

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.shown: dict[str, str] = {}  # the terms of each, as they were read

    def placeholder(self) -> str:
        return "type the id of the trade"

    def wrong(self, word: str, reason: str) -> str:
        if word not in self.shown:
            return f"the id is one of: {', '.join(self.shown) or 'none, nothing waits'}"
        return "" if len(reason) >= REASON_MIN else "say why"

    def rows(self, picture: Picture, width: int) -> list[Row]:
        head: Row = ((fit(f" {self.TITLE}", width), "focus"),)
        if not picture.connected:
            return [head, (), ((" There is no link: nothing can be sent.", "bad text"),)]
        if self.sent:
            return [head, (), ((" ", ""), *stage_row(picture)), ((f" {self.VERB}", "muted"),)]
        asked = waiting(picture.state)
        self.shown = {known.approval_id: known.terms for known in asked}
        rows = [head, ()]
        for known in asked[:LISTED_MAX]:
            what, _, rest = known.terms.partition(" | ")
            question, strategy, _ = rest.rsplit(" | ", 2)
            left = age(max(known.expires_ns - picture.now_ns, 0))
            rows += [
                (
                    (f" {fit(known.approval_id, 6)}", "strong"),
                    (f"{fit(left, 8)}left  ", "warn"),
                    (printable(what), "strong"),
                    (f", {printable(strategy)}", "muted"),
                ),
                ((fit(f"         {printable(question)}", width), ""),),
            ]
        if asked[LISTED_MAX:]:
            rows.append(((f" and {len(asked) - LISTED_MAX} more", "muted"),))
        return rows if asked else [*rows, ((" Nothing waits for an approval.", ""),)]


class DeclineDialog(ApproveDialog):
    """No to one of them, for a while."""

    TITLE, VERB = "DECLINE A TRADE", "not asked again for a while"


class DecideDialog(Confirm):
    """The payouts of a market whose outcome is in conflict are accepted as they are published."""

    LINES = 3 + 2 * LISTED_MAX

    def __init__(self, send: Send) -> None:
        super().__init__(send)
        self.shown: dict[str, Settlement] = {}

    def placeholder(self) -> str:
        return "type the short name of the market"

    def wrong(self, word: str, reason: str) -> str:
        if word not in self.shown:
            return f"the name is one of: {', '.join(self.shown) or 'none, nothing is in conflict'}"
        if self.shown[word].yes_payout is None:
            return "the venue has published no payouts of it yet"
        short = len(reason) < RESET_REASON_MIN
        return f"a reason of {RESET_REASON_MIN} letters or more" if short else ""

    def rows(self, picture: Picture, width: int) -> list[Row]:
        head: Row = ((fit(" DECIDE AN OUTCOME", width), "focus"),)
        if not picture.connected:
            return [head, (), ((" There is no link: nothing can be sent.", "bad text"),)]
        if self.sent:
            return [head, (), ((" ", ""), *stage_row(picture))]
        self.shown = self.shown or disputed(picture.state)  # names stay while it is open
        rows = [head, ()]
        for name, settlement in list(self.shown.items())[:LISTED_MAX]:
            condition = settlement.condition_id
            label = market_text(picture.state.markets.get(condition), condition)
            rows += [
                ((f" {fit(name, 6)}", "strong"), (printable(label), "strong")),
                ((f"       {_payouts(settlement)}; we saw ", ""),
                 (printable(settlement.observed) or "nothing", "warn")),
            ]  # fmt: skip
        if not self.shown:
            return [*rows, ((" No outcome is in conflict.", ""),)]
        return [*rows, ((" What is held is paid so, and cannot be taken back.", "warn"),)]


def _payouts(settlement: Settlement) -> str:
    if settlement.yes_payout is None or settlement.no_payout is None:
        return "no payouts are published"
    yes, no = money(settlement.yes_payout), money(settlement.no_payout)
    return f"published: yes pays {yes}, no pays {no}"
