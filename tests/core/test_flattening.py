"""Everything is sold after a day's loss or at an operator's word, and nothing after the kill."""

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.breakers import DAILY_LOSS, FLATTEN, halted
from polybawt.core.commands import CancelOrder, PostOrder, SignOrder
from polybawt.core.machines import order
from polybawt.core.market import Side
from polybawt.core.tiers import Tiers
from polybawt.core.units import MILLION, SECOND_NS, Usdc
from tests.core.script import LIMITS, MARKET, NO, QUIET, T0, YES, Script, cents, shares
from tests.core.test_hedging import ROOMY, a_wish, acked

CAPITAL = 100 * MILLION
LONG = evolve(MARKET, end_ns=T0 + 7_200 * SECOND_NS)
WIDE = evolve(ROOMY, book_age_ns_max=LIMITS.book_age_ns_max)
ENOUGH = facts.FlattenRequested(actor="jo", reason="enough")


def holding(count: float = 50, *, flatten: bool = True, cash: int = CAPITAL) -> Script:
    """A hundred dollars; ``count`` shares bought at 0.40, and bids for all of them."""
    config = evolve(QUIET, limits=WIDE, tiers=Tiers(flatten=flatten))
    script = Script(config=config, market=LONG)
    script.say(facts.Started(epoch=1, config=config), *script.links())
    script.agree(cash=cash)
    script.say(facts.MarketListed(market=script.market))
    script.wait(1)
    bids(script, 40)
    bought(script, count)
    script.wait(0.2)
    return script


def bought(script: Script, count: float, strategy: str = "test", trade_id: str = "t1") -> None:
    intent_id = script.rest(count, 40, strategy=strategy)
    script.say(script.trade(count, 40, intent_id=intent_id, trade_id=trade_id))
    script.say(script.trade(count, 40, "CONFIRMED", intent_id=intent_id, trade_id=trade_id))


def bids(script: Script, price: float, count: float = 500, *deeper: tuple[float, float]) -> None:
    levels = sorted((cents(p), shares(n)) for p, n in ((price, count), *deeper))
    script.quote(bids=tuple(levels), asks=((cents(90), shares(500)),))


def lost(script: Script) -> None:
    """The only bids are at 0.25 now: 7.5 dollars and the fee, of a hundred."""
    bids(script, 25)
    script.wait(0.2)


def sales(script: Script) -> list[SignOrder]:
    return [o for o in script.ever(SignOrder) if o.side is Side.SELL]


def sold(script: Script, sale: SignOrder, count: float, n: int) -> None:
    """The bids take so much of a sale, and its rest expires."""
    acked(script, sale.intent_id)
    price = sale.price / 10_000
    for status in ("MATCHED", "CONFIRMED"):
        script.say(
            script.trade(
                count, price, status, intent_id=sale.intent_id, trade_id=f"s{n}", taker=True
            )
        )
    if script.order(sale.intent_id).state != "filled":
        script.say(
            order.ReadClosed(intent_id=sale.intent_id, matched=shares(count), outcome="expired")
        )


def test_a_days_loss_halts_and_sells_everything() -> None:
    """Five percent of the capital: what rests is withdrawn, what is held goes to the bids.

    Proves: limits.
    """
    script = holding()
    resting = script.rest(5, 30)
    lost(script)
    script.say(order.CancelDone(intent_id=resting))
    script.say(order.ReadClosed(intent_id=resting, matched=shares(0), outcome="cancelled"))
    bids(script, 25)
    script.wait(1)
    (sale,) = sales(script)

    assert script.state.breakers[DAILY_LOSS].state == "latched"
    assert (sale.token_id, sale.price, sale.size) == (YES, cents(25), shares(50))
    assert resting in [c.intent_id for c in script.ever(CancelOrder)]


def test_it_waits_until_no_bid_of_ours_is_left_to_meet() -> None:
    """A bid that is on its way out may still be matched: not by us."""
    script = holding()
    resting = script.rest(5, 30)
    script.say(order.Timeout(intent_id=resting, reason="a test"))
    script.state.orders[resting] = evolve(script.order(resting), state="unknown")
    lost(script)
    assert not sales(script)

    script.say(order.ReadClosed(intent_id=resting, matched=shares(0), outcome="cancelled"))
    bids(script, 25)
    script.wait(1)
    assert len(sales(script)) == 1


@pytest.mark.parametrize(("flatten", "price"), [(False, 25), (True, 35)])
def test_without_the_loss_or_the_setting_nothing_is_sold(flatten: bool, price: float) -> None:
    """Below five percent there is no halt, and a halt need not flatten.

    Proves: limits.
    """
    script = holding(flatten=flatten)
    bids(script, price)
    script.wait(2)

    assert not sales(script)
    assert bool(halted(script.state, "test")) is (price == 25)


