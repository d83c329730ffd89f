"""Reads recordings from disk for the simulator, which itself touches no file.

A session is one ``*.raw.jsonl.gz`` file, with its markets beside it where they were kept; a
settlement day is a folder.  A recording that is missing or garbled is refused whole, by file and
line: an exchange that silently skips half a session would prove the wrong things.
"""

import gzip
import zlib
from pathlib import Path
from typing import Final

from polybawt.sim.recording import Recording, read_recording
from polybawt.sim.settlement_day import Day, read_day

SESSION_END: Final = ".raw.jsonl.gz"
MARKETS_END: Final = ".markets.jsonl.gz"
MARKET_FILES: Final = "*-markets-*.jsonl.gz"
PRICE_FILES: Final = "*-prices-*.csv.gz"
LINES_MAX: Final = 5_000_000


class ReplayError(Exception):
    """A recording cannot be played; carries the path and, if known, the line (from 1)."""

    def __init__(self, path: Path, why: str, line: int = 0) -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {why}")
        self.path, self.line = path, line


def read_lines(path: Path) -> list[str]:
    """The lines of a text file, plain or gzip."""
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            lines = [line for _, line in zip(range(LINES_MAX + 1), file, strict=False)]
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as wrong:
        raise ReplayError(path, f"cannot be read: {wrong}") from wrong
    if len(lines) > LINES_MAX:
        raise ReplayError(path, f"has more than {LINES_MAX} lines")
    return lines


def read_session(path: Path) -> Recording:
    """A recorded session, every line of it understood."""
    lines = read_lines(path)
    market_path = path.with_name(path.name.removesuffix(SESSION_END) + MARKETS_END)
    beside = path.name.endswith(SESSION_END) and market_path.exists()
    market_lines = read_lines(market_path) if beside else []
    recording = read_recording(lines, market_lines)
    if recording.bad:
        raise _first_bad(path, lines) or _first_bad_market(market_path, recording)
    if not recording.moments:
        raise ReplayError(path, "holds no record of the venue")
    return recording


def _first_bad(path: Path, lines: list[str]) -> ReplayError | None:
    for number, line in enumerate(lines, start=1):
        bad = read_recording([line]).bad
        if bad:
            return ReplayError(path, bad[0].reason.partition(": ")[2], number)
    return None


def _first_bad_market(path: Path, recording: Recording) -> ReplayError:
    return ReplayError(path, recording.bad[0].reason)


def read_settlement_day(folder: Path) -> Day:
    """A recorded day of reports and outcomes: one file of each in a folder."""
    market_path, price_path = _only(folder, MARKET_FILES), _only(folder, PRICE_FILES)
    asset = price_path.name.partition("-")[0].lower().removesuffix("usd")
    market_lines, price_lines = read_lines(market_path), read_lines(price_path)
    day = read_day(market_lines, price_lines, f"{asset}/usd")
    if day.bad:
        what, _, why = day.bad[0].reason.partition(": ")
        kind, _, number = what.partition(" ")
        path, first = (market_path, 1) if kind == "market" else (price_path, 2)  # after a header
        raise ReplayError(path, why, int(number) + first)
    if not day.reports:
        raise ReplayError(price_path, "holds no report")
    return day


def _only(folder: Path, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise ReplayError(folder, f"holds {len(found)} files {pattern}, not one")
    return found[0]
