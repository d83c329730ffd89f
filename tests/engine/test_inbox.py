"""The queue into the kernel: bounded for the world, never waiting for an operator."""

import asyncio

import pytest

from polybawt.core.facts import KillRequested, Tick
from polybawt.core.machine import Fact
from polybawt.engine.inbox import URGENT_MAX, Inbox

KILL = KillRequested(at_ns=1, actor="jo", reason="x", source="file")


def ticks(*times: int) -> list[Fact]:
    return [Tick(at_ns=at) for at in times]


async def test_facts_come_out_in_the_order_they_went_in() -> None:
    """A fill must not overtake the acknowledgement before it."""
    inbox = Inbox()
    for fact in ticks(1, 2, 3):
        await inbox.put(fact)

    assert await inbox.take(2) == ticks(1, 2)
    assert await inbox.take(2) == ticks(3)
    assert inbox.deepest == 3


async def test_an_urgent_fact_passes_all_that_wait() -> None:
    """Proves: kill, D14."""
    inbox = Inbox()
    for fact in ticks(1, 2, 3):
        await inbox.put(fact)
    assert inbox.put_urgent(KILL)

    assert await inbox.take(2) == [KILL, *ticks(1)]


async def test_a_full_queue_makes_its_producers_wait() -> None:
    """Back-pressure reaches the socket; memory stays bounded. Proves: C5, load."""
    inbox = Inbox(world_max=2)
    for fact in ticks(1, 2):
        await inbox.put(fact)
    waiting = asyncio.create_task(inbox.put(Tick(at_ns=3)))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()

    assert inbox.put_urgent(KILL)  # a kill gets past a full queue
    assert await inbox.take(2) == [KILL, *ticks(1)]
    await waiting
    assert await inbox.take(9) == ticks(2, 3)


async def test_urgent_facts_beyond_their_room_are_refused_not_forgotten() -> None:
    """A flood of resets must not push out a kill that was accepted. Proves: kill."""
    inbox = Inbox()
    assert inbox.put_urgent(KILL)
    taken = [inbox.put_urgent(Tick(at_ns=i)) for i in range(URGENT_MAX)]

    assert taken == [True] * (URGENT_MAX - 1) + [False]
    assert (await inbox.take(1))[0] == KILL
    assert inbox.put_urgent(KILL)


async def test_taking_waits_for_the_first_fact() -> None:
    """An idle engine costs nothing."""
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take(5))
    await asyncio.sleep(0)
    assert not taking.done()
    await inbox.put(Tick(at_ns=1))

    assert await taking == ticks(1)


@pytest.mark.parametrize("room", [1, 7, 10_000])
async def test_nothing_is_lost_under_fifty_producers(room: int) -> None:
    """And each producer's own order is kept. Proves: C3, C4, M6, load."""
    inbox = Inbox(world_max=room)

    async def produce(who: int) -> None:
        for i in range(100):
            await inbox.put(Tick(at_ns=who * 1_000 + i))

    async with asyncio.TaskGroup() as tasks:
        for who in range(50):
            tasks.create_task(produce(who))
        taken: list[int] = []
        while len(taken) < 5_000:
            taken += [fact.at_ns for fact in await inbox.take(13)]

    assert sorted(taken) == [who * 1_000 + i for who in range(50) for i in range(100)]
    for who in range(50):
        own = [at for at in taken if at // 1_000 == who]
        assert own == sorted(own)
    assert inbox.deepest <= room
