"""What the Data API knows: who traded what, held what and was paid what, as of a while ago.

Trades, balances and resolutions are read from the venue when they are asked for.  Only what the
venue forgets, or never keeps, is remembered here, and this is the one place that does: the final
trades of outside owners, their mined transactions, and the oracle's verdicts, all bounded, the
oldest market first.  Everything is shown as of ``until_ns``, because a real indexer lags the chain
by ``indexer_lag_ns``.

A trade is shown once it is mined, under the time of its match; so one that settles late appears
late, and between older ones.

Source: exchange reference 5.2.
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from attrs import frozen

from polybawt.core.market import Side
from polybawt.core.units import MILLION, Price, Shares
from polybawt.exchange import portfolio as p
from polybawt.exchange.directory import Entry
from polybawt.exchange.floor import Floor
from polybawt.exchange.portfolio import Deed, Part, Portfolio
from polybawt.sim.oracle import Question
from polybawt.sim.records import (
    Event,
    QuestionMoved,
    TradeChanged,
    TransactionChanged,
    VenueTrade,
)
from polybawt.sim.transactions import ChainTransaction
from polybawt.venue.signing import Account

T = TypeVar("T")

ENDED_MAX: Final = 50_000  # trades remembered
TRANSACTIONS_MAX: Final = 20_000
VERDICTS_MAX: Final = 2_000
INDEXED: Final = ("MINED", "CONFIRMED")  # what a block has is what an indexer reads


@frozen
class Leg:
    """One party's side of a trade."""

    trade: VenueTrade
    owner: str
    token_id: str
    side: Side
    price: Price
    shares: Shares
    taker: bool

    @property
    def usdc(self) -> int:
        return self.price * self.shares // MILLION


def legs(trade: VenueTrade) -> Iterator[Leg]:
    """All sides of a trade, the taker's first."""
    yield Leg(trade, trade.taker_owner, trade.token_id, trade.side, trade.price, trade.shares, True)
    for m in trade.makers:
        yield Leg(trade, m.owner, m.token_id, m.side, m.price, m.shares, False)


