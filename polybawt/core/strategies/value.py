"""Value betting: buy an up/down share for less than it is worth, after fees.

Fair value is the model's, shrunk toward the book's mid: the book knows what the last report
does not yet say, and whoever bets against it on an old report is selected against.  A post-only
bid rests an edge below fair value for each outcome, and an ask is taken that is cheap even
after the taker fee.  A resting bid that fair value has moved away from is withdrawn;
one that still has its edge stays and keeps its place in the queue.

Source: data-and-quant 5.3 and 5.6; "assume no edge until the backtest shows one".
"""

from attrs import field, frozen

from polybawt.core import exits
from polybawt.core.exits import ExitRule
from polybawt.core.machines.order import RESTING
from polybawt.core.market import MARKETABLE_BUY_MIN, Side
from polybawt.core.signals.fair_value import VolatilityModel, chance_of_up, volatility
from polybawt.core.sizing import cost_per_share
from polybawt.core.strategies import Intent, Strategy, View, Withdraw
from polybawt.core.units import MILLION, MS_NS, SECOND_NS, Price, Shares, Usdc, cost_up


@frozen(kw_only=True)
class Value(Strategy):
    """Edges are in millionths of a dollar a share; ``noise`` in log price (data-and-quant 5.6)."""

    name: str = "value"
    trust_micro: int = 300_000  # how much of the model is believed, against the book's mid
    rest_edge: int = 20_000
    take_edge: int = 20_000
    keep_edge: int = 10_000  # a resting bid with less than this is withdrawn
    requote: int = 30_000  # and so is one this far below where it would be placed now
    seconds_left_min: float = 4.0
    report_age_ms_max: int = 5_000
    noise: float = 0.00005
    model: VolatilityModel = field(factory=VolatilityModel)
    leave: ExitRule = ExitRule()

    def decide(self, view: View) -> tuple[Intent | Withdraw, ...]:
        fair_up = self.fair(view)
        if fair_up is None:
            leaving = exits.wishes(view, self.leave, self.name)
            gone = {wish.intent_id for wish in leaving if isinstance(wish, Withdraw)}
            back = self._withdraw(view, "no fair value")
            return (*leaving, *(wish for wish in back if wish.intent_id not in gone))
        wishes: list[Intent | Withdraw] = []
        fairs = (fair_up, Price(MILLION - fair_up))
        for at, (token, fair, room) in enumerate(
            zip(view.market.tokens, fairs, view.rooms, strict=True)
        ):
            if sold := exits.of_token(view, self.leave, self.name, at):
                wishes += sold
                continue
            own = [order for order in view.orders if order.token_id == token]
            wishes += self._withdraw_stale(view, token, fair)
            if not own:
                wishes += self._bid(view, token, fair, room)
        return tuple(wishes)

    def fair(self, view: View) -> Price | None:
        """What an "up" share is worth now, the book's mid counted in; None when nobody can say.

        Where one side is empty, nobody would pay a cent, or nobody would sell below a dollar.
        """
        model, token = self.modelled(view), view.market.yes_token
        bid, ask = view.book.best_bid(token), view.book.best_ask(token)
        if model is None or bid is ask is None or view.now_ns < view.market.start_ns:
            return model
        mid = ((bid or 0) + (MILLION if ask is None else ask)) // 2
        return Price((model * self.trust_micro + mid * (MILLION - self.trust_micro)) // MILLION)

    def modelled(self, view: View) -> Price | None:
        """What the model alone says of an "up" share."""
        market, oracle = view.market, view.oracle
        left_s = (market.end_ns - view.now_ns) / SECOND_NS  # below zero when no end is named
        if not market.symbol or not view.book_fresh or left_s < self.seconds_left_min:
            return None
        if view.now_ns < market.start_ns:
            return Price(MILLION // 2)  # the strike is the price of a moment yet to come
        if oracle is None or not oracle.value or not view.strike_e18:
            return None
        if view.now_ns // MS_NS - oracle.latest_ms > self.report_age_ms_max:
            return None
        return chance_of_up(
            oracle,
            market,
            value=oracle.value,
            strike=view.strike_e18,
            sigma=volatility(oracle, self.model),
            seconds_left=market.end_ns / SECOND_NS - oracle.latest_ms / 1_000,
            noise=self.noise,
        )

    def _withdraw(self, view: View, reason: str) -> list[Withdraw]:
        return [
            Withdraw(at_ns=view.now_ns, intent_id=order.intent_id, reason=reason)
            for order in view.orders
            if order.state in RESTING and order.side is Side.BUY
        ]

    def _withdraw_stale(self, view: View, token: str, fair: Price) -> list[Withdraw]:
        wanted = self._resting_price(view, token, fair)
        return [
            Withdraw(at_ns=view.now_ns, intent_id=order.intent_id, reason="fair value moved")
            for order in view.orders
            if order.token_id == token
            and order.state in RESTING
            and order.side is Side.BUY
            and (fair - order.price < self.keep_edge or wanted - order.price >= self.requote)
        ]

    def _resting_price(self, view: View, token: str, fair: Price) -> Price:
        ask = view.book.best_ask(token)
        below = MILLION if ask is None else ask - view.market.tick
        return view.market.price_down(min(fair - self.rest_edge, below))

    def _bid(self, view: View, token: str, fair: Price, room: Usdc) -> list[Intent]:
        ask = view.book.best_ask(token)
        if ask is not None:
            cost = cost_per_share(view.market, ask, taker=True)
            if fair - cost >= self.take_edge:
                size = self.stake(view, fair, cost, room)
                if cost_up(ask, size) >= MARKETABLE_BUY_MIN:
                    return [self.wish(view, token, Side.BUY, ask, size, fair=fair)]
        price = self._resting_price(view, token, fair)
        size = self.stake(view, fair, price, room) if price else Shares(0)
        if not size:
            return []
        return [self.wish(view, token, Side.BUY, price, size, fair=fair, post_only=True)]
