"""The contracts behind the venue: sets are split, merged, redeemed and converted here.

A request is judged twice, as by a relayer that simulates first: when it is sent, and again when
it is mined, because in between the money may have gone.  At the second time everything moves at
once or nothing does, so neither view of any account ever shows half of it.  Orders that the owner
can no longer pay for end as the venue ends them.

Conversion is the adapter's formula: ``k`` NO of ``n`` questions, of which exactly one comes true,
are worth ``k - 1`` dollars and one YES of each of the others.  The adapter takes the NO, splits
what the others need, and keeps their NO halves: it then holds ``n`` NO and owes ``n - 1`` dollars,
which is what they pay.  Here that is an account of its own (``ADAPTER``), which may owe; so every
market's books balance by themselves, and a resolution with no winner or two leaves its loss or
gain there and nowhere else.

Chain reorganisations are not modelled: what is mined stays mined.

Source: exchange reference 3.1 and 5.3; quantitative reference 5.2; NegRiskAdapter.
"""

from collections import deque
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final
from uuid import UUID

from attrs import evolve

from polybawt.core.market import Market
from polybawt.core.units import Shares
from polybawt.sim.accounts import COLLATERAL, FEES, Move
from polybawt.sim.chain import NEVER_NS, digest
from polybawt.sim.closing import Closing
from polybawt.sim.desk import Desk
from polybawt.sim.records import Refused, TransactionChanged
from polybawt.sim.shelf import Shelf
from polybawt.sim.transactions import (
    CONVERT,
    KINDS,
    MERGE,
    REDEEM,
    SPLIT,
    ChainTransaction,
    Course,
    Courses,
    SetRequest,
)

ADAPTER: Final = "0x00000000000000000000000000000000000ada00"
CONVERT_FEE_BIPS: Final = 0  # set per event at the venue; all that were seen charge nothing
BIPS: Final = 10_000
IN_FLIGHT_MAX: Final = 1_000
KEPT_MAX: Final = 10_000  # older ended transactions, and their nonces, are forgotten

UNKNOWN_KIND: Final = "unknown operation"
UNKNOWN_CONDITION: Final = "condition not found"
NO_AMOUNT: Final = "invalid amount"
TOO_LITTLE: Final = "execution reverted: transfer amount exceeds balance"
RESOLVED: Final = "execution reverted: condition is resolved"
UNRESOLVED: Final = "execution reverted: result for condition not received yet"
NOTHING: Final = "execution reverted: nothing to redeem"
NOT_CONVERTIBLE: Final = "execution reverted: no convertible positions"
ONE_CONDITION: Final = "exactly one condition is named"
BUSY: Final = "wallet busy: too many active actions"
FAILED: Final = "execution reverted"

Moves = list[tuple[Market, tuple[Move, ...]]]
"""What moves, market by market; each balances by itself."""


