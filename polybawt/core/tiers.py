"""The levels at which trading is slowed, halted and killed: settings, and nothing else.

Soft before hard: from a part of a limit on, orders are made smaller; at the limit trading halts or
is killed.  A halt for losses is latched until an operator resets it with a reason, one for a row
of losses or refusals cools down and then lets a small probe out.

Source: requirements, section 3; data-and-quant 5.11.
"""

from attrs import frozen

from polybawt.core.units import SECOND_NS


@frozen(kw_only=True)
class Tiers:
    """Parts are millionths of our capital, of a limit, or of a size; times are ns.

    ``daily_loss_micro`` counts from UTC midnight, ``drawdown_micro`` from the highest profit, both
    at what could be had for our shares now.  ``flatten``: a daily loss also sells what we hold.
    ``oracle_dead_ns``: how long an oracle that we are exposed to may be silent.
    """

    daily_loss_micro: int = 50_000
    drawdown_micro: int = 100_000
    soft_micro: int = 500_000
    soft_scale_micro: int = 500_000
    probe_scale_micro: int = 250_000
    losses_max: int = 5
    losses_cool_ns: int = 600 * SECOND_NS
    rejects_max: int = 5
    rejects_cool_ns: int = 60 * SECOND_NS
    flatten: bool = True
    disconnect_ns: int = 30 * SECOND_NS
    oracle_dead_ns: int = 60 * SECOND_NS
    errors_micro: int = 100_000
    errors_min: int = 20  # answers in a minute, below which no rate is a rate
