"""The replica is the engine's state: equal after every fact, refused when one is missing."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polybawt.core.codec import CONVERTER, decode_state, encode, encode_state
from polybawt.core.facts import PriceChanged
from polybawt.core.kernel import step
from polybawt.core.machine import Fact
from polybawt.core.state import State
from polybawt.engine import replica as module
from polybawt.engine.audit import AuditStream, hello, line
from polybawt.engine.replica import Change, Folded, Gap, Lost, NotSent, Replica, Synced, Unanswered
from tests.tui.scene import Scene, day, market
from tests.tui.server import AuditServer

DAY = day(20)


def greeting(state: State, seq: int) -> bytes:
    clock = {"real_ns": 0, "venue_ns": 0, "rate": 1.0}
    return hello(seq, state, mode="paper", engine="polybawt", clock=clock)


def lines(facts: list[Fact], first: int) -> list[bytes]:
    return [line(first + i, *encode(fact)) for i, fact in enumerate(facts)]


async def until(truth: Callable[[], object], seconds: float = 5.0) -> None:
    """Let the loop run until ``truth()`` holds."""
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.001)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, len(DAY.facts)), st.integers(0, len(DAY.facts)))
def test_a_replica_that_joins_anywhere_equals_the_engine_everywhere(one: int, other: int) -> None:
    """What the terminal shows is the engine's state, whenever it joined. Proves: D9."""
    joined, until_ = min(one, other), max(one, other)
    state = State()
    for fact in DAY.facts[:joined]:
        step(state, fact)
    replica = Replica()
    replica.begin(greeting(state, joined))
    for text in lines(DAY.facts[joined:until_], joined + 1):
        replica.apply(text)
    for fact in DAY.facts[joined:until_]:
        step(state, fact)

    assert replica.seq == until_
    assert replica.state == state
    assert encode_state(replica.state) == encode_state(state)


@pytest.mark.parametrize("skew", [-1, 1, 5])
def test_a_fact_that_is_not_the_next_is_refused(skew: int) -> None:
    """A missing, repeated or early fact would make the picture a guess."""
    replica = Replica()
    replica.begin(greeting(State(), 10))
    before = encode_state(replica.state)

    with pytest.raises(Gap, match="expected fact 11"):
        replica.apply(line(11 + skew, *encode(DAY.facts[0])))
    assert (replica.seq, encode_state(replica.state)) == (10, before)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"\xff\n", "not JSON"),
        (b"[]\n", "no object"),
        (b'{"seq":11,"kind":"Nonsense","fact":{}}\n', "unknown fact"),
        (b'{"seq":11,"kind":["Tick"],"fact":{}}\n', "unknown fact"),
        (b'{"seq":11,"kind":"Tick","fact":{"other":1}}\n', "another version"),
        (b'{"seq":"11","kind":"Tick","fact":{}}\n', "expected fact 11"),
    ],
)
def test_what_is_no_fact_is_refused(text: bytes, why: str) -> None:
    """The stream is the engine's, but what is read from outside is still checked."""
    replica = Replica()
    replica.begin(greeting(State(), 10))

    with pytest.raises((Gap, ValueError), match=why):
        replica.apply(text)
    assert replica.seq == 10


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"refused":"too many listeners"}\n', "too many listeners"),
        (b'{"protocol":2}\n', "protocol 2"),
        (b'{"protocol":1,"seq":1,"mode":"paper","engine":"e","state":{}}\n', "another version"),
        (b'{"protocol":1,"seq":1,"mode":"p","engine":"e","state":{"x":1},"clock":{}}\n', "version"),
    ],
)
def test_a_greeting_of_another_kind_is_refused(text: bytes, why: str) -> None:
    """A replica of another version would fold to another state."""
    with pytest.raises((Gap, ValueError), match=why):
        Replica().begin(text)


def test_a_fact_that_the_kernel_will_not_take_is_a_gap() -> None:
    """It was taken by the engine, so our state is not the engine's: ask for it again."""
    replica = Replica()
    replica.begin(greeting(State(), 0))
    body = orjson.dumps({"at_ns": -5})

    with pytest.raises(Gap, match="does not fit"):
        replica.apply(line(1, "Tick", body))


def test_the_venues_time_runs_at_the_engines_rate() -> None:
    """A replay runs faster than the wall: ages must be of the venue's time."""
    replica = Replica(now_ns=lambda: 3_000)
    hello_line = hello(
        0, State(), mode="paper", engine="e", clock={"real_ns": 1_000, "venue_ns": 50, "rate": 4.0}
    )
    replica.begin(hello_line)

    assert replica.venue_ns() == 50 + 2_000 * 4


