"""The venue's time: three numbers that engine and exchange share."""

import time

from polybawt.venue.clock import Clock


def test_without_a_recording_it_is_the_systems_time() -> None:
    before = time.time_ns()

    assert before <= Clock()() <= time.time_ns()


def test_a_recording_runs_from_its_own_beginning_at_its_own_rate() -> None:
    clock = Clock(real_ns=1_000, venue_ns=50, rate=10.0)

    assert clock.at(1_000) == 50
    assert clock.at(1_003) == 80


def test_before_its_beginning_a_recording_stands_still() -> None:
    """A venue whose time runs toward its start would show orders from the past."""
    assert Clock(real_ns=1_000, venue_ns=50, rate=10.0).at(1) == 50


def test_a_pause_of_venue_time_shrinks_with_the_rate_but_not_to_nothing() -> None:
    """A replay at a thousand must not spin."""
    assert Clock().real_seconds(5.0) == 5.0
    assert Clock(rate=10).real_seconds(5.0) == 0.5
    assert Clock(rate=1_000).real_seconds(5.0, 0.25) == 0.25
