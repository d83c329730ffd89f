"""Neg-risk events of the paper world: one question for each of three, of which one comes true.

Each event's chances wander until its end, and the crowd does not see them quite as they are: now
and then it gets carried away about one of the questions for a few seconds, and then the set of all
three costs less, or brings more, than the dollar it is worth.  That is the mispricing that an
arbitrage lives on; it is made of beliefs, and stands on the book as ordinary orders.

At its end an event closes and is settled by the optimistic oracle, with a challenge window as
short as the terms say.  Of every few events one is first proposed wrongly and disputed.

Source: exchange reference 5.3; quantitative reference 5.2.
"""

import math
import random
from contextlib import suppress
from typing import Final

from attrs import field, frozen

from polybawt.core.market import FeeSchedule, Market
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares
from polybawt.sim.agents import Maker
from polybawt.sim.catalogue import EventTerms
from polybawt.sim.ids import v1_ids, word
from polybawt.sim.oracle import NO, YES, NotNow
from polybawt.sim.prices import Path
from polybawt.sim.venue import Venue

LABELS: Final = ("Ada", "Bob", "Cleo")
FEES: Final = FeeSchedule(rate_micro=40_000)  # politics, reference 3.6
FIRST_ID: Final = 10_000_000  # of events; beyond every other
DRIFT: Final = 0.03  # how far a question's log-odds wander in a root second
SPREAD: Final = 0.8  # and how far apart they begin
MOOD_EVERY_S, MOOD_LASTS_S = 20, 6
MOOD: Final = 0.12  # how wrong the crowd is when carried away
DISPUTED_EVERY: Final = 3
CHANCE_MIN: Final = 0.06


