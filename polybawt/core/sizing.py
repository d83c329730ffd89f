"""How much to bet: Kelly for a share that pays one dollar, with fees, and a fraction of it.

Kelly (1956), Thorp (2006): pay ``c`` a share, win a dollar with probability ``w``; the growth
optimal stake is ``(w - c) / (1 - c)`` of the bankroll.  A fraction is taken because ``w`` is an
estimate.  Everything rounds down; below the market's minimum there is no trade.

Source: data-and-quant 5.3.
"""

from polybawt.core.market import Market
from polybawt.core.units import MILLION, Price, Shares, Usdc, ceil_div


def cost_per_share(market: Market, price: Price, taker: bool) -> int:
    """What a share costs all in, in millionths, rounded up."""
    fee = market.fees.fee_up(price, Shares(100 * MILLION)) if taker else 0
    return price + ceil_div(fee, 100)


def kelly_stake(*, fair: Price, cost: int, bankroll: Usdc, fraction_micro: int) -> Usdc:
    """Dollars to stake at ``cost`` a share when it is worth ``fair``; 0 without an edge."""
    if not 0 < cost < MILLION or fair <= cost or bankroll <= 0:
        return Usdc(0)
    return Usdc(bankroll * (fair - cost) * fraction_micro // ((MILLION - cost) * MILLION))


def shares_for(market: Market, stake: Usdc, cost: int) -> Shares:
    """How many shares ``stake`` buys at ``cost`` each; 0 below the market's minimum."""
    return market.size_down(stake * MILLION // cost) if cost > 0 else Shares(0)
