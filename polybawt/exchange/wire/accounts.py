"""Orders, trades and notices of one account, as the private reads and the user channel spell them.

``owner`` is the API key by which an account is known; addresses stand beside it.  The same
record is wrapped twice: REST prefixes a trade's status, the stream does not.

Source: exchange reference 1.10, 1.11 and 4.3; notices as the official client parses them.
"""

from collections.abc import Sequence

import orjson

from polybawt.core.market import Market
from polybawt.core.units import MS_NS, SECOND_NS, Price, micro_text
from polybawt.exchange.wire.texts import outcome_of, price_text
from polybawt.sim.chain import UNSENT
from polybawt.sim.records import MakerMatch, VenueOrder, VenueTrade


def order_record(order: VenueOrder, market: Market | None, owner: str) -> dict[str, object]:
    placement = order.placement
    return {
        "id": placement.order_id,
        "status": order.status,
        "market": order.condition_id,
        "asset_id": placement.token_id,
        "owner": owner,
        "maker_address": placement.owner,
        "side": placement.side.value,
        "price": price_text(placement.price),
        "original_size": micro_text(placement.size),
        "size_matched": micro_text(order.matched),
        "outcome": outcome_of(market, placement.token_id),
        "order_type": placement.order_type,
        "expiration": str(placement.expiration_s),
        "associate_trades": list(order.trade_ids),
        "created_at": order.created_ns // SECOND_NS,
    }


def order_event(
    order: VenueOrder, market: Market | None, owner: str, kind: str, now_ns: int
) -> bytes:
    return orjson.dumps(
        {
            "event_type": "order",
            "type": kind,
            **order_record(order, market, owner),
            "order_owner": owner,
            "created_at": str(order.created_ns // SECOND_NS),
            "timestamp": str(now_ns // MS_NS),
        }
    )


def _maker_record(maker: MakerMatch, market: Market | None, owner: str) -> dict[str, object]:
    second = market is not None and maker.token_id == market.no_token
    return {
        "order_id": maker.order_id,
        "owner": owner,
        "maker_address": maker.owner,
        "matched_amount": micro_text(maker.shares),
        "price": price_text(maker.price),
        "fee_rate_bps": "0",
        "asset_id": maker.token_id,
        "outcome": outcome_of(market, maker.token_id),
        "outcome_index": int(second),
        "side": maker.side.value,
    }


def trade_record(
    trade: VenueTrade, market: Market | None, reader: str, owner: str, maker_names: Sequence[str]
) -> dict[str, object]:
    """One trade as ``reader`` (an address) sees it; top-level terms stay the taker's."""
    return {
        "id": trade.trade_id,
        "taker_order_id": trade.taker_order_id,
        "market": trade.condition_id,
        "asset_id": trade.token_id,
        "side": trade.side.value,
        "size": micro_text(trade.shares),
        "fee_rate_bps": "0",
        "price": price_text(trade.price),
        "status": f"TRADE_STATUS_{trade.status}",
        "match_time": str(trade.match_ns // SECOND_NS),
        "match_time_nano": str(trade.match_ns),
        "last_update": str(trade.updated_ns // SECOND_NS),
        "outcome": outcome_of(market, trade.token_id),
        "bucket_index": trade.bucket_index,
        "owner": owner,
        "maker_address": reader,
        "transaction_hash": trade.tx_hash,
        "trader_side": "TAKER" if trade.taker_owner == reader else "MAKER",
        "maker_orders": [
            _maker_record(maker, market, name)
            for maker, name in zip(trade.makers, maker_names, strict=True)
        ],
    }


def trade_event(record: dict[str, object], status: str, now_ns: int) -> dict[str, object]:
    """The same on the user channel: a plain status, milliseconds, and who it is for.

    That a match is not yet broadcast only REST says (reference 1.8).
    """
    return {
        "event_type": "trade",
        "type": "TRADE",
        **record,
        "status": "MATCHED" if status == UNSENT else status,
        "trade_owner": record["owner"],
        "timestamp": str(now_ns // MS_NS),
    }


def order_notice(
    order: VenueOrder, trade: VenueTrade | None, market: Market | None
) -> dict[str, object]:
    """What a fill, a failed fill or a cancellation says of the order; no trade: a cancellation."""
    placement = order.placement
    return {
        "order_id": placement.order_id,
        "asset_id": placement.token_id,
        "market": order.condition_id,
        "side": placement.side.value,
        "type": placement.order_type,
        "price": price_text(_filled_at(order, trade) if trade else placement.price),
        "original_size": micro_text(placement.size),
        "matched_size": micro_text(order.matched),
        "remaining_size": micro_text(max(placement.size - order.matched, 0)),
        "outcome": outcome_of(market, placement.token_id),
        "outcome_index": int(market is not None and placement.token_id == market.no_token),
        "transaction_hash": trade.tx_hash if trade else "",
        "trade_id": trade.trade_id if trade else "",
        "question": market.question if market else "",
        "market_slug": market.slug if market else "",
        "icon": "",
        "image": "",
        "eventSlug": market.slug if market else "",
        "seriesSlug": "",
    }


def _filled_at(order: VenueOrder, trade: VenueTrade) -> Price:
    """The trade's price in the terms of one order in it."""
    order_id = order.placement.order_id
    return next((m.price for m in trade.makers if m.order_id == order_id), trade.price)
