"""Frames of the market, user and price streams, as facts.

A frame is one object or an array; it has no sequence number, and its order is the venue's.
Each function takes a frame and gives its facts in the same order.  What cannot be understood
becomes a ``BadInput`` among them; what is understood and needless (``new_market``,
``best_bid_ask``) becomes nothing.  No state is kept: whether a book is fresh is the feed's
business, whether a fill is new is the order's.

Source: exchange reference 4.1, 4.3 and 4.4; recorded frames.
"""

from typing import Any, Final

from polybawt.core.facts import (
    BookSnapshot,
    LastTrade,
    Level,
    LevelChange,
    MakerFill,
    MarketResolved,
    OracleReported,
    OrderPushed,
    PriceChanged,
    SpotReported,
    TickSizeChanged,
    TradeReported,
)
from polybawt.core.machine import Fact
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Usdc, parse_scaled
from polybawt.venue import wire
from polybawt.venue.wire import Fields, Misread

YES_WORDS: Final = frozenset({"YES", "UP"})
NO_WORDS: Final = frozenset({"NO", "DOWN"})
SPOT_TOPIC: Final = "crypto_prices"
SPOT_QUOTE: Final = "usdt"
OTHER_TOPICS: Final = frozenset(
    {
        SPOT_TOPIC,
        "crypto_prices_twap_thirty",
        "crypto_prices_twap_sixty",
        "equity_prices",
        "comments",
        "activity",
    }
)
"""RTDS topics that are not the settlement price. They must never pass for it (finding C2)."""

BEFORE_MATCHED: Final = {"MATCHED_NOT_BROADCASTED": "MATCHED"}
"""REST's extra step: matched, and not yet on its way to the chain (reference 1.8)."""


def market_facts(raw: str | bytes, now_ns: int) -> tuple[Fact, ...]:
    """One frame of the market channel."""
    return wire.read_frame("market", raw, now_ns, _market_message)


def user_facts(raw: str | bytes, now_ns: int) -> tuple[Fact, ...]:
    """One frame of the user channel."""
    return wire.read_frame("user", raw, now_ns, _user_message)


def oracle_facts(raw: str | bytes, now_ns: int) -> tuple[Fact, ...]:
    """One frame of RTDS; it sends blank ones too."""
    if not raw.strip():
        return ()
    return wire.read_frame("oracle", raw, now_ns, _oracle_message)


# Market channel.


def _market_message(message: Fields, now_ns: int) -> tuple[Fact, ...]:
    match wire.text(message, "event_type"):
        case "book":
            return (book_snapshot(message, "ws", now_ns),)
        case "price_change":
            return _price_change(message, now_ns)
        case "last_trade_price":
            return (_last_trade(message, now_ns),)
        case "tick_size_change":
            return (_tick_size_change(message, now_ns),)
        case "market_resolved":
            return (_market_resolved(message, now_ns),)
        case "best_bid_ask" | "new_market":
            return ()
        case unknown:
            raise Misread(f"unknown event type {wire.excerpt(unknown)!r}")


def book_snapshot(message: Fields, source: str, now_ns: int) -> BookSnapshot:
    """A whole book, of the stream (``ws``) or of a read (``rest``); one bad level spoils it."""
    neg_risk = message.get("neg_risk")
    last_trade = message.get("last_trade_price")
    return BookSnapshot(
        condition_id=wire.ident(message, "market"),
        token_id=wire.ident(message, "asset_id"),
        timestamp_ms=wire.epoch_ms(message, "timestamp"),
        hash=wire.text(message, "hash"),
        bids=_levels(message, "bids"),
        asks=_levels(message, "asks"),
        last_trade=None if last_trade is None else wire.text(message, "last_trade_price"),
        source=source,
        min_size=wire.text(message, "min_order_size"),
        tick=wire.text(message, "tick_size"),
        neg_risk=neg_risk if isinstance(neg_risk, bool) else None,
        version=wire.text(message, "version"),
        at_ns=now_ns,
    )


def _levels(message: Fields, key: str) -> tuple[Level, ...]:
    if key not in message:  # an absent side is no empty side
        raise Misread(f"{key} is missing")
    levels = map(wire.fields, wire.array(message, key))
    return tuple((wire.level_price(level), wire.shares(level, "size")) for level in levels)