class Chances:
    """What the three chances are at a time, and what the crowd takes them for."""

    def __init__(self, name: str, start_ns: int) -> None:
        self._name, self._start_s = name, start_ns // SECOND_NS
        self._lots = random.Random(f"chances of {name}")
        self._odds = [[self._lots.gauss(0.0, SPREAD) for _ in LABELS]]

    def at(self, now_ns: int) -> list[float]:
        """The true chances; they add up to one."""
        second = max(now_ns // SECOND_NS - self._start_s, 0)
        while len(self._odds) <= second:
            self._odds.append([odds + self._lots.gauss(0.0, DRIFT) for odds in self._odds[-1]])
        weights = [math.exp(odds) for odds in self._odds[second]]
        return [weight / sum(weights) for weight in weights]

    def believed(self, now_ns: int) -> list[float]:
        """The same with the mood of the moment on one of them."""
        chances = self.at(now_ns)
        spell, into_s = divmod(now_ns // SECOND_NS, MOOD_EVERY_S)
        if into_s < MOOD_LASTS_S:
            lots = random.Random(f"mood {spell} of {self._name}")
            chances[lots.randrange(len(chances))] += lots.choice((-MOOD, MOOD))
        return [min(max(chance, CHANCE_MIN), 1 - CHANCE_MIN) for chance in chances]

    def winner(self, end_ns: int) -> int:
        lots = random.Random(f"winner of {self._name}")
        return lots.choices(range(len(LABELS)), self.at(end_ns))[0]


@frozen(kw_only=True)
class Choice:
    """One event; ``number`` counts those of a world."""

    number: int
    terms: EventTerms
    markets: tuple[Market, ...]
    chances: Chances = field(eq=False, repr=False)

    @property
    def end_ns(self) -> int:
        return self.markets[0].end_ns


def choice(seed: str, number: int, start_ns: int, lasts_s: int) -> Choice:
    """The event of a number; its ids follow from the seed."""
    name, event_id = f"{seed}/choice {number}", str(FIRST_ID + number)
    labels = LABELS
    terms = EventTerms(
        event_id=event_id, slug=f"who-wins-round-{number}", title=f"Who wins round {number}?",
        category="politics", tags=("politics",), labels=labels,
    )  # fmt: skip
    markets = []
    for label in labels:
        condition_id, yes_token, no_token = v1_ids(f"{name}/{label}")
        markets.append(
            Market(
                condition_id=condition_id, slug=f"will-{label.lower()}-win-round-{number}",
                question=f"Will {label} win round {number}?", yes_token=yes_token,
                no_token=no_token, tick=Price(10_000), min_size=Shares(5 * MILLION), fees=FEES,
                neg_risk=True, start_ns=start_ns, end_ns=start_ns + lasts_s * SECOND_NS,
                event_id=event_id, neg_risk_id=word(f"event of {name}"), category="politics",
                tags=("politics",), created_ns=start_ns,
            )
        )  # fmt: skip
    return Choice(
        number=number, terms=terms, markets=tuple(markets), chances=Chances(name, start_ns)
    )


class ChoiceMaker(Maker):
    """Quotes every question of the events that are open, as the crowd sees them."""

    def __init__(self, name: str, venue: Venue, path: Path, open_now: "Choices") -> None:
        super().__init__(name, venue, path)
        self._open_now = open_now

    def belief(self, market: Market, now_ns: int) -> float:
        return self._open_now.believed(market, now_ns) + self.lots.gauss(0.0, 0.003)

    def half_spread(self) -> float:
        return self.lots.uniform(0.006, 0.012)

    def looks(self, market: Market) -> bool:
        return self.lots.random() < self.LOOKS


class Choices:
    """``count`` events at a time, each followed by the next when it ends."""

    def __init__(
        self, seed: str, count: int, lasts_s: int, challenge_ns: int, venue: Venue
    ) -> None:
        self._seed, self._lasts_s, self._challenge_ns = seed, lasts_s, challenge_ns
        self._venue = venue
        self._count, self._numbers = count, 0
        self._open: dict[int, Choice] = {}
        self._proposed: list[tuple[int, str]] = []  # time, question that is proposed wrongly
        self._events: dict[str, Choice] = {}
        self.terms: dict[str, EventTerms] = {}
        """Everything that was ever listed here and is not forgotten, by the id of the event."""

    def believed(self, market: Market, now_ns: int) -> float:
        """What the crowd gives a question."""
        event = self._events[market.event_id]
        nth = [m.condition_id for m in event.markets].index(market.condition_id)
        return event.chances.believed(now_ns)[nth]

    def open_now(self) -> list[Market]:
        known = self._venue.markets
        ids = [m.condition_id for event in self._open.values() for m in event.markets]
        found = [known[condition_id] for condition_id in ids if condition_id in known]
        return [market for market in found if market.accepting_orders]

    def step(self, now_ns: int) -> None:
        """End what is over, list what follows, and move the oracle's questions on."""
        for event in [event for event in self._open.values() if event.end_ns <= now_ns]:
            del self._open[event.number]
            self._end(event, now_ns)
        while len(self._open) < self._count:
            self._list(now_ns)
        self._dispute(now_ns)

    def _list(self, now_ns: int) -> None:
        event = choice(self._seed, self._numbers, now_ns, self._lasts_s)
        self._numbers += 1
        self._open[event.number] = event
        self._events[event.terms.event_id] = event
        self.terms[event.terms.event_id] = event.terms
        for market in event.markets:
            self._venue.list_market(market, now_ns)
        self._forget()

    def _forget(self) -> None:
        """What the venue has forgotten needs no chances any more."""
        known = {market.event_id for market in self._venue.markets.values()}
        for event_id in self._events.keys() - known:
            del self._events[event_id], self.terms[event_id]

    def _end(self, event: Choice, now_ns: int) -> None:
        """Close the questions and propose; every few events the winner is overlooked."""
        winner = event.chances.winner(event.end_ns)
        wrongly = event.number % DISPUTED_EVERY == DISPUTED_EVERY - 1
        for n, market in enumerate(event.markets):
            if not self._venue.unasked(market.condition_id):
                continue  # somebody else has asked the oracle
            self._venue.close(market.condition_id, now_ns)
            overlooked = wrongly and n == winner
            self._propose(market.condition_id, now_ns, wins=n == winner and not overlooked)
            if overlooked:
                self._proposed.append((now_ns + self._challenge_ns // 2, market.condition_id))

    def _dispute(self, now_ns: int) -> None:
        """Somebody objects in time, and proposes what is right."""
        due = [condition_id for due_ns, condition_id in self._proposed if due_ns <= now_ns]
        self._proposed = [wrong for wrong in self._proposed if wrong[0] > now_ns]
        for condition_id in due:
            question = self._venue.question(condition_id)
            if question is not None and question.state == "proposed":
                self._venue.ask_oracle(condition_id, "dispute", now_ns)
                self._propose(condition_id, now_ns, wins=True)

    def _propose(self, condition_id: str, now_ns: int, *, wins: bool) -> None:
        """Propose YES or NO; NO too when another question has come true meanwhile."""
        for payouts in (YES, NO) if wins else (NO,):
            with suppress(NotNow):
                self._venue.ask_oracle(
                    condition_id, "propose", now_ns, payouts=payouts, window_ns=self._challenge_ns
                )
                return
