"""Child processes on a leash: each ends when its parent does, however that ends.

A child's standard input is a pipe that nobody writes to; when the parent is gone the pipe
closes, and ``leash`` ends the child as a signal would.
"""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

STOP_S_MAX: Final = 20.0
LINE_MAX: Final = 1 << 24


def leash() -> None:
    """End this process, as SIGTERM would, once its standard input closes."""

    def wait() -> None:
        with suppress(OSError):  # no standard input at all is a parent that is gone
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="leash", daemon=True).start()


async def spawn(
    arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start one of our own commands; its standard error goes to ``log``."""
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "polybawt",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
            limit=LINE_MAX,
            start_new_session=True,  # Ctrl-C is for the parent, who then asks us
        )


async def stop(child: asyncio.subprocess.Process, number: int = signal.SIGTERM) -> int:
    """Ask a child to end and wait; one that does not is killed."""
    _signal(child, number)
    try:
        return await asyncio.wait_for(child.wait(), STOP_S_MAX)
    except TimeoutError:
        _signal(child, signal.SIGKILL)
        return await child.wait()


def _signal(child: asyncio.subprocess.Process, number: int) -> None:
    """By hand: ``send_signal`` polls first, and may take the exit code from under asyncio."""
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(child.pid, number)
