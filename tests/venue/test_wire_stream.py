"""Frames of the three streams: recorded ones, odd ones and absurd ones."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import facts
from polybawt.core.machine import Fact
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares
from polybawt.venue import wire_stream as w

Recorded = Callable[[str], Path]
NOW = 1_700_000_000_000_000_000
SESSIONS = [f"session_202604{day}.raw.jsonl.gz" for day in ("27b", "28a", "28b", "28d", "28e")]


def market(message: object) -> tuple[Fact, ...]:
    return w.market_facts(orjson.dumps(message), NOW)


def user(message: object) -> tuple[Fact, ...]:
    return w.user_facts(orjson.dumps(message), NOW)


def oracle(message: object) -> tuple[Fact, ...]:
    return w.oracle_facts(orjson.dumps(message), NOW)


def frames(path: Path, source: str) -> Iterator[str]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            row = json.loads(line)
            if row["source"] == source:
                yield row["payload"]


# Recorded traffic.


@pytest.mark.parametrize("session", SESSIONS)
def test_every_recorded_market_frame_is_understood(recorded: Recorded, session: str) -> None:
    """What the venue really sent, across its own change of version, leaves nothing behind.

    Proves: H4, A-exec
    """
    expected = json.loads(recorded("ws_raw/expected.json").read_text())[session]
    found: Counter[str] = Counter()
    for payload in frames(recorded(f"ws_raw/{session}"), "polymarket_clob"):
        if '"event_type"' not in payload:  # a REST book in the same recording
            book = w.book_snapshot(json.loads(payload), "rest", NOW)
            found["clob:rest_book"] += bool(book.min_size and book.tick)
            continue
        told = w.market_facts(payload, NOW)
        found["clob:book"] += sum(isinstance(fact, facts.BookSnapshot) for fact in told)
        changed = [fact for fact in told if isinstance(fact, facts.PriceChanged)]
        found["clob:price_change"] += len(changed)
        found["levels"] += sum(len(fact.changes) for fact in changed)
        found["clob:new_market"] += not told
        assert not [fact for fact in told if isinstance(fact, facts.BadInput)]

    messages, integrity = expected["messages"], expected["integrity"]
    for name in ("clob:rest_book", "clob:book", "clob:price_change", "clob:new_market"):
        assert found[name] == messages.get(name, 0), name
    assert found["levels"] == integrity.get("price_change_levels", 0)


@pytest.mark.parametrize("session", SESSIONS[2:])
def test_every_recorded_oracle_frame_is_understood(recorded: Recorded, session: str) -> None:
    """The dump of history comes under the topic of another feed; its reports count as well.

    Proves: C2, P0.2
    """
    path = recorded(f"ws_raw/{session}")
    expected = json.loads(recorded("ws_raw/expected.json").read_text())[session]["messages"]
    found: Counter[str] = Counter()
    for payload in frames(path, "polymarket_rtds_chainlink"):
        told = w.oracle_facts(payload, NOW)
        assert told
        assert all(isinstance(fact, facts.OracleReported) for fact in told)
        found["update" if "full_accuracy_value" in payload else "subscribe"] += 1

    name = "polymarket_rtds_chainlink"
    assert found["update"] == expected[f"{name}:crypto_prices_chainlink:update"]
    assert found["subscribe"] == expected[f"{name}:crypto_prices:subscribe"]


def test_later_frames_are_understood_too(recorded: Recorded) -> None:
    """Three months and a protocol later the same readers hold."""
    kinds: Counter[str] = Counter()
    for line in recorded("ws_raw/frames_2026-06_09.jsonl").read_text().splitlines():
        for fact in w.market_facts(json.loads(line)["raw"], NOW) or ("nothing",):
            kinds[type(fact).__name__ if isinstance(fact, Fact) else fact] += 1

    assert kinds == {"nothing": 2, "PriceChanged": 4, "LastTrade": 8}


# Market channel.

BOOK: dict[str, Any] = {
    "event_type": "book",
    "market": "0xc0",
    "asset_id": "1",
    "timestamp": "1700000000123",
    "hash": "5395",
    "bids": [{"price": "0.48", "size": "30"}, {"price": "0.49", "size": "20.5"}],
    "asks": [{"price": "0.53", "size": "60"}],
}
CHANGE = {
    "asset_id": "1",
    "price": "0.5",
    "size": "200",
    "side": "BUY",
    "hash": "5616",
    "best_bid": "0.5",
    "best_ask": "1",
}
CHANGED = {
    "event_type": "price_change",
    "market": "0xc0",
    "timestamp": "1700000000123",
    "price_changes": [CHANGE],
}
PRINT = {
    "event_type": "last_trade_price",
    "market": "0xc0",
    "asset_id": "1",
    "price": "0.040",
    "size": "3.581817",
    "side": "SELL",
    "timestamp": "1700000000123",
}
RESOLVED = {
    "event_type": "market_resolved",
    "market": "0xc0",
    "assets_ids": ["1", "2"],
    "winning_asset_id": "2",
    "winning_outcome": "Down",
}


def test_a_book_keeps_the_venues_order_and_texts() -> None:
    """The hash is over the text as served; worst level first. Proves: H4"""
    (book,) = market([BOOK])

    assert book == facts.BookSnapshot(
        condition_id="0xc0",
        token_id="1",
        timestamp_ms=1_700_000_000_123,
        hash="5395",
        bids=((Price(480_000), Shares(30_000_000)), (Price(490_000), Shares(20_500_000))),
        asks=((Price(530_000), Shares(60_000_000)),),
        last_trade=None,
        source="ws",
        at_ns=NOW,
    )
    assert isinstance(book, facts.BookSnapshot)


def test_a_change_is_an_absolute_size_and_an_empty_side_has_no_best_price() -> None:
    """A best ask of one dollar means that nobody offers."""
    (changed,) = market(CHANGED)

    assert isinstance(changed, facts.PriceChanged)
    change = changed.changes[0]
    assert (change.price, change.size, change.side) == (500_000, 200_000_000, Side.BUY)
    assert (change.best_bid, change.best_ask) == (500_000, None)


def test_a_print_without_a_size_is_unknown_not_small() -> None:
    """Finding G3: it is completed by a look-up later. The text of the price is kept. Proves: G3"""
    (known,), (unknown,) = market(PRINT), market({**PRINT, "size": ""})

    assert isinstance(known, facts.LastTrade)
    assert isinstance(unknown, facts.LastTrade)
    assert (known.shares, known.price_text, known.side) == (3_581_817, "0.040", Side.SELL)
    assert unknown.shares is None


@pytest.mark.parametrize(
    ("winner", "word", "payouts"),
    [
        ("2", "Down", (0, 1_000_000)),
        ("1", "Yes", (1_000_000, 0)),
        ("1", "Down", (0, 1_000_000)),  # listed the other way round: the word decides
        ("1", "Arsenal", (1_000_000, 0)),
        ("2", "", (0, 1_000_000)),
    ],
)
def test_a_resolution_pays_the_named_winner(
    winner: str, word: str, payouts: tuple[int, int]
) -> None:
    """Only what the venue published counts. Proves: C1, P0.1"""
    (told,) = market({**RESOLVED, "winning_asset_id": winner, "winning_outcome": word})

    assert isinstance(told, facts.MarketResolved)
    assert (told.yes_payout, told.no_payout) == payouts


def test_a_tick_change_is_told() -> None:
    """A cached tick makes every later order invalid (reference 6.18)."""
    message = {"event_type": "tick_size_change", "market": "0xc0", "asset_id": "1"}
    (told,) = market({**message, "old_tick_size": "0.01", "new_tick_size": "0.001"})

    assert told == facts.TickSizeChanged(
        condition_id="0xc0", token_id="1", tick=Price(1_000), at_ns=NOW
    )


@pytest.mark.parametrize("kind", ["best_bid_ask", "new_market"])
def test_what_is_not_needed_says_nothing(kind: str) -> None:
    """Known and useless is not the same as unknown."""
    assert market({"event_type": kind, "market": "0xc0"}) == ()
    assert market([]) == ()


def book_with(**fields: object) -> dict[str, object]:
    return {**BOOK, **fields}


ABSURD: list[object] = [
    b"",
    b"<html>502 Bad Gateway</html>",
    b'{"event_type":"book","market":"0xc0","asset_id":"1","bi',
    b"INVALID OPERATION",
    b'"PONGPONG"',
    b"17",
    b"null",
    b"\xff\xfe\x00",
    b'{"event_type":"last_trade_price","price":NaN}',
    {},
    {"event_type": "surprise"},
    {"event_type": 7},
    book_with(bids=[{"price": "-0.01", "size": "5"}]),
    book_with(bids=[{"price": "1.01", "size": "5"}]),
    book_with(bids=[{"price": "0", "size": "5"}]),
    book_with(bids=[{"price": "NaN", "size": "5"}]),
    book_with(bids=[{"price": "Infinity", "size": "5"}]),
    book_with(bids=[{"price": "0.00001", "size": "5"}]),
    book_with(bids=[{"price": "0.5", "size": "-5"}]),
    book_with(bids=[{"price": "0.5", "size": "1e9"}]),
    book_with(bids=[{"price": "0.5", "size": "9" * 25}]),
    book_with(bids=[{"price": "0.5"}]),
    book_with(bids=["0.5"]),
    book_with(bids="0.5"),
    {name: value for name, value in BOOK.items() if name != "asks"},
    book_with(asset_id=""),
    book_with(asset_id=None),
    book_with(asset_id=10**18),
    book_with(asset_id="1\x1b[31m"),
    book_with(asset_id="9" * 1_000),
    book_with(timestamp="yesterday"),
    book_with(timestamp=-5),
    {**CHANGED, "price_changes": []},
    {**CHANGED, "market": ""},
    {**PRINT, "side": "HOLD"},
    {**PRINT, "price": ""},
    {**PRINT, "price": True},
    {**RESOLVED, "winning_asset_id": "3"},
    {**RESOLVED, "winning_asset_id": ""},
    {"event_type": "tick_size_change", "market": "0xc0", "asset_id": "1", "new_tick_size": "0.3"},
]


@pytest.mark.parametrize("absurd", ABSURD, ids=lambda x: repr(x)[:70])
def test_absurd_input_becomes_one_bad_input(absurd: object) -> None:
    """Never a crash, never a guess, always something to look at. Proves: faults, B-core"""
    raw = absurd if isinstance(absurd, bytes) else orjson.dumps(absurd)
    told = w.market_facts(raw, NOW)

    (bad,) = told
    assert isinstance(bad, facts.BadInput)
    assert bad.reason
    assert bad.source == "market"
    assert len(bad.excerpt) <= 200
    assert bad.excerpt.isprintable()


def test_a_bad_message_does_not_spoil_its_neighbours() -> None:
    """An array is many messages; an absolute size is true alone."""
    bad_level = {**CHANGE, "price": "-0.5"}
    told = market([BOOK, {"event_type": "surprise"}, PRINT])
    changed = market({**CHANGED, "price_changes": [CHANGE, bad_level, CHANGE]})

    assert [type(f) for f in told] == [facts.BookSnapshot, facts.BadInput, facts.LastTrade]
    assert [type(f) for f in changed] == [facts.PriceChanged, facts.BadInput]
    assert isinstance(changed[0], facts.PriceChanged)
    assert len(changed[0].changes) == 2


def test_an_unknown_field_is_harmless() -> None:
    """The venue adds fields without notice."""
    assert market({**PRINT, "brand_new": {"deep": [1]}}) == market(PRINT)


# User channel.

ORDER = {
    "event_type": "order",
    "type": "UPDATE",
    "id": "0x0a",
    "market": "0xc0",
    "size_matched": "4",
    "status": "LIVE",
    "timestamp": "1700000000123",
}
MAKER = {
    "order_id": "0x0b",
    "asset_id": "2",
    "matched_amount": "4",
    "price": "0.48",
    "side": "BUY",
}
TRADE = {
    "event_type": "trade",
    "type": "TRADE",
    "id": "t-1",
    "taker_order_id": "0x0a",
    "market": "0xc0",
    "asset_id": "1",
    "side": "BUY",
    "size": "4",
    "price": "0.52",
    "status": "MINED",
    "match_time": "1700000001",
    "maker_orders": [MAKER],
}


def trade(**fields: object) -> facts.TradeReported:
    (told,) = user({**TRADE, **fields})
    assert isinstance(told, facts.TradeReported), told
    return told


def test_a_trade_names_taker_and_makers_each_with_their_own_terms() -> None:
    """Our maker order can sit on the complement token (reference 1.11). Proves: B-exec"""
    told = trade()

    assert (told.status, told.match_s, told.source) == ("MINED", 1_700_000_001, "push")
    assert told.makers == (
        facts.MakerFill(
            order_id="0x0b",
            token_id="2",
            side=Side.BUY,
            price=Price(480_000),
            shares=Shares(4_000_000),
        ),
    )


@pytest.mark.parametrize(
    ("odd", "expected_s"),
    [
        ({"match_time": "", "matchtime": "1700000007"}, 1_700_000_007),
        ({"match_time": "1700000007000"}, 1_700_000_007),
        ({"match_time": "1700000007000000000"}, 1_700_000_007),
        ({"match_time": 1_700_000_007}, 1_700_000_007),
        ({"match_time": None, "timestamp": "1700000009123"}, 1_700_000_009),
        ({"match_time": ""}, 0),
    ],
    ids=str,
)
def test_a_match_time_is_read_in_every_spelling(odd: dict[str, object], expected_s: int) -> None:
    """Seconds and milliseconds, two names, or nothing: all of them were seen (reference 4.3)."""
    assert trade(**odd).match_s == expected_s


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("MATCHED", "MATCHED"),
        ("TRADE_STATUS_FAILED", "FAILED"),
        ("TRADE_STATUS_MATCHED_NOT_BROADCASTED", "MATCHED"),
        ("retrying", "RETRYING"),
        ("SOMETHING_NEW", "SOMETHING_NEW"),
    ],
)
def test_a_trades_status_is_open(said: str, read: str) -> None:
    """An unknown one reaches the kernel by its own name and alarms there. Proves: A-exec"""
    assert trade(status=said).status == read


def test_a_trade_without_makers_is_a_trade() -> None:
    """The list may be absent; the taker's own fill must not be lost with it."""
    assert trade(maker_orders=None).makers == ()
    assert trade().shares == 4_000_000


