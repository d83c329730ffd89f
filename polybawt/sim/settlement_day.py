"""A recorded day of oracle reports and resolved markets, played as a world.

Every report is published when it was received, every market is struck, closed and resolved as it
really was; there are no books.  So it shows whether an engine reads the oracle and accounts for
settlement as the venue did, including holes in the feed and markets whose strike was never
published.

Source: data reference, sections 0 and 2; ``expected.json`` beside the recording.
"""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heapify, heappop
from typing import Any, Final

from attrs import define, evolve, field, frozen

from polybawt.core.facts import BadInput
from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, parse_micro
from polybawt.sim.recording import HUSH_NS, MALFORMED, SYMBOLS, bad_input
from polybawt.sim.records import RawFrame, Report
from polybawt.sim.venue import Venue

CLOSE_LAG_NS: Final = 19 * SECOND_NS  # median of the recorded day, where the time is not readable
MINE_NS: Final = 2 * SECOND_NS
CONFIRM_NS: Final = 3 * SECOND_NS


@frozen(kw_only=True)
class Outcome:
    """One market of the day: ``market.strike_e18`` is 0 where none was published."""

    market: Market
    yes_payout: Usdc
    closed_ns: int


@define
class Day:
    """What the files of a day say; reports in the order they were received, with that time."""

    outcomes: list[Outcome] = field(factory=list)
    reports: list[tuple[int, Report]] = field(factory=list)
    bad: list[BadInput] = field(factory=list)


def read_day(market_lines: Iterable[str], report_lines: Iterable[str], symbol: str) -> Day:
    """Read a day: markets as lines of JSON, reports as CSV with a header."""
    day = Day()
    for number, line in enumerate(market_lines):
        try:
            day.outcomes.append(_outcome(json.loads(line)))
        except MALFORMED as e:
            day.bad.append(bad_input(f"market {number}: {type(e).__name__} {e}", line))
    for number, row in enumerate(csv.DictReader(report_lines)):
        try:
            report = Report(symbol, int(row["full_accuracy_value"]), int(row["feed_ts_ms"]))
            day.reports.append((int(row["recv_ms"]) * MS_NS, report))
        except MALFORMED as e:
            day.bad.append(bad_input(f"report {number}: {type(e).__name__} {e}", str(row)))
    day.reports.sort(key=lambda received: received[0])
    return day


class SettlementDay:
    """A world of one recorded day: all markets listed at its start, none of them quoted."""

    recorded = False

    def __init__(self, day: Day) -> None:
        assert day.reports, "a day without a report is no day"
        self.start_ns = day.reports[0][0] - HUSH_NS
        closed = [outcome.closed_ns for outcome in day.outcomes]
        self.end_ns: int | None = max([day.reports[-1][0], *closed])
        self.venue = Venue(mine_ns=MINE_NS, confirm_ns=CONFIRM_NS)
        self._reports: Sequence[tuple[int, Report]] = day.reports
        self._next = 0
        self._outcomes = {outcome.market.condition_id: outcome for outcome in day.outcomes}
        self._due: list[tuple[int, int, str]] = []  # time, step of its life, market
        for condition_id, outcome in self._outcomes.items():
            market = outcome.market
            self.venue.list_market(evolve(market, strike_e18=0), self.start_ns)
            times = market.start_ns, market.end_ns, outcome.closed_ns
            self._due += [(at_ns, step, condition_id) for step, at_ns in enumerate(times)]
        heapify(self._due)

    def step(self, now_ns: int) -> list[Report | RawFrame]:
        while self._due and self._due[0][0] <= now_ns:
            at_ns, step, condition_id = heappop(self._due)
            self._live(self._outcomes[condition_id], step, at_ns)
        first = self._next
        while self._next < len(self._reports) and self._reports[self._next][0] <= now_ns:
            self._next += 1
        self.venue.advance(now_ns)
        return [report for _, report in self._reports[first : self._next]]

    def rest_book(self, token_id: str) -> str | None:
        return None

    def _live(self, outcome: Outcome, step: int, now_ns: int) -> None:
        """One step of a market's life: struck, closed, resolved."""
        condition_id = outcome.market.condition_id
        if not self.venue.unasked(condition_id):
            return  # an operator has settled it
        if step == 0:
            self.venue.amend(outcome.market)
        elif step == 1:
            self.venue.close(condition_id, now_ns)
        else:
            no_payout = Usdc(MILLION - outcome.yes_payout)
            self.venue.resolve(condition_id, outcome.yes_payout, no_payout, now_ns)


def _outcome(row: dict[str, Any]) -> Outcome:
    gamma, (yes_token, no_token) = row["raw"], row["token_ids"]
    fee, end_ns = gamma["feeSchedule"], row["end_sec"] * SECOND_NS
    return Outcome(
        market=Market(
            condition_id=row["condition_id"],
            slug=row["slug"],
            question=gamma["question"],
            yes_token=yes_token,
            no_token=no_token,
            tick=Price(parse_micro(gamma["orderPriceMinTickSize"])),
            min_size=Shares(parse_micro(gamma["orderMinSize"])),
            fees=FeeSchedule(rate_micro=parse_micro(fee["rate"]), exponent=int(fee["exponent"])),
            neg_risk=bool(gamma["negRisk"]),
            symbol=SYMBOLS.get(row["asset"].upper(), ""),
            start_ns=row["start_sec"] * SECOND_NS,
            end_ns=end_ns,
            strike_e18=int(row["strike_value"] or 0),
        ),
        yes_payout=Usdc(parse_micro(row["outcome_prices"][0])),
        closed_ns=_closed_ns(gamma.get("closedTime"), end_ns),
    )


def _closed_ns(text: object, end_ns: int) -> int:
    """Gamma's ``closedTime`` ("2026-06-08 00:00:16+00"); the usual lag where it is unreadable."""
    try:
        closed = datetime.fromisoformat(str(text))
    except ValueError:
        return end_ns + CLOSE_LAG_NS
    if closed.tzinfo is None:
        return end_ns + CLOSE_LAG_NS
    return max(int(closed.timestamp()) * SECOND_NS, end_ns)
