"""A legged hedge through the whole kernel: what is bought is covered, or sold again."""

from typing import Any

import pytest
from attrs import evolve

from polybawt.core import breakers, facts
from polybawt.core.codec import decode_state, encode_state
from polybawt.core.commands import CancelOrder, PostOrder, SignOrder
from polybawt.core.machines import order
from polybawt.core.machines.hedge import Hedge, Leg
from polybawt.core.machines.order import ENDED, Order
from polybawt.core.market import Side
from polybawt.core.risk import Limits
from polybawt.core.strategies import NewHedge
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc
from polybawt.proof.audit import Watch
from polybawt.proof.verify import MODELS
from tests.core.script import (
    ASKS,
    BIDS,
    LIMITS,
    MARKET,
    NO,
    QUIET,
    YES,
    Script,
    cents,
    shares,
    snapshot,
)

ROOMY = Limits(
    oracle_age_ns_max=LIMITS.oracle_age_ns_max,
    token_exposure_max=Usdc(100 * MILLION),
    condition_exposure_max=Usdc(100 * MILLION),
    event_exposure_max=Usdc(100 * MILLION),
    class_exposure_max=Usdc(100 * MILLION),
    joint_exposure_max=Usdc(100 * MILLION),
    total_exposure_max=Usdc(100 * MILLION),
)


def a_wish(**other: Any) -> NewHedge:
    """A pair of a bid at 0.30 and an ask of 0.60, one tick of slippage and the fee: 0.927."""
    terms: dict[str, Any] = {
        "strategy": "test",
        "condition_id": MARKET.condition_id,
        "first_token": YES,
        "limit": cents(30),
        "post_only": True,
        "quantity": shares(20),
        "slice_max": shares(10),
        "pair_cost_max": cents(98.5),
        "loss_max": Usdc(2 * MILLION),
        "lifetime_s": 60,
        "leg_timeout_s": 10,
        "slippage_ticks": 1,
    }
    return NewHedge(**(terms | other))


def begun(**other: Any) -> Script:
    script = Script(config=evolve(QUIET, limits=ROOMY)).start()
    script.quote()
    script.say(a_wish(**other))
    return script


def the_hedge(script: Script) -> Hedge:
    return next(iter(script.state.hedges.values()))


def acked(script: Script, intent_id: str) -> str:
    """Sign and acknowledge an order that waits for it."""
    order_id = f"0xid-{intent_id}"
    script.say(order.Sign(intent_id=intent_id, order_id=order_id, payload="{}"))
    script.say(order.AckLive(intent_id=intent_id))
    return intent_id


def asked(script: Script) -> list[SignOrder]:
    return script.ever(SignOrder)


def pass_time(script: Script, seconds: int) -> None:
    """Second by second, under the same book."""
    for _ in range(seconds):
        script.wait(1)
        script.quote()


def rested(script: Script, *trades: str) -> None:
    """The chain settles the trades, and every ended order leaves memory."""
    for trade_id in trades:
        held = script.state.trades[trade_id].legs[0]
        script.say(script.trade(held.shares / MILLION, status="CONFIRMED", trade_id=trade_id,
                                intent_id=held.intent_id))  # fmt: skip
    pass_time(script, 31)


def told(script: Script, intent_id: str, fact: type[order.Action], **terms: Any) -> None:
    script.say(fact(intent_id=intent_id, **terms))


def ended(script: Script, intent_id: str, outcome: str = "cancelled") -> None:
    record = script.order(intent_id)
    told(script, intent_id, order.ReadClosed, matched=record.filled, outcome=outcome)


def test_the_first_leg_is_a_slice_at_the_named_price() -> None:
    """No more than one slice is ever at risk.

    Proves: H7, P2.1.
    """
    (lead,) = asked(begun())

    assert (lead.token_id, lead.side, lead.price) == (YES, Side.BUY, cents(30))
    assert (lead.size, lead.post_only) == (shares(10), True)


