"""The Data API's markets: holders, open interest, volumes, prices, results, tokens, approvals.

Source: exchange reference 5.2; parameters as the unified SDK sends them.
"""

from typing import Final

from aiohttp import web

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS, Price, complement
from polybawt.exchange import asking, subjects
from polybawt.exchange.asking import refused
from polybawt.exchange.directory import Entry
from polybawt.exchange.portfolio import folded
from polybawt.exchange.subjects import INDEXER, Markets
from polybawt.exchange.web import FLOOR
from polybawt.exchange.wire import positions as wire
from polybawt.exchange.wire.positions import Held
from polybawt.exchange.wire.texts import number
from polybawt.sim.accounts import ENDOWER, FEES
from polybawt.sim.contracts import ADAPTER

SYSTEM: Final = (FEES, ENDOWER, ADAPTER)  # the venue's own accounts hold for nobody
DAY_S: Final = 86_400
SPANS_S: Final = {
    "max": 0, "all": 0, "1m": 30 * DAY_S, "1w": 7 * DAY_S, "1d": DAY_S, "6h": 21_600, "1h": 3_600,
}  # fmt: skip
WINDOW_S_MAX: Final = 15 * DAY_S  # of a price history between two times
BUCKETS_S: Final = {"max": 600, "all": 600, "1m": 600, "1w": 300}  # the finest; 60 for the rest
BUCKET_S: Final = 60
TOKENS_MAX, TOKEN_CONDITIONS_MAX = 50, 10


routes = web.RouteTableDef()


@routes.get("/data-api/v2/holders")
async def holders(request: web.Request) -> web.Response:
    """Of each token the largest holders, as the chain has them; a page is that many of each."""
    indexer = request.app[INDEXER]
    at, entries = asking.turn(request, indexer.until_ns), subjects.entries(request)
    if entries is None:
        raise refused(request, "condition_id", "is required", asking.MISSING)
    with_pnl = asking.flag(request, "include_pnl", False)
    if with_pnl and len(asking.conditions(request)) != 1:
        raise refused(request, "include_pnl", "goes with exactly one condition_id")
    least = asking.amount(request, "min_balance", 0)
    names, rows, longest = Markets(request, at.until_ns), [], 0
    for entry in entries:
        about = names.known(entry.market.condition_id)
        for token_id in entry.market.tokens:
            held = _balances(request, entry, token_id, max(least, 1), at.until_ns)
            longest = max(longest, len(held))
            part = held[at.offset : at.offset + at.limit]
            listed = []
            for owner, amount in part:
                deeds = indexer.deeds(owner, at.until_ns) if with_pnl else []
                holding = folded(deeds).holdings.get(token_id)
                held_by = Held(owner=owner, holding=holding, about=about) if holding else None
                listed.append(wire.holder(owner, token_id, amount, about, held_by))
            rows.append({"token_id": token_id, "holders": listed})
    return asking.answer(rows, asking.pagination(longest, at))


def _balances(
    request: web.Request, entry: Entry, token_id: str, least: int, until_ns: int
) -> list[tuple[str, int]]:
    indexer, accounts = request.app[INDEXER], request.app[FLOOR].venue.accounts
    later = indexer.later(entry, until_ns)
    found = [
        (owner, indexer.balance(owner, token_id, later))
        for owner in accounts.holders(entry.market)
        if owner not in SYSTEM
    ]
    kept = [(owner, held) for owner, held in found if held >= least]
    return sorted(kept, key=lambda one: (-one[1], one[0]))


@routes.get("/data-api/v2/oi")
async def open_interest(request: web.Request) -> web.Response:
    """Collateral behind outstanding sets, of single markets or of all together."""
    floor, entries = request.app[FLOOR], subjects.entries(request)
    backing = floor.venue.accounts.backing
    if entries is None:
        total = sum(backing(condition_id) for condition_id in floor.venue.markets)
        return asking.whole([{"condition_id": "GLOBAL", "value": number(total)}])
    ids = [entry.market.condition_id for entry in entries]
    return asking.whole([{"condition_id": one, "value": number(backing(one))} for one in ids])


@routes.get("/data-api/v2/live-volume")
async def live_volume(request: web.Request) -> web.Response:
    """Shares that takers traded in the markets of some events."""
    indexer = request.app[INDEXER]
    if not asking.events(request):
        raise refused(request, "event_id", "is required", asking.MISSING)
    rows, total = [], 0
    for entry in subjects.entries(request) or []:
        volume = sum(trade.shares for trade in indexer.trades(entry, indexer.until_ns))
        total += volume
        rows.append({"condition_id": entry.market.condition_id, "taker_volume": number(volume)})
    return asking.answer({"taker_volume_total": number(total), "conditions": rows})


