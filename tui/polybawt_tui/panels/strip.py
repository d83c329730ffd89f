"""Line 1, the truth strip, and line 2, what needs attention.

The strip never leaves, and every part of it is a fact with its age.  When the link is gone it
says so first, and calls everything else what it was.  Parts have a long and a short form; what
does not fit even so is left out from the right, never the mode, the state or the time.
"""

from typing import Final

from polybawt.core.units import SECOND_NS
from polybawt_tui.command import SHOWN_NS
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
from polybawt_tui.text import Row, Span, age, fit_row, money, plain, printable, utc
from polybawt_tui.theme import FEEDS

WITHOUT: Final = {
    "market": "no book is known",
    "user": "no order leaves, and fills are not heard of",
    "oracle": "no price to value or settle by",
    "": "its market is not traded on",
}
"""What the engine lacks while a feed is not fresh."""

Part = tuple[Row, Row]
"""Long and short form."""

GAP: Final[Span] = (" │ ", "strip muted")
NARROW_GAP: Final[Span] = ("│", "strip muted")
SHORTENED: Final = (5, 3, 1, 2, 4, 6, 0)  # the sequence number first, the state last


def strip(picture: Picture, width: int) -> Row:
    """Line 1 as exactly ``width`` cells."""
    parts = [
        _head(picture), _link(picture), _feeds(picture), _breakers(picture), _command(picture),
        _seq(picture), _clock(picture),
    ]  # fmt: skip
    long = set(range(len(parts)))
    row = _joined(parts, long, GAP)
    for gap in (GAP, NARROW_GAP):
        long = set(range(len(parts)))
        for place in (None, *SHORTENED):
            long.discard(-1 if place is None else place)
            row = _joined(parts, long, gap)
            if len(plain(row)) <= width:
                return _filled(picture, row, width)
    while len(parts) > 2 and len(plain(row)) > width:
        del parts[-2]
        row = _joined(parts, set(), NARROW_GAP)
    return _filled(picture, row, width)


def _joined(parts: list[Part], long: set[int], gap: Span) -> Row:
    out: list[Span] = []
    for place, part in enumerate(parts):
        row = part[0] if place in long else part[1]
        if plain(row):
            out += [*([gap] if out else []), *row]
    return tuple(out)


def _filled(picture: Picture, row: Row, width: int) -> Row:
    """Spare cells go before the time; the whole line is an alarm while the kill is latched."""
    spare = width - len(plain(row))
    ground = "strip"
    row = (*row[:-1], (" " * spare, ground), row[-1])
    if picture.synced and picture.connected and picture.state.killed():
        row = tuple((text, "alarm" if role.startswith("strip") else role) for text, role in row)
    return fit_row(row, width)


def _head(picture: Picture) -> Part:
    mode = picture.mode.upper() or "NO ENGINE"
    badge: Span = (f" {mode} ", "live" if mode == "LIVE" else "paper")
    if not picture.synced:
        return (badge,), (badge,)
    phase = picture.state.phase.upper()
    if picture.state.killed():
        words: Row = ((" ✖ KILLED ", "strip bad"), (f" {phase}", "strip muted"))
        short: Row = ((" ✖ KILLED ", "strip bad"),)
    else:
        words = short = ((f" {phase}", "strip" if phase == "TRADING" else "strip warn"),)
    if not picture.connected:
        words = short = ((" WAS", "strip warn"), *words)
    if picture.frozen_ns:
        frozen: Span = (f" ❄ FROZEN {age(picture.now_ns - picture.frozen_ns)} ", "strip unknown")
        words, short = (*words, (" ", "strip"), frozen), (*short, (" ❄ ", "strip unknown"))
    return (badge, *words), (badge, *short)


def _link(picture: Picture) -> Part:
    if not picture.connected:
        since = age(picture.silent_ns) if picture.synced else "yet"
        lost: Row = ((f" ✖ NO LINK {since} ", "strip bad"),)
        return lost, lost
    late = picture.silent_ns > SILENT_NS
    silent = age(picture.silent_ns)
    if late:
        words: Row = ((f"◐ engine silent {silent}", "strip warn"),)
        return words, ((f"◐{silent}", "strip warn"),)
    speed = f" x{picture.rate:g}" if picture.rate != 1 else ""
    name = printable(picture.engine)[:16]
    return ((f"● {name} {silent}{speed}", "strip"),), ((f"●{silent}", "strip"),)


