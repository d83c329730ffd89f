"""Value betting on 203 recorded windows, at the prices that were on offer, settled as they were.

The recording holds both books at seven moments of each window, a spot price and the winner.  Fills
are at the ask, with the fee; spot stands for the oracle, which was not recorded.  What it shows is
that prices were fair to a cent: whoever has no edge loses the fee by betting, and keeps it by not
betting.  That the shipped model had an edge it does not show, and nothing here says so.

Source: the recording's own expectations; data-and-quant 5.3 and 5.6.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from math import sqrt
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from attrs import evolve

from polybawt.core.book import Book, Levels
from polybawt.core.market import Market
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.strategies import Intent, View
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Usdc, cost_up
from tests.core.script import MARKET, YES, shares

Find = Callable[[str], Path]
Row = dict[str, Any]
WINDOW_S = 300
STAKE_MAX = 10 * MILLION  # a window
E8 = 10**8


@pytest.fixture(scope="module")
def windows(recorded: Find) -> list[Row]:
    text = gzip.decompress(recorded("maker/btc5m_ladder_2026-07.jsonl.gz").read_bytes())
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def expected(recorded: Find) -> Row:
    said: Row = json.loads(recorded("maker/expected.json").read_text())
    return said


def at(window: Row, seconds_left: int) -> Row | None:
    """The sample of both books so long before the end."""
    return next((s for s in window["samples"] if s["offset"] == seconds_left), None)


def mid(side: Row) -> float:
    low, high = side["bid"] or 0.0, 1.0 if side["ask"] is None else side["ask"]
    return float(low + high) / 2


def favourite(sample: Row) -> str:
    return "up" if mid(sample["up"]) >= mid(sample["down"]) else "down"


def fee(price: float) -> float:
    """Dollars a share, as the venue's formula has it: rate times p times (1 - p)."""
    return MARKET.fees.rate_micro / MILLION * price * (1 - price)


def test_what_was_on_offer_is_as_it_was_counted_apart(windows: list[Row], expected: Row) -> None:
    """How often the favourite could be bought below 0.99, by the seconds that were left."""
    for left, said in expected["availability"].items():
        samples = [s for window in windows if (s := at(window, int(left)))]
        asks = [sample[favourite(sample)]["ask"] for sample in samples]
        assert len(samples) == said["samples"], left
        buyable = sum(ask is not None and ask < 0.99 for ask in asks)
        assert buyable == said["favourite_buyable_under_0_99"], left


def test_the_favourite_two_minutes_before_the_end_costs_what_it_brings_and_the_fee(
    windows: list[Row], expected: Row
) -> None:
    """Hit rate, price and profit as measured apart; before fees the bet is fair to its noise."""
    said = expected["favourite_at_T120"]
    bets = []
    for window in windows:
        sample = at(window, 120)
        side = sample and favourite(sample)
        if sample and side and sample[side]["ask"] is not None:
            bets.append((sample[side]["ask"], window["winner"].lower() == side))
    prices, hits = [price for price, _ in bets], [hit for _, hit in bets]
    lost = fmean(price - hit for price, hit in bets)
    deviation = sqrt(sum(price * (1 - price) for price in prices)) / len(bets)

    assert len(bets) == said["n"]
    assert fmean(hits) == pytest.approx(said["hit"], abs=1e-4)
    assert fmean(prices) == pytest.approx(said["implied"], abs=1e-4)
    fees = fmean(map(fee, prices))
    assert -lost - fees == pytest.approx(said["mean_pnl_after_fee"], abs=1e-4)
    assert abs(lost) < deviation / 10  # what is lost is the fee, to a tenth of the noise


def level(price: float | None, depth: float) -> Levels:
    if price is None or depth <= 0:
        return ()
    return ((Price(round(price * MILLION)), shares(round(depth, 2))),)


def views(windows: list[Row]) -> Iterator[tuple[Row, View]]:
    """What a strategy would have been shown, moment by moment."""
    oracle = Oracle("btc/usd")
    for window in windows:
        start_ns = window["window_ts"] * SECOND_NS
        market = evolve(MARKET, start_ns=start_ns, end_ns=start_ns + WINDOW_S * SECOND_NS)
        for sample in window["samples"]:
            now_ns = market.end_ns + round(sample["t"] * SECOND_NS)
            oracle.report(now_ns // MS_NS, round(sample["spot"] * E8) * 10**10)
            yield window, view(market, sample, oracle, window["open_px"], now_ns)


def view(market: Market, sample: Row, oracle: Oracle, strike: float, now_ns: int) -> View:
    up, book = sample["up"], Book(market)
    bids, asks = level(up["bid"], up["bid_depth"]), level(up["ask"], up["ask_depth"])
    book.replace(YES, bids, asks)
    room = Usdc(STAKE_MAX)
    return View(
        market=market, book=book, book_fresh=True, orders=(), rooms=(room, room), now_ns=now_ns,
        oracle=oracle, strike_e18=round(strike * E8) * 10**10, bankroll=Usdc(1_000 * MILLION),
    )  # fmt: skip


def played(windows: list[Row], strategy: Value) -> tuple[int, int, int]:
    """How many bets were taken at the ask, what they lost, and what of that was fees."""
    bets = lost = fees = 0
    spent = dict[str, int]()
    for window, shown in views(windows):
        for wish in strategy.decide(shown):
            if not isinstance(wish, Intent) or wish.post_only:
                continue
            cost = cost_up(wish.price, wish.size)
            paid = shown.market.fees.fee_up(wish.price, wish.size)
            if spent.get(window["slug"], 0) + cost + paid > STAKE_MAX:
                continue
            spent[window["slug"]] = spent.get(window["slug"], 0) + cost + paid
            won = window["winner"] == ("UP" if wish.token_id == YES else "DOWN")
            bets, fees = bets + 1, fees + paid
            lost += cost + paid - (wish.size if won else 0)
    return bets, lost, fees


@pytest.mark.parametrize("take_edge", [0, 20_000])
def test_without_an_edge_it_does_not_lose_more_than_its_fees(
    windows: list[Row], take_edge: int
) -> None:
    """One that believes the book has none: it finds nothing to take in 1,419 books, and pays none.

    Proves: A-alpha, P2.5.
    """
    bets, lost, fees = played(windows, Value(trust_micro=0, take_edge=take_edge))

    assert sum(len(window["samples"]) for window in windows) > 1_400
    assert lost <= fees
    assert bets == fees == 0


class Tipster(Value):
    """It believes in whatever the book favours, a little more than the book does."""

    def fair(self, view: View) -> Price | None:
        known = view.book.mid(YES)
        if known is None:
            return None
        return Price(min(known + 60_000, MILLION - 1) if known >= MILLION // 2 else known - 60_000)


def test_a_belief_that_the_book_has_already_loses_the_fees_and_no_more_than_noise(
    windows: list[Row],
) -> None:
    """Bets on favourites at every moment: what is lost beyond the fees is within two deviations.

    Proves: A-alpha.
    """
    early = [
        {**window, "samples": [s for s in window["samples"] if s["offset"] == 120]}
        for window in windows
    ]
    bets, lost, fees = played(early, Tipster(name="tipster", trust_micro=MILLION, take_edge=5_000))

    assert bets > 60
    assert fees > 0
    noise = 2 * sqrt(bets) * 5 * MILLION / 2  # at most five dollars a bet, won or lost
    assert lost <= fees + noise
