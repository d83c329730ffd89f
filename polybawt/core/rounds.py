"""A strategy's round in one token, from its first fill until nothing of it is left.

A round is closed when no share, no open order and no unsettled trade of it remains: then, and not
when an exit was sent, it has brought what it brought.  Wins, losses and the row of losses are
counted by closed rounds; a position of which every round is closed leaves memory.

Source: data-and-quant 5.11 (streaks count closed trades, net of fees; zero is neutral).
"""

from polybawt.core import breakers, ledger
from polybawt.core.machine import Outputs
from polybawt.core.scores import Score
from polybawt.core.state import State


def tick(state: State) -> Outputs:
    """Close the rounds of which nothing is left, and forget positions that are flat."""
    outputs: Outputs = ()
    asked = {(order.strategy, order.token_id) for order in state.open_orders()}
    moving = {(leg.strategy, leg.token_id) for t in state.unsettled() for leg in t.legs}
    moving |= {(c.strategy, part.token_id) for c in state.conversions.values() for part in c.parts}
    for strategy, token in state.ledger.rounds():
        if (strategy, token) in asked | moving or state.ledger.shares(strategy, token):
            continue
        entry = ledger.closing(state.ledger, strategy, token)
        brought = sum(amount for account, _, amount in entry if account == strategy)
        paid = sum(amount for account, _, amount in entry if account == ledger.fees_of(strategy))
        state.ledger.post(entry)
        if strategy == ledger.DRIFT:
            continue  # nobody traded it
        before = state.scores.get(strategy, Score())
        after = before.closed(-brought - paid, state.now_ns)
        state.scores[strategy] = after
        state.count("rounds_closed")
        outputs += _row(state, strategy, before, after)
    busy = {token for _, token in (*asked, *moving, *state.ledger.rounds())}
    for token, position in tuple(state.positions.items()):
        if position.state == "flat" and token not in busy:
            del state.positions[token]
    return outputs


def _row(state: State, strategy: str, before: Score, after: Score) -> Outputs:
    """A loss counts against the strategy's breaker, a gain heals it, and zero says nothing."""
    name = f"{breakers.LOSSES}.{strategy}"
    if after.losses > before.losses:
        reason = f"{after.losing} losses in a row"
        return breakers.trip(state, name, state.now_ns, reason)
    return breakers.heal(state, name, state.now_ns) if after.wins > before.wins else ()
