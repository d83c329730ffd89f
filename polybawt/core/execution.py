"""From an intent to an order, and what becomes of it: the order lane's owner.

Orders are stepped by their machine; this module finds the record an input is about, refuses
what cannot be, and holds the breakers.  What a match does to our money stands in ``fills``.
"""

from typing import Final

from attrs import evolve

from polybawt.core import breakers, exposures, facts, hedging, leave, triggers, views
from polybawt.core.commands import ReadOrder, SignOrder
from polybawt.core.machine import Action, Outputs, Record
from polybawt.core.machines import order, recovery
from polybawt.core.machines.order import Order, OrderMachine
from polybawt.core.market import LOT
from polybawt.core.risk import Refused, refusal
from polybawt.core.state import State
from polybawt.core.strategies import Intent, Withdraw
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Shares

STATUSES_ENDED: Final = ("CANCELED", "UNMATCHED", "INVALID")  # the venue appends reasons
VERSION_BREAKER: Final = "version"
VERSION_REFUSALS: Final = ("order_version_mismatch", "invalid order version")
STATUSES_ALIVE: Final = ("LIVE", "MATCHED", "DELAYED")

# Wanting.


def decide(state: State, condition_id: str) -> Outputs:
    """Ask every strategy what it wants in one market, at most once per ``decide_ns``."""
    running = [strategy for strategy in state.config.strategies if strategy.enabled]
    if not running or condition_id not in state.books or state.barred():
        return ()
    if not state.due(f"decide:{condition_id}", state.config.decide_ns):
        return ()
    shown = views.shown(state, state.markets[condition_id])
    return tuple(wish for s in running for wish in s.decide(views.view(state, s, shown)))


