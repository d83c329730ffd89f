"""``polybawt ctl``: say one thing to a running engine, from a script or in a hurry.

It attaches to the audit stream of the state directory like a terminal, says the operator's fact,
waits until the engine has folded it, and tells what the engine is now.  Taken is not done: what
became of it is the state that is told, and the journal.
"""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen

from polybawt.core.facts import WORLD
from polybawt.core.machine import Fact
from polybawt.core.state import State
from polybawt.core.units import micro_text
from polybawt.engine.config import SOCKET
from polybawt.engine.replica import Change, Folded, Lost, NotSent, Replica, Synced, Unanswered

PATIENCE_S: Final = 5.0


class CtlError(Exception):
    """Nothing could be said; the text says why, and what to look at."""


@frozen(kw_only=True)
class Saying:
    """What an operator may say: the fact's kind, and what must stand in it beside the actor."""

    kind: str
    help: str
    needs: tuple[str, ...] = ()
    fixed: Mapping[str, str] = field(factory=dict)


ACTIONS: Final[Mapping[str, Saying]] = {
    "kill": Saying(
        kind="KillRequested", help="nothing leaves, everything is withdrawn, until a reset",
        needs=("reason",), fixed={"source": "api"},
    ),
    "reset": Saying(
        kind="ResetRequested", help="arm the kill again, or close a breaker by its name",
        needs=("reason", "breaker"),
    ),
    "stop": Saying(kind="StopRequested", help="withdraw what rests, and end"),
    "flatten": Saying(
        kind="FlattenRequested", help="sell what is held, at what the book bids", needs=("reason",)
    ),
    "approve": Saying(
        kind="ApproveRequested", help="say yes to a trade that waits, on the terms shown",
        needs=("approval_id", "terms"),
    ),
    "decline": Saying(
        kind="DeclineRequested", help="say no to a trade that waits", needs=("approval_id",)
    ),
}  # fmt: skip


async def look(directory: Path) -> dict[str, Any]:
    """What a running engine is now."""
    async with asyncio.timeout(PATIENCE_S), _Attached(directory) as attached:
        return told(attached.replica)


async def say(directory: Path, action: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Say it, wait until it is folded, and tell what the engine is then."""
    saying = ACTIONS[action]
    wanted = {"actor": "ctl", **saying.fixed, **fields}
    try:
        async with asyncio.timeout(PATIENCE_S), _Attached(directory) as attached:
            if refused := await attached.replica.send(saying.kind, **wanted):
                return {"accepted": False, "said": saying.kind, "why": refused}
            await attached.until_folded(saying.kind)
            return {"accepted": True, "said": saying.kind, **told(attached.replica)}
    except (NotSent, Unanswered, TimeoutError) as wrong:
        raise CtlError(f"{directory}: the engine did not answer in {PATIENCE_S:g} s") from wrong


def told(replica: Replica) -> dict[str, Any]:
    """The engine in a few words, for people and for machines."""
    state: State = replica.state
    shut = {b.name: b.state for b in state.breakers.values() if b.state != "closed"}
    waiting = [a for a in state.approvals.values() if a.state == "requested"]
    return {
        "engine": replica.engine,
        "mode": replica.mode,
        "phase": state.phase,
        "killed": state.killed(),
        "breakers": shut,
        "open_orders": sum(1 for _ in state.open_orders()),
        "positions": sum(1 for held in state.positions.values() if held.shares),
        "exposure_usdc": micro_text(state.total_exposure()),
        "pnl_usdc": micro_text(state.pnl()),
        "approvals": {a.approval_id: a.terms for a in waiting},
        "seq": replica.seq,
    }


class _Attached:
    """A replica that follows, for as long as this lasts."""

    def __init__(self, directory: Path) -> None:
        self.replica = Replica()
        self._path = directory / SOCKET
        self._synced, self._heard = asyncio.Event(), asyncio.Event()
        self._folded: list[type[Fact]] = []
        self._lost = ""

    async def __aenter__(self) -> "_Attached":
        self._task = asyncio.create_task(self.replica.follow(self._path, self._changed))
        await self._synced.wait()
        if self._lost:
            await self.__aexit__()
            raise CtlError(f"{self._path}: {self._lost}: is an engine running there?")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def _changed(self, change: Change) -> None:
        match change:
            case Lost(reason=reason) if not self._synced.is_set():
                self._lost = reason
                self._synced.set()
            case Synced():
                self._synced.set()
            case Folded(fact=fact):
                self._folded.append(type(fact))
                self._heard.set()

    async def until_folded(self, kind: str) -> None:
        wanted = next(cls for cls in WORLD if cls.__name__ == kind)
        while wanted not in self._folded:
            self._heard.clear()
            await self._heard.wait()
