"""What buying or selling so many shares would take of a book, fees included.

Pure functions of one book: how deep an order has to reach, what a share then costs or brings at
worst, and what the bids would take at once.  A limit is the price of the deepest level that is
needed, and a little further, because the book moves before the order is there; costs are those
of the limit, so nothing is ever dearer than was said.

Source: data-and-quant 2.2 (executable size, per-level fees); exchange reference 3.4 and 3.6.
"""

from collections.abc import Iterable

from polybawt.core.book import Book
from polybawt.core.market import LOT, Market
from polybawt.core.units import MILLION, Price, Shares, ceil_div, cost_up


def all_in(market: Market, price: Price, size: Shares, *, taker: bool) -> Price:
    """What a share of a purchase costs at most, its fee included, rounded up."""
    fee = market.fees.fee_up(price, size) if taker else 0
    return Price(ceil_div((cost_up(price, size) + fee) * MILLION, size))


def net(market: Market, price: Price, size: Shares) -> Price:
    """What a share of a sale to the bids brings at least, rounded down; never below nothing."""
    fee = market.fees.fee_up(price, size)
    return Price(max(0, price - ceil_div(fee * MILLION, size)))


def deepest(levels: Iterable[tuple[Price, Shares]], size: Shares) -> Price:
    """The price of the level that completes ``size``, or of the last there is; 0 for none."""
    reached, left = Price(0), int(size)
    for price, offered in levels:
        reached, left = price, left - offered
        if left <= 0:
            break
    return reached


def to_buy(
    book: Book, token_id: str, size: Shares, *, slippage_ticks: int, reach_ticks: int, cap: Price
) -> Price:
    """The limit at which ``size`` can be bought now, or part of it; 0 when nothing can.

    It is no more than ``reach_ticks`` beyond the best ask and not above ``cap``.
    """
    _, asks = book.levels(token_id)
    best = book.best_ask(token_id)
    if best is None:
        return Price(0)
    tick = book.market.tick
    wanted = deepest(reversed(asks), size) + slippage_ticks * tick
    limit = book.market.price_down(min(wanted, best + reach_ticks * tick, cap))
    return limit if limit >= best else Price(0)


def to_sell(book: Book, token_id: str, size: Shares, *, slippage_ticks: int = 0) -> Price:
    """The limit at which ``size`` can be sold now, or part of it; 0 when nothing can."""
    bids, _ = book.levels(token_id)
    if not bids:
        return Price(0)
    deep = deepest(reversed(bids), size) - slippage_ticks * book.market.tick
    limit = book.market.price_up(deep)
    return limit if limit < MILLION else Price(0)


def slice_of(book: Book, token_id: str, held: Shares) -> tuple[Price, Shares]:
    """What the best bid takes of ``held``, or as much deeper as the smallest order needs.

    Price 0 when the bids take less than that, or too little is held.
    """
    bids, _ = book.levels(token_id)
    least, taken = book.market.min_size, 0
    for price, bid in reversed(bids):
        taken += bid
        size = Shares(min(held, taken) // LOT * LOT)
        if size >= least > 0 or (size and not least):
            return price, size
    return Price(0), Shares(0)
