"""A recording played through the exchange: verbatim on the wire, matched inside the venue."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.units import MS_NS
from polybawt.exchange.replay import ReplayError, read_session, read_settlement_day
from polybawt.exchange.worlds import chosen
from tests.exchange.conftest import Open
from tests.exchange.house import Hall, config
from tests.exchange.test_streams import BTC, asked, heard, market_socket, quiet_until_pong

Recorded = Callable[[str], Path]
SESSION = "ws_raw/session_20260428d.raw.jsonl.gz"


def rows_of(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt") as file:
        return [orjson.loads(line) for line in file]


def messages_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a record says about books: nothing when it comes from another venue."""
    if row["source"] != "polymarket_clob":
        return []
    frame = orjson.loads(row["payload"])
    return frame if isinstance(frame, list) else [frame]


async def played(opened: Open, path: Path) -> Hall:
    told = config(replay=path)
    hall = await opened(chosen(told, 0), told)
    hall.clock.now_ns = hall.floor.world.start_ns
    return hall


def at(hall: Hall, recv_ms: int) -> None:
    hall.clock.now_ns = recv_ms * MS_NS
    hall.floor.step()


def proved(book: dict[str, Any], rest: dict[str, Any]) -> bool:
    """Whether a book of the stream fits its hash; REST adds the fields it does not carry."""
    whole = {
        **{k: book[k] for k in ("market", "asset_id", "timestamp")},
        "hash": "",
        **{k: book[k] for k in ("bids", "asks")},
        **{k: rest[k] for k in ("min_order_size", "tick_size", "neg_risk")},
        "last_trade_price": book["last_trade_price"],
    }
    return hashlib.sha1(orjson.dumps(whole)).hexdigest() == book["hash"]


async def test_recorded_frames_go_out_as_they_were(opened: Open, recorded: Recorded) -> None:
    """Byte for byte, in order, each to those who follow its tokens."""
    path = recorded(SESSION)
    rows = rows_of(path)
    stream = [r for r in rows if r["source"] == "polymarket_clob" and "event_type" in r["payload"]]
    hall = await played(opened, path)
    tokens = [t for market in hall.floor.venue.markets.values() for t in market.tokens]
    socket = await market_socket(hall, *tokens, custom_feature_enabled=True)
    await heard(socket)
    for row in rows:
        at(hall, row["recv_wall_ts"])

    got = []
    await socket.send_str("PING")
    while (message := await socket.receive(timeout=5)).data != "PONG":
        got.append(message.data)

    assert got == [row["payload"] for row in stream]


async def test_a_recorded_body_is_served_as_it_was(opened: Open, recorded: Recorded) -> None:
    path = recorded(SESSION)
    hall = await played(opened, path)
    body = next(r for r in rows_of(path) if '"min_order_size"' in r["payload"])
    at(hall, body["recv_wall_ts"])
    token = orjson.loads(body["payload"])["asset_id"]

    answer = await hall.client.get("/book", params={"token_id": token})

    assert await answer.text() == body["payload"]


async def test_who_joins_in_the_middle_gets_a_book_that_the_next_frames_fit(
    opened: Open, recorded: Recorded
) -> None:
    """At every moment of a session the first dump has the hash that was recorded last."""
    path = recorded("ws_raw/session_20260428a.raw.jsonl.gz")
    hall = await played(opened, path)
    last: dict[str, str] = {}
    rest: dict[str, Any] = {}
    checked = changed = 0
    rows = rows_of(path)
    for row, following in zip(rows, [*rows[1:], rows[-1]], strict=True):
        at(hall, row["recv_wall_ts"])
        for message in messages_of(row):
            changed += "price_changes" in message
            last |= {c["asset_id"]: c["hash"] for c in message.get("price_changes", ())}
            if message.get("event_type") == "book":
                last[message["asset_id"]] = message["hash"]
            elif "min_order_size" in message:
                rest[message["asset_id"]] = message
        if "price_change" in following["payload"]:
            continue  # a group of changes is whole only at its end
        for book in orjson.loads(hall.floor.publisher.first_books(list(last)) or b"[]"):
            checked += 1
            assert book["hash"] == last[book["asset_id"]]
            assert proved(book, rest[book["asset_id"]])

    assert changed == 23
    assert checked > 500