def _feeds(picture: Picture) -> Part:
    if not picture.present:
        return (("feeds ? unknown", "strip warn"),), (("feeds ?", "strip warn"),)
    state = picture.state
    fresh, count, worst = worst_feed(state)
    if not worst:
        return ((f"feeds ● {fresh}/{count}", "strip"),), ((f"feeds●{fresh}/{count}", "strip"),)
    feed = state.feeds.get(worst)
    glyph, word, role = FEEDS[feed.state if feed else "silent"]
    heard = age(picture.now_ns - feed.heard_ns) if feed and feed.heard_ns else "never"
    ink = {"bad": "strip bad", "unknown": "strip unknown"}.get(role, "strip warn")
    long = f"feeds {glyph} {fresh}/{count} {feed_text(state, worst)} {word} {heard}"
    return ((long, ink),), ((f"feeds{glyph}{fresh}/{count}", ink),)


def _breakers(picture: Picture) -> Part:
    if not picture.present:
        return (("breakers ? unknown", "strip warn"),), (("brk?", "strip warn"),)
    tripped = [b for b in picture.state.breakers.values() if b.state != "closed"]
    if not tripped:
        count = len(picture.state.breakers)
        long = f"breakers ● {count} closed" if count else "breakers ? never used"
        return ((long, "strip"),), (("brk●" if count else "brk?", "strip"),)
    worst = max(tripped, key=lambda b: ("half_open", "open", "latched").index(b.state))
    glyph = "◐" if worst.state == "half_open" else "✖"
    ink = "strip warn" if worst.state == "half_open" else "strip bad"
    words = f"breakers {glyph} {printable(worst.name)} {worst.state.replace('_', ' ')}"
    return ((words, ink),), ((f"brk{glyph}{len(tripped)}", ink),)


def _command(picture: Picture) -> Part:
    pending = picture.pending
    if pending is None or _over(picture):
        return (("cmd -", "strip muted"),), (("cmd -", "strip muted"),)
    stage = pending.stage(picture.state)
    ink = {"VERIFIED": "strip", "REFUSED": "strip bad", "UNKNOWN": "strip unknown"}.get(
        stage, "strip warn"
    )
    count = ""
    if pending.kind == "KILL" and pending.open_ids:
        count = f" {pending.ended(picture.state)}/{len(pending.open_ids)}"
    words = f"cmd {pending.kind} {stage}{count}"
    return ((words, ink),), ((f"{pending.kind} {stage}", ink),)


def _over(picture: Picture) -> bool:
    pending = picture.pending
    if pending is None or not pending.verified_ns:
        return False
    return picture.now_ns - pending.verified_ns > SHOWN_NS


def _seq(picture: Picture) -> Part:
    if not picture.synced:
        return (), ()
    return ((f"seq {picture.seq:,}", "strip muted"),), ((f"#{picture.seq:,}", "strip muted"),)


def _clock(picture: Picture) -> Part:
    if not picture.synced:
        return (("--:--:-- UTC", "strip muted"),), (("--:--:--Z", "strip muted"),)
    if not picture.connected:
        as_of = utc(picture.state.now_ns)
        return ((f"as of {as_of} UTC", "strip warn"),), ((f"as of {as_of}Z", "strip warn"),)
    now = utc(picture.now_ns)
    return ((f"{now} UTC ", "strip"),), ((f"{now}Z", "strip"),)


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
    elif picture.pending is not None and not _over(picture):
        found.append((*stage_row(picture), (f"  “{printable(picture.pending.reason)}”", "muted")))
    if picture.silent_ns > SILENT_NS:
        silent = f"◐ the engine has said nothing for {age(picture.silent_ns)}"
        found.append(((silent, "warn"), (": every age below counts on", "muted")))
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
            found.append(((f"✖ outcome of {label} is in conflict", "bad text"), (": not paid", "")))
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
    if pending.answer == "lost" and not pending.heard:
        out.append((" ? no answer came: it may have been heard ", "unknown"))
    return tuple(out)


def _killed(picture: Picture) -> Row:
    state, pending = picture.state, picture.pending
    breaker = state.breakers["kill"]
    left = sum(1 for _ in state.open_orders())
    orders: Span = (
        (f"  {left} orders still open  ", "warn") if left else ("  no order is open  ", "strong")
    )
    words = f"by {printable(breaker.actor)} at {utc(breaker.since_ns)}: {printable(breaker.reason)}"
    ours = pending is not None and pending.kind == "KILL" and not _over(picture)
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


def purse(picture: Picture, width: int) -> Row:
    """One line of money, where there is no room for the panel."""
    state = picture.state
    limit = state.config.limits.total_exposure_max
    used = state.total_exposure()
    percent = used * 100 // limit if limit else 0
    profit = state.pnl()
    return fit_row(
        (
            (" equity ", "muted"), (money(state.equity()), "strong"),
            ("  profit ", "muted"), (money(profit, sign=True), "down" if profit < 0 else "up"),
            ("  cash ", "muted"), (money(state.ledger.cash), ""),
            ("  exposure ", "muted"), (f"{money(used)}/{money(limit)}", ""),
            (f" {percent}%", "warn" if percent >= 90 else "muted"),
        ),
        width,
    )  # fmt: skip