@routes.get("/data-api/v2/prices-history")
async def prices_history(request: web.Request) -> web.Response:
    floor, indexer = request.app[FLOOR], request.app[INDEXER]
    at, now_s = asking.turn(request, indexer.until_ns), indexer.until_ns // SECOND_NS
    entry = _entry_of_token(request)
    interval = asking.choice(request, "interval", SPANS_S)
    start, end, as_of = (asking.second(request, name) for name in ("start", "end", "as_of"))
    if sum(bool(one) for one in (interval, start, as_of)) != 1:
        raise refused(request, "interval", "or start or as_of: exactly one of them")
    step_s = _bucket_s(request, interval)
    last_s = min(end if end is not None else now_s, as_of if as_of is not None else now_s, now_s)
    if start is not None and not 0 <= (end or now_s) - start <= WINDOW_S_MAX:
        raise refused(request, "start", "and end are at most 15 days apart")
    span_s = SPANS_S[interval] if interval else 0
    first_s = start if start is not None else max(last_s - span_s, 0) if span_s else 0
    token_id = request.query["token_id"]
    if entry is None:
        return asking.page([], at)
    points = floor.history.points(entry.market.condition_id, first_s, last_s, step_s, now_s)
    points = points or _traded_points(request, entry, first_s, last_s, step_s)
    mirrored = token_id == entry.market.no_token
    rows = [
        {
            "timestamp": at_s, "resolution_seconds": 0 if as_of is not None else step_s,
            "price": number(MILLION - price if mirrored else price),
        }
        for at_s, price in points
    ]  # fmt: skip
    return asking.page(rows[-1:] if as_of is not None else rows, at)


def _traded_points(
    request: web.Request, entry: Entry, first_s: int, last_s: int, step_s: int
) -> list[tuple[int, Price]]:
    """Of a market whose past is not kept, for there are too many: its last trades by bucket."""
    indexer, points = request.app[INDEXER], dict[int, Price]()
    for trade in indexer.trades(entry, indexer.until_ns):
        at_s = trade.match_ns // SECOND_NS
        if first_s <= at_s <= last_s:
            first = trade.token_id == entry.market.yes_token
            points[at_s // step_s * step_s] = trade.price if first else complement(trade.price)
    return list(points.items())


def _entry_of_token(request: web.Request) -> Entry | None:
    token_id = request.query.get("token_id", "")
    if not token_id:
        raise refused(request, "token_id", "is required", asking.MISSING)
    if not token_id.isascii() or not token_id.isdecimal() or len(token_id) > 78:
        raise refused(request, "token_id", "is no token")
    return request.app[FLOOR].publisher.directory.named(token_id)


def _bucket_s(request: web.Request, interval: str) -> int:
    finest = BUCKETS_S.get(interval, BUCKET_S)
    text = request.query.get("bucket_seconds", "")
    if not text:
        return finest
    if request.query.get("as_of"):
        raise refused(request, "bucket_seconds", "goes not together with as_of")
    whole = text.isascii() and text.isdecimal() and len(text) < 9
    if not whole or not finest <= int(text) <= DAY_S:
        raise refused(request, "bucket_seconds", f"is not between {finest} and {DAY_S}")
    return int(text)


@routes.get("/data-api/v2/resolutions")
async def resolutions(request: web.Request) -> web.Response:
    indexer = request.app[INDEXER]
    until_ns, directory = indexer.until_ns, request.app[FLOOR].publisher.directory
    question_id, entries = request.query.get("question_id", "").lower(), subjects.entries(request)
    if bool(question_id) == (entries is not None):
        raise refused(request, "condition_id", "or question_id or event_id: exactly one of them")
    names = Markets(request, until_ns)
    rows = []
    for entry in directory.after() if entries is None else entries:
        if question_id and not _has_question(entry, question_id):
            continue
        about = names.known(entry.market.condition_id)
        question = indexer.question(entry.market.condition_id)
        rows.append(wire.resolution(about, question, entry.listed_ns))
    kept = [row for row in rows if not question_id or row["question_id"] == question_id]
    return asking.whole(kept)


def _has_question(entry: Entry, question_id: str) -> bool:
    """Whether it can be this market's: all but the number within a choice."""
    market: Market = entry.market
    return question_id in (market.condition_id, market.neg_risk_id) or (
        len(market.neg_risk_id) == len(question_id) and market.neg_risk_id[:-2] == question_id[:-2]
    )


@routes.get("/data-api/v2/tokens")
async def tokens(request: web.Request) -> web.Response:
    """What outcome tokens are, by token or by condition."""
    indexer, directory = request.app[INDEXER], request.app[FLOOR].publisher.directory
    asked = asking.several(request, "token_id", TOKENS_MAX)
    ids = asking.conditions(request, "condition", TOKEN_CONDITIONS_MAX)
    if bool(asked) == bool(ids):
        raise refused(request, "token_id", "or condition: exactly one of them")
    if not all(one.isascii() and one.isdecimal() and len(one) <= 78 for one in asked):
        raise refused(request, "token_id", "is no token")
    names = Markets(request, indexer.until_ns)
    pairs = [(one, directory.named(one.lstrip("0"))) for one in asked]
    for condition_id in ids:
        entry = directory.entry(condition_id)
        pairs += [(token_id, entry) for token_id in (entry.market.tokens if entry else ())]
    rows = []
    for token_id, entry in pairs:
        about = names(entry.market.condition_id) if entry else None
        if about is not None:
            rows.append(wire.token(token_id.lstrip("0"), about))
    return asking.whole(rows)


@routes.get("/data-api/v2/approvals")
async def approvals(request: web.Request) -> web.Response:
    owner = asking.owner(request)
    return asking.answer(wire.approvals(owner, request.app[FLOOR].config.chain_id))
