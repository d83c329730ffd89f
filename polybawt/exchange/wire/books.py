"""Books and what moves them, as the market channel and GET /book spell them.

A book is rendered as text because its hash is taken over exactly that text.  One rendering
serves REST, the stream's first dump and the snapshot after a trade.

Source: exchange reference 1.5, 4.1 and 4.2.
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson
from attrs import frozen

from polybawt.core.facts import Level
from polybawt.core.market import Market
from polybawt.core.units import Price, Shares, micro_text
from polybawt.exchange.wire.texts import last_price_text, optional_price, price_text
from polybawt.sim.records import LevelSet, Printed, TickChanged


@lru_cache(maxsize=65_536)
def _level(price: Price, size: Shares) -> str:
    return f'{{"price":"{price_text(price)}","size":"{micro_text(size)}"}}'


@frozen(kw_only=True)
class BookView:
    """One token's book as published: its bytes, its hash, and what is best in it."""

    timestamp_ms: int
    hash: str
    rest: bytes
    stream: str
    snapshot: str
    best_bid: Price | None
    best_ask: Price | None


def book_view(
    market: Market,
    token_id: str,
    timestamp_ms: int,
    levels: tuple[Sequence[Level], Sequence[Level]],
    last_trade: str,
) -> BookView:
    """Render one token's book for REST and for the stream, with the hash of reference 4.2."""
    bids, asks = levels
    bid_text = ",".join([_level(*level) for level in bids])
    ask_text = ",".join([_level(*level) for level in asks])
    start = (
        f'{{"market":"{market.condition_id}","asset_id":"{token_id}",'
        f'"timestamp":"{timestamp_ms}","hash":"'
    )
    body = f'","bids":[{bid_text}],"asks":[{ask_text}],'
    tick = micro_text(market.tick)
    version = ',"version":"v2"' if market.version == "v2" else ""
    tail = (
        f'"min_order_size":"{micro_text(market.min_size)}","tick_size":"{tick}",'
        f'"neg_risk":{"true" if market.neg_risk else "false"},'
        f'"last_trade_price":"{last_trade}"{version}}}'
    )
    digest = hashlib.sha1(
        f"{start}{body}{tail}".encode(), usedforsecurity=False
    ).hexdigest()  # with the empty hash in its place
    later = f'{start}{digest}{body}"tick_size":"{tick}","event_type":"book"'
    return BookView(
        timestamp_ms=timestamp_ms,
        hash=digest,
        rest=f"{start}{digest}{body}{tail}\n".encode(),
        stream=f'{later},"last_trade_price":"{last_trade}"{version}}}',
        snapshot=f"{later}{version}}}",
        best_bid=bids[-1][0] if bids else None,
        best_ask=asks[-1][0] if asks else None,
    )


def price_change(
    market: Market, timestamp_ms: int, changes: Sequence[LevelSet], views: Mapping[str, BookView]
) -> bytes:
    """All level changes of one instant, both tokens in one message."""
    return orjson.dumps(
        {
            "market": market.condition_id,
            "price_changes": [
                {
                    "asset_id": token_id,
                    "price": price_text(price),
                    "size": micro_text(size),
                    "side": side.value,
                    "hash": views[token_id].hash,
                    "best_bid": optional_price(views[token_id].best_bid),
                    "best_ask": optional_price(views[token_id].best_ask),
                }
                for token_id, side, price, size in changes
            ],
            "timestamp": str(timestamp_ms),
            "event_type": "price_change",
        }
    )


def tick_size_change(changed: TickChanged, token_id: str, timestamp_ms: int) -> bytes:
    """The tick of a market, told for each of its tokens."""
    return orjson.dumps(
        {
            "market": changed.market.condition_id,
            "asset_id": token_id,
            "old_tick_size": micro_text(changed.old_tick),
            "new_tick_size": micro_text(changed.market.tick),
            "timestamp": str(timestamp_ms),
            "event_type": "tick_size_change",
        }
    )


def best_bid_ask(market: Market, token_id: str, view: BookView) -> bytes:
    bid, ask = view.best_bid, view.best_ask
    spread = "" if bid is None or ask is None else micro_text(ask - bid)
    return orjson.dumps(
        {
            "market": market.condition_id,
            "asset_id": token_id,
            "best_bid": optional_price(bid),
            "best_ask": optional_price(ask),
            "spread": spread,
            "timestamp": str(view.timestamp_ms),
            "event_type": "best_bid_ask",
        }
    )


def last_trade_price(printed: Printed, timestamp_ms: int) -> bytes:
    return orjson.dumps(
        {
            "market": printed.condition_id,
            "asset_id": printed.token_id,
            "price": last_price_text(printed.price),
            "size": micro_text(printed.shares),
            "fee_rate_bps": "0",
            "side": printed.side.value,
            "timestamp": str(timestamp_ms),
            "event_type": "last_trade_price",
            "transaction_hash": printed.tx_hash,
        }
    )
