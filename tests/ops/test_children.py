"""Children end when they are asked to, when they are not listening, and when we are gone."""

import asyncio
import logging
import os
import signal
import stat
from pathlib import Path

import pytest

from polybawt.ops import children

pytestmark = pytest.mark.xdist_group("wire")

EXCHANGE = ("exchange", "--json", "--quiet-world", "--window", "20")


async def test_a_child_that_failed_is_ended_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Its exit code is its own, also when it is asked to end just as it ends."""
    caplog.set_level(logging.DEBUG)
    child = await children.spawn(["fly"], log=tmp_path / "log")
    assert child.stdout is not None
    assert await child.stdout.readline() == b""  # it is ending now, and asyncio may not know yet

    assert await children.stop(child) == 2
    assert await children.stop(child) == 2
    assert "Unknown child process" not in caplog.text
    assert "invalid choice: 'fly'" in (tmp_path / "log").read_text()
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600


async def test_a_child_that_hangs_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping always ends."""
    monkeypatch.setattr(children, "STOP_S_MAX", 0.1)
    child = await children.spawn(EXCHANGE, log=tmp_path / "log")
    assert child.stdout is not None
    assert await child.stdout.readline()
    os.kill(child.pid, signal.SIGSTOP)

    assert await children.stop(child) == -signal.SIGKILL


async def test_a_child_on_a_leash_ends_with_its_parent(tmp_path: Path) -> None:
    """However that ends: the pipe closes. Proves: C3."""
    child = await children.spawn([*EXCHANGE, "--leash"], log=tmp_path / "log")
    assert child.stdout is not None
    assert child.stdin is not None
    assert await child.stdout.readline()
    child.stdin.close()

    async with asyncio.timeout(10):
        assert await child.wait() == 0


async def test_a_child_gets_the_environment_it_is_given(tmp_path: Path) -> None:
    """The key goes this way, and no other."""
    path = tmp_path / "engine.toml"
    path.write_text(
        f'state_dir = "{tmp_path}"\n[venue]\nclob_url = "http://127.0.0.1:9"\n'
        'gamma_url = "http://127.0.0.1:9"\nws_market_url = "ws://127.0.0.1:9"\n'
        'ws_user_url = "ws://127.0.0.1:9"\nrtds_url = "ws://127.0.0.1:9"\n'
    )
    key = {"POLYBAWT_PRIVATE_KEY": "short"}
    child = await children.spawn(
        ["engine", "--config", str(path)], log=tmp_path / "log", environment=key
    )

    assert await child.wait() == 2
    assert "is not set" not in (tmp_path / "log").read_text()
