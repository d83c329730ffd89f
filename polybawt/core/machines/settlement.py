"""The life of one market's outcome, from trading until it paid.

Two voices speak of an outcome: the oracle, whose report of the closing second against the
strike lets us *observe* it, and the venue, which *publishes* what each share pays.  Only what
is published is ever paid.  When the closing report or the strike never came, the outcome is
``unprovable`` by us; when the two voices differ, it is ``conflicting``, and nothing is booked.

Spec: models/Settlement.tla.  Source: exchange reference 5.3 and 5.4; data-and-quant 0.3 and 2.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.units import MILLION, Usdc


@frozen(kw_only=True)
class Settlement(Record):
    """Values in 10^-18 dollars, 0 when not known; ``observed``: "", "yes" or "no"."""

    condition_id: str
    strike_e18: int = 0
    close_e18: int = 0
    observed: str = ""
    yes_payout: Usdc | None = None
    no_payout: Usdc | None = None
    state: str = "trading"


@frozen(kw_only=True)
class Action(machine.Action):
    condition_id: str


@frozen(kw_only=True)
class Strike(Action):
    """The report of the opening second, or the venue's own strike."""

    value_e18: int


@frozen(kw_only=True)
class CloseReport(Action):
    """The report of exactly the closing second."""

    value_e18: int


@frozen(kw_only=True)
class End(Action):
    """The market's end has passed."""


@frozen(kw_only=True)
class GiveUp(Action):
    """We waited for the closing report long enough; should it still come, it counts."""


@frozen(kw_only=True)
class Publish(Action):
    yes_payout: Usdc
    no_payout: Usdc


@frozen(kw_only=True)
class Pay(Action):
    """Every order of the market has ended and every trade has settled."""


@frozen(kw_only=True)
class Due(Fact):
    """The positions of a market are to be paid out."""

    condition_id: str
    yes_payout: Usdc
    no_payout: Usdc


def outcome(strike_e18: int, close_e18: int) -> str:
    """Equality settles yes ("Up"): reference 5.4."""
    return "yes" if close_e18 >= strike_e18 else "no"


def strike_unknown(settlement: Settlement, _: Action) -> bool:
    return settlement.strike_e18 == 0


def decidable(settlement: Settlement, _: Action) -> bool:
    return settlement.strike_e18 > 0


def closing_known(settlement: Settlement, _: Action) -> bool:
    return settlement.close_e18 > 0


def agrees(settlement: Settlement, publish: Publish) -> bool:
    """The published payouts are what we observed: one side takes all."""
    if not settlement.observed:
        return False
    pays_yes = (publish.yes_payout, publish.no_payout) == (MILLION, 0)
    pays_no = (publish.yes_payout, publish.no_payout) == (0, MILLION)
    return pays_yes if settlement.observed == "yes" else pays_no


def unobserved(settlement: Settlement, _: Publish) -> bool:
    return not settlement.observed


def confirms(settlement: Settlement, report: CloseReport) -> bool:
    """What the report shows is what was published before it."""
    seen = outcome(settlement.strike_e18, report.value_e18)
    pays = (MILLION, 0) if seen == "yes" else (0, MILLION)
    return (settlement.yes_payout, settlement.no_payout) == pays


def repeats(settlement: Settlement, publish: Publish) -> bool:
    return (settlement.yes_payout, settlement.no_payout) == (publish.yes_payout, publish.no_payout)


def set_strike(settlement: Settlement, strike: Strike) -> tuple[Settlement, Outputs]:
    return evolve(settlement, strike_e18=strike.value_e18), ()


def keep_close(settlement: Settlement, report: CloseReport) -> tuple[Settlement, Outputs]:
    return evolve(settlement, close_e18=report.value_e18), ()


def observe_close(settlement: Settlement, report: CloseReport) -> tuple[Settlement, Outputs]:
    seen = outcome(settlement.strike_e18, report.value_e18)
    return evolve(settlement, close_e18=report.value_e18, observed=seen), ()


def observe_strike(settlement: Settlement, strike: Strike) -> tuple[Settlement, Outputs]:
    seen = outcome(strike.value_e18, settlement.close_e18)
    return evolve(settlement, strike_e18=strike.value_e18, observed=seen), ()


def keep_payouts(settlement: Settlement, publish: Publish) -> tuple[Settlement, Outputs]:
    payouts = evolve(settlement, yes_payout=publish.yes_payout, no_payout=publish.no_payout)
    return payouts, ()


def due(settlement: Settlement, action: Pay) -> tuple[Settlement, Outputs]:
    assert settlement.yes_payout is not None, settlement
    assert settlement.no_payout is not None, settlement
    return settlement, (
        Due(
            at_ns=action.at_ns,
            condition_id=settlement.condition_id,
            yes_payout=settlement.yes_payout,
            no_payout=settlement.no_payout,
        ),
    )


class SettlementMachine(Machine):
    trading = State(initial=True)
    ended = State()
    observed = State()
    unprovable = State()
    resolved = State()
    conflicting = State()
    paid = State(final=True)

    strike = trading.from_(trading, cond=strike_unknown, on=set_strike)
    strike |= trading.from_(trading)  # the venue's strike and the report of its second: the first
    strike |= observed.from_(  # the strike was published after the close was reported
        ended, unprovable, cond=[strike_unknown, closing_known], on=observe_strike
    )
    strike |= ended.from_(ended, cond=strike_unknown, on=set_strike)
    strike |= ended.from_(ended)
    strike |= unprovable.from_(unprovable, cond=strike_unknown, on=set_strike)
    strike |= unprovable.from_(unprovable)
    strike |= observed.from_(observed)
    strike |= resolved.from_(resolved)
    strike |= conflicting.from_(conflicting)

    end = ended.from_(trading)

    close_report = observed.from_(ended, unprovable, cond=decidable, on=observe_close)
    close_report |= ended.from_(ended, on=keep_close)
    close_report |= unprovable.from_(unprovable, on=keep_close)  # late, and still no strike
    close_report |= observed.from_(observed)
    close_report |= resolved.from_(  # the venue was faster than the report
        resolved, cond=[decidable, confirms], on=observe_close
    )
    close_report |= conflicting.from_(resolved, cond=decidable, on=observe_close)
    close_report |= resolved.from_(resolved, on=keep_close)
    close_report |= conflicting.from_(conflicting)

    give_up = unprovable.from_(ended)

    publish = resolved.from_(trading, ended, unprovable, on=keep_payouts)
    publish |= resolved.from_(observed, cond=agrees, on=keep_payouts)
    publish |= resolved.from_(resolved, cond=repeats)
    publish |= conflicting.from_(observed, resolved, on=keep_payouts)
    publish |= resolved.from_(conflicting, cond=agrees, on=keep_payouts)  # it corrected itself
    publish |= resolved.from_(conflicting, cond=[unobserved, repeats])  # it stands by its word
    publish |= conflicting.from_(conflicting, on=keep_payouts)

    pay = paid.from_(resolved, on=due)