class Indexer:
    def __init__(self, floor: Floor) -> None:
        self._floor, self._venue = floor, floor.venue
        self._directory = floor.publisher.directory
        self._ended: dict[str, dict[str, VenueTrade]] = {}
        self._ended_count = 0
        self._mined: dict[str, tuple[ChainTransaction, int]] = {}
        self._verdicts: dict[str, Question] = {}
        floor.publisher.ears.append(self.hear)

    # What is remembered.

    def hear(self, event: Event) -> None:
        match event:
            case TradeChanged() if event.trade.status == "CONFIRMED":
                self._remember(event.trade)
            case TransactionChanged() if event.transaction.state == "MINED":
                transaction = event.transaction
                self._mined[transaction.transaction_id] = transaction, event.now_ns
                _shorten(self._mined, TRANSACTIONS_MAX)
            case QuestionMoved() if event.question.resolved:
                self._verdicts[event.question.condition_id] = event.question
                _shorten(self._verdicts, VERDICTS_MAX)
            case _:
                pass

    def _remember(self, trade: VenueTrade) -> None:
        self._ended.setdefault(trade.condition_id, {})[trade.trade_id] = trade
        self._ended_count += 1
        while self._ended_count > ENDED_MAX and len(self._ended) > 1:  # whole markets, or sums lie
            self._ended_count -= len(self._ended.pop(next(iter(self._ended))))

    # What is shown.

    @property
    def until_ns(self) -> int:
        """The moment that is shown."""
        return self._floor.now_ns() - self._floor.config.indexer_lag_ns

    def question(self, condition_id: str) -> Question | None:
        return self._venue.question(condition_id) or self._verdicts.get(condition_id)

    def resolved_ns(self, entry: Entry, until_ns: int) -> int:
        """When holders of a market were paid; 0 when nobody has seen that yet."""
        ended = entry.resolved
        return ended.now_ns if ended is not None and ended.now_ns <= until_ns else 0

    def trades(self, entry: Entry, until_ns: int) -> list[VenueTrade]:
        """Everybody's trades of a market; of a forgotten one those of outside owners."""
        condition_id = entry.market.condition_id
        known = {**self._ended.get(condition_id, {})}
        known |= {trade.trade_id: trade for trade in self._venue.trades_in(condition_id)}
        return _shown(known.values(), until_ns)

    def all_trades(self, until_ns: int) -> list[VenueTrade]:
        found = (self.trades(entry, until_ns) for entry in self._directory.after())
        return sorted((trade for part in found for trade in part), key=_age)

    def trades_of(self, owner: str, until_ns: int) -> list[VenueTrade]:
        """An owner's trades, oldest first. Those of the simulation's own are looked for."""
        known = {trade.trade_id: trade for trade in self._venue.trades(owner)}
        for remembered in self._ended.values():
            known |= {id_: trade for id_, trade in remembered.items() if owner in trade.owners}
        if not known and not self._venue.order_ids(owner):
            return [trade for trade in self.all_trades(until_ns) if owner in trade.owners]
        return _shown(known.values(), until_ns)

    def deeds(self, owner: str, until_ns: int) -> list[Deed]:
        """Everything that moved an owner's tokens, oldest first."""
        trades = self.trades_of(owner, until_ns)
        found = [_trade(leg) for trade in trades for leg in legs(trade) if leg.owner == owner]
        sent = [
            (mined_ns, transaction)
            for transaction, mined_ns in self._mined.values()
            if transaction.request.owner == owner and mined_ns <= until_ns
        ]
        found += [deed for at_ns, one in sent if (deed := self._set(one, at_ns)) is not None]
        found.sort(key=lambda deed: deed.at_ns)
        return self._with_redemptions(owner, found, sent, until_ns)

    def deposits(self, owner: str) -> list[Deed]:
        """What an owner was given to begin with."""
        config, at_ns = self._floor.config, self._floor.world.start_ns
        given = {wallet.address: wallet.collateral for wallet in config.wallets}
        given |= {Account(key).address: config.collateral for key in config.keys}
        amount = given.get(owner, 0)
        return [Deed(kind=p.DEPOSIT, at_ns=at_ns, usdc=amount)] if amount else []

    def balance(self, owner: str, token_id: str, later: Iterable[VenueTrade]) -> int:
        """What the chain said an owner had, before those later trades."""
        moved = sum(
            leg.shares if leg.side is Side.BUY else -leg.shares
            for trade in later
            for leg in legs(trade)
            if leg.owner == owner and leg.token_id == token_id
        )
        return self._venue.balance(owner, token_id) - moved

    def later(self, entry: Entry, until_ns: int) -> list[VenueTrade]:
        """Trades of a market that are mined already and not shown yet."""
        trades = self._venue.trades_in(entry.market.condition_id)
        return [t for t in trades if t.status in INDEXED and t.match_ns >= until_ns]

    # Deeds that are no trades.

    def _set(self, transaction: ChainTransaction, at_ns: int) -> Deed | None:
        """A split, merge or conversion; redemptions are made from what there is to redeem."""
        request, tx_hash = transaction.request, transaction.tx_hash
        entry = self._directory.entry(request.condition_ids[0])
        if entry is None or request.kind == "redeem":
            return None
        market, amount = entry.market, int(request.amount)
        if request.kind == "convert":
            return self._conversion(transaction, entry, at_ns)
        sign = 1 if request.kind == "split" else -1
        return Deed(
            kind=p.SPLIT if sign > 0 else p.MERGE,
            at_ns=at_ns,
            condition_id=market.condition_id,
            parts=tuple(
                (market.condition_id, token, sign * amount, p.HALF) for token in market.tokens
            ),
            shares=amount,
            usdc=amount,
            tx_hash=tx_hash,
        )

    def _conversion(self, transaction: ChainTransaction, entry: Entry, at_ns: int) -> Deed:
        """``k`` NO are sold for ``k - 1`` dollars together; the YES of the others come free."""
        request = transaction.request
        amount, given = int(request.amount), len(request.condition_ids)
        price = (given - 1) * MILLION // given
        parts: list[Part] = []
        for sibling in self._directory.group_of(entry).entries:
            market = sibling.market
            if market.condition_id in request.condition_ids:
                parts.append((market.condition_id, market.no_token, -amount, price))
            elif market.neg_risk_id == entry.market.neg_risk_id:
                parts.append((market.condition_id, market.yes_token, amount, 0))
        return Deed(
            kind=p.CONVERSION, at_ns=at_ns, condition_id=entry.market.condition_id,
            parts=tuple(parts), shares=amount, usdc=(given - 1) * amount,
            tx_hash=transaction.tx_hash,
        )  # fmt: skip

    def _with_redemptions(
        self,
        owner: str,
        deeds: list[Deed],
        sent: list[tuple[int, ChainTransaction]],
        until_ns: int,
    ) -> list[Deed]:
        """Add what was redeemed: on request, or by the venue's hand when holders were paid."""
        asked = {
            one.request.condition_ids[0]: (at_ns, one.tx_hash)
            for at_ns, one in sent
            if one.request.kind == "redeem"
        }
        held = p.folded(deeds)
        added: list[Deed] = []
        for condition_id in dict.fromkeys(one.condition_id for one in held.holdings.values()):
            entry = self._directory.entry(condition_id)
            paid_ns = self.resolved_ns(entry, until_ns) if entry else 0
            if entry is None or not paid_ns:
                continue
            if condition_id in asked:
                added += _redeemed(entry, held, *asked[condition_id])
            elif not any(self._venue.total(owner, token) for token in entry.market.tokens):
                added += _redeemed(entry, held, paid_ns, "")
        return sorted([*deeds, *added], key=lambda deed: deed.at_ns)