class Contracts:
    """Every transaction that owners sent, and the steps that lie before them."""

    def __init__(self, desk: Desk, shelf: Shelf, closing: Closing, courses: Courses) -> None:
        self._desk, self._shelf, self._closing, self._courses = desk, shelf, closing, courses
        self._doom: Callable[[ChainTransaction], Course | None] = lambda _: None
        self._transactions: dict[str, ChainTransaction] = {}
        self._ended: deque[str] = deque()
        self._due: list[tuple[int, int, str, str]] = []
        self._sent = self._count = 0
        desk.orders.adopt(ADAPTER)
        desk.accounts.lift_limit(ADAPTER)

    def doom(self, doom: Callable[[ChainTransaction], Course | None]) -> None:
        """Ask this first about every transaction from now on; ``None``: its own course."""
        self._doom = doom

    def get(self, transaction_id: str) -> ChainTransaction | None:
        return self._transactions.get(transaction_id)

    @property
    def due_ns(self) -> int:
        return self._due[0][0] if self._due else NEVER_NS

    def send(self, request: SetRequest, now_ns: int) -> ChainTransaction | Refused:
        """Send one request, unless it would fail as things are; a known nonce is answered again."""
        self._sent += not request.nonce
        name = request.nonce or f"number {self._sent}"
        transaction_id = str(UUID(digest(f"{name} of {request}")[2:34]))
        known = self._transactions.get(transaction_id)
        if known is not None:
            return known
        text = self._refusal(request)
        if text:
            return Refused(text)
        if len(self._transactions) - len(self._ended) >= IN_FLIGHT_MAX:
            return Refused(BUSY)
        transaction = ChainTransaction(
            transaction_id=transaction_id, request=request, state="NEW",
            tx_hash=digest(f"transaction {transaction_id}"), created_ns=now_ns, updated_ns=now_ns,
        )  # fmt: skip
        self._transactions[transaction_id] = transaction
        self._tell(transaction, now_ns)
        for state, delay_ns in self._doom(transaction) or self._courses(transaction):
            self._count += 1
            heappush(self._due, (now_ns + delay_ns, self._count, transaction_id, state))
        return transaction

    def next_step(self, now_ns: int) -> None:
        """Take the earliest step; what can no longer be done fails where it would be mined."""
        _, _, transaction_id, state = heappop(self._due)
        transaction = self._transactions[transaction_id]
        if transaction.final:
            return  # it failed earlier than it would have ended
        error = FAILED if state == "FAILED" else ""
        if state == "MINED":
            error = self._refusal(transaction.request)
            state = "FAILED" if error else state
            if not error:
                self._carry_out(transaction.request, now_ns)
        transaction = evolve(transaction, state=state, updated_ns=now_ns, error=error)
        self._transactions[transaction_id] = transaction
        self._tell(transaction, now_ns)
        if transaction.final:
            self._ended.append(transaction_id)
            if len(self._ended) > KEPT_MAX:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Its later steps may still be in the heap: they find it final until they are gone."""
        waiting = {transaction_id for _, _, transaction_id, _ in self._due}
        if self._ended[0] not in waiting:
            del self._transactions[self._ended.popleft()]

    def _tell(self, transaction: ChainTransaction, now_ns: int) -> None:
        if self._desk.orders.outside(transaction.request.owner):
            self._desk.events.append(TransactionChanged(transaction, now_ns))

    # --- what may be ------------------------------------------------------------------------

    def _refusal(self, request: SetRequest) -> str:
        """Why this cannot be done as things are; "" when it can."""
        if request.kind not in KINDS:
            return UNKNOWN_KIND
        markets = self._shelf.markets
        named = request.condition_ids
        if not named or len(set(named)) != len(named) or not all(id_ in markets for id_ in named):
            return UNKNOWN_CONDITION
        if request.kind != CONVERT and len(named) != 1:
            return ONE_CONDITION
        if request.kind == REDEEM:
            return self._not_redeemable(request)
        if request.amount <= 0:
            return NO_AMOUNT
        if request.kind == CONVERT:
            return self._not_convertible(request)
        market = markets[named[0]]
        if request.kind == SPLIT and self._closing.decided(market.condition_id):
            return RESOLVED
        spent = (COLLATERAL,) if request.kind == SPLIT else market.tokens
        return "" if self._has(request, spent) else TOO_LITTLE

    def _not_redeemable(self, request: SetRequest) -> str:
        market = self._shelf.markets[request.condition_ids[0]]
        if self._closing.paid(market.condition_id) is None:
            return UNRESOLVED
        held = any(self._desk.accounts.total(request.owner, token) for token in market.tokens)
        return "" if held else NOTHING

    def _not_convertible(self, request: SetRequest) -> str:
        """Only within one event, none of whose questions is decided or gone."""
        named = [self._shelf.markets[condition_id] for condition_id in request.condition_ids]
        questions = self._shelf.questions_with(named[0])
        ids = {market.condition_id for market in questions}
        if len(questions) < 2 or not ids.issuperset(request.condition_ids):
            return NOT_CONVERTIBLE
        if any(self._closing.decided(condition_id) for condition_id in ids):
            return RESOLVED
        return "" if self._has(request, [m.no_token for m in named]) else TOO_LITTLE

    def _has(self, request: SetRequest, token_ids: tuple[str, ...] | list[str]) -> bool:
        """Whether the chain and the venue agree that the owner has the amount of each token."""
        accounts, owner = self._desk.accounts, request.owner
        return all(
            min(accounts.total(owner, token), accounts.settled(owner, token)) >= request.amount
            for token in token_ids
        )

    # --- what moves -------------------------------------------------------------------------

    def _carry_out(self, request: SetRequest, now_ns: int) -> None:
        accounts, owner = self._desk.accounts, request.owner
        market = self._shelf.markets[request.condition_ids[0]]
        if request.kind == REDEEM:
            self._closing.redeem(owner, market.condition_id)
            return
        moves = self._conversion(request) if request.kind == CONVERT else [_set(request, market)]
        for moved, part in moves:
            accounts.book(moved, part)
            accounts.settle(part)
        gone = [token for _, part in moves for who, token, n in part if who == owner and n < 0]
        self._desk.end_uncovered(owner, dict.fromkeys(gone), now_ns)

    def _conversion(self, request: SetRequest) -> Moves:
        """``k`` NO become ``k - 1`` dollars and one YES of each other question, less the fee."""
        owner, amount = request.owner, request.amount
        fee = amount * CONVERT_FEE_BIPS // BIPS
        given = len(request.condition_ids)
        moves: Moves = []
        for market in self._shelf.questions_with(self._shelf.markets[request.condition_ids[0]]):
            if market.condition_id in request.condition_ids:
                part = [(owner, market.no_token, -amount), (ADAPTER, market.no_token, amount)]
            else:
                part = [
                    (ADAPTER, COLLATERAL, -amount),
                    (ADAPTER, market.no_token, amount),
                    (owner, market.yes_token, amount - fee),
                    (FEES, market.yes_token, fee),
                ]
            moves.append((market, tuple(part)))
        dollars = (
            (ADAPTER, COLLATERAL, -(given - 1) * amount),
            (owner, COLLATERAL, (given - 1) * (amount - fee)),
            (FEES, COLLATERAL, (given - 1) * fee),
        )
        market, part_of_first = moves[0]
        moves[0] = market, (*part_of_first, *dollars)
        return moves


def _set(request: SetRequest, market: Market) -> tuple[Market, tuple[Move, ...]]:
    sign = -1 if request.kind == MERGE else 1
    amount = Shares(sign * request.amount)
    return market, (
        (request.owner, COLLATERAL, -amount),
        *((request.owner, token, int(amount)) for token in market.tokens),
    )
