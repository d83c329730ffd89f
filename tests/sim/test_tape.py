"""Recorded sessions played as worlds: the book we trade against is the recorded one."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polybawt.core.facts import Level
from polybawt.core.market import Side
from polybawt.core.units import MS_NS, Price, Shares, Usdc, micro_text
from polybawt.sim.recording import Moment, RecordedBook, Recording, read_recording
from polybawt.sim.records import RawFrame
from polybawt.sim.tape import Session
from polybawt.sim.venue import LevelsMoved, Placement
from polybawt.sim.world import WorldLike

SESSIONS = ["20260427b", "20260428a", "20260428b", "20260428d", "20260428e"]
Find = Callable[[str], Path]
Levels = tuple[tuple[Level, ...], tuple[Level, ...]]


def as_told(book: RecordedBook) -> Levels:
    """The levels of one message in its own order."""
    bids = tuple((price, size) for _, side, price, size in book.levels if side is Side.BUY)
    return bids, tuple((price, size) for _, side, price, size in book.levels if side is Side.SELL)


def lines(path: Path) -> list[str]:
    with gzip.open(path, "rt") as file:
        return file.read().splitlines()


def read(recorded: Find, name: str) -> Recording:
    described = lines(recorded(f"ws_raw/session_{name}.markets.jsonl.gz")) if "d" in name else []
    return read_recording(lines(recorded(f"ws_raw/session_{name}.raw.jsonl.gz")), described)


class Checked:
    """The session's own venue, judged by the hashes that the recording carries."""

    def __init__(self, recording: Recording) -> None:
        self.session = Session(recording)
        self.counts: Counter[str] = Counter()
        self.heads: dict[str, dict[str, Any]] = {}
        self.as_of: dict[str, int] = {}
        self.groups: dict[str, tuple[str, str]] = {}  # token: timestamp, hash

    def digest(self, token_id: str, timestamp: str, levels: Levels | None = None) -> str:
        """The book hash of reference 4.2, over the venue's own levels unless others are given."""
        head = self.heads[token_id]
        bids, asks = levels or self.session.venue.levels(token_id)
        book = {
            "market": head["market"], "asset_id": token_id, "timestamp": timestamp, "hash": "",
            "bids": [{"price": micro_text(p), "size": micro_text(s)} for p, s in bids],
            "asks": [{"price": micro_text(p), "size": micro_text(s)} for p, s in asks],
            "min_order_size": head["min_order_size"], "tick_size": head["tick_size"],
            "neg_risk": head["neg_risk"], "last_trade_price": head["last_trade_price"],
        }  # fmt: skip
        return hashlib.sha1(json.dumps(book, separators=(",", ":")).encode()).hexdigest()

    def play(self, moment: Moment) -> None:
        text = moment.body or (moment.frame.text if moment.frame else "")
        content = json.loads(text)
        messages = content if isinstance(content, list) else [content]
        if moment.books:
            self.end_groups()  # a new snapshot: no change of before can follow
        for message in messages:
            for change in message.get("price_changes", ()):
                self.end_group(change["asset_id"], message["timestamp"])
        self.session.play(moment)
        for message in messages:
            kind = message.get("event_type", "rest_book" if moment.body else "")
            if kind in ("book", "rest_book"):
                self.heads.setdefault(message["asset_id"], message)
                stale = kind == "rest_book" and self.stale(message)
                levels = as_told(moment.books[0]) if stale else None
                told = message["timestamp"], message["hash"]
                self.compare(kind, message["asset_id"], *told, levels)
                self.as_of[message["market"]] = max(
                    self.as_of.get(message["market"], 0), int(message["timestamp"])
                )
            for change in message.get("price_changes", ()):
                self.counts["price_change_levels"] += 1
                self.groups[change["asset_id"]] = message["timestamp"], change["hash"]
                self.as_of[message["market"]] = int(message["timestamp"])

    def stale(self, message: dict[str, Any]) -> bool:
        """A REST body older than what the stream told: served, but not the book any more."""
        return int(message["timestamp"]) < self.as_of.get(message["market"], 0)

    def end_groups(self) -> None:
        for token_id in list(self.groups):
            self.end_group(token_id)

    def end_group(self, token_id: str, timestamp: str = "") -> None:
        """A group of changes is over when the token's next change has another timestamp."""
        group = self.groups.get(token_id)
        if group and group[0] != timestamp:
            self.compare("batch", token_id, *self.groups.pop(token_id))

    def compare(
        self, kind: str, token_id: str, timestamp: str, expected: str, levels: Levels | None = None
    ) -> None:
        agrees = self.digest(token_id, timestamp, levels) == expected
        self.counts[f"{kind}_{'ok' if agrees else 'mismatch'}"] += 1


