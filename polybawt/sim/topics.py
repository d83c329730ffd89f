"""What the invented questions are about: a table of topics, and the words that fill them in.

A topic with labels is a choice: one event, a question for each label, exactly one of which comes
true.  A topic without is a single question.  People are invented; places, teams and coins are
ordinary.  Nothing here is a forecast.

Source: exchange reference 3.6 (fees by category); tags as recorded.
"""

from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

FEES_MICRO: Final[Mapping[str, int]] = {
    "crypto": 70_000,
    "sports": 50_000,
    "finance": 40_000,
    "politics": 40_000,
    "tech": 40_000,
    "mentions": 40_000,
    "economics": 50_000,
    "culture": 50_000,
    "weather": 50_000,
    "geopolitics": 0,
}
"""The taker's rate of each category, in millionths (reference 3.6)."""

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

_CITIES: Final = (
    "New York City", "London", "Chicago", "Miami", "Seoul", "Toronto", "Buenos Aires", "Paris",
    "Dallas", "Seattle", "Ankara", "Wellington", "Sao Paulo", "Tokyo", "Denver", "Atlanta",
)  # fmt: skip
_STATES: Final = (
    "Ohio", "Texas", "Georgia", "Maine", "Nevada", "Iowa", "Kansas", "Oregon", "Utah", "Vermont",
    "Virginia", "Montana", "Alaska", "Arizona", "Colorado", "Michigan",
)  # fmt: skip
_COUNTRIES: Final = (
    "Germany", "France", "Japan", "Brazil", "Canada", "Poland", "Spain", "Chile", "Norway",
    "Kenya", "Portugal", "South Korea", "Australia", "Mexico", "Sweden", "Peru",
)  # fmt: skip
_PEOPLE: Final = (
    "Aldous Marrin", "Beth Okafor", "Cyril Vance", "Dana Holloway", "Edwin Pascoe", "Fay Lindqvist",
    "Gideon Stroud", "Hanna Ruiz", "Ivo Mercer", "Jo Castellan", "Kit Arundel", "Lena Brandt",
)  # fmt: skip
_TEAMS: Final = (
    "Arsenal", "Liverpool", "Real Madrid", "Barcelona", "Bayern", "Juventus", "Ajax", "Benfica",
    "Lakers", "Celtics", "Knicks", "Bulls", "Yankees", "Dodgers", "Rangers", "Oilers",
)  # fmt: skip
_LEAGUES: Final = ("Champions League", "NBA Finals", "World Series", "Stanley Cup", "FA Cup")
_COINS: Final = ("Bitcoin", "Ethereum", "Solana", "XRP", "Dogecoin", "BNB", "Hyperliquid")
_COMPANIES: Final = (
    "Apple", "NVIDIA", "Microsoft", "Alphabet", "Amazon", "Meta", "Tesla", "Netflix", "TSMC",
)  # fmt: skip
_AWARDS: Final = ("Best Picture", "Album of the Year", "Best Director", "Song of the Year")
_WORKS: Final = (
    "The Long Harbour", "Glass Orchard", "Nine Winters", "Salt and Signal", "Paper Tigers",
    "A Quiet Tide", "Northbound", "The Last Ferry",
)  # fmt: skip

_CHAINLINK: Final = "https://data.chain.link/streams"


@frozen(kw_only=True)
class Topic:
    """``title`` and ``question`` take words from ``pools``, the dates, and ``label``."""

    category: str
    tags: tuple[str, ...]
    title: str
    question: str = ""
    labels: tuple[str, ...] = ()
    pools: Mapping[str, tuple[str, ...]] = field(factory=dict)
    series: str = ""
    source: str = ""


TOPICS: Final = (
    Topic(
        category="weather",
        tags=("weather", "daily-temperature", "recurring"),
        title="Highest temperature in {city} on {day}?",
        question="Will the highest temperature in {city} be {label} on {day}?",
        labels=("below 40F", "40-49F", "50-59F", "60-69F", "70-79F", "80-89F", "90F or higher"),
        pools={"city": _CITIES},
        series="daily-temperature",
        source="https://www.wunderground.com/history",
    ),
    Topic(
        category="weather",
        tags=("weather", "precipitation"),
        title="Will it rain in {city} on {day}?",
        pools={"city": _CITIES},
    ),
    Topic(
        category="politics",
        tags=("politics", "elections", "us-election"),
        title="{state} {office} election winner {year}?",
        question="Will {label} win the {year} {state} {office} election?",
        labels=_PEOPLE[:8],
        pools={"state": _STATES, "office": ("Governor", "Senate", "Attorney General")},
    ),
    Topic(
        category="politics",
        tags=("politics", "world-elections"),
        title="Will {country} call a snap election by {day}, {year}?",
        pools={"country": _COUNTRIES},
    ),
    Topic(
        category="geopolitics",
        tags=("geopolitics", "world"),
        title="Will {country} and {partner} sign a trade agreement by {day}?",
        pools={"country": _COUNTRIES[:8], "partner": _COUNTRIES[8:]},
    ),
    Topic(
        category="sports",
        tags=("sports", "games"),
        title="Will {team} beat {other} on {day}?",
        pools={"team": _TEAMS, "other": _TEAMS},
    ),
    Topic(
        category="sports",
        tags=("sports", "futures"),
        title="{league} champion {year}?",
        question="Will {label} win the {year} {league}?",
        labels=_TEAMS[:8],
        pools={"league": _LEAGUES},
    ),
    Topic(
        category="crypto",
        tags=("crypto", "crypto-prices", "hit-price"),
        title="Will {coin} reach {price} by {day}, {year}?",
        pools={"coin": _COINS, "price": ("$1", "$5", "$200", "$5,000", "$100,000", "$150,000")},
        source=_CHAINLINK,
    ),
    Topic(
        category="crypto",
        tags=("crypto", "crypto-prices", "weekly"),
        title="{coin} price on {day}?",
        question="Will the price of {coin} be {label} on {day}?",
        labels=("down more than 10%", "down 0-10%", "up 0-10%", "up 10-20%", "up more than 20%"),
        pools={"coin": _COINS},
        series="crypto-weekly",
        source=_CHAINLINK,
    ),
    Topic(
        category="economics",
        tags=("economy", "economics", "economic-policy"),
        title="{bank} decision in {month}?",
        question="Will the {bank} {label} after its {month} {year} meeting?",
        labels=("cut by 50 bps", "cut by 25 bps", "make no change", "raise by 25 bps"),
        pools={"bank": ("Fed", "ECB", "Bank of England", "Bank of Japan", "Bank of Canada")},
        series="central-banks",
    ),
    Topic(
        category="finance",
        tags=("finance", "stocks", "earnings"),
        title="Will {company} beat quarterly earnings before {day}?",
        pools={"company": _COMPANIES},
    ),
    Topic(
        category="tech",
        tags=("tech", "ai"),
        title="Which company has the best AI model end of {month}?",
        question="Will {label} have the best AI model at the end of {month} {year}?",
        labels=_COMPANIES[:6],
    ),
    Topic(
        category="culture",
        tags=("culture", "awards"),
        title="{award} winner {year}?",
        question="Will “{label}” win {award} in {year}?",
        labels=_WORKS,
        pools={"award": _AWARDS},
    ),
    Topic(
        category="mentions",
        tags=("mentions",),
        title="Will {person} say “{word}” in the {day} speech?",
        pools={"person": _PEOPLE, "word": ("tariff", "inflation", "harvest", "moon", "ceasefire")},
    ),
)  # fmt: skip
