"""The memory of prices is exact where it matters and bounded everywhere."""

from attrs import evolve

from polybawt.core.market import Market, Side
from polybawt.core.units import SECOND_NS, Price, Shares
from polybawt.exchange.history import (
    CHANGES_MAX,
    MARKETS_MAX,
    POINTS_MAX,
    TRADES_MAX,
    History,
)
from polybawt.sim.records import LevelsMoved, Listed, Printed
from tests.exchange.house import START_NS, UPDOWN

MINUTE = 60 * SECOND_NS
START_S = START_NS // SECOND_NS
ID = UPDOWN.condition_id


class Quotes:
    """The best bid and ask, as the test says."""

    def __init__(self) -> None:
        self.bid, self.ask = Price(480_000), Price(520_000)
        self.looks = 0

    def __call__(self, _: Market) -> tuple[Price | None, Price | None]:
        self.looks += 1
        return self.bid, self.ask


def kept(quotes: Quotes) -> History:
    history = History(quotes)
    history.hear(Listed(UPDOWN, START_NS))
    return history


def test_a_market_that_does_not_move_is_not_looked_at() -> None:
    """A thousand quiet markets must cost nothing each minute."""
    quotes = Quotes()
    history = kept(quotes)
    for minute in range(100):
        history.sample(START_NS + minute * MINUTE)

    assert quotes.looks == 0


def test_changes_are_kept_up_to_a_bound_and_answers_up_to_another() -> None:
    quotes = Quotes()
    history = kept(quotes)
    for minute in range(CHANGES_MAX + 50):
        quotes.bid = quotes.ask = Price(400_000 + 10_000 * (minute % 2))
        history.hear(LevelsMoved(ID, START_NS, ()))
        history.sample(START_NS + minute * MINUTE)
    end_s = START_S + 10 * CHANGES_MAX * 60

    points = history.points(ID, 0, end_s, 60, end_s)

    assert len(history._pasts[ID].changes) == CHANGES_MAX
    assert len(points) == POINTS_MAX
    assert points[-1][0] == end_s


def test_trades_and_markets_are_kept_up_to_a_bound() -> None:
    history = kept(Quotes())
    printed = Printed(
        ID, START_NS, UPDOWN.yes_token, Side.BUY, Price(500_000), Shares(1), tx_hash="0x"
    )
    for _ in range(TRADES_MAX + 10):
        history.hear(printed)
    known = len(history.trades(ID))
    for number in range(MARKETS_MAX):
        history.hear(Listed(evolve(UPDOWN, condition_id=str(number)), START_NS))

    assert known == TRADES_MAX
    assert history.trades(ID) == []
    assert len(history._pasts) == MARKETS_MAX
