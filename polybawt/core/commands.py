"""All that the kernel can ask of the shell: a closed union.

A command is carried out after the fact that caused it is durable, at most once per life of
the process, and its result comes back as a fact.  Nothing here is ever executed in the core.
"""

from attrs import frozen

from polybawt.core.machine import Command
from polybawt.core.market import Side
from polybawt.core.units import Price, Shares


@frozen(kw_only=True)
class SignOrder(Command):
    """Sign exactly these terms; answered by ``order.Sign`` with digest and bytes."""

    intent_id: str
    condition_id: str
    token_id: str
    side: Side
    price: Price
    size: Shares
    expiration_s: int
    post_only: bool
    salt: int
    timestamp_ms: int
    neg_risk: bool
    version: str


@frozen(kw_only=True)
class PostOrder(Command):
    """Send the bytes that the journal holds already."""

    intent_id: str
    order_id: str
    payload: str


@frozen(kw_only=True)
class CancelOrder(Command):
    intent_id: str
    order_id: str


@frozen(kw_only=True)
class CancelAll(Command): ...


@frozen(kw_only=True)
class ProbeVenue(Command):
    """Cancel what does not exist, to see whether the venue takes anything."""


@frozen(kw_only=True)
class ReadOrder(Command):
    intent_id: str
    order_id: str


@frozen(kw_only=True)
class ReadOpenOrders(Command): ...


@frozen(kw_only=True)
class ReadTrades(Command):
    """Read our trades of one market ("" for all) since ``after_s`` (0 for all)."""

    condition_id: str = ""
    after_s: int = 0


@frozen(kw_only=True)
class ReadBalance(Command):
    """Read what the venue says we hold: collateral, or one token; its cache refreshed first?"""

    token_id: str = ""
    version: str = "v1"
    refresh: bool = False


@frozen(kw_only=True)
class Convert(Command):
    """Ask the contracts; the same ``name`` again is the same request, not a second one.

    ``kind``: split, merge, redeem or convert; ``amount``: see ``machines.conversion``.
    """

    conversion_id: str
    kind: str
    condition_ids: tuple[str, ...]
    amount: Shares
    name: str


@frozen(kw_only=True)
class ReadConversion(Command):
    """How far is this transaction?"""

    conversion_id: str
    transaction_id: str


@frozen(kw_only=True)
class FetchBook(Command):
    token_id: str


@frozen(kw_only=True)
class FetchPrint(Command):
    """Look up the size of a print that came without one; answered by ``facts.LastTrade``."""

    condition_id: str
    token_id: str
    price: Price
    timestamp_ms: int


@frozen(kw_only=True)
class FetchMarkets(Command): ...


@frozen(kw_only=True)
class FetchResolution(Command):
    condition_id: str


@frozen(kw_only=True)
class Subscribe(Command):
    """Follow these tokens on one connection of the market channel."""

    tokens: tuple[str, ...]
    link: str = "market"


@frozen(kw_only=True)
class Unsubscribe(Command):
    tokens: tuple[str, ...]
    link: str = "market"


@frozen(kw_only=True)
class Reconnect(Command):
    """Make one connection of the market channel anew: it answers, and says nothing."""

    link: str
    reason: str


@frozen(kw_only=True)
class FollowOracle(Command):
    """Follow the settlement price of these symbols, from now on."""

    symbols: tuple[str, ...]


@frozen(kw_only=True)
class Stop(Command):
    """Everything that had to be withdrawn is: the shell may end."""


@frozen(kw_only=True)
class Notify(Command):
    """Tell the operators: ``severity`` is info, warning or critical; ``name`` is stable."""

    severity: str
    name: str
    text: str


COMMANDS: tuple[type[Command], ...] = (
    SignOrder, PostOrder, CancelOrder, CancelAll, ProbeVenue, ReadOrder, ReadOpenOrders, ReadTrades,
    ReadBalance, FetchBook, FetchPrint, FetchMarkets, FetchResolution, Subscribe, Unsubscribe,
    Reconnect,     FollowOracle, Stop, Notify, Convert, ReadConversion,
)  # fmt: skip
