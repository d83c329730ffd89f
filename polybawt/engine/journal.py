"""What happened, in the order in which the kernel took it, and nothing else.

SQLite, append-only, one writer: the file is held with an exclusive lock, every commit is
synchronous, rows are chained by hash.  The write-ahead log cannot show that its own tail was
cut off, so the head is also written to a second file after each commit; a journal that is
shorter than its witness is refused.  A failed append ends the process: whether it was written
is unknown, and recovery will find out.

Source: architecture D8.
"""

import hashlib
import os
import sqlite3
import struct
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import aiosqlite
from attrs import frozen

SCHEMA_VERSION: Final = 1
GENESIS: Final = bytes(32)
SNAPSHOTS_KEPT: Final = 2
WITNESS: Final = struct.Struct("<q32s")  # number and hash of the last durable fact

_SCHEMA: Final = """
CREATE TABLE facts(
  seq INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
  hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;
CREATE TABLE snapshots(
  seq INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL CHECK(length(hash) = 32)
) STRICT;
CREATE TABLE identity(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TRIGGER facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER facts_remain BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'append only'); END;
"""

Row = tuple[int, str, bytes]
"""at_ns, kind, body."""


class JournalError(Exception):
    """The journal cannot be used; the text says which file, why, and what to do."""


@frozen
class Entry:
    seq: int
    at_ns: int
    kind: str
    body: bytes


def chained(previous: bytes, seq: int, row: Row) -> bytes:
    """The hash of one row, which covers all rows before it."""
    at_ns, kind, body = row
    head = struct.pack("<qqI", seq, at_ns, len(kind)) + kind.encode()
    return hashlib.sha256(previous + head + body).digest()


