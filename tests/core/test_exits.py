"""A strategy leaves at a profit, at a loss, or in time; once, and never with more than it has."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core import exits
from polybawt.core.book import Book, Levels
from polybawt.core.commands import SignOrder
from polybawt.core.exits import ExitRule
from polybawt.core.machines import order
from polybawt.core.machines.order import Order
from polybawt.core.market import Side
from polybawt.core.strategies import Intent, View, Withdraw
from polybawt.core.strategies.value import Value
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from tests.core.script import MARKET, NO, QUIET, T0, YES, Script, cents, shares

NOW = T0 + 100 * SECOND_NS
RULE = ExitRule(take_profit=50_000, stop_loss=100_000, seconds_left_min=20)
RESTING = evolve(RULE, rest=True)
HELD = (shares(10), Shares(0))
COST = (cents(50), Price(0))


def a_view(bid: float = 50, deep: float = 100, **other: Any) -> View:
    bids: Levels = ((cents(bid - 1), shares(100)), (cents(bid), shares(deep)))
    book = Book(MARKET)
    book.replace(YES, bids, ((cents(90), shares(50)),))
    terms: dict[str, Any] = {
        "now_ns": NOW,
        "market": MARKET,
        "book": book,
        "book_fresh": True,
        "oracle": None,
        "strike_e18": 0,
        "orders": (),
        "bankroll": Usdc(1_000 * MILLION),
        "rooms": (Usdc(0), Usdc(0)),
        "held": HELD,
        "entries": COST,
    }
    return View(**(terms | other))


def own(price: float, side: Side = Side.SELL, state: str = "live") -> Order:
    return Order(
        intent_id="i7", strategy="value", condition_id="0xc1", token_id=YES, side=side,
        price=cents(price), size=shares(10), post_only=True, created_ns=T0, ends_ns=T0,
        expiration_s=0, state=state,
    )  # fmt: skip


def sold(view: View, rule: ExitRule = RULE) -> list[tuple[int, int, bool]]:
    made = [wish for wish in exits.wishes(view, rule, "value") if isinstance(wish, Intent)]
    assert all(w.side is Side.SELL and w.purpose == "exit" and w.token_id == YES for w in made)
    return [(wish.price, wish.size, wish.post_only) for wish in made]


def withdrawn(view: View, rule: ExitRule = RULE) -> list[str]:
    made = exits.wishes(view, rule, "value")
    return [wish.intent_id for wish in made if isinstance(wish, Withdraw)]


@pytest.mark.parametrize(
    ("bid", "leaves"),
    [(57, True), (56, False), (50, False), (42, False), (41, True), (10, True)],
)
def test_it_leaves_at_the_profit_or_the_loss_after_fees(bid: float, leaves: bool) -> None:
    """Bought at 0.50: 0.57 brings 0.0521 more after the fee, 0.56 does not bring 0.05.

    Proves: B-exec.
    """
    taken = [(cents(bid), shares(10), False)] if leaves else []

    assert sold(a_view(bid)) == taken


@pytest.mark.parametrize(("left_s", "leaves"), [(21, False), (19, True)])
def test_it_leaves_when_time_is_up(left_s: int, leaves: bool) -> None:
    view = a_view(now_ns=MARKET.end_ns - left_s * SECOND_NS)

    assert bool(sold(view)) is leaves


def test_a_market_without_an_end_has_no_time_to_be_up() -> None:
    assert not sold(a_view(market=evolve(MARKET, end_ns=0)))


def test_a_rule_that_says_nothing_sells_nothing() -> None:
    """That is the default: a strategy holds to the end."""
    assert not sold(a_view(99, now_ns=MARKET.end_ns - 1), ExitRule())


@pytest.mark.parametrize(
    "other",
    [
        {"held": (Shares(0), Shares(0))},
        {"held": (shares(4.99), Shares(0))},  # less than the smallest order
        {"entries": (Price(0), Price(0))},
        {"book_fresh": False},
    ],
)
def test_what_cannot_be_sold_is_not_tried(other: dict[str, Any]) -> None:
    assert not exits.wishes(a_view(60, **other), RULE, "value")


@pytest.mark.parametrize(("deep", "price", "size"), [(6, 60, 6), (3, 59, 10), (100, 60, 10)])
def test_it_sells_what_the_bids_take(deep: float, price: float, size: float) -> None:
    """As much as the best bid takes, and deeper only where that is less than an order."""
    assert sold(a_view(60, deep)) == [(cents(price), shares(size), False)]


@pytest.mark.parametrize("state", ["submitted", "live", "unknown", "pending_cancel", "closing"])
def test_it_never_sells_twice_at_once(state: str) -> None:
    """An exit is over when its order is, whatever became of it.

    Proves: B-exec.
    """
    view = a_view(60, orders=(own(60, state=state),), held=(Shares(0), Shares(0)))

    assert not sold(view)
    assert not withdrawn(view)


def test_what_bids_is_withdrawn_before_it_sells() -> None:
    """Or it would sell to itself."""
    view = a_view(60, orders=(own(58, Side.BUY),))

    assert (sold(view), withdrawn(view)) == ([], ["i7"])


def test_an_ask_waits_above_where_the_profit_is() -> None:
    """Post-only at cost and profit: no fee."""
    assert sold(a_view(50), RESTING) == [(cents(55), shares(10), True)]
    assert sold(a_view(55), RESTING) == [(cents(56), shares(10), True)]
    assert not sold(a_view(50, entries=(cents(97), Price(0))), evolve(RESTING, stop_loss=0))


def test_an_ask_that_waits_makes_way_for_the_loss() -> None:
    """One at a time: it is withdrawn, and sold when that is certain."""
    waiting = a_view(35, orders=(own(55),), held=(Shares(0), Shares(0)))

    assert (sold(waiting, RESTING), withdrawn(waiting, RESTING)) == ([], ["i7"])


@pytest.mark.parametrize(("price", "count"), [(55, 0), (56, 1), (54, 1)])
def test_an_ask_follows_what_the_shares_cost(price: float, count: int) -> None:
    view = a_view(50, orders=(own(price),), held=(Shares(0), Shares(0)))

    assert (len(withdrawn(view, RESTING)), sold(view, RESTING)) == (count, [])


# In the kernel.


def held(rule: ExitRule, bid: float) -> Script:
    """The value strategy bought ten shares at 0.40, and cannot say what they are worth."""
    script = Script(config=evolve(QUIET, strategies=(Value(leave=rule),))).start()
    script.quote(bids=((cents(39), shares(100)),))
    bought = script.rest(10, 40, strategy="value")
    script.say(script.trade(10, 40, intent_id=bought))
    script.now_ns += SECOND_NS
    script.quote(bids=((cents(bid), shares(100)),), asks=((cents(95), shares(9)),))
    script.wait()
    return script


def sales(script: Script) -> list[SignOrder]:
    return [o for o in script.ever(SignOrder) if o.side is Side.SELL]


def test_an_exit_that_expires_is_placed_again_and_closes_on_its_fills() -> None:
    """Having sent it means nothing; what it filled does.

    Proves: B-exec.
    """
    script = held(RULE, 50)
    (first,) = sales(script)
    assert (first.price, first.size) == (cents(50), shares(10))
    script.say(order.Sign(intent_id=first.intent_id, order_id="0xid-i2", payload="{}"))
    script.say(order.AckLive(intent_id=first.intent_id))
    script.say(script.trade(4, 50, intent_id=first.intent_id, trade_id="t2", taker=True))
    script.wait(1)
    assert len(sales(script)) == 1
    assert script.state.ledger.shares("value", YES) == shares(6)

    script.say(order.ReadClosed(intent_id=first.intent_id, matched=shares(4), outcome="expired"))
    script.quote(bids=((cents(50), shares(100)),), asks=((cents(95), shares(9)),))
    script.wait(1)
    assert [o.size for o in sales(script)] == [shares(10), shares(6)]


def test_an_exit_never_sells_the_shares_of_another() -> None:
    """Two strategies hold the same token; each has only its own to sell."""
    script = Script(config=evolve(QUIET, strategies=(Value(leave=RULE),))).start()
    script.quote(bids=((cents(39), shares(100)),))
    for n, name in ((1, "value"), (2, "other")):
        bought = script.rest(5, 40, strategy=name)
        script.say(script.trade(5, 40, intent_id=bought, trade_id=f"t{n}"))
    script.now_ns += SECOND_NS
    script.quote(bids=((cents(50), shares(100)),), asks=((cents(95), shares(9)),))
    script.wait()

    assert [(o.token_id, o.size) for o in sales(script)] == [(YES, shares(5))]


def test_without_a_rule_the_value_strategy_holds() -> None:
    script = held(ExitRule(), 90)

    assert not sales(script)
    assert script.state.ledger.holdings == {YES: shares(10)}
    assert NO not in script.state.positions
