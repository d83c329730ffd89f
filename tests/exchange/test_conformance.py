"""The archived official client against our exchange, on a real port.

It cannot place orders any more, here as in production; everything else it does must work
(exchange reference 7.4).  It is synchronous, so it runs in a thread.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from polybawt.core.market import Side
from polybawt.exchange.config import DEVELOPMENT_KEYS
from tests.exchange.house import CHAIN, UPDOWN, Hall

client_module = pytest.importorskip("py_clob_client.client")
types = pytest.importorskip("py_clob_client.clob_types")
exceptions = pytest.importorskip("py_clob_client.exceptions")

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


def official(hall: Hall, number: int = 0) -> Any:
    host = str(hall.client.make_url("/"))
    return client_module.ClobClient(host, CHAIN, DEVELOPMENT_KEYS[number])


async def test_it_reads_books_prices_and_terms(hall: Hall) -> None:
    maker = await hall.trader(1)
    await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.48", "10")
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    hall.after(1)
    client, token = official(hall), UPDOWN.yes_token

    def work() -> tuple[Any, ...]:
        book = client.get_order_book(token)
        served = book.hash
        return (
            (book, served, client.get_order_book_hash(book)),
            client.get_midpoint(token),
            client.get_price(token, "BUY"),
            client.get_spread(token),
            client.get_tick_size(token),
            client.get_neg_risk(token),
            client.get_ok(),
            client.get_server_time(),
        )

    (book, served, computed), mid, price, spread, tick, neg_risk, ok, now = await beside(work)

    assert [(level.price, level.size) for level in book.bids] == [("0.48", "10")]
    assert computed == served
    assert (mid, price, spread) == ({"mid": "0.5"}, {"price": "0.48"}, {"spread": "0.04"})
    assert (tick, neg_risk) == ("0.01", False)
    assert ok == {"version": 2}
    assert now == hall.clock.now_ns // 10**9


async def test_it_creates_and_derives_the_same_keys(hall: Hall) -> None:
    client = official(hall)

    created = await beside(client.create_api_key)
    derived = await beside(client.derive_api_key)
    either = await beside(client.create_or_derive_api_creds)
    client.set_api_creds(created)
    keys = await beside(client.get_api_keys)

    assert created == derived == either
    assert keys == {"apiKeys": [created.api_key]}


async def test_it_reads_and_cancels_what_was_placed(hall: Hall) -> None:
    trader = await hall.trader()
    order = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]
    client = official(hall)
    client.set_api_creds(await beside(client.derive_api_key))
    collateral = types.BalanceAllowanceParams(asset_type="COLLATERAL", signature_type=0)

    read = await beside(lambda: client.get_order(order))
    listed = await beside(lambda: client.get_orders(types.OpenOrderParams()))
    balance = await beside(lambda: client.get_balance_allowance(collateral))
    cancelled = await beside(lambda: client.cancel(order))
    everything = await beside(client.cancel_all)
    trades = await beside(client.get_trades)

    assert read["id"] == order
    assert [row["id"] for row in listed] == [order]
    assert balance["balance"] == "1000000000"
    assert cancelled == {"canceled": [order], "not_canceled": {}}
    assert everything == {"canceled": [], "not_canceled": {}}
    assert trades == []


async def test_its_heartbeats_are_answered(hall: Hall) -> None:
    await hall.trader()
    client = official(hall)
    client.set_api_creds(await beside(client.derive_api_key))

    first = await beside(lambda: client.post_heartbeat(None))
    second = await beside(lambda: client.post_heartbeat(first["heartbeat_id"]))

    assert first["heartbeat_id"] != second["heartbeat_id"]


async def test_its_orders_are_refused_for_their_version(hall: Hall) -> None:
    """The struct it signs is gone: a venue that took it would be no Polymarket."""
    await hall.trader()
    client = official(hall)
    client.set_api_creds(await beside(client.derive_api_key))
    terms = types.OrderArgs(token_id=UPDOWN.yes_token, price=0.4, size=10, side=Side.BUY.value)

    def work() -> Any:
        return client.post_order(client.create_order(terms))

    with pytest.raises(exceptions.PolyApiException) as caught:
        await beside(work)

    assert caught.value.status_code == 400
    assert caught.value.error_msg == {"error": "order_version_mismatch"}
