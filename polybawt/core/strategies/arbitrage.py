"""Arbitrage: a set of tokens that pays a fixed amount, for less; or for more, the set sold.

Of one market, yes and no together are a dollar: buy both below it and merge them, or sell both
above it, out of what is held or of what was split for it.  By mirroring that is only so while a
book crosses itself, so it is doubted first, and the kernel lets no crossed book through that is
not proven twice.  Of an event of n questions of which exactly one comes true, all yes are a
dollar, and all no are n - 1 dollars, at once, by conversion.  There the books are apart, and
crowds disagree.

It looks at all books of a set at one moment, each proven by its hash, and takes all legs at once,
the one with the least depth first, by orders that live for seconds.  It remembers nothing: what
it holds, what is still open, and the books say what is to be done next.  Nothing, while an order
or a conversion is open; then a set that is whole is turned into money, or sold, or held to the
end where only the end pays it (all yes); a rest that has no other half after its orders' time is
over is completed, where that loses less than selling it, or sold; and only then a new one begins.
Halted by a breaker it buys nothing any more: what it has is sold or turned into money.

A set that looks far too cheap is no gift: a question is missing, or a book is wrong.

Source: quantitative reference 0.2, 5.1 and 5.2.  Requirements H2, P2.2.
"""

from collections.abc import Sequence

from attrs import frozen

from polybawt.core import pricing, sets
from polybawt.core.machines.conversion import CONVERT, MERGE, SPLIT
from polybawt.core.market import LOT, MARKETABLE_BUY_MIN, Side
from polybawt.core.sets import Basket, Leg
from polybawt.core.strategies import Intent, Question, Strategy, Swap, View
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc, cost_up

YES, NO = 0, 1
Wishes = tuple[Intent | Swap, ...]


