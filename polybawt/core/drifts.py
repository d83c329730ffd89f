"""Our balances against the venue's: what differs is told, proven, and only then repaired.

Our ledger comes first, for the venue's balance call lies in three ways: it moves when a trade is
mined and not when it is matched, it says nothing of what is on its way, and it is a cache that can
be minutes old.  So a reading counts only while nothing is under way that could explain it.  A
difference is an alarm at once, and a fact of the account when a second reading, later by a poll
and with our trades read whole in between, says the same.  Then it is booked on the account
``drift``: cash as it is, shares at nothing when they are more, at what they cost when they are
fewer, so that no strategy gains or loses by it.  One that is too large fires the kill switch
instead; it is booked when an operator has armed the switch again and it is still there.

A reading that lacks exactly our newest movements is taken for a stale cache, told once as that,
and believed only when it has not changed for ``stale_ns_max``.

Source: exchange reference 1.12 and 6 item 16; requirements P2.4.
"""

from typing import Final

from attrs import evolve

from polybawt.core import facts, kill, ledger, links
from polybawt.core.commands import ReadBalance, ReadTrades
from polybawt.core.evidence import Drift
from polybawt.core.ledger import DRIFT
from polybawt.core.machine import Command, Outputs
from polybawt.core.machines.conversion import SENT
from polybawt.core.machines.position import Bought, Position, PositionMachine, Sold
from polybawt.core.market import Market
from polybawt.core.state import State
from polybawt.core.units import MILLION, Shares, Usdc, micro_text

SHUFFLED_MAX: Final = 6  # trades that are mined in another order than we heard of them


# Asking.


def ask_all(state: State) -> None:
    """What is to be read, one after the other: cash and the markets in which we hold something,
    then the tokens that we follow, for something may have come that we never bought; of each,
    what is left first.
    """
    pairs = (state.markets[state.market_of[token]].tokens for token in held(state))
    left, ours = tuple(state.balances), ("", *(token for pair in pairs for token in pair))
    names = (*(t for t in left if t in ours), *ours, *left, *state.subscribed)
    state.balances = dict.fromkeys((t for t in names if not t or _trades(state, t)), True)


def held(state: State) -> list[str]:
    """The tokens that we hold of markets that trade."""
    return [token for token in state.ledger.holdings if _trades(state, token)]


def _trades(state: State, token_id: str) -> bool:
    """Once a market has ended its tokens can turn into money at any moment."""
    condition = state.market_of.get(token_id, "")
    return bool(condition) and state.settlements[condition].state == "trading"


def read(state: State, token_id: str) -> Command:
    """Ask for one balance; one that is in doubt is refreshed at the venue first."""
    doubted = token_id in state.drifts and state.due("refresh_balance", state.config.poll_ns)
    if not token_id:
        return ReadBalance(refresh=doubted)
    market = state.markets.get(state.market_of.get(token_id, ""))
    version = market.version if market else "v1"
    return ReadBalance(token_id=token_id, version=version, refresh=doubted)


def tick(state: State) -> Outputs:
    """What was asked for, and what is in doubt: one read a second in all, for the venue counts
    them (reference 6 item 16).
    """
    if state.phase != "trading":
        return ()
    _ask_again(state)
    if not state.balances or not state.due("balance", state.config.poll_ns):
        return ()
    token = next(iter(state.balances))
    del state.balances[token]
    return (read(state, token),)


def _ask_again(state: State) -> None:
    """A fresh doubt is looked at again once our trades were read since; others wait for the
    next reconciliation.
    """
    for token, drift in tuple(state.drifts.items()):
        if token and not _trades(state, token):
            del state.drifts[token]  # it ended meanwhile: what it pays will show
            continue
        looked = state.now_ns - drift.seen_ns < state.config.poll_ns
        if in_doubt(state, token) and _trades_read(state, drift) and not looked:
            state.balances.setdefault(token, True)


def _trades_read(state: State, drift: Drift) -> bool:
    return state.contact.trades_ns >= drift.since_ns


# What may explain a difference.


