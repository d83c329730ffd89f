"""The ids of invented markets: made from a name, so the same seed always gives the same ones.

Source: exchange reference 1.1 and 3.2.
"""

import hashlib
from typing import Final

POSITION_MODULE: Final = 1 << 248  # binary module, reference 3.2
POSITION_ZEROS: Final = ((1 << 64) - 1) << 40  # bits 40 to 103

Ids = tuple[str, str, str]
"""Condition, and the tokens of its two outcomes."""


def number(text: str) -> int:
    """256 bits that are nobody else's."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def word(text: str) -> str:
    """The same as 32 bytes in hex."""
    return f"0x{number(text):064x}"


def v1_ids(name: str) -> Ids:
    return (
        word(f"condition of {name}"),
        str(number(f"up of {name}")),
        str(number(f"down of {name}")),
    )


def v2_ids(name: str) -> Ids:
    """Position ids: module byte, bits 40 to 103 zero, the outcome last (reference 3.2)."""
    base = POSITION_MODULE | (number(f"position of {name}") >> 16 << 8 & ~POSITION_ZEROS)
    return f"0x{base >> 8:062x}00", str(base), str(base | 1)