def test_the_second_leg_is_as_large_as_what_was_really_bought() -> None:
    """The order was for 10 and 6 were filled: 6 are covered, and nothing else is.

    Proves: H7, P2.1.
    """
    script = begun()
    lead = acked(script, "i1")
    script.say(script.trade(6, 30, intent_id=lead))
    cover = asked(script)[-1]

    assert (cover.token_id, cover.side, cover.size) == (NO, Side.BUY, shares(6))
    assert not cover.post_only


def test_the_cover_is_priced_by_the_depth_that_its_size_needs() -> None:
    """Six shares at the best ask, four a tick deeper, and one tick more because books move.

    Proves: H7, P2.1.
    """
    script = begun()
    bids = ((cents(39), shares(50)), (cents(40), shares(6)))  # asks of no at 0.61 and 0.60
    script.quote(bids=bids)
    lead = acked(script, "i1")
    script.say(script.trade(6, 30, intent_id=lead))
    assert asked(script)[-1].price == cents(61)

    other = begun()
    other.quote(bids=bids)
    other.say(other.trade(10, 30, intent_id=acked(other, "i1")))
    assert asked(other)[-1].price == cents(62)


@pytest.mark.parametrize(("pair_cost", "leads"), [(Price(927_152), 0), (Price(927_153), 1)])
def test_a_pair_costs_no_more_than_its_maximum(pair_cost: Price, leads: int) -> None:
    """0.30, and 0.61 with a fee of 1.72 cents at most: all in, or not at all.

    Proves: H7, P2.1.
    """
    script = begun(pair_cost_max=pair_cost)

    assert len(asked(script)) == leads
    assert len(script.state.hedges) == leads


def test_what_cannot_be_had_in_the_pairs_cost_is_not_covered() -> None:
    """The other side's ask has run away: it waits for its time, and is not chased.

    Proves: H7, P2.1.
    """
    script = begun()
    lead = acked(script, "i1")
    script.quote(bids=((cents(25), shares(100)),), asks=((cents(35), shares(100)),))
    script.say(script.trade(10, 30, intent_id=lead))

    assert len(asked(script)) == 1
    assert the_hedge(script).state == "hedging"


def test_a_leg_that_nothing_covers_in_time_is_sold_again() -> None:
    """After the leg timeout the naked shares go to the bids, at a loss within the budget.

    Proves: H7, P2.1.
    """
    script = begun()
    lead = acked(script, "i1")
    script.quote(bids=((cents(25), shares(100)),), asks=((cents(35), shares(100)),))
    script.say(script.trade(10, 30, intent_id=lead))
    for _ in range(10):
        script.wait(1)
        script.quote(bids=((cents(25), shares(100)),), asks=((cents(35), shares(100)),))
    script.wait(1)
    sale = asked(script)[-1]

    assert the_hedge(script).state == "unwinding"
    assert (sale.token_id, sale.side, sale.size, sale.price) == (
        YES,
        Side.SELL,
        shares(10),
        cents(24),
    )
    sold = acked(script, list(script.state.orders)[-1])
    script.say(script.trade(10, 25, intent_id=sold, trade_id="t2", taker=True))
    rested(script, "t1", "t2")
    assert not script.state.hedges
    assert script.state.counters["hedge:done"] == 1
    assert not script.state.ledger.holdings


def test_a_sale_that_costs_more_than_the_budget_is_not_made() -> None:
    """What is naked is then told to the operators, who decide.

    Proves: H7, P2.1.
    """
    script = begun(loss_max=Usdc(100_000))  # a cent a share
    lead = acked(script, "i1")
    script.quote(bids=((cents(25), shares(100)),), asks=((cents(35), shares(100)),))
    script.say(script.trade(10, 30, intent_id=lead))
    low: dict[str, Any] = {"bids": ((cents(25), shares(100)),), "asks": ((cents(35), shares(100)),)}
    script.say(script.trade(10, 30, status="CONFIRMED", intent_id=lead))
    for _ in range(45):
        script.wait(1)
        script.quote(**low)

    assert len(asked(script)) == 1
    assert script.noticed("hedge_stranded") == 1
    assert (len(script.state.hedges), script.state.counters["hedge:failed"]) == (0, 1)