async def test_recorded_prices_reach_the_price_stream(opened: Open, recorded: Recorded) -> None:
    path = recorded(SESSION)
    rows = [r for r in rows_of(path) if r["source"] == "polymarket_rtds_chainlink"]
    wanted = [r["payload"] for r in rows if '"symbol":"btc/usd"' in r["payload"]]
    hall = await played(opened, path)
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", BTC))
    assert await quiet_until_pong(socket) == []
    for row in rows_of(path):
        at(hall, row["recv_wall_ts"])

    got = await quiet_until_pong(socket)
    late = await hall.client.ws_connect("/ws/rtds")
    await late.send_json(asked("subscribe", BTC))
    history = (await heard(late))[0]

    assert got == [orjson.loads(text) for text in wanted]
    points = history["payload"]["data"]
    assert len(points) == 60
    assert points[-1]["value"] == got[-1]["payload"]["value"]


async def test_an_order_of_ours_trades_with_the_recorded_book(
    opened: Open, recorded: Recorded
) -> None:
    """Own orders are matched inside the venue; the public stream stays the recording."""
    path = recorded(SESSION)
    hall = await played(opened, path)
    rows = rows_of(path)
    at(hall, next(r for r in rows if "tick_size" in r["payload"])["recv_wall_ts"] + 2_000)
    market = next(iter(hall.floor.venue.markets.values()))
    bids, asks = hall.floor.venue.levels(market.yes_token)
    trader = await hall.trader()
    socket = await market_socket(hall, *market.tokens)
    await heard(socket)

    status, answer = await trader.place(
        market, market.yes_token, "BUY", str(asks[-1][0] / 1_000_000), "5"
    )
    hall.after(1)

    assert bids
    assert (status, answer["status"]) == (200, "matched")
    assert await quiet_until_pong(socket) == []


async def test_a_settlement_day_resolves_as_it_did(opened: Open, recorded: Recorded) -> None:
    """Reports come as updates, and Gamma shows what the day showed.

    Proves: C1
    """
    folder = recorded("settlement/BTC-5m-markets-2026-06-08.jsonl.gz").parent
    hall = await played(opened, folder)
    markets = rows_of(folder / "BTC-5m-markets-2026-06-08.jsonl.gz")[:3]
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", BTC))
    await quiet_until_pong(socket)
    at(hall, (markets[2]["end_sec"] + 200) * 1000)

    got = await quiet_until_pong(socket)

    assert got[0]["payload"]["full_accuracy_value"] == "63304200301195075000000"
    for row in markets:
        found = await hall.get("/gamma/markets", condition_ids=row["condition_id"])
        assert json.loads(found[0]["outcomePrices"]) == row["outcome_prices"]
        assert found[0]["events"][0]["eventMetadata"]["strikeE18"] == row["strike_value"]


# What cannot be played.


def gz(path: Path, *lines: str) -> Path:
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return path


GOOD = json.dumps(
    {
        "source": "polymarket_clob",
        "recv_wall_ts": 1,
        "payload": json.dumps(
            {
                "market": "0x1", "asset_id": "1", "timestamp": "1", "hash": "", "bids": [],
                "asks": [], "min_order_size": "5", "tick_size": "0.01", "neg_risk": False,
                "last_trade_price": "",
            }
        ),
    }
)  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "5",
        '{"source":"polymarket_clob"}',
        '{"source":"polymarket_clob","recv_wall_ts":1,"payload":"{"}',
        '{"source":"polymarket_clob","recv_wall_ts":1,"payload":"{\\"event_type\\":\\"book\\"}"}',
    ],
)
def test_a_garbled_line_is_named(tmp_path: Path, bad: str) -> None:
    """A recording that is half read proves the wrong things."""
    path = gz(tmp_path / "x.raw.jsonl.gz", GOOD, bad)

    with pytest.raises(ReplayError, match="line 2") as caught:
        read_session(path)

    assert (caught.value.path, caught.value.line) == (path, 2)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    torn = tmp_path / "torn.raw.jsonl.gz"
    torn.write_bytes(gzip.compress(GOOD.encode() * 100)[:-20])
    plain = tmp_path / "plain.raw.jsonl.gz"
    plain.write_text("no gzip")
    for path in (tmp_path / "none.raw.jsonl.gz", torn, plain):
        with pytest.raises(ReplayError, match=path.name):
            read_session(path)


def test_an_empty_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="no record"):
        read_session(gz(tmp_path / "x.raw.jsonl.gz"))


def test_a_folder_without_a_day_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="holds 0 files"):
        read_settlement_day(tmp_path)


def test_a_garbled_day_is_named_by_file_and_line(tmp_path: Path) -> None:
    gz(tmp_path / "BTC-5m-markets-1.jsonl.gz")
    gz(
        tmp_path / "BTCUSD-prices-1.csv.gz",
        "feed_ts_ms,value,full_accuracy_value,recv_ms",
        "1,2,x,4",
    )

    with pytest.raises(ReplayError, match=r"prices.*line 2"):
        read_settlement_day(tmp_path)
