"""The venue, or something that stands in for it, talks nonsense; the engine counts it and trades.

Everything here goes over the real wire into a running engine.  After each piece of nonsense it
must still hear a fill, book it to the millionth, and withdraw its orders at the end.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import evolve

from polybawt.core.state import Config
from polybawt.core.units import MILLION, MS_NS, SECOND_NS
from polybawt.engine.engine import Engine
from tests.engine.test_engine import LOT, RICH, resting
from tests.engine.town import ACCOUNT, Town, bad, engine, html, journaled, market_of, town, until

PATIENT = evolve(RICH, poll_ns=200 * MS_NS, stop_ns_max=2 * SECOND_NS)


@asynccontextmanager
async def trading(tmp_path: Path, kernel: Config = PATIENT) -> AsyncIterator[tuple[Town, Engine]]:
    """An engine with a large order at rest; afterwards it must still trade, and end well."""
    async with town() as t:
        config = t.config(tmp_path, kernel=kernel)
        async with engine(config) as alive:
            await resting(t)
            yield t, alive
            await still_trades(t, alive)
        assert t.ours == []
        told = [kind for kind, _ in await journaled(config)]
        assert told.count("BadInput") == bad(alive)  # every one is journaled: nothing is lost


async def still_trades(t: Town, alive: Engine) -> None:
    """A fill is heard and booked, and our ledger is the exchange's account."""
    fills = alive.state.counters.get("fills", 0)
    t.take(await resting(t), LOT)
    await until(lambda: alive.state.counters.get("fills", 0) > fills)
    await until(lambda: t.drift(alive) == 0)
    assert alive.state.phase == "trading"
    assert not alive.state.killed()


def told(alive: Engine, words: str) -> bool:
    return any(words in n.text for n in alive.state.notices if n.name == "bad_input")


# The market channel.


def change(alive: Engine, **other: Any) -> str:
    market = market_of(alive)
    level = {
        "asset_id": market.yes_token, "price": "0.11", "size": "5", "side": "BUY", "hash": "x",
        "best_bid": "0.11", "best_ask": "0.9",
    }  # fmt: skip
    frame = {
        "event_type": "price_change", "market": market.condition_id, "timestamp": "1700000000000",
        "price_changes": [level | other],
    }  # fmt: skip
    return json.dumps(frame)


def a_lie(alive: Engine) -> str:
    """A readable change, of the moment of the last one, that leads to no hash of the venue's."""
    market = market_of(alive)
    last_ms = alive.state.books[market.condition_id].views[market.yes_token].timestamp_ms
    return json.dumps(json.loads(change(alive)) | {"timestamp": str(last_ms)})


def a_book(alive: Engine, **other: Any) -> str:
    market = market_of(alive)
    frame = {
        "event_type": "book", "market": market.condition_id, "asset_id": market.yes_token,
        "timestamp": "1700000000000", "hash": "x", "bids": [], "asks": [],
    }  # fmt: skip
    return json.dumps(frame | other)


def a_print(alive: Engine, **other: Any) -> str:
    market = market_of(alive)
    frame = {
        "event_type": "last_trade_price", "market": market.condition_id, "side": "BUY",
        "asset_id": market.yes_token, "price": "0.5", "size": "5", "timestamp": "1700000000000",
    }  # fmt: skip
    return json.dumps(frame | other)


MARKET: dict[str, Callable[[Engine], str | bytes]] = {
    "a price below zero": lambda e: change(e, price="-0.1"),
    "a price above one": lambda e: change(e, price="1.5"),
    "a price of zero": lambda e: change(e, price="0"),
    "a price that is no number": lambda e: change(e, price="NaN"),
    "a price that is infinite": lambda e: change(e, price="Infinity"),
    "no price": lambda e: change(e, price=""),
    "a price that is a list": lambda e: change(e, price=[]),
    "a size below zero": lambda e: change(e, size="-5"),
    "a size beyond all money": lambda e: change(e, size="9" * 30),
    "a side of neither": lambda e: change(e, side="HOLD"),
    "an empty token": lambda e: change(e, asset_id=""),
    "a level between ticks": lambda e: change(e, price="0.11001"),
    "changes of nothing": lambda e: json.dumps(json.loads(change(e)) | {"price_changes": []}),
    "a book without a market": lambda e: a_book(e, market=""),
    "a book with an absurd level": lambda e: a_book(e, bids=[{"price": "1.5", "size": "5"}]),
    "a book with half a level": lambda e: a_book(e, asks=[{"price": "0.5"}]),
    "a book whose side is a text": lambda e: a_book(e, asks="none"),
    "a print at an absurd price": lambda e: a_print(e, price="-0.1"),
    "a print of a negative size": lambda e: a_print(e, size="-1"),
    "an unknown event": lambda e: '{"event_type":"earthquake"}',
    "no event at all": lambda e: "{}",
    "a cut frame": lambda e: a_book(e)[:40],
    "no JSON": lambda e: "<html>",
    "binary garbage": lambda e: bytes(range(1, 128)),
    "a number": lambda e: "17",
    "nesting without end": lambda e: "[" * 100_000,
    "an absurd tick": lambda e: json.dumps(
        {
            "event_type": "tick_size_change",
            "market": market_of(e).condition_id,
            "asset_id": market_of(e).yes_token,
            "new_tick_size": "0.3",
            "timestamp": "1",
        }
    ),
    "a winner from elsewhere": lambda e: json.dumps(
        {
            "event_type": "market_resolved",
            "market": market_of(e).condition_id,
            "assets_ids": list(market_of(e).tokens),
            "winning_asset_id": "1",
            "winning_outcome": "Up",
            "timestamp": "1",
        }
    ),
}


