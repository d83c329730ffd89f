"""``Trade`` and its world, as models/Trade.tla has them.

The world is the chain of paper trading: a fresh one is brought to where the trade is, by the fate
it is given, and asked for one step more.  A trade has two legs, so that half of it would show.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, ClassVar, Final, cast

from polybawt.core.machine import Fact, Machine, Outputs, Record
from polybawt.core.machines import trade
from polybawt.core.machines.trade import Filled, Leg, Settled, Trade, TradeMachine, Voided
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares, Usdc
from polybawt.proof.mirror import Mirror
from polybawt.proof.values import Value, Values
from polybawt.sim.chain import FINAL, Chain
from polybawt.sim.records import VenueTrade

YES: Final = "1"
HALF: Final = Price(MILLION // 2)
LEGS: Final = tuple(
    Leg(
        intent_id=intent_id,
        strategy="value",
        token_id=YES,
        side=Side.BUY,
        price=HALF,
        shares=Shares(MILLION),
        fee=Usdc(0),
        maker=True,
    )
    for intent_id in ("i1", "i2")
)
TRADE: Final = Trade(trade_id="t1", condition_id="0xc", match_s=0, legs=LEGS)
MATCHED: Final = VenueTrade(
    trade_id="t1",
    status="MATCHED",
    condition_id="0xc",
    taker_order_id="0x1",
    taker_owner="they",
    token_id=YES,
    side=Side.SELL,
    price=HALF,
    shares=Shares(2 * MILLION),
    fee=Usdc(0),
    makers=(),
    match_ns=0,
    updated_ns=0,
    tx_hash="0x2",
)
ACTIONS: Final = {
    action.__name__: action
    for action in (trade.Match, trade.Mine, trade.Retry, trade.Confirm, trade.Fail)
}
HEARD_OF: Final = {"Mine": "mined", "Retry": "retrying", "Confirm": "confirmed", "Fail": "failed"}
MOVES: Final = {
    "Include": "MINED",
    "Revert": "RETRYING",
    "Finalise": "CONFIRMED",
    "Void": "FAILED",
}
IN_PART: Final = -1  # of two legs one was told: no number that the specification has


class TradeMirror(Mirror):
    name = "Trade"
    machine: ClassVar[type[Machine]] = TradeMachine

    # Our half.

    def record(self, at: Values) -> Trade:
        return Trade(
            trade_id=TRADE.trade_id,
            condition_id=TRADE.condition_id,
            match_s=TRADE.match_s,
            legs=LEGS,
            state=cast(str, at["state"]),
        )

    def action(self, name: str, arguments: tuple[Value, ...], at: Values) -> Fact:
        return ACTIONS[name](trade_id=TRADE.trade_id)

    def ours(self, at: Values, record: Record, outputs: Outputs) -> dict[str, Value]:
        settled = sum(isinstance(output, Settled) for output in outputs)
        return {
            "state": record.state,
            "booked": cast(int, at["booked"]) + _times(outputs, Filled),
            "voided": cast(int, at["voided"]) + _times(outputs, Voided),
            "told": cast(int, at["told"]) + settled,
        }

    # The world half.

    def initial(self) -> Iterable[Values]:
        chain = MATCHED.status.lower()
        return [
            {
                "state": TRADE.state,
                "booked": 0,
                "voided": 0,
                "told": 0,
                "chain": chain,
                "said": frozenset({chain}),
            }
        ]

    def offers(self, name: str, arguments: tuple[Value, ...], at: Values) -> bool:
        return HEARD_OF.get(name, "matched") in _set(at["said"])

    def moves(self, name: str, arguments: tuple[Value, ...], at: Values) -> Values | None:
        moved = _moved(cast(str, at["chain"]).upper(), MOVES[name])
        if moved is None:
            return None
        return {"chain": moved.lower(), "said": _set(at["said"]) | {moved.lower()}}


@cache
def _moved(status: str, to: str) -> str | None:
    """Where a trade of this status is after one more step; ``None``: no fate leads there."""
    been = () if status == MATCHED.status else (status,)
    ahead = (to,) if to in FINAL else (to, "FAILED")
    fate = tuple((step, delay_ns) for delay_ns, step in enumerate((*been, *ahead)))
    chain = Chain(lambda _: fate)
    try:
        chain.add(MATCHED)
    except AssertionError:
        return None
    for _ in been:
        chain.next_step(chain.due_ns)
    before = chain.get(MATCHED.trade_id)
    assert before is not None
    assert before.status == status, before
    return chain.next_step(chain.due_ns).status


def _times(outputs: Outputs, told: type[Filled | Voided]) -> int:
    """How often it was told of every leg."""
    legs: list[Any] = [output.leg for output in outputs if isinstance(output, told)]
    times = {legs.count(leg) for leg in LEGS}
    return times.pop() if len(times) == 1 else IN_PART


def _set(value: Value) -> frozenset[Value]:
    assert isinstance(value, frozenset), value
    return value
