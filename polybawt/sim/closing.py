"""How markets end: the verdict, the payment, and that nothing of them is left in the end.

A verdict closes the market at once; holders are paid when the last of its trades is final,
because a trade may still fail.  A market stays known for a while after that, for whoever asks
late, and is forgotten when nobody holds anything of it.  Who reaches the verdict is the
``oracle``'s affair; here its verdicts become money.

With ``auto_redeem`` off the accounts of participants are paid when they ask; those of the
simulation itself always are, else a world would never forget a market.

Source: exchange reference 5.3.
"""

from collections import deque
from heapq import heappop, heappush
from typing import Final

from attrs import evolve

from polybawt.core.market import Market
from polybawt.core.units import Usdc
from polybawt.sim import oracle
from polybawt.sim.accounts import ENDOWER, FEES
from polybawt.sim.chain import NEVER_NS
from polybawt.sim.desk import Desk
from polybawt.sim.oracle import NotNow, Payouts, Question
from polybawt.sim.records import QuestionMoved, Resolved
from polybawt.sim.shelf import Shelf

TWO_WINNERS: Final = "another question of this event has come true"
NAMING: Final = ("proposed", "reproposed", "resolved")  # states in which payouts stand


class Closing:
    """Questions, verdicts and payments of one venue."""

    def __init__(self, desk: Desk, shelf: Shelf, *, auto_redeem: bool, keep_ns: int) -> None:
        self._desk, self._shelf = desk, shelf
        self._auto_redeem, self._keep_ns = auto_redeem, keep_ns
        self._questions: dict[str, Question] = {}
        self._verdicts: dict[str, Payouts] = {}
        self._paid: dict[str, Payouts] = {}
        self._leaving: deque[tuple[int, str]] = deque()
        self._windows: list[tuple[int, str]] = []  # also of questions that have moved on since
        for owner in (FEES, ENDOWER):
            desk.orders.adopt(owner)

    # --- questions --------------------------------------------------------------------------

    def pose(self, market: Market) -> None:
        self._questions[market.condition_id] = Question(
            condition_id=market.condition_id, neg_risk=market.neg_risk
        )

    def question(self, condition_id: str) -> Question | None:
        return self._questions.get(condition_id)

    def move(
        self,
        condition_id: str,
        action: str,
        now_ns: int,
        *,
        payouts: Payouts | None = None,
        window_ns: int = oracle.CHALLENGE_NS,
    ) -> Question:
        """Take one step of the oracle; raises ``NotNow``. A verdict closes the market."""
        before = self._questions[condition_id]
        after = oracle.step(before, action, now_ns, payouts=payouts, window_ns=window_ns)
        if after.neg_risk and after.payouts == oracle.YES and action in oracle.SAYS:
            self._check_only_winner(condition_id)
        self._questions[condition_id] = after
        if after.due_ns is not None:
            heappush(self._windows, (after.due_ns, condition_id))
        if action != "report":  # whose only step is the resolution itself
            self._desk.events.append(QuestionMoved(after, now_ns))
        if after.resolved:
            self._decide(condition_id, now_ns)
        return after

    def _check_only_winner(self, condition_id: str) -> None:
        for market in self._shelf.questions_with(self._shelf.markets[condition_id]):
            other = self._questions[market.condition_id]
            named = other.state in NAMING and other.payouts == oracle.YES
            if named and market.condition_id != condition_id:
                raise NotNow(TWO_WINNERS)

    # --- verdicts ---------------------------------------------------------------------------

    def decided(self, condition_id: str) -> bool:
        """Whether there is a verdict, paid or not."""
        return condition_id in self._verdicts or condition_id in self._paid

    def paid(self, condition_id: str) -> Payouts | None:
        """What its shares pay, once they do."""
        return self._paid.get(condition_id)

    def close(self, condition_id: str, now_ns: int, status: str) -> None:
        """Take no more orders, and end those that are open with this status."""
        self._shelf.amend(evolve(self._shelf.markets[condition_id], accepting_orders=False))
        for order in self._desk.orders.of_market(condition_id):
            if order.open:
                self._desk.end(order, status, now_ns)
        for resting in self._desk.books[condition_id].resting():  # recorded levels
            self._desk.take(condition_id, resting, resting.left)
        self._desk.publish(condition_id, now_ns)

    def _decide(self, condition_id: str, now_ns: int) -> None:
        payouts = self._questions[condition_id].payouts
        assert payouts is not None, condition_id
        assert not self.decided(condition_id), condition_id
        self.close(condition_id, now_ns, "CANCELED_MARKET_RESOLVED")
        self._verdicts[condition_id] = payouts
        self.pay_out(now_ns)

    def pay_out(self, now_ns: int) -> None:
        """Pay whoever waits only for the last trade of a market."""
        for condition_id in list(self._verdicts):
            if self._desk.chain.unfinal(condition_id):
                continue
            payouts = self._paid[condition_id] = self._verdicts.pop(condition_id)
            market = self._shelf.markets[condition_id]
            for owner in self._desk.accounts.holders(market):
                if self._auto_redeem or not self._desk.orders.outside(owner):
                    self.redeem(owner, condition_id)
            self._desk.events.append(Resolved(market, *payouts, now_ns))
            self._leaving.append((now_ns + self._keep_ns, condition_id))

    def redeem(self, owner: str, condition_id: str) -> Usdc:
        """Turn one holder's tokens of a resolved market into what they pay."""
        market = self._shelf.markets[condition_id]
        return self._desk.accounts.redeem(owner, market, *self._paid[condition_id])

    # --- time -------------------------------------------------------------------------------

    @property
    def window_due_ns(self) -> int:
        """When the next challenge window ends, or would have ended."""
        return self._windows[0][0] if self._windows else NEVER_NS

    def settle_next(self, now_ns: int) -> None:
        """Accept the proposal that nobody disputed in time, if it still stands."""
        due_ns, condition_id = heappop(self._windows)
        question = self._questions.get(condition_id)
        if question is not None and question.due_ns == due_ns:
            self.move(condition_id, "settle", now_ns)

    @property
    def leaving_due_ns(self) -> int:
        return self._leaving[0][0] if self._leaving else NEVER_NS

    def forget_next(self) -> None:
        """Drop the oldest ended market, unless somebody still holds tokens of it."""
        due_ns, condition_id = self._leaving.popleft()
        market = self._shelf.markets[condition_id]
        if self._desk.accounts.holders(market):
            self._leaving.append((due_ns + self._keep_ns, condition_id))
            return
        self._shelf.drop(market)
        del self._paid[condition_id], self._questions[condition_id]