@pytest.mark.parametrize(
    ("token", "expected"), [("1", Side.SELL), ("2", Side.BUY)], ids=["same", "complement"]
)
def test_a_makers_side_follows_from_the_token_when_it_is_not_said(
    token: str, expected: Side
) -> None:
    """Reference 3.6: complementary on the same token, a mint or merge on the other."""
    assert trade(maker_orders=[{**MAKER, "side": "", "asset_id": token}]).makers[0].side == expected


def test_a_price_that_the_venue_averaged_is_rounded_against_us() -> None:
    """A fill with too many digits is still a fill. Proves: A-port"""
    assert trade(price="0.5200000001").price == 520_001
    assert trade(price="0.5200000001", side="SELL").price == 520_000


@pytest.mark.parametrize(
    ("odd", "expected"),
    [
        ({}, ("UPDATE", "LIVE", 4_000_000)),
        ({"size_matched": "", "type": "CANCELLATION"}, ("CANCELLATION", "LIVE", None)),
        ({"status": "ORDER_STATUS_MATCHED"}, ("UPDATE", "MATCHED", 4_000_000)),
        ({"status": None}, ("UPDATE", "", 4_000_000)),
        ({"status": "CANCELED_ANEW"}, ("UPDATE", "CANCELED_ANEW", 4_000_000)),
    ],
    ids=str,
)
def test_an_order_push_is_read_as_said(
    odd: dict[str, object], expected: tuple[str, str, int | None]
) -> None:
    """Nothing matched is not known to be zero when the text is empty. Proves: B-exec"""
    (told,) = user({**ORDER, **odd})

    assert isinstance(told, facts.OrderPushed)
    assert (told.kind, told.status, told.matched) == expected


