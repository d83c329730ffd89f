"""Who holds what: double-entry books over collateral and outcome tokens.

Two views of each account.  ``total`` moves when orders match: it is what a client that books
its fills holds.  ``settled`` moves when the chain has mined the trade: it is what the venue's
balance call shows.  A trade is a list of moves; a failed trade is the same list, negated, so
nothing is ever forgotten or invented.  What backs outstanding sets is an account too: minting
moves collateral into it, merging and redeeming out of it.

Invariant, asserted at every trade: collateral in accounts plus backing equals all collateral
ever brought in, and each market has as many YES as NO tokens as it has backing.  An account may
go below zero only by the reversal of a trade whose proceeds it had spent, or when the
simulation said it has no limit.
"""

from collections.abc import Iterable
from typing import Final

from polybawt.core.market import LOT, Market, Side
from polybawt.core.units import Price, Shares, Usdc, proceeds_down
from polybawt.sim.matching import cost
from polybawt.sim.records import VenueTrade

COLLATERAL: Final = ""  # the token id of collateral in an account
FEES: Final = "0x00000000000000000000000000000000000fee00"
ENDOWER: Final = "0x0000000000000000000000000000000000e2d000"

Move = tuple[str, str, int]
"""Owner, token id ("" is collateral), signed millionths."""


def leg(owner: str, token_id: str, side: Side, price: Price, shares: Shares) -> tuple[Move, Move]:
    """One party's two moves."""
    sign = 1 if side is Side.BUY else -1
    return (
        (owner, COLLATERAL, -sign * cost(price, shares)),
        (owner, token_id, sign * shares),
    )


def moves_of(trade: VenueTrade) -> tuple[Move, ...]:
    """Everything a trade moves between accounts; the rest goes to or comes from backing."""
    taker = leg(trade.taker_owner, trade.token_id, trade.side, trade.price, trade.shares)
    makers = (
        move for m in trade.makers for move in leg(m.owner, m.token_id, m.side, m.price, m.shares)
    )
    fee = (trade.taker_owner, COLLATERAL, -trade.fee), (FEES, COLLATERAL, int(trade.fee))
    return (*taker, *makers, *fee)


def reversed_moves(moves: Iterable[Move]) -> tuple[Move, ...]:
    return tuple((owner, token_id, -amount) for owner, token_id, amount in moves)


class Accounts:
    """The ledgers of one venue."""

    def __init__(self) -> None:
        self._total: dict[str, dict[str, int]] = {}
        self._settled: dict[str, dict[str, int]] = {}
        self._backing: dict[str, int] = {}
        self._unlimited: set[str] = set()
        self.brought_in = 0
        """All collateral that ever came from outside."""

    def deposit(self, owner: str, amount: Usdc) -> None:
        assert amount >= 0, amount
        self.brought_in += amount
        for view in (self._total, self._settled):
            _add(view, owner, COLLATERAL, amount)

    def grant(self, owner: str, market: Market, token_id: str, shares: Shares) -> None:
        """Endow with tokens: a set is paid for from outside, its other half set aside."""
        assert shares >= 0, shares
        assert shares % LOT == 0, shares
        self.brought_in += shares
        self._backing[market.condition_id] = self.backing(market.condition_id) + shares
        for view in (self._total, self._settled):
            _add(view, owner, token_id, shares)
            _add(view, ENDOWER, market.other(token_id), shares)

    def lift_limit(self, owner: str) -> None:
        """This account may owe: it belongs to the simulation, not to a participant."""
        self._unlimited.add(owner)

    def limited(self, owner: str) -> bool:
        return owner not in self._unlimited

    def total(self, owner: str, token_id: str = COLLATERAL) -> int:
        return self._total.get(owner, {}).get(token_id, 0)

    def settled(self, owner: str, token_id: str = COLLATERAL) -> int:
        return self._settled.get(owner, {}).get(token_id, 0)

    def totals(self, owner: str) -> dict[str, int]:
        return dict(self._total.get(owner, {}))

    def settleds(self, owner: str) -> dict[str, int]:
        return dict(self._settled.get(owner, {}))

    def backing(self, condition_id: str) -> int:
        return self._backing.get(condition_id, 0)

    def book(self, market: Market, moves: tuple[Move, ...]) -> None:
        """Apply a trade, or its reversal, to what everybody holds in total."""
        collateral = sum(amount for _, token, amount in moves if token == COLLATERAL)
        for token_id in market.tokens:
            created = sum(amount for _, token, amount in moves if token == token_id)
            assert created == -collateral, (market.slug, moves)
        self._backing[market.condition_id] = self.backing(market.condition_id) - collateral
        for owner, token, amount in moves:
            _add(self._total, owner, token, amount)

    def settle(self, moves: tuple[Move, ...]) -> None:
        """Apply a trade, or its reversal, to what the balance call shows."""
        for owner, token, amount in moves:
            _add(self._settled, owner, token, amount)

    def outstanding(self, token_id: str) -> int:
        return sum(held.get(token_id, 0) for held in self._total.values())

    def worth(self) -> int:
        """All collateral there is, held or backing; always equals ``brought_in``."""
        held = sum(held.get(COLLATERAL, 0) for held in self._total.values())
        return held + sum(self._backing.values())

    def holders(self, market: Market) -> tuple[str, ...]:
        return tuple(
            owner for owner, held in self._total.items() if any(t in held for t in market.tokens)
        )

    def redeem(self, owner: str, market: Market, yes_payout: Usdc, no_payout: Usdc) -> Usdc:
        """Pay one holder's tokens of a resolved market out of its backing."""
        paid = 0
        for token_id, payout in ((market.yes_token, yes_payout), (market.no_token, no_payout)):
            shares = Shares(self.total(owner, token_id))
            assert shares == self.settled(owner, token_id), (owner, market.slug)
            amount = proceeds_down(Price(payout), shares)
            for view in (self._total, self._settled):
                _add(view, owner, token_id, -shares)
                _add(view, owner, COLLATERAL, amount)
            paid += amount
        self._backing[market.condition_id] = self.backing(market.condition_id) - paid
        return Usdc(paid)

    def forget(self, market: Market) -> None:
        """A market that nobody holds any more leaves no trace; what halves of a millionth were
        rounded away from its holders is a fee."""
        assert not self.holders(market), market.slug
        dust = self._backing.pop(market.condition_id, 0)
        assert dust >= 0, market.slug
        for view in (self._total, self._settled):
            _add(view, FEES, COLLATERAL, dust)


def _add(view: dict[str, dict[str, int]], owner: str, token_id: str, amount: int) -> None:
    held = view.setdefault(owner, {})
    after = held.get(token_id, 0) + amount
    if after or token_id == COLLATERAL:
        held[token_id] = after
    else:
        held.pop(token_id, None)
