"""How the venue lets a market end: by proposal, dispute and vote, and who is paid when."""

from collections.abc import Callable

import pytest
from attrs import evolve

from polybawt.core.units import SECOND_NS, Shares, Usdc
from polybawt.sim.oracle import NO, SPLIT, YES, NotNow
from polybawt.sim.records import QuestionMoved, Resolved
from polybawt.sim.venue import Venue
from tests.sim.conftest import MARKET, NOW, RICH, Floor

ID = MARKET.condition_id
START = 100_000_000
WINDOW = 10 * SECOND_NS


def ask(floor: Floor, action: str, **other: object) -> str:
    """Move the question; returns its state."""
    return floor.venue.ask_oracle(ID, action, floor.now_ns, window_ns=WINDOW, **other).state  # type: ignore[arg-type]


def test_a_proposal_that_nobody_disputes_resolves_by_itself(floor: Floor) -> None:
    """Trading goes on until then: ``closed`` and payment come with the verdict."""
    ask(floor, "propose", payouts=YES)
    floor.wait(9)
    floor.place("A", "buy yes 10 @ 0.40", order_id="open")
    before = floor.venue.holdings("A")
    floor.wait(1)

    assert before[MARKET.yes_token] == START
    order = floor.venue.order("open")
    assert order is not None
    assert order.status == "CANCELED_MARKET_RESOLVED"
    assert floor.venue.holdings("A") == {"": RICH + START}
    told = [e.question.state for e in floor.venue.drain() if isinstance(e, QuestionMoved)]
    assert told == ["proposed", "resolved"]


def test_a_disputed_proposal_waits_for_the_second_and_then_for_the_vote(floor: Floor) -> None:
    """Two disputes go to the vote, which may decide against both proposals."""
    states = [ask(floor, "propose", payouts=YES)]
    floor.wait(1)
    states.append(ask(floor, "dispute"))
    floor.wait(100)
    states.append(ask(floor, "propose", payouts=YES))
    states.append(ask(floor, "dispute"))
    floor.wait(1_000)
    unpaid = floor.venue.holdings("A")
    states.append(ask(floor, "vote", payouts=SPLIT))

    assert states == ["proposed", "challenged", "reproposed", "disputed", "resolved"]
    assert unpaid[MARKET.yes_token] == START
    (resolved,) = (e for e in floor.venue.drain() if isinstance(e, Resolved))
    assert (resolved.yes_payout, resolved.no_payout) == SPLIT
    assert floor.venue.holdings("A") == {"": RICH + START}


def test_after_the_verdict_nothing_moves_it(floor: Floor) -> None:
    """A late flip would pay twice. Proves: P2.2."""
    floor.venue.resolve(ID, *YES, floor.now_ns)

    for action in ("report", "propose", "vote"):
        with pytest.raises(NotNow):
            ask(floor, action, payouts=NO)
    question = floor.venue.question(ID)
    assert question is not None
    assert question.payouts == YES
    assert question.reporter == "CHAINLINK"


def three(venue: Venue) -> list[str]:
    """Three questions of one neg-risk event."""
    ids = [f"0x{n:064x}" for n in (1, 2, 3)]
    for n, condition_id in enumerate(ids):
        market = evolve(
            MARKET, condition_id=condition_id, slug=f"q{n}", yes_token=f"{n}1", no_token=f"{n}0",
            neg_risk=True, neg_risk_id="0xe", event_id="1",
        )  # fmt: skip
        venue.list_market(market, NOW)
    return ids


def test_an_event_has_one_winner(floor: Floor) -> None:
    """Two YES would pay a converted set twice."""
    first, second, third = three(floor.venue)
    floor.venue.ask_oracle(first, "propose", NOW, payouts=YES)

    for condition_id in (second, third):
        with pytest.raises(NotNow, match="another question"):
            floor.venue.ask_oracle(condition_id, "report", NOW, payouts=YES)
    floor.venue.ask_oracle(first, "dispute", NOW)
    floor.venue.ask_oracle(second, "propose", NOW, payouts=YES)
    floor.venue.ask_oracle(first, "propose", NOW, payouts=NO)
    assert [len(floor.venue.questions_with(m)) for m in floor.venue.markets.values()] == [
        0,
        3,
        3,
        3,
    ]


def test_without_auto_redeem_only_participants_are_left_to_ask(
    build: Callable[..., Floor],
) -> None:
    """The simulation's own accounts are paid, or no world would ever forget a market."""
    floor = build(auto_redeem=False, keep_ns=SECOND_NS)
    floor.venue.adopt("agent")
    floor.venue.grant("agent", MARKET.yes_token, Shares(10_000_000))
    floor.venue.resolve(ID, *YES, floor.now_ns)

    assert floor.venue.holdings("agent") == {"": 10_000_000}
    assert floor.venue.holdings("A")[MARKET.yes_token] == START
    for owner in "ABC":
        floor.venue.redeem(owner, ID)
    floor.wait(2)
    assert ID not in floor.venue.markets
    assert floor.venue.question(ID) is None


def test_what_halves_were_rounded_away_is_not_lost(floor: Floor) -> None:
    """Sets of odd millionths pay halves rounded down: the rest is a fee, and value is kept."""
    accounts = floor.venue.accounts
    moves = (("A", "", -3), ("A", "111", 3), ("A", "222", 3), ("B", "", 0))
    accounts.book(MARKET, moves)
    accounts.settle(moves)
    floor.venue.resolve(ID, *SPLIT, floor.now_ns)
    floor.wait(1_000)

    assert ID not in floor.venue.markets
    assert floor.venue.total("A") == RICH + START - 3 + 2
    assert accounts.worth() == accounts.brought_in
    assert Usdc(accounts.brought_in) == sum(floor.venue.total(owner) for owner in accounts._total)
