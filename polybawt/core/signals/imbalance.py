"""What the resting orders say: which side of the book is heavier, and where that puts the price.

Computed on one token; the other is its mirror, so taking both would count everything twice.

Source: data-and-quant 5.5 (Gould and Bonart 2016; Stoikov 2018).
"""

from typing import Final

from polybawt.core.book import Book
from polybawt.core.units import Price

LEVELS: Final = 3
DECAY: Final = 0.5  # the weight of a level one tick further from the touch


def imbalance(book: Book, token_id: str, levels: int = LEVELS, decay: float = DECAY) -> float:
    """From -1 (only asks) to 1 (only bids), near levels counting most; 0 for an empty book."""
    bids, asks = book.levels(token_id)
    weights = []
    for side in (bids[-levels:], asks[-levels:]):
        best = side[-1][0] if side else 0
        weights.append(
            sum(size * decay ** (abs(price - best) / book.market.tick) for price, size in side)
        )
    heavy, light = weights
    return (heavy - light) / (heavy + light) if heavy + light else 0.0


def micro_price(book: Book, token_id: str) -> Price | None:
    """The mid, weighted by the size on the other side, rounded down; None without both sides."""
    bids, asks = book.levels(token_id)
    if not bids or not asks:
        return None
    (bid, bid_size), (ask, ask_size) = bids[-1], asks[-1]
    return Price((ask * bid_size + bid * ask_size) // (bid_size + ask_size))
