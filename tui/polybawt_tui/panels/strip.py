"""Line 1, the truth strip.

The strip never leaves, and every part of it is a fact with its age.  When the link is gone it
says so first, and calls everything else what it was.  Parts have a long and a short form; what
does not fit even so is left out from the right, never the mode, the state or the time.
"""

from typing import Final

from polybawt_tui.picture import SILENT_NS, Picture, feed_text, worst_feed
from polybawt_tui.text import Row, Span, age, fit_row, plain, printable, utc
from polybawt_tui.theme import FEEDS

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
    if pending is None or picture.command_over:
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
