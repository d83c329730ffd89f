"""Money, shares and prices as whole millionths; every rounding has a name.

A ``Usdc`` is a millionth of a dollar, a ``Shares`` a millionth of a share that pays one
dollar, a ``Price`` a millionth of a dollar per share.  Rounding always goes against us: what
we pay is rounded up, what we receive is rounded down.  Decimal text is read and written
exactly; a binary float never becomes an amount here.
"""

import re
from decimal import Decimal
from typing import Final, NewType

Usdc = NewType("Usdc", int)
Shares = NewType("Shares", int)
Price = NewType("Price", int)

MILLION: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000
MS_NS: Final = 1_000_000

_DECIMAL = re.compile(r"(-?)(\d{1,30})(?:\.(\d{0,18}))?")


class InvalidAmount(ValueError):
    """A text is no decimal number of the wanted precision; carries what was read."""

    def __init__(self, text: object, why: str) -> None:
        super().__init__(f"{str(text)[:40]!r} {why}")
        self.text = text


def parse_scaled(text: object, places: int) -> int:
    """Read decimal text exactly as a whole number of 10^-``places``; refuse any remainder.

    >>> parse_scaled("0.455", 6)
    455000
    """
    if isinstance(text, int) and not isinstance(text, bool):
        return text * int(10**places)
    if isinstance(text, float):  # a JSON number: its shortest decimal text is what was sent
        text = _float_text(text)
    match = _DECIMAL.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise InvalidAmount(text, "is not a decimal number")
    sign, whole, part = match[1], match[2], match[3] or ""
    if part[places:].strip("0"):
        raise InvalidAmount(text, f"has more than {places} decimals")
    magnitude = int(whole + part[:places].ljust(places, "0"))
    return -magnitude if sign else magnitude


def _float_text(number: float) -> str:
    return format(Decimal(repr(number)), "f")  # 1e-07 is small, not strange


def parse_micro(text: object) -> int:
    """Read decimal text as millionths: ``"0.5"`` is 500,000."""
    return parse_scaled(text, 6)


def micro_text(micro: int) -> str:
    """The shortest exact decimal text, as the venue writes it: 500,000 is ``"0.5"``."""
    sign, micro = ("-", -micro) if micro < 0 else ("", micro)
    whole, part = divmod(micro, MILLION)
    tail = f"{part:06d}".rstrip("0")
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"


def ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def cost_up(price: Price, shares: Shares) -> Usdc:
    """What buying ``shares`` at ``price`` takes from us, rounded up to a millionth."""
    return Usdc(ceil_div(price * shares, MILLION))


def proceeds_down(price: Price, shares: Shares) -> Usdc:
    """What selling ``shares`` at ``price`` brings us, rounded down to a millionth."""
    return Usdc(price * shares // MILLION)


def complement(price: Price) -> Price:
    """The price of the other outcome: a bid of 0.40 on one is an ask of 0.60 on the other."""
    return Price(MILLION - price)