@pytest.mark.parametrize("what", MARKET)
async def test_nonsense_on_the_market_channel_is_counted(tmp_path: Path, what: str) -> None:
    """One bad input each, in the journal and before the operator. Proves: G3, B-core, faults."""
    async with trading(tmp_path) as (t, alive):
        before = bad(alive)
        t.say_market(MARKET[what](alive))
        await until(lambda: bad(alive) == before + 1)

        assert alive.state.counters["notice:bad_input"] == before + 1
        assert "market" in next(n for n in alive.state.notices if n.name == "bad_input").text


async def test_a_bad_message_does_not_spoil_its_neighbours(tmp_path: Path) -> None:
    """A frame of three: the first and the last are believed. Proves: B-ing, faults."""
    async with trading(tmp_path) as (t, alive):
        prints = alive.state.counters.get("prints", 0)
        t.say_market(f"[{a_print(alive)},{a_print(alive, price='NaN')},{a_print(alive)}]")
        await until(lambda: bad(alive) == 1)

        assert alive.state.counters["prints"] == prints + 2


async def test_what_is_merely_unknown_is_no_fault(tmp_path: Path) -> None:
    """The venue adds fields without notice; another market's news is not ours. Proves: faults."""
    async with trading(tmp_path) as (t, alive):
        prints = alive.state.counters.get("prints", 0)
        t.say_market(a_print(alive, colour="red", fee_rate_bps=[None]))
        t.say_market(a_print(alive, market="0xother", asset_id="12"))
        t.say_market(a_print(alive, size=None))  # unknown, not small (G3)
        await until(lambda: alive.state.counters.get("prints", 0) == prints + 2)

        assert bad(alive) == 0


async def test_a_book_that_lies_is_fetched_again(tmp_path: Path) -> None:
    """Readable and wrong: the hash says so, and only a whole book heals it. Proves: B-ing."""
    async with trading(tmp_path) as (t, alive):
        asked = t.asked["GET /book"]
        t.say_market(a_lie(alive))
        await until(lambda: t.asked["GET /book"] > asked)
        token = market_of(alive).yes_token
        await until(lambda: alive.state.feeds[token].state == "fresh")

        found = ("batch_hash_mismatch", "changes_out_of_order")  # a truth may overtake the lie
        assert sum(alive.state.counters.get(name, 0) for name in found) >= 1


# What is below the messages.


async def cut_stream(t: Town, alive: Engine, path: str, raw: bytes) -> None:
    """Write raw bytes into the engine's connection, and close it."""
    downs = alive.state.counters.get("notice:link_down", 0)
    t.sockets[path].write(raw)
    t.sockets[path].close()
    await until(lambda: alive.state.counters.get("notice:link_down", 0) > downs)
    await until(lambda: alive.state.feeds[path.removeprefix("/ws/")].state != "down")


@pytest.mark.parametrize("path", ["/ws/market", "/ws/user"])
@pytest.mark.parametrize(
    "raw",
    [
        b"\x81\x7e\x10\x00" + b'{"event_type":"book"',  # says 4096 bytes, has 20
        b"\x81\x03\xff\xfe\xfd",  # a text that is none
        bytes(range(255, 0, -1)) * 4,
        b"\xc1\x00",  # a reserved bit
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
        b"",
    ],
    ids=["truncated", "no utf-8", "garbage", "reserved", "http", "nothing"],
)
async def test_a_broken_frame_costs_the_connection_and_no_more(
    tmp_path: Path, path: str, raw: bytes
) -> None:
    """It is made again, and what was missed is read. Proves: faults."""
    async with trading(tmp_path) as (t, alive):
        await cut_stream(t, alive, path, raw)


