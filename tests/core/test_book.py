"""The book is an array that proves itself: every recorded hash is recomputed."""

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core.book import Book, Levels
from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, Shares, complement, parse_micro
from tests.core.script import MARKET, NO, YES, cents, shares

Find = Callable[[str], Path]
BIDS: Levels = ((cents(39), shares(5)), (cents(40), shares(7)))
ASKS: Levels = ((cents(62), shares(9)), (cents(60), shares(11)))


@pytest.fixture
def book() -> Book:
    book = Book(MARKET)
    book.replace(YES, BIDS, ASKS)
    return book


def test_a_whole_book_is_served_as_it_came(book: Book) -> None:
    """Worst level first on both sides: the order in which the hash is computed."""
    assert book.levels(YES) == (BIDS, ASKS)


def test_the_other_token_is_the_mirror(book: Book) -> None:
    """A bid of 0.40 for yes is an ask of 0.60 for no: one book, decision D11."""
    bids, asks = book.levels(NO)

    assert bids == tuple((complement(p), s) for p, s in ASKS)
    assert asks == tuple((complement(p), s) for p, s in BIDS)
    assert (book.best_bid(NO), book.best_ask(NO)) == (cents(40), cents(60))


def test_a_whole_book_of_the_other_token_says_the_same(book: Book) -> None:
    """Either token's snapshot is the truth of both."""
    other = Book(MARKET)
    other.replace(NO, *book.levels(NO))

    assert other.levels(YES) == (BIDS, ASKS)


def test_a_change_is_absolute_and_zero_removes(book: Book) -> None:
    """The wire carries new sizes, never differences."""
    book.set_level(YES, Side.BUY, cents(40), shares(1))
    book.set_level(YES, Side.BUY, cents(39), shares(0))

    assert book.levels(YES)[0] == ((cents(40), shares(1)),)


def test_the_best_price_moves_back_when_its_level_goes(book: Book) -> None:
    """And to nothing when the side is empty."""
    book.set_level(YES, Side.BUY, cents(40), shares(0))
    assert book.best_bid(YES) == cents(39)
    book.set_level(NO, Side.SELL, cents(61), shares(0))  # the same bid, said for the mirror
    assert book.best_bid(YES) is None
    assert book.best_ask(NO) is None
    assert book.mid(YES) is None
    book.set_level(YES, Side.SELL, cents(60), shares(0))
    assert book.best_ask(YES) == cents(62)
    book.set_level(YES, Side.SELL, cents(62), shares(0))
    assert (book.best_ask(YES), book.best_bid(NO)) == (None, None)


def test_removing_a_level_that_is_not_best_leaves_the_best(book: Book) -> None:
    book.set_level(YES, Side.SELL, cents(62), shares(0))

    assert book.best_ask(YES) == cents(60)


def test_the_mid_rounds_down(book: Book) -> None:
    finer = evolve(MARKET, tick=Price(100))
    book = Book(finer)
    book.replace(YES, ((Price(400_000), shares(1)),), ((Price(400_100), shares(1)),))

    assert book.mid(YES) == 400_050
    assert book.mid(NO) == 599_950


def test_a_finer_price_refines_the_grid_and_loses_nothing(book: Book) -> None:
    """The venue may quote finer than the tick we know of: the change of tick comes later."""
    book.set_level(YES, Side.BUY, Price(400_500), shares(3))

    assert book.grid == 500
    assert book.levels(YES) == ((*BIDS, (Price(400_500), shares(3))), ASKS)
    assert book.best_bid(YES) == 400_500
    assert book.best_ask(YES) == cents(60)


def test_another_tick_keeps_every_level(book: Book) -> None:
    """A tick that becomes finer or coarser changes the text that is hashed, not the prices."""
    book.retick(evolve(MARKET, tick=Price(1_000)))
    assert (book.grid, book.tick, book.levels(YES)) == (1_000, "0.001", (BIDS, ASKS))
    book.retick(MARKET)
    assert (book.grid, book.tick, book.levels(YES)) == (1_000, "0.01", (BIDS, ASKS))


def test_a_crossed_or_locked_book_says_so(book: Book) -> None:
    """The venue's matching leaves no such book, so one of the two sides is untrue."""
    assert not book.crossed()
    book.set_level(YES, Side.SELL, cents(40), shares(1))
    assert book.crossed()
    assert not Book(MARKET).crossed()


@given(
    st.lists(
        st.tuples(
            st.sampled_from((YES, NO)),
            st.sampled_from(Side),
            st.integers(1, 99),
            st.integers(0, 3),
        ),
        max_size=60,
    )
)
def test_the_array_agrees_with_a_dictionary(changes: list[tuple[str, Side, int, int]]) -> None:
    """The kept best prices are those that a search of all levels finds, after any changes."""
    book, kept = Book(MARKET), dict[tuple[Side, int], int]()
    for token, side, cent, size in changes:
        book.set_level(token, side, cents(cent), shares(size))
        kept[(side, cent) if token == YES else (side.other, 100 - cent)] = size
    bids = sorted(c for (side, c), size in kept.items() if side is Side.BUY and size)
    asks = sorted(
        (c for (side, c), size in kept.items() if side is Side.SELL and size), reverse=True
    )

    assert book.levels(YES) == (
        tuple((cents(c), shares(kept[Side.BUY, c])) for c in bids),
        tuple((cents(c), shares(kept[Side.SELL, c])) for c in asks),
    )
    assert book.best_bid(YES) == (cents(bids[-1]) if bids else None)
    assert book.best_ask(YES) == (cents(asks[-1]) if asks else None)


# Recorded books.


