"""How far each limit was used, at its most, by a journal that is played again.

What may be at risk is decided before an order leaves; this looks at every state that a run was in
and says how much was at risk in it.  A limit that was exceeded once, by a millionth, is named.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from polybawt.core import exposures
from polybawt.core.codec import decode
from polybawt.core.commands import SignOrder
from polybawt.core.facts import Started, Tick, TradeReported
from polybawt.core.kernel import step
from polybawt.core.machine import Command, Fact
from polybawt.core.state import State
from polybawt.core.units import Usdc, micro_text
from polybawt.proof.audit import entries

LOOKED_AT: Final = (Tick, TradeReported, Started)


def most_exposed(path: Path) -> dict[str, dict[str, Any]]:
    """By limit: the most that was ever used, what is allowed, and whether it was exceeded."""
    state, most = State(), dict[str, tuple[int, Usdc]]()
    for _, _, kind, body, _ in entries(path):
        fact = decode(kind, body)
        if _may_have_grown(fact, step(state, fact)):
            for name, used, limit in used_now(state):
                if name not in most or used * most[name][1] > most[name][0] * limit:
                    most[name] = used, limit
    return {
        name: {"most": micro_text(used), "limit": micro_text(limit), "exceeded": used > limit}
        for name, (used, limit) in sorted(most.items())
    }


def _may_have_grown(fact: Fact, commands: tuple[Command, ...]) -> bool:
    """Exposure grows by orders, and by trades that fail; the rest is looked at with the clock."""
    return isinstance(fact, LOOKED_AT) or any(isinstance(c, SignOrder) for c in commands)


def used_now(state: State) -> Iterator[tuple[str, int, Usdc]]:
    """Every limit of what may be at risk: its name, what is used of it, what is allowed."""
    limits, exposed = state.config.limits, exposures.by_token(state)
    conditions, events, classes = dict[str, int](), dict[str, int](), dict[str, int]()
    for token, amount in exposed.items():
        yield "token", amount, limits.token_exposure_max
        market = state.markets.get(state.market_of.get(token, ""))
        if market is None:
            continue
        kind = exposures.asset_class(market)
        conditions[market.condition_id] = conditions.get(market.condition_id, 0) + amount
        classes[kind] = classes.get(kind, 0) + amount
        if market.event_id:
            events[market.event_id] = events.get(market.event_id, 0) + amount
    for held in conditions.values():
        yield "condition", held, limits.condition_exposure_max
    for held in events.values():
        yield "event", held, limits.event_exposure_max
    for kind, held in classes.items():
        yield f"class {kind}", held, limits.of_class(kind)
    for strategy in state.config.strategies:
        used = exposures.of_strategy(state, strategy.name)
        yield f"strategy {strategy.name}", used, strategy.exposure_max
    yield "joint", exposures.together(state), limits.joint_exposure_max
    yield "total", state.total_exposure(), limits.total_exposure_max
