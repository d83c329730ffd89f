"""The Data API's owners: what they hold, are worth, traded and did. Version 2, as an indexer.

It lags the CLOB, by as much as it was told to, and is for audit: nothing here decides a trade.
Version 1 is gone, as at the venue.

Source: exchange reference 5.2; parameters as the unified SDK sends them. Defaults of sorting are
UNCONFIRMED.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from aiohttp import web

from polybawt.core.units import MILLION, SECOND_NS
from polybawt.exchange import asking, subjects
from polybawt.exchange import portfolio as p
from polybawt.exchange.asking import refused
from polybawt.exchange.directory import Entry
from polybawt.exchange.indexer import Indexer, Leg, legs
from polybawt.exchange.portfolio import Deed, Portfolio, folded
from polybawt.exchange.subjects import INDEXER, Markets, is_known
from polybawt.exchange.wire import positions as wire
from polybawt.exchange.wire.positions import Held
from polybawt.exchange.wire.texts import number

DUST: Final = MILLION // 10  # positions below a tenth of a share are hidden unless asked for
STATUSES: Final = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
KINDS: Final = (
    "TRADE", "SPLIT", "MERGE", "REDEEM", "REWARD", "CONVERSION", "MIGRATION", "DEPOSIT",
    "WITHDRAWAL", "YIELD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "TIP",
)  # fmt: skip
SORTS: Final[Mapping[str, Callable[[Held], int]]] = {
    "CURRENT_VALUE": lambda held: held.value,
    "PRICE": lambda held: held.price,
    "TOKENS": lambda held: held.holding.size,
    "UNREALIZED_PNL": lambda held: held.unrealized,
    "REALIZED_PNL": lambda held: held.holding.realized,
    "TOTAL_PNL": lambda held: held.total_pnl,
    "TIMESTAMP": lambda held: held.holding.last_ns,
}
DAY_S: Final = 86_400
INTERVALS_S: Final = {
    "max": 0, "all": 0, "1m": 30 * DAY_S, "1w": 7 * DAY_S, "1d": DAY_S, "12h": 43_200,
    "6h": 21_600, "1h": 3_600,
}  # fmt: skip
FIDELITIES_S: Final = {"1d": DAY_S, "18h": 64_800, "12h": 43_200, "3h": 10_800, "1h": 3_600}
POINTS_MAX: Final = 1_000

routes = web.RouteTableDef()


# Positions.


@routes.get("/data-api/v2/positions")
async def positions(request: web.Request) -> web.Response:
    indexer, owner = request.app[INDEXER], asking.owner(request, required=False)
    at = asking.turn(request, indexer.until_ns)
    status = asking.choice(request, "status", STATUSES)
    entries, times = subjects.entries(request), asking.window(request)
    if not owner and (entries is None or len(entries) != 1 or request.query.get("event_id")):
        raise refused(request, "user", "or exactly one condition_id is required", asking.MISSING)
    if not owner and status in ("REDEEMABLE_LOST", "MERGEABLE"):
        raise refused(request, "user", f"is required for {status}", asking.MISSING)
    owners = [owner] if owner else _owners(indexer, entries or [], at.until_ns)
    names, within = Markets(request, at.until_ns), subjects.within(entries)
    words = request.query.get("title", "").strip().lower()
    keeps = _kept(request, status)
    found = [
        held
        for one in owners
        for held in _held(one, folded(indexer.deeds(one, at.until_ns)), names)
        if within(held.about.market.condition_id) and keeps(held)
        if held.holding.last_ns in times and words in held.about.market.question.lower()
    ]
    sort = SORTS[asking.choice(request, "sort_by", SORTS, "CURRENT_VALUE")]
    found.sort(key=lambda held: (held.owner, held.holding.token_id))
    found.sort(key=sort, reverse=_descending(request))
    return asking.page(found, at, wire.position)


def _owners(indexer: Indexer, entries: Iterable[Entry], until_ns: int) -> list[str]:
    trades = (trade for entry in entries for trade in indexer.trades(entry, until_ns))
    return sorted({owner for trade in trades for owner in trade.owners})


def _held(owner: str, portfolio: Portfolio, names: Markets) -> list[Held]:
    found = []
    for holding in portfolio.holdings.values():
        about = names(holding.condition_id)
        if about is None:
            continue  # so old that its market is forgotten
        other = portfolio.size(about.market.other(holding.token_id))
        mergeable = not about.resolved and min(holding.size, other) > 0
        found.append(Held(owner=owner, holding=holding, about=about, mergeable=mergeable))
    return found


def _kept(request: web.Request, status: str) -> Callable[[Held], bool]:
    """What a listing of this status shows; dust is hidden from those that are held."""
    least = asking.amount(request, "filter_amount", DUST)
    by_value = asking.choice(request, "filter_type", ("CASH", "TOKENS"), "TOKENS") == "CASH"

    def large(held: Held) -> bool:
        return (held.value if by_value else held.holding.size) >= least

    narrowed: dict[str, Callable[[Held], bool]] = {
        "": lambda held: held.status != "CLOSED" and large(held),
        "OPEN": lambda held: held.status == "OPEN" and large(held),
        "REDEEMABLE": lambda held: held.status == "REDEEMABLE" and large(held),
        "REDEEMABLE_LOST": lambda held: (
            held.status == "REDEEMABLE" and held.price == 0 and large(held)
        ),
        "MERGEABLE": lambda held: held.mergeable and large(held),
        "CLOSED": lambda held: held.status == "CLOSED",
    }
    return narrowed[status]


def _descending(request: web.Request) -> bool:
    return asking.choice(request, "sort_direction", ("ASC", "DESC"), "DESC") == "DESC"


@routes.get("/data-api/v2/value")
async def value(request: web.Request) -> web.Response:
    indexer, owner = request.app[INDEXER], asking.owner(request)
    until_ns, within = indexer.until_ns, subjects.within(subjects.entries(request))
    held = _held(owner, folded(indexer.deeds(owner, until_ns)), Markets(request, until_ns))
    total = sum(one.value for one in held if within(one.about.market.condition_id))
    return asking.answer({"proxy_wallet": owner, "value": number(total)})


@routes.get("/data-api/v2/user-pnl")
async def user_pnl(request: web.Request) -> web.Response:
    """The sums at whole steps of the fidelity, and right now."""
    indexer, owner = request.app[INDEXER], asking.owner(request)
    interval = asking.choice(request, "interval", [i for i in INTERVALS_S if i != "1h"], "all")
    fidelity = asking.choice(request, "fidelity", FIDELITIES_S, "1d")
    until_ns = indexer.until_ns
    deeds = _with_deposits(indexer, owner, until_ns)
    times = _steps(deeds, until_ns, INTERVALS_S[interval], FIDELITIES_S[fidelity])
    points = [wire.pnl_point(at, so_far, None) for at, so_far in p.along(deeds, times)]
    everything = folded(deeds)
    held = _held(owner, everything, Markets(request, until_ns))
    points.append(wire.pnl_point(until_ns, everything, sum(one.unrealized for one in held)))
    return asking.answer(
        {
            "proxy_wallet": owner, "interval": interval, "fidelity": fidelity,
            "source_fidelity": "1h", "points": points,
        }
    )  # fmt: skip


def _with_deposits(indexer: Indexer, owner: str, until_ns: int) -> list[Deed]:
    deeds = [*indexer.deposits(owner), *indexer.deeds(owner, until_ns)]
    return sorted((one for one in deeds if one.at_ns <= until_ns), key=lambda deed: deed.at_ns)


def _steps(deeds: list[Deed], until_ns: int, interval_s: int, step_s: int) -> list[int]:
    """Whole steps since the first deed or the start of the interval, the latest if too many."""
    if not deeds:
        return []
    step_ns = step_s * SECOND_NS
    since_ns = max(deeds[0].at_ns, until_ns - interval_s * SECOND_NS if interval_s else 0)
    first_ns = -(-since_ns // step_ns) * step_ns
    return list(range(first_ns, until_ns, step_ns))[-POINTS_MAX:]


# Trades.


@routes.get("/data-api/v2/trades")
async def trades(request: web.Request) -> web.Response:
    """Newest first; those of makers only when asked for."""
    indexer, owner = request.app[INDEXER], asking.owner(request, required=False)
    at, entries, times = (
        asking.turn(request, indexer.until_ns), subjects.entries(request), asking.window(request),
    )  # fmt: skip
    side = asking.choice(request, "side", ("BUY", "SELL"))
    takers, least = (
        asking.flag(request, "taker_only", True),
        asking.amount(request, "filter_amount", 0),
    )
    by_value = asking.choice(request, "filter_type", ("CASH", "TOKENS"), "TOKENS") == "CASH"
    if owner:
        known = indexer.trades_of(owner, at.until_ns)
    elif entries is not None:
        known = [trade for entry in entries for trade in indexer.trades(entry, at.until_ns)]
        known.sort(key=lambda trade: (trade.match_ns, trade.trade_id))
    else:
        known = indexer.all_trades(at.until_ns)
    within = subjects.within(entries)
    rows = [
        leg
        for trade in reversed(known)
        if within(trade.condition_id) and trade.match_ns in times
        for leg in legs(trade)
        if owner in ("", leg.owner) and side in ("", leg.side.value)
        if (leg.taker or not takers) and (leg.usdc if by_value else leg.shares) >= least
    ]
    return _leg_page(request, rows, at)


def _leg_page(request: web.Request, rows: list[Leg], at: asking.Turn) -> web.Response:
    names = Markets(request, at.until_ns)
    told = [leg for leg in rows if is_known(request, leg.trade.condition_id)]
    return asking.page(told, at, lambda leg: wire.trade(leg, names.known(leg.trade.condition_id)))


@routes.get("/data-api/v2/activity")
async def activity(request: web.Request) -> web.Response:
    """Everything that an owner did or was given, newest first unless asked otherwise."""
    indexer, owner = request.app[INDEXER], asking.owner(request)
    at, times = asking.turn(request, indexer.until_ns), asking.window(request)
    kinds = [kind.upper() for kind in asking.several(request, "type")]
    if not set(kinds) <= set(KINDS):
        raise refused(request, "type", f"is none of {', '.join(KINDS)}")
    side = asking.choice(request, "side", ("BUY", "SELL"))
    entries = subjects.entries(request)
    bare = asking.flag(request, "exclude_deposits_withdrawals", True)
    deeds = [
        deed
        for deed in _with_deposits(indexer, owner, at.until_ns)
        if (not kinds or deed.kind in kinds) and side in ("", deed.side) and deed.at_ns in times
        if not (bare and deed.kind == p.DEPOSIT)
        if entries is None or subjects.within(entries)(deed.condition_id)
    ]
    if _descending(request):
        deeds.reverse()
    names = Markets(request, at.until_ns)
    told = [one for one in deeds if not one.condition_id or is_known(request, one.condition_id)]
    return asking.page(told, at, lambda deed: wire.activity(owner, deed, names(deed.condition_id)))
