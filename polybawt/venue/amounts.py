"""The two amounts an order signs: what it gives and what it gets, in whole millionths.

A limit order's are exact on every tick.  A market order's are rounded so that its implied price
never falls on the wrong side of the book.  The official clients compute these with binary floats
and miss one size in twenty by a cent; whole numbers cannot.  Whether a price or size is *valid*
is the market's business (``core.market``), not this module's.

Source: exchange reference 3.4 and 3.6.
"""

from collections.abc import Sequence
from typing import Final

from polybawt.core.facts import Level
from polybawt.core.market import LOT, FeeSchedule, Side
from polybawt.core.units import MILLION, Price, Shares, Usdc, ceil_div

FINEST_TICK: Final = 100  # 0.0001 dollars, in millionths
CENT: Final = 10_000  # what a market buy spends has two decimals


def limit_amounts(side: Side, price: Price, size: Shares) -> tuple[int, int]:
    """The two amounts of a limit order: exact on every tick, for the size in whole lots."""
    assert price % FINEST_TICK == 0, price
    shares = size // LOT * LOT
    collateral = price * shares // MILLION  # no remainder: 4 decimals of price, 2 of size
    return (collateral, shares) if side is Side.BUY else (shares, collateral)


def market_amounts(side: Side, price: Price, quantity: int, tick: Price) -> tuple[int, int]:
    """The two amounts of a FOK or FAK order: a buy spends ``quantity`` dollars, a sell shares.

    What is bought is rounded down: rounded up, its implied price falls below the ask and the
    order is killed (reference 3.4).  The accuracy is that of the tick's price plus two decimals.
    """
    price = Price(price - price % _price_step(tick))
    if side is Side.SELL:
        return limit_amounts(side, price, Shares(quantity))
    spent, step = quantity // CENT * CENT, max(_price_step(tick) // 100, 1)
    return spent, spent * MILLION // price // step * step


def _price_step(tick: Price) -> int:
    """The value of a price's last decimal on this tick: 0.005 is written with three."""
    step = MILLION
    while tick % step:
        step //= 10
    return step


def market_price(side: Side, levels: Sequence[Level], quantity: int, whole: bool) -> Price | None:
    """The price that fills ``quantity`` (dollars to buy, shares to sell) from one side's levels.

    ``levels`` come worst first, as served.  ``whole`` is FOK: None unless the levels suffice;
    otherwise (FAK) too little depth gives the worst price there is.  None for an empty side.
    """
    found = 0
    for price, size in reversed(levels):
        found += price * size // MILLION if side is Side.BUY else size
        if found >= quantity:
            return price
    return levels[0][0] if levels and not whole else None


def affordable(
    amount: Usdc,
    balance: Usdc,
    price: Price,
    fees: FeeSchedule,
    *,
    builder_rate_micro: int = 0,
    slippage_percent: int = 0,
) -> Usdc:
    """What a market buy may spend so that it and its fees fit the balance, rounded down.

    All of ``amount`` when that fits; else the balance less the fees on it (on ``amount``, when
    that is smaller).  ``slippage_percent`` widens the venue's fee, for a price that may move.
    """
    base = min(amount, balance)
    odds, unit = price * (MILLION - price), MILLION ** (2 * fees.exponent)
    wide = 100 + slippage_percent
    charged = base * MILLION * fees.rate_micro * odds**fees.exponent * wide
    venue = ceil_div(charged, price * unit * MILLION * 100)
    builder = ceil_div(base * builder_rate_micro, MILLION)
    if balance > amount + venue + builder:
        return amount
    return Usdc(max(balance - venue - builder, 0))
