"""The oracle's price: a function of seed and time alone."""

from itertools import pairwise

from polybawt.core.units import MS_NS, SECOND_NS
from polybawt.sim.prices import Feed, RandomPath, RecordedPath
from polybawt.sim.records import Report

START = 1_700_000_000 * SECOND_NS


def test_the_same_seed_gives_the_same_path_however_it_is_asked() -> None:
    """Looking ahead, as an informed trader does, must not change what comes."""
    steady, ahead = RandomPath("s", START), RandomPath("s", START)
    ahead.at(START + 30 * SECOND_NS)
    times = range(START, START + 30 * SECOND_NS, 700 * MS_NS)

    assert [steady.at(t) for t in times] == [ahead.at(t) for t in times]
    assert RandomPath("other", START).at(times[-1]) != steady.at(times[-1])


def test_a_path_forgets_what_is_long_gone() -> None:
    """A soak of days must not grow."""
    path = RandomPath("s", START)
    path.at(START + 3_600 * SECOND_NS)

    assert len(path._values) == 6_000
    assert path.at(START + 3_599 * SECOND_NS) > 0


def test_the_walk_moves_as_much_as_it_says() -> None:
    """One basis point per root second: an hour of seconds measures it within a tenth."""
    path = RandomPath("s", START, sigma=1e-4)
    values = [path.at(START + n * SECOND_NS) for n in range(3_600)]
    moves = [(b - a) / a for a, b in pairwise(values)]

    assert 0.9e-4 < (sum(move**2 for move in moves) / len(moves)) ** 0.5 < 1.1e-4


def test_a_report_is_of_its_own_second_and_published_later() -> None:
    """One a second, each exactly once, however the clock is stepped."""
    path = RandomPath("s", START)
    feed = Feed(path, "btc/usd", START, 1_200 * MS_NS)

    assert feed.due(START + 1_199 * MS_NS) == []
    assert feed.due(START + 1_200 * MS_NS) == [Report("btc/usd", path.at(START), START // MS_NS)]
    assert [r.report_ms - START // MS_NS for r in feed.due(START + 3_300 * MS_NS)] == [1_000, 2_000]
    assert feed.published(START // SECOND_NS + 2)
    assert not feed.published(START // SECOND_NS + 3)


def test_a_recorded_path_is_the_latest_report_before_a_time() -> None:
    """Holes in a recording stay holes: the last value stands."""
    path = RecordedPath([Report("s", 2, 2_000), Report("s", 1, 1_000)])

    assert [path.at(ms * MS_NS) for ms in (500, 1_000, 1_999, 2_000, 9_000)] == [1, 1, 1, 2, 2]