@pytest.mark.parametrize(
    "absurd",
    [
        {**ORDER, "id": ""},
        {**ORDER, "size_matched": "-1"},
        {**TRADE, "size": "0"},
        {**TRADE, "size": ""},
        {**TRADE, "price": "1.5"},
        {**TRADE, "price": "-0.1"},
        {**TRADE, "id": ""},
        {**TRADE, "taker_order_id": ""},
        {**TRADE, "maker_orders": [{**MAKER, "order_id": ""}]},
        {**TRADE, "maker_orders": [{**MAKER, "matched_amount": "0"}]},
        {**TRADE, "maker_orders": "none"},
        {**TRADE, "status": "\x07"},
        {"event_type": "greeting"},
    ],
    ids=lambda x: repr(x)[-60:],
)
def test_absurd_user_input_is_bad_input(absurd: dict[str, object]) -> None:
    """It books nothing. Proves: faults, B-core"""
    assert [type(fact) for fact in user(absurd)] == [facts.BadInput]


# RTDS.

UPDATE = {
    "topic": "crypto_prices_chainlink",
    "type": "update",
    "timestamp": 1_777_384_396_157,
    "payload": {
        "symbol": "btc/usd",
        "timestamp": 1_777_384_395_000,
        "value": 76_175.44,
        "full_accuracy_value": "76175440000000000000001",
    },
}