class Journal:
    """Open with ``Journal.open``; ``seq`` and ``head`` are those of the last durable row."""

    def __init__(self, path: Path, db: aiosqlite.Connection, witness: int) -> None:
        self.path, self._db, self._witness = path, db, witness
        self.seq, self.head = 0, GENESIS

    @classmethod
    async def open(cls, path: Path, *, identity: str) -> "Journal":
        """Take the journal at ``path``, make it if there is none, and check its end.

        ``identity`` names the account and venue; a journal of another one is refused.
        """
        try:
            witness = _make(path)
        except OSError as e:
            raise JournalError(f"{path}: cannot be written: {e.strerror}") from e
        db = await aiosqlite.connect(path, isolation_level=None)
        journal = cls(path, db, witness)
        try:
            await journal._take(identity)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def _take(self, identity: str) -> None:
        """Lock the file, see that it is ours, and find its end."""
        path, db = self.path, self._db
        try:
            await db.execute("PRAGMA locking_mode=EXCLUSIVE")
            await db.execute("PRAGMA busy_timeout=0")
            await db.execute("PRAGMA journal_mode=WAL")
            await db.execute("PRAGMA synchronous=FULL")
            await self._prepare(path, db, identity)
            await self._check_head()
        except sqlite3.OperationalError as e:
            busy = "; another engine is using it" if "locked" in str(e) else ""
            raise JournalError(f"{path}: {e}{busy}") from e
        except sqlite3.DatabaseError as e:
            raise JournalError(f"{path}: is no journal ({e}); name another state directory") from e

    @staticmethod
    async def _prepare(path: Path, db: aiosqlite.Connection, identity: str) -> None:
        version = await _one(db, "PRAGMA user_version")
        if version == (0,):
            if await _one(db, "SELECT name FROM sqlite_master"):
                raise JournalError(f"{path}: is no journal; name another state directory")
            await db.executescript(
                f"BEGIN IMMEDIATE;{_SCHEMA}PRAGMA user_version={SCHEMA_VERSION};"
            )
            await db.execute("INSERT INTO identity VALUES('venue', ?)", (identity,))
            await db.execute("COMMIT")
        elif version != (SCHEMA_VERSION,):
            raise JournalError(
                f"{path}: has schema {(version or ('none',))[0]}, this program writes "
                f"{SCHEMA_VERSION}; use the one that wrote it"
            )
        # An exclusive lock is taken by the first write; take it now, not at the first order.
        await db.execute("BEGIN EXCLUSIVE")
        await db.execute("COMMIT")
        known = await _one(db, "SELECT value FROM identity WHERE name = 'venue'")
        if known != (identity,):
            raise JournalError(f"{path}: belongs to {(known or ('nobody',))[0]}, not to {identity}")

    async def _check_head(self) -> None:
        """The end of the table against the witness beside it."""
        row = await _one(self._db, "SELECT seq, hash FROM facts ORDER BY seq DESC LIMIT 1")
        if row:
            self.seq, self.head = int(row[0]), bytes(row[1])
        seen = os.pread(self._witness, WITNESS.size, 0)
        if len(seen) != WITNESS.size:
            return
        seq, head = WITNESS.unpack(seen)
        at = await _one(self._db, "SELECT hash FROM facts WHERE seq = ?", (seq,))
        if seq and (at is None or bytes(at[0]) != head):
            raise JournalError(
                f"{self.path}: its tail is lost: fact {seq} was durable and is not there; "
                "restore the file, or start with another state directory and reconcile by hand"
            )

    async def append(self, rows: Sequence[Row]) -> int:
        """Make the rows durable, all or none; returns the number of the last."""
        seq, head = self.seq, self.head
        chain = []
        for row in rows:
            seq += 1
            head = chained(head, seq, row)
            chain.append((seq, *row, head))
        await self._db.execute("BEGIN")
        await self._db.executemany("INSERT INTO facts VALUES(?, ?, ?, ?, ?)", chain)
        await self._db.execute("COMMIT")
        os.pwrite(self._witness, WITNESS.pack(seq, head), 0)
        self.seq, self.head = seq, head
        return seq

    async def keep_snapshot(self, seq: int, body: bytes) -> None:
        """Remember the state as of ``seq``; recovery starts from the newest whole one."""
        digest = hashlib.sha256(body).digest()
        await self._db.execute("BEGIN")
        await self._db.execute(
            "INSERT OR REPLACE INTO snapshots VALUES(?, ?, ?)", (seq, body, digest)
        )
        await self._db.execute(
            "DELETE FROM snapshots WHERE seq NOT IN "
            "(SELECT seq FROM snapshots ORDER BY seq DESC LIMIT ?)",
            (SNAPSHOTS_KEPT,),
        )
        await self._db.execute("COMMIT")

    async def snapshots(self) -> list[tuple[int, bytes]]:
        """The snapshots that are whole, newest first."""
        rows = await self._db.execute_fetchall(
            "SELECT seq, body, hash FROM snapshots ORDER BY seq DESC"
        )
        return [
            (int(seq), bytes(body))
            for seq, body, digest in rows
            if hashlib.sha256(body).digest() == bytes(digest) and seq <= self.seq
        ]

    async def entries(self, after: int = 0) -> AsyncIterator[Entry]:
        """Every fact after ``after``, its chain checked from the row before it on.

        The end is not checked here: ``open`` did that.
        """
        row = await _one(self._db, "SELECT hash FROM facts WHERE seq = ?", (after,))
        head, expected = bytes(row[0]) if row else GENESIS, after
        query = "SELECT seq, at_ns, kind, body, hash FROM facts WHERE seq > ? ORDER BY seq"
        try:
            async with self._db.execute(query, (after,)) as cursor:
                async for seq, at_ns, kind, body, digest in cursor:
                    expected += 1
                    if seq != expected:
                        raise JournalError(f"{self.path}: fact {expected} is missing")
                    head = chained(head, seq, (at_ns, kind, bytes(body)))
                    if head != bytes(digest):
                        raise JournalError(f"{self.path}: fact {seq} is not what was written")
                    yield Entry(seq, at_ns, kind, bytes(body))
        except sqlite3.DatabaseError as e:
            raise JournalError(f"{self.path}: is damaged after fact {expected}: {e}") from e

    async def close(self) -> None:
        """Let the file go; a second time does nothing."""
        witness, self._witness = self._witness, -1
        try:
            await self._db.close()
        finally:
            if witness >= 0:
                os.close(witness)


def _make(path: Path) -> int:
    """The file, its witness and their directory, for their owner only; opens the witness."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return os.open(path.with_name(path.name + ".head"), os.O_RDWR | os.O_CREAT, 0o600)


async def _one(
    db: aiosqlite.Connection, query: str, arguments: tuple[object, ...] = ()
) -> tuple[Any, ...] | None:
    async with db.execute(query, arguments) as cursor:
        row = await cursor.fetchone()
    return None if row is None else tuple(row)
