"""The official client before the current one, py-clob-client-v2, against our exchange.

It takes any host, so it needs nothing but an address; it is synchronous, so it runs in a thread
beside the exchange.  Everything a bot does with it must work here as at the venue (exchange
reference 7.1): keys, books, prices, the four order types on both kinds of market, all four
signature types, cancels, batches, heartbeats, trades, balances and notifications.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from polybawt.core.market import Market
from polybawt.core.units import Usdc
from polybawt.exchange.config import DEVELOPMENT_KEYS, Wallet
from tests.exchange.conftest import Open
from tests.exchange.house import CANARY, CHAIN, FED, UPDOWN, Hall, config, wallet_of

pytest.importorskip("py_clob_client_v2", reason="the extra dev installs it")
sdk: Any = pytest.importorskip("py_clob_client_v2.client")
types: Any = pytest.importorskip("py_clob_client_v2.clob_types")
exceptions: Any = pytest.importorskip("py_clob_client_v2.exceptions")

T = TypeVar("T")
MARKETS = [
    pytest.param(UPDOWN, id="v1"),
    pytest.param(FED, id="neg-risk"),
    pytest.param(CANARY, id="v2"),
]
Enter = Callable[..., Awaitable[Any]]


async def beside(work: Callable[[], T]) -> T:
    """Run the client in its thread; whatever it asks is answered meanwhile."""
    return await asyncio.to_thread(work)


async def entered(hall: Hall, number: int = 0, wallet: Wallet | None = None) -> Any:
    """The client of a development account, with its keys."""
    client = sdk.ClobClient(
        str(hall.client.make_url("/")),
        CHAIN,
        DEVELOPMENT_KEYS[number],
        signature_type=wallet.signature_type if wallet else 0,
        funder=wallet.address if wallet else None,
    )
    client.set_api_creds(await beside(client.create_or_derive_api_key))
    return client


def limit(market: Market, token: str, side: str, price: float, size: float, **other: Any) -> Any:
    name = "position_id" if market.version == "v2" else "token_id"
    return types.OrderArgsV2(price=price, size=size, side=side, **{name: token}, **other)


def at_market(market: Market, token: str, side: str, amount: float, **other: Any) -> Any:
    name = "position_id" if market.version == "v2" else "token_id"
    return types.MarketOrderArgsV2(amount=amount, side=side, **{name: token}, **other)


async def quoted(hall: Hall, market: Market = UPDOWN) -> None:
    """Somebody else's book: 0.48 to 0.52 for 100 shares each, seen by the next reader."""
    maker = await hall.trader(1)
    await maker.place(market, market.yes_token, "BUY", "0.48", "100")
    await maker.place(market, market.no_token, "BUY", "0.48", "100")
    hall.after(1)


async def test_it_creates_derives_lists_and_deletes_keys(hall: Hall) -> None:
    client = await entered(hall)

    derived = await beside(client.derive_api_key)
    listed = await beside(client.get_api_keys)
    closed_only = await beside(client.get_closed_only_mode)

    assert derived == client.creds
    assert listed == {"apiKeys": [derived.api_key]}
    assert closed_only == {"closed_only": False}
    assert await beside(client.delete_api_key) == "OK"
    with pytest.raises(exceptions.PolyApiException) as caught:
        await beside(client.get_api_keys)
    assert caught.value.status_code == 401


async def test_it_reads_books_and_prices_one_by_one_and_in_lists(hall: Hall) -> None:
    await quoted(hall)
    client, token = await entered(hall), UPDOWN.yes_token
    one = [types.BookParams(token_id=token)]
    both = [types.BookParams(token_id=token, side=side) for side in ("BUY", "SELL")]

    def work() -> tuple[Any, ...]:
        book = client.get_order_book(token)
        served = book["hash"]
        return (
            (book, served, client.get_order_book_hash(book)),
            client.get_order_books(one),
            (client.get_midpoint(token), client.get_midpoints(one)),
            (client.get_price(token, "BUY"), client.get_prices(both)),
            (client.get_spread(token), client.get_spreads(one)),
            (client.get_last_trade_price(token), client.get_last_trades_prices(one)),
        )

    (book, served, computed), books, mids, prices, spreads, lasts = await beside(work)

    assert book["bids"] == [{"price": "0.48", "size": "100"}]
    assert book["asks"] == [{"price": "0.52", "size": "100"}]
    assert computed == served
    assert books == [book]
    assert mids == ({"mid": "0.5"}, {token: "0.5"})
    assert prices == ({"price": "0.48"}, {token: {"BUY": "0.48", "SELL": "0.52"}})
    assert spreads == ({"spread": "0.04"}, {token: "0.04"})
    assert lasts[0]["side"] == ""


