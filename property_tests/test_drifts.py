"""A venue that matches, mines late, loses pushes and shows old balances, against our ledger.

Whatever is read in whatever order, fresh or stale: when everything has come to rest and two fresh
readings agree, our ledger is the venue's account to the millionth, and what drifted is nobody's
profit.
"""

from random import Random

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from polybawt.core import facts
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.units import SECOND_NS, cost_up
from tests.core.script import CASH, NO, QUIET, YES, Script

LONG = 10**9  # seconds; the market does not end here
TOKENS = ("", YES, NO)


class Account(RuleBasedStateMachine):
    """``mined`` is what the venue's balance call would show now, ``past`` what it ever did."""

    drifting = True

    def __init__(self) -> None:
        super().__init__()
        self.script = Script().start()
        market = self.script.state.markets["0xc1"]
        self.script.say(
            facts.MarketListed(market=evolve(market, end_ns=market.end_ns + LONG * SECOND_NS))
        )
        self.script.state.config = evolve(QUIET, drift_max_micro=10**12)
        self.mined = {"": int(CASH), YES: 0, NO: 0}
        self.past = {token: [amount] for token, amount in self.mined.items()}
        self.trades = dict[str, facts.TradeReported]()  # matched, by id
        self.steps = dict[str, str]()  # what the venue says of each now
        self.made = 0
        self.script.wait(1)
        self.script.quote()

    def move(self, token: str, amount: int) -> None:
        self.mined[token] += amount
        self.past[token].append(self.mined[token])

    def told(self, trade_id: str, source: str) -> facts.TradeReported:
        report = self.trades[trade_id]
        return evolve(report, status=self.steps[trade_id], source=source, at_ns=0)

    # The venue.

    @rule(count=st.integers(5, 9), cent=st.integers(30, 45), pushed=st.booleans())
    def fill(self, count: int, cent: int, pushed: bool) -> None:
        """An order of ours fills; whether we hear of it is another question."""
        self.script.quote()
        wish = self.script.want(count, cent)
        if wish is None:
            return
        self.script.sign(wish)
        self.script.say(order.AckLive(intent_id=wish.intent_id))
        self.made += 1
        trade_id = f"t{self.made}"
        self.trades[trade_id] = self.script.trade(
            count, cent, trade_id=trade_id, intent_id=wish.intent_id
        )
        self.steps[trade_id] = "MATCHED"
        if pushed:
            self.script.say(self.told(trade_id, "push"))

    @precondition(lambda self: "MATCHED" in self.steps.values())
    @rule(lots=st.randoms(use_true_random=False), pushed=st.booleans(), fails=st.booleans())
    def settle(self, lots: Random, pushed: bool, fails: bool) -> None:
        """Any of them is mined and confirmed, or fails."""
        open_ = sorted(t for t, step in self.steps.items() if step == "MATCHED")
        trade_id = lots.choice(open_)
        self.finish(trade_id, fails)
        if pushed:
            self.script.say(self.told(trade_id, "push"))

    def finish(self, trade_id: str, fails: bool) -> None:
        self.steps[trade_id] = "FAILED" if fails else "CONFIRMED"
        if not fails:
            report = self.trades[trade_id]
            assert report.makers[0].side is Side.BUY
            self.move(report.token_id, report.shares)
            self.move("", -cost_up(report.price, report.shares))

    @precondition(lambda self: self.drifting)
    @rule(token=st.sampled_from(TOKENS), amount=st.integers(-3_000_000, 3_000_000))
    def drift(self, token: str, amount: int) -> None:
        """Somebody pays in, or takes out, beside us."""
        if self.mined[token] + amount >= 0:
            self.move(token, amount)

    # What we read.

    @rule()
    def read_trades(self) -> None:
        sent_ns = self.script.now_ns
        self.script.say(*(self.told(trade_id, "read") for trade_id in self.trades))
        self.script.say(facts.TradesRead(condition_id="", count=0, sent_ns=sent_ns))

    @rule(token=st.sampled_from(TOKENS))
    def read_fresh(self, token: str) -> None:
        self.shown(token, self.mined[token])

    @rule(token=st.sampled_from(TOKENS), back=st.integers(0, 5))
    def read_stale(self, token: str, back: int) -> None:
        self.shown(token, self.past[token][-1 - min(back, len(self.past[token]) - 1)])

    @rule(token=st.sampled_from(TOKENS), back=st.integers(0, 5))
    def read_stale_twice(self, token: str, back: int) -> None:
        """As evidence is gathered, from a cache that stands still."""
        amount = self.past[token][-1 - min(back, len(self.past[token]) - 1)]
        self.shown(token, amount)
        self.read_trades()
        self.script.wait(1)
        self.shown(token, amount)

    def shown(self, token: str, amount: int) -> None:
        self.script.say(
            facts.BalanceRead(token_id=token, amount=amount, sent_ns=self.script.now_ns)
        )

    @rule(seconds=st.sampled_from([0.1, 1, 5]))
    def wait(self, seconds: float) -> None:
        self.script.wait(seconds)

    @invariant()
    def balanced(self) -> None:
        """Two sides of every entry, and positions are what the ledger holds."""
        state = self.script.state
        assert state.ledger.imbalance() == 0
        assert not state.killed()
        held = {token: p.shares for token, p in state.positions.items() if p.shares}
        assert held == state.ledger.holdings

    def teardown(self) -> None:
        """Everything settles and is read, and no cache is stale for ever."""
        for trade_id, step in self.steps.items():
            if step == "MATCHED":
                self.finish(trade_id, False)
        self.read_trades()
        for _ in range(3):
            for token in TOKENS:
                self.shown(token, self.mined[token])
            self.script.wait(self.script.state.config.stale_ns_max // SECOND_NS)
            self.read_trades()
        state = self.script.state
        ours = {token: state.ledger.of("wallet", token) for token in TOKENS}
        assert ours == self.mined
        assert state.drifts == {}
        assert state.ledger.imbalance() == 0
        mids = {token: state.mark(p) for token, p in state.positions.items()}
        whole = state.ledger.profit("test", lambda token: mids[token])
        assert abs(state.pnl() - whole) <= len(TOKENS)  # halves of a millionth


class HonestAccount(Account):
    """Nobody touches it but we: then nothing is ever repaired, whatever the caches show."""

    drifting = False

    @invariant()
    def untouched(self) -> None:
        assert not self.script.state.counters.get("drifts_repaired")


TestAccount = Account.TestCase
TestHonestAccount = HonestAccount.TestCase
