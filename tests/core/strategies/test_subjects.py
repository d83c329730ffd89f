"""What a market is about: the venue's own word first, whole words of the title without it."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from polybawt.core.market import Market
from polybawt.core.strategies.subjects import WEATHER_WORDS, is_about
from tests.core.script import MARKET

SLUGS = ("weather",)


def titled(question: str, category: str = "", tags: tuple[str, ...] = ()) -> Market:
    return evolve(MARKET, question=question, category=category, tags=tags)


@pytest.mark.parametrize(
    ("market", "barred"),
    [
        (titled("Rainbow Six Siege: who wins?"), False),
        (titled("Rain in Paris on Friday?"), True),
        (titled("RAIN?"), True),
        (titled("Will Iran strike Bahrain by April 30, 2026?"), False),
        (titled("Will Ukraine win Eurovision 2026?"), False),
        (titled("Tulsa Golden Hurricane vs. Auburn Tigers", "sports"), False),
        (titled("Rain in Paris on Friday?", "sports", ("golf",)), False),
        (titled("Will it be fine?", "Weather"), True),
        (titled("Will it be fine?", "culture", ("daily", "WEATHER")), True),
    ],
)
def test_tags_decide_and_words_are_whole(market: Market, barred: bool) -> None:
    """ "Rainbow" is not rain, and a team called Hurricane is no storm. Proves: G6."""
    assert is_about(market, SLUGS, ("rain", "hurricane")) is barred


def test_without_slugs_and_words_nothing_is_barred() -> None:
    assert not is_about(titled("Rain?"), (), ())
    assert not is_about(titled("Rain?"), (), ("", " "))
    assert not is_about(titled("Rain?", "weather"), (), ("rain",))


def test_words_are_words_and_no_pattern() -> None:
    assert not is_about(titled("rain"), (), ("r.in",))
    assert is_about(titled("a.b?"), (), ("a.b",))


def test_the_words_that_are_used_without_tags_deceive_nobody(
    recorded: Callable[[str], Path],
) -> None:
    """207 real titles: no team and no war is taken for weather, and little weather is missed.

    Proves: G6.
    """
    with recorded("questions/weather_filter_questions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {r["question"] for r in rows if is_about(titled(r["question"]), (), WEATHER_WORDS)}
    weather = {row["question"] for row in rows if row["is_weather"] == "1"}

    assert len(rows) == 207
    assert found <= weather
    assert len(weather - found) <= 2
