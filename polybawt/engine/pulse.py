"""What is asked of the venue for its own sake: our heartbeat there, its clock, its version.

Each has its own deadline and waits in no line, because it is least dispensable when everything
else is slow.  What comes of it passes the queue of the world's facts: an engine that is behind
must not look dead.

Source: exchange reference 1.2, 1.13 and 2.2.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from attrs import evolve

from polybawt.core import facts
from polybawt.core.machine import Fact
from polybawt.core.state import RULES, Config
from polybawt.core.units import SECOND_NS
from polybawt.venue.clob import BEAT_DEADLINE_S, VERSION, Clob
from polybawt.venue.clock import Clock
from polybawt.venue.login import VenueRefused, VenueUnreachable

BEAT_S_LEAST: Final = 0.25  # of real time, however fast a recording runs
RETRY_S: Final = 1.0  # a beat that was not accepted is followed by another so soon
LATE: Final = 1.6  # times the pause between two beats: later than that, orders stop
LOOK_S: Final = 60.0

Put = Callable[[Fact], bool]


def beat_pause_s(clock: Clock, heartbeat_s: float) -> float:
    return clock.real_seconds(heartbeat_s, BEAT_S_LEAST)


def kernel_config(config: Config, clock: Clock, heartbeat_s: float) -> Config:
    """The operator's settings, with the rules of this program and a pulse that can be kept."""
    beat_ns = int(LATE * beat_pause_s(clock, heartbeat_s) * clock.rate * SECOND_NS)
    most_ns = max(config.heartbeat_ns_max, beat_ns)
    return evolve(config, rules=RULES, heartbeat_ns_max=most_ns)


async def beats(clob: Clob, clock: Clock, heartbeat_s: float, put: Put) -> None:
    """The venue withdraws our orders when these stop: what we want if we are gone."""
    if not heartbeat_s:
        return
    pause_s = beat_pause_s(clock, heartbeat_s)
    deadline_s = min(BEAT_DEADLINE_S, 0.8 * max(pause_s, RETRY_S))
    while True:
        began, sent_ns = time.monotonic(), clock()
        try:
            async with asyncio.timeout(deadline_s):
                accepted = await clob.heartbeat()
        except TimeoutError:  # it may count all the same: then our id is stale, and we are told
            accepted = False
        put(
            facts.Heartbeat(
                sent_ns=sent_ns,
                accepted=accepted,
                reason="" if accepted else "not acknowledged",
                at_ns=clock(),
            )
        )
        wait_s = pause_s if accepted else min(pause_s, RETRY_S)
        await asyncio.sleep(max(began + wait_s - time.monotonic(), 0.0))


async def first_look(clob: Clob) -> list[Fact]:
    """Before anything is signed: the venue's clock, and whether it speaks what we do."""
    clock_read, version = await clob.measure_clock(), await clob.read_version()
    if isinstance(version, facts.ReadFailed):
        raise VenueUnreachable(f"the venue does not tell its version: {version.reason}")
    if version.version != VERSION:
        raise VenueRefused(
            f"the venue speaks version {version.version} and this program version {VERSION}: "
            "its orders would be refused; it needs an update"
        )
    return [clock_read, version]


async def looks(clob: Clob, put: Put) -> None:
    """Once a minute, the same again; what changes is the kernel's business."""
    while True:
        await asyncio.sleep(LOOK_S)
        put(await clob.measure_clock())
        put(await clob.read_version())
