"""An account's own records: cancels, orders, trades, balances."""

import pytest

from polybawt.core.market import Side
from polybawt.core.units import MILLION
from tests.exchange.conftest import Open
from tests.exchange.house import FED, START_NS, UPDOWN, Hall, StillWorld, config, wallet_of

UNKNOWN = "0x" + "ab" * 32


async def test_a_cancel_names_what_it_cancelled_and_what_not(hall: Hall) -> None:
    """HTTP 200 even when nothing was cancelled: the body is the answer (1.9).

    Proves: H6
    """
    trader = await hall.trader()
    order = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]

    first = await trader.ask("DELETE", "/order", {"orderID": order})
    second = await trader.ask("DELETE", "/orders", [order, UNKNOWN])

    assert first == (200, {"canceled": [order], "not_canceled": {}})
    assert second[0] == 200
    assert second[1]["canceled"] == []
    assert set(second[1]["not_canceled"]) == {order, UNKNOWN}


async def test_nobody_cancels_or_reads_another_accounts_order(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    order = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]

    cancelled = await other.ask("DELETE", "/order", {"orderID": order})
    read = await other.ask("GET", f"/data/order/{order}")
    listed = await other.ask("GET", "/data/orders", id=order)

    assert cancelled[1]["canceled"] == []
    assert read == (404, {"error": "order not found"})
    assert listed[1]["data"] == []


async def test_cancelling_by_market_leaves_the_others(hall: Hall) -> None:
    trader = await hall.trader()
    one = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]
    two = (await trader.place(FED, FED.yes_token, "BUY", "0.4", "10"))[1]["orderID"]

    answer = await trader.ask(
        "DELETE", "/cancel-market-orders", {"market": UPDOWN.condition_id, "asset_id": ""}
    )
    rest = await trader.ask("GET", "/data/orders")

    assert answer[1]["canceled"] == [one]
    assert [row["id"] for row in rest[1]["data"]] == [two]
    assert (await trader.ask("DELETE", "/cancel-all"))[1]["canceled"] == [two]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/order", "{"),
        ("/order", "[]"),
        ("/order", '{"orderID":5}'),
        ("/order", '{"orderID":"0x12"}'),
        ("/order", "<html>"),
        ("/orders", "{}"),
        ("/orders", "[5]"),
        ("/orders", '["zz"]'),
        ("/cancel-market-orders", "[]"),
        ("/cancel-market-orders", '{"market":5}'),
    ],
)
async def test_a_malformed_cancel_is_refused(hall: Hall, path: str, body: str) -> None:
    trader = await hall.trader()

    status, answer = await trader.ask("DELETE", path, body)

    assert (status, list(answer)) == (400, ["error"])


async def test_too_many_cancels_at_once_are_refused(hall: Hall) -> None:
    trader = await hall.trader()

    status, _ = await trader.ask("DELETE", "/orders", [UNKNOWN] * 1001)

    assert status == 400


async def test_an_order_is_read_in_any_status(hall: Hall) -> None:
    trader = await hall.trader()
    order = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10"))[1]["orderID"]
    live = (await trader.ask("GET", f"/data/order/{order}"))[1]
    await trader.ask("DELETE", "/order", {"orderID": order})

    ended = (await trader.ask("GET", f"/data/order/{order}"))[1]

    assert live == {
        "id": order,
        "status": "LIVE",
        "market": UPDOWN.condition_id,
        "asset_id": UPDOWN.yes_token,
        "owner": trader.credentials.key,
        "maker_address": trader.address,
        "side": "BUY",
        "price": "0.4",
        "original_size": "10",
        "size_matched": "0",
        "outcome": "Up",
        "order_type": "GTC",
        "expiration": "0",
        "associate_trades": [],
        "created_at": START_NS // 10**9,
    }
    assert ended["status"] == "CANCELED"
    assert (await trader.ask("GET", "/data/orders"))[1]["data"] == []
    assert (await trader.ask("GET", "/data/orders", id=order))[1]["data"] == [ended]


