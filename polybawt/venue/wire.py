"""How a text from outside is read: a field is there and plausible, or it is a ``Misread``.

The readers here are the only ones that touch the venue's JSON.  Each takes the object and a key
and gives a value of our types, or raises ``Misread`` with a reason; whoever reads a whole
message turns that into one ``BadInput``.  Nothing is guessed, nothing is repaired, an unknown
field is harmless.  What the messages mean stands in ``wire_stream``, ``wire_rest`` and
``wire_gamma``.

Source: exchange reference 1.1, 1.5, 1.8 and 4.1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson

from polybawt.core.facts import BadInput
from polybawt.core.machine import Fact
from polybawt.core.market import Side
from polybawt.core.units import MILLION, InvalidAmount, Price, Shares, parse_micro, parse_scaled

Fields = Mapping[str, Any]
"""One JSON object. What its values are is not known before a reader has looked."""

EXCERPT_MAX: Final = 200
IDENT_MAX: Final = 128
PRICE_GRID: Final = 100  # the finest tick, 0.0001, in millionths
AMOUNT_MAX: Final = 10**18  # a million million shares or dollars: more is nonsense
MESSAGES_MAX: Final = 10_000

_WHOLE: Final = re.compile(r"[0-9]{1,40}")


class Misread(ValueError):
    """A message is not what the reference says; the text says in what."""


READ_ERRORS: Final = (Misread, InvalidAmount)


def decode(raw: str | bytes) -> object:
    """JSON to objects; ``NaN``, truncated text and nesting without end are refused."""
    try:
        decoded: object = orjson.loads(raw)
    except orjson.JSONDecodeError as wrong:
        raise Misread(f"not JSON: {wrong}") from None
    return decoded


def excerpt(raw: object) -> str:
    """At most 200 printable characters of what came in, for a person to look at."""
    if isinstance(raw, bytes):
        raw = raw[: 4 * EXCERPT_MAX].decode(errors="replace")
    elif not isinstance(raw, str):
        raw = orjson.dumps(raw, default=repr).decode(errors="replace")
    return "".join(c if c.isprintable() else "?" for c in raw[:EXCERPT_MAX])


def bad_input(source: str, wrong: object, raw: object, now_ns: int) -> BadInput:
    return BadInput(source=source, reason=excerpt(str(wrong)), excerpt=excerpt(raw), at_ns=now_ns)


def read_frame(
    source: str,
    raw: str | bytes,
    now_ns: int,
    read: Callable[[Fields, int], tuple[Fact, ...]],
) -> tuple[Fact, ...]:
    """Read a frame, one object or an array of them; a bad one does not spoil its neighbours."""
    try:
        decoded = decode(raw)
    except Misread as wrong:
        return (bad_input(source, wrong, raw, now_ns),)
    messages = decoded if isinstance(decoded, list) else [decoded]
    facts: list[Fact] = []
    for message in messages[:MESSAGES_MAX]:
        try:
            facts += read(fields(message), now_ns)
        except READ_ERRORS as wrong:
            facts.append(bad_input(source, wrong, message, now_ns))
    return tuple(facts)


def fields(value: object) -> Fields:
    if not isinstance(value, dict):
        raise Misread(f"expected an object, not {type(value).__name__}")
    return value


def array(message: Fields, key: str) -> Sequence[Any]:
    """The array under ``key``; absent or null is empty."""
    value = message.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Misread(f"{key} is not an array")
    return value


def text(message: Fields, key: str) -> str:
    """The text under ``key``; absent or null is ""."""
    value = message.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Misread(f"{key} is not a text")
    return value


def flag(message: Fields, key: str) -> bool:
    """True only for JSON ``true``."""
    return message.get(key) is True


def ident(message: Fields, key: str) -> str:
    """An identifier: never empty, printable, bounded (ids become keys and reach the screen)."""
    value = text(message, key)
    if not value:
        raise Misread(f"{key} is missing or empty")
    if len(value) > IDENT_MAX or not (value.isascii() and value.isprintable()):
        raise Misread(f"{key} is no identifier")
    return value


def side(message: Fields, key: str = "side") -> Side:
    try:
        return Side(text(message, key).upper())
    except ValueError:
        raise Misread(f"{key} is neither BUY nor SELL") from None


def amount(message: Fields, key: str) -> int | None:
    """Decimal text as millionths; absent, null and "" are None (the venue writes all three)."""
    value = message.get(key)
    if value is None or value == "":
        return None
    micro = parse_micro(value)
    if not 0 <= micro <= AMOUNT_MAX:
        raise Misread(f"{key} is out of range: {excerpt(str(value))}")
    return micro


def required(message: Fields, key: str) -> int:
    micro = amount(message, key)
    if micro is None:
        raise Misread(f"{key} is missing or empty")
    return micro


def shares(message: Fields, key: str) -> Shares:
    return Shares(required(message, key))


def level_price(message: Fields, key: str = "price") -> Price:
    """A price that can rest in a book: between, never at, zero and one dollar, on the grid."""
    micro = required(message, key)
    if not 0 < micro < MILLION or micro % PRICE_GRID:
        raise Misread(f"{key} is no price: {micro} millionths")
    return Price(micro)


def best_price(message: Fields, key: str) -> Price | None:
    """A best price; None where the side is empty, which the venue writes "", "0" or "1"."""
    micro = amount(message, key)
    if micro is None or micro in (0, MILLION):
        return None
    return level_price(message, key)


def trade_price(message: Fields, of: Side, key: str = "price") -> Price:
    """What a trade of ours was done at; digits beyond a millionth are rounded against us.

    A fill must not be lost to a price that the venue averaged, so this is looser than a level.
    """
    scaled = parse_scaled(message.get(key), 18)
    down, rest = divmod(scaled, 10**12)
    micro = down + (1 if rest and of is Side.BUY else 0)
    if not 0 <= micro <= MILLION:
        raise Misread(f"{key} is no price: {micro} millionths")
    return Price(micro)


def whole(message: Fields, key: str) -> int:
    """A whole number, as text or as a JSON integer; absent, null and "" are 0."""
    value = message.get(key)
    if value is None or value == "":
        return 0
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str) and value.isascii() and _WHOLE.fullmatch(value):
        return int(value)
    raise Misread(f"{key} is no whole number: {excerpt(str(value))}")


def epoch_ms(message: Fields, key: str) -> int:
    """A time in ms, whether it was sent in s, ms, us or ns (the venue mixes them); 0 is none."""
    value = whole(message, key)
    if value < 10**11:
        return value * 1000
    while value >= 10**14:
        value //= 1000
    return value


def status(message: Fields, prefix: str) -> str:
    """A status without its REST prefix, upper case; open: unknown texts pass through."""
    value = text(message, "status").upper().removeprefix(prefix)
    if len(value) > IDENT_MAX or not value.isprintable():
        raise Misread("status is no word")
    return value
