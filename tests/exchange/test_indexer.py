"""What the indexer derives is what the chain has: checked over a busy world with failed trades."""

from random import Random

from polybawt.core.market import Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares
from polybawt.exchange.config import DEVELOPMENT_KEYS
from polybawt.exchange.portfolio import folded
from polybawt.exchange.subjects import INDEXER
from polybawt.sim.chain import Fate, fails, retries
from polybawt.sim.records import Accepted, Placement, Refused, VenueTrade
from polybawt.sim.transactions import SetRequest
from polybawt.sim.world import World, WorldTerms
from polybawt.venue.signing import Account
from tests.exchange.conftest import Open
from tests.exchange.house import START_NS, Hall

OWNERS = [Account(key).address for key in DEVELOPMENT_KEYS[:2]]
TERMS = WorldTerms(seed="indexed", window_s=20)
ROUNDS = 120


def fates(trade: VenueTrade) -> Fate:
    """Some fail, some come late; nobody is ever told which."""
    lot = int(trade.tx_hash[2:6], 16)
    if lot % 7 == 0:
        return fails(SECOND_NS)
    return retries(SECOND_NS) if lot % 5 == 0 else (("MINED", SECOND_NS), ("CONFIRMED", SECOND_NS))


def something(hall: Hall, lots: Random, number: int) -> bool:
    """One order or one set of one owner; whether the venue took it."""
    venue, now_ns = hall.floor.venue, hall.clock.now_ns
    market = lots.choice([m for m in venue.markets.values() if m.accepting_orders])
    owner, token = lots.choice(OWNERS), lots.choice(market.tokens)
    if lots.random() < 0.2:
        kind = lots.choice(("split", "merge"))
        ids, amount = (market.condition_id,), Shares(lots.randint(1, 5) * MILLION)
        told = venue.transact(
            SetRequest(owner=owner, kind=kind, condition_ids=ids, amount=amount), now_ns
        )
        return not isinstance(told, Refused)
    placement = Placement(
        owner=owner, order_id=f"0x{number:064x}", token_id=token,
        side=lots.choice((Side.BUY, Side.BUY, Side.SELL)),
        price=Price(lots.randint(30, 70) * 10_000), size=Shares(lots.randint(5, 12) * MILLION),
    )  # fmt: skip
    return isinstance(venue.place(placement, now_ns), Accepted)


def held(hall: Hall, owner: str) -> dict[str, int]:
    """By the chain: settled balances of tokens."""
    venue = hall.floor.venue
    tokens = [token for market in venue.markets.values() for token in market.tokens]
    return {token: n for token in tokens if (n := venue.balance(owner, token))}


async def test_holdings_are_those_of_the_chain_whatever_failed(opened: Open) -> None:
    """A position that is not there would be sold; one that is missing would be lost.

    Proves: C5, faults
    """
    hall = await opened(World(TERMS, START_NS, fates=fates))
    lots, taken, seen = Random(4), 0, 0
    application = hall.client.app
    assert application is not None
    indexer = application[INDEXER]
    hall.after(1)  # the first windows are listed
    for number in range(ROUNDS):
        taken += sum(something(hall, lots, 10 * number + n) for n in range(5))
        hall.after(1_000)
        for owner in OWNERS:
            derived = folded(indexer.deeds(owner, indexer.until_ns))
            sizes = {token: one.size for token, one in derived.holdings.items() if one.size}
            seen += len(sizes)
            assert sizes == held(hall, owner), number

    assert taken > ROUNDS
    assert seen > ROUNDS
    assert {trade.status for owner in OWNERS for trade in hall.floor.venue.trades(owner)} >= {
        "CONFIRMED",
        "FAILED",
    }
