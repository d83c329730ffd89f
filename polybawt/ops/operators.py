"""Who sits at the desk of a paper run: nobody, one who approves all, or one who breaks things.

They do what people do to a running engine and to a venue, through the doors that people use: the
operator's socket, the exchange's admin routes, and a signal to the process.  Nothing here trades.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from typing import Any, Final

from polybawt.core.machines.approval import Approval
from polybawt.engine.replica import NotSent, Replica, Unanswered

ACTOR: Final = "paper"
LOOK_S: Final = 0.1
PATIENCE_S: Final = 20.0
PAUSE_S: Final = 1.5
RESTART_S_MAX: Final = 60.0

Admin = Callable[..., Awaitable[dict[str, Any]]]
"""(method, path, body): one request to the exchange's admin routes."""


class Operator:
    """``admin`` speaks to the exchange, ``pid`` is the engine's process of the moment."""

    def __init__(self, replica: Replica, admin: Admin, pid: Callable[[], int | None]) -> None:
        self.replica, self.admin, self.pid = replica, admin, pid
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """What was begun is brought to its end, and nothing is begun any more."""
        self._leaving.set()

    async def nothing(self) -> None:
        await self._leaving.wait()

    # The one who approves.

    async def approving(self) -> None:
        """Say yes to everything, as no human should."""
        while not self._leaving.is_set():
            await self._approve(self._wanted())
            await asyncio.sleep(LOOK_S)

    def _wanted(self) -> list[Approval]:
        known = self.replica.state.approvals.values()
        return [approval for approval in known if approval.state == "requested"]

    async def _approve(self, proposed: Sequence[Approval]) -> None:
        for wanted in proposed:
            await self._say(
                "ApproveRequested",
                approval_id=wanted.approval_id, actor=ACTOR, terms=wanted.terms, reason="paper",
            )  # fmt: skip

    async def _say(self, kind: str, **fields: str) -> None:
        """An engine that is away is told nothing: it is asked again, or it no longer matters."""
        try:
            await self.replica.send(kind, **fields)
        except (NotSent, Unanswered):
            return

    # The one who breaks things.

    async def adversary(self) -> None:
        """One misfortune after another, over and over; each ends before the next begins."""
        in_order = (
            self._lost_answers, self._killed, self._silent_oracle, self._astray_spot,
            self._torn_books, self._cut_off, self._new_ticks, self._crashed, self._closed_venue,
        )  # fmt: skip
        misfortunes = cycle(in_order)
        await self._until(self._trades)
        while not self._leaving.is_set():
            await next(misfortunes)()
            await self._until(self._trades)
            await asyncio.sleep(PAUSE_S)

    async def _until(self, true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
        """Wait for what should come, and not for ever."""
        for _ in range(int(patience_s / LOOK_S)):
            if true():
                return
            await asyncio.sleep(LOOK_S)

    def _lives_after(self, epoch: int) -> bool:
        return self.replica.connected and self.replica.state.epoch > epoch

    def _trades(self) -> bool:
        return self.replica.connected and self.replica.state.phase == "trading"

    async def _killed(self) -> None:
        """An operator kills, and another approves what was asked before."""
        await self._until(lambda: self._wanted() or self._leaving.is_set())
        await self._say("KillRequested", actor=ACTOR, reason="to see it", source="terminal")
        await self._approve(self._wanted()[:1])  # the others are for the next life
        await asyncio.sleep(0.5)
        await self._say("ResetRequested", breaker="kill", actor=ACTOR, reason="seen")

    async def _closed_venue(self) -> None:
        await self.admin("POST", "/mode", {"mode": "cancel_only", "seconds": 4})
        await asyncio.sleep(5.0)

    async def _lost_answers(self) -> None:
        """Orders whose answers never come."""
        async with self._fault(kind="answer_lost", method="POST", path="/order"):
            await asyncio.sleep(4.0)

    async def _cut_off(self) -> None:
        """Every stream ends, and what was missed is slow to be read."""
        async with self._fault(kind="slow", method="GET", path="/data/", seconds=1.5):
            await self.admin("POST", "/cut")
            await asyncio.sleep(3.0)

    async def _silent_oracle(self) -> None:
        async with self._fault(kind="drop", path="/ws/rtds"):
            await asyncio.sleep(7.5)

    async def _astray_spot(self) -> None:
        async with self._fault(kind="spot_astray"):
            await asyncio.sleep(3.0)

    async def _torn_books(self) -> None:
        async with self._fault(kind="drop", path="/ws/market", share=0.3):
            await asyncio.sleep(4.0)

    async def _new_ticks(self) -> None:
        """A finer tick in every market that trades."""
        for condition_id, market in tuple(self.replica.state.markets.items()):
            if market.accepting_orders and not market.over(self.replica.venue_ns()):
                change = {"condition_id": condition_id, "tick": "0.001"}
                await self.admin("POST", "/tick", change)

    async def _crashed(self) -> None:
        """The engine dies at once; its next life cannot read, and is told yes meanwhile."""
        await self._until(lambda: self._wanted() or self._leaving.is_set())
        async with self._fault(kind="error_500", method="GET", path="/data/trades"):
            pid, epoch = self.pid(), self.replica.state.epoch
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            await self._until(lambda: self._lives_after(epoch), RESTART_S_MAX)
            await self._approve(self._wanted()[:1])

    @asynccontextmanager
    async def _fault(self, **rule: object) -> AsyncIterator[None]:
        rules: Mapping[str, object] = {"fault": [rule]}
        await self.admin("POST", "/faults", rules)
        try:
            yield
        finally:
            await self.admin("DELETE", "/faults")