@pytest.mark.parametrize(("orders", "pages"), [(0, 1), (4, 2), (5, 3)])
async def test_lists_come_in_pages(opened: Open, orders: int, pages: int) -> None:
    """The cursor starts at MA== and ends at LTE=; a client reads until it sees that."""
    hall = await opened(StillWorld(UPDOWN), config(page_size=2))
    trader = await hall.trader()
    ids = [
        (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", price, "10"))[1]["orderID"]
        for price in ("0.1", "0.11", "0.12", "0.13", "0.14")[:orders]
    ]
    cursor, seen, read = "MA==", [], 0
    while cursor != "LTE=":
        page = (await trader.ask("GET", "/data/orders", next_cursor=cursor))[1]
        assert page["count"] == len(page["data"]) <= page["limit"] == 2
        cursor, seen, read = page["next_cursor"], seen + page["data"], read + 1

    assert [row["id"] for row in seen] == ids
    assert read == pages


async def test_orders_of_all_wallets_come_oldest_first(opened: Open) -> None:
    """One key sees everything it may trade from, in one order."""
    wallet = wallet_of(0, 1, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    trader = await hall.trader()
    terms = trader.terms(
        UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000,
        maker=wallet.address, signature_type=1,
    )  # fmt: skip
    first = (await trader.ask("POST", "/order", trader.body(UPDOWN, terms)))[1]["orderID"]
    hall.after(1)
    second = (await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.3", "10"))[1]["orderID"]

    rows = (await trader.ask("GET", "/data/orders"))[1]["data"]

    assert [row["id"] for row in rows] == [first, second]
    purse = await trader.ask(
        "GET", "/balance-allowance", asset_type="COLLATERAL", signature_type="1"
    )
    assert purse[1]["balance"] == str(100 * MILLION)


@pytest.mark.parametrize("cursor", ["%", "AAAA", "LTU=", "x" * 50])
async def test_a_foreign_cursor_is_refused(hall: Hall, cursor: str) -> None:
    trader = await hall.trader()

    status, _ = await trader.ask("GET", "/data/orders", next_cursor=cursor)

    assert status == 400


async def test_a_trade_is_read_by_both_sides_of_it(hall: Hall) -> None:
    """Top-level terms are the taker's; the maker finds itself in ``maker_orders`` (1.11)."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    resting = (await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10"))[1]["orderID"]
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "10")

    mine = (await taker.ask("GET", "/data/trades"))[1]["data"]
    theirs = (await maker.ask("GET", "/data/trades"))[1]["data"]

    assert [(t["trader_side"], t["owner"]) for t in mine] == [("TAKER", taker.credentials.key)]
    assert [(t["trader_side"], t["owner"]) for t in theirs] == [("MAKER", maker.credentials.key)]
    assert mine[0]["id"] == theirs[0]["id"]
    assert (mine[0]["asset_id"], mine[0]["side"]) == (UPDOWN.yes_token, "BUY")
    made = theirs[0]["maker_orders"][0]
    assert (made["order_id"], made["asset_id"], made["side"]) == (resting, UPDOWN.no_token, "BUY")
    assert (made["price"], made["outcome"], made["matched_amount"]) == ("0.48", "Down", "10")
    assert mine[0]["maker_orders"][0]["owner"] == made["owner"] == maker.credentials.key


async def test_a_trade_takes_its_steps_on_chain(hall: Hall) -> None:
    """MATCHED is not final; REST prefixes its statuses."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "10")
    seen = []
    for ms in (0, 2_000, 3_000):
        hall.after(ms)
        seen.append((await taker.ask("GET", "/data/trades"))[1]["data"][0]["status"])

    assert seen == ["TRADE_STATUS_MATCHED", "TRADE_STATUS_MINED", "TRADE_STATUS_CONFIRMED"]


async def test_trades_are_filtered(hall: Hall) -> None:
    """By the taker's asset only: a cross-matched maker misses its own token there (1.11)."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "10")

    async def count(**query: str) -> int:
        return len((await maker.ask("GET", "/data/trades", **query))[1]["data"])

    at_s = START_NS // 10**9
    assert await count(market=UPDOWN.condition_id) == 1
    assert await count(market=FED.condition_id) == 0
    assert await count(asset_id=UPDOWN.yes_token) == 1
    assert await count(asset_id=UPDOWN.no_token) == 0
    assert await count(maker_address=maker.address) == 1
    assert await count(maker_address=taker.address) == 0
    assert await count(after=str(at_s - 1)) == 1
    assert await count(after=str(at_s)) == 0
    assert await count(before=str(at_s + 1)) == 1
    assert await count(id="another") == 0
    assert (await maker.ask("GET", "/data/trades", after="soon"))[0] == 400


async def test_balances_move_when_a_trade_is_mined(hall: Hall) -> None:
    """The balance call lags the match, which is why a client keeps its own ledger."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10")

    async def balances() -> tuple[int, int]:
        dollars = await taker.ask(
            "GET", "/balance-allowance", asset_type="COLLATERAL", signature_type="0"
        )
        shares = await taker.ask(
            "GET", "/balance-allowance", asset_type="CONDITIONAL", token_id=UPDOWN.yes_token
        )
        return int(dollars[1]["balance"]), int(shares[1]["balance"])

    before = await balances()
    hall.after(2_000)

    assert before == (1_000 * MILLION, 0)
    assert await balances() == (1_000 * MILLION - 5 * MILLION - 175_000, 10 * MILLION)


async def test_allowances_name_the_contracts(hall: Hall) -> None:
    trader = await hall.trader()

    status, answer = await trader.ask("GET", "/balance-allowance", asset_type="COLLATERAL")

    assert status == 200
    assert "0xE111180000d2663C0091e4f400237545B87B996B" in answer["allowances"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, "Invalid asset type"),
        ({"asset_type": "GOLD"}, "Invalid asset type"),
        ({"asset_type": "CONDITIONAL"}, "Invalid token id"),
        ({"asset_type": "COLLATERAL", "signature_type": "9"}, "Invalid payload"),
    ],
)
async def test_a_balance_of_nothing_is_refused(
    hall: Hall, query: dict[str, str], text: str
) -> None:
    trader = await hall.trader()

    assert await trader.ask("GET", "/balance-allowance", **query) == (400, {"error": text})


