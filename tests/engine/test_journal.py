"""The journal keeps everything that was durable, and notices everything that is not as it was."""

import asyncio
import os
import shutil
import signal
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from polybawt.engine.journal import GENESIS, Entry, Journal, JournalError, Row, chained

ROWS: list[Row] = [(i, "Tick", b'{"at_ns":%d}' % i) for i in range(1, 6)]


JOURNALS: list[Journal] = []


@pytest.fixture(autouse=True)
async def closed() -> AsyncIterator[None]:
    """No journal outlives its test: its thread would keep the process."""
    yield
    while JOURNALS:
        await JOURNALS.pop().close()


async def opened(path: Path, identity: str = "me") -> Journal:
    journal = await Journal.open(path / "journal.sqlite", identity=identity)
    JOURNALS.append(journal)
    return journal


async def filled(path: Path) -> Journal:
    journal = await opened(path)
    await journal.append(ROWS)
    return journal


async def entries(journal: Journal, after: int = 0) -> list[Entry]:
    return [entry async for entry in journal.entries(after)]


def tampered(path: Path, *statements: str) -> None:
    """Change the file as somebody would who may write it, past the triggers."""
    db = sqlite3.connect(path / "journal.sqlite", isolation_level=None)
    for trigger in ("facts_stay", "facts_remain"):
        db.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        db.execute(statement)
    db.close()


async def test_rows_come_back_as_they_went_in_and_in_order(tmp_path: Path) -> None:
    """Recovery is nothing else than this. Proves: recovery."""
    journal = await filled(tmp_path)
    found = await entries(journal)
    await journal.close()

    assert [(e.at_ns, e.kind, e.body) for e in found] == ROWS
    assert [e.seq for e in found] == [1, 2, 3, 4, 5]


async def test_every_row_is_chained_to_all_before_it(tmp_path: Path) -> None:
    """One changed byte changes every later hash. Proves: A-sec."""
    journal = await filled(tmp_path)
    head = GENESIS
    for seq, row in enumerate(ROWS, 1):
        head = chained(head, seq, row)
    await journal.close()

    assert journal.head == head


@pytest.mark.parametrize("statement", ["UPDATE facts SET body = x'00'", "DELETE FROM facts"])
async def test_a_row_is_neither_changed_nor_deleted(tmp_path: Path, statement: str) -> None:
    """Append-only is a rule of the database, not of our manners. Proves: A-sec."""
    journal = await filled(tmp_path)
    await journal.close()
    db = sqlite3.connect(tmp_path / "journal.sqlite")

    with pytest.raises(sqlite3.IntegrityError, match="append only"):
        db.execute(statement)
    db.close()


async def test_reopening_continues_the_chain(tmp_path: Path) -> None:
    """A new life adds to the same history. Proves: recovery."""
    first = await filled(tmp_path)
    await first.close()
    second = await opened(tmp_path)
    assert (second.seq, second.head) == (first.seq, first.head)

    assert await second.append([(9, "Tick", b"{}")]) == 6
    assert len(await entries(second)) == 6
    await second.close()


async def test_a_second_engine_is_refused(tmp_path: Path) -> None:
    """Two writers would each be half right. Proves: P3.2."""
    first = await filled(tmp_path)

    with pytest.raises(JournalError, match="another engine is using it"):
        await opened(tmp_path)
    await first.append([(9, "Tick", b"{}")])  # and the first does not notice
    await first.close()


async def test_the_journal_of_another_account_is_refused(tmp_path: Path) -> None:
    """Its orders are not ours, and its ledger would be taken for ours."""
    await (await opened(tmp_path, "paper")).close()

    with pytest.raises(JournalError, match="belongs to paper, not to live"):
        await opened(tmp_path, "live")
    await (await opened(tmp_path, "paper")).close()  # and the refusal left no lock behind