async def test_a_frame_of_forty_megabytes_is_not_taken(tmp_path: Path) -> None:
    """Memory is bounded: the connection is given up and made again. Proves: C5, faults."""
    async with trading(tmp_path) as (t, alive):
        t.say_market(b'{"event_type":"' + b"x" * 40_000_000 + b'"}')
        await until(lambda: alive.state.counters.get("notice:link_down", 0) >= 1)
        await until(lambda: alive.state.feeds["market"].state != "down")

        assert any("1009" in n.text or "too big" in n.text for n in alive.state.notices)


# The user channel.


def a_trade(t: Town, **other: Any) -> str:
    ours = t.ours[0].placement
    maker = {
        "order_id": ours.order_id, "owner": "o", "maker_address": ACCOUNT.address,
        "matched_amount": "5", "price": "0.48", "asset_id": ours.token_id, "side": "BUY",
        "outcome": "Up", "fee_rate_bps": "0",
    }  # fmt: skip
    condition = t.ours[0].condition_id
    trade = {
        "event_type": "trade", "type": "TRADE", "id": "t-1", "status": "MATCHED",
        "market": condition, "asset_id": ours.token_id, "side": "SELL", "size": "5",
        "price": "0.48", "taker_order_id": "0x" + "9" * 64, "maker_orders": [maker],
        "match_time": "1700000000", "timestamp": "1700000000", "owner": "x", "outcome": "Up",
        "trade_owner": "x", "last_update": "1700000000",
    }  # fmt: skip
    makers = other.pop("maker", None)
    if makers is not None:
        trade["maker_orders"] = [maker | makers]
    return json.dumps(trade | other)


USER: dict[str, Callable[[Town], str | bytes]] = {
    "a trade without an id": lambda t: a_trade(t, id=""),
    "a trade of nothing": lambda t: a_trade(t, size="0"),
    "a trade of less than nothing": lambda t: a_trade(t, size="-5"),
    "a trade above a dollar": lambda t: a_trade(t, price="1.5"),
    "a trade below zero": lambda t: a_trade(t, price="-0.1"),
    "a trade at no number": lambda t: a_trade(t, price="NaN"),
    "a trade at no price": lambda t: a_trade(t, price=""),
    "a trade of no side": lambda t: a_trade(t, side=""),
    "a trade beyond all shares": lambda t: a_trade(t, size="9" * 25),
    "a fill of no order": lambda t: a_trade(t, maker={"order_id": ""}),
    "a fill of nothing": lambda t: a_trade(t, maker={"matched_amount": "0"}),
    "a fill at an absurd price": lambda t: a_trade(t, maker={"price": "7"}),
    "makers that are no list": lambda t: a_trade(t, maker_orders={"a": 1}),
    "an order without an id": lambda t: '{"event_type":"order","id":"","type":"UPDATE"}',
    "an order of less than nothing": lambda t: json.dumps(
        {
            "event_type": "order",
            "id": t.ours[0].placement.order_id,
            "type": "UPDATE",
            "status": "LIVE",
            "size_matched": "-1",
        }
    ),
    "an unknown event": lambda t: '{"event_type":"gift"}',
    "no JSON": lambda t: "bye",
    "a cut frame": lambda t: a_trade(t)[:-9],
}


@pytest.mark.parametrize("what", USER)
async def test_nonsense_on_the_user_channel_moves_no_money(tmp_path: Path, what: str) -> None:
    """Counted, told, and our ledger is as it was. Proves: A-exec, B-core, faults."""
    async with trading(tmp_path) as (t, alive):
        cash, before = alive.state.ledger.cash, bad(alive)
        t.say_user(USER[what](t))
        await until(lambda: bad(alive) == before + 1)

        assert alive.state.ledger.cash == cash
        assert alive.state.counters.get("fills", 0) == 0


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("unknown_status", {"status": "PONDERING"}),
        ("stranger", {"maker": {"order_id": "0x" + "7" * 64}}),
    ],
)
async def test_what_is_readable_and_strange_is_an_alarm(
    tmp_path: Path, name: str, other: dict[str, Any]
) -> None:
    """No status and no order is dropped silently. Proves: A-exec, B-exec."""
    async with trading(tmp_path) as (t, alive):
        t.say_user(a_trade(t, **other))
        await until(lambda: alive.state.counters.get(f"notice:{name}", 0) == 1)

        assert alive.state.counters.get("fills", 0) == 0


