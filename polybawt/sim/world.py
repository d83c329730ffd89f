"""What drives a venue: the paper world, a rolling series of short up-or-down markets.

A world is stepped with the clock and returns what is published besides the venue's own events.
This one invents everything from a seed: the price, the markets that bet on it, the crowd that
trades them.  A market's life: listed a window ahead, struck at the price of its starting
second, closed at its end, resolved when the report of its last second is out (Up when it is
not below the strike).  The price that counts is the report itself, or with ``twap_lookback_s``
the average of that many seconds.  Beside the series there may be neg-risk events (``choices``).
A recorded world with the same protocol is in ``tape``.

Source: exchange reference, sections 3.2, 5.3 and 5.4.
"""

from collections.abc import Sequence
from typing import Protocol

from attrs import evolve, frozen

from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc
from polybawt.sim.agents import Agent, InformedTaker, Maker, NoiseTaker
from polybawt.sim.catalogue import EventTerms
from polybawt.sim.chain import Fates
from polybawt.sim.choices import ChoiceMaker, Choices
from polybawt.sim.ids import v1_ids, v2_ids
from polybawt.sim.prices import Feed, Path, RandomPath, SideFeeds, settling
from polybawt.sim.records import Quoted, RawFrame, Report, Told
from polybawt.sim.venue import Venue

__all__ = ["Quoted", "RawFrame", "Report", "Told", "World", "WorldLike", "WorldTerms"]

CRYPTO_FEES = FeeSchedule(rate_micro=70_000)
STRIDES_MAX_NS = SECOND_NS  # a late step is taken in strides, so nothing is skipped
PAST_S = 120  # the price exists before the session does
CHOICE_MAKERS = 2
UNKNOWN_VERSION = "v9"


class WorldLike(Protocol):
    """What the exchange needs of any world."""

    venue: Venue
    start_ns: int
    end_ns: int | None
    recorded: bool
    """Whether the public market data are recorded bytes instead of the venue's own events."""

    def step(self, now_ns: int) -> Sequence[Told]:
        """Let everything happen that is due by now, in the venue too."""
        ...

    def rest_book(self, token_id: str) -> str | None:
        """The recorded body of GET /book; None: make it from the venue's levels."""
        ...


@frozen(kw_only=True)
class WorldTerms:
    """How the paper world is made. Times are ns, windows whole seconds."""

    seed: str = "paper"
    window_s: int = 20
    stride_s: int = 0  # a new window starts this often; 0: half a window, so that two run
    symbol: str = "btc/usd"
    dollars: float = 64_000.0
    sigma: float = 1e-4
    report_delay_ns: int = 1_200 * MS_NS
    resolve_delay_ns: int = SECOND_NS  # from the last report to the resolution
    twap_lookback_s: int = 0  # 30 or 60: an average of that many seconds settles; 0: the report
    send_ns: int = 0  # how long a match waits for its way to the chain
    mine_ns: int = 2 * SECOND_NS
    confirm_ns: int = 3 * SECOND_NS
    taker_delay_ns: int = 0
    fine_ticks: bool = False  # whether ticks become finer near either end of the scale
    auto_redeem: bool = True
    neg_risk_events: int = 0  # how many of them are open at a time
    choice_s: int = 0  # how long each lasts; 0: two windows, and a minute at least
    challenge_ns: int = 4 * SECOND_NS  # of their proposals
    gtd_margin_s: int = 60
    keep_ns: int = 600 * SECOND_NS
    position_ids_every: int = 0  # every n-th market is one of Protocol V2; 0: none
    unknown_version_every: int = 0  # every n-th market is of a version that nobody knows; 0: none
    makers: int = 4
    noise_takers: int = 3
    informed_takers: int = 1