def _redeemed(entry: Entry, held: Portfolio, at_ns: int, tx_hash: str) -> list[Deed]:
    """Both tokens of a resolved market at what they pay."""
    assert entry.resolved is not None
    payouts = entry.resolved.yes_payout, entry.resolved.no_payout
    market = entry.market
    parts = tuple(
        (market.condition_id, token, -held.size(token), int(payout))
        for token, payout in zip(market.tokens, payouts, strict=True)
        if held.size(token)
    )
    if not parts:
        return []
    usdc = sum(-shares * payout // MILLION for _, _, shares, payout in parts)
    return [
        Deed(
            kind=p.REDEEM, at_ns=at_ns, condition_id=market.condition_id, parts=parts,
            shares=-sum(shares for _, _, shares, _ in parts), usdc=usdc, tx_hash=tx_hash,
        )
    ]  # fmt: skip


def _trade(leg: Leg) -> Deed:
    trade, sign = leg.trade, 1 if leg.side is Side.BUY else -1
    return Deed(
        kind=p.TRADE, at_ns=trade.match_ns, condition_id=trade.condition_id,
        parts=((trade.condition_id, leg.token_id, sign * leg.shares, leg.price),),
        shares=leg.shares, usdc=leg.usdc, fee=trade.fee if leg.taker else 0, side=leg.side.value,
        price=leg.price, token_id=leg.token_id, tx_hash=trade.tx_hash, taker=leg.taker,
    )  # fmt: skip


def _shown(trades: Iterable[VenueTrade], until_ns: int) -> list[VenueTrade]:
    mined = (t for t in trades if t.status in INDEXED and t.match_ns < until_ns)
    return sorted(mined, key=_age)


def _age(trade: VenueTrade) -> tuple[int, str]:
    return trade.match_ns, trade.trade_id


def _shorten(memory: dict[str, T], most: int) -> None:
    while len(memory) > most:
        del memory[next(iter(memory))]
