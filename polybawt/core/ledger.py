"""Every movement of money and shares, in double entry, to the millionth.

An entry moves amounts between accounts and sums to zero for each commodity; the assertion
stays on in production.  ``wallet`` is what we hold, matched and not yet settled included;
``equity`` what we put in.  The other side of a trade stands with the strategy that wanted it, one
account for each token it trades (a *round*), its fees beside it; when nothing of a round is left,
its cash is moved to the strategy's own account, and that is what the round brought.  Profit, cash,
holdings and each strategy's part in them are derived from the balances and stored nowhere else.
How a wallet moved is remembered for a while, for a stale answer lacks just that.

What the venue has and we cannot explain stands with the strategy that nobody is, ``drift``.
"""

from collections.abc import Callable, Iterator
from typing import Final

from attrs import define, field

from polybawt.core.machines.trade import Leg
from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares, Usdc

CASH = ""  # the commodity of dollars; every other commodity is a token id
FEES = "fees"
DRIFT = "drift"
SEPARATOR = "/"  # in no strategy's name
MOVED_MAX: Final = 128  # movements of one commodity

Entry = tuple[tuple[str, str, int], ...]
"""Lines of (account, commodity, amount)."""


def round_of(strategy: str, token_id: str) -> str:
    """The account of what a strategy trades in one token."""
    return f"{strategy}{SEPARATOR}{token_id}"


def fees_of(account: str) -> str:
    return f"{FEES}{SEPARATOR}{account}"


@define
class Ledger:
    """Balances by account and commodity; what comes to zero is forgotten.

    ``moved``: by how much the wallet's balance of each commodity changed, the oldest first.
    """

    balances: dict[str, dict[str, int]] = field(factory=dict)
    moved: dict[str, list[int]] = field(factory=dict)

    def post(self, entry: Entry) -> None:
        """Book one balanced entry."""
        for commodity in {commodity for _, commodity, _ in entry}:
            total = sum(amount for _, other, amount in entry if other == commodity)
            assert total == 0, f"entry does not balance in {commodity or 'cash'}: {entry}"
        for account, commodity, amount in entry:
            if account == "wallet" and amount:
                moves = self.moved.setdefault(commodity, [])
                moves.append(amount)
                del moves[:-MOVED_MAX]
            held = self.balances.setdefault(account, {})
            held[commodity] = held.get(commodity, 0) + amount
            if not held[commodity]:
                del held[commodity]
            if not held:
                del self.balances[account]

    def of(self, account: str, commodity: str = CASH) -> int:
        return self.balances.get(account, {}).get(commodity, 0)

    @property
    def cash(self) -> Usdc:
        return Usdc(self.of("wallet"))

    @property
    def deposited(self) -> Usdc:
        return Usdc(-self.of("equity"))

    @property
    def fees(self) -> Usdc:
        """All that trading has cost beside prices."""
        paid = (a for a in self.balances if a.partition(SEPARATOR)[0] == FEES)
        return Usdc(sum(self.of(account) for account in paid))

    @property
    def holdings(self) -> dict[str, int]:
        """Shares by token."""
        wallet = self.balances.get("wallet", {})
        return {token: amount for token, amount in wallet.items() if token != CASH}

    # One strategy's part.

    def rounds(self, token_id: str = "") -> Iterator[tuple[str, str]]:
        """Every (strategy, token) that is not closed, or those of one token."""
        for account in tuple(self.balances):
            strategy, _, token = account.partition(SEPARATOR)
            if token and strategy != FEES and token_id in ("", token):
                yield strategy, token

    def shares(self, strategy: str, token_id: str) -> Shares:
        """What a strategy holds; below zero when a purchase was voided after it was sold on."""
        return Shares(-self.of(round_of(strategy, token_id), token_id))

    def outlay(self, strategy: str, token_id: str) -> Usdc:
        """What a strategy put into a token and has not got back, fees included; not below zero."""
        account = round_of(strategy, token_id)
        return Usdc(max(0, self.of(account) + self.of(fees_of(account))))

    def profit(self, strategy: str, mark: Callable[[str], Price]) -> Usdc:
        """What a strategy has brought since the first day, its shares at their marks."""
        profit = -self.of(strategy) - self.of(fees_of(strategy))
        for other, token in self.rounds():
            if other == strategy:
                account = round_of(strategy, token)
                profit -= self.of(account) + self.of(fees_of(account))
                profit += self.shares(strategy, token) * mark(token) // MILLION
        return Usdc(profit)

    def fees_paid(self, strategy: str) -> Usdc:
        own = fees_of(strategy)
        return Usdc(
            sum(self.of(a) for a in self.balances if a == own or a.startswith(own + SEPARATOR))
        )

    def imbalance(self) -> int:
        """The sum over all accounts, largest commodity first: always 0."""
        sums: dict[str, int] = {}
        for held in self.balances.values():
            for commodity, amount in held.items():
                sums[commodity] = sums.get(commodity, 0) + amount
        return max(map(abs, sums.values()), default=0)


def deposit(amount: Usdc) -> Entry:
    return ("wallet", CASH, amount), ("equity", CASH, -amount)


def drifted(amount: Usdc) -> Entry:
    """Cash that is at the venue, or is not, for no reason that we know."""
    return ("wallet", CASH, amount), (DRIFT, CASH, -amount)


def found(token_id: str, shares: Shares) -> Entry:
    """Shares that are ours for no reason that we know; they cost nothing."""
    account = round_of(DRIFT, token_id)
    return ("wallet", token_id, shares), (account, token_id, -shares)


def lost(strategy: str, token_id: str, shares: Shares, cost: Usdc) -> Entry:
    """A strategy's shares are gone for no reason that we know: it has back what they cost."""
    account = round_of(strategy, token_id)
    return (
        ("wallet", token_id, -shares),
        (account, token_id, shares),
        (account, CASH, -cost),
        (DRIFT, CASH, cost),
    )


def fill(leg: Leg) -> Entry:
    """What one of our fills moves, its fee included."""
    sign, account = 1 if leg.side is Side.BUY else -1, round_of(leg.strategy, leg.token_id)
    return (
        ("wallet", leg.token_id, sign * leg.shares),
        (account, leg.token_id, -sign * leg.shares),
        ("wallet", CASH, -sign * leg.notional - leg.fee),
        (account, CASH, sign * leg.notional),
        (fees_of(account), CASH, leg.fee),
    )


def reversed_entry(entry: Entry) -> Entry:
    return tuple((account, commodity, -amount) for account, commodity, amount in entry)


def payout(strategy: str, token_id: str, shares: Shares, amount: Usdc) -> Entry:
    """Shares given up for what the resolved market pays."""
    account = round_of(strategy, token_id)
    return (
        ("wallet", token_id, -shares),
        (account, token_id, shares),
        ("wallet", CASH, amount),
        (account, CASH, -amount),
    )


def closing(books: Ledger, strategy: str, token_id: str) -> Entry:
    """A round of which nothing is left: its cash and fees go to the strategy's own account."""
    account = round_of(strategy, token_id)
    cash, fees = books.of(account), books.of(fees_of(account))
    return (
        (account, CASH, -cash),
        (strategy, CASH, cash),
        (fees_of(account), CASH, -fees),
        (fees_of(strategy), CASH, fees),
    )
