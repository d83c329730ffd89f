"""The one queue into the kernel: bounded for the world, with a lane for operators."""

import asyncio
from collections import deque
from typing import Final

from polybawt.core.machine import Fact

WORLD_MAX: Final = 10_000
URGENT_MAX: Final = 100


class Inbox:
    """Facts from many tasks to one. ``put`` waits for room: back-pressure reaches the socket."""

    def __init__(self, world_max: int = WORLD_MAX) -> None:
        self._world: deque[Fact] = deque()
        self._urgent: deque[Fact] = deque()
        self._most = world_max
        self._filled, self._room = asyncio.Event(), asyncio.Event()
        self._room.set()
        self.deepest = 0

    async def put(self, fact: Fact) -> None:
        while len(self._world) >= self._most:
            self._room.clear()
            await self._room.wait()
        self._world.append(fact)
        self.deepest = max(self.deepest, len(self._world))
        self._filled.set()

    def put_urgent(self, fact: Fact) -> bool:
        """Pass every waiting fact of the world: a kill must not queue behind a burst.

        False when too many wait already: then it was not taken, and must be said again.
        """
        if len(self._urgent) >= URGENT_MAX:
            return False
        self._urgent.append(fact)
        self._filled.set()
        return True

    async def take(self, most: int) -> list[Fact]:
        """At least one fact; the urgent, and then of the others up to ``most`` in all."""
        while not self._world and not self._urgent:
            self._filled.clear()
            await self._filled.wait()
        taken = list(self._urgent)
        self._urgent.clear()
        while self._world and len(taken) < most:
            taken.append(self._world.popleft())
        self._room.set()
        return taken
