"""The engine is killed without warning, again and again, while it trades over the wire.

Nothing may be lost that the exchange knows, nothing sent twice, and every new life must agree
with the venue before it sends anything.
"""

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from polybawt.engine.replica import Replica
from polybawt.proof.audit import audit

KILLS = 10


async def one_life(replica: Replica, epoch: int) -> None:
    """Until the engine of this epoch trades and has an order at the venue."""
    while not (replica.state.epoch == epoch and replica.state.phase == "trading"):
        await asyncio.sleep(0.01)


@pytest.mark.xdist_group("wire")
async def test_ten_kills_under_load_lose_and_double_nothing(tmp_path: Path) -> None:
    """Proves: recovery, H5, P3.4, A-exec."""
    chance = random.Random(7)
    paper = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "polybawt", "paper", "--headless", "--json",
        "--duration", "200", "--seed", "7", "--state", str(tmp_path),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    replica = Replica()
    follow = asyncio.create_task(replica.follow(tmp_path / "audit.sock", lambda _: None))
    for epoch in range(1, KILLS + 1):
        async with asyncio.timeout(30):  # each life reconciles and goes on in less
            await one_life(replica, epoch)
        await asyncio.sleep(chance.uniform(0.2, 3.0))  # under load, at no particular moment
        os.kill(int((tmp_path / "engine.pid").read_text()), signal.SIGKILL)
    async with asyncio.timeout(30):
        await one_life(replica, KILLS + 1)
        await asyncio.sleep(3)
    paper.send_signal(signal.SIGINT)
    said, _ = await paper.communicate()
    follow.cancel()
    result = json.loads(said)

    assert paper.returncode == 0, result
    assert result["restarts"] == KILLS
    assert result["drift_micro"] == 0
    assert result["unjournaled_orders"] == []
    assert result["duplicate_orders"] == 0
    assert result["counters"].get("orphans", 0) == 0
    assert result["orders"] > KILLS
    assert result["fills"] > 0
    assert max(result["recoveries_s"]) < 30
    assert result["epoch"] == KILLS + 1
    assert audit(tmp_path / "journal.sqlite", lambda _, __: None).gap == ""
