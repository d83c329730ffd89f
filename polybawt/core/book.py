"""One market's order book: a mirrored pair of tokens on one integer grid.

A bid of 0.40 for "yes" *is* an ask of 0.60 for "no", so there is one array of bids and one of
asks, kept in prices of the yes token; the other token is a view.  The venue sends a hash with
every group of changes; ``digest`` recomputes it, which proves the whole book, level by level.
Nothing here knows how old it is or whether to trade on it: see ``machines/feed.py``.

Source: exchange reference 1.5, 3.6 and 4.2; data-and-quant 0.1 and 0.2.
"""

import hashlib
from functools import lru_cache
from math import gcd
from typing import Final

from attrs import define, field

from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, Shares, complement, micro_text

Levels = tuple[tuple[Price, Shares], ...]

GRID_MIN: Final = 100  # the finest tick, 0.0001

price_text = lru_cache(maxsize=16_384)(micro_text)


@define
class TokenView:
    """What the venue says of one token beside its levels."""

    timestamp_ms: int = 0
    expected: str = ""  # hash of the group that is still open, "" when none is
    expected_since_ns: int = 0
    bid: Price | None = None  # best prices that came with that group
    ask: Price | None = None
    stream_ms: int = 0  # the latest stamp on its stream, since that is up
    heard_ns: int = 0  # when the stream last spoke of it, or a read agreed with us
    probed_ns: int = 0
    missed_ns: int = 0  # when a read showed what the stream had not said, 0: it has spoken since
    refetches: int = 0  # since its stream was last proven right

    @property
    def unproven(self) -> bool:
        """Whether a group of changes came that nothing was compared with yet."""
        return bool(self.expected) or self.bid is not None or self.ask is not None


@define
class Book:
    """``min_size`` and ``tick`` keep the venue's own text: they are hashed as served."""

    market: Market
    min_size: str = ""
    tick: str = ""
    version: str = ""
    last_trade: str = ""  # one for both tokens, as recorded books show
    grid: int = GRID_MIN
    bids: list[int] = field(factory=list, repr=False)
    asks: list[int] = field(factory=list, repr=False)
    best: list[int] = field(factory=lambda: [-1, -1], repr=False)  # grid index, -1 for none
    views: dict[str, TokenView] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.min_size = self.min_size or micro_text(self.market.min_size)
        self.tick = self.tick or micro_text(self.market.tick)
        if not self.bids:
            self._lay(self.market.tick)
        for token in self.market.tokens:
            self.views.setdefault(token, TokenView())

    # Changing it.

    def replace(self, token_id: str, bids: Levels, asks: Levels) -> None:
        """Take a whole book of one token as the truth of both."""
        self._lay(self.grid)
        for price, size in bids:
            self.set_level(token_id, Side.BUY, price, size)
        for price, size in asks:
            self.set_level(token_id, Side.SELL, price, size)

    def set_level(self, token_id: str, side: Side, price: Price, size: Shares) -> None:
        """Set the absolute size of one level; 0 removes it."""
        if token_id == self.market.no_token:
            side, price = side.other, complement(price)
        if price % self.grid:
            self._regrid(gcd(self.grid, price))
        index = price // self.grid
        if side is Side.BUY:
            self._set(self.bids, 0, index, size, -1)
        else:
            self._set(self.asks, 1, index, size, 1)

    def retick(self, market: Market) -> None:
        """The market has another tick; levels keep their prices."""
        self.market, self.tick = market, micro_text(market.tick)
        self._regrid(gcd(self.grid, market.tick))

    def _set(self, sizes: list[int], which: int, index: int, size: int, step: int) -> None:
        sizes[index] = size
        best = self.best[which]
        if size:
            if best < 0 or (index - best) * step < 0:
                self.best[which] = index
        elif index == best:
            while 0 <= index < len(sizes) and not sizes[index]:
                index += step
            self.best[which] = index if 0 <= index < len(sizes) else -1

    def _lay(self, grid: int) -> None:
        self.grid = grid
        slots = MILLION // grid + 1
        self.bids, self.asks, self.best = [0] * slots, [0] * slots, [-1, -1]

    def _regrid(self, grid: int) -> None:
        yes = self.market.yes_token
        bids, asks = self.levels(yes)
        self._lay(max(grid, 1))
        for price, size in bids:
            self.set_level(yes, Side.BUY, price, size)
        for price, size in asks:
            self.set_level(yes, Side.SELL, price, size)

    # Reading it.

    def best_bid(self, token_id: str) -> Price | None:
        if token_id == self.market.yes_token:
            return Price(self.best[0] * self.grid) if self.best[0] >= 0 else None
        return complement(Price(self.best[1] * self.grid)) if self.best[1] >= 0 else None

    def best_ask(self, token_id: str) -> Price | None:
        if token_id == self.market.yes_token:
            return Price(self.best[1] * self.grid) if self.best[1] >= 0 else None
        return complement(Price(self.best[0] * self.grid)) if self.best[0] >= 0 else None

    def mid(self, token_id: str) -> Price | None:
        """Halfway between the best prices, rounded down; None while one side is empty."""
        bid, ask = self.best_bid(token_id), self.best_ask(token_id)
        return None if bid is None or ask is None else Price((bid + ask) // 2)

    def crossed(self) -> bool:
        return self.best[0] >= 0 and self.best[1] >= 0 and self.best[0] >= self.best[1]

    def levels(self, token_id: str) -> tuple[Levels, Levels]:
        """All bids and all asks of one token, worst first, as the venue serves them."""
        grid = self.grid
        bids = [(i * grid, size) for i, size in enumerate(self.bids) if size]
        asks = [(i * grid, size) for i, size in enumerate(self.asks) if size]
        if token_id == self.market.no_token:
            bids, asks = (
                [(MILLION - p, s) for p, s in reversed(asks)],
                [(MILLION - p, s) for p, s in reversed(bids)],
            )
        return (
            tuple((Price(p), Shares(s)) for p, s in bids),
            tuple((Price(p), Shares(s)) for p, s in reversed(asks)),
        )

    def digest(self, token_id: str, timestamp_ms: int) -> str:
        """The venue's own hash of this token's book at ``timestamp_ms`` (reference 4.2)."""
        bids, asks = (",".join(map(_level_text, side)) for side in self.levels(token_id))
        neg_risk = "true" if self.market.neg_risk else "false"
        version = f',"version":"{self.version}"' if self.version else ""
        text = (
            f'{{"market":"{self.market.condition_id}","asset_id":"{token_id}",'
            f'"timestamp":"{timestamp_ms}","hash":"","bids":[{bids}],"asks":[{asks}],'
            f'"min_order_size":"{self.min_size}","tick_size":"{self.tick}",'
            f'"neg_risk":{neg_risk},"last_trade_price":"{self.last_trade}"{version}}}'
        )
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _level_text(level: tuple[Price, Shares]) -> str:
    return f'{{"price":"{price_text(level[0])}","size":"{micro_text(level[1])}"}}'