def test_a_fill_while_its_cancel_is_in_flight_is_still_hedged() -> None:
    """The lead was asked back; the venue matched it before.

    Proves: H7, P2.1, B-exec.
    """
    script = begun()
    lead = acked(script, "i1")
    low: dict[str, Any] = {"bids": ((cents(20), shares(100)),), "asks": ((cents(33), shares(100)),)}
    script.quote(**low)  # no pair any more: its cover would cost 0.80
    script.wait(2)
    assert [c.intent_id for c in script.ever(CancelOrder)] == [lead]
    assert script.order(lead).state == "pending_cancel"

    script.quote()
    script.say(script.trade(10, 30, intent_id=lead))
    assert (asked(script)[-1].token_id, asked(script)[-1].size) == (NO, shares(10))


def test_an_order_without_an_answer_is_open_in_full() -> None:
    """Nothing more is bought while nobody knows whether the first slice rests.

    Proves: H7, P2.1.
    """
    script = begun()
    told(script, "i1", order.Sign, order_id="0xid-i1", payload="{}")
    told(script, "i1", order.Timeout, reason="no answer")
    script.say(a_wish())

    assert len(asked(script)) == 1
    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == shares(10)


def test_a_late_fill_of_an_ended_order_is_hedged_too() -> None:
    """We were told that it had ended unfilled, and it had not.

    Proves: H7, P2.1, A-exec.
    """
    script = begun()
    lead = acked(script, "i1")
    told(script, lead, order.CancelDone)
    ended(script, lead)
    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == 0

    script.say(script.trade(10, 30, intent_id=lead))
    assert (asked(script)[-1].token_id, asked(script)[-1].size) == (NO, shares(10))


def test_a_cover_that_failed_on_chain_is_bought_again() -> None:
    """The hedge is open again the moment that we hear of it.

    Proves: H7, P2.1.
    """
    script = begun()
    script.say(script.trade(10, 30, intent_id=acked(script, "i1")))
    cover = acked(script, "i2")
    script.say(script.trade(10, 60, intent_id=cover, trade_id="t2", taker=True))
    assert the_hedge(script).state == "working"
    script.say(script.trade(10, 60, "FAILED", intent_id=cover, trade_id="t2", taker=True))
    assert the_hedge(script).state == "hedging"
    script.quote()
    script.wait()

    assert [(o.token_id, o.size) for o in asked(script)] == [
        (YES, shares(10)),
        (NO, shares(10)),
        (NO, shares(10)),
    ]


def test_a_first_leg_that_failed_on_chain_is_bought_by_the_second() -> None:
    """Then it is the second leg that is naked, and the first that covers it.

    Proves: H7, P2.1.
    """
    script = begun(pair_cost_max=Price(1_300_000))
    lead = acked(script, "i1")
    script.say(script.trade(10, 30, intent_id=lead))
    script.say(script.trade(10, 60, intent_id=acked(script, "i2"), trade_id="t2", taker=True))
    script.say(script.trade(10, 30, "FAILED", intent_id=lead))
    script.quote()
    script.wait()

    assert (asked(script)[-1].token_id, asked(script)[-1].size) == (YES, shares(10))
    assert asked(script)[-1].price == cents(61)


def test_what_a_share_cost_is_remembered_after_its_pair_was_whole() -> None:
    """The second leg that a failed trade laid bare cost 0.62: no pair of it for 1.10.

    Proves: H7, P2.1.
    """
    script = begun(pair_cost_max=Price(1_100_000))
    lead = acked(script, "i1")
    script.say(script.trade(10, 30, intent_id=lead))
    script.say(script.trade(10, 60, intent_id=acked(script, "i2"), trade_id="t2", taker=True))
    script.say(script.trade(10, 30, "FAILED", intent_id=lead))
    script.quote()
    script.wait()

    assert the_hedge(script).state == "hedging"
    assert len(asked(script)) == 2


