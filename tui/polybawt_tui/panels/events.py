"""The tail of what happened, newest last; what comes many times a second is one counted line."""

from polybawt_tui.history import Entry
from polybawt_tui.picture import Picture, Sheet
from polybawt_tui.text import Row, utc
from polybawt_tui.theme import SEVERITIES


def events(picture: Picture, width: int, height: int, back: int) -> Sheet:
    """The newest ``height`` entries, or those ``back`` lines before them."""
    entries = list(picture.entries)
    last = max(len(entries) - back, min(height, len(entries)))
    shown = entries[max(0, last - height) : last]
    flow = f"{len(entries) - last} newer below" if last < len(entries) else picture.flow
    role = "warn" if last < len(entries) else "muted"
    return Sheet(note=((flow, role),), rows=[_row(entry) for entry in shown])


def _row(entry: Entry) -> Row:
    glyph, role = SEVERITIES.get(entry.severity, ("·", ""))
    if entry.flow:
        most = sorted(entry.flow.items(), key=lambda pair: -pair[1])
        words = ", ".join(f"{name} {count:,}" for name, count in most)
    else:
        words = f"{entry.words}  ×{entry.times:,}" if entry.times > 1 else entry.words
    return ((f"{utc(entry.at_ns)} ", "faint"), (f"{glyph} ", role), (words, role))
