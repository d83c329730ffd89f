"""Colours by role, and the words and glyphs of every state.

The screen is grey; colour means that something is not as it should be, or is one side of a
book.  Blue against orange keeps apart what red against green does not.  A glyph and a word
always stand beside a colour, so that nothing is lost without it.
"""

from typing import Final

from rich.style import Style
from textual.theme import Theme

GROUND: Final = "#0B0F14"

_INK: Final = {
    "": "#B9C3CD",
    "strong": "bold #FFFFFF",
    "muted": "#8A96A3",
    "faint": "#5C6874",
    "rule": "#2C3640",
    "title": "bold #D5DDE5",
    "focus": "bold #0B0F14 on #B9C3CD",
    "cursor": "#FFFFFF on #1E2A35",
    "up": "#56B4E9",
    "down": "#E69F00",
    "up bar": "#2B6C93",
    "down bar": "#8A6410",
    "ok": "#7F9DB5",
    "warn": "#F0E442",
    "bad": "bold #0B0F14 on #D55E00",
    "bad text": "bold #F08A3C",
    "unknown": "bold #0B0F14 on #F0E442",
    "own": "bold #FFFFFF",
    "strip": "#D5DDE5 on #1A232C",
    "strip muted": "#8A96A3 on #1A232C",
    "strip warn": "#F0E442 on #1A232C",
    "strip bad": "bold #0B0F14 on #D55E00",
    "strip unknown": "bold #0B0F14 on #F0E442",
    "paper": "bold #0B0F14 on #8A96A3",
    "live": "bold #FFFFFF on #0A5FA8",
    "alarm": "bold #0B0F14 on #D55E00",
}
STYLES: Final = {role: Style.parse(ink) for role, ink in _INK.items()}

_PAST: Final = Style.parse("#67727D")
_PAST_FAINT: Final = Style.parse("#454F59")
PAST: Final = {  # what is no longer known to be true has no colour of its own
    role: _PAST_FAINT if role in ("faint", "rule", "up bar", "down bar") else _PAST for role in _INK
} | {"focus": Style.parse("bold #0B0F14 on #67727D")}
"""Roles while the stream is gone; the strip and the attention line keep their colours."""

THEME: Final = Theme(
    name="polybawt",
    primary="#56B4E9",
    secondary="#8A96A3",
    accent="#D5DDE5",
    warning="#F0E442",
    error="#D55E00",
    success="#56B4E9",
    foreground="#B9C3CD",
    background=GROUND,
    surface="#131A21",
    panel="#1A232C",
    dark=True,
    variables={
        "footer-background": "#1A232C",
        "footer-key-foreground": "#FFFFFF",
        "footer-key-background": "#1A232C",
        "footer-description-foreground": "#8A96A3",
        "footer-description-background": "#1A232C",
        "input-cursor-background": "#FFFFFF",
        "input-selection-background": "#56B4E9 30%",
        "border": "#8A96A3",
    },
)

ORDERS: Final = {
    "unknown": ("?", "UNKNOWN", "unknown"),
    "submitted": ("○", "SUBMITTED", ""),
    "signed": ("○", "SIGNED", ""),
    "intent": ("○", "INTENT", ""),
    "pending_cancel": ("◐", "CANCELLING", "warn"),
    "closing": ("◐", "CLOSING", "warn"),
    "partially_filled": ("◑", "PARTIAL", "strong"),
    "delayed": ("◔", "DELAYED", ""),
    "live": ("●", "LIVE", ""),
    "filled": ("✓", "FILLED", "muted"),
    "cancelled": ("–", "CANCELLED", "faint"),
    "expired": ("–", "EXPIRED", "faint"),
    "rejected": ("✖", "REJECTED", "bad text"),
    "closed": ("–", "CLOSED", "faint"),
}
"""In the order in which they deserve attention."""

FEEDS: Final = {
    "down": ("✖", "down", "bad"),
    "suspect": ("✖", "suspect", "bad"),
    "stale": ("◐", "stale", "warn"),
    "silent": ("?", "silent", "unknown"),
    "fresh": ("●", "fresh", "ok"),
}
"""Worst first."""

BREAKERS: Final = {
    "fired": ("✖", "FIRED", "bad"),
    "drained": ("✖", "DRAINED", "bad"),
    "latched": ("✖", "LATCHED", "bad"),
    "open": ("✖", "OPEN", "bad"),
    "half_open": ("◐", "HALF OPEN", "warn"),
    "never": ("?", "never used", "muted"),
    "armed": ("●", "armed", "ok"),
    "closed": ("●", "closed", "ok"),
}

SETTLEMENTS: Final = {
    "conflicting": ("✖", "CONFLICT", "bad"),
    "unprovable": ("?", "UNPROVABLE", "unknown"),
    "resolved": ("◑", "RESOLVED", ""),
    "observed": ("◔", "OBSERVED", ""),
    "ended": ("○", "ENDED", ""),
}
"""Only what waits: a market that trades or has paid is not on this list."""

SEVERITIES: Final = {
    "critical": ("✖", "bad text"),
    "warning": ("!", "warn"),
    "info": ("·", ""),
    "act": ("→", "muted"),
    "fact": ("·", ""),
    "flow": ("·", "faint"),
    "link": ("◆", "strong"),
}
