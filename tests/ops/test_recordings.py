"""What can be replayed is recognised by looking at it, and all else refused by name."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from polybawt.ops.recordings import TAIL_S, NotARecording, recording


def packed(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") as file:
        file.write("\n".join(lines) + "\n")
    return path


def session(tmp_path: Path, *times: object) -> Path:
    lines = [json.dumps({"recv_wall_ts": time}) for time in times]
    return packed(tmp_path / "a.raw.jsonl.gz", *lines)


def day(tmp_path: Path, prices: str = "recv_ms,value\n1000,5", **changes: object) -> Path:
    row = {"condition_id": "c", "outcome_prices": ["1", "0"], "resolved": True, "end_sec": 61}
    rows = [row | changes, row | {"condition_id": "d", "outcome_prices": ["0", "1"]}]
    open_row = row | {"condition_id": "e", "resolved": False}
    packed(tmp_path / "x-markets-1.jsonl.gz", *map(json.dumps, [*rows, open_row]))
    packed(tmp_path / "x-prices-1.csv.gz", *prices.splitlines())
    return tmp_path


def test_a_session_lasts_from_its_first_word_to_its_last(tmp_path: Path) -> None:
    found = recording(session(tmp_path, 5_000, 1_000, 31_500))

    assert (found.seconds, found.outcomes) == (30.5, {})


def test_a_settlement_day_knows_how_its_markets_ended(tmp_path: Path) -> None:
    """The outcomes are what our own are judged against; an unresolved market has none."""
    found = recording(day(tmp_path))

    assert found.outcomes == {"c": "yes", "d": "no"}
    assert found.seconds == 60 + TAIL_S


def test_the_recorded_ones_are_recognised(recorded: Callable[[str], Path]) -> None:
    """Proves: P2.5."""
    assert recording(recorded("settlement")).outcomes


@pytest.mark.parametrize("name", ["a.raw.jsonl.gz", "b.csv", "folder"])
def test_what_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotARecording, match=name):
        recording(tmp_path / name)


def garbled(tmp_path: Path, kind: str) -> Path:
    path = session(tmp_path, *range(1_000))
    whole = path.read_bytes()
    match kind:
        case "empty":
            path.write_bytes(b"")
        case "no lines":
            packed(path, "")
        case "not packed":
            path.write_text('{"recv_wall_ts": 1}\n')
        case "cut":
            path.write_bytes(whole[: len(whole) // 2])
        case "damaged":
            path.write_bytes(whole[:20] + b"\xff" * 40 + whole[60:])
        case "not json":
            packed(path, "{", "}")
        case "no times":
            packed(path, '{"time": 1}')
        case "words":
            packed(path, '{"recv_wall_ts": "a"}', '{"recv_wall_ts": "b"}')
        case "lists":
            packed(path, "[]")
        case "not text":
            with gzip.open(path, "wb") as file:
                file.write(b"\xff\xfe\n")
    return path


@pytest.mark.parametrize(
    "kind",
    ["empty", "no lines", "not packed", "cut", "damaged", "not json", "no times", "words", "lists",
     "not text"],
)  # fmt: skip
def test_a_garbled_session_is_refused(tmp_path: Path, kind: str) -> None:
    """By its path, without a traceback. Proves: faults."""
    path = garbled(tmp_path, kind)

    with pytest.raises(NotARecording, match=r"a\.raw\.jsonl\.gz: is "):
        recording(path)


def test_a_folder_of_something_else_says_what_it_wants(tmp_path: Path) -> None:
    with pytest.raises(NotARecording, match=r"wants one \*-markets-\*.jsonl.gz.*has 0 and 0"):
        recording(tmp_path)


@pytest.mark.parametrize(
    ("prices", "changes"),
    [
        ("recv_ms,value\n", {}),
        ("time,value\n1,5", {}),
        ("recv_ms\nsoon", {}),
        ("recv_ms,value\n1000,5", {"end_sec": "late"}),
        ("recv_ms,value\n1000,5", {"end_sec": None}),
    ],
)
def test_a_garbled_day_is_refused(tmp_path: Path, prices: str, changes: dict[str, object]) -> None:
    """Proves: faults."""
    with pytest.raises(NotARecording, match="is no settlement day"):
        recording(day(tmp_path, prices, **changes))
