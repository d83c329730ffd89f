"""What a recording is, from its path alone: how long it runs, and how its markets ended."""

import csv
import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

UNREADABLE: Final = (OSError, EOFError, zlib.error, csv.Error, ValueError, KeyError, TypeError)
TAIL_S: Final = 200.0  # after the last market's end: its resolution and what is awaited in vain


class NotARecording(Exception):
    """The path holds no recording that we can replay; the text says what was looked for."""


@frozen(kw_only=True)
class Recording:
    """``outcomes``: condition id to "yes" or "no", for a settlement day."""

    path: Path
    seconds: float
    outcomes: Mapping[str, str]


def recording(path: Path) -> Recording:
    """Look at a session (``*.raw.jsonl.gz``) or a settlement folder."""
    if path.is_dir():
        return _settlement_day(path)
    if path.name.endswith(".raw.jsonl.gz"):
        return _session(path)
    raise NotARecording(
        f"{path}: give a recorded session (*.raw.jsonl.gz) or a folder with "
        "*-markets-*.jsonl.gz and *-prices-*.csv.gz"
    )


def _session(path: Path) -> Recording:
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            times = [float(json.loads(line)["recv_wall_ts"]) for line in lines if line.strip()]
    except UNREADABLE as e:
        raise NotARecording(f"{path}: is no recorded session: {type(e).__name__}: {e}") from e
    if not times:
        raise NotARecording(f"{path}: is empty")
    return Recording(path=path, seconds=(max(times) - min(times)) / 1_000, outcomes={})


def _settlement_day(path: Path) -> Recording:
    markets, prices = (
        sorted(path.glob("*-markets-*.jsonl.gz")),
        sorted(path.glob("*-prices-*.csv.gz")),
    )
    if len(markets) != 1 or len(prices) != 1:
        raise NotARecording(
            f"{path}: wants one *-markets-*.jsonl.gz and one *-prices-*.csv.gz, "
            f"has {len(markets)} and {len(prices)}"
        )
    try:
        with gzip.open(markets[0], "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines if line.strip()]
        outcomes = {
            row["condition_id"]: "yes" if row["outcome_prices"] == ["1", "0"] else "no"
            for row in rows
            if row["resolved"]
        }
        with gzip.open(prices[0], "rt", encoding="utf-8") as lines:
            first = int(next(csv.DictReader(lines))["recv_ms"])
        last_s = float(max(row["end_sec"] for row in rows))
    except (*UNREADABLE, StopIteration) as e:
        raise NotARecording(f"{path}: is no settlement day: {type(e).__name__}: {e}") from e
    return Recording(path=path, seconds=last_s - first / 1_000 + TAIL_S, outcomes=outcomes)
