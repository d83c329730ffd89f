"""The life of one trade: matched off chain, then settled on chain, or not.

A match is provisional.  Its fills are booked when we first hear of it, and taken back, once,
when it FAILED.  The venue repeats every step, out of order, and after a restart all of them:
only the first report books.  A trade that we hear of first as FAILED books nothing.

Spec: models/Trade.tla.  Source: exchange reference 1.8 and 1.11.
"""

from attrs import frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares, Usdc, cost_up, proceeds_down


@frozen(kw_only=True)
class Leg:
    """Our part of a trade in one order; a maker pays no fee."""

    intent_id: str
    strategy: str
    token_id: str
    side: Side
    price: Price
    shares: Shares
    fee: Usdc
    maker: bool

    @property
    def notional(self) -> Usdc:
        """What the shares cost or bring, without the fee, rounded against us."""
        exact = cost_up if self.side is Side.BUY else proceeds_down
        return exact(self.price, self.shares)


@frozen(kw_only=True)
class Trade(Record):
    trade_id: str
    condition_id: str
    match_s: int
    legs: tuple[Leg, ...]
    state: str = "seen"


SETTLED = frozenset({"confirmed", "failed"})


@frozen(kw_only=True)
class Action(machine.Action):
    trade_id: str


@frozen(kw_only=True)
class Match(Action): ...


@frozen(kw_only=True)
class Mine(Action): ...


@frozen(kw_only=True)
class Retry(Action): ...


@frozen(kw_only=True)
class Confirm(Action): ...


@frozen(kw_only=True)
class Fail(Action): ...


@frozen(kw_only=True)
class Filled(Fact):
    """Shares changed hands, provisionally: for the order, the position and the ledger."""

    trade_id: str
    condition_id: str
    leg: Leg


@frozen(kw_only=True)
class Voided(Fact):
    """They did not, after all."""

    trade_id: str
    condition_id: str
    leg: Leg


@frozen(kw_only=True)
class Settled(Fact):
    """The trade came to rest: its orders may close."""

    trade_id: str


def _of_each_leg(trade: Trade, action: Action, told: type[Filled | Voided]) -> Outputs:
    """The same said of every leg."""
    at_ns, trade_id, condition_id = action.at_ns, trade.trade_id, trade.condition_id
    return tuple(
        told(at_ns=at_ns, trade_id=trade_id, condition_id=condition_id, leg=leg)
        for leg in trade.legs
    )


def book(trade: Trade, action: Action) -> tuple[Trade, Outputs]:
    return trade, _of_each_leg(trade, action, Filled)


def settle(trade: Trade, action: Action) -> tuple[Trade, Outputs]:
    return trade, (Settled(at_ns=action.at_ns, trade_id=trade.trade_id),)


def book_and_settle(trade: Trade, action: Action) -> tuple[Trade, Outputs]:
    return trade, (*book(trade, action)[1], *settle(trade, action)[1])


def void(trade: Trade, action: Action) -> tuple[Trade, Outputs]:
    return trade, (*_of_each_leg(trade, action, Voided), *settle(trade, action)[1])


class TradeMachine(Machine):
    seen = State(initial=True)
    matched = State()
    mined = State()
    retrying = State()
    confirmed = State(final=True)
    failed = State(final=True)

    match = matched.from_(seen, on=book)
    match |= matched.from_(matched, retrying)  # the transaction is sent again
    match |= mined.from_(mined)  # a late repeat

    mine = mined.from_(seen, on=book)
    mine |= mined.from_(matched, retrying, mined)

    retry = retrying.from_(seen, on=book)
    retry |= retrying.from_(matched, mined, retrying)

    confirm = confirmed.from_(seen, on=book_and_settle)
    confirm |= confirmed.from_(matched, mined, retrying, on=settle)

    fail = failed.from_(seen)  # void before we ever booked it: nothing to take back
    fail |= failed.from_(matched, mined, retrying, on=void)
