"""What we hold of one token, from the first fill until its market paid.

The record keeps sums that only grow or are taken back by their own amount, so that a voided
fill reverses exactly, in any order; shares, entry and profit are derived.  A position moves on
fills alone, never on having sent an order.  ``oversold`` is a doubt: a purchase was voided after
we sold it on.

Spec: models/Position.tla.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.units import MILLION, Price, Shares, Usdc


@frozen(kw_only=True)
class Position(Record):
    """``spent`` and ``earned`` are notional without fees; ``paid_out`` came at settlement."""

    token_id: str
    condition_id: str
    bought: Shares = Shares(0)
    sold: Shares = Shares(0)
    spent: Usdc = Usdc(0)
    earned: Usdc = Usdc(0)
    fees: Usdc = Usdc(0)
    paid_out: Usdc = Usdc(0)
    state: str = "flat"

    @property
    def shares(self) -> Shares:
        """What we hold; nothing once the market has paid."""
        return Shares(0) if self.state == "settled" else Shares(self.bought - self.sold)

    @property
    def entry(self) -> Price:
        """Volume-weighted price of all purchases, rounded up."""
        return Price(-(-self.spent * MILLION // self.bought)) if self.bought else Price(0)

    @property
    def cost(self) -> Usdc:
        """What the shares still held cost, rounded up, at the average of all purchases."""
        if self.shares <= 0:
            return Usdc(0)
        return Usdc(-(-self.spent * self.shares // self.bought))

    @property
    def outlay(self) -> Usdc:
        """What was put in and has not come back, fees included: the most that can still be lost.

        A purchase adds to it what it takes, and nothing else does, unless a sale is voided; an
        average cost can rise by more, or by less, when shares bought before were sold meanwhile.
        """
        if self.state == "settled":
            return Usdc(0)
        return Usdc(max(0, self.spent + self.fees - self.earned))

    @property
    def realised(self) -> Usdc:
        """Profit of what was sold or paid out, after all fees so far."""
        return Usdc(self.earned + self.paid_out - (self.spent - self.cost) - self.fees)


@frozen(kw_only=True)
class Action(machine.Action):
    token_id: str


@frozen(kw_only=True)
class Bought(Action):
    shares: Shares
    notional: Usdc
    fee: Usdc


@frozen(kw_only=True)
class Sold(Action):
    shares: Shares
    notional: Usdc
    fee: Usdc


@frozen(kw_only=True)
class BoughtVoid(Action):
    shares: Shares
    notional: Usdc
    fee: Usdc


@frozen(kw_only=True)
class SoldVoid(Action):
    shares: Shares
    notional: Usdc
    fee: Usdc


Change = Bought | Sold | BoughtVoid | SoldVoid


@frozen(kw_only=True)
class Pay(Action):
    """The market resolved: each share pays ``payout`` (millionths of a dollar)."""

    payout: Usdc


@frozen(kw_only=True)
class PaidOut(Fact):
    """What the venue paid for a position: for the ledger."""

    token_id: str
    condition_id: str
    shares: Shares
    amount: Usdc


def after(position: Position, change: Change) -> Position:
    """The sums with ``change`` in them, whatever state that leads to."""
    shares, notional, fee = change.shares, change.notional, change.fee
    sign = -1 if isinstance(change, BoughtVoid | SoldVoid) else 1
    fees = Usdc(position.fees + sign * fee)
    if isinstance(change, Bought | BoughtVoid):
        return evolve(
            position,
            bought=Shares(position.bought + sign * shares),
            spent=Usdc(position.spent + sign * notional),
            fees=fees,
        )
    return evolve(
        position,
        sold=Shares(position.sold + sign * shares),
        earned=Usdc(position.earned + sign * notional),
        fees=fees,
    )


def leaves_some(position: Position, change: Change) -> bool:
    return after(position, change).shares > 0


def leaves_none(position: Position, change: Change) -> bool:
    return after(position, change).shares == 0


def take(position: Position, change: Change) -> tuple[Position, Outputs]:
    return after(position, change), ()


def pay(position: Position, action: Pay) -> tuple[Position, Outputs]:
    assert 0 <= action.payout <= MILLION, action  # a share never pays more than a dollar
    amount = Usdc(position.shares * action.payout // MILLION)
    out = PaidOut(
        at_ns=action.at_ns,
        token_id=position.token_id,
        condition_id=position.condition_id,
        shares=position.shares,
        amount=amount,
    )
    return evolve(position, paid_out=amount), (out,)


class PositionMachine(Machine):
    flat = State(initial=True)
    long = State()
    oversold = State()
    settled = State(final=True)

    bought = long.from_(flat, long, oversold, cond=leaves_some, on=take)
    bought |= flat.from_(oversold, cond=leaves_none, on=take)
    bought |= oversold.from_(oversold, on=take)

    sold = long.from_(long, cond=leaves_some, on=take)
    sold |= flat.from_(long, cond=leaves_none, on=take)
    sold |= oversold.from_(flat, long, oversold, on=take)

    bought_void = long.from_(long, cond=leaves_some, on=take)
    bought_void |= flat.from_(long, cond=leaves_none, on=take)
    bought_void |= oversold.from_(flat, long, oversold, on=take)

    sold_void = long.from_(flat, long, oversold, cond=leaves_some, on=take)
    sold_void |= flat.from_(oversold, cond=leaves_none, on=take)
    sold_void |= oversold.from_(oversold, on=take)

    pay = settled.from_(flat, long, on=pay)
