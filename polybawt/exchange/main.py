"""Runs an exchange as a program: one line of JSON when it is ready, then quiet until stopped.

``exchange_config`` makes the configuration from plain arguments; ``run`` returns the exit code.
Whatever keeps it from starting (a port taken, a recording that cannot be read) is raised in words.
"""

import asyncio
import signal
import sys
from typing import Final

import orjson

from polybawt.exchange.config import ExchangeConfig, InvalidConfig, exchange_config
from polybawt.exchange.server import Card, serve

__all__ = ["ExchangeConfig", "InvalidConfig", "exchange_config", "run"]

STOPPED: Final = 0


async def run(config: ExchangeConfig) -> int:
    """Serve until SIGINT, SIGTERM or POST /admin/stop.

    Raises ``PortTaken`` or ``ReplayError`` for what keeps it from starting.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    try:
        await serve(config, _announce if config.announce else _say_nothing, stopped)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    return STOPPED


def _announce(card: Card) -> None:
    sys.stdout.write(orjson.dumps(card).decode() + "\n")
    sys.stdout.flush()


def _say_nothing(_: Card) -> None:
    return
