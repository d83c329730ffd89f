"""What no venue can truthfully say: refused at the kernel's door, before it becomes state.

The adapters refuse unreadable input; this module refuses what was readable and is absurd: a
negative price, a trade of nothing, a payout above a dollar, a report from the future.  Every
module behind it may rely on these bounds.  What is merely wrong, late or repeated is not
refused here: that is the machines' business.

Source: exchange reference 1.5, 1.8, 3.4, 5.3; requirements, section 6 ("absurd prices").
"""

from collections.abc import Iterable
from typing import Final

from polybawt.core import facts
from polybawt.core.book import GRID_MIN
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import Market, valid_tick
from polybawt.core.units import MILLION, MS_NS

AMOUNT_MAX: Final = 10**18  # a million million shares or dollars, and it fits into 64 bits
FILL_MAX: Final = 10**15  # one match of a thousand million shares
ORACLE_E18_MAX: Final = 10**36
EXPONENT_MAX: Final = 8  # of a fee schedule; the venue uses 1 and 2
AHEAD_MS_MAX: Final = 60_000  # a report from further in the future would be "the latest" for ever


def doubt(fact: Fact, now_ns: int) -> str:
    """Why this cannot be true, or "" when it can."""
    match fact:
        case facts.LastTrade():
            return _nameless(fact.condition_id, fact.token_id) or _print(fact)
        case facts.MarketListed():
            return _market(fact.market)
        case facts.BookSnapshot():
            named = _nameless(fact.condition_id, fact.token_id)
            return named or _levels((*fact.bids, *fact.asks))
        case facts.OrderPushed():
            return _nameless(fact.order_id)
        case facts.PriceChanged():
            named = _nameless(fact.condition_id, *(c.token_id for c in fact.changes))
            return named or _levels((change.price, change.size) for change in fact.changes)
        case facts.TickSizeChanged():
            return _nameless(fact.condition_id, fact.token_id) or _tick(fact.tick)
        case facts.OracleReported():
            return _price(fact.value_e18, fact.report_ms, now_ns)
        case facts.SpotReported():
            return _price(fact.value_e18, fact.spot_ms, now_ns)
        case facts.TradeReported():
            return _trade(fact)
        case facts.MarketResolved():
            paid = fact.yes_payout, fact.no_payout
            if named := _nameless(fact.condition_id):
                return named
            return "" if min(paid) >= 0 and sum(paid) == MILLION else f"payouts {paid}"
        case facts.BalanceRead():
            return "" if 0 <= fact.amount <= AMOUNT_MAX else f"balance {fact.amount}"
        case order.ReadOpen() | order.ReadClosed():
            return "" if 0 <= fact.matched <= AMOUNT_MAX else f"matched {fact.matched}"
        case _:
            return ""


def _nameless(*ids: str) -> str:
    """What is about nothing that has a name is about nothing."""
    return "" if all(known.strip() for known in ids) else "an identifier is missing"


def _print(trade: facts.LastTrade) -> str:
    if not 0 < trade.price < MILLION:
        return f"price {trade.price}"
    if trade.timestamp_ms <= 0:
        return f"time {trade.timestamp_ms}"
    sized = trade.shares is None or 0 < trade.shares <= FILL_MAX
    return "" if sized else f"{trade.shares} shares"


def _market(market: Market) -> str:
    yes, no = market.tokens
    if not market.condition_id or not yes or not no or yes == no:
        return "a market needs an id and two tokens"
    if tick := _tick(market.tick):
        return tick
    if not 0 <= market.min_size <= AMOUNT_MAX:
        return f"minimum {market.min_size}"
    fees = market.fees
    if not 0 <= fees.rate_micro <= MILLION or not 0 <= fees.exponent <= EXPONENT_MAX:
        return f"fees {fees}"
    if min(market.start_ns, market.end_ns, market.twap_lookback_s) < 0:
        return f"times {market.start_ns} {market.end_ns} {market.twap_lookback_s}"
    return "" if 0 <= market.strike_e18 <= ORACLE_E18_MAX else f"strike {market.strike_e18}"


def _tick(tick: int) -> str:
    return "" if valid_tick(tick) else f"tick {tick}"


def _levels(levels: Iterable[tuple[int, int]]) -> str:
    for price, size in levels:
        if not 0 < price < MILLION or price % GRID_MIN or not 0 <= size <= AMOUNT_MAX:
            return f"level {price} {size}"
    return ""


def _price(value_e18: int, at_ms: int, now_ns: int) -> str:
    if not 0 < value_e18 <= ORACLE_E18_MAX:
        return f"value {value_e18}"
    ahead_ms = at_ms - now_ns // MS_NS
    return "" if at_ms > 0 and ahead_ms <= AHEAD_MS_MAX else f"time {at_ms}"


def _trade(trade: facts.TradeReported) -> str:
    if not trade.trade_id:
        return "a trade without an id"
    if not trade.condition_id.strip() or not trade.token_id.strip():
        return "an identifier is missing"
    parts = [(trade.price, trade.shares), *((part.price, part.shares) for part in trade.makers)]
    for price, shares in parts:
        if not 0 <= price <= MILLION or not 0 < shares <= FILL_MAX:
            return f"{shares} shares at {price}"
    return ""