def test_a_report_keeps_all_its_digits() -> None:
    """A tie is decided by the last of eighteen decimals. Proves: C1, C2"""
    assert oracle(UPDATE) == (
        facts.OracleReported(
            symbol="btc/usd",
            value_e18=76_175_440_000_000_000_000_001,
            report_ms=1_777_384_395_000,
            at_ns=NOW,
        ),
    )


def test_the_dump_of_history_is_reports() -> None:
    """It comes first, under Binance's topic, with decimals only."""
    rows = [{"timestamp": 1_777_384_395_000 + i * 1000, "value": 0.000_012_5} for i in range(3)]
    payload = {"symbol": "PEPE/usd", "data": rows}
    told = oracle({"topic": "crypto_prices", "type": "subscribe", "payload": payload})

    assert len(told) == 3
    assert isinstance(told[0], facts.OracleReported)
    assert (told[0].symbol, told[0].value_e18) == ("pepe/usd", 12_500_000_000_000)


@pytest.mark.parametrize(
    "message",
    [
        {**UPDATE, "topic": "crypto_prices"},
        {**UPDATE, "topic": "crypto_prices_twap_sixty"},
        {
            "topic": "crypto_prices",
            "type": "subscribe",
            "payload": {"symbol": "btcusdt", "data": [{"timestamp": 1, "value": 76_175.44}]},
        },
        {"topic": "comments", "type": "comment_created", "payload": {}},
    ],
    ids=lambda x: repr(x)[:60],
)
def test_no_other_price_passes_for_the_settlement_price(message: dict[str, object]) -> None:
    """Finding C2: a substitute would settle one market in thirty wrongly. Proves: C2, P0.2"""
    assert not [fact for fact in oracle(message) if isinstance(fact, facts.OracleReported)]


