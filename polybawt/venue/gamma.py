"""Gamma, the venue's catalogue: which markets there are, and what they paid.

It is an index beside the exchange and lags it: good for discovery and for outcomes, never for
prices.  Pages are followed by cursor; a market that cannot be read becomes a ``BadInput`` and
the rest of the page is used.

Source: exchange reference 5.1 and 5.3.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Final

import httpx

from polybawt.core.facts import (
    BadInput,
    MarketListed,
    MarketResolved,
    ReadFailed,
    ResolutionReported,
)
from polybawt.core.machine import Fact
from polybawt.venue import wire, wire_gamma, wire_rest
from polybawt.venue.backoff import Backoff
from polybawt.venue.http import Answer, NoAnswer, read
from polybawt.venue.wire import Fields, Misread

PATH: Final = "/markets/keyset"
PAGE: Final = 100  # the most that the venue gives
PAGES_MAX: Final = 500
BAD_MAX: Final = 20  # a changed format must not flood the journal with one line per market
TOLD_MAX: Final = 1_000
OPEN_MARKETS: Final = {"active": "true", "closed": "false", "include_tag": "true"}
READ_BACKOFF: Final = Backoff(0.25, 4.0)


class Gamma:
    """``query`` narrows the listing (a tag, a range of end dates), as Gamma's own parameters."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        clock: Callable[[], int],
        *,
        crypto_only: bool = False,
        query: Mapping[str, str] = OPEN_MARKETS,
        backoff: Backoff = READ_BACKOFF,
    ) -> None:
        self._http, self._clock, self._backoff = http, clock, backoff
        self._crypto_only, self._query = crypto_only, query
        self._told: dict[str, None] = {}

    async def markets(self) -> list[Fact]:
        """Every listed market; a ``ReadFailed`` ends the list when it is not whole."""
        return [fact async for page in self.pages() for fact in page]

    async def pages(self) -> AsyncIterator[list[Fact]]:
        """The same listing page by page, so that only one page's JSON is held at any time."""
        bad, cursor, seen = 0, "", set[str]()  # bad: those not told before
        for _ in range(PAGES_MAX):
            rows = await self._rows("FetchMarkets", {**self._query, "limit": str(PAGE)}, cursor)
            if isinstance(rows, ReadFailed):
                yield [rows]
                return
            listed, cursor = rows
            facts = list[Fact]()
            for row in listed:
                fact = self._listed(row)
                if isinstance(fact, BadInput):
                    if self._told_before(fact) or bad == BAD_MAX:
                        continue
                    bad += 1
                if fact is not None:
                    facts.append(fact)
            del rows, listed  # this page's JSON need not wait for the next one
            yield facts
            if not cursor:
                return
            if cursor in seen:  # seen in production: a cursor that is ignored (agents#227)
                yield [self._failed("FetchMarkets", "Gamma repeats a page")]
                return
            seen.add(cursor)
        yield [self._failed("FetchMarkets", f"more than {PAGES_MAX} pages")]

    async def resolution(
        self, condition_id: str
    ) -> MarketResolved | ResolutionReported | ReadFailed | None:
        """What the market paid; how far the oracle is while that is not final, if it says."""
        row = await self._market(condition_id, "true")
        if row is None or isinstance(row, ReadFailed):
            return row
        try:
            now_ns = self._clock()
            return wire_gamma.resolution(row, now_ns) or wire_gamma.standing(row, now_ns)
        except wire.READ_ERRORS as wrong:
            return self._failed("FetchResolution", str(wrong))

    async def standing(self, condition_id: str) -> ResolutionReported | ReadFailed | None:
        """How far the oracle is with a market that is not closed, if it says."""
        row = await self._market(condition_id, "false")
        if row is None or isinstance(row, ReadFailed):
            return row
        try:
            return wire_gamma.standing(row, self._clock())
        except wire.READ_ERRORS as wrong:
            return self._failed("FetchResolution", str(wrong))

    async def _market(self, condition_id: str, closed: str) -> Fields | ReadFailed | None:
        """The row of one market, among those that are closed or those that are not."""
        wanted = {"condition_ids": condition_id, "closed": closed}
        rows = await self._rows("FetchResolution", wanted, "")
        if isinstance(rows, ReadFailed):
            return rows
        try:
            for row in rows[0]:
                if wire.ident(row, "conditionId").lower() == condition_id.lower():
                    return row
        except wire.READ_ERRORS as wrong:
            return self._failed("FetchResolution", str(wrong))
        return None

    def _listed(self, row: Fields) -> MarketListed | BadInput | None:
        now_ns = self._clock()
        try:
            market = wire_gamma.market(row)
        except wire.READ_ERRORS as wrong:
            return wire.bad_input("gamma", wrong, row, now_ns)
        if self._crypto_only and not market.symbol:
            return None
        return MarketListed(market=market, at_ns=now_ns)

    def _told_before(self, bad: BadInput) -> bool:
        """A market that is odd today is odd at every poll: it is told of once."""
        key = f"{bad.reason} {bad.excerpt}"
        known = key in self._told
        self._told[key] = None
        while len(self._told) > TOLD_MAX:
            del self._told[next(iter(self._told))]
        return known

    async def _rows(
        self, what: str, params: Mapping[str, str], cursor: str
    ) -> tuple[list[Fields], str] | ReadFailed:
        """One page of market objects and the cursor of the next, "" on the last."""
        after = {"after_cursor": cursor} if cursor else {}
        try:
            answer = await read(self._http, PATH, params={**params, **after}, backoff=self._backoff)
            if answer.status != 200:
                return self._failed(what, _refusal(answer))
            body = wire.fields(wire.decode(answer.body))
            if "markets" not in body:
                raise Misread("the page has no markets")
            rows = [wire.fields(row) for row in wire.array(body, "markets")]
            return rows, wire.text(body, "next_cursor")
        except (NoAnswer, Misread) as wrong:
            return self._failed(what, str(wrong))

    def _failed(self, what: str, reason: str) -> ReadFailed:
        return wire_rest.failed(what, reason, self._clock())


def _refusal(answer: Answer) -> str:
    return wire_rest.refusal_text(answer, wire_rest.body_of(answer))
