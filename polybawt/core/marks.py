"""What we could have for our shares now, how far that is below the best day, and below midnight.

The mid is for showing; a limit wants the liquidation value: the bids walked for every share, fees
off, and nothing for what no bid takes.  Profit is measured without what was paid in or out, so a
deposit is no gain, and neither is a drift.  The peak and the value at midnight UTC are kept: a
restart forgives nothing.

Source: data-and-quant 5.11.
"""

from attrs import evolve, frozen

from polybawt.core.ledger import DRIFT
from polybawt.core.machines.position import Position
from polybawt.core.state import Marks, State
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc, proceeds_down

DAY_NS = 86_400 * SECOND_NS


def liquidation(state: State, held: Position) -> Usdc:
    """What the book as last known would pay for a position, after fees."""
    book, market = state.books.get(held.condition_id), state.markets.get(held.condition_id)
    if book is None or market is None or held.shares <= 0:
        return Usdc(0)
    left, got = int(held.shares), 0
    bids, _ = book.levels(held.token_id)
    for price, size in reversed(bids):
        part = Shares(min(left, size))
        got += max(0, proceeds_down(price, part) - market.fees.fee_up(price, part))
        left -= part
        if not left:
            break
    return Usdc(got)


def profit(state: State) -> Usdc:
    """Since the first deposit, every position at its liquidation value; nothing is owed to hope."""
    worth = {token: liquidation(state, position) for token, position in state.positions.items()}
    prices = {
        token: Price(amount * MILLION // state.positions[token].shares)
        for token, amount in worth.items()
        if amount
    }
    drifted = state.ledger.profit(DRIFT, lambda token: prices.get(token, Price(0)))
    return Usdc(state.ledger.cash + sum(worth.values()) - state.ledger.deposited - drifted)


@frozen
class Losses:
    """Below the peak, and below the profit at midnight; ``of_day`` and ``of_peak`` are capital."""

    drawdown: Usdc
    of_peak: Usdc
    today: Usdc
    of_day: Usdc


def look(state: State) -> Losses:
    """Measure now, and keep what has to be kept: a new peak, a new day."""
    now, day = profit(state), state.now_ns // DAY_NS
    marks = state.marks
    if marks.day != day:
        marks = Marks(peak=marks.peak, day=day, opened=now)
    state.marks = marks = Marks(peak=Usdc(max(marks.peak, now)), day=day, opened=marks.opened)
    deposited = state.ledger.deposited
    return Losses(
        drawdown=Usdc(marks.peak - now),
        of_peak=Usdc(deposited + marks.peak),
        today=Usdc(max(0, marks.opened - now)),
        of_day=Usdc(deposited + marks.opened),
    )


def forgive_today(state: State) -> None:
    """An operator has seen today's loss: what comes after it is counted anew."""
    state.marks = evolve(state.marks, opened=profit(state))


def forgive_drawdown(state: State) -> None:
    """An operator has seen how far we are below the peak: this is the new one."""
    state.marks = evolve(state.marks, peak=profit(state))


def reached(loss: Usdc, capital: Usdc, part_micro: int) -> bool:
    """Whether a loss is at least this part of the capital; without capital there is none."""
    return capital > 0 and loss > 0 and loss * MILLION >= capital * part_micro