async def test_another_schema_is_refused(tmp_path: Path) -> None:
    """A newer program's journal is not guessed at. Proves: B-stor."""
    await (await opened(tmp_path)).close()
    tampered(tmp_path, "PRAGMA user_version=2")

    with pytest.raises(JournalError, match="has schema 2, this program writes 1"):
        await opened(tmp_path)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """And not overwritten: it may be somebody's."""
    (tmp_path / "journal.sqlite").write_bytes(b"a letter to my aunt\n" * 100)

    with pytest.raises(JournalError, match=r"is no journal.*another state directory"):
        await opened(tmp_path)
    assert (tmp_path / "journal.sqlite").read_bytes().startswith(b"a letter")


async def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """It has no version of ours, which is not the same as being empty."""
    db = sqlite3.connect(tmp_path / "journal.sqlite")
    db.execute("CREATE TABLE songs(name TEXT)")
    db.close()

    with pytest.raises(JournalError, match="is no journal"):
        await opened(tmp_path)


@pytest.mark.parametrize("place", ["journal.sqlite", ""])
async def test_a_path_that_cannot_be_written_is_told(tmp_path: Path, place: str) -> None:
    """A directory where the file should be, or a file where the directory should be."""
    path = tmp_path / "state"
    (path / place).mkdir(parents=True) if place else path.write_text("x")

    with pytest.raises(JournalError, match=r"state/journal.sqlite: cannot be written"):
        await opened(path)


async def test_a_flipped_byte_is_found_with_its_number(tmp_path: Path) -> None:
    """The text names the first fact that cannot be believed. Proves: A-sec."""
    await (await filled(tmp_path)).close()
    tampered(tmp_path, "UPDATE facts SET body = CAST('{\"at_ns\":8}' AS BLOB) WHERE seq = 3")
    journal = await opened(tmp_path)

    with pytest.raises(JournalError, match="fact 3 is not what was written"):
        await entries(journal)
    assert len(await entries(journal, after=3)) == 2  # from a snapshot on, the rest is sound
    await journal.close()


async def test_a_row_taken_out_is_found_with_its_number(tmp_path: Path) -> None:
    """Proves: A-sec."""
    await (await filled(tmp_path)).close()
    tampered(tmp_path, "DELETE FROM facts WHERE seq = 2")
    journal = await opened(tmp_path)

    with pytest.raises(JournalError, match="fact 2 is missing"):
        await entries(journal)
    await journal.close()


async def test_a_damaged_page_is_told_as_such(tmp_path: Path) -> None:
    """A disk that forgets is no reason for a traceback."""
    journal = await opened(tmp_path)
    await journal.append([(i, "Tick", b"x" * 500) for i in range(200)])
    await journal.close()
    file = tmp_path / "journal.sqlite"
    whole = bytearray(file.read_bytes())
    whole[8 * 4096 : 20 * 4096] = bytes(12 * 4096)
    file.write_bytes(whole)

    journal = await opened(tmp_path)
    with pytest.raises(JournalError, match="is damaged after fact"):
        await entries(journal)
    await journal.close()


async def test_a_tail_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """The write-ahead log cannot show it, the witness can. Proves: A-sec, recovery."""
    await (await filled(tmp_path)).close()
    tampered(tmp_path, "DELETE FROM facts WHERE seq = 5")

    with pytest.raises(JournalError, match="its tail is lost: fact 5 was durable"):
        await opened(tmp_path)


async def test_a_write_ahead_log_that_lost_its_end_is_refused(tmp_path: Path) -> None:
    """What a file system does that lies about durability. Proves: recovery."""
    journal = await filled(tmp_path)
    await journal.append([(9, "Tick", b"{}")])
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in tmp_path.glob("journal*"):  # as a crash leaves it: the log is not folded in
        shutil.copy(file, copy)
    await journal.close()
    log = copy / "journal.sqlite-wal"
    os.truncate(log, log.stat().st_size - 1000)

    with pytest.raises(JournalError, match="its tail is lost: fact 6"):
        await opened(copy)


