"""No sequence of conversions, failures and silences loses or makes a micro-dollar.

The kernel against a venue's accounts in plain sums: whatever is asked, answered, lost, repeated
or restarted, the wallet of the ledger holds what the venue holds of everything that is booked,
positions and rounds agree with it, and no share is promised twice.
"""

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from polybawt.core import facts
from polybawt.core.commands import Convert
from polybawt.core.machines import conversion as c
from polybawt.core.market import Market
from polybawt.core.state import Config
from polybawt.core.strategies import Swap
from polybawt.core.units import MILLION, Shares, Usdc
from tests.core.script import LIMITS, MARKET, Script, cents, shares

COUNT = 3
STRATEGIES = ("one", "two")
ROOMY = evolve(
    LIMITS,
    **dict.fromkeys(
        (f"{of}_exposure_max" for of in ("token", "condition", "event", "class", "joint", "total")),
        Usdc(1_000 * MILLION),
    ),
)
amounts = st.one_of(st.integers(1, 4 * MILLION), st.sampled_from([MILLION, 10 * MILLION]))
ANSWERS = (c.SeenMoving, c.SeenMined, c.SeenConfirmed, c.SeenFailed)


def event() -> list[Market]:
    return [
        evolve(
            MARKET, condition_id=f"0xe{n}", slug=f"e{n}", yes_token=f"{n}1", no_token=f"{n}2",
            symbol="", start_ns=0, end_ns=0, neg_risk=True, neg_risk_id="0xevent",
            event_id="event",
        )
        for n in range(1, COUNT + 1)
    ]  # fmt: skip


class Sums(RuleBasedStateMachine):
    """``booked``: what the venue did of each conversion that is not taken back, by commodity."""

    @initialize(prices=st.lists(st.integers(1, 98), min_size=COUNT, max_size=COUNT))
    def init(self, prices: list[int]) -> None:
        self.markets = event()
        self.config = Config(strategies=(), limits=ROOMY)
        self.script = Script(config=self.config, market=self.markets[0]).start()
        for market, price in zip(self.markets, prices, strict=True):
            self.script.say(facts.MarketListed(market=market))
            self.script.wait()
            self.script.market = market
            self.script.quote(((cents(price), shares(100)),), ((cents(price + 1), shares(100)),))
        for who in STRATEGIES:  # ten sets of each question to play with
            for market in self.markets:
                self.wish(who, c.SPLIT, 10 * MILLION, {self.markets.index(market)})
                (record,) = self.open
                named = record.conversion_id
                self.script.say(c.AckTaken(conversion_id=named, transaction_id="t"))
                self.script.say(c.SeenConfirmed(conversion_id=named))
        self.began = dict(self.script.state.ledger.balances["wallet"])
        self.moved: dict[str, dict[str, int]] = {}
        self.reversals = 0

    @property
    def open(self) -> list[c.Conversion]:
        return list(self.script.state.conversions.values())

    def chosen(self, which: int) -> c.Conversion | None:
        return self.open[which % len(self.open)] if self.open else None

    def expected(self, record: c.Conversion) -> dict[str, int]:
        """What the contracts do, as the simulated ones have it (sim/contracts.py)."""
        named = [m for m in self.markets if m.condition_id in record.condition_ids]
        n = record.amount
        if record.kind == c.CONVERT:
            others = [m for m in self.markets if m not in named]
            given, taken = {m.no_token: -n for m in named}, {m.yes_token: n for m in others}
            return {"": (len(named) - 1) * n, **given, **taken}
        sign = 1 if record.kind == c.MERGE else -1
        return {"": sign * n, **{token: -sign * n for token in named[0].tokens}}

    def say(self, action: c.Action, record: c.Conversion) -> None:
        """Tell it, and do at the venue what it tells."""
        known, named = record.state, record.conversion_id
        if not c.ConversionMachine.allows(record, action):
            return
        self.script.say(action)
        if isinstance(action, c.SeenMined | c.SeenConfirmed) and known == "taken":
            self.moved[named] = self.expected(record)
        if isinstance(action, c.SeenFailed):
            self.reversals += self.moved.pop(named, None) is not None

    @rule(
        who=st.sampled_from(STRATEGIES),
        kind=st.sampled_from([c.SPLIT, c.SPLIT, c.MERGE, c.CONVERT]),
        amount=amounts,
        which=st.sets(st.integers(0, COUNT - 1), min_size=1),
    )
    def wish(self, who: str, kind: str, amount: int, which: set[int]) -> None:
        named = sorted(which) if kind == c.CONVERT else [min(which)]
        ids = tuple(self.markets[n].condition_id for n in named)
        self.script.say(Swap(strategy=who, kind=kind, condition_ids=ids, amount=Shares(amount)))

    @rule(which=st.integers(0, 9))
    def taken(self, which: int) -> None:
        if record := self.chosen(which):
            named = record.conversion_id
            self.say(c.AckTaken(conversion_id=named, transaction_id=f"t{named}"), record)

    @rule(which=st.integers(0, 9))
    def declined(self, which: int) -> None:
        if record := self.chosen(which):
            self.say(c.AckDeclined(conversion_id=record.conversion_id, reason="no"), record)

    @rule(which=st.integers(0, 9))
    def lost(self, which: int) -> None:
        if record := self.chosen(which):
            self.say(c.AckLost(conversion_id=record.conversion_id, reason="silence"), record)

    @rule(which=st.integers(0, 9), kind=st.sampled_from(ANSWERS))
    def seen(self, which: int, kind: type[c.Action]) -> None:
        if record := self.chosen(which):
            terms = {"reason": "reverted"} if kind is c.SeenFailed else {}
            self.say(kind(conversion_id=record.conversion_id, **terms), record)

    @rule(seconds=st.integers(1, 200))
    def wait(self, seconds: int) -> None:
        self.script.wait(seconds)

    @rule()
    def restart(self) -> None:
        epoch = self.script.state.epoch + 1
        self.script.say(facts.Started(epoch=epoch, config=self.config), *self.script.links())
        self.script.agree()

    # What must always hold.

    @invariant()
    def the_wallet_is_what_the_venue_has(self) -> None:
        there = dict(self.began)
        for part in self.moved.values():
            for commodity, amount in part.items():
                there[commodity] = there.get(commodity, 0) + amount
        wallet = self.script.state.ledger.balances["wallet"]
        assert wallet == {commodity: n for commodity, n in there.items() if n}
        assert self.script.state.ledger.imbalance() == 0

    @invariant()
    def positions_are_the_rounds_of_all(self) -> None:
        state = self.script.state
        tokens = {token for market in self.markets for token in market.tokens}
        for token in tokens:
            held = state.positions[token].shares if token in state.positions else 0
            assert held == sum(state.ledger.shares(who, token) for who in STRATEGIES)
            for who in STRATEGIES:
                own = sum(r.giving(token) for r in self.open if r.strategy == who)
                if not self.reversals:  # of a split, after its shares were given away
                    assert state.ledger.shares(who, token) >= own

    @invariant()
    def each_conversion_is_exact(self) -> None:
        for record in self.open:
            assert record.brings == self.expected(record)[""]
            assert all(part.notional >= 0 for part in record.parts)

    @invariant()
    def a_name_is_asked_for_by_one_conversion(self) -> None:
        asked = {(one.name, one.conversion_id) for one in self.script.ever(Convert)}
        assert len(asked) == len({name for name, _ in asked}) == len({named for _, named in asked})


TestSums = Sums.TestCase