@pytest.mark.parametrize(
    "other",
    [
        {"maker": {"side": "SELL"}},
        {"maker": {"matched_amount": "999999"}, "size": "999999"},
        {"maker": {"asset_id": "12345"}},
    ],
    ids=["the other side", "more than was asked for", "another token"],
)
async def test_a_fill_that_cannot_be_ours_does_not_end_the_engine(
    tmp_path: Path, other: dict[str, Any]
) -> None:
    """Readable, about our order, and impossible: an alarm, and it goes on. Proves: A-exec."""
    async with town() as t, engine(t.config(tmp_path, kernel=PATIENT)) as alive:
        await resting(t)
        t.say_user(a_trade(t, **other))
        alarms = ("notice:impossible", "notice:bad_input", "notice:stranger")
        await until(lambda: any(alive.state.counters.get(name) for name in alarms))
        t.take(await resting(t), LOT)
        await until(lambda: alive.state.counters.get("fills", 0) >= 1)

        assert alive.state.phase == "trading"


# The price stream.


@pytest.mark.parametrize(
    "payload",
    [
        {"value": -1, "full_accuracy_value": "-1", "timestamp": 1},
        {"value": "NaN", "timestamp": 1},
        {"value": 64000, "full_accuracy_value": "1", "timestamp": 1},
        {"value": 64000.5},
        {"symbol": "", "value": 64000, "timestamp": 1},
        {"value": 64000, "full_accuracy_value": "64000" + "0" * 18, "timestamp": 9_999_999_999_999},
    ],
    ids=["negative", "no number", "contradiction", "no time", "no symbol", "the future"],
)
async def test_an_absurd_report_never_becomes_the_price(
    tmp_path: Path, payload: dict[str, Any]
) -> None:
    """The settlement price decides everything. Proves: C2, faults."""
    async with trading(tmp_path) as (t, alive):
        before = alive.state.oracles["btc/usd"].latest_ms
        report = {"symbol": "btc/usd"} | payload
        t.say_oracle(
            json.dumps({"topic": "crypto_prices_chainlink", "type": "update", "payload": report})
        )
        await until(lambda: bad(alive) + alive.state.counters.get("absurd", 0) == 1)

        assert before <= alive.state.oracles["btc/usd"].latest_ms <= alive.clock() // MS_NS


# The answers.


def text(body: object, status: int = 200) -> web.Response:
    raw = body if isinstance(body, str) else json.dumps(body)
    return web.Response(text=raw, status=status, content_type="application/json")


FOREIGN: dict[str, Callable[[], web.Response]] = {
    "HTML": html,
    "nothing": lambda: web.Response(body=b""),
    "null": lambda: text("null"),
    "garbage": lambda: web.Response(body=os.urandom(64)),
    "a list": lambda: text([]),
    "a cut body": lambda: text('{"orderID":"0x'),
    "an order without an id": lambda: text({"success": True, "orderID": "", "status": "live"}),
    "another order": lambda: text({"success": True, "orderID": "0x1", "status": "live"}),
    "an unknown status": lambda: text({"success": True, "orderID": "0x1", "status": "warm"}),
    "numbers for texts": lambda: text({"success": 1, "orderID": 5, "status": 7}),
    "a 500": lambda: html(500),
    "a body of 20 MB": lambda: web.Response(body=b"x" * 20_000_000),
}


@pytest.mark.parametrize("what", FOREIGN)
async def test_a_foreign_answer_to_an_order_doubles_and_loses_nothing(
    tmp_path: Path, what: str
) -> None:
    """The exchange has the order; its record decides, whatever the answer said.

    Proves: H5, A-exec, faults.
    """
    async with town() as t:
        t.spoil("POST", "/order", FOREIGN[what](), FOREIGN[what]())
        async with engine(t.config(tmp_path, kernel=PATIENT)) as alive:
            await until(lambda: not t.spoilt["POST", "/order"])
            settled = (
                "live",
                "partially_filled",
                "filled",
                "cancelled",
                "pending_cancel",
                "closing",
            )
            await until(
                lambda: (
                    len(t.accepted) >= 2
                    and all(
                        alive.state.orders[alive.state.intent_of[i]].state in settled
                        for i in t.accepted
                        if i in alive.state.intent_of
                    )
                )
            )
            await still_trades(t, alive)

            assert len(set(t.accepted)) == len(t.accepted)
            assert set(t.accepted) <= set(alive.state.intent_of) | set(alive.state.forgotten)
            assert "orphans" not in alive.state.counters
        assert t.ours == []


