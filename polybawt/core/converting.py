"""From a wish for another form of what we hold to its money: the owner of all conversions.

A set of yes and no *is* a dollar, and all NO of an event but one are dollars: the contracts turn
one into the other, and nobody wins or loses by it.  So each strategy's rounds must balance to the
dollar too: what a conversion takes away is booked as sold, what it brings as bought, for amounts
that sum exactly to the dollars that move.  How the dollar is split between two rounds decides
nothing but which of them shows a gain: it is split by what the shares have cost, so that a set
that was bought for less than a dollar is a gain in both, and by the book where nothing was paid.

A redemption moves nothing by itself: the payout is booked by its market's settlement, as soon as
the redemption is confirmed.  Where the venue redeems by itself (``auto_redeem``) there is none.

A kill lets nothing new leave; what has left is asked for again all the same, for its fate is
not known otherwise.

Not here: when a conversion is worth its while (``strategies.arbitrage``); a fee for converting,
which no event at the venue has.

Source: exchange reference 3.1 and 5.3; quantitative reference 5.2.  Requirements H2, P2.2.
"""

from collections.abc import Sequence
from typing import Final

from polybawt.core import breakers, execution, exposures, ledger, views
from polybawt.core.commands import ReadBalance, ReadConversion
from polybawt.core.machine import Outputs
from polybawt.core.machines import conversion, position, recovery
from polybawt.core.machines.conversion import (
    CONVERT,
    KINDS,
    MERGE,
    REDEEM,
    Conversion,
    ConversionMachine,
    Part,
)
from polybawt.core.machines.position import Position, PositionMachine
from polybawt.core.market import Market, Side
from polybawt.core.state import State
from polybawt.core.strategies import Swap
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc

WAIT_NS: Final = 60 * SECOND_NS  # for what it needs to settle; then it is not wanted any more
ASK_POLLS: Final = 5  # an unknown one is asked for again after so many polls
REDEEM_NS: Final = 60 * SECOND_NS  # between two attempts
AT_ONCE_MAX: Final = 50

# Wanting.


def wanted(state: State, swap: Swap) -> Outputs:
    """A wish that can be carried out becomes a conversion; it is sent when its shares settled."""
    markets = [state.markets[c] for c in swap.condition_ids if c in state.markets]
    why = _impossible(state, swap, markets)
    parts = () if why else _parts(state, swap, markets)
    why = why or _beyond(state, swap, parts)
    if why:
        state.count("conversions_refused")
        state.count(f"refused:{swap.strategy}:conversion")
        return ()
    return _send(state, _new(state, swap, parts))


def _impossible(state: State, swap: Swap, markets: Sequence[Market]) -> str:
    """Why there can be no such conversion."""
    if barred := state.barred():
        return barred
    if swap.kind not in KINDS or swap.kind == REDEEM or swap.amount <= 0:
        return "no such operation"
    if not markets or len({m.condition_id for m in markets}) != len(swap.condition_ids):
        return "no such market"
    if swap.kind != CONVERT:
        markets = markets if len(markets) == 1 else ()
    else:
        events = {market.neg_risk_id for market in markets}
        markets = _event(state, markets[0]) if len(events) == 1 and "" not in events else ()
    if not markets:
        return "no one event"
    if any(state.settlements[m.condition_id].state != "trading" for m in markets):
        return "decided"
    return "too many under way" if len(state.conversions) >= AT_ONCE_MAX else ""


def _beyond(state: State, swap: Swap, parts: Sequence[Part]) -> str:
    """Why it may not be: it gives what is not there, or takes more than the limits allow."""
    sells = (part for part in parts if part.side is Side.SELL)
    if any(exposures.sellable(state, swap.strategy, p.token_id) < p.shares for p in sells):
        return "not held"
    buys = [part for part in parts if part.side is Side.BUY]
    if buys and (halted := breakers.halted(state, swap.strategy) or breakers.barred(state)):
        return halted
    more = sum(part.notional for part in buys)
    rooms = (exposures.room(state, swap.strategy, part.token_id) for part in buys)
    return "beyond a limit" if more > min(rooms, default=more) else ""


def _event(state: State, market: Market) -> list[Market]:
    return [m for m in state.markets.values() if m.neg_risk_id == market.neg_risk_id]


def _new(state: State, swap: Swap, parts: tuple[Part, ...]) -> Conversion:
    state.conversions_made += 1
    record = Conversion(
        conversion_id=f"c{state.conversions_made}",
        strategy=swap.strategy,
        kind=swap.kind,
        condition_ids=swap.condition_ids,
        amount=swap.amount,
        parts=parts,
        created_ns=state.now_ns,
    )
    state.conversions[record.conversion_id] = record
    state.count("conversions")
    state.count(f"conversions:{swap.kind}")
    return record


# What moves, and what each of it is worth.


