"""A legged hedge: buy a slice of the first leg, cover what was really bought of it by the second.

The strategy prices, the venue fills, and this machine says how many shares are asked for next: a
first leg by the slice, a second leg by the fills that nothing covers or is about to cover, each
only while a pair can be had within its maximum cost.  What cannot be covered in time is sold again,
within a budget.  It knows fills and ends alone: an order that gave no answer is open in full, a
trade that failed takes its fill back and so opens the hedge again, in either direction.

Not here: orders and prices.  A wish becomes an intent, its fills and its end come back as actions
about a leg and a side; several orders of one leg are one sum.  Spec: models/Hedge.tla.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares, Usdc, cost_up


class Leg(StrEnum):
    """The first leg takes the risk, the second covers it: the two tokens of one market."""

    FIRST = "first"
    SECOND = "second"

    @property
    def other(self) -> "Leg":
        return Leg.SECOND if self is Leg.FIRST else Leg.FIRST


Lane = tuple[Leg, Side]
"""All orders of one leg and side."""

LANES: Final = tuple((leg, side) for leg in Leg for side in Side)


@frozen(kw_only=True)
class Tally:
    """The shares of one lane: filled, voided ones taken back; asked for and not ended."""

    filled: Shares = Shares(0)
    open: Shares = Shares(0)


@frozen(kw_only=True)
class Hedge(Record):
    """``pair_cost_max`` is what a share of each leg may cost together, all in."""

    hedge_id: str
    strategy: str
    condition_id: str
    quantity: Shares  # of the first leg, in all
    slice_max: Shares  # of the first leg that may be naked; no order is larger
    order_min: Shares  # the venue's smallest order
    pair_cost_max: Price
    loss_left: Usdc  # what unwinding may still lose
    sale_loss: Price = Price(0)  # what a share of the present sale loses at most
    tallies: tuple[Tally, ...] = (Tally(),) * len(LANES)  # in the order of LANES
    state: str = "working"

    def tally(self, leg: Leg, side: Side) -> Tally:
        return self.tallies[LANES.index((leg, side))]

    def held(self, leg: Leg) -> Shares:
        """Below zero when a purchase was voided after it was sold on."""
        return Shares(self.tally(leg, Side.BUY).filled - self.tally(leg, Side.SELL).filled)

    @property
    def long(self) -> Leg:
        """The leg that we hold more of; what is short is bought, what is long is sold."""
        return Leg.FIRST if self.held(Leg.FIRST) >= self.held(Leg.SECOND) else Leg.SECOND

    @property
    def naked(self) -> Shares:
        """What we hold of one leg and not of the other."""
        return Shares(abs(self.held(Leg.FIRST) - self.held(Leg.SECOND)))

    @property
    def room(self) -> Shares:
        """What is still to be bought of the first leg, when nothing is open."""
        return Shares(self.quantity - self.held(Leg.FIRST))

    @property
    def uncovered(self) -> Shares:
        """What is naked and not about to be covered: the size of the next cover."""
        short = self.tally(self.long.other, Side.BUY)
        return Shares(min(self.slice_max, self.naked - short.open))

    @property
    def sellable(self) -> Shares:
        """What is naked and ours to sell: the size of the next sale."""
        return Shares(min(self.slice_max, self.naked, self.held(self.long)))


@frozen(kw_only=True)
class Action(machine.Action):
    hedge_id: str


@frozen(kw_only=True)
class Lead(Action):
    """A pair can be had at ``pair_cost``, all in; the first leg at ``limit`` or better."""

    limit: Price
    pair_cost: Price


@frozen(kw_only=True)
class Cover(Action):
    """The short leg can be had at ``limit``; the pair then costs ``pair_cost``.

    All in: what the long leg cost, the book's depth, fees and a buffer for slippage.
    """

    limit: Price
    pair_cost: Price


@frozen(kw_only=True)
class Unwind(Action):
    """The long leg can be sold at ``limit``; a share then loses ``loss`` at most, all in.

    Where it would lose nothing, a millionth.
    """

    limit: Price
    loss: Price


@frozen(kw_only=True)
class Abandon(Action):
    """The leg's time is up, or somebody ends the hedge: from now on risk only shrinks."""

    reason: str


@frozen(kw_only=True)
class Fill(Action):
    leg: Leg
    side: Side
    shares: Shares


@frozen(kw_only=True)
class LateFill(Action):
    """A fill of an order that we were told had ended."""

    leg: Leg
    side: Side
    shares: Shares