@pytest.mark.parametrize("name", SESSIONS)
def test_the_tape_s_book_is_the_recorded_book_hash_by_hash(recorded: Find, name: str) -> None:
    """Every full book and every group of changes that the recording can prove. Proves: P2.5."""
    integrity = json.loads(recorded("ws_raw/expected.json").read_text())
    expected = integrity[f"session_{name}.raw.jsonl.gz"]["integrity"]
    recording = read(recorded, name)
    checked = Checked(recording)
    for moment in recording.moments:
        if moment.body or (moment.frame and moment.frame.channel == "market"):
            checked.play(moment)
    checked.end_groups()
    assert checked.counts["rest_book_ok"] == expected["rest_book_hash_ok"]
    assert checked.counts["book_ok"] == expected["ws_book_hash_ok"]
    assert checked.counts["batch_ok"] == expected.get("batch_hash_ok", 0)
    assert checked.counts["batch_mismatch"] == expected.get("batch_hash_mismatch", 0)
    assert checked.counts["price_change_levels"] == expected.get("price_change_levels", 0)
    assert checked.counts["book_mismatch"] == 0


@pytest.mark.parametrize("name", SESSIONS)
def test_frames_are_published_as_they_were_received(recorded: Find, name: str) -> None:
    """Byte for byte, in order, at their own times: what the engine hears is what was said."""
    world: WorldLike = Session(read(recorded, name))
    raw = [json.loads(line) for line in lines(recorded(f"ws_raw/session_{name}.raw.jsonl.gz"))]
    sources = {"polymarket_clob": "market", "polymarket_rtds_chainlink": "rtds"}
    sent = [
        (sources[record["source"]], record["payload"])
        for record in raw
        if (record["source"] in sources and not record["payload"].startswith('{"market":"0x'))
        or '"event_type":"price_change"' in record["payload"]
    ]

    assert world.end_ns is not None
    published: list[tuple[str, str]] = []
    for now_ns in range(world.start_ns, world.end_ns + 50 * MS_NS, 50 * MS_NS):
        published += [(f.channel, f.text) for f in world.step(now_ns) if isinstance(f, RawFrame)]
    assert published == sent


def test_a_described_session_has_the_names_and_times_of_its_markets(recorded: Find) -> None:
    """Only one session kept its market records; the others name their tokens and no more."""
    markets = read(recorded, "20260428d").markets.values()
    plain = read(recorded, "20260427b").markets.values()

    assert sorted(market.slug for market in markets) == [
        "btc-updown-15m-1777469400",
        "eth-updown-15m-1777469400",
        "sol-updown-15m-1777469400",
    ]
    assert {market.fees.rate_micro for market in markets} == {72_000}
    assert {market.end_ns - market.start_ns for market in markets} == {900 * 10**9}
    assert len(plain) == 3
    assert all(market.end_ns == 0 for market in plain)


def test_the_newest_rest_body_is_served_as_it_came(recorded: Find) -> None:
    """And none before the first was received."""
    recording = read(recorded, "20260428d")
    session = Session(recording)
    token_id = next(iter(recording.markets.values())).yes_token

    assert session.rest_book(token_id) is None
    session.step(recording.moments[-1].at_ns)
    last = [m.body for m in recording.moments if m.body and m.books[0].token_id == token_id][-1]
    assert session.rest_book(token_id) == last