def under_way(state: State, token_id: str) -> bool:
    """Whether something is on its way that the venue's balance shows at another time than we."""
    if token_id and not _trades(state, token_id):
        return True
    for trade in state.unsettled():
        if not token_id or any(leg.token_id == token_id for leg in trade.legs):
            return True
    for record in state.conversions.values():
        of_it = any(part.token_id == token_id for part in record.parts)
        if record.state in SENT and (not token_id or of_it):
            return True
    unknown = (order for order in state.open_orders() if order.state == "unknown")
    return any(token_id in ("", order.token_id) for order in unknown)


def _unexplained(state: State, token_id: str, amount: int) -> int:
    """The part of a difference that no payout explains which one side has and the other not."""
    if token_id:
        return amount
    early, late = _may_be_paid(state), _was_booked(state)
    return max(0, amount - early) + min(0, amount + late)


def _may_be_paid(state: State) -> int:
    """The most that markets which have ended, and which we have not booked, may have paid."""
    most: dict[str, int] = {}
    for token, shares in state.ledger.holdings.items():
        condition = state.market_of.get(token, "")
        if condition and state.settlements[condition].state not in ("trading", "paid"):
            most[condition] = max(most.get(condition, 0), shares)
    return sum(most.values())


def _was_booked(state: State) -> int:
    """What we booked of payouts just now, and the venue may not show yet."""
    since_ns = state.now_ns - state.config.payout_grace_ns
    return sum(
        position.paid_out
        for position in state.positions.values()
        if state.timers.get(f"paid:{position.condition_id}", since_ns) > since_ns
    )


# Judging.


def compare(state: State, fact: facts.BalanceRead) -> Outputs:
    """One balance as the venue shows it."""
    token = fact.token_id
    ours, known = state.ledger.of("wallet", token), state.drifts.get(token)
    if fact.amount == ours:
        return _agreed(state, token)
    if under_way(state, token) or not _unexplained(state, token, fact.amount - ours):
        return ()
    if token and token not in state.market_of:
        return ()
    if known is None or known.amount != fact.amount - ours:
        return _suspected(state, fact, ours, known)
    seen = evolve(known, ours=ours, theirs=fact.amount, seen_ns=state.now_ns)
    state.drifts[token] = seen
    sent_ns = fact.sent_ns or fact.at_ns
    later = sent_ns - known.since_ns >= state.config.poll_ns
    believed = not known.stale or state.now_ns - known.since_ns >= state.config.stale_ns_max
    if not later or not believed or not _trades_read(state, known):
        return ()
    return _confirmed(state, seen)


def in_doubt(state: State, token_id: str) -> bool:
    """Whether another reading may still decide about this balance."""
    drift = state.drifts.get(token_id)
    return drift is not None and not drift.stale and not drift.fired


def _agreed(state: State, token: str) -> Outputs:
    drift = state.drifts.pop(token, None)
    if drift is None or drift.stale:
        return ()
    text = f"{_name(token)}: agrees again, {micro_text(state.ledger.of('wallet', token))}"
    return (state.notify("info", "drift_gone", text),)


def _suspected(state: State, fact: facts.BalanceRead, ours: int, known: Drift | None) -> Outputs:
    """A difference that was not there before."""
    token, theirs = fact.token_id, fact.amount
    same_cache = known is not None and known.stale and known.theirs == theirs
    stale = same_cache or lacks_newest(state.ledger.moved.get(token, []), ours - theirs)
    state.drifts[token] = Drift(
        token_id=token,
        ours=ours,
        theirs=theirs,
        since_ns=state.now_ns,
        seen_ns=state.now_ns,
        stale=stale,
    )
    text = f"{_name(token)} is {micro_text(ours)} by our ledger, {micro_text(theirs)} at the venue"
    if stale:
        state.count("stale_balances")
        if same_cache:
            return ()
        why = "which is what we had before: a stale balance, it seems"
        return (state.notify("warning", "balance_stale", f"{text}, {why}"),)
    state.count("drifts")
    told = state.notify("critical", "drift", text)
    return (told, ReadTrades(after_s=links.reread_since_s(state)))