@frozen(kw_only=True)
class Void(Action):
    """A fill that we booked failed on chain."""

    leg: Leg
    side: Side
    shares: Shares


@frozen(kw_only=True)
class End(Action):
    """An order was refused or has ended: ``shares`` of it will not be filled any more."""

    leg: Leg
    side: Side
    shares: Shares


@frozen(kw_only=True)
class Close(Action):
    """Every order has ended and every trade has come to rest."""


@frozen(kw_only=True)
class GiveUp(Action):
    """The same, but what is naked cannot be sold, or not within the budget."""


Change = Fill | LateFill | Void


@frozen(kw_only=True)
class Wanted(Fact):
    """An order is to be placed: for an intent."""

    hedge_id: str
    leg: Leg
    side: Side
    shares: Shares
    limit: Price


@frozen(kw_only=True)
class Unwanted(Fact):
    """Whatever is open of this leg and side is to be withdrawn."""

    hedge_id: str
    leg: Leg
    side: Side


@frozen(kw_only=True)
class Stranded(Fact):
    """A hedge ended with naked shares: for the operators."""

    hedge_id: str
    leg: Leg
    shares: Shares


def nothing_open(hedge: Hedge, _: Action) -> bool:
    """Nothing that could still fill; so a sale never meets our own bid either."""
    return not any(hedge.tally(*lane).open for lane in LANES)


def room_left(hedge: Hedge, _: Action) -> bool:
    return hedge.room >= hedge.order_min


def complete(hedge: Hedge, _: Action) -> bool:
    return hedge.room < hedge.order_min


def can_be_had(hedge: Hedge, price: Lead | Cover) -> bool:
    return price.pair_cost <= hedge.pair_cost_max


def worth_covering(hedge: Hedge, _: Action) -> bool:
    return hedge.uncovered >= hedge.order_min


def worth_selling(hedge: Hedge, _: Action) -> bool:
    return hedge.sellable >= hedge.order_min


def affordable(hedge: Hedge, unwind: Unwind) -> bool:
    """Even a sale without a loss is to cost something, so that failing sales come to an end."""
    return 0 < cost_up(unwind.loss, hedge.sellable) <= hedge.loss_left


def leaves_naked(hedge: Hedge, change: Change) -> bool:
    return _after(hedge, change).naked != 0


def is_balanced(hedge: Hedge, _: Action) -> bool:
    return hedge.naked == 0


def is_naked(hedge: Hedge, _: Action) -> bool:
    return hedge.naked != 0


def _add(hedge: Hedge, lane: Lane, filled: int = 0, opened: int = 0) -> Hedge:
    at, tally = LANES.index(lane), hedge.tally(*lane)
    after = Tally(filled=Shares(tally.filled + filled), open=Shares(tally.open + opened))
    return evolve(hedge, tallies=(*hedge.tallies[:at], after, *hedge.tallies[at + 1 :]))


def _after(hedge: Hedge, change: Change) -> Hedge:
    """The sums with ``change`` in them; only a fill on time was open before."""
    filled = -change.shares if isinstance(change, Void) else change.shares
    opened = -change.shares if isinstance(change, Fill) else 0
    return _add(hedge, (change.leg, change.side), filled, opened)


def _counted(hedge: Hedge, after: Hedge, told: Change | End) -> Hedge:
    """Nothing is filled, voided or ended that was not there; who says so counts wrong."""
    assert 0 < told.shares <= hedge.slice_max, (hedge, told)
    tally = after.tally(told.leg, told.side)
    assert tally.filled >= 0, (hedge, told)
    assert tally.open >= 0, (hedge, told)
    return after


def _superfluous(hedge: Hedge) -> Iterator[Lane]:
    """What would do more than is wanted, were it filled: lay bare, or cover what is not naked."""
    for leg, side in LANES:
        opened, held = hedge.tally(leg, side).open, hedge.held(leg) - hedge.held(leg.other)
        most = hedge.slice_max if leg is Leg.FIRST else 0
        if opened and (held + opened > most if side is Side.BUY else held - opened < 0):
            yield leg, side


def _ask(
    hedge: Hedge, action: Lead | Cover | Unwind, lane: Lane, shares: Shares
) -> tuple[Hedge, Outputs]:
    wish = Wanted(
        at_ns=action.at_ns,
        hedge_id=hedge.hedge_id,
        leg=lane[0],
        side=lane[1],
        shares=shares,
        limit=action.limit,
    )
    return _add(hedge, lane, opened=shares), (wish,)


