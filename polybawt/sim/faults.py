"""What goes wrong at a venue, on request: rules that choose their victims, and a tally of them.

A rule names what happens (``kind``), to which requests or frames (``method``, ``path``), how
often (``share`` of them, drawn from a seeded generator), how many times at most (``count``), and
when (``from_s`` and ``until_s`` after the exchange began).  The first rule that fits and draws its
lot is the fault; nothing happens twice to one request.  The tally is what a soak compares itself
with: the exchange knows what it did.

Source: exchange reference 6 and section 8, item 7 and 8.
"""

import random
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import fields, frozen

from polybawt.core.units import SECOND_NS

REQUESTS: Final = (
    "answer_lost",  # carried out, and the connection ends before the answer
    "reset",  # the connection ends before anything is carried out
    "error_500",  # an error, and nothing is carried out
    "error_500_done",  # an error, although it was carried out
    "slow",  # the answer comes ``seconds`` later
    "too_many",  # 429 with Retry-After
    "late",  # of an order: the connection ends, and it is booked ``seconds`` later
)
FRAMES: Final = (
    "drop",
    "duplicate",
    "reorder",  # after the frame that follows it
    "truncate",
    "silence",  # nothing but PONG for ``seconds``
)
QUIRKS: Final = (  # of what the user channel says of a trade, all of them seen
    "matchtime",  # ``match_time`` under its other name
    "empty_decimals",  # optional numbers are ""
    "no_maker_orders",  # the list is missing
    "seconds",  # ``timestamp`` in seconds instead of milliseconds
)
OTHERS: Final = (
    "fail_settlement",  # a trade ends FAILED
    "retry_settlement",  # RETRYING, and confirmed in the end
    "late_broadcast",  # MATCHED_NOT_BROADCASTED for ``seconds``
    "fail_transaction",  # a split, merge, redemption or conversion fails after ``seconds``
    "withhold_resolved",  # a resolution is not told on the stream
    "ignore_filters",  # a price subscription is for everything, whatever it asked for
    "stale_balance",  # the balance call shows what was there ``seconds`` ago
    "wrong_clock",  # /time is ``seconds`` off
    "spot_astray",  # a spot price is told a hundredth too high
)
KINDS: Final = (*REQUESTS, *FRAMES, *QUIRKS, *OTHERS)
RULES_MAX: Final = 100


STRUCK_MAX: Final = 100_000


class InvalidFault(ValueError):
    """A rule that cannot be; names the rule, the setting and what would fit."""


@frozen(kw_only=True)
class Fault:
    """One rule. ``path`` fits by its beginning; "" fits all. ``count`` 0: without end."""

    kind: str
    method: str = ""
    path: str = ""
    share: float = 1.0
    count: int = 0
    seconds: float = 1.0
    from_s: float = 0.0
    until_s: float = 0.0

    def fits(self, method: str, path: str, age_s: float) -> bool:
        if self.method and self.method != method:
            return False
        if not path.startswith(self.path) or age_s < self.from_s:
            return False
        return not self.until_s or age_s < self.until_s


@frozen(kw_only=True)
class Struck:
    """One frame that did not arrive as it was: whose, when, and the tokens it was about."""

    kind: str
    path: str
    connection: int
    at_ns: int
    event: str
    tokens: tuple[str, ...]


def read_faults(rows: object, place: str) -> tuple[Fault, ...]:
    """Rules from parsed TOML or JSON: ``{"fault": [{…}, …]}``; raise ``InvalidFault``."""
    if not isinstance(rows, Mapping) or set(rows) != {"fault"}:
        raise InvalidFault(f"{place}: [[fault]] tables and nothing else")
    listed = rows["fault"]
    if not isinstance(listed, list) or len(listed) > RULES_MAX:
        raise InvalidFault(f"{place}: fault is a list of at most {RULES_MAX} tables")
    return tuple(_read(row, f"{place}: fault {number}") for number, row in enumerate(listed, 1))


def _read(row: object, place: str) -> Fault:
    if not isinstance(row, Mapping) or row.get("kind") not in KINDS:
        raise InvalidFault(f"{place}: kind is one of {', '.join(KINDS)}")
    types: dict[str, Any] = {field.name: field.type for field in fields(Fault)}
    settings: dict[str, Any] = {}
    for name, value in row.items():
        if name not in types:
            raise InvalidFault(f"{place}: no setting {name!r}; there are {', '.join(types)}")
        number = types[name] in (int, float)
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if number != numeric or (not number and not isinstance(value, str)):
            raise InvalidFault(f"{place}: {name} is {value!r}, not {types[name].__name__}")
        if number and not 0 <= value < 1_000_000:
            raise InvalidFault(f"{place}: {name} is {value}, not between 0 and a million")
        settings[name] = types[name](value)
    fault = Fault(**settings)
    if fault.share > 1:
        raise InvalidFault(f"{place}: share is {fault.share}, not between 0 and 1")
    return fault


class Faults:
    """The rules in force. ``began_ns`` is venue time; the same seed draws the same lots."""

    def __init__(self, rules: Iterable[Fault], seed: int, began_ns: int) -> None:
        self._draw = random.Random(seed)
        self._began_ns = began_ns
        self.rules: list[Fault] = [*rules]
        self._done: Counter[Fault] = Counter()
        self.tally: Counter[str] = Counter()
        self.struck: deque[Struck] = deque(maxlen=STRUCK_MAX)
        self.connections = 0  # of the streams, ever

    def add(self, rules: Iterable[Fault]) -> None:
        self.rules += rules
        if len(self.rules) > RULES_MAX:
            del self.rules[RULES_MAX:]
            raise InvalidFault(f"at most {RULES_MAX} rules are in force at once")

    def clear(self) -> None:
        """Nothing goes wrong any more; the tally stays."""
        self.rules.clear()

    def strike(
        self, kinds: Iterable[str], now_ns: int, method: str = "", path: str = ""
    ) -> Fault | None:
        """The fault that happens here and now, counted; most often none."""
        if not self.rules:
            return None
        wanted, age_s = frozenset(kinds), (now_ns - self._began_ns) / SECOND_NS
        for rule in self.rules:
            if rule.kind not in wanted or not rule.fits(method, path, age_s):
                continue
            if rule.count and self._done[rule] >= rule.count:
                continue
            if rule.share < 1 and self._draw.random() >= rule.share:
                continue
            self._done[rule] += 1
            self.tally[rule.kind] += 1
            return rule
        return None
