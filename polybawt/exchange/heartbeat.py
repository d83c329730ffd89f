"""The dead-man switch: an API key that once sent a beat must go on sending beats.

The first beat arms it.  Each beat names the id that the last one was answered with; any other
id is refused with the expected one, so that a client whose answer was lost can go on.  When no
beat came for ten seconds of venue time, all open orders of the key are cancelled, once, and the
next beat arms it again.  There is no other way to disarm it.  The older form of a beat names no
id: it winds the same switch and leaves the chain of ids as it is.

Source: exchange reference 1.13; the older form 1.2.
"""

import uuid
from typing import Final

from attrs import evolve, frozen

from polybawt.core.units import SECOND_NS
from polybawt.exchange.refusal import RequestRefused

SILENCE_MAX_NS: Final = 10 * SECOND_NS
WRONG_ID: Final = "Invalid Heartbeat ID"
_SPACE: Final = uuid.UUID("5d8f5e0e-1c40-4f6e-9b0a-5a0f4b1f2c3d")


@frozen(kw_only=True)
class Chain:
    """The beats of one key; ``dies_ns`` is 0 while the switch is not armed."""

    expected: str
    count: int
    dies_ns: int


class Heartbeats:
    def __init__(self) -> None:
        self._chains: dict[str, Chain] = {}

    def beat(self, key: str, given: str, now_ns: int) -> str:
        """Take one beat and return the id that the next one must name."""
        chain = self._chain(key)
        if given != chain.expected:
            raise RequestRefused(
                WRONG_ID, error_msg=WRONG_ID, heartbeat_id=chain.expected
            )  # both spellings of the text key: sources disagree
        following = str(uuid.uuid5(_SPACE, f"{key} {chain.count}"))
        self._chains[key] = Chain(
            expected=following, count=chain.count + 1, dies_ns=now_ns + SILENCE_MAX_NS
        )
        return following

    def wind(self, key: str, now_ns: int) -> None:
        """Take one beat of the older form."""
        self._chains[key] = evolve(self._chain(key), dies_ns=now_ns + SILENCE_MAX_NS)

    def _chain(self, key: str) -> Chain:
        return self._chains.get(key, Chain(expected="", count=0, dies_ns=0))

    def lapsed(self, now_ns: int) -> list[str]:
        """The keys whose time has run out; each is named once."""
        gone = [key for key, chain in self._chains.items() if 0 < chain.dies_ns <= now_ns]
        for key in gone:
            self._chains[key] = evolve(self._chains[key], dies_ns=0)
        return gone
