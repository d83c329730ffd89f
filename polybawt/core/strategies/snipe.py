"""Latency snipe: take what the book still offers at the price of two seconds ago.

Spot moves before the oracle reports it.  Moved by the usual difference of the two, it says what
the report will say; when an ask is cheap against that, fees and the venue's delay paid, it is
taken.  Only a move that is large for its time counts, only fresh prices do, and the signal fades
with its age; near the end the stake shrinks, because a small error of the price is then a large
one of the chance.  It rests nothing, so nobody can snipe it.

Source: data-and-quant 5.7 (preconditions, decay, time scaling).
"""

from math import log, sqrt

from attrs import field, frozen

from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.signals.fair_value import VolatilityModel, chance_of_up, volatility
from polybawt.core.signals.lead import LeadModel, mapped, weight
from polybawt.core.sizing import cost_per_share
from polybawt.core.strategies import Intent, Strategy, View, Withdraw
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Usdc, cost_up


@frozen(kw_only=True)
class Snipe(Strategy):
    """Ages in ms; ``edge`` in millionths of a dollar a share, beyond the fee.

    ``move_sigmas``: how many standard deviations of two seconds spot must have moved.
    ``full_size_s``: with less time left than this the stake shrinks in proportion.
    """

    name: str = "snipe"
    lifetime_s: int = 2
    edge: int = 30_000
    move_sigmas: float = 1.0
    move_ms: int = 2_000
    spot_age_ms_max: int = 500
    report_age_ms_max: int = 3_000
    seconds_left_min: float = 4.0
    full_size_s: float = 60.0
    noise: float = 0.0001
    model: VolatilityModel = field(factory=VolatilityModel)
    lead: LeadModel = field(factory=LeadModel)

    def decide(self, view: View) -> tuple[Intent | Withdraw, ...]:
        fair_up = None if view.orders else self.fair(view)  # one shot at a time
        if fair_up is None:
            return ()
        fairs = (fair_up, Price(MILLION - fair_up))
        wishes = (
            self._take(view, token, fair, room)
            for token, fair, room in zip(view.market.tokens, fairs, view.rooms, strict=True)
        )
        return tuple(wish for wish in wishes if wish is not None)

    def fair(self, view: View) -> Price | None:
        """What an "up" share is worth by what the oracle will say next; None without a signal."""
        market, oracle, spot = view.market, view.oracle, view.spot
        now_ms, left_s = view.now_ns // MS_NS, (market.end_ns - view.now_ns) / SECOND_NS
        if oracle is None or spot is None or not view.strike_e18 or not view.book_fresh:
            return None
        if left_s < self.seconds_left_min:
            return None
        age_ms = now_ms - spot.latest_ms
        if age_ms > self.spot_age_ms_max or now_ms - oracle.latest_ms > self.report_age_ms_max:
            return None
        expected, sigma = mapped(oracle, spot, self.lead), volatility(oracle, self.model)
        before = spot.at(spot.latest_ms - self.move_ms)
        if not expected or not before or oracle.latest_ms >= spot.latest_ms:
            return None  # too little is known, or the report has caught up
        moved = abs(log(spot.value / before))
        if moved <= self.move_sigmas * sigma * sqrt(self.move_ms / 1_000):
            return None
        fair = chance_of_up(
            oracle,
            market,
            value=expected,
            strike=view.strike_e18,
            sigma=sigma,
            seconds_left=left_s,
            noise=self.noise,
        )
        mid = view.book.mid(market.yes_token)
        if fair is None or mid is None:
            return None
        return Price(int(mid + (fair - mid) * weight(age_ms, self.lead)))

    def _take(self, view: View, token: str, fair: Price, room: Usdc) -> Intent | None:
        ask = view.book.best_ask(token)
        if ask is None:
            return None
        cost = cost_per_share(view.market, ask, taker=True)
        if fair - cost < self.edge:
            return None
        left_s = (view.market.end_ns - view.now_ns) / SECOND_NS
        part = min(MILLION, int(left_s / self.full_size_s * MILLION))
        size = self.stake(view, fair, cost, room, part_micro=part)
        if not size or cost_up(ask, size) < MARKETABLE_BUY_MIN:
            return None
        return self.wish(view, token, Side.BUY, ask, size, fair=fair)