def test_spot_prices_are_told_as_what_they_are() -> None:
    """By the name of what they run ahead of; what is quoted in no dollars is passed over."""
    point = {"symbol": "BTCUSDT", "timestamp": 1_777_384_395_123, "value": 76_175.44}
    told = oracle({"topic": "crypto_prices", "type": "update", "payload": point})

    assert told == (
        facts.SpotReported(
            symbol="btc/usd", value_e18=7_617_544 * 10**16, spot_ms=1_777_384_395_123, at_ns=NOW
        ),
    )
    payload = {"symbol": "btcusdt", "data": [{"timestamp": 1, "value": 1.5}, {"value": "x"}]}
    bad = oracle({"topic": "crypto_prices", "type": "subscribe", "payload": payload})
    assert [type(fact) for fact in bad] == [facts.BadInput]
    point["symbol"] = "ethbtc"
    assert oracle({"topic": "crypto_prices", "type": "update", "payload": point}) == ()


def payload_with(**fields: object) -> dict[str, object]:
    payload = UPDATE["payload"]
    assert isinstance(payload, dict)
    return {**UPDATE, "payload": {**payload, **fields}}


@pytest.mark.parametrize(
    "absurd",
    [
        payload_with(full_accuracy_value="76175.44"),
        payload_with(full_accuracy_value="1"),
        payload_with(value=-1),
        payload_with(value=0, full_accuracy_value=""),
        payload_with(value="NaN"),
        payload_with(symbol=""),
        payload_with(timestamp=None),
        {**UPDATE, "payload": None},
        {**UPDATE, "topic": "prices_v3"},
        {"statusCode": 400, "message": "bad request"},
    ],
    ids=lambda x: repr(x)[-60:],
)
def test_an_absurd_report_is_bad_input(absurd: dict[str, object]) -> None:
    """Two figures for one price that disagree are no price. Proves: faults"""
    assert [type(fact) for fact in oracle(absurd)] == [facts.BadInput]
    assert w.oracle_facts("  \n", NOW) == ()


# Anything at all.

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEMPLATES: list[dict[str, Any]] = [BOOK, CHANGED, PRINT, RESOLVED, ORDER, TRADE, UPDATE]


@given(st.sampled_from(TEMPLATES), st.data())
def test_no_field_of_any_message_can_crash_a_reader(
    template: dict[str, Any], data: st.DataObject
) -> None:
    """Every field in turn is anything that JSON can say. Proves: faults"""
    field = data.draw(st.sampled_from(sorted(template)))
    raw = orjson.dumps({**template, field: data.draw(JSON)})
    for read in (w.market_facts, w.user_facts, w.oracle_facts):
        assert all(isinstance(fact, Fact) for fact in read(raw, NOW))


@given(st.binary() | st.text())
def test_no_bytes_can_crash_a_reader(raw: bytes | str) -> None:
    """The socket is outside: anything can come. Proves: faults"""
    for read in (w.market_facts, w.user_facts, w.oracle_facts):
        for fact in read(raw, NOW):
            assert not isinstance(fact, facts.BadInput) or fact.excerpt.isprintable()