class World:
    """The paper world; ``fates`` and ``path`` replace the ordinary settlement and the walk."""

    recorded = False

    def __init__(
        self,
        terms: WorldTerms,
        start_ns: int,
        *,
        fates: Fates | None = None,
        path: Path | None = None,
    ) -> None:
        terms = evolve(terms, stride_s=terms.stride_s or terms.window_s // 2)
        assert 0 < terms.stride_s <= terms.window_s // 2, "two windows must always be open"
        self.start_ns = start_ns
        self.end_ns: int | None = None  # it goes on for ever
        self.venue = Venue(
            send_ns=terms.send_ns, mine_ns=terms.mine_ns, confirm_ns=terms.confirm_ns,
            gtd_margin_s=terms.gtd_margin_s, taker_delay_ns=terms.taker_delay_ns, fates=fates,
            keep_ns=terms.keep_ns, auto_redeem=terms.auto_redeem, fine_ticks=terms.fine_ticks,
        )  # fmt: skip
        past_s = max(PAST_S, 2 * terms.window_s + terms.twap_lookback_s)
        walk = RandomPath(
            terms.seed, start_ns - past_s * SECOND_NS, dollars=terms.dollars, sigma=terms.sigma,
            kept_ns=past_s * SECOND_NS,
        )  # fmt: skip
        self.path: Path = path or walk
        self._terms = terms
        first_ns = start_ns - terms.report_delay_ns  # published from the start on
        self._feed = Feed(self.path, terms.symbol, first_ns, terms.report_delay_ns)
        self._side_feeds = SideFeeds(self.path, terms.symbol, first_ns, terms.report_delay_ns)
        self._choices = Choices(
            terms.seed, terms.neg_risk_events, terms.choice_s or max(60, 2 * terms.window_s),
            terms.challenge_ns, self.venue,
        )  # fmt: skip
        self.events: dict[str, EventTerms] = self._choices.terms
        self._now_ns = start_ns
        first_s = start_ns // SECOND_NS - terms.window_s
        self._next_s = first_s // terms.stride_s * terms.stride_s + terms.stride_s
        self._live: list[str] = []
        self._crowd = self._gather(f"{terms.seed} from {start_ns}")
        self._choosers = self._gather_choosers(f"{terms.seed} from {start_ns}")

    def step(self, now_ns: int) -> list[Told]:
        published: list[Told] = []
        while self._now_ns < now_ns:
            self._now_ns = min(now_ns, self._now_ns + STRIDES_MAX_NS)
            published += self._stride(self._now_ns)
        return published

    def rest_book(self, token_id: str) -> str | None:
        return None

    def _stride(self, now_ns: int) -> list[Told]:
        self.venue.advance(now_ns)
        told: list[Told] = [*self._side_feeds.due(now_ns), *self._feed.due(now_ns)]
        self._list_ahead(now_ns)
        self._choices.step(now_ns)
        self._live = [id_ for id_ in self._live if self.venue.unasked(id_)]  # else it is settled
        for condition_id in list(self._live):
            self._age(self.venue.markets[condition_id], now_ns)
        live = [self.venue.markets[condition_id] for condition_id in self._live]
        open_now = [market for market in live if market.accepting_orders]
        for agent in self._crowd:
            agent.wake(open_now, now_ns)
        for agent in self._choosers:
            agent.wake(self._choices.open_now(), now_ns)
        return told

    def _list_ahead(self, now_ns: int) -> None:
        """List every window that starts within the next one and has not ended yet."""
        while (self._next_s - self._terms.window_s) * SECOND_NS <= now_ns:
            market = series_market(self._terms, self._next_s)
            self._next_s += self._terms.stride_s
            if market.end_ns > now_ns:
                self.venue.list_market(market, now_ns)
                self._live.append(market.condition_id)

    def _age(self, market: Market, now_ns: int) -> None:
        """Strike, close or resolve a market when its time has come."""
        if not market.strike_e18 and now_ns >= market.start_ns:
            strike = settling(self.path, market.start_ns, market.twap_lookback_s)
            self.venue.amend(evolve(market, strike_e18=strike))
        elif market.accepting_orders and now_ns >= market.end_ns:
            self.venue.close(market.condition_id, now_ns)
        elif now_ns >= market.end_ns + self._terms.report_delay_ns + self._terms.resolve_delay_ns:
            assert self._feed.published(market.end_ns // SECOND_NS), market.slug
            end = settling(self.path, market.end_ns, market.twap_lookback_s)
            up = end >= market.strike_e18
            payouts = Usdc(MILLION if up else 0), Usdc(0 if up else MILLION)
            self.venue.resolve(market.condition_id, *payouts, now_ns)
            self._live.remove(market.condition_id)

    def _gather(self, seed: str) -> list[Agent]:
        counts: tuple[tuple[type[Agent], int], ...] = (
            (Maker, self._terms.makers),
            (NoiseTaker, self._terms.noise_takers),
            (InformedTaker, self._terms.informed_takers),
        )
        return [
            kind(f"{kind.__name__} {n} of {seed}", self.venue, self.path)
            for kind, count in counts
            for n in range(count)
        ]

    def _gather_choosers(self, seed: str) -> list[Agent]:
        """Who trades the neg-risk events; a quiet world has nobody for them either."""
        if not self._terms.neg_risk_events or not self._terms.makers:
            return []
        venue, path = self.venue, self.path
        makers = [
            ChoiceMaker(f"ChoiceMaker {n} of {seed}", venue, path, self._choices)
            for n in range(CHOICE_MAKERS)
        ]
        return [*makers, NoiseTaker(f"Chooser of {seed}", venue, path)]


def series_market(terms: WorldTerms, epoch_s: int) -> Market:
    """The market of one window; its ids follow from seed and epoch."""
    coin = terms.symbol.partition("/")[0]
    nth = epoch_s // terms.stride_s
    v2 = terms.position_ids_every > 0 and nth % terms.position_ids_every == 0
    unknown = terms.unknown_version_every > 0 and nth % terms.unknown_version_every == 0
    condition_id, yes_token, no_token = (v2_ids if v2 else v1_ids)(f"{terms.seed}/{epoch_s}")
    return Market(
        condition_id=condition_id,
        slug=f"{coin}-updown-{terms.window_s}s-{epoch_s}",
        question=f"{coin.upper()} up or down, {terms.window_s} s from {epoch_s}",
        yes_token=yes_token,
        no_token=no_token,
        tick=Price(10_000),
        min_size=Shares(5 * MILLION),
        fees=CRYPTO_FEES,
        version=UNKNOWN_VERSION if unknown else "v2" if v2 else "v1",
        symbol=terms.symbol,
        start_ns=epoch_s * SECOND_NS,
        end_ns=(epoch_s + terms.window_s) * SECOND_NS,
        twap_lookback_s=terms.twap_lookback_s,
    )
