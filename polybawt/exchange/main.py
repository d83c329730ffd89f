"""Runs an exchange as a program: one line of JSON when it is ready, then quiet until stopped.

``exchange_config`` makes the configuration from plain arguments; ``run`` returns the exit code.
Whatever stops it early (a port taken, a recording that cannot be read) is one line on stderr.
"""

import asyncio
import signal
import sys
from typing import Final

import orjson

from polybawt.exchange.config import ExchangeConfig, InvalidConfig, exchange_config
from polybawt.exchange.replay import ReplayError
from polybawt.exchange.server import Card, PortTaken, serve

__all__ = ["ExchangeConfig", "InvalidConfig", "exchange_config", "run"]

STOPPED: Final = 0
CANNOT_START: Final = 2


async def run(config: ExchangeConfig) -> int:
    """Serve until SIGINT, SIGTERM or POST /admin/stop."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await serve(config, _announce if config.announce else _say_nothing, stopped)
    except (PortTaken, ReplayError) as wrong:
        sys.stderr.write(f"exchange: {wrong}\n")
        return CANNOT_START
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return STOPPED


def _announce(card: Card) -> None:
    sys.stdout.write(orjson.dumps(card).decode() + "\n")
    sys.stdout.flush()


def _say_nothing(_: Card) -> None:
    return
