"""Several opinions weighed into one, and a veto for flow that knows more than we do.

The opinions are the model's chance, the chance by spot, and the micro-price of the book; they are
averaged in log-odds, where a weight means the same near 0 and near 1.  Imbalance of the book is so
part of the belief, not a bonus on a stake (there is no derivation for that).  While signed volume
is one-sided beyond a limit, or the book is, everything that rests is withdrawn and nothing is bid.

Source: data-and-quant 5.3 (M7), 5.4, 5.5.
"""

from math import exp, log

from attrs import field, frozen

from polybawt.core.signals.fair_value import PROBABILITY_MIN, as_price
from polybawt.core.signals.imbalance import imbalance, micro_price
from polybawt.core.strategies import Intent, View, Withdraw
from polybawt.core.strategies.snipe import Snipe
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, Price


@frozen(kw_only=True)
class Ensemble(Value):
    """Weights need not sum to one; what cannot be said has none. Limits are of 0 to 1."""

    name: str = "ensemble"
    model_weight: float = 0.3
    spot_weight: float = 0.2
    book_weight: float = 0.5
    vpin_max: float = 0.7
    imbalance_max: float = 0.9
    ahead: Snipe = field(factory=lambda: Snipe(move_sigmas=0.0))

    def decide(self, view: View) -> tuple[Intent | Withdraw, ...]:
        if why := self.toxic(view):
            return tuple(self._withdraw(view, why))
        return super().decide(view)

    def toxic(self, view: View) -> str:
        """Why nothing should rest now; "" when the flow is quiet, or unknown."""
        reading = view.flow.vpin if view.flow else None
        if reading is not None and reading > self.vpin_max:
            return f"one-sided flow, VPIN {reading:.2f}"
        lean = imbalance(view.book, view.market.yes_token)
        return f"one-sided book, {lean:+.2f}" if abs(lean) > self.imbalance_max else ""

    def fair(self, view: View) -> Price | None:
        """The weighted opinion; None where the model itself has none."""
        model = self.modelled(view)
        if model is None or view.now_ns < view.market.start_ns:
            return model
        opinions = (
            (self.model_weight, model),
            (self.spot_weight, self.ahead.fair(view)),
            (self.book_weight, micro_price(view.book, view.market.yes_token)),
        )
        known = [(weight, price) for weight, price in opinions if price is not None and weight > 0]
        total = sum(weight for weight, _ in known)
        if not total:
            return None
        mean = sum(weight * _log_odds(price) for weight, price in known) / total
        return as_price(1 / (1 + exp(-mean)))


def _log_odds(price: Price) -> float:
    chance = min(max(price / MILLION, PROBABILITY_MIN), 1 - PROBABILITY_MIN)
    return log(chance / (1 - chance))
