"""What drives a venue: a world steps with the clock and tells what is published besides it."""

from typing import Protocol

from attrs import frozen

from polybawt.sim.venue import Venue


@frozen
class Report:
    """One oracle report reaches the public; ``value_e18`` is 10^-18 dollars."""

    symbol: str
    value_e18: int
    report_ms: int


@frozen
class RawFrame:
    """A recorded frame, to be sent as it is. ``channel``: ``market`` or ``rtds``.

    ``tokens`` are the tokens it speaks of, () when it goes to every subscriber.
    """

    channel: str
    text: str
    tokens: tuple[str, ...]


class WorldLike(Protocol):
    """What the exchange needs of any world."""

    venue: Venue
    start_ns: int
    end_ns: int | None
    recorded: bool
    """Whether the public market data are recorded bytes instead of the venue's own events."""

    def step(self, now_ns: int) -> list[Report | RawFrame]:
        """Let everything happen that is due by ``now_ns``; the venue's clock is advanced too."""
        ...

    def rest_book(self, token_id: str) -> str | None:
        """The recorded body of GET /book, to be served as it is; None: make it from levels."""
        ...
