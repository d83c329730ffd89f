"""What a market is about: by the venue's tags and category, and by its words only without them.

Words alone deceive: "Rainbow Six Siege" is not rain and the Hurricanes play ice hockey, while
almost every weather market asks for "the highest temperature".  So the venue's own slugs decide
wherever there are any; a title is searched for whole words and phrases only where there are none.

Source: data-and-quant 0 (finding 8) and 5.12 (G6).
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from polybawt.core.market import Market

WEATHER_WORDS: Final = (
    "temperature", "rainfall", "snowfall", "precipitation", "inches of rain", "inches of snow",
    "named storm", "tropical storm", "hurricane season", "make landfall", "tornadoes",
    "hottest on record", "hottest year", "coldest on record",
)  # fmt: skip


def is_about(market: Market, slugs: Iterable[str], words: tuple[str, ...]) -> bool:
    """Whether the venue files it under one of ``slugs``; else whether its title has the words."""
    filed = {slug.casefold() for slug in (market.category, *market.tags) if slug}
    if filed:
        return not filed.isdisjoint(slug.casefold() for slug in slugs)
    said = tuple(word for word in words if word.strip())
    return bool(said) and _pattern(said).search(market.question) is not None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """Any of them as whole words, whatever the case and the space between."""
    phrases = (r"\s+".join(re.escape(word) for word in phrase.split()) for phrase in words)
    return re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE)
