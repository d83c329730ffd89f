"""What becomes of a match on chain: sent, then mined, confirmed, retried or failed.

Each trade gets a *fate* when it is matched: a tuple of steps, each a status and the time after
the match at which it is reached.  A trade is MATCHED, that is on its way to the chain, from the
start, unless its fate has that as a step: until then it is MATCHED_NOT_BROADCASTED.  A fate is a
pure function of the trade, so a chaos test can choose which trades fail without touching
anything else.  Money is not moved here; the venue does that when a step is taken.

Source: exchange reference, section 1.8.
"""

import hashlib
from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Final

from attrs import evolve

from polybawt.sim.records import VenueTrade

STEPS: Final = ("MATCHED", "MINED", "CONFIRMED", "RETRYING", "FAILED")
UNSENT: Final = "MATCHED_NOT_BROADCASTED"
FINAL: Final = ("CONFIRMED", "FAILED")
NEVER_NS: Final = 2**63

Fate = tuple[tuple[str, int], ...]
"""Steps of (status, ns after the match), in time order, the last one final."""
Fates = Callable[[VenueTrade], Fate]


def settles(mine_ns: int, confirm_ns: int, send_ns: int = 0) -> Fates:
    """The ordinary fate: sent after ``send_ns``, mined, then confirmed ``confirm_ns`` later."""
    sent = (("MATCHED", send_ns),) if send_ns else ()
    fate = checked((*sent, ("MINED", mine_ns), ("CONFIRMED", mine_ns + confirm_ns)))
    return lambda _: fate


def dawdles(send_ns: int) -> Fate:
    """Sent late, then mined and confirmed, each as much later."""
    return checked((("MATCHED", send_ns), ("MINED", 2 * send_ns), ("CONFIRMED", 3 * send_ns)))


def fails(after_ns: int) -> Fate:
    """Never mined: the fill is void."""
    return checked((("RETRYING", after_ns), ("FAILED", 2 * after_ns)))


def retries(after_ns: int) -> Fate:
    """Sent again once, then mined and confirmed."""
    return checked((("RETRYING", after_ns), ("MINED", 2 * after_ns), ("CONFIRMED", 3 * after_ns)))


def checked(fate: Fate) -> Fate:
    """A fate that a trade can have: known steps, in time order, one end."""
    statuses = [status for status, _ in fate]
    delays = [delay for _, delay in fate]
    assert statuses, "a trade needs an end"
    assert all(status in STEPS for status in statuses), fate
    assert statuses[-1] in FINAL, fate
    assert not any(status in FINAL for status in statuses[:-1]), fate
    assert delays == sorted(delays), fate
    assert delays[0] >= 0, fate
    return fate


def digest(text: str) -> str:
    """A transaction hash: unique by what it names, and the same in every run."""
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


class Chain:
    """All trades of a venue and the steps that lie before them."""

    def __init__(self, fates: Fates) -> None:
        self._fates = fates
        self._doom: Callable[[VenueTrade], Fate | None] = lambda _: None
        self._trades: dict[str, VenueTrade] = {}
        self._due: list[tuple[int, int, str, str]] = []
        self._count = 0
        self._mined: set[str] = set()
        self._unfinal: dict[str, int] = {}

    def doom(self, doom: Callable[[VenueTrade], Fate | None]) -> None:
        """Ask this first about every trade from now on; ``None`` leaves it to its own fate."""
        self._doom = doom

    def add(self, trade: VenueTrade) -> VenueTrade:
        """Give a new trade its fate; returns it with the status that it has from the start."""
        assert trade.trade_id not in self._trades, trade
        fate = checked(self._doom(trade) or self._fates(trade))
        if fate[0][0] == "MATCHED":
            trade = evolve(trade, status=UNSENT)
        self._trades[trade.trade_id] = trade
        self._unfinal[trade.condition_id] = self.unfinal(trade.condition_id) + 1
        for status, delay_ns in fate:
            self._count += 1
            heappush(self._due, (trade.match_ns + delay_ns, self._count, trade.trade_id, status))
        return trade

    def get(self, trade_id: str) -> VenueTrade | None:
        return self._trades.get(trade_id)

    def unfinal(self, condition_id: str) -> int:
        """How many trades of a market are still on their way."""
        return self._unfinal.get(condition_id, 0)

    def settled(self, trade_id: str) -> bool:
        """Whether its moves are in the settled balances."""
        return trade_id in self._mined

    @property
    def due_ns(self) -> int:
        """When the next step of any trade is due."""
        return self._due[0][0] if self._due else NEVER_NS

    def next_step(self, now_ns: int) -> VenueTrade:
        """Take the earliest step, and return the trade after it."""
        _, _, trade_id, status = heappop(self._due)
        before = self._trades[trade_id]
        assert not before.final, before
        tx_hash = digest(before.tx_hash) if status == "RETRYING" else before.tx_hash
        trade = evolve(before, status=status, updated_ns=now_ns, tx_hash=tx_hash)
        self._trades[trade_id] = trade
        if trade.final:
            self._unfinal[trade.condition_id] -= 1
        return trade

    def mark_settled(self, trade_id: str, settled: bool) -> None:
        (self._mined.add if settled else self._mined.discard)(trade_id)

    def forget(self, trade_ids: Iterable[str], condition_id: str) -> None:
        assert self.unfinal(condition_id) == 0, condition_id
        self._unfinal.pop(condition_id, None)
        for trade_id in trade_ids:
            del self._trades[trade_id]
            self._mined.discard(trade_id)