async def test_a_witness_that_is_behind_is_no_reason_to_refuse(tmp_path: Path) -> None:
    """A crash between the commit and its witness loses nothing."""
    journal = await filled(tmp_path)
    before = (tmp_path / "journal.sqlite.head").read_bytes()
    await journal.append([(9, "Tick", b"{}")])
    await journal.close()
    (tmp_path / "journal.sqlite.head").write_bytes(before)
    again = await opened(tmp_path)
    await again.close()

    assert again.seq == 6


async def test_a_damaged_snapshot_is_passed_over_for_the_older_one(tmp_path: Path) -> None:
    """A snapshot only saves time; the facts are the truth. Proves: recovery."""
    journal = await filled(tmp_path)
    await journal.keep_snapshot(2, b"two")
    await journal.keep_snapshot(4, b"four")
    assert await journal.snapshots() == [(4, b"four"), (2, b"two")]
    await journal.close()
    tampered(tmp_path, "UPDATE snapshots SET body = x'00' WHERE seq = 4")
    journal = await opened(tmp_path)

    assert await journal.snapshots() == [(2, b"two")]
    await journal.close()


async def test_a_snapshot_of_a_future_that_is_lost_is_not_used(tmp_path: Path) -> None:
    """It holds facts that the journal does not."""
    journal = await filled(tmp_path)
    await journal.keep_snapshot(9, b"nine")

    assert await journal.snapshots() == []
    await journal.close()


async def test_only_the_newest_snapshots_are_kept(tmp_path: Path) -> None:
    """They are large, and there is one every few minutes. Proves: C5, P0.5."""
    journal = await filled(tmp_path)
    for seq in range(1, 6):
        await journal.keep_snapshot(seq, b"s")

    assert [seq for seq, _ in await journal.snapshots()] == [5, 4]
    await journal.close()


async def test_the_files_are_their_owners_alone(tmp_path: Path) -> None:
    """Positions and intents are nobody else's business. Proves: A-sec."""
    journal = await filled(tmp_path / "state")
    modes = {
        file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "state").iterdir()
    }
    directory = stat.S_IMODE((tmp_path / "state").stat().st_mode)
    await journal.close()

    assert set(modes) >= {"journal.sqlite", "journal.sqlite.head", "journal.sqlite-wal"}
    assert set(modes.values()) == {0o600}
    assert directory == 0o700


async def test_a_batch_that_does_not_fit_is_not_there_at_all(tmp_path: Path) -> None:
    """A full disk: the exception ends the process, and the next life finds a whole prefix."""
    journal = await filled(tmp_path)
    pages = await (await journal._db.execute("PRAGMA page_count")).fetchone()
    assert pages is not None
    await journal._db.execute(f"PRAGMA max_page_count={pages[0] + 2}")
    head = journal.head

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await journal.append([(9, "Tick", b"x" * 3000) for _ in range(10)])
    assert (journal.seq, journal.head) == (5, head)
    await journal.close()
    again = await opened(tmp_path)
    assert [e.body for e in await entries(again)] == [row[2] for row in ROWS]
    await again.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from polybawt.engine.journal import Journal
async def main():
    journal = await Journal.open(Path(sys.argv[1]), identity="me")
    n = 0
    while True:
        n = await journal.append([(n + i, "Tick", b"x" * 200) for i in range(1, 8)])
        print(n, flush=True)
asyncio.run(main())
"""


async def test_a_writer_killed_in_the_middle_leaves_whole_batches(tmp_path: Path) -> None:
    """Nothing that was reported durable is missing, and nothing is there in part.

    Proves: recovery, P3.4.
    """
    path = tmp_path / "journal.sqlite"
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert writer.stdout is not None
    durable = 0
    while durable < 200:
        durable = int(await writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    rest = (await writer.communicate())[0].split()
    durable = int(rest[-1]) if rest else durable
    journal = await opened(tmp_path)
    found = await entries(journal)
    await journal.close()

    assert len(found) == journal.seq >= durable
    assert journal.seq % 7 == 0
