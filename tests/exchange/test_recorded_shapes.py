"""What we serve has at least the keys that the real venue was recorded to serve.

A client that was written against the venue must find everything it looks for.
"""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import Price, Shares, parse_micro
from polybawt.exchange.wire import books
from polybawt.sim.records import Report
from tests.exchange.house import FED, UPDOWN, Hall, a_market
from tests.exchange.test_streams import (
    asked,
    heard,
    market_socket,
    quiet_until_pong,
)

Recorded = Callable[[str], Path]


def load(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def missing(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """The paths of keys that theirs has and ours has not, through objects and first elements."""
    if isinstance(theirs, dict):
        if not isinstance(ours, dict):
            return [where]
        gone = [f"{where}.{key}" for key in theirs if key not in ours]
        both = [key for key in theirs if key in ours]
        return gone + [m for key in both for m in missing(ours[key], theirs[key], f"{where}.{key}")]
    if isinstance(theirs, list) and theirs and isinstance(ours, list) and ours:
        return missing(ours[0], theirs[0], f"{where}[0]")
    return []


async def test_gamma_markets_have_every_recorded_key(hall: Hall, recorded: Recorded) -> None:
    theirs = load(recorded("rest/crypto_updown_2026-06/gamma_market_updown.json"))

    ours = await hall.get(f"/gamma/markets/slug/{UPDOWN.slug}")

    assert missing(ours, theirs) == []
    types = {key: (type(ours[key]), type(theirs[key])) for key in theirs}
    numbers = (int, float)
    assert [k for k, (a, b) in types.items() if a is not b and {a, b} - set(numbers)] == []


async def test_clob_markets_have_every_recorded_key(hall: Hall, recorded: Recorded) -> None:
    theirs = load(recorded("rest/fed_decision_2026-05-17/clob-markets.json"))

    ours = await hall.get(f"/clob-markets/{FED.condition_id}")

    assert [gap for row in theirs for gap in missing(ours, row)] == []


@pytest.mark.parametrize(
    "name",
    ["rest/fed_decision_2026-05-17/clob-books.json", "rest/crypto_updown_2026-06/clob_book.json"],
)
async def test_books_have_exactly_the_recorded_keys(
    hall: Hall, recorded: Recorded, name: str
) -> None:
    """Exactly, and in their order: the hash is over this text."""
    theirs = load(recorded(name))

    ours = await hall.get("/book", token_id=UPDOWN.yes_token)

    for book in theirs if isinstance(theirs, list) else [theirs]:
        assert list(ours) == list(book)


@pytest.mark.parametrize(
    "name",
    ["rest/fed_decision_2026-05-17/clob-books.json", "rest/crypto_updown_2026-06/clob_book.json"],
)
def test_a_recorded_book_is_rendered_to_the_same_bytes_and_hash(
    recorded: Recorded, name: str
) -> None:
    """Our renderer, given what the venue knew, writes what the venue wrote."""
    theirs = load(recorded(name))
    for book in theirs if isinstance(theirs, list) else [theirs]:
        market = Market(
            condition_id=book["market"], slug="", question="", yes_token=book["asset_id"],
            no_token="0", tick=Price(parse_micro(book["tick_size"])), fees=FeeSchedule(),
            min_size=Shares(parse_micro(book["min_order_size"])), neg_risk=book["neg_risk"],
        )  # fmt: skip
        levels = [
            [(Price(parse_micro(x["price"])), Shares(parse_micro(x["size"]))) for x in book[side]]
            for side in ("bids", "asks")
        ]

        view = books.book_view(
            market, book["asset_id"], int(book["timestamp"]), (levels[0], levels[1]),
            book["last_trade_price"],
        )  # fmt: skip

        assert view.hash == book["hash"]
        assert orjson.loads(view.rest) == book


def frames(path: Path, source: str) -> list[Any]:
    with gzip.open(path, "rt") as file:
        rows = [orjson.loads(line) for line in file]
    return [orjson.loads(row["payload"]) for row in rows if row["source"] == source]


async def test_market_frames_have_every_recorded_key(hall: Hall, recorded: Recorded) -> None:
    path = recorded("ws_raw/session_20260428a.raw.jsonl.gz")
    told: dict[str, Any] = {}
    for frame in frames(path, "polymarket_clob"):
        for message in frame if isinstance(frame, list) else [frame]:
            told.setdefault(message.get("event_type", ""), message)
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    hall.after(1)
    socket = await market_socket(hall, *UPDOWN.tokens, custom_feature_enabled=True)
    first = (await heard(socket))[0]
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")
    hall.world.venue.list_market(a_market("fresh"), hall.clock.now_ns)
    hall.after(1)
    ours = {frame["event_type"]: frame for frame in await quiet_until_pong(socket)}
    ours["book"] = first[0]

    for kind in ("book", "price_change", "new_market"):
        assert missing(ours[kind], told[kind]) == []


async def test_later_market_frames_have_every_recorded_key(hall: Hall, recorded: Recorded) -> None:
    lines = recorded("ws_raw/frames_2026-06_09.jsonl").read_text().splitlines()
    told = [orjson.loads(orjson.loads(line)["raw"]) for line in lines]
    maker, taker = await hall.trader(1), await hall.trader(0)
    socket = await market_socket(hall, *UPDOWN.tokens, custom_feature_enabled=True)
    await heard(socket)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.48", "10")
    hall.after(1)
    await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")
    hall.after(1)

    ours = {frame["event_type"]: frame for frame in await quiet_until_pong(socket)}

    assert [gap for frame in told for gap in missing(ours[frame["event_type"]], frame)] == []


async def test_price_frames_have_every_recorded_key(hall: Hall, recorded: Recorded) -> None:
    path = recorded("ws_raw/session_20260428d.raw.jsonl.gz")
    told = {frame["type"]: frame for frame in frames(path, "polymarket_rtds_chainlink")}
    hall.world.coming = [Report("btc/usd", 10**22, 1)]
    hall.after(1)
    socket = await hall.client.ws_connect("/ws/rtds")
    await socket.send_json(asked("subscribe", None))
    history = (await heard(socket))[0]
    hall.world.coming = [Report("btc/usd", 10**22, 2)]
    hall.after(1)
    update = (await heard(socket))[0]

    assert missing(history, told["subscribe"]) == []
    assert missing(update, told["update"]) == []
    assert history["topic"] == told["subscribe"]["topic"]


def test_the_published_hash_vectors_are_ours_too() -> None:
    """The two examples of reference 4.2, one of them Protocol V2."""
    terms: dict[str, Any] = {
        "condition_id": "0x" + "ab" * 32, "slug": "", "question": "", "yes_token": "123",
        "no_token": "124", "tick": Price(10_000), "min_size": Shares(5_000_000),
    }  # fmt: skip
    bids = [(Price(480_000), Shares(30_000_000)), (Price(490_000), Shares(20_500_000))]
    asks = [(Price(530_000), Shares(60_000_000)), (Price(520_000), Shares(25_000_000))]
    found = [
        books.book_view(
            Market(**terms, version=version), "123", 1_700_000_000_000, (bids, asks), "0.500"
        ).hash
        for version in ("v1", "v2")
    ]

    assert found == [
        "53950cfedfd65b9655f91619b16d01dd74a9ded9",
        "7539d3259afc0618a69312c562188bc9c937b3bc",
    ]
