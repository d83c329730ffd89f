"""A small venue with one market, and words to place orders with."""

from collections.abc import Callable
from itertools import count

import pytest

from polybawt.core.market import FeeSchedule, Market, Side
from polybawt.core.units import SECOND_NS, Price, Shares, Usdc
from polybawt.sim.venue import Accepted, Placement, Refused, Venue

MARKET = Market(
    condition_id="0x" + "c0" * 32,
    slug="btc-updown-5m-1700000000",
    question="Bitcoin Up or Down",
    yes_token="111",
    no_token="222",
    tick=Price(10_000),
    min_size=Shares(5_000_000),
    fees=FeeSchedule(rate_micro=70_000),
    start_ns=1_700_000_000 * SECOND_NS,
    end_ns=1_700_000_300 * SECOND_NS,
)
NOW = 1_699_999_000 * SECOND_NS
RICH = Usdc(1_000_000_000)


class Floor:
    """A venue, a clock, and traders A, B and C with 1000 dollars and 100 shares of each token."""

    def __init__(self, venue: Venue, market: Market = MARKET) -> None:
        self.venue, self.market, self.now_ns = venue, market, NOW
        self._ids = count(1)
        venue.list_market(market, NOW)
        for owner in "ABC":
            venue.deposit(owner, RICH)
            for token_id in market.tokens:
                venue.grant(owner, token_id, Shares(100_000_000))
        venue.drain()

    def ask(self, owner: str, text: str, **terms: object) -> Accepted | Refused:
        """``"buy yes 10 @ 0.52"``, and whatever else a placement may say."""
        side, token, size, _, price = text.split()
        placement = Placement(
            owner=owner,
            order_id=str(terms.pop("order_id", f"order-{next(self._ids)}")),
            token_id=self.market.tokens[token == "no"],
            side=Side(side.upper()),
            price=Price(round(float(price) * 1_000_000)),
            size=Shares(round(float(size) * 1_000_000)),
            **terms,  # type: ignore[arg-type]
        )
        return self.venue.place(placement, self.now_ns)

    def place(self, owner: str, text: str, **terms: object) -> Accepted:
        answer = self.ask(owner, text, **terms)
        assert isinstance(answer, Accepted), answer
        return answer

    def refused(self, owner: str, text: str, **terms: object) -> str:
        answer = self.ask(owner, text, **terms)
        assert isinstance(answer, Refused), answer
        return answer.text

    def wait(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND_NS)
        self.venue.advance(self.now_ns)


@pytest.fixture
def floor() -> Floor:
    return Floor(Venue(mine_ns=2 * SECOND_NS, confirm_ns=3 * SECOND_NS))


@pytest.fixture
def build() -> Callable[..., Floor]:
    """A floor over a venue with other settings."""

    def make(market: Market = MARKET, **settings: object) -> Floor:
        given = {"mine_ns": 2 * SECOND_NS, "confirm_ns": 3 * SECOND_NS, **settings}
        return Floor(Venue(**given), market)  # type: ignore[arg-type]

    return make