def _withdraw(hedge: Hedge, at_ns: int, lanes: Iterator[Lane]) -> Outputs:
    return tuple(
        Unwanted(at_ns=at_ns, hedge_id=hedge.hedge_id, leg=leg, side=side) for leg, side in lanes
    )


def lead_on(hedge: Hedge, lead: Lead) -> tuple[Hedge, Outputs]:
    return _ask(hedge, lead, (Leg.FIRST, Side.BUY), min(hedge.slice_max, hedge.room))


def cover_up(hedge: Hedge, cover: Cover) -> tuple[Hedge, Outputs]:
    return _ask(hedge, cover, (hedge.long.other, Side.BUY), hedge.uncovered)


def sell_off(hedge: Hedge, unwind: Unwind) -> tuple[Hedge, Outputs]:
    """The worst that the sale can lose is set aside; what of it ends unsold comes back."""
    left = Usdc(hedge.loss_left - cost_up(unwind.loss, hedge.sellable))
    after, outputs = _ask(hedge, unwind, (hedge.long, Side.SELL), hedge.sellable)
    return evolve(after, loss_left=left, sale_loss=unwind.loss), outputs


def pull_back(hedge: Hedge, abandon: Abandon) -> tuple[Hedge, Outputs]:
    opened = (lane for lane in LANES if hedge.tally(*lane).open)
    return hedge, _withdraw(hedge, abandon.at_ns, opened)


def book(hedge: Hedge, change: Change) -> tuple[Hedge, Outputs]:
    return _counted(hedge, _after(hedge, change), change), ()


def book_and_look(hedge: Hedge, change: Change) -> tuple[Hedge, Outputs]:
    """What came out otherwise than we thought may leave more open than is wanted now."""
    after = _counted(hedge, _after(hedge, change), change)
    return after, _withdraw(after, change.at_ns, _superfluous(after))


def release(hedge: Hedge, end: End) -> tuple[Hedge, Outputs]:
    after = _counted(hedge, _add(hedge, (end.leg, end.side), opened=-end.shares), end)
    if end.side is Side.BUY:
        return after, ()
    unsold = hedge.sale_loss * end.shares // MILLION
    return evolve(after, loss_left=Usdc(hedge.loss_left + unsold)), ()


def strand(hedge: Hedge, action: GiveUp) -> tuple[Hedge, Outputs]:
    alarm = Stranded(
        at_ns=action.at_ns, hedge_id=hedge.hedge_id, leg=hedge.long, shares=hedge.naked
    )
    return hedge, (alarm,)


class HedgeMachine(Machine):
    working = State(initial=True)
    hedging = State()
    unwinding = State()
    done = State(final=True)
    failed = State(final=True)

    lead = working.from_(working, cond=[nothing_open, room_left, can_be_had], on=lead_on)
    cover = hedging.from_(hedging, cond=[worth_covering, can_be_had], on=cover_up)
    unwind = unwinding.from_(unwinding, cond=[nothing_open, worth_selling, affordable], on=sell_off)
    abandon = unwinding.from_(working, hedging, on=pull_back)

    fill = hedging.from_(working, on=book)
    fill |= hedging.from_(hedging, cond=leaves_naked, on=book)
    fill |= working.from_(hedging, on=book)
    fill |= unwinding.from_(unwinding, on=book)  # matched before its cancel arrived

    late_fill = hedging.from_(working, on=book_and_look)
    late_fill |= hedging.from_(hedging, cond=leaves_naked, on=book_and_look)
    late_fill |= working.from_(hedging, on=book_and_look)
    late_fill |= unwinding.from_(unwinding, on=book_and_look)

    void = hedging.from_(working, on=book_and_look)
    void |= hedging.from_(hedging, cond=leaves_naked, on=book_and_look)
    void |= working.from_(hedging, on=book_and_look)
    void |= unwinding.from_(unwinding, on=book_and_look)

    end = working.from_(working, on=release)
    end |= hedging.from_(hedging, on=release)
    end |= unwinding.from_(unwinding, on=release)

    close = done.from_(working, cond=[nothing_open, complete])
    close |= done.from_(unwinding, cond=[nothing_open, is_balanced])
    give_up = failed.from_(unwinding, cond=[nothing_open, is_naked], on=strand)