def _parts(state: State, swap: Swap, markets: Sequence[Market]) -> tuple[Part, ...]:
    """Sales less purchases are the dollars that come, to the millionth."""
    amount, strategy = swap.amount, swap.strategy
    if swap.kind == CONVERT:
        named = {market.condition_id for market in markets}
        others = [m for m in _event(state, markets[0]) if m.condition_id not in named]
        gains = [(m, m.yes_token, _mid(state, m, m.yes_token) * amount // MILLION) for m in others]
        worth = (len(markets) - 1) * amount + sum(value for _, _, value in gains)
        given = [(market, market.no_token) for market in markets]
        sold = _split_by(worth, [_worth(state, strategy, m, token) for m, token in given])
        return (
            *(_part(m, token, Side.SELL, amount, value)
              for (m, token), value in zip(given, sold, strict=True)),
            *(_part(m, token, Side.BUY, amount, value) for m, token, value in gains),
        )  # fmt: skip
    (market,) = markets
    merging = swap.kind == MERGE
    weights = [
        _worth(state, strategy, market, token) if merging else _mid(state, market, token)
        for token in market.tokens
    ]
    side = Side.SELL if merging else Side.BUY
    values = _split_by(int(amount), weights)
    return tuple(
        _part(market, token, side, amount, value)
        for token, value in zip(market.tokens, values, strict=True)
    )


def _part(market: Market, token: str, side: Side, shares: Shares, value: int) -> Part:
    return Part(
        token_id=token,
        condition_id=market.condition_id,
        side=side,
        shares=shares,
        notional=Usdc(value),
    )


def _split_by(total: int, weights: Sequence[int]) -> list[int]:
    """A total in parts by weight, rounded down; what is left over goes to the last."""
    whole = sum(weights)
    if not whole:
        weights, whole = [1] * len(weights), len(weights)
    parts = [total * weight // whole for weight in weights[:-1]]
    return [*parts, total - sum(parts)]


def _worth(state: State, strategy: str, market: Market, token: str) -> int:
    """What a share has cost the strategy; the book's mid where it cost nothing."""
    return views.entry(state, strategy, token) or _mid(state, market, token)


def _mid(state: State, market: Market, token: str) -> Price:
    """Half a dollar where the book has none."""
    book = state.books.get(market.condition_id)
    mid = book.mid(token) if book else None
    return Price(MILLION // 2) if mid is None else mid


# Going on.


def tick(state: State) -> Outputs:
    """What waits is sent, what is unknown is asked for again, what is on its way is read."""
    outputs: Outputs = ()
    for record in tuple(state.conversions.values()):
        outputs += _advance(state, record)
    return outputs


def _advance(state: State, record: Conversion) -> Outputs:
    if record.state == "wanted":
        return _send(state, record)
    polls = ASK_POLLS if record.state == "unknown" else 1
    if state.due(f"conversion:{record.conversion_id}", polls * state.config.poll_ns):
        return ask(state, record.conversion_id)
    return ()


def _send(state: State, record: Conversion) -> Outputs:
    """Once its shares have settled, for the contracts know no others."""
    given = {part.token_id: part.shares for part in record.parts if part.side is Side.SELL}
    gone = any(state.ledger.shares(record.strategy, t) < n for t, n in given.items())
    late = state.now_ns - record.created_ns > WAIT_NS
    barred = state.barred()
    if gone or late or barred:
        reason = barred or ("its shares are gone" if gone else "its shares did not settle")
        drop = conversion.Drop(
            at_ns=state.now_ns, conversion_id=record.conversion_id, reason=reason
        )
        return drive(state, drop)
    if any(leg.token_id in given for trade in state.unsettled() for leg in trade.legs):
        return ()
    return drive(state, conversion.Submit(at_ns=state.now_ns, conversion_id=record.conversion_id))


def ask(state: State, conversion_id: str) -> Outputs:
    """Look what became of one: by its id, or by asking for the same again."""
    record = state.conversions.get(conversion_id)
    again = conversion.AskAgain(at_ns=state.now_ns, conversion_id=conversion_id)
    if record is None:
        return arrived(state, conversion_id)
    if record.transaction_id:
        read = ReadConversion(conversion_id=conversion_id, transaction_id=record.transaction_id)
        return (read,)
    return drive(state, again) if ConversionMachine.allows(record, again) else ()


def drive(state: State, action: conversion.Action) -> Outputs:
    """Step one conversion; what cannot be is an alarm, never half applied."""
    before = state.conversions.get(action.conversion_id)
    if before is None:
        state.count("late_answers")
        return ()
    if not ConversionMachine.allows(before, action):
        return execution.impossible(state, before, action)
    after, outputs = ConversionMachine.step(before, action)
    state.conversions[after.conversion_id] = after
    if before.state != after.state:
        state.count(f"conversion:{after.state}")
    known = isinstance(action, ANSWERS) or after.state in conversion.ENDED
    return (*outputs, *(arrived(state, after.conversion_id) if known else ()))


ANSWERS: Final = (
    conversion.AckTaken, conversion.AckDeclined, conversion.SeenMoving, conversion.SeenMined,
    conversion.SeenConfirmed, conversion.SeenFailed,
)  # fmt: skip


# Beginning anew.


def doubted(state: State) -> tuple[str, ...]:
    """The reads that a start waits for: of all that may have left."""
    sent = (r for r in state.conversions.values() if r.state in conversion.SENT)
    return tuple(f"conversion:{record.conversion_id}" for record in sent)


def restarted(state: State) -> Outputs:
    """Whoever waited for an answer is gone, and what never left will not leave any more."""
    outputs: Outputs = ()
    for record in tuple(state.conversions.values()):
        named, now_ns = record.conversion_id, state.now_ns
        if record.asking:
            lost = conversion.AckLost(at_ns=now_ns, conversion_id=named, reason="engine restarted")
            outputs += drive(state, lost)
        elif record.state == "wanted":
            drop = conversion.Drop(at_ns=now_ns, conversion_id=named, reason="engine restarted")
            outputs += drive(state, drop)
    return outputs


def arrived(state: State, conversion_id: str) -> Outputs:
    read = f"conversion:{conversion_id}"
    if read not in state.awaited:
        return ()
    return (recovery.Arrive(at_ns=state.now_ns, read=read),)


# Money.


def booked(state: State, fact: conversion.Booked | conversion.Unbooked) -> Outputs:
    """Every part of it on its round and its position; taken back, the same again reversed."""
    strategy = state.conversions[fact.conversion_id].strategy
    outputs: Outputs = ()
    undone = isinstance(fact, conversion.Unbooked)
    for part in fact.parts:
        entry = entry_of(strategy, part)
        state.ledger.post(ledger.reversed_entry(entry) if undone else entry)
        outputs += _hold(state, part, undone)
    return outputs


def entry_of(strategy: str, part: Part) -> ledger.Entry:
    """What one part moves between the wallet and the strategy's round."""
    sign, account = 1 if part.side is Side.BUY else -1, ledger.round_of(strategy, part.token_id)
    return (
        ("wallet", part.token_id, sign * part.shares),
        (account, part.token_id, -sign * part.shares),
        ("wallet", ledger.CASH, -sign * part.notional),
        (account, ledger.CASH, sign * part.notional),
    )


def _hold(state: State, part: Part, undone: bool) -> Outputs:
    held = state.positions.get(part.token_id) or Position(
        token_id=part.token_id, condition_id=part.condition_id
    )
    kind: type[position.Change]
    if part.side is Side.BUY:
        kind = position.BoughtVoid if undone else position.Bought
    else:
        kind = position.SoldVoid if undone else position.Sold
    action = kind(
        at_ns=state.now_ns,
        token_id=part.token_id,
        shares=part.shares,
        notional=part.notional,
        fee=Usdc(0),
    )
    if not PositionMachine.allows(held, action):
        return execution.impossible(state, held, action)
    state.positions[part.token_id], _ = PositionMachine.step(held, action)
    return ()


def ended(state: State, fact: conversion.Ended) -> Outputs:
    """It came to rest: told, forgotten, and its balances looked at."""
    record = state.conversions.pop(fact.conversion_id)
    state.timers.pop(f"conversion:{record.conversion_id}", None)
    state.forget(f"conversion:{record.conversion_id}")
    what = f"{record.conversion_id}: {record.kind} {record.amount} of {record.strategy or 'all'}"
    if not fact.done:
        return (state.notify("warning", "conversion_failed", f"{what}: {fact.reason}"[:300]),)
    if record.kind == REDEEM:
        state.timers[f"redeemed:{record.condition_ids[0]}"] = state.now_ns
    known = [state.markets[c] for c in record.condition_ids if c in state.markets]
    tokens = tuple(
        ReadBalance(token_id=token, version=m.version) for m in known for token in m.tokens
    )
    return (state.notify("info", "converted", what), ReadBalance(), *tokens)


# Redeeming.


def under_way(state: State, condition_id: str) -> bool:
    """Whether one may still change what we hold of a market."""
    return any(
        condition_id in record.condition_ids
        or any(part.condition_id == condition_id for part in record.parts)
        for record in state.conversions.values()
    )


def redeemed(state: State, condition_id: str) -> bool:
    """Whether a resolved market has paid: by itself, or since we redeemed; or pays nothing."""
    if state.config.auto_redeem or f"redeemed:{condition_id}" in state.timers:
        return True
    market, current = state.markets[condition_id], state.settlements[condition_id]
    payouts = (current.yes_payout or 0, current.no_payout or 0)
    held = (state.ledger.of("wallet", token) for token in market.tokens)
    return not any(n * payout > 0 for n, payout in zip(held, payouts, strict=True))


def redeem(state: State, condition_id: str) -> Outputs:
    """Ask for what a resolved market pays, at most once in a while."""
    if state.phase != "trading" or under_way(state, condition_id):
        return ()
    if not state.due(f"redeem:{condition_id}", REDEEM_NS):
        return ()
    all_of_it = Swap(strategy="", kind=REDEEM, condition_ids=(condition_id,), amount=Shares(0))
    record = _new(state, all_of_it, ())
    return drive(state, conversion.Submit(at_ns=state.now_ns, conversion_id=record.conversion_id))
