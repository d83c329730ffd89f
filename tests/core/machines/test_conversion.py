"""The few examples of a conversion that a reader wants; the rest is proved."""

from attrs import evolve

from polybawt.core.commands import Convert
from polybawt.core.machine import Outputs
from polybawt.core.machines import conversion as c
from polybawt.core.market import Side
from polybawt.core.units import Shares, Usdc

T0 = 1_780_000_000 * 10**9
SELLS = tuple(
    c.Part(token_id=t, condition_id="0xc", side=Side.SELL, shares=Shares(7), notional=Usdc(worth))
    for t, worth in (("1", 3), ("2", 4))
)
MERGE = c.Conversion(
    conversion_id="c1", strategy="a", kind=c.MERGE, condition_ids=("0xc",), amount=Shares(7),
    parts=SELLS, created_ns=5,
)  # fmt: skip


def step(
    record: c.Conversion, action: type[c.Action], **terms: object
) -> tuple[c.Conversion, Outputs]:
    return c.ConversionMachine.step(record, action(conversion_id="c1", **terms))


def unknown(lost_ns: int = T0 + 100) -> c.Conversion:
    sent, _ = step(MERGE, c.Submit, at_ns=T0)
    lost, _ = step(sent, c.AckLost, at_ns=lost_ns, reason="silence")
    return lost


def test_silence_ends_nothing_and_the_same_request_is_made_again() -> None:
    """A request whose answer was lost may have been carried out: it keeps its name.

    Proves: H2, P2.2.
    """
    _, first = step(MERGE, c.Submit, at_ns=T0)
    again, second = step(unknown(), c.AskAgain, at_ns=T0 + 200)
    assert again.state == "unknown"
    assert (
        first
        == second
        == (
            Convert(
                conversion_id="c1",
                kind="merge",
                condition_ids=("0xc",),
                amount=Shares(7),
                name="c1-5",
            ),
        )
    )


def test_a_first_request_that_is_declined_is_over() -> None:
    sent, _ = step(MERGE, c.Submit, at_ns=T0)
    over, told = step(sent, c.AckDeclined, at_ns=T0 + 20, reason="too little")
    assert over.state == "failed"
    assert told == (c.Ended(at_ns=T0 + 20, conversion_id="c1", done=False, reason="too little"),)


def test_a_refusal_ends_nothing_while_an_earlier_request_can_still_land() -> None:
    """The one that was lost may come after the one that was refused, and be carried out."""
    asked, _ = step(unknown(), c.AskAgain, at_ns=T0 + 99 + c.LANDS_NS)
    still, told = step(asked, c.AckDeclined, at_ns=2 * T0, reason="no")
    assert (still.state, still.asking, told) == ("unknown", False, ())
    later, _ = step(unknown(), c.AskAgain, at_ns=T0 + 100 + c.LANDS_NS)
    over, _ = step(later, c.AckDeclined, at_ns=2 * T0, reason="no")
    assert over.state == "failed"


def test_what_fails_after_it_was_mined_is_taken_back_once() -> None:
    taken = evolve(MERGE, state="taken", transaction_id="t")
    mined, told = step(taken, c.SeenMined)
    assert told == (c.Booked(conversion_id="c1", parts=SELLS),)
    failed, back = step(mined, c.SeenFailed, reason="reorganised")
    assert back[0] == c.Unbooked(conversion_id="c1", parts=SELLS)
    assert failed.state == "failed"


def test_what_it_gives_and_takes_is_held_back_until_it_is_booked() -> None:
    """Shares on their way to the contracts cannot also be sold, cash cannot also be spent."""
    split = evolve(MERGE, kind=c.SPLIT, parts=tuple(evolve(p, side=Side.BUY) for p in SELLS))
    assert (MERGE.giving("1"), MERGE.takes, MERGE.brings) == (7, 0, 7)
    assert (split.giving("1"), split.takes, split.brings, split.buying("2")) == (0, 7, -7, 4)
    mined = evolve(split, state="mined")
    assert (mined.takes, mined.buying("2"), evolve(MERGE, state="mined").giving("1")) == (0, 0, 0)


def test_its_name_says_of_which_journal_it_is() -> None:
    """Two journals both count from one, and the venue must not take one's for the other's."""
    assert MERGE.name != evolve(MERGE, created_ns=6).name


def test_what_the_venue_took_is_read_by_its_id_and_its_end_says_how_it_went() -> None:
    sent, _ = step(MERGE, c.Submit, at_ns=T0)
    taken, _ = step(sent, c.AckTaken, transaction_id="t9")
    assert (taken.state, taken.transaction_id) == ("taken", "t9")
    _, told = step(evolve(taken, state="mined"), c.SeenConfirmed)
    assert told == (c.Ended(conversion_id="c1", done=True),)


def test_an_answer_to_nothing_is_refused() -> None:
    """Each request has one answer: a second one is a fault of ours, and not ignored."""
    for answer in (
        c.AckDeclined(conversion_id="c1", reason=""),
        c.AckLost(conversion_id="c1", reason=""),
    ):
        assert not c.ConversionMachine.allows(unknown(), answer)