@frozen
class Family:
    """Tokens that are worth ``worth`` together, and how many are held of each."""

    questions: tuple[Question, ...]
    tokens: tuple[str, ...]
    held: tuple[int, ...]
    entries: tuple[Price, ...]
    rooms: tuple[Usdc, ...]
    worth: int

    @property
    def whole(self) -> Shares:
        """Sets that are complete, in whole lots."""
        return Shares(min(self.held) // LOT * LOT)

    def without(self, given: Sequence[int]) -> "Family":
        held = tuple(max(0, has - gone) for has, gone in zip(self.held, given, strict=True))
        return Family(self.questions, self.tokens, held, self.entries, self.rooms, self.worth)

    def legs(self, side: Side, reach_ticks: int) -> list[Leg]:
        return [
            sets.leg(question.book, token, side, reach_ticks=reach_ticks)
            for question, token in zip(self.questions, self.tokens, strict=True)
        ]


@frozen(kw_only=True)
class Arbitrage(Strategy):
    """``edge``: what a set must bring after fees, millionths of a dollar; ``sets_max`` at a time.

    ``slack``: a set that was begun may cost so much more than it is worth; ``doubt``: one that
    seems to bring more than this is no set.  ``lifetime_s`` is the time stop of its legs.
    """

    name: str = "arbitrage"
    order_notional_max: Usdc = Usdc(10_000_000)
    lifetime_s: int = 3
    edge: int = 10_000
    doubt: int = 150_000
    slack: int = 20_000
    sets_max: Shares = Shares(20_000_000)
    sets_min: Shares = Shares(1_000_000)
    reach_ticks: int = 5
    price_max: Price = Price(950_000)
    seconds_left_min: float = 5.0

    def decide(self, view: View) -> Wishes:
        questions = view.event or (view,)
        if questions[0].market.condition_id != view.market.condition_id:
            return ()  # an event is looked at once, not once for each of its questions
        if view.market.neg_risk_id and len(questions) < 2:
            return ()  # the other books are missing: what is held of them is not seen either
        if self._busy(view, questions) or not all(map(_proven, questions)):
            return ()
        families = _families(questions)
        return (
            self._settled(view, questions, families)
            or self._evened(view, families)
            or self._begun(view, families)
        )

    def _busy(self, view: View, questions: Sequence[Question]) -> bool:
        ids = {question.market.condition_id for question in questions}
        moving = any(ids.intersection(record.condition_ids) for record in view.conversions)
        return moving or any(question.orders for question in questions)

    # What is whole.

    def _settled(
        self, view: View, questions: Sequence[Question], families: Sequence[Family]
    ) -> Wishes:
        """Sell sets that bring more than they are worth; turn the others into money."""
        wishes: list[Intent | Swap] = []
        for family in families:
            if family.whole >= self.sets_min and not _convertible(family):
                wishes += self._sold(view, family)
        if wishes:
            return tuple(wishes)
        if len(questions) == 1:
            (family,) = families
            return self._swap(view, MERGE, (view.market.condition_id,), family.whole)
        all_yes, all_no = families
        ids = tuple(question.market.condition_id for question in questions)
        merged: Wishes = ()
        for question, yes, no in zip(questions, all_yes.held, all_no.held, strict=True):
            pairs = Shares(min(yes - all_yes.whole, no - all_no.whole) // LOT * LOT)
            merged += self._swap(view, MERGE, (question.market.condition_id,), pairs)
        return (*merged, *self._swap(view, CONVERT, ids, all_no.whole))

    def _swap(
        self, view: View, kind: str, condition_ids: tuple[str, ...], amount: Shares
    ) -> Wishes:
        if amount < self.sets_min:
            return ()
        return (
            Swap(
                at_ns=view.now_ns,
                strategy=self.name,
                kind=kind,
                condition_ids=condition_ids,
                amount=amount,
            ),
        )

    def _sold(self, view: View, family: Family) -> Wishes:
        """Sets that are held, where the bids are above what they pay."""
        legs = family.legs(Side.SELL, self.reach_ticks)
        found = sets.basket(legs, worth=family.worth, edge=self.edge, most=family.whole)
        return self._orders(view, legs, found, "exit") if found else ()

    # What is not.

    def _evened(self, view: View, families: Sequence[Family]) -> Wishes:
        """A rest without its other half: the time of its legs is over."""
        wishes: list[Intent | Swap] = []
        for family in families:
            rest = family.without([family.whole] * len(family.held))
            if any(_tradable(q, n) for q, n in zip(rest.questions, rest.held, strict=True)):
                completed = () if view.halted else self._completed(view, rest)
                wishes += completed or self._dropped(view, rest)
        return tuple(wishes)

    def _completed(self, view: View, rest: Family) -> Wishes:
        """Buy what is missing, unless that costs too much, or more than selling loses."""
        most = Shares(max(rest.held) // LOT * LOT)
        missing = [Shares((most - held) // LOT * LOT) for held in rest.held]
        legs = rest.legs(Side.BUY, self.reach_ticks)
        wanted = [
            (question, one, size)
            for question, one, size in zip(rest.questions, legs, missing, strict=True)
            if size
        ]
        limits = [pricing.deepest(one.levels, size) for _, one, size in wanted]
        for (question, one, size), limit in zip(wanted, limits, strict=True):
            least = cost_up(limit, size) >= MARKETABLE_BUY_MIN
            if one.depth < size or not _tradable(question, size) or not least:
                return ()
            if limit > self.price_max:
                return ()
        cost = sum(one.total(size) for _, one, size in wanted)
        sunk = sum(
            entry * held // MILLION for entry, held in zip(rest.entries, rest.held, strict=True)
        )
        worth = rest.worth * most // MILLION
        if sunk + cost > worth + self.slack * most // MILLION or worth - cost < _salvage(rest):
            return ()
        return tuple(
            self._intent(view, one, limit, size, "hedge")
            for (_, one, size), limit in zip(wanted, limits, strict=True)
        )

    def _dropped(self, view: View, rest: Family) -> Wishes:
        """Sell what has no other half."""
        wishes = []
        legs = rest.legs(Side.SELL, self.reach_ticks)
        for question, one, held in zip(rest.questions, legs, rest.held, strict=True):
            size = Shares(min(held, one.depth) // LOT * LOT)
            if _tradable(question, size):
                limit = pricing.deepest(one.levels, size)
                wishes.append(self._intent(view, one, limit, size, "exit"))
        return tuple(wishes)

    # What begins.

    def _begun(self, view: View, families: Sequence[Family]) -> Wishes:
        left_s = (view.market.end_ns - view.now_ns) / SECOND_NS
        if view.halted or (view.market.end_ns and left_s < self.seconds_left_min):
            return ()
        for family in families:
            if wishes := self._long(view, family):
                return wishes
        return self._short(view, families[0]) if len(families) == 1 else ()

    def _long(self, view: View, family: Family) -> Wishes:
        """Buy a set for less than it pays."""
        legs = family.legs(Side.BUY, self.reach_ticks)
        most = self._most(family)
        for _ in range(2):
            found = self._found(family, legs, most)
            if found is None:
                return ()
            takes, room = found.takes(legs), min(family.rooms)
            dearest = cost_up(max(found.limits), found.size)
            if takes <= room and dearest <= self.order_notional_max:
                whole = _survives(found, legs, view.scale_micro)
                return self._orders(view, legs, found, "entry") if whole else ()
            by_room = found.size * room // takes  # the limits are dearer than the volume
            most = Shares(min(by_room, found.size * self.order_notional_max // dearest))
        return ()

    def _found(self, family: Family, legs: Sequence[Leg], most: Shares) -> Basket | None:
        found = sets.basket(legs, worth=family.worth, edge=self.edge, most=most)
        if found is None or max(found.limits) > self.price_max:
            return None
        return found if found.gain * MILLION <= self.doubt * found.size else None

    def _short(self, view: View, family: Family) -> Wishes:
        """Split collateral where its halves can be sold for more: once they are there they are."""
        legs = family.legs(Side.SELL, self.reach_ticks)
        found = sets.basket(legs, worth=family.worth, edge=self.edge, most=self._most(family))
        if found is None or found.gain * MILLION > self.doubt * found.size:
            return ()
        return self._swap(view, SPLIT, (view.market.condition_id,), found.size)

    def _most(self, family: Family) -> Shares:
        """How many sets the settings and the limits allow, if each cost all that it pays."""
        room = min(family.rooms) * MILLION // family.worth
        return Shares(max(0, min(self.sets_max, room)))

    # Orders.

    def _orders(self, view: View, legs: Sequence[Leg], found: Basket, purpose: str) -> Wishes:
        """All legs at once, the one that may be gone first in front."""
        parts = sorted(zip(legs, found.limits, strict=True), key=lambda part: part[0].depth)
        return tuple(self._intent(view, one, limit, found.size, purpose) for one, limit in parts)

    def _intent(self, view: View, one: Leg, limit: Price, size: Shares, purpose: str) -> Intent:
        market = one.book.market
        return self.wish(view, one.token_id, one.side, limit, size, market=market, purpose=purpose)


def _proven(question: Question) -> bool:
    """Fresh, and no change waits for its hash."""
    views = question.book.views.values()
    return question.book_fresh and not any(view.unproven for view in views)


def _tradable(question: Question, size: int) -> bool:
    return size >= max(question.market.min_size, LOT)


def _survives(found: Basket, legs: Sequence[Leg], scale_micro: int) -> bool:
    """Whether every leg is still an order when the breakers have made all of them smaller."""
    size = Shares(found.size * scale_micro // MILLION // LOT * LOT)
    cheapest = cost_up(min(found.limits), size)
    least = max(one.book.market.min_size for one in legs)
    return size >= least and cheapest >= MARKETABLE_BUY_MIN


def _convertible(family: Family) -> bool:
    """All no of an event: what they pay can be had at once, so selling them is no gain."""
    return family.worth > MILLION


def _salvage(rest: Family) -> int:
    """What the bids would pay for what has no other half."""
    worth = 0
    for one, held in zip(rest.legs(Side.SELL, 1_000), rest.held, strict=True):
        worth += one.total(Shares(min(held, one.depth)))
    return worth


def _families(questions: tuple[Question, ...]) -> list[Family]:
    """The sets that there are: a pair, or all yes and all no of an event."""
    if len(questions) == 1:
        (one,) = questions
        return [Family((one, one), one.market.tokens, one.held, one.entries, one.rooms, MILLION)]
    return [
        Family(
            questions,
            tuple(q.market.tokens[side] for q in questions),
            tuple(q.held[side] for q in questions),
            tuple(q.entries[side] for q in questions),
            tuple(q.rooms[side] for q in questions),
            worth,
        )
        for side, worth in ((YES, MILLION), (NO, (len(questions) - 1) * MILLION))
    ]