def test_a_trade_that_failed_before_we_heard_of_it_has_ended() -> None:
    """It moved nothing, and its order will not fill these shares any more."""
    script = begun()
    lead = acked(script, "i1")
    script.say(script.trade(4, 30, "FAILED", intent_id=lead))

    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == shares(6)
    assert the_hedge(script).state == "working"


def test_a_lead_that_the_gate_refuses_has_ended_at_once() -> None:
    """Nothing is counted as open that never became an order.

    Proves: P2.1.
    """
    tight = evolve(QUIET, limits=evolve(ROOMY, open_orders_max=0))
    script = Script(config=tight).start()
    script.quote()
    script.say(a_wish())

    assert not asked(script)
    assert script.state.counters["refused:open_orders"] == 1
    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == 0


@pytest.mark.parametrize(("room", "hedges"), [(9.27, 0), (9.28, 1), (19.12, 1), (19.13, 2)])
def test_a_first_leg_leaves_room_for_the_second(room: float, hedges: int) -> None:
    """Both legs of ten pairs, and what other hedges of the strategy still owe.

    Proves: H7, P2.1.
    """
    most = Usdc(round(room * MILLION))
    other = evolve(
        MARKET, condition_id="0xc2", yes_token="2001", no_token="2002", slug="other", symbol=""
    )
    config = evolve(QUIET, limits=evolve(ROOMY, total_exposure_max=most))
    script = Script(config=config).start()
    script.quote()
    script.say(a_wish())
    script.say(facts.MarketListed(market=other))
    for token in other.tokens:
        script.say(snapshot(other, token, BIDS, ASKS, script.now_ns))
    script.say(a_wish(condition_id="0xc2", first_token="2001"))

    assert len(script.state.hedges) == hedges


def test_an_order_that_the_hedge_did_not_ask_for_is_none_of_its() -> None:
    """Whoever names a hedge does not become its leg."""
    script = begun()
    stranger = script.rest(5, 20, hedge_id="h1")
    refused = script.want(0.5, 20, hedge_id="h1")
    script.say(script.trade(5, 20, intent_id=stranger))

    assert refused is None
    assert list(script.state.parts) == ["i1"]
    assert (the_hedge(script).state, the_hedge(script).naked) == ("working", 0)
    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == shares(10)


def test_of_a_lead_that_was_made_smaller_the_rest_has_ended() -> None:
    """Near a limit the breakers leave an entry half its size: the hedge counts that half."""
    script = begun()
    script.state.marks = evolve(script.state.marks, peak=Usdc(60 * MILLION))
    told(script, "i1", order.Abort, reason="a test")
    script.wait()
    script.say(a_wish())

    assert asked(script)[-1].size == shares(5)
    assert the_hedge(script).tally(Leg.FIRST, Side.BUY).open == shares(5)


def test_pairs_are_bought_slice_by_slice_and_held_to_the_end() -> None:
    """Two slices of ten: one share of each pays a dollar, whatever comes true.

    Proves: H7, P2.1.
    """
    script = begun()
    for n in range(2):
        script.say(a_wish())
        lead = acked(script, f"i{2 * n + 1}")
        script.say(script.trade(10, 30, intent_id=lead, trade_id=f"t{2 * n}"))
        cover = acked(script, f"i{2 * n + 2}")
        script.say(script.trade(10, 60, intent_id=cover, trade_id=f"t{2 * n + 1}", taker=True))
    script.say(a_wish())
    assert len(asked(script)) == 4
    rested(script, "t0", "t1", "t2", "t3")

    assert script.state.counters["hedge:done"] == 1
    assert not script.state.hedges
    assert not script.state.plans
    assert not script.state.parts
    assert script.state.ledger.holdings == {YES: shares(20), NO: shares(20)}


def test_a_hedge_that_finds_no_pair_again_ends_with_what_it_has() -> None:
    """One slice of two was had; it does not wait for ever for the other."""
    script = begun()
    script.say(script.trade(10, 30, intent_id=acked(script, "i1"), trade_id="t1"))
    script.say(script.trade(10, 60, intent_id=acked(script, "i2"), trade_id="t2", taker=True))
    rested(script, "t1", "t2")

    assert script.state.counters["hedge_abandoned:idle"] == 1
    assert script.state.counters["hedge:done"] == 1


