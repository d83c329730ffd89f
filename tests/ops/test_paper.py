"""Paper trading as an operator runs it: one command, and the books agree to the millionth."""

import asyncio
import json
import os
import signal
import sys
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from polybawt.core.state import Config
from polybawt.core.units import SECOND_NS
from polybawt.engine.config import SETTINGS, load
from polybawt.engine.replica import Replica
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.ops import watching
from polybawt.ops.paper import (
    LEAD_S,
    TAIL_S,
    Options,
    Paper,
    PaperError,
    drift,
    judged,
    kernel_settings,
    toml,
)
from polybawt.ops.recordings import Recording
from polybawt.venue.clob import Clob
from polybawt.venue.http import http_client
from polybawt.venue.signing import Account

pytestmark = pytest.mark.xdist_group("wire")

KEY = DEVELOPMENT_KEYS[0]
SOCKET = "audit.sock"
linux = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")


async def started(directory: Path, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "polybawt", "paper", "--headless", "--json", "--seed", "7",
        "--state", str(directory), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def until(true: Callable[[], object], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def running(pid: int) -> bool:
    """Whether it is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def files(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir() if file.is_file()}


# Whole runs.


COUNTS = ("orders", "fills", "partial_fills", "cancels", "rejects", "markets_settled", "epoch")


async def test_a_run_ends_in_time_with_everything_it_promised(tmp_path: Path) -> None:
    """Every figure, and our ledger is the exchange's account. Proves: P2.4, B-exec, A-port."""
    paper = await started(tmp_path, "--duration", "12")
    said, progress = await paper.communicate()
    result = json.loads(said)

    assert paper.returncode == 0, progress
    assert result["drift_micro"] == 0
    assert result["settled"] is True
    assert result["orders"] > 0
    assert result["events_per_second"] > 0
    assert all(type(result[name]) is int and result[name] >= 0 for name in COUNTS)
    assert abs(Decimal(result["pnl_usdc"])) < 20  # decimal text, within the exposure limit
    assert (result["open_orders"], result["unjournaled_orders"]) == ([], [])
    assert Path(result["journal"]) == tmp_path / "journal.sqlite"
    assert Path(result["journal"]).stat().st_size > 0
    assert result["restarts"] == result["duplicate_orders"] == 0
    assert 12 <= result["seconds"] < 30
    lines = progress.decode().splitlines()
    assert len(lines) >= 2
    assert all(line.startswith("paper ") and " s left: " in line for line in lines)
    assert not list(tmp_path.glob(SOCKET))


async def heard(path: Path, into: bytearray) -> None:
    """Every byte of the audit stream, until it ends."""
    reader, writer = await asyncio.open_unix_connection(path)
    while chunk := await reader.read(1 << 20):
        into += chunk
    writer.close()


async def secrets(directory: Path) -> list[bytes]:
    """What must be nowhere: the engine's key, and its API secret and passphrase."""
    config = load(directory / "engine.toml")
    async with http_client(config.venue.clob_url) as http:
        clob = Clob(http, Account(KEY), chain_id=137, clock=config.clock)
        ours = await clob.login()  # a second login gets the same credentials
    return [KEY.removeprefix("0x").encode(), ours.secret.encode(), ours.passphrase.encode()]


@linux
async def test_an_interrupt_ends_the_run_well_and_no_secret_was_told(tmp_path: Path) -> None:
    """Ctrl-C prints the summary; log, journal, stream and summary hold no key and no secret.

    Proves: A-sec, P3.1.
    """
    paper, stream, replica = await started(tmp_path), bytearray(), Replica()
    await until((tmp_path / SOCKET).exists)
    listening = asyncio.create_task(heard(tmp_path / SOCKET, stream))
    follow = asyncio.create_task(replica.follow(tmp_path / SOCKET, lambda _: None))
    hidden = await secrets(tmp_path)
    pids = children_of(paper.pid)
    await until(lambda: replica.state.counters.get("order:live", 0) >= 3)
    during = files(tmp_path)  # with the write-ahead log
    paper.send_signal(signal.SIGINT)
    said, progress = await paper.communicate()
    await listening
    follow.cancel()
    result = json.loads(said)

    assert paper.returncode == 0, progress
    assert result["drift_micro"] == 0
    assert result["open_orders"] == []
    assert len(pids) == 2
    assert not any(map(running, pids))
    texts = {"stream": bytes(stream), "summary": said, "stderr": progress}
    kept = texts | {f"{name} before": text for name, text in during.items()} | files(tmp_path)
    assert len(kept["journal.sqlite"]) > 10_000
    assert b'"kind":"Sign"' in kept["stream"]
    assert [name for name, text in kept.items() if any(one in text for one in hidden)] == []


@linux
async def test_no_child_outlives_a_run_that_is_killed(tmp_path: Path) -> None:
    """Not even kill -9 leaves an engine trading, or a port taken. Proves: C3, emergency."""
    paper = await started(tmp_path)
    await until((tmp_path / SOCKET).exists)
    pids = children_of(paper.pid)
    assert len(pids) == 2
    assert all(map(running, pids))
    paper.kill()
    await paper.communicate()

    await until(lambda: not any(map(running, pids)))


@linux
async def test_a_run_whose_exchange_dies_says_so(tmp_path: Path) -> None:
    """Exit 1, with the file to look into; the engine is not left behind. Proves: faults."""
    paper = await started(tmp_path, "--duration", "100")
    await until((tmp_path / "engine.pid").exists)
    engine = int((tmp_path / "engine.pid").read_text())
    (exchange,) = (pid for pid in children_of(paper.pid) if pid != engine)
    os.kill(exchange, signal.SIGKILL)
    said, progress = await paper.communicate()

    assert paper.returncode == 1
    assert "the exchange ended; see" in json.loads(said)["error"]
    assert b"Traceback" not in progress
    assert not running(engine)


async def nothing(_: Paper) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("place", ["file", "file/below"])
async def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(PaperError, match="cannot be used"):
        await Paper(Options(state_dir=tmp_path / place)).run(nothing)


async def test_an_exchange_that_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    """The recording went away between the look and the run."""
    gone = Recording(path=tmp_path / "gone.raw.jsonl.gz", seconds=5.0, outcomes={})

    with pytest.raises(PaperError, match=r"did not start; see .*exchange.log"):
        await Paper(Options(state_dir=tmp_path, recording=gone)).run(nothing)
    assert "gone.raw.jsonl.gz" in (tmp_path / "exchange.log").read_text()


async def test_an_engine_that_must_not_go_on_ends_the_run(tmp_path: Path) -> None:
    """It refuses its journal; starting it again and again would not help."""
    (tmp_path / "journal.sqlite").write_bytes(b"no database" * 1_000)

    with pytest.raises(PaperError, match=r"the engine failed; see .*engine.log"):
        await Paper(Options(state_dir=tmp_path)).run(nothing)
    assert "is no journal" in (tmp_path / "engine.log").read_text()


# The figures.

ACCOUNT = {"collateral": 70, "tokens": {"a": 5, "b": 7}}


@pytest.mark.parametrize(
    ("cash", "held", "gap"),
    [
        (70, {"a": 5, "b": 7}, 0),
        (71, {"a": 5, "b": 7}, 1),
        (70, {"a": 5}, 7),
        (70, {"a": 5, "b": 7, "c": 3}, 3),
        (60, {"a": 1, "b": 7}, 10),
    ],
)
def test_drift_is_the_largest_difference_either_way(
    cash: int, held: dict[str, int], gap: int
) -> None:
    """One millionth is a drift. Proves: P2.4."""
    assert drift({"cash_micro": cash, "holdings_micro": held}, ACCOUNT) == gap


def test_what_could_not_be_proven_is_neither_right_nor_wrong() -> None:
    """An outcome that we could not compute must not look like a success. Proves: C1."""
    recorded = {"a": "yes", "b": "no", "c": "yes", "d": "no"}
    said = {"a": ("paid", "yes"), "b": ("paid", "yes"), "c": ("paid", "")}

    assert judged(recorded, said) == {
        "outcomes_right": 1, "outcomes_wrong": 1, "outcomes_unprovable": 2
    }  # fmt: skip


GOOD: dict[str, Any] = {
    "drift_micro": 0, "unjournaled_orders": [], "duplicate_orders": 0, "counters": {}
}  # fmt: skip


@pytest.mark.parametrize(
    "other",
    [
        {"drift_micro": 1},
        {"unjournaled_orders": ["0x1"]},
        {"duplicate_orders": 1},
        {"counters": {"impossible": 1}},
        {"outcomes_wrong": 1},
    ],
)
def test_one_check_that_fails_makes_the_run_bad(other: dict[str, Any]) -> None:
    """The exit code is the verdict."""
    assert watching.good(GOOD)
    assert not watching.good(GOOD | other)
    assert "A CHECK FAILED" in watching.summary(GOOD | other)
    assert "all checks held" in watching.summary(GOOD | {"orders": 3})


def test_toml_comes_back_as_it_was() -> None:
    """The engine's file is written by hand-made code; tomllib is the judge."""
    table = {
        "text": 'a "b" \\ ü', "whole": 3, "real": 0.5, "yes": True, "list": [1, 2],
        "inner": {"deep": {"x": 1}, "rows": [{"a": 1, "t": {"b": 2}}, {"a": 2}]},
    }  # fmt: skip

    assert tomllib.loads(toml(table)) == table


@pytest.mark.parametrize("rate", [1.0, 10.0, 700.0])
@pytest.mark.parametrize("recorded", [False, True])
def test_the_kernels_patience_is_a_configuration_that_loads(rate: float, recorded: bool) -> None:
    """Stretched where recorded time runs faster than the wire; never shorter."""
    config = SETTINGS.structure(kernel_settings(rate, recorded), Config)
    plain = Config()

    assert config.poll_ns >= plain.poll_ns
    assert config.limits.book_age_ns_max >= 3 * SECOND_NS
    assert config.strategies[0].enabled == (rate <= 20)


@pytest.mark.parametrize(
    ("options", "rate", "run_s"),
    [
        ({}, 1.0, None),
        ({"duration_s": 9.0}, 1.0, 9.0),
        ({"recorded_s": 100.0}, 1.0, LEAD_S + 100 + TAIL_S),
        ({"recorded_s": 100.0, "speed": 10.0}, 10.0, LEAD_S + 10 + TAIL_S),
        ({"recorded_s": 100.0, "duration_s": LEAD_S + TAIL_S + 50}, 2.0, LEAD_S + TAIL_S + 50),
        ({"recorded_s": 100.0, "duration_s": 500.0}, 1.0, 500.0),
        ({"recorded_s": 100.0, "duration_s": 1.0}, 100.0, 1.0),
    ],
)
def test_a_recording_is_fitted_into_the_time_there_is(
    tmp_path: Path, options: dict[str, float], rate: float, run_s: float | None
) -> None:
    """It never runs slower than it was."""
    recorded_s = options.pop("recorded_s", None)
    recording = recorded_s and Recording(path=tmp_path, seconds=recorded_s, outcomes={})
    chosen = Options(state_dir=tmp_path, recording=recording or None, **options)  # type: ignore[arg-type]

    assert chosen.rate == rate
    assert chosen.run_s == run_s