def wanted(state: State, intent: Intent) -> Outputs:
    """An intent that passes the gate becomes an order, to be signed."""
    intent = scaled(state, intent)
    if refused := refusal(exposures.gate(state, intent), intent):
        return (refused,)
    if held := triggers.why_not(state, intent):
        return (Refused(at_ns=state.now_ns, intent=intent, check="trigger", text=held),)
    state.intents_made += 1
    market = state.markets[intent.condition_id]
    config, now_ms = state.config, state.now_ns // MS_NS
    dies_s = -(-state.now_ns // SECOND_NS) + intent.lifetime_s
    record = Order(
        intent_id=f"i{state.intents_made}",
        strategy=intent.strategy,
        condition_id=intent.condition_id,
        token_id=intent.token_id,
        side=intent.side,
        price=intent.price,
        size=intent.size,
        post_only=intent.post_only,
        created_ns=state.now_ns,
        ends_ns=dies_s * SECOND_NS + config.end_grace_ns,
        expiration_s=dies_s + config.gtd_margin_s,
    )
    state.orders[record.intent_id] = record
    triggers.claim(state, intent, record.intent_id)
    return (
        *breakers.probe(state, intent.strategy),
        *hedging.ordered(state, intent, record),
        SignOrder(
            intent_id=record.intent_id,
            condition_id=record.condition_id,
            token_id=record.token_id,
            side=record.side,
            price=record.price,
            size=record.size,
            expiration_s=record.expiration_s,
            post_only=record.post_only,
            salt=now_ms * 1_000 + state.intents_made % 1_000,  # counted, and below 2^53
            timestamp_ms=now_ms,
            neg_risk=market.neg_risk,
            version=market.version,
        ),
    )


def scaled(state: State, intent: Intent) -> Intent:
    """An entry of the size that the breakers leave it; below the minimum the gate refuses it."""
    if intent.purpose != "entry":
        return intent
    size = intent.size * breakers.scale(state) // MILLION // LOT * LOT
    if breakers.probing(state, intent.strategy):
        probe = intent.size * state.config.tiers.probe_scale_micro // MILLION // LOT * LOT
        least = min(intent.size, state.markets[intent.condition_id].min_size)
        size = min(size, max(probe, least))
    return evolve(intent, size=Shares(size))


def withdrawn(state: State, wish: Withdraw) -> Outputs:
    return cancel(state, wish.intent_id)


def cancel(state: State, intent_id: str) -> Outputs:
    """Ask the venue to end one order, if it is in a state that can be asked for."""
    action = order.Cancel(at_ns=state.now_ns, intent_id=intent_id)
    record = state.orders.get(intent_id)
    return (action,) if record and OrderMachine.allows(record, action) else ()


# Orders.


def drive(state: State, action: order.Action) -> Outputs:
    """Step one order; what cannot be is an alarm and a look at its record, never half applied."""
    before = state.orders.get(action.intent_id)
    if before is None:
        state.count("late_answers")
        return ()
    if not OrderMachine.allows(before, action):
        alarm = impossible(state, before, action)
        look = ReadOrder(intent_id=before.intent_id, order_id=before.order_id)
        return (*alarm, look) if before.order_id else alarm
    if isinstance(action, order.Sign) and (wrong := _misidentified(state, action)):
        abort = order.Abort(at_ns=action.at_ns, intent_id=before.intent_id, reason=wrong)
        return (state.notify("critical", "bad_signature", f"{before.intent_id}: {wrong}"), abort)
    after, outputs = OrderMachine.step(before, action)
    state.orders[after.intent_id] = after
    triggers.heard(state, after, action)
    consequences = _consequences(state, before, after, action)
    consequences += hedging.followed(state, after)
    if isinstance(action, READS) and (read := f"order:{after.intent_id}") in state.awaited:
        consequences += (recovery.Arrive(at_ns=state.now_ns, read=read),)
    return (*outputs, *consequences)


def _misidentified(state: State, sign: order.Sign) -> str:
    """An order without an identity of its own could never be followed: it is not sent (H5)."""
    if not sign.order_id or not sign.payload:
        return "the signer gave no identity"
    known = sign.order_id in state.intent_of or sign.order_id in state.forgotten
    return "the signer gave the identity of another order" if known else ""


ANSWERS: Final = (
    order.AckLive, order.AckDelayed, order.Reject, order.Duplicate, order.Timeout,
    order.CancelDone, order.CancelRefused, order.CancelTimeout,
)  # fmt: skip
READS: Final = (order.ReadOpen, order.ReadClosed, order.ReadMissing)


def _consequences(state: State, before: Order, after: Order, action: order.Action) -> Outputs:
    """What an order's step means beyond the order."""
    if before.state != after.state:
        state.count(f"order:{after.state}")
        state.timers[f"order:{after.intent_id}"] = state.now_ns
    if isinstance(action, ANSWERS):
        breakers.answered(state, bad=isinstance(action, order.Timeout | order.CancelTimeout))
    match action:
        case order.Sign():
            state.intent_of[after.order_id] = after.intent_id
            if barred := state.barred():
                reason = f"not sent: {barred}"
                return (order.Abort(at_ns=action.at_ns, intent_id=after.intent_id, reason=reason),)
            why, let_go = leave.let_go(state, after)
            if why:
                reason = f"not sent: {why}"
                return (order.Abort(at_ns=action.at_ns, intent_id=after.intent_id, reason=reason),)
            return (*let_go, order.Submit(at_ns=action.at_ns, intent_id=after.intent_id))
        case order.Submit():
            state.count("orders")
            state.count(f"orders:{after.strategy}")
        case order.Cancel():
            state.count("cancels")
            return leave.issue_cancel(state)
        case order.Timeout() if leave.blames_venue(state):
            text = f"{after.intent_id}: {action.reason}"
            return breakers.trip(state, "venue", after.created_ns, text)
        case order.AckLive() | order.AckDelayed():
            healed = breakers.heal(state, f"{breakers.REJECTS}.{after.strategy}", after.created_ns)
            healed += breakers.heal(state, "venue", after.created_ns)
            return (*healed, *leave.let_in(state, before))
        case order.ReadOpen():
            if action.matched == after.filled:
                state.timers.pop(f"look:{after.intent_id}", None)
            return leave.let_in(state, before)
        case order.Reject():
            state.count("rejects")
            text = f"{after.intent_id} {after.token_id[:10]}: {action.reason}"
            told = state.notify("warning", "order_rejected", text)
            wrong_version = any(words in action.reason for words in VERSION_REFUSALS)
            name = f"{breakers.REJECTS}.{after.strategy}"
            refused: Outputs = ()
            if not leave.excused(state, action.reason):
                refused = breakers.trip(state, name, after.created_ns, action.reason)
            halted = stop_for_version(state, action.reason) if wrong_version else ()
            return (told, *refused, *halted)
        case order.Close():
            _evict(state, after)
        case _:
            pass
    return ()


def _evict(state: State, record: Order) -> None:
    del state.orders[record.intent_id]
    hedging.evicted(state, record.intent_id)
    state.intent_of.pop(record.order_id, None)
    for timer in ("order", "poll", "look"):
        state.timers.pop(f"{timer}:{record.intent_id}", None)
    if record.order_id:
        state.forget(record.order_id)


def pushed(state: State, push: facts.OrderPushed) -> Outputs:
    """The user channel about one order: a hint to look or proof of life, never an end by itself."""
    intent_id = state.intent_of.get(push.order_id)
    if intent_id is None:
        return stranger(state, push.order_id, "order")
    record = state.orders[intent_id]
    if push.kind == "CANCELLATION" or push.status.startswith(STATUSES_ENDED):
        return (order.Ended(at_ns=push.at_ns, intent_id=intent_id, reason=push.status),)
    if push.status == "DELAYED":
        return (order.AckDelayed(at_ns=push.at_ns, intent_id=intent_id),)
    missing = (push.matched or 0) > record.filled
    alive = order.AckLive(at_ns=push.at_ns, intent_id=intent_id)
    if missing:  # its trades are on their way on the same channel; look if they do not come
        state.timers.setdefault(f"look:{intent_id}", state.now_ns)
    if not push.status.startswith(STATUSES_ALIVE):
        state.count("unknown_status")
        text = f"order {push.order_id[:18]}: status {push.status[:40]!r}"
        look = ReadOrder(intent_id=intent_id, order_id=push.order_id)
        return (state.notify("critical", "unknown_status", text), alive, look)
    return (alive,)


def stranger(state: State, order_id: str, what: str) -> Outputs:
    if order_id in state.forgotten:
        state.count("late_pushes")
        return ()
    state.count("strangers")
    text = f"{what} {order_id[:18]} is not in the journal"
    return (state.notify("critical", "stranger", text),)


def stop_for_version(state: State, reason: str) -> Outputs:
    """A protocol that we do not speak: nothing more is sent until a person has looked."""
    return breakers.latch(state, VERSION_BREAKER, "venue", reason)


def impossible(state: State, record: Record, action: Action) -> Outputs:
    """What no honest world says: told with its record, and not applied."""
    state.count("impossible")
    text = f"{type(action).__name__} in {record.state}: {action} / {record}"
    return (state.notify("critical", "impossible", text[:400]),)