def levels(rows: list[dict[str, str]]) -> Levels:
    return tuple(
        (Price(parse_micro(row["price"])), Shares(parse_micro(row["size"]))) for row in rows
    )


def of(row: dict[str, Any], *other: str) -> Book:
    """An empty book for a recorded one."""
    tokens = (row["asset_id"], *other, "the-other")
    market = Market(
        condition_id=row["market"],
        slug="recorded",
        question="",
        yes_token=tokens[0],
        no_token=tokens[1],
        tick=Price(parse_micro(row["tick_size"])),
        min_size=Shares(parse_micro(row.get("min_order_size", "5"))),
        neg_risk=bool(row.get("neg_risk")),
    )
    return Book(market, last_trade=row.get("last_trade_price") or "")


def test_every_vector_has_its_hash(recorded: Find) -> None:
    """The official literals and recorded books: SHA-1 of the compact JSON in the venue's order.

    One literal is written best ask first, as no served book is, so it is no book to us.
    """
    cases = json.loads(recorded("vectors/orderbook_hash.json").read_text())["cases"]
    fits = unserved = 0
    for case in cases:
        book, asks = of(case), levels(case["asks"])
        book.replace(case["asset_id"], levels(case["bids"]), asks)
        fits += book.digest(case["asset_id"], case["timestamp"]) == case["hash"]
        unserved += asks != tuple(sorted(asks, reverse=True))

    assert (len(cases), fits, unserved) == (6, 5, 1)


def test_every_book_of_the_fed_decision_has_its_hash(recorded: Find) -> None:
    """Ten books of one neg-risk event, with three-decimal ticks and no symmetry."""
    rows = json.loads(recorded("rest/fed_decision_2026-05-17/clob-books.json").read_text())
    rows = rows if isinstance(rows, list) else list(rows.values())
    for row in rows:
        book = of(row)
        book.replace(row["asset_id"], levels(row["bids"]), levels(row["asks"]))

        assert book.digest(row["asset_id"], row["timestamp"]) == row["hash"]
    assert len(rows) == 10


def messages(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in gzip.decompress(path.read_bytes()).splitlines():
        record = json.loads(line)
        if record["source"] == "polymarket_clob":
            payload = json.loads(record["payload"])
            for message in payload if isinstance(payload, list) else [payload]:
                yield message.get("event_type", ""), message


class Replay:
    """One recorded session, book by book and group by group."""

    def __init__(self, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.books: dict[str, Book] = {}
        self.open: dict[str, tuple[str, str, str]] = {}  # token to market, timestamp, hash
        tokens: dict[str, list[str]] = {}
        for _, message in messages(path):
            if "asset_id" in message:
                seen = tokens.setdefault(message["market"], [])
                seen += [message["asset_id"]] * (message["asset_id"] not in seen)
        for kind, message in messages(path):
            if kind in ("", "book") and "bids" in message:
                first, *rest = tokens[message["market"]]
                fresh = of(message | {"asset_id": first}, *rest)
                self.book(kind, self.books.setdefault(message["market"], fresh), message)
            elif kind == "price_change":
                self.change(message)
        for token in tuple(self.open):
            self.close(token)

    def book(self, kind: str, book: Book, row: dict[str, Any]) -> None:
        token = row["asset_id"]
        for waiting in set(book.views) & set(self.open):
            self.close(waiting)
        book.replace(token, levels(row["bids"]), levels(row["asks"]))
        book.last_trade = row.get("last_trade_price") or book.last_trade
        self.count("ws_book" if kind else "rest_book", book, token, row["timestamp"], row["hash"])

    def change(self, message: dict[str, Any]) -> None:
        changes, sent = message["price_changes"], message["timestamp"]
        for token in {change["asset_id"] for change in changes} & set(self.open):
            if self.open[token][1] != sent:
                self.close(token)
        for change in changes:
            price, size = parse_micro(change["price"]), parse_micro(change["size"])
            token, side = change["asset_id"], Side(change["side"])
            self.books[message["market"]].set_level(token, side, Price(price), Shares(size))
            self.open[token] = message["market"], sent, change["hash"]
            self.counts["price_change_levels"] += 1

    def close(self, token: str) -> None:
        market, sent, digest = self.open.pop(token)
        self.count("batch", self.books[market], token, sent, digest)

    def count(self, what: str, book: Book, token: str, sent: str, digest: str) -> None:
        fits = book.digest(token, int(sent)) == digest
        self.counts[f"{what}_hash_{'ok' if fits else 'mismatch'}"] += 1


@pytest.mark.parametrize(
    "session", ["20260427b", "20260428a", "20260428b", "20260428d", "20260428e"]
)
def test_every_recorded_session_has_its_hashes(recorded: Find, session: str) -> None:
    """Whole books and groups of changes, to the counts found by an independent reading.

    Proves: A-ing, H4.
    """
    name = f"session_{session}.raw.jsonl.gz"
    expected = json.loads(recorded("ws_raw/expected.json").read_text())[name]["integrity"]

    assert dict(Replay(recorded(f"ws_raw/{name}")).counts) == expected


def test_amounts_are_hashed_in_their_shortest_text() -> None:
    """ "5579792.8", never "5579792.80" and never an exponent."""
    book = Book(MARKET)
    book.replace(YES, ((cents(1), Shares(5_579_792_800_000)),), ())
    same = Book(MARKET)
    same.replace(YES, ((Price(10_000), shares(5_579_792.8)),), ())

    assert book.digest(YES, 1) == same.digest(YES, 1)
    assert book.digest(YES, 1) != book.digest(YES, 2)
    assert book.digest(YES, 1) != book.digest(NO, 1)
    book.version = "v2"
    assert book.digest(YES, 1) != same.digest(YES, 1)
    assert MILLION == 1_000_000