def _price_change(message: Fields, now_ns: int) -> tuple[Fact, ...]:
    """Sizes are absolute, so each change is true alone and a bad one spoils only itself."""
    changes, bad = list[LevelChange](), list[Fact]()
    for change in wire.array(message, "price_changes"):
        try:
            changes.append(_level_change(wire.fields(change)))
        except wire.READ_ERRORS as wrong:
            bad.append(wire.bad_input("market", wrong, change, now_ns))
    if not changes and not bad:
        raise Misread("price_changes is missing or empty")
    condition_id, sent_ms = wire.ident(message, "market"), wire.epoch_ms(message, "timestamp")
    changed = PriceChanged(
        condition_id=condition_id, timestamp_ms=sent_ms, changes=tuple(changes), at_ns=now_ns
    )
    return (changed, *bad) if changes else tuple(bad)


def _level_change(change: Fields) -> LevelChange:
    return LevelChange(
        token_id=wire.ident(change, "asset_id"),
        side=wire.side(change),
        price=wire.level_price(change),
        size=wire.shares(change, "size"),
        hash=wire.text(change, "hash"),
        best_bid=wire.best_price(change, "best_bid"),
        best_ask=wire.best_price(change, "best_ask"),
    )


def _last_trade(message: Fields, now_ns: int) -> LastTrade:
    size = wire.amount(message, "size")  # a print without a size is unknown, not small (G3)
    return LastTrade(
        condition_id=wire.ident(message, "market"),
        token_id=wire.ident(message, "asset_id"),
        price=wire.level_price(message),
        price_text=wire.text(message, "price"),
        shares=None if size is None else wire.shares(message, "size"),
        side=wire.side(message),
        timestamp_ms=wire.epoch_ms(message, "timestamp"),
        at_ns=now_ns,
    )


def _tick_size_change(message: Fields, now_ns: int) -> TickSizeChanged:
    return TickSizeChanged(
        condition_id=wire.ident(message, "market"),
        token_id=wire.ident(message, "asset_id"),
        tick=tick_of(message, "new_tick_size"),
        at_ns=now_ns,
    )


def tick_of(message: Fields, key: str) -> Price:
    """A tick: a price that divides the dollar."""
    tick = wire.level_price(message, key)
    if MILLION % tick:
        raise Misread(f"{key} does not divide the dollar: {tick} millionths")
    return tick


def _market_resolved(message: Fields, now_ns: int) -> MarketResolved:
    """The winner by its word, else by its place: ``assets_ids`` name "yes" first."""
    tokens = wire.array(message, "assets_ids")
    winner, word = wire.ident(message, "winning_asset_id"), wire.text(message, "winning_outcome")
    if winner not in tokens:
        raise Misread("the winning asset is none of the market's")
    if word.upper() in YES_WORDS | NO_WORDS:
        yes_won = word.upper() in YES_WORDS
    else:
        yes_won = winner == tokens[0]
    return MarketResolved(
        condition_id=wire.ident(message, "market"),
        yes_payout=Usdc(MILLION if yes_won else 0),
        no_payout=Usdc(0 if yes_won else MILLION),
        source="ws",
        at_ns=now_ns,
    )


# User channel.


def _user_message(message: Fields, now_ns: int) -> tuple[Fact, ...]:
    match wire.text(message, "event_type"):
        case "order":
            return (_order_pushed(message, now_ns),)
        case "trade":
            return (trade_reported(message, "push", now_ns),)
        case unknown:
            raise Misread(f"unknown event type {wire.excerpt(unknown)!r}")


def _order_pushed(message: Fields, now_ns: int) -> OrderPushed:
    """A killed FOK has ``size_matched`` "": nothing is known of it, which is not zero."""
    matched = wire.amount(message, "size_matched")
    return OrderPushed(
        order_id=wire.ident(message, "id"),
        kind=wire.text(message, "type").upper(),
        status=wire.status(message, "ORDER_STATUS_"),
        matched=None if matched is None else wire.shares(message, "size_matched"),
        at_ns=now_ns,
    )