def test_a_cover_that_the_asks_have_left_is_bid_anew() -> None:
    """It rests where nobody sells any more: it is withdrawn and asked for at the new price."""
    script = begun()
    script.say(script.trade(10, 30, intent_id=acked(script, "i1")))
    cover = acked(script, "i2")
    higher = ((cents(37), shares(100)),)
    script.quote(bids=higher)
    script.wait(1.5)
    assert [c.intent_id for c in script.of(CancelOrder)] == [cover]
    told(script, cover, order.CancelDone)
    ended(script, cover)
    script.quote(bids=higher)
    script.wait(0.3)

    assert (asked(script)[-1].token_id, asked(script)[-1].price) == (NO, cents(64))
    assert the_hedge(script).tally(Leg.SECOND, Side.BUY).open == shares(10)


def test_a_halt_after_losses_lets_a_leg_be_covered() -> None:
    """No new risk is taken, and what is naked is none the less covered; with a silent oracle too.

    Proves: P2.1, limits.
    """
    script = begun()
    lead = acked(script, "i1")
    script.state.config = evolve(script.config, limits=evolve(ROOMY, oracle_age_ns_max=0))
    breakers.latch(script.state, breakers.DAILY_LOSS, "a test", "a loss")
    script.say(script.trade(10, 30, intent_id=lead))

    assert (asked(script)[-1].token_id, asked(script)[-1].size) == (NO, shares(10))


def test_a_cover_below_a_takers_minimum_waits_below_the_ask() -> None:
    """The venue takes no marketable purchase of less than a dollar (reference 3.4)."""
    script = Script(config=evolve(QUIET, limits=ROOMY)).start()
    book: dict[str, Any] = {
        "bids": ((cents(88), shares(100)),),
        "asks": ((cents(95), shares(100)),),
    }
    script.quote(**book)
    script.say(a_wish(limit=cents(80), slice_max=shares(6)))
    script.say(script.trade(6, 80, intent_id=acked(script, "i1")))
    cover = asked(script)[-1]

    assert (cover.token_id, cover.price, cover.post_only) == (NO, cents(11), True)


def test_nothing_is_asked_for_after_the_kill() -> None:
    """Not even a cover: no order leaves, whatever for.

    Proves: kill.
    """
    script = begun()
    lead = acked(script, "i1")
    script.say(facts.KillRequested(actor="operator", reason="a test", source="terminal"))
    posted = len(script.ever(PostOrder))
    script.say(script.trade(10, 30, intent_id=lead))
    script.say(script.trade(10, 30, status="CONFIRMED", intent_id=lead))
    script.say(a_wish())
    pass_time(script, 45)

    assert len(script.ever(PostOrder)) == posted == 1
    assert len(asked(script)) == 1
    assert "refused" not in script.state.counters
    assert script.noticed("hedge_stranded") == 1


def test_a_market_that_ends_ends_its_hedge() -> None:
    """What is naked then settles as it is, and the operators know.

    Proves: P2.1.
    """
    script = begun(leg_timeout_s=1_000, limit=cents(30))
    lead = acked(script, "i1")
    script.say(script.trade(10, 30, intent_id=lead))
    script.say(script.trade(10, 30, status="CONFIRMED", intent_id=lead))
    told(script, "i2", order.Abort, reason="a test")
    script.now_ns = MARKET.end_ns
    script.wait(1)
    script.wait(31)
    script.wait(1)

    assert script.noticed("hedge_stranded") == 1
    assert not script.state.hedges
    assert "refused" not in script.state.counters


def test_an_idle_hedge_of_nothing_ends_as_well() -> None:
    """Its lead was never filled: it makes room for the next."""
    script = begun()
    lead = acked(script, "i1")
    told(script, lead, order.CancelDone)
    ended(script, lead)
    pass_time(script, 45)

    assert not script.state.hedges
    assert script.state.counters["hedge:done"] == 1


