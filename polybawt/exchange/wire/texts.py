"""How single values are spelt on the wire: prices, outcomes, times.

Every oddity that more than one kind of message shares lives here.  Amounts stay exact; the only
floats are JSON numbers in descriptions, which nobody trades on.

Source: exchange reference 1.5 and 4; last prices as recorded.
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Price, micro_text

LAST_PRICE_DECIMALS: Final = 3  # as recorded: "0.980" on both tokens of a market
BASE_FEE_BPS: Final = 1000  # the legacy cap, not the fee charged (reference 1.2)

price_text = lru_cache(maxsize=16_384)(micro_text)


def last_price_text(price: Price) -> str:
    whole, _, part = micro_text(price).partition(".")
    return f"{whole}.{part.ljust(LAST_PRICE_DECIMALS, '0')}"


def optional_price(price: Price | None) -> str:
    """Optional decimals may be empty on the wire (reference 4.1)."""
    return "" if price is None else price_text(price)


def outcomes(market: Market) -> tuple[str, str]:
    """What the two tokens are called on screen; the crypto series say Up and Down."""
    return ("Up", "Down") if market.symbol else ("Yes", "No")


def outcome_of(market: Market | None, token_id: str) -> str:
    return outcomes(market)[token_id == market.no_token] if market else ""


def iso(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(micro: int) -> int | float:
    """A JSON number of the venue's own descriptions."""
    return micro // MILLION if micro % MILLION == 0 else float(micro_text(micro))
