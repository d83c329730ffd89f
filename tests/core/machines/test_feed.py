"""Lives of a feed: fresh by the whole alone; quiet, wrong and lost are different things."""

import pytest

from polybawt.core.machines.feed import (
    Action,
    Change,
    Connect,
    Feed,
    FeedMachine,
    Lose,
    Mismatch,
    Pong,
    Quiet,
    Snapshot,
    Verify,
)  # fmt: skip

NEW = Feed(name="1")


def at(kind: type[Action], at_ns: int = 0) -> Action:
    reason = {"reason": "hash"} if kind in (Mismatch, Lose) else {}
    return kind(at_ns=at_ns, name="1", **reason)


CONNECT, SNAPSHOT = at(Connect, 1), at(Snapshot, 2)
STATES = {
    "down": (),
    "silent": (CONNECT,),
    "fresh": (CONNECT, SNAPSHOT),
    "suspect": (CONNECT, SNAPSHOT, at(Mismatch, 3)),
    "stale": (CONNECT, SNAPSHOT, at(Quiet, 3)),
}


def after(*actions: Action) -> Feed:
    feed = NEW
    for action in actions:
        feed, outputs = FeedMachine.step(feed, action)
        assert outputs == ()
    return feed


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_reached_by_its_story(state: str) -> None:
    assert state == after(*STATES[state]).state


def test_a_link_that_never_spoke_is_not_healthy() -> None:
    """Never received is not healthy (A-exec, B-ing)."""
    feed = after(CONNECT, at(Pong, 5), at(Change, 6), at(Quiet, 7))

    assert (feed.state, feed.heard_ns) == ("silent", 0)


@pytest.mark.parametrize("state", ["down", "silent", "suspect", "stale"])
@pytest.mark.parametrize("kind", [Pong, Change, Verify])
def test_neither_pong_nor_part_nor_hash_makes_anything_fresh(
    state: str, kind: type[Action]
) -> None:
    """PONG goes on while the data has stopped (reference 6, 9)."""
    assert state == after(*STATES[state], at(kind, 9)).state


@pytest.mark.parametrize("kind", [Pong, Change, Snapshot])
def test_a_fresh_feed_stays_fresh_while_it_is_heard(kind: type[Action]) -> None:
    """Quiet is not dead: the PONG says that there was nothing to say."""
    feed = after(*STATES["fresh"], at(kind, 9))

    assert (feed.state, feed.heard_ns, feed.since_ns) == ("fresh", 9, 2)


@pytest.mark.parametrize("state", ["silent", "suspect", "stale"])
def test_a_whole_new_book_makes_it_fresh(state: str) -> None:
    feed = after(*STATES[state], at(Snapshot, 9))

    assert (feed.state, feed.heard_ns, feed.since_ns) == ("fresh", 9, 9)


def test_a_book_read_while_the_stream_is_away_is_not_fresh() -> None:
    """It will not stay true."""
    assert after(SNAPSHOT).state == "down"


@pytest.mark.parametrize("state", ["silent", "fresh", "stale"])
def test_a_hash_that_does_not_fit_is_a_doubt(state: str) -> None:
    """Soft: fetch it again; never trade on it (reference 4.2).  Proves: A-exec."""
    feed = after(*STATES[state], at(Mismatch, 9))

    assert (feed.state, feed.since_ns) == ("suspect", 9)
    assert feed.mismatched >= 1


def test_a_doubt_that_is_repeated_is_one_doubt() -> None:
    """Or the answer to our question would always be older than the last of them."""
    feed = after(*STATES["suspect"], at(Mismatch, 9))

    assert (feed.state, feed.since_ns, feed.mismatched) == ("suspect", 3, 2)


@pytest.mark.parametrize("state", STATES)
def test_what_was_asked_for_earlier_decides_nothing(state: str) -> None:
    """Before the doubt, or on an earlier link: it may hold just what was lost since."""
    feed = after(*STATES[state])
    late = Snapshot(at_ns=9, name="1", asked_ns=feed.since_ns - 1)

    assert feed == FeedMachine.step(feed, late)[0]


@pytest.mark.parametrize("state", ["suspect", "stale"])
def test_what_was_asked_for_because_of_the_doubt_ends_it(state: str) -> None:
    feed = after(*STATES[state])
    answer = Snapshot(at_ns=9, name="1", asked_ns=feed.since_ns)

    assert FeedMachine.step(feed, answer)[0].state == "fresh"


def test_a_hash_that_fits_is_counted() -> None:
    assert after(*STATES["fresh"], at(Verify)).verified == 1


@pytest.mark.parametrize("state", STATES)
def test_a_lost_link_is_down_whatever_was_known(state: str) -> None:
    assert after(*STATES[state], at(Lose, 9)).state == "down"


def test_losses_are_counted_once() -> None:
    assert after(CONNECT, at(Lose), at(Lose)).losses == 1


@pytest.mark.parametrize("state", STATES)
def test_a_new_link_knows_nothing_yet(state: str) -> None:
    """Nothing is replayed after a reconnect (reference 4.3)."""
    feed = after(*STATES[state], at(Connect, 9))

    assert (feed.state, feed.since_ns) == ("silent", 9)


@pytest.mark.parametrize(
    ("state", "then"),
    [("fresh", "stale"), ("stale", "stale"), ("silent", "silent"), ("suspect", "suspect")],
)
def test_quiet_ages_only_what_was_fresh(state: str, then: str) -> None:
    assert then == after(*STATES[state], at(Quiet, 9)).state


def test_the_down_feed_hears_nothing() -> None:
    for kind in (Mismatch, Quiet, Change, Pong, Verify, Lose, Snapshot):
        assert after(at(kind, 9)) == NEW
