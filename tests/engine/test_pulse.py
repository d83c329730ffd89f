"""Engines against an exchange that restarts, stops hearing them, or is of another time."""

from pathlib import Path

import pytest
from aiohttp import web
from attrs import evolve

from polybawt.core import leave
from polybawt.core.state import RULES, Config
from polybawt.core.units import MS_NS, SECOND_NS
from polybawt.engine.pulse import kernel_config
from polybawt.proof.audit import audit
from polybawt.venue.clock import Clock
from polybawt.venue.login import VenueRefused, VenueUnreachable
from tests.engine.town import Town, engine, html, town, until

pytestmark = pytest.mark.xdist_group("wire")


def version(number: object) -> web.Response:
    return web.json_response({"version": number})


async def test_a_restart_is_waited_out_and_its_orders_are_read_before_any_other(
    tmp_path: Path,
) -> None:
    """425, then post-only: no order meets the restart but those on their way, and the breaker
    stays shut.  The journal shows each step of it as an edge of the specification.

    Proves: faults, recovery.
    """
    async with town() as t:
        config = t.config(tmp_path)
        async with engine(config) as alive:
            await until(lambda: t.ours and alive.state.mode.state in ("running", "post_only"))
            t.floor.mode.set("restarting", t.floor.now_ns(), 3.0)
            await until(lambda: alive.state.mode.state == "restarting")
            posted = t.asked["POST /order"]
            reads = t.asked["GET /data/orders"]
            await until(lambda: alive.state.mode.state == "reconciling", 30)
            assert t.asked["POST /order"] - posted <= 3  # what was on its way
            await until(lambda: alive.state.mode.state in ("running", "post_only"), 30)
            assert t.asked["GET /data/orders"] > reads
            await until(lambda: t.ours)

            assert alive.state.breakers.get("venue") is None or (
                alive.state.breakers["venue"].state == "closed"
            )
            assert alive.state.counters.get("impossible", 0) == 0
    found = audit(tmp_path / "journal.sqlite", lambda *_: None)

    assert found.good, found.gap
    assert {
        "VenueMode reconciling reconciled reopening",
        "VenueMode restarting answered reconciling",
        "VenueMode unknown probe unknown",
    } <= set(found.taken)


async def test_an_engine_of_another_version_does_not_start(tmp_path: Path) -> None:
    """Its orders would be refused one by one; nothing is asked for, not even a login.

    Proves: preflight.
    """
    async with town() as t:
        t.instead("GET", "/version", version(3))
        with pytest.raises(VenueRefused, match="speaks version 3 and this program version 2"):
            async with engine(t.config(tmp_path)):
                pass
        assert t.asked["POST /auth/api-key"] == 0
        t.instead("GET", "/version", *[html()] * 9)
        with pytest.raises(VenueUnreachable, match="does not tell its version"):
            async with engine(t.config(tmp_path)):
                pass


async def test_a_clock_that_is_off_is_told_and_nothing_is_ordered(tmp_path: Path) -> None:
    """By how much is known to the second; the operator sets it right."""
    async with town() as t:
        t.instead("GET", "/time", web.Response(text=str(t.floor.now_ns() // SECOND_NS + 20)))
        async with engine(t.config(tmp_path)) as alive:
            await until(lambda: alive.state.counters.get("refused:venue", 0) > 3)

            assert alive.state.counters["notice:clock_off"] == 1
            assert t.asked["POST /order"] == 0


async def test_without_a_pulse_no_order_leaves_until_it_is_back(tmp_path: Path) -> None:
    """Orders stop, and what rests is withdrawn as before: cancels need no pulse."""
    async with town() as t:
        kernel = Config(heartbeat_ns_max=400 * MS_NS)
        async with engine(t.config(tmp_path, heartbeat_s=0.1, kernel=kernel)) as alive:
            await until(lambda: t.ours)
            deaf = [html(500) for _ in range(8)]
            t.instead("POST", "/v1/heartbeats", *deaf)
            await until(lambda: alive.state.counters.get("notice:heartbeat_lost", 0))
            sent = t.asked["POST /order"]
            assert leave.why_not(alive.state, post_only=True).startswith("no heartbeat for")
            await until(lambda: not t.answers["POST", "/v1/heartbeats"])
            assert t.asked["POST /order"] <= sent + 1  # one may have been in the socket
            await until(lambda: not leave.why_not(alive.state, post_only=True))

            assert alive.state.contact.beat_ns


def test_a_pulse_is_asked_for_that_can_be_kept() -> None:
    """A recording at a hundred times the speed has 25 s of its time between two beats."""
    fast = kernel_config(Config(), evolve(Clock(), rate=100.0), 5.0)
    usual = kernel_config(Config(), Clock(), 5.0)

    assert (usual.rules, usual.heartbeat_ns_max) == (RULES, 8 * SECOND_NS)
    assert fast.heartbeat_ns_max == 40 * SECOND_NS


async def test_a_beat_that_hangs_is_given_up_and_another_is_sent(tmp_path: Path) -> None:
    """It has its own deadline: the next one must not wait behind it."""

    async def hangs(t: Town) -> None:
        t.holds = lambda request: request.path == "/v1/heartbeats"

    async with town() as t, engine(t.config(tmp_path, heartbeat_s=0.1)) as alive:
        await hangs(t)
        asked = t.asked["POST /v1/heartbeats"]
        await until(lambda: t.asked["POST /v1/heartbeats"] >= asked + 3)
        t.holds = lambda _: False
        beat_ns = alive.state.contact.beat_ns
        await until(lambda: alive.state.contact.beat_ns > beat_ns)

        assert alive.state.counters["heartbeats_missed"] >= 2
