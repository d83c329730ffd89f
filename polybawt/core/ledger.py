"""Every movement of money and shares, in double entry, to the millionth.

An entry moves amounts between accounts and sums to zero for each commodity; the assertion
stays on in production.  ``wallet`` is what we hold, matched and not yet settled included;
``equity`` what we put in; ``venue`` the other side of all trades; ``fees`` what we paid for
trading.  Profit, cash and holdings are derived from the balances and stored nowhere else.
"""

from attrs import define, field

from polybawt.core.machines.trade import Leg
from polybawt.core.market import Side
from polybawt.core.units import Shares, Usdc

CASH = ""  # the commodity of dollars; every other commodity is a token id

Entry = tuple[tuple[str, str, int], ...]
"""Lines of (account, commodity, amount)."""


@define
class Ledger:
    """Balances by account and commodity; a commodity that comes to zero is forgotten."""

    balances: dict[str, dict[str, int]] = field(factory=dict)

    def post(self, entry: Entry) -> None:
        """Book one balanced entry."""
        for commodity in {commodity for _, commodity, _ in entry}:
            total = sum(amount for _, other, amount in entry if other == commodity)
            assert total == 0, f"entry does not balance in {commodity or 'cash'}: {entry}"
        for account, commodity, amount in entry:
            held = self.balances.setdefault(account, {})
            held[commodity] = held.get(commodity, 0) + amount
            if not held[commodity]:
                del held[commodity]

    def of(self, account: str, commodity: str = CASH) -> int:
        return self.balances.get(account, {}).get(commodity, 0)

    @property
    def cash(self) -> Usdc:
        return Usdc(self.of("wallet"))

    @property
    def deposited(self) -> Usdc:
        return Usdc(-self.of("equity"))

    @property
    def holdings(self) -> dict[str, int]:
        """Shares by token."""
        wallet = self.balances.get("wallet", {})
        return {token: amount for token, amount in wallet.items() if token != CASH}

    def imbalance(self) -> int:
        """The sum over all accounts, largest commodity first: always 0."""
        sums: dict[str, int] = {}
        for held in self.balances.values():
            for commodity, amount in held.items():
                sums[commodity] = sums.get(commodity, 0) + amount
        return max(map(abs, sums.values()), default=0)


def deposit(amount: Usdc) -> Entry:
    return ("wallet", CASH, amount), ("equity", CASH, -amount)


def fill(leg: Leg) -> Entry:
    """What one of our fills moves, its fee included."""
    sign = 1 if leg.side is Side.BUY else -1
    return (
        ("wallet", leg.token_id, sign * leg.shares),
        ("venue", leg.token_id, -sign * leg.shares),
        ("wallet", CASH, -sign * leg.notional - leg.fee),
        ("venue", CASH, sign * leg.notional),
        ("fees", CASH, leg.fee),
    )


def reversed_entry(entry: Entry) -> Entry:
    return tuple((account, commodity, -amount) for account, commodity, amount in entry)


def payout(token_id: str, shares: Shares, amount: Usdc) -> Entry:
    """Shares given up for what the resolved market pays."""
    return (
        ("wallet", token_id, -shares),
        ("venue", token_id, shares),
        ("wallet", CASH, amount),
        ("venue", CASH, -amount),
    )
