"""A journal that could have happened passes; one that could not is named at its first gap."""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
import pytest

from polybawt.core import facts
from polybawt.core.codec import encode
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares
from polybawt.engine.journal import Journal
from polybawt.proof.audit import NotAJournal, audit

AT = 1_700_000_000 * SECOND_NS
MARKET = Market(
    condition_id="0x01", slug="btc-updown", question="?", yes_token="11", no_token="12",
    tick=Price(10_000), min_size=Shares(5 * MILLION), fees=FeeSchedule(rate_micro=70_000),
    symbol="btc/usd", start_ns=AT + 60 * SECOND_NS, end_ns=AT + 120 * SECOND_NS,
)  # fmt: skip
Write = Callable[[list[Fact]], Awaitable[Path]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    async def written(story: list[Fact]) -> Path:
        path = tmp_path / "journal.sqlite"
        journal = await Journal.open(path, identity="137:0x0")
        await journal.append([(fact.at_ns, *encode(fact)) for fact in story])
        await journal.close()
        return path

    return written


def story() -> list[Fact]:
    """From a start to the decision to bid for both outcomes of a market yet to begin."""
    from polybawt.core.book import Book  # the venue's side of it

    book = Book(MARKET)
    for token in MARKET.tokens:
        book.set_level(token, Side.BUY, Price(490_000), Shares(50 * MILLION))
    told: list[Fact] = [
        facts.Started(at_ns=AT, epoch=1),
        facts.LinkUp(at_ns=AT, link="user"),
        facts.LinkUp(at_ns=AT, link="market"),
        facts.BalanceRead(at_ns=AT, token_id="", amount=1_000 * MILLION),
        facts.TradesRead(at_ns=AT, condition_id="", count=0),
        facts.OpenOrdersRead(at_ns=AT, order_ids=()),
        facts.MarketListed(at_ns=AT, market=MARKET),
        facts.Tick(at_ns=AT + 40 * SECOND_NS),
        facts.LinkHeard(at_ns=AT + 40 * SECOND_NS, link="user"),
        facts.OracleReported(
            at_ns=AT + 40 * SECOND_NS,
            symbol="btc/usd",
            value_e18=70_000 * 10**18,
            report_ms=AT // 1_000_000 + 40_000,
        ),
    ]
    for token in MARKET.tokens:
        bids, asks = book.levels(token)
        told.append(
            facts.BookSnapshot(
                at_ns=AT + 41 * SECOND_NS,
                condition_id="0x01",
                token_id=token,
                timestamp_ms=5,
                hash=book.digest(token, 5),
                bids=bids,
                asks=asks,
                last_trade=None,
                source="ws",
            )
        )
    return [*told, facts.Tick(at_ns=AT + 42 * SECOND_NS)]


def signed(price: int = 480_000, size: int = 10_410_000, token: str = "11") -> Fact:
    terms = {
        "tokenId": token, "side": "BUY", "makerAmount": str(price * size // MILLION),
        "takerAmount": str(size),
    }  # fmt: skip
    payload = orjson.dumps({"order": terms}).decode()
    return order.Sign(at_ns=AT + 43 * SECOND_NS, intent_id="i1", order_id="0xaa", payload=payload)


def quiet(_: int, __: int) -> None:
    return


async def test_a_journal_that_could_have_happened_passes(write: Write) -> None:
    found = audit(await write([*story(), signed()]), quiet)

    assert found.gap == ""
    assert (found.facts, found.epochs, found.orders) == (14, 1, 1)
    assert found.taken["Order intent sign signed"] == 1


@pytest.mark.parametrize("other", [{"price": 470_000}, {"size": 10_400_000}, {"token": "12"}])
async def test_other_terms_than_the_kernel_decides_are_a_gap(
    write: Write, other: dict[str, int]
) -> None:
    """What left was not what was decided: the one thing that must never be. Proves: H5."""
    found = audit(await write([*story(), signed(**other)]), quiet)  # type: ignore[arg-type]

    assert "fact 14 (Sign)" in found.gap
    assert "other terms" in found.gap


async def test_an_order_that_nobody_decided_is_a_gap(write: Write) -> None:
    found = audit(await write([facts.Started(at_ns=AT, epoch=1), signed()]), quiet)
    assert "never decided" in found.gap


async def test_what_cannot_happen_is_named(write: Write) -> None:
    impossible = order.AckLive(at_ns=AT + 44 * SECOND_NS, intent_id="i1")
    found = audit(await write([*story(), impossible]), quiet)
    assert found.gap.startswith("fact 14 (AckLive): AckLive in intent")
    assert 'models/Order.tla: it says AckLive == /\\ "live" \\in said' in found.gap


async def test_an_edge_that_no_specification_has_is_named(write: Write, tmp_path: Path) -> None:
    """The committed edges are the measure, not the code that is running."""
    from polybawt.proof.verify import MODELS

    locks = tmp_path / "models" / "locks"
    locks.mkdir(parents=True)
    shutil.copy(MODELS / "Order.tla", tmp_path / "models")
    shutil.copy(MODELS / "Order.cfg", tmp_path / "models")
    for lock in (MODELS / "locks").glob("*.edges"):
        text = lock.read_text().replace("signed submit submitted\n", "")
        (locks / lock.name).write_text(text)
    found = audit(await write([*story(), signed()]), quiet, models=tmp_path / "models")
    assert "signed submit submitted is no edge of models/Order.tla" in found.gap
    assert 'it says Submit == /\\ state = "signed"' in found.gap


async def test_a_changed_row_is_found(write: Write) -> None:
    path = await write(story())
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER facts_stay")
        db.execute("UPDATE facts SET at_ns = at_ns + 1 WHERE seq = 3")
    assert audit(path, quiet).gap == "fact 3 (LinkUp): is not what was written"


async def test_a_removed_row_is_found_where_it_was(write: Write) -> None:
    path = await write(story())
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER facts_remain")
        db.execute("DELETE FROM facts WHERE seq = 4")
    assert audit(path, quiet).gap == "fact 5 (TradesRead): is not what was written"


async def test_two_rows_that_changed_places_are_found(write: Write) -> None:
    path = await write(story())
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER facts_stay")
        for change in ("-5 WHERE seq = 5", "5 WHERE seq = 6", "6 WHERE seq = -5"):
            db.execute(f"UPDATE facts SET seq = {change}")
    assert audit(path, quiet).gap == "fact 5 (OpenOrdersRead): is not what was written"


async def test_a_forger_who_mends_the_chain_is_found_by_what_cannot_have_happened(
    write: Write,
) -> None:
    """An order that is signed before it was decided: every hash fits, and no specification."""
    told = [*story(), signed()]
    forged = await write([*told[:8], told[-1], *told[8:-1]])
    assert "fact 9 (Sign): " in audit(forged, quiet).gap


async def test_a_lost_tail_is_found(write: Write) -> None:
    path = await write(story())
    with sqlite3.connect(path) as db:
        db.execute("DROP TRIGGER facts_remain")
        db.execute("DELETE FROM facts WHERE seq > 9")
    assert "the tail is lost: fact 13 was durable, the last is 9" in audit(path, quiet).gap


def test_what_is_no_journal_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAJournal, match="no such file"):
        audit(tmp_path / "none.sqlite", quiet)
    text = tmp_path / "text.sqlite"
    text.write_text("no database, whatever it is called, and long enough to be one")
    with pytest.raises(NotAJournal, match="is no journal"):
        audit(text, quiet)