def lacks_newest(moved: list[int], missing: int) -> bool:
    """Whether an amount is the sum of the newest movements, which the venue may have seen in
    another order than we: all of the newer ones, and any of the ``SHUFFLED_MAX`` next to them.
    """
    newer = 0
    for end in range(len(moved), 0, -1):
        sums = {newer}
        for amount in moved[max(0, end - SHUFFLED_MAX) : end]:
            sums |= {known + amount for known in sums}
        if missing in sums:
            return True
        newer += moved[end - 1]
    return False


def _confirmed(state: State, drift: Drift) -> Outputs:
    """Two readings agree: it is so."""
    rest = _unexplained(state, drift.token_id, drift.amount)
    worth = abs(state.drifted() + rest * _price(state, drift.token_id) // MILLION)
    if worth * MILLION >= max(state.equity(), 1) * state.config.drift_max_micro:
        if not drift.fired:
            return _too_large(state, drift, Usdc(worth))
        if state.killed():
            return ()
    if rest != drift.amount:
        return ()  # a payout may be in it: it waits until that is booked
    return _repaired(state, drift)


def _price(state: State, token: str) -> int:
    """What a millionth of it is worth, in millionths; a share without a price, a dollar."""
    if not token:
        return MILLION
    book = state.books.get(state.market_of.get(token, ""))
    mid = book.mid(token) if book else None
    return MILLION if mid is None else mid


def _too_large(state: State, drift: Drift, worth: Usdc) -> Outputs:
    state.drifts[drift.token_id] = evolve(drift, fired=True)
    reason = (
        f"{_name(drift.token_id)} drifted by {micro_text(drift.amount)},"
        f" in all worth {micro_text(worth)} of {micro_text(state.equity())}"
    )
    return kill.fire(
        state,
        facts.KillRequested(at_ns=state.now_ns, actor="engine", reason=reason, source="drift"),
    )


def _name(token: str) -> str:
    return f"token {token[:18]}" if token else "cash"


# Repairing.


def _repaired(state: State, drift: Drift) -> Outputs:
    """Our books say what is there, and that nobody earned or lost it by trading."""
    token, amount = drift.token_id, drift.amount
    if not token:
        state.ledger.post(ledger.drifted(Usdc(amount)))
    elif not _shares(state, token, Shares(amount)):
        return ()
    del state.drifts[token]
    state.count("drifts_repaired")
    text = f"{_name(token)}: {micro_text(amount)} booked as drift, read twice"
    return (state.notify("critical", "drift_repaired", text),)


def _shares(state: State, token: str, amount: Shares) -> bool:
    """Take over shares that we did not know of, or give up those that are not there."""
    condition = state.market_of[token]
    position = state.positions.get(token) or Position(token_id=token, condition_id=condition)
    new = amount > 0
    entries = (ledger.found(token, amount),) if new else _given_up(state, token, amount)
    spent = Usdc(sum(a for entry in entries for account, _, a in entry if account == DRIFT))
    change = Bought if new else Sold
    action = change(
        at_ns=state.now_ns,
        token_id=token,
        shares=Shares(abs(amount)),
        notional=spent,
        fee=Usdc(0),
    )
    if not PositionMachine.allows(position, action):
        return False  # what was voided after it was sold on is an alarm of its own
    for entry in entries:
        state.ledger.post(entry)
    state.positions[token], _ = PositionMachine.step(position, action)
    return True


def _given_up(state: State, token: str, amount: Shares) -> tuple[ledger.Entry, ...]:
    """First what drifted here, then what strategies hold, each at what it cost them."""
    left, entries = -amount, list[ledger.Entry]()
    rounds = [name for name, _ in state.ledger.rounds(token)]
    for strategy in sorted(rounds, key=lambda name: name != DRIFT):
        has = state.ledger.shares(strategy, token)
        part = min(left, has)
        if part > 0:
            cost = state.ledger.outlay(strategy, token) * part // has
            entries.append(ledger.lost(strategy, token, Shares(part), Usdc(cost)))
            left -= part
    assert left == 0, f"{token}: {left} more than anybody holds"
    return tuple(entries)


def forget(state: State, market: Market) -> None:
    """A market leaves memory, and with it what its tokens were compared with."""
    for token in market.tokens:
        state.ledger.moved.pop(token, None)
        state.drifts.pop(token, None)
        state.balances.pop(token, None)