def test_it_sells_in_slices_of_what_the_bids_take_until_nothing_is_left() -> None:
    """Twenty at the best bid, then thirty at the next; once per poll.

    Proves: limits.
    """
    script = holding()
    script.say(ENOUGH)
    bids(script, 40, 20, (38, 500))
    script.wait(0.2)
    (first,) = sales(script)
    assert (first.price, first.size) == (cents(40), shares(20))
    sold(script, first, 20, 1)
    script.wait(0.5)
    assert len(sales(script)) == 1

    bids(script, 38)
    script.wait(0.6)
    second = sales(script)[-1]
    assert (second.price, second.size) == (cents(38), shares(30))
    sold(script, second, 30, 2)
    for _ in range(5):
        bids(script, 38)
        script.wait(1)
    assert len(sales(script)) == 2
    assert not script.state.ledger.holdings


def test_a_slice_is_no_less_than_the_smallest_order() -> None:
    """The best bid takes three: then it reaches a level deeper."""
    script = holding()
    script.say(ENOUGH)
    bids(script, 40, 3, (38, 30))
    script.wait(0.2)
    (sale,) = sales(script)

    assert (sale.price, sale.size) == (cents(38), shares(33))


def test_what_expires_unfilled_is_sold_again() -> None:
    """And never twice at once.

    Proves: B-exec.
    """
    script = holding()
    script.say(ENOUGH)
    script.wait(0.2)
    first = sales(script)[0]
    acked(script, first.intent_id)
    bids(script, 39)
    script.wait(1)
    assert [o.intent_id for o in sales(script)] == [first.intent_id]
    assert first.intent_id in [c.intent_id for c in script.ever(CancelOrder)]

    script.say(order.ReadClosed(intent_id=first.intent_id, matched=shares(0), outcome="cancelled"))
    bids(script, 39)
    script.wait(1)
    assert [(o.price, o.size) for o in sales(script)][1:] == [(cents(39), shares(50))]


def test_each_holder_sells_its_own() -> None:
    """The sale stands with the strategy whose shares they are.

    Proves: limits.
    """
    script = holding(20)
    bought(script, 10, strategy="other", trade_id="t9")
    script.say(ENOUGH)
    script.wait(0.2)
    first = sales(script)[0]
    assert script.order(first.intent_id).strategy == "test"
    sold(script, first, 20, 1)
    bids(script, 40)
    script.wait(1)
    second = sales(script)[-1]

    assert (script.order(second.intent_id).strategy, second.size) == ("other", shares(10))


def test_nothing_is_sold_after_the_kill() -> None:
    """The kill switch sends nothing, not even this.

    Proves: kill.
    """
    script = holding()
    script.say(facts.KillRequested(actor="jo", reason="a test", source="terminal"), ENOUGH)
    posted = len(script.ever(PostOrder))
    for _ in range(5):
        bids(script, 25)
        script.wait(1)

    assert not sales(script)
    assert len(script.ever(PostOrder)) == posted


def test_nothing_is_sold_in_a_market_that_has_ended() -> None:
    script = holding()
    script.now_ns = LONG.end_ns
    script.say(ENOUGH)
    script.wait(1)

    assert not sales(script)
    assert "refused:market_open" not in script.state.counters


def test_an_operators_flattening_bars_entries_until_it_is_reset() -> None:
    """With a reason, or it does not begin; and none of a strategy's wishes passes meanwhile.

    Proves: limits.
    """
    script = holding()
    script.say(evolve(ENOUGH, reason=" "))
    assert FLATTEN not in script.state.breakers
    resting = script.rest(5, 30)
    script.say(ENOUGH)
    assert script.want(5, 30) is None
    assert script.state.counters["refused:halted"] == 1

    script.wait(0.1)
    assert [c.intent_id for c in script.of(CancelOrder)] == [resting]
    script.say(facts.ResetRequested(breaker=FLATTEN, actor="jo", reason="calm again"))
    assert script.want(5, 30) is not None


def test_a_hedge_is_abandoned_first_and_its_pairs_are_sold_when_it_has_ended() -> None:
    """Its naked shares are its own to sell; nobody sells them twice.

    Proves: limits, P2.1.
    """
    script = Script(config=evolve(QUIET, limits=WIDE), market=LONG)
    script.start()
    script.quote()
    script.say(a_wish())
    script.say(script.trade(10, 30, intent_id=acked(script, "i1"), trade_id="t1"))
    script.say(script.trade(10, 30, "CONFIRMED", intent_id="i1", trade_id="t1"))
    cover = acked(script, "i2")
    script.say(script.trade(5, 60, intent_id=cover, trade_id="t2", taker=True))
    script.say(script.trade(5, 60, "CONFIRMED", intent_id=cover, trade_id="t2", taker=True))
    script.say(ENOUGH)
    script.wait(0.3)
    assert script.state.counters["hedge_abandoned:flattening"] == 1
    script.say(order.ReadClosed(intent_id=cover, matched=shares(5), outcome="cancelled"))
    script.quote()
    script.wait(1)
    (naked,) = sales(script)
    assert (naked.token_id, naked.size) == (YES, shares(5))
    sold(script, naked, 5, 1)
    for _ in range(33):
        script.quote()
        script.wait(1)

    assert not script.state.hedges
    assert {(o.token_id, o.size) for o in sales(script)[1:]} == {(YES, shares(5)), (NO, shares(5))}
    assert script.state.ledger.holdings == {YES: shares(5), NO: shares(5)}
    assert script.state.cash_free() > Usdc(0)