@pytest.mark.parametrize("what", ["HTML", "nothing", "null", "garbage", "a list", "a 500"])
async def test_a_foreign_answer_to_a_cancel_is_asked_again(tmp_path: Path, what: str) -> None:
    """A cancel without a clear yes is no cancel. Proves: H6, P1.5."""
    async with town() as t:
        async with engine(t.config(tmp_path, kernel=PATIENT)) as alive:
            await until(lambda: len(t.ours) >= 2)
            t.instead("DELETE", "/order", *[FOREIGN[what]() for _ in range(3)])
        assert t.answers["DELETE", "/order"].maxlen is None
        assert t.ours == []
        assert list(alive.state.open_orders()) == []


@pytest.mark.parametrize("what", ["HTML", "nothing", "null", "garbage", "a list", "a 500"])
async def test_a_foreign_book_is_counted_and_asked_again(tmp_path: Path, what: str) -> None:
    """Until a whole one comes, nothing is traded on it. Proves: H4, faults."""
    async with trading(tmp_path) as (t, alive):
        failed = alive.state.counters.get("failed_reads", 0)
        t.instead("GET", "/book", *[FOREIGN[what]() for _ in range(2)])
        t.say_market(a_lie(alive))
        await until(lambda: not t.answers["GET", "/book"])
        token = market_of(alive).yes_token
        await until(lambda: alive.state.feeds[token].state == "fresh")

        if what != "a 500":  # a 500 is simply read again
            assert bad(alive) + alive.state.counters.get("failed_reads", 0) > failed


@pytest.mark.parametrize(
    "body",
    [
        {"balance": "NaN"}, {"balance": "-5"}, {"balance": ""}, {"balance": "9" * 40},
        {"balance": "99999999999999999999"}, {"balance": 1.5}, [], "null", "<html>",
    ],
    ids=str,
)  # fmt: skip
async def test_an_absurd_balance_is_never_our_cash(tmp_path: Path, body: object) -> None:
    """Asked again until it can be believed; nothing is sent before. Proves: recovery, faults."""
    async with town() as t:
        t.instead("GET", "/balance-allowance", text(body))
        async with engine(t.config(tmp_path, kernel=PATIENT)) as alive:
            assert alive.state.ledger.cash == 1_000 * MILLION
            assert t.asked["GET /balance-allowance"] >= 2
            await still_trades(t, alive)


@pytest.mark.parametrize(
    ("path", "rows"),
    [
        ("/data/orders", [{"id": ""}]),
        ("/data/orders", [17]),
        ("/data/trades", [{"id": "t"}]),
        ("/data/trades", ["x"]),
    ],
)
async def test_half_a_list_is_no_list(tmp_path: Path, path: str, rows: object) -> None:
    """A row that cannot be read may be our order: the list is read again. Proves: recovery."""
    async with town() as t:
        t.instead("GET", path, *[text({"data": rows, "next_cursor": "LTE="}) for _ in range(2)])
        async with engine(t.config(tmp_path, kernel=PATIENT)) as alive:
            assert alive.state.counters["failed_reads"] >= 2
            assert not t.answers["GET", path]
            await still_trades(t, alive)


async def test_absurd_markets_are_told_once_and_the_others_traded(tmp_path: Path) -> None:
    """A catalogue that is odd today is odd at every poll. Proves: B-core, faults."""
    odd = [{"conditionId": ""}, {"conditionId": "0x1", "slug": "x", "orderPriceMinTickSize": -1}, 5]
    page = text({"markets": odd[:2], "next_cursor": None})
    async with town() as t:
        t.instead("GET", "/gamma/markets/keyset", html(), text("[]"), text({"markets": odd}), page)
        kernel = evolve(PATIENT, discover_ns=100 * MS_NS)
        async with engine(t.config(tmp_path, kernel=kernel)) as alive:
            await until(lambda: not t.answers["GET", "/gamma/markets/keyset"])
            await resting(t)
            await still_trades(t, alive)

            assert alive.state.counters["failed_reads"] == 3
            assert bad(alive) == 2


async def test_a_storm_of_nonsense_does_not_stop_the_trading(tmp_path: Path) -> None:
    """A thousand bad messages on three streams at once, and a fill among them. Proves: load."""
    async with trading(tmp_path) as (t, alive):
        for _ in range(350):
            t.say_market(change(alive, price="NaN"))
            t.say_user('{"event_type":"gift"}')
            t.say_oracle('{"topic":"weather"}')
        await still_trades(t, alive)
        await until(lambda: bad(alive) == 1_050)
        await asyncio.sleep(0)

        assert len(alive.state.notices) <= 200