def test_our_order_rests_in_the_recorded_queue_and_takes_recorded_levels(recorded: Find) -> None:
    """Ordinary matching against recorded liquidity, and nothing of it is public."""
    recording = read(recorded, "20260428d")
    session = Session(recording)
    venue = session.venue
    venue.deposit("me", Usdc(100_000_000))
    end_ns = recording.moments[-1].at_ns
    session.step(end_ns)
    market = next(iter(recording.markets.values()))
    (best, size) = venue.levels(market.yes_token)[1][-1]
    venue.drain()
    venue.place(
        Placement(
            owner="me", order_id="1", token_id=market.yes_token, side=Side.BUY, price=best,
            size=Shares(5_000_000),
        ),
        end_ns,
    )  # fmt: skip

    assert venue.total("me", market.yes_token) == 5_000_000
    assert venue.levels(market.yes_token)[1][-1] == (best, size - 5_000_000)


LINE = {
    "source": "polymarket_clob",
    "recv_wall_ts": 1_000,
}


def rest_line(token_id: str, at_ms: int, timestamp: int, asks: list[tuple[str, str]]) -> str:
    body = {
        "market": "0xab", "asset_id": token_id, "timestamp": str(timestamp), "hash": "",
        "bids": [], "asks": [{"price": p, "size": s} for p, s in asks],
        "min_order_size": "5", "tick_size": "0.01", "neg_risk": False, "last_trade_price": "",
    }  # fmt: skip
    return json.dumps({**LINE, "recv_wall_ts": at_ms, "payload": json.dumps(body)})


def change_line(at_ms: int, price: str, size: str) -> str:
    frame = {
        "market": "0xab", "event_type": "price_change", "timestamp": str(at_ms),
        "price_changes": [{"asset_id": "1", "price": price, "size": size, "side": "BUY"}],
    }  # fmt: skip
    return json.dumps({**LINE, "recv_wall_ts": at_ms, "payload": json.dumps(frame)})


def small_session(*more: str) -> Session:
    books = rest_line("2", 999, 800, []), rest_line("1", 1_000, 900, [("0.60", "50")])
    return Session(read_recording([*books, *more]))


def test_recorded_flow_that_crosses_our_order_fills_it() -> None:
    """A bid of the recording at our price or better means that we were hit."""
    session = small_session(change_line(2_000, "0.55", "30"))
    session.step(1_500 * MS_NS)
    session.venue.deposit("me", Usdc(100_000_000))
    market = session.venue.market_of("1")
    assert market is not None
    session.venue.grant("me", "1", Shares(20_000_000))
    order = Placement(
        owner="me", order_id="ours", token_id="1", side=Side.SELL, price=Price(550_000),
        size=Shares(20_000_000), post_only=True,
    )  # fmt: skip
    session.venue.place(order, 1_500 * MS_NS)
    session.venue.drain()
    session.step(2_000 * MS_NS)

    ours = session.venue.order("ours")
    assert ours is not None
    assert ours.status == "MATCHED"
    moved = [event for event in session.venue.drain() if isinstance(event, LevelsMoved)]
    assert all(event.recorded for event in moved)


def test_an_older_rest_body_does_not_undo_what_the_stream_told() -> None:
    """It is served, since it was received; but the book has moved on."""
    session = small_session(
        change_line(2_000, "0.55", "30"), rest_line("1", 2_100, 1_900, [("0.70", "9")])
    )
    session.step(3_000 * MS_NS)

    assert session.venue.levels("1") == (((550_000, 30_000_000),), ((600_000, 50_000_000),))
    body = session.rest_book("1")
    assert body is not None
    assert json.loads(body)["asks"] == [{"price": "0.70", "size": "9"}]


@pytest.mark.parametrize(
    "line",
    ["", "[]", "{}", '{"source":"polymarket_clob","recv_wall_ts":1,"payload":"no json"}',
     '{"source":"polymarket_clob","recv_wall_ts":1,"payload":"[1]"}',
     '{"source":"polymarket_clob","recv_wall_ts":"x","payload":"{}"}'],
)  # fmt: skip
def test_a_line_that_cannot_be_understood_is_told_and_passed_over(line: str) -> None:
    """A damaged recording is still a recording."""
    recording = read_recording([line, rest_line("1", 1_000, 900, [])])

    assert len(recording.bad) == 1
    assert len(recording.moments) == 1