def trade_reported(message: Fields, source: str, now_ns: int) -> TradeReported:
    """A trade of the user channel (``push``) or of a read (``read``): the same object."""
    taker_side, taker_token = wire.side(message), wire.ident(message, "asset_id")
    match_key = "match_time" if message.get("match_time") else "matchtime"  # both are sent
    matched_ms = wire.epoch_ms(message, match_key) or wire.epoch_ms(message, "timestamp")
    traded, state = wire.shares(message, "size"), wire.status(message, "TRADE_STATUS_")
    if traded == 0:
        raise Misread("a trade of nothing")
    return TradeReported(
        trade_id=wire.ident(message, "id"),
        status=BEFORE_MATCHED.get(state, state),
        condition_id=wire.ident(message, "market"),
        taker_order_id=wire.ident(message, "taker_order_id"),
        token_id=taker_token,
        side=taker_side,
        price=wire.trade_price(message, taker_side),
        shares=traded,
        makers=tuple(
            _maker_fill(wire.fields(maker), taker_token, taker_side)
            for maker in wire.array(message, "maker_orders")
        ),
        match_s=matched_ms // 1000,
        source=source,
        at_ns=now_ns,
    )


def _maker_fill(maker: Fields, taker_token: str, taker_side: Side) -> MakerFill:
    """A maker's own terms. Where its side is absent the matching rules name it (reference 3.6):
    the other side on the taker's token, the same side on the complement."""
    token_id = wire.ident(maker, "asset_id")
    implied = taker_side.other if token_id == taker_token else taker_side
    maker_side = wire.side(maker) if maker.get("side") else implied
    matched = wire.shares(maker, "matched_amount")
    if matched == 0:
        raise Misread("a maker fill of nothing")
    return MakerFill(
        order_id=wire.ident(maker, "order_id"),
        token_id=token_id,
        side=maker_side,
        price=wire.trade_price(maker, maker_side),
        shares=matched,
    )


# RTDS.


def _oracle_message(message: Fields, now_ns: int) -> tuple[Fact, ...]:
    """Chainlink reports. The dump of history names the topic of Binance, but its symbols do not:
    Binance writes ``btcusdt``, Chainlink ``btc/usd``."""
    topic, kind = wire.text(message, "topic"), wire.text(message, "type")
    if topic not in OTHER_TOPICS | {"crypto_prices_chainlink"}:
        raise Misread(f"unknown topic {wire.excerpt(topic)!r}")
    payload = wire.fields(message.get("payload"))
    if topic == SPOT_TOPIC and (told := _spot(payload, kind, now_ns)):
        return told
    if topic == "crypto_prices_chainlink" and kind == "update":
        return (_report(wire.ident(payload, "symbol"), payload, now_ns),)
    if topic in ("crypto_prices_chainlink", "crypto_prices") and kind == "subscribe":
        symbol = wire.ident(payload, "symbol")
        if "/" in symbol:
            reports = map(wire.fields, wire.array(payload, "data"))
            return tuple(_report(symbol, report, now_ns) for report in reports)
    return ()


def _spot(payload: Fields, kind: str, now_ns: int) -> tuple[Fact, ...]:
    """Binance's own price of a coin against dollars, by the name of the oracle's; else nothing."""
    coin = wire.ident(payload, "symbol").lower()
    if not coin.endswith(SPOT_QUOTE):
        return ()
    points = map(wire.fields, wire.array(payload, "data")) if kind == "subscribe" else (payload,)
    return tuple(
        SpotReported(
            symbol=f"{coin.removesuffix(SPOT_QUOTE)}/usd",
            value_e18=_e18(point.get("value")),
            spot_ms=wire.epoch_ms(point, "timestamp"),
            at_ns=now_ns,
        )
        for point in points
    )


def _report(symbol: str, report: Fields, now_ns: int) -> OracleReported:
    """``full_accuracy_value`` is whole 10^-18 dollars; ``value`` is the same as a double."""
    rounded = _e18(report.get("value"))
    full = wire.whole(report, "full_accuracy_value")
    exact = full or rounded
    if abs(exact - rounded) > rounded // MILLION:
        raise Misread("full_accuracy_value contradicts value")
    report_ms = wire.epoch_ms(report, "timestamp")
    if not report_ms:
        raise Misread("timestamp is missing")
    return OracleReported(
        symbol=symbol.lower(),
        value_e18=exact,
        report_ms=report_ms,
        exact=full > 0,
        at_ns=now_ns,
    )


def _e18(value: Any) -> int:
    scaled = parse_scaled(value, 18)
    if scaled <= 0:
        raise Misread("a price that is not positive")
    return scaled