async def test_it_reads_markets_and_their_terms(hall: Hall) -> None:
    client = await entered(hall)

    def work() -> tuple[Any, ...]:
        return (
            client.get_market(UPDOWN.condition_id),
            client.get_clob_market_info(FED.condition_id),
            [client.get_markets(), client.get_simplified_markets()],
            [client.get_sampling_markets(), client.get_sampling_simplified_markets()],
            (client.get_version(), client.get_server_time(), client.get_ok()),
            (client.get_tick_size(FED.yes_token), client.get_neg_risk(FED.yes_token)),
        )

    market, terms, pages, sampling, (version, now, ok), (tick, neg_risk) = await beside(work)

    assert [token["token_id"] for token in market["tokens"]] == list(UPDOWN.tokens)
    assert (terms["nr"], terms["mts"]) == (True, 0.001)
    assert all(len(page["data"]) == 3 and page["next_cursor"] == "LTE=" for page in pages)
    assert all(isinstance(page["data"], list) for page in sampling)
    assert (version, now, ok) == (2, hall.clock.now_ns // 10**9, "OK")
    assert (tick, neg_risk) == ("0.001", True)


@pytest.mark.parametrize("market", MARKETS)
async def test_its_limit_orders_rest_and_are_read_back(hall: Hall, market: Market) -> None:
    """The id is the digest of the domain that the market's version asks for."""
    client = await entered(hall)
    terms = limit(market, market.yes_token, "BUY", 0.4, 10)

    posted = await beside(lambda: client.create_and_post_order(terms))
    read = await beside(lambda: client.get_order(posted["orderID"]))
    listed = await beside(client.get_open_orders)

    assert (posted["success"], posted["status"], posted["errorMsg"]) == (True, "live", "")
    assert (read["price"], read["original_size"], read["order_type"]) == ("0.4", "10", "GTC")
    assert listed == [read]


@pytest.mark.parametrize("market", MARKETS)
async def test_its_market_orders_are_matched_and_traded(hall: Hall, market: Market) -> None:
    """A buy in dollars, and the sale of what it bought, at a price it finds in the book itself."""
    await quoted(hall, market)
    client = await entered(hall)
    buy = at_market(market, market.yes_token, "BUY", 5.2, order_type="FAK")
    sell = at_market(market, market.yes_token, "SELL", 10, order_type="FOK")

    bought = await beside(lambda: client.create_and_post_market_order(buy, order_type="FAK"))
    hall.after(10_000)
    sold = await beside(lambda: client.create_and_post_market_order(sell, order_type="FOK"))
    trades = await beside(client.get_trades)

    assert (bought["status"], bought["makingAmount"], bought["takingAmount"]) == (
        "matched",
        "5.2",
        "10",
    )
    assert (sold["status"], sold["makingAmount"], sold["takingAmount"]) == ("matched", "10", "4.8")
    assert len(bought["transactionsHashes"]) == 1  # which the client looks up by the trade's id
    assert [trade["status"] for trade in trades] == [
        "TRADE_STATUS_MATCHED",
        "TRADE_STATUS_CONFIRMED",
    ]
    assert {trade["trader_side"] for trade in trades} == {"TAKER"}


async def test_its_killed_orders_are_refused_in_the_venues_words(hall: Hall) -> None:
    client = await entered(hall)
    terms = at_market(UPDOWN, UPDOWN.yes_token, "BUY", 5, price=0.5)

    for order_type, text in (("FOK", "couldn't be fully filled"), ("FAK", "no orders found")):
        with pytest.raises(exceptions.PolyApiException) as caught:
            await beside(
                lambda kind=order_type: client.create_and_post_market_order(terms, order_type=kind)
            )
        assert caught.value.status_code == 400
        assert text in caught.value.error_msg["error"]


async def test_its_post_only_order_rests_or_is_refused(hall: Hall) -> None:
    await quoted(hall)
    client = await entered(hall)

    def post(price: float) -> Any:
        terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", price, 10)
        return client.create_and_post_order(terms, post_only=True)

    rests = await beside(lambda: post(0.51))
    with pytest.raises(exceptions.PolyApiException) as caught:
        await beside(lambda: post(0.52))

    assert rests["status"] == "live"
    assert caught.value.error_msg == {"error": "invalid post-only order: order crosses book"}


async def test_its_dated_order_dies_before_its_date(hall: Hall) -> None:
    client = await entered(hall)
    ends_s = hall.clock.now_ns // 10**9 + 120
    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10, expiration=ends_s)

    posted = await beside(lambda: client.create_and_post_order(terms, order_type="GTD"))
    hall.after(61_000)  # the venue ends it a minute early
    read = await beside(lambda: client.get_order(posted["orderID"]))

    assert posted["status"] == "live"
    assert (read["order_type"], read["expiration"]) == ("GTD", str(ends_s))
    assert read["status"].startswith("CANCELED")


