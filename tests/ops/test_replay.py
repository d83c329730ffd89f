"""Recorded traffic through the exchange's wire into the real engine, children and all.

What the engine rebuilds from the stream must have, at the end of every group of changes, the
hash that the venue sent with it; and a recorded day of settlements must come out as it did.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from polybawt.ops.recordings import recording

pytestmark = pytest.mark.xdist_group("wire")
SESSIONS = ("20260427b", "20260428a", "20260428b", "20260428d", "20260428e")
PLAY_S = 5.0


async def replay(path: Path, state: Path, *options: str) -> dict[str, Any]:
    """Run ``polybawt paper`` over a recording; its result."""
    paper = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "polybawt", "paper", "--headless", "--json",
        "--replay", str(path), "--state", str(state), *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, errors = await paper.communicate()
    assert paper.returncode == 0, errors.decode()[-2000:] + said.decode()[-2000:]
    result: dict[str, Any] = json.loads(said)
    return result


@pytest.mark.parametrize("name", SESSIONS)
async def test_the_engine_proves_every_recorded_group(
    name: str, recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    """One batch of 20260428d was cut off by its recorder: its two groups cannot fit, and do not."""
    path = recorded(f"ws_raw/session_{name}.raw.jsonl.gz")
    truth = json.loads(recorded("ws_raw/expected.json").read_text())[path.name]["integrity"]
    speed = max(1.0, recording(path).seconds / PLAY_S)
    result = await replay(path, tmp_path, "--speed", str(speed))
    count = result["counters"]

    assert count.get("batch_hash_ok", 0) == truth.get("batch_hash_ok", 0)
    assert count.get("batch_hash_mismatch", 0) == truth.get("batch_hash_mismatch", 0)
    assert count.get("level_changes", 0) == truth.get("price_change_levels", 0)
    assert count["ws_book_hash_ok"] >= truth["ws_book_hash_ok"]  # first books are sent again
    assert count.get("ws_book_hash_mismatch", 0) == 0
    assert result["drift_micro"] == 0


async def test_orders_rest_in_a_recorded_session(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    """Its markets begin a day later: a share is worth one half, and bids rest below that."""
    path = recorded("ws_raw/session_20260428d.raw.jsonl.gz")
    speed = str(recording(path).seconds / 32)
    result = await replay(path, tmp_path, "--speed", speed)

    assert result["orders"] > 0
    assert result["counters"]["order:live"] == result["orders"]
    assert result["drift_micro"] == 0


async def test_a_recorded_day_of_settlements_comes_out_as_it_did(
    recorded: Callable[[str], Path], tmp_path: Path
) -> None:
    """280 markets are proven by their own reports; 12 lack a strike or the closing report.

    Proves: C1 P0.1.
    """
    folder = recorded("settlement/expected.json").parent
    truth = json.loads((folder / "expected.json").read_text())["settlement"]
    result = await replay(folder, tmp_path, "--duration", "45")

    assert result["outcomes_right"] == truth["exact_second_agree"] == 280
    assert result["outcomes_wrong"] == 0
    assert result["outcomes_unprovable"] == 12
    assert result["counters"]["reports"] == 84_558
