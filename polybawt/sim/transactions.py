"""Requests to the contracts and their way through the chain.

Trades go to the chain by the venue's own hand (``chain``); what is here goes by the owner's:
splitting collateral into sets, merging sets back, redeeming, converting.  A transaction is sent,
executed, mined and confirmed, or it fails; money moves when it is mined, all of it or none.  Its
fate is a pure function of the transaction, as a trade's is.

It stands in for the relayer and the contracts behind it; the states are the relayer's.

Source: exchange reference 3.1 (contracts) and 5.3; the relayer's states as the unified SDK has
them.
"""

from collections.abc import Callable
from typing import Final

from attrs import frozen

from polybawt.core.units import Shares

SPLIT: Final = "split"  # collateral into as many YES and NO
MERGE: Final = "merge"  # and back
REDEEM: Final = "redeem"  # all that one holds of a resolved market into what it pays
CONVERT: Final = "convert"  # NO of some questions into YES of the others, and collateral
KINDS: Final = (SPLIT, MERGE, REDEEM, CONVERT)

STATES: Final = ("NEW", "EXECUTED", "MINED", "CONFIRMED", "FAILED")


@frozen(kw_only=True)
class SetRequest:
    """What an owner asks of the contracts; ``kind`` is one of ``KINDS``.

    ``amount`` is sets (split, merge) or NO shares of each condition named (convert); a
    redemption is of everything and says 0.  The same request again, with the same ``nonce``,
    is the same transaction; without a nonce each is one of its own.
    """

    owner: str
    kind: str
    condition_ids: tuple[str, ...]
    amount: Shares
    nonce: str = ""


@frozen(kw_only=True)
class ChainTransaction:
    """A request on its way: ``state`` is one of ``STATES``; ``error`` says why it failed."""

    transaction_id: str
    request: SetRequest
    state: str
    tx_hash: str
    created_ns: int
    updated_ns: int
    error: str = ""

    @property
    def final(self) -> bool:
        return self.state in ("CONFIRMED", "FAILED")


Course = tuple[tuple[str, int], ...]
"""Steps of (state, ns after the request), in time order, the last one final."""
Courses = Callable[[ChainTransaction], Course]


def goes_through(mine_ns: int, confirm_ns: int) -> Courses:
    """The ordinary course: executed half-way to the block, mined, confirmed."""
    course = checked(
        (("EXECUTED", mine_ns // 2), ("MINED", mine_ns), ("CONFIRMED", mine_ns + confirm_ns))
    )
    return lambda _: course


def reverts(after_ns: int) -> Course:
    """Executed, and then not mined: nothing has moved."""
    return checked((("EXECUTED", after_ns // 2), ("FAILED", after_ns)))


def checked(course: Course) -> Course:
    """A course has one end, in time order, and is mined before it is confirmed."""
    states, times = [state for state, _ in course], [delay_ns for _, delay_ns in course]
    assert states in (["EXECUTED", "MINED", "CONFIRMED"], ["EXECUTED", "FAILED"]), course
    assert times == sorted(times), course
    assert times[0] >= 0, course
    return course