@pytest.mark.parametrize("kind", [1, 2, 3], ids=["proxy", "safe", "deposit wallet"])
async def test_its_wallets_trade_with_their_own_money(opened: Open, kind: int) -> None:
    wallet = wallet_of(0, kind, collateral=Usdc(100_000_000))
    hall = await opened(told=config(wallets=(wallet,)))
    client = await entered(hall, wallet=wallet)
    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10)
    position = limit(CANARY, CANARY.yes_token, "BUY", 0.3, 10)
    collateral = types.BalanceAllowanceParams(asset_type="COLLATERAL")

    posted = await beside(lambda: client.create_and_post_order(terms))
    other = await beside(lambda: client.create_and_post_order(position))
    read = await beside(lambda: client.get_order(posted["orderID"]))
    balance = await beside(lambda: client.get_balance_allowance(collateral))

    assert (posted["status"], other["status"]) == ("live", "live")
    assert read["maker_address"] == wallet.address
    assert balance["balance"] == "100000000"


async def test_its_batch_is_answered_leg_by_leg(hall: Hall) -> None:
    client = await entered(hall)

    def work() -> Any:
        good = client.create_order(limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10))
        poor = client.create_order(limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 1_000_000))
        both = [types.PostOrdersV2Args(order=one, orderType="GTC") for one in (good, poor)]
        return client.post_orders(both)

    live, refused = await beside(work)

    assert (live["status"], live["errorMsg"]) == ("live", "")
    assert "not enough balance" in refused["errorMsg"]
    assert refused["orderID"] == ""


async def test_it_cancels_one_some_all_and_a_market(hall: Hall) -> None:
    client = await entered(hall)

    async def rest(market: Market = UPDOWN) -> str:
        terms = limit(market, market.yes_token, "BUY", 0.4, 10)
        return str((await beside(lambda: client.create_and_post_order(terms)))["orderID"])

    ids = [await rest() for _ in range(4)]
    other = await rest(FED)
    ended = "0x" + "ab" * 32

    one = await beside(lambda: client.cancel_order(types.OrderPayload(orderID=ids[0])))
    some = await beside(lambda: client.cancel_orders([ids[1], ended]))
    market = types.OrderMarketCancelParams(market=UPDOWN.condition_id)
    of_market = await beside(lambda: client.cancel_market_orders(market))
    everything = await beside(client.cancel_all)

    assert one == {"canceled": [ids[0]], "not_canceled": {}}
    assert some["canceled"] == [ids[1]]
    assert list(some["not_canceled"]) == [ended]
    assert sorted(of_market["canceled"]) == sorted(ids[2:])
    assert everything["canceled"] == [other]


