"""Short names for what the venue calls by long numbers; printable, never markup.

A crypto market is its symbol, its start in UTC and its length: ``btc 12:00 15m``, or, when it
starts between minutes, its symbol and start: ``btc 12:00:20``.  Any other is its slug.  The yes
token of every market is "Up", the other "Down", as the crypto series say.
"""

from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.units import SECOND_NS
from polybawt_tui.text import printable, utc


def market_text(market: Market | None, condition_id: str = "") -> str:
    if market is None:
        return printable(condition_id[:13])
    if not market.symbol or not market.start_ns:
        return printable(market.slug or market.condition_id[:13])
    symbol, start = printable(market.symbol.split("/")[0]), utc(market.start_ns)
    if not start.endswith(":00"):
        return f"{symbol} {start}"
    minutes = (market.end_ns - market.start_ns) // (60 * SECOND_NS)
    return f"{symbol} {start[:5]} {minutes}m"


def side_text(market: Market | None, token_id: str) -> str:
    if market is None:
        return "?"
    return "Up" if token_id == market.yes_token else "Dn"


def market_of(state: State, token_id: str) -> Market | None:
    return state.markets.get(state.market_of.get(token_id, ""))


def token_text(state: State, token_id: str) -> str:
    """``btc 12:00 15m Up``; the beginning of its number when the market is not known."""
    market = market_of(state, token_id)
    if market is None:
        return printable(token_id[:13])
    return f"{market_text(market)} {side_text(market, token_id)}"