def test_one_strategy_has_one_hedge_in_a_market_at_a_time() -> None:
    """And it leads on the token that it began with."""
    script = begun()
    script.say(a_wish(first_token=NO), a_wish(), a_wish(strategy="other"))

    assert [h.strategy for h in script.state.hedges.values()] == ["test", "other"]
    assert [o.token_id for o in asked(script)] == [YES, YES]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first_token": "9999"},
        {"condition_id": "0xnone"},
        {"slice_max": shares(4)},
        {"quantity": shares(0)},
        {"slice_max": Shares(0)},
        {"leg_timeout_s": 0},
        {"limit": Price(0)},
        {"limit": Price(MILLION)},
    ],
)
def test_a_wish_that_makes_no_sense_begins_nothing(wrong: dict[str, Any]) -> None:
    """Settings are the operator's: whatever they say, no order comes of nonsense."""
    script = begun(**wrong)

    assert not asked(script)
    assert not script.state.parts


def test_a_hedge_survives_a_snapshot() -> None:
    """Everything that it needs is in the state.

    Proves: recovery.
    """
    script = begun()
    script.say(script.trade(6, 30, intent_id=acked(script, "i1")))
    state = script.state

    assert decode_state(encode_state(state)) == state


def test_after_a_restart_nothing_is_asked_for_until_all_is_known() -> None:
    """The hedge is in the journal; its orders are in doubt.

    Proves: recovery, P2.1.
    """
    script = begun()
    lead = acked(script, "i1")
    script.say(facts.Started(epoch=2, config=script.config), *script.links())
    script.say(script.trade(10, 30, intent_id=lead))
    assert len(asked(script)) == 1

    told(script, lead, order.ReadClosed, matched=shares(10), outcome="cancelled")
    script.say(facts.TradesRead(condition_id="", count=1))
    script.say(facts.OpenOrdersRead(order_ids=()))
    script.say(facts.BalanceRead(token_id="", amount=script.state.ledger.cash))
    script.wait()
    script.quote()
    script.wait(0.3)
    assert script.state.phase == "trading"
    assert (asked(script)[-1].token_id, asked(script)[-1].size) == (NO, shares(10))


def open_of(script: Script, token: str) -> list[Order]:
    return [o for o in script.state.orders.values() if o.token_id == token and o.state not in ENDED]


def test_a_timeout_withdraws_what_still_bids() -> None:
    """In unwinding nothing is bought any more, and what was on its way is asked back.

    Proves: H7, P2.1.
    """
    script = begun()
    lead = acked(script, "i1")
    script.say(script.trade(6, 30, intent_id=lead))  # four more may still come
    told(script, "i2", order.Sign, order_id="0xid-i2", payload="{}")
    pass_time(script, 11)
    assert the_hedge(script).state == "unwinding"
    assert lead in [c.intent_id for c in script.ever(CancelOrder)]

    told(script, "i2", order.AckLive)  # it could not be asked back before
    script.wait(2)
    assert "i2" in [c.intent_id for c in script.ever(CancelOrder)]
    assert script.now_ns > 10 * SECOND_NS


def test_every_step_of_a_hedge_is_one_of_its_specification() -> None:
    """The audit of a journal looks at the door that all machines step through, at this one too.

    Proves: P2.1.
    """
    with Watch(MODELS) as watch:
        script = begun()
        script.say(script.trade(10, 30, intent_id=acked(script, "i1")))
        cover = acked(script, "i2")
        script.say(script.trade(6, 60, intent_id=cover, trade_id="t2", taker=True))
        script.say(script.trade(10, 30, "FAILED", intent_id="i1"))
        pass_time(script, 60)

    taken = {name for name in watch.taken if name.startswith("Hedge ")}
    assert watch.gap == ""
    assert {"Hedge working lead working", "Hedge hedging cover hedging"} <= taken
    assert {"Hedge hedging void hedging", "Hedge hedging abandon unwinding"} <= taken