async def test_it_follows_the_engines_own_stream(tmp_path: Path) -> None:
    """Fold equality through the real server and a real socket."""
    engine = Scene().open()
    path, said = tmp_path / "audit.sock", list[Fact]()
    stream = AuditStream(
        path, lambda: greeting(engine.state, len(engine.facts)), said.append, lambda: 5
    )
    server, replica = asyncio.create_task(stream.serve()), Replica()
    await until(path.exists)
    follower = asyncio.create_task(replica.follow(path, lambda _: None))
    await until(lambda: replica.connected)
    start = len(engine.facts)
    engine.list_market(market("btc/usd", 0, 5))
    engine.pass_time(45)
    stream.publish(lines(engine.facts[start:], start + 1))
    await until(lambda: replica.seq == len(engine.facts))

    assert encode_state(replica.state) == encode_state(engine.state)
    assert await replica.send("StopRequested", actor="jo") == ""
    assert "not for operators" in await replica.send("Tick")
    assert [type(fact).__name__ for fact in said] == ["StopRequested"]
    for task in (follower, server):
        task.cancel()
    await asyncio.gather(follower, server, return_exceptions=True)


async def test_a_gap_is_told_and_the_whole_state_taken_again(tmp_path: Path) -> None:
    """Nothing is guessed: what was missed is in the new state."""
    scene, replica, changes = Scene().open(), Replica(), list[Change]()
    async with AuditServer(tmp_path / "audit.sock", scene) as server:
        follower = asyncio.create_task(replica.follow(server.path, changes.append))
        await until(lambda: replica.connected)
        scene.pass_time(2)
        server.tell(len(scene.facts), scene.facts[-1])  # all between is withheld
        await until(lambda: server.greeted == 2)
        await until(lambda: replica.connected)
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)

    assert [type(change) for change in changes] == [Synced, Lost, Synced]
    assert isinstance(changes[1], Lost)
    assert "expected fact" in changes[1].reason
    assert encode_state(replica.state) == encode_state(scene.state)


async def test_a_command_without_a_link_is_not_sent(tmp_path: Path) -> None:
    """The difference between "nothing left" and "we do not know" is the operator's next step."""
    with pytest.raises(NotSent):
        await Replica().send("KillRequested", actor="jo", reason="x", source="terminal")


async def test_a_link_lost_before_the_answer_leaves_the_command_unknown(tmp_path: Path) -> None:
    """It may have been heard: never shown as refused, never as accepted."""
    scene, replica = Scene().open(), Replica()
    async with AuditServer(tmp_path / "audit.sock", scene) as server:
        server.mute = True
        follower = asyncio.create_task(replica.follow(server.path, lambda _: None))
        await until(lambda: replica.connected)
        sending = asyncio.create_task(
            replica.send("KillRequested", actor="jo", reason="x", source="terminal")
        )
        await until(lambda: server.said)
        server.drop()
        with pytest.raises(Unanswered, match="link was lost"):
            await sending
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)


async def test_an_answer_that_never_comes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dialog must not hang on an engine that hangs; the next answer is not mistaken for it."""
    monkeypatch.setattr(module, "ANSWER_S_MAX", 0.05)
    scene, replica = Scene().open(), Replica()
    async with AuditServer(tmp_path / "audit.sock", scene) as server:
        server.mute = True
        follower = asyncio.create_task(replica.follow(server.path, lambda _: None))
        await until(lambda: replica.connected)
        with pytest.raises(Unanswered):
            await replica.send("StopRequested", actor="jo")
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)


async def test_a_flood_of_facts_leaves_the_loop_its_turns(tmp_path: Path) -> None:
    """A key must not wait for thousands of facts to be folded."""
    scene, replica, folded = Scene().open(), Replica(), list[int]()
    listed = scene.list_market(market("btc/usd", 0, 5))
    scene.pass_time(31)

    def note(change: Change) -> None:
        if isinstance(change, Folded):
            folded.append(change.seq)

    async with AuditServer(tmp_path / "audit.sock", scene) as server:
        follower = asyncio.create_task(replica.follow(server.path, note))
        await until(lambda: replica.connected)
        for _ in range(2_000):
            scene.now_ns += 2_000_000
            scene.feed(scene.change(listed))
        server.publish()
        most, before = 0, replica.seq
        while replica.seq < len(scene.facts):
            await asyncio.sleep(0)
            most, before = max(most, replica.seq - before), replica.seq
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)

    assert sum(isinstance(fact, PriceChanged) for fact in scene.facts) >= 2_000
    assert most < 400, "folded in one turn of the loop"
    assert encode_state(replica.state) == encode_state(scene.state)


def test_the_state_survives_its_own_json() -> None:
    """The first line of a stream is this JSON: what it loses, the terminal would never know."""
    assert CONVERTER.structure(CONVERTER.unstructure(DAY.state), State) == DAY.state
    assert decode_state(encode_state(DAY.state)) == DAY.state
