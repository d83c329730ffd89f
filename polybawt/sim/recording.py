"""Recorded sessions as data: from lines of text to moments, books and markets.

A recording is lines ``{source, recv_wall_ts, payload}`` whose payload is a frame or a REST body
exactly as it was received.  Reading is lenient: a line that cannot be understood becomes a
``BadInput`` and the rest is still a recording.  Nothing here plays anything; that is ``tape``.

Source: exchange reference 1.5 and 4.1; data reference, sections 0 to 2.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from attrs import define, field, frozen

from polybawt.core.facts import BadInput
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.units import MS_NS, InvalidAmount, Price, Shares, parse_micro
from polybawt.sim.records import LevelSet, RawFrame

HUSH_NS: Final = 1_000 * MS_NS  # a recording begins this long before its first word
MARKET_SOURCE: Final = "polymarket_clob"
ORACLE_SOURCE: Final = "polymarket_rtds_chainlink"
UNSAID_FEES: Final = FeeSchedule(rate_micro=72_000)
"""Crypto taker fee of April 2026, for sessions whose market records were not kept."""
SYMBOLS: Final = {"BTC": "btc/usd", "ETH": "eth/usd", "SOL": "sol/usd", "XRP": "xrp/usd"}
MALFORMED: Final = (KeyError, TypeError, ValueError, AttributeError)


@frozen
class RecordedBook:
    """A whole book as it was served; ``levels`` in the order of the message."""

    condition_id: str
    token_id: str
    timestamp_ms: int
    levels: tuple[LevelSet, ...]


@frozen(kw_only=True)
class Moment:
    """One received record. A REST body is served when asked for, a frame is sent."""

    at_ns: int
    frame: RawFrame | None = None
    body: str = ""
    books: tuple[RecordedBook, ...] = ()
    changes: tuple[LevelSet, ...] = ()
    timestamp_ms: int = 0


@define
class Recording:
    """Everything that a session's files say."""

    moments: list[Moment] = field(factory=list)
    markets: dict[str, Market] = field(factory=dict)
    bad: list[BadInput] = field(factory=list)


def read_recording(lines: Iterable[str], market_lines: Iterable[str] = ()) -> Recording:
    """Read a session, and the records of its markets where they were kept."""
    recording = Recording()
    first_bodies: dict[str, dict[str, dict[str, Any]]] = {}
    for number, line in enumerate(lines):
        try:
            record = json.loads(line)
            at_ns = record["recv_wall_ts"] * MS_NS
            for moment in _moments(record["source"], at_ns, record["payload"]):
                recording.moments.append(moment)
                if moment.body:
                    body = json.loads(moment.body)
                    first_bodies.setdefault(body["market"], {}).setdefault(body["asset_id"], body)
        except MALFORMED as e:
            recording.bad.append(bad_input(f"line {number}: {type(e).__name__} {e}", line))
    for condition_id, bodies in first_bodies.items():
        if len(bodies) == 2:
            recording.markets[condition_id] = _plain_market(condition_id, bodies)
    for number, line in enumerate(market_lines):
        try:
            market = _described_market(json.loads(line))
            if market.condition_id in recording.markets:
                recording.markets[market.condition_id] = market
        except MALFORMED as e:
            recording.bad.append(bad_input(f"market {number}: {type(e).__name__} {e}", line))
    recording.moments.sort(key=lambda moment: moment.at_ns)
    return recording


def _moments(source: str, at_ns: int, text: str) -> Iterator[Moment]:
    """What a payload is to us; feeds that are not the venue's are passed over."""
    if source == ORACLE_SOURCE:
        symbol = json.loads(text).get("payload", {}).get("symbol", "")
        frame = RawFrame("rtds", text, (symbol,) if symbol else ())
        yield Moment(at_ns=at_ns, frame=frame)
    elif source == MARKET_SOURCE:
        content = json.loads(text)
        messages = content if isinstance(content, list) else [content]
        if all("event_type" not in message for message in messages):
            for body in messages:  # a REST answer has no event type
                book = _book(body)
                yield Moment(at_ns=at_ns, body=text, books=(book,), timestamp_ms=book.timestamp_ms)
            return
        kinds = [message["event_type"] for message in messages]
        changes = [c for m in messages for c in m.get("price_changes", ())]
        books = tuple(_book(m) for m in messages if m["event_type"] == "book")
        if set(kinds) == {"new_market"}:
            tokens: list[str] = []  # goes to everybody
        else:
            tokens = [c["asset_id"] for c in changes]
            tokens += [m["asset_id"] for m in messages if "asset_id" in m]
        yield Moment(
            at_ns=at_ns,
            frame=RawFrame("market", text, tuple(dict.fromkeys(tokens))),
            books=books,
            changes=tuple(_change(change) for change in changes),
            timestamp_ms=int(messages[0]["timestamp"]),
        )


def _change(change: dict[str, Any]) -> LevelSet:
    return (
        change["asset_id"],
        Side(change["side"]),
        Price(parse_micro(change["price"])),
        Shares(parse_micro(change["size"])),
    )


def _book(body: dict[str, Any]) -> RecordedBook:
    token_id = body["asset_id"]
    return RecordedBook(
        body["market"],
        token_id,
        int(body["timestamp"]),
        tuple(
            (token_id, side, Price(parse_micro(row["price"])), Shares(parse_micro(row["size"])))
            for side, rows in ((Side.BUY, body["bids"]), (Side.SELL, body["asks"]))
            for row in rows
        ),
    )


def _plain_market(condition_id: str, bodies: dict[str, dict[str, Any]]) -> Market:
    """A market of which only its books are known: no name, no times, first token taken as YES."""
    yes_token, no_token = bodies
    body = bodies[yes_token]
    return Market(
        condition_id=condition_id,
        slug=f"recorded-{condition_id[2:10]}",
        question=f"Recorded market {condition_id[:10]}",
        yes_token=yes_token,
        no_token=no_token,
        tick=Price(parse_micro(body["tick_size"])),
        min_size=Shares(parse_micro(body["min_order_size"])),
        fees=UNSAID_FEES,
        neg_risk=bool(body["neg_risk"]),
    )


def _described_market(row: dict[str, Any]) -> Market:
    up, down = row["outcomes"]
    fee = row["fee_parameters"]["raw_fee_config"]
    if (up["outcome"], down["outcome"]) != ("Up", "Down"):
        raise InvalidAmount(row["outcomes"], "are not Up and Down")
    return Market(
        condition_id=row["condition_id"],
        slug=row["slug"],
        question=row["title"],
        yes_token=up["token_id"],
        no_token=down["token_id"],
        tick=Price(parse_micro(row["tick_size"])),
        min_size=Shares(parse_micro(row["min_order_size"])),
        fees=FeeSchedule(rate_micro=parse_micro(fee["rate"]), exponent=int(fee["exponent"])),
        symbol=SYMBOLS.get(row["asset"], ""),
        start_ns=row["start_ts"] * MS_NS,
        end_ns=row["end_ts"] * MS_NS,
    )


def bad_input(reason: str, text: str) -> BadInput:
    printable = "".join(c if c.isprintable() else "?" for c in text[:200])
    return BadInput(source="recording", reason=reason[:200], excerpt=printable)