async def test_its_heartbeats_hold_its_orders(hall: Hall) -> None:
    client = await entered(hall)
    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10)
    await beside(lambda: client.create_and_post_order(terms))

    first = await beside(lambda: client.post_heartbeat(""))
    hall.after(6_000)
    second = await beside(lambda: client.post_heartbeat(first["heartbeat_id"]))
    hall.after(6_000)
    held = await beside(client.get_open_orders)
    hall.after(6_000)
    gone = await beside(client.get_open_orders)

    assert first["heartbeat_id"] != second["heartbeat_id"]
    assert (len(held), gone) == (1, [])


async def test_it_reads_balances_and_asks_for_fresh_ones(hall: Hall) -> None:
    await quoted(hall)
    client = await entered(hall)
    buy = at_market(UPDOWN, UPDOWN.yes_token, "BUY", 5.2, price=0.52)
    await beside(lambda: client.create_and_post_market_order(buy))
    hall.after(10_000)
    shares = types.BalanceAllowanceParams(asset_type="CONDITIONAL", token_id=UPDOWN.yes_token)

    await beside(lambda: client.update_balance_allowance(shares))
    balance = await beside(lambda: client.get_balance_allowance(shares))

    assert balance["balance"] == "10000000"
    assert all(int(amount) > 0 for amount in balance["allowances"].values())


async def test_it_reads_and_drops_notifications(hall: Hall) -> None:
    """A fill of a resting order is notified, until it is dropped."""
    client, taker = await entered(hall), await hall.trader(1)
    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10)
    posted = await beside(lambda: client.create_and_post_order(terms))
    await taker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.6", "10")
    hall.after(10_000)

    told = await beside(client.get_notifications)
    ids = [str(one["id"]) for one in told]
    await beside(lambda: client.drop_notifications(types.DropNotificationParams(ids=ids)))
    left = await beside(client.get_notifications)

    assert [one["payload"]["order_id"] for one in told] == [posted["orderID"]]
    assert left == []


async def test_it_pages_through_its_trades(opened: Open) -> None:
    hall = await opened(told=config(page_size=2))
    await quoted(hall)
    client = await entered(hall)
    for _ in range(3):
        hall.after(1_000)
        buy = at_market(UPDOWN, UPDOWN.yes_token, "BUY", 2.6, price=0.52)
        await beside(lambda terms=buy: client.create_and_post_market_order(terms))
    after = hall.clock.now_ns // 10**9 - 1

    every = await beside(client.get_trades)
    newest = await beside(lambda: client.get_trades(types.TradeParams(after=after)))
    first = await beside(client.get_trades_paginated)

    assert len({trade["id"] for trade in every}) == 3
    assert newest == every[:1]
    assert (first["count"], first["limit"]) == (2, 2)


async def test_a_second_copy_of_its_order_is_a_duplicate(hall: Hall) -> None:
    """The order id is the key to posting at most once (reference 3.5)."""
    client = await entered(hall)

    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10)
    signed = await beside(lambda: client.create_order(terms))

    posted = await beside(lambda: client.post_order(signed))
    with pytest.raises(exceptions.PolyApiException) as caught:
        await beside(lambda: client.post_order(signed))

    text = f"order {posted['orderID']} is invalid. Duplicated."
    assert caught.value.error_msg == {"error": text}


async def test_it_trusts_our_clock_and_scores(hall: Hall) -> None:
    """``use_server_time`` signs with GET /time; nothing here earns rewards."""
    client = await entered(hall)
    client.use_server_time = True
    terms = limit(UPDOWN, UPDOWN.yes_token, "BUY", 0.4, 10)
    posted = await beside(lambda: client.create_and_post_order(terms))
    order = posted["orderID"]

    one = await beside(lambda: client.is_order_scoring(types.OrderScoringParams(orderId=order)))
    some = await beside(
        lambda: client.are_orders_scoring(types.OrdersScoringParams(orderIds=[order]))
    )

    assert one == {"scoring": False}
    assert some == {order: False}
