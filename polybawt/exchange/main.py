"""Runs an exchange as a program: one line of JSON when it is ready, then quiet until stopped.

``exchange_config`` makes the configuration from plain arguments; ``run`` returns the exit code.
Whatever keeps it from starting (a port taken, a recording that cannot be read) is raised in words.
"""

import asyncio
import gc
import signal
import sys
from typing import Final

import orjson

from polybawt.exchange.config import ExchangeConfig, InvalidConfig, exchange_config
from polybawt.exchange.server import Card, serve

__all__ = ["ExchangeConfig", "InvalidConfig", "exchange_config", "run"]

STOPPED: Final = 0
YOUNG_MAX, YOUNG_TURNS, MIDDLE_TURNS = 2_000, 5, 20_000  # each collection is short, full ones rare


async def run(config: ExchangeConfig) -> int:
    """Serve until SIGINT, SIGTERM or POST /admin/stop.

    Raises ``PortTaken`` or ``ReplayError`` for what keeps it from starting.
    """
    _collect_seldom()
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


def _collect_seldom() -> None:
    """Keep the garbage collector from looking at every record again and again.

    A full collection stops everybody for as long as the exchange has lived: a tenth of a second
    after twenty thousand orders.  Records have no cycles, and what has some (a refused request
    with its traceback) dies young.
    """
    gc.freeze()
    gc.set_threshold(YOUNG_MAX, YOUNG_TURNS, MIDDLE_TURNS)


def _announce(card: Card) -> None:
    sys.stdout.write(orjson.dumps(card).decode() + "\n")
    sys.stdout.flush()


def _say_nothing(_: Card) -> None:
    return