async def test_a_balance_can_be_refreshed(hall: Hall) -> None:
    trader = await hall.trader()

    status, _ = await trader.ask("GET", "/balance-allowance/update", asset_type="COLLATERAL")

    assert status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/order"), ("POST", "/orders"), ("DELETE", "/order"), ("DELETE", "/orders"),
        ("DELETE", "/cancel-all"), ("DELETE", "/cancel-market-orders"), ("GET", "/data/order/0x1"),
        ("GET", "/data/orders"), ("GET", "/data/trades"), ("GET", "/balance-allowance"),
        ("GET", "/balance-allowance/update"), ("POST", "/v1/heartbeats"), ("GET", "/auth/api-keys"),
        ("POST", "/heartbeats"), ("DELETE", "/auth/api-key"), ("GET", "/auth/readonly-api-keys"),
        ("GET", "/auth/ban-status/closed-only"), ("POST", "/auth/readonly-api-key"),
        ("DELETE", "/auth/readonly-api-key"), ("POST", "/auth/builder-api-key"),
        ("GET", "/auth/builder-api-key"), ("DELETE", "/auth/builder-api-key"),
        ("GET", "/notifications"), ("DELETE", "/notifications"), ("GET", "/order-scoring"),
        ("POST", "/orders-scoring"), ("GET", "/data/pre-migration-orders"),
    ],
)  # fmt: skip
async def test_every_private_route_wants_a_key(hall: Hall, method: str, path: str) -> None:
    answer = await hall.client.request(method, path, data=b"{}" if method != "GET" else None)

    assert (answer.status, await answer.json()) == (401, {"error": "Unauthorized/Invalid api key"})
