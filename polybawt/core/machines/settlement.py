"""The life of one market's outcome, from trading until it paid.

Two voices speak of an outcome: the oracle, whose report of the closing second against the
strike lets us *observe* it, and the venue, which *publishes* what each share pays.  Only what
is published is ever paid.  When the closing report or the strike never came, the outcome is
``unprovable`` by us; when the two voices differ, in whatever order they spoke, or the venue
differs from itself, it is ``conflicting``, and nothing is booked until the venue corrects itself
or an operator, with a reason, accepts what is published.  Of two strikes and of two reports of
one second the first stands.

Spec: models/Settlement.tla.  Source: exchange reference 5.3 and 5.4; data-and-quant 0.3 and 2.
"""

from attrs import evolve, frozen
from statemachine import State

from polybawt.core import machine
from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.units import MILLION, Usdc


@frozen(kw_only=True)
class Settlement(Record):
    """Values in 10^-18 dollars, 0 when not known; ``observed``: "", "yes" or "no".

    ``decided_by`` names who accepted the present payouts although something spoke against them.
    """

    condition_id: str
    strike_e18: int = 0
    close_e18: int = 0
    observed: str = ""
    yes_payout: Usdc | None = None
    no_payout: Usdc | None = None
    decided_by: str = ""
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
class Decide(Action):
    """An operator accepts these payouts: what is published now, or the operator was too late."""

    yes_payout: Usdc
    no_payout: Usdc
    actor: str
    reason: str


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


def seen(settlement: Settlement, action: Strike | CloseReport) -> str:
    """The outcome that the action lets us see."""
    if isinstance(action, Strike):
        return outcome(action.value_e18, settlement.close_e18)
    return outcome(settlement.strike_e18, action.value_e18)


def strike_unknown(settlement: Settlement, _: Strike) -> bool:
    return settlement.strike_e18 == 0


def decidable(settlement: Settlement, _: CloseReport) -> bool:
    return settlement.strike_e18 > 0


def closing_known(settlement: Settlement, _: Strike | CloseReport) -> bool:
    return settlement.close_e18 > 0


def confirms(settlement: Settlement, action: Strike | CloseReport) -> bool:
    """What we now see is what was published before it."""
    pays = (MILLION, 0) if seen(settlement, action) == "yes" else (0, MILLION)
    return (settlement.yes_payout, settlement.no_payout) == pays


def agrees(settlement: Settlement, publish: Publish) -> bool:
    """The published payouts are what we observed: one side takes all."""
    if not settlement.observed:
        return False
    pays_yes = (publish.yes_payout, publish.no_payout) == (MILLION, 0)
    pays_no = (publish.yes_payout, publish.no_payout) == (0, MILLION)
    return pays_yes if settlement.observed == "yes" else pays_no


def unobserved(settlement: Settlement, _: Publish) -> bool:
    return not settlement.observed


def repeats(settlement: Settlement, action: Publish | Decide) -> bool:
    return (settlement.yes_payout, settlement.no_payout) == (action.yes_payout, action.no_payout)


def set_strike(settlement: Settlement, strike: Strike) -> tuple[Settlement, Outputs]:
    return evolve(settlement, strike_e18=strike.value_e18), ()


def keep_close(settlement: Settlement, report: CloseReport) -> tuple[Settlement, Outputs]:
    return evolve(settlement, close_e18=report.value_e18), ()


def observe_strike(settlement: Settlement, strike: Strike) -> tuple[Settlement, Outputs]:
    """A decision made without this evidence stands no more."""
    observed = seen(settlement, strike)
    return evolve(settlement, strike_e18=strike.value_e18, observed=observed, decided_by=""), ()


def observe_close(settlement: Settlement, report: CloseReport) -> tuple[Settlement, Outputs]:
    """A decision made without this evidence stands no more."""
    observed = seen(settlement, report)
    return evolve(settlement, close_e18=report.value_e18, observed=observed, decided_by=""), ()


def keep_payouts(settlement: Settlement, publish: Publish) -> tuple[Settlement, Outputs]:
    payouts = evolve(
        settlement, yes_payout=publish.yes_payout, no_payout=publish.no_payout, decided_by=""
    )
    return payouts, ()


def accept(settlement: Settlement, decide: Decide) -> tuple[Settlement, Outputs]:
    return evolve(settlement, decided_by=decide.actor), ()


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
    strike |= resolved.from_(  # published before the strike was known
        resolved, conflicting, cond=[strike_unknown, closing_known, confirms], on=observe_strike
    )
    strike |= conflicting.from_(
        resolved, conflicting, cond=[strike_unknown, closing_known], on=observe_strike
    )
    strike |= resolved.from_(resolved, cond=strike_unknown, on=set_strike)
    strike |= resolved.from_(resolved)
    strike |= conflicting.from_(conflicting, cond=strike_unknown, on=set_strike)
    strike |= conflicting.from_(conflicting)

    end = ended.from_(trading)

    close_report = ended.from_(ended, cond=closing_known)  # read again, or by another way
    close_report |= unprovable.from_(unprovable, cond=closing_known)
    close_report |= resolved.from_(resolved, cond=closing_known)
    close_report |= conflicting.from_(conflicting, cond=closing_known)
    close_report |= observed.from_(observed)
    close_report |= observed.from_(ended, unprovable, cond=decidable, on=observe_close)
    close_report |= ended.from_(ended, on=keep_close)
    close_report |= unprovable.from_(unprovable, on=keep_close)  # late, and still no strike
    close_report |= resolved.from_(  # the venue was faster than the report
        resolved, conflicting, cond=[decidable, confirms], on=observe_close
    )
    close_report |= conflicting.from_(resolved, conflicting, cond=decidable, on=observe_close)
    close_report |= resolved.from_(resolved, on=keep_close)
    close_report |= conflicting.from_(conflicting, on=keep_close)

    give_up = unprovable.from_(ended)

    publish = resolved.from_(trading, ended, unprovable, on=keep_payouts)
    publish |= resolved.from_(observed, resolved, cond=agrees, on=keep_payouts)
    publish |= resolved.from_(resolved, cond=repeats)
    publish |= conflicting.from_(observed, resolved, on=keep_payouts)
    publish |= resolved.from_(conflicting, cond=agrees, on=keep_payouts)  # it corrected itself
    publish |= resolved.from_(conflicting, cond=[repeats, unobserved])  # it stands by its word
    publish |= conflicting.from_(conflicting, on=keep_payouts)

    decide = resolved.from_(conflicting, cond=repeats, on=accept)

    pay = paid.from_(resolved, on=due)
