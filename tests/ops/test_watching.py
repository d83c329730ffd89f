"""What a person sees of a run."""

import asyncio
from pathlib import Path

import pytest
from rich.console import Console

from polybawt.core.machines.kill_switch import KillSwitch
from polybawt.core.machines.recovery import Recovery
from polybawt.ops import watching
from polybawt.ops.paper import Options, Paper


def a_paper(tmp_path: Path, duration_s: float | None = None) -> Paper:
    paper = Paper(Options(state_dir=tmp_path, duration_s=duration_s))
    state = paper.replica.state
    state.recovery = Recovery(state="trading")
    state.counters |= {"orders": 7, "fills": 3, "markets_settled": 1}
    return paper


async def seen(paper: Paper) -> None:
    """Watch for a moment."""
    watcher = asyncio.create_task(watching.progress(paper))
    await asyncio.sleep(0.02)
    watcher.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watcher


async def test_a_log_file_gets_plain_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No escape codes in a pipe."""
    await seen(a_paper(tmp_path))
    await seen(a_paper(tmp_path, 60.0))
    told = capsys.readouterr()

    assert told.out == ""
    assert told.err == (
        "paper 0 s: trading \N{MIDDLE DOT} 7 orders \N{MIDDLE DOT} 3 fills \N{MIDDLE DOT} "
        "1 settled \N{MIDDLE DOT} P&L 0\n"
        "paper 0 s, 60 s left: trading \N{MIDDLE DOT} 7 orders \N{MIDDLE DOT} 3 fills "
        "\N{MIDDLE DOT} 1 settled \N{MIDDLE DOT} P&L 0\n"
    )


async def test_a_terminal_gets_a_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def colourful(**_: bool) -> Console:
        return Console(stderr=True, force_terminal=True, width=120)

    monkeypatch.setattr(watching, "Console", colourful)
    await seen(a_paper(tmp_path, 60.0))

    assert "7 orders" in capsys.readouterr().err


def test_a_kill_is_the_first_word(tmp_path: Path) -> None:
    """Nobody must wonder why nothing trades."""
    paper = a_paper(tmp_path)
    paper.replica.state.kill = KillSwitch(state="fired", source="file", reason="lunch")

    assert watching.words(paper).startswith("KILLED trading")


def test_the_summary_shows_what_there_is(tmp_path: Path) -> None:
    """Outcomes only of a settlement day."""
    result = {
        "drift_micro": 0, "unjournaled_orders": [], "duplicate_orders": 0, "counters": {},
        "orders": 12_345, "pnl_usdc": "-1.5", "journal": "/somewhere/journal.sqlite",
    }  # fmt: skip
    told = watching.summary(result)

    assert "12345" in told
    assert "/somewhere/journal.sqlite" in told
    assert "outcomes right" not in told
    assert "outcomes right" in watching.summary(result | {"outcomes_right": 9})
