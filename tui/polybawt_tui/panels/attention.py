"""Line 2: the gravest thing that is not as it should be, and how many more there are.

It also carries the stages of an operator's command, so that they stay in sight when the dialog
is gone, and the way to kill an engine that this screen has lost.
"""

from typing import Final

from polybawt.core.approvals import WAITING
from polybawt.core.machines.approval import Approval
from polybawt.core.units import SECOND_NS
from polybawt_tui.names import market_text
from polybawt_tui.picture import (
    SILENT_NS,
    Picture,
    feed_text,
    ranked_orders,
    since_ns,
    unknown_orders,
    worst_feed,
)
from polybawt_tui.text import Row, Span, age, fit_row, printable, utc
from polybawt_tui.theme import FEEDS

WITHOUT: Final = {
    "market": "no book is known",
    "user": "no order leaves, and fills are not heard of",
    "oracle": "no price to value or settle by",
    "": "its market is not traded on",
}
"""What the engine lacks while a feed is not fresh."""


def attention(picture: Picture, width: int) -> Row:
    """Line 2: the gravest thing, and how many more there are."""
    things = concerns(picture)
    if not things:
        return fit_row(((" · nothing needs attention", "faint"),), width)
    more: Span = (f"  +{len(things) - 1} more ", "muted") if things[1:] else ("", "")
    first = fit_row(((" ", ""), *things[0]), width - len(more[0]))
    return (*first, more)


def concerns(picture: Picture) -> list[Row]:
    """All that is not as it should be, gravest first."""
    if not picture.connected:
        return [_gone(picture)]
    state = picture.state
    found: list[Row] = []
    if state.killed():
        found.append(_killed(picture))
    elif picture.pending is not None and not picture.command_over:
        found.append((*stage_row(picture), (f"  “{printable(picture.pending.reason)}”", "muted")))
    if picture.silent_ns > SILENT_NS:
        silent = f"◐ the engine has said nothing for {age(picture.silent_ns)}"
        found.append(((silent, "warn"), (": every age below counts on", "muted")))
    if asked := [known for known in state.approvals.values() if known.state in WAITING]:
        found.append(_asked(picture, asked))
    if unknown := unknown_orders(state):
        listed = ", ".join(
            f"{order.intent_id} {age(picture.now_ns - since_ns(state, order))}"
            for order in unknown[:4]
        )
        found.append(
            (
                (f"? {len(unknown)} UNKNOWN", "unknown"),
                (f" {listed}: may rest at the venue, counted in full, being read", ""),
            )
        )
    for breaker in state.breakers.values():
        if breaker.state in ("open", "half_open"):
            words = f"{printable(breaker.name)} {breaker.state.replace('_', ' ')}"
            found.append(
                ((f"✖ breaker {words}", "bad text"), (f" {printable(breaker.reason)}", ""))
            )
    if state.phase == "reconciling":
        waits = ", ".join(printable(name) for name in state.awaited)
        found.append((("◐ reconciling", "warn"), (f": waits for {waits}", "")))
    elif state.phase in ("stopping", "stopped"):
        left = sum(1 for _ in state.open_orders())
        found.append(((f"◐ engine is {state.phase}", "warn"), (f", {left} orders still open", "")))
    return [*found, *_quieter(picture)]


def _asked(picture: Picture, asked: list[Approval]) -> Row:
    """A human is waited for, and only for so long."""
    first = min(asked, key=lambda known: known.expires_ns)
    left = age(max(first.expires_ns - picture.now_ns, 0))
    what = printable(first.terms.partition(" | ")[0])
    words = f"◐ {len(asked)} to approve" if asked[1:] else "◐ to approve"
    return ((words, "warn"), (f" {first.approval_id}: {what}, {left} left ", ""), ("a d", "strong"))


def _quieter(picture: Picture) -> list[Row]:
    state = picture.state
    found: list[Row] = []
    _, _, worst = worst_feed(state)
    if worst:
        feed = state.feeds.get(worst)
        glyph, word, role = FEEDS[feed.state if feed else "silent"]
        ink = {"bad": "bad text", "unknown": "warn"}.get(role, role)
        words = f"{glyph} feed {feed_text(state, worst)} is {word}"
        found.append(((words, ink), (f": {WITHOUT.get(worst, WITHOUT[''])}", "muted")))
    for settlement in state.settlements.values():
        if settlement.state == "conflicting":
            label = market_text(state.markets.get(settlement.condition_id), settlement.condition_id)
            words = f"✖ outcome of {label} is in conflict"
            found.append(((words, "bad text"), (": not paid ", ""), ("o", "strong")))
    slow = [o for o in ranked_orders(state) if o.state in ("pending_cancel", "closing")]
    old = [o for o in slow if picture.now_ns - since_ns(state, o) > 5 * SECOND_NS]
    if old:
        words = f"◐ {old[0].intent_id} {old[0].state.replace('_', ' ')}"
        waited = age(picture.now_ns - since_ns(state, old[0]))
        found.append(((words, "warn"), (f" for {waited}", "")))
    return found


def stage_row(picture: Picture) -> Row:
    """The stages of the pending command, proven ones ticked."""
    pending = picture.pending
    if pending is None:
        return ()
    if pending.refused:
        return ((f" {pending.kind} REFUSED ", "bad"), (f" {printable(pending.refused)}", ""))
    out: list[Span] = [(f"{pending.kind} ", "strong")]
    for name, proven in pending.stages(picture.state):
        out.append((f" {name} {'✓' if proven else '…'} ", "strong" if proven else "muted"))
    if gone := pending.overtaken(picture.state):
        out.append((f" {printable(gone)} ", "warn"))
    if pending.answer == "lost" and not pending.heard:
        out.append((" ? no answer came: it may have been heard ", "unknown"))
    return tuple(out)


def _killed(picture: Picture) -> Row:
    state, pending = picture.state, picture.pending
    switch = state.kill
    left = sum(1 for _ in state.open_orders())
    orders: Span = ("  no order is open  ", "strong")
    if left:
        orders = (f"  {left} orders still open  ", "warn")
    elif switch.state == "drained":
        orders = ("  drained: the venue lists no order of ours  ", "strong")
    words = f"by {printable(switch.actor)} at {utc(switch.since_ns)}: {printable(switch.why)}"
    ours = pending is not None and pending.kind == "KILL" and not picture.command_over
    trail = (*stage_row(picture), (" ", "")) if ours else ()
    return ((" ✖ KILLED ", "alarm"), orders, *trail, (words, ""))


def _gone(picture: Picture) -> Row:
    file = printable(str(picture.socket.parent / "KILL"))
    if not picture.synced:
        where = printable(str(picture.socket))
        return (("✖ no engine answers", "bad text"), (f" at {where}; trying again", "muted"))
    ago = age(picture.silent_ns)
    return (
        (f"✖ the link is gone, all below is {ago} old.", "bad text"),
        (f" The engine may still trade. To kill without a link: touch {file}", "warn"),
    )
