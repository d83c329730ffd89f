"""Feeds earn their trust: a book is fresh only while its hashes fit and somebody is heard."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.book import Book
from polybawt.core.commands import (
    FetchBook,
    ReadOpenOrders,
    ReadTrades,
    Subscribe,
    Unsubscribe,
)
from polybawt.core.market import Market, Side
from polybawt.core.units import MS_NS, Price, parse_micro
from polybawt.venue import wire_stream
from tests.core.script import (
    ASKS,
    BIDS,
    MARKET,
    NO,
    QUIET,
    T0_S,
    YES,
    Script,
    cents,
    shares,
    snapshot,
)

Find = Callable[[str], Path]


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def state_of(script: Script, token: str = YES) -> str:
    return script.state.feeds[token].state


def expected(script: Script, *levels: tuple[Side, float, float], ms: int, token: str = YES) -> str:
    """The hash the venue would send once these levels of the yes token stand."""
    book = Book(script.state.markets["0xc1"])
    ours = script.state.books["0xc1"]
    book.replace(YES, *ours.levels(YES))
    book.last_trade = ours.last_trade
    for side, price, count in levels:
        book.set_level(YES, side, cents(price), shares(count))
    return book.digest(token, ms)


def change(price: float, count: float, digest: str, side: Side = Side.BUY) -> facts.LevelChange:
    return facts.LevelChange(
        token_id=YES, side=side, price=cents(price), size=shares(count), hash=digest
    )


def changed(ms: int, *changes: facts.LevelChange) -> facts.PriceChanged:
    return facts.PriceChanged(condition_id="0xc1", timestamp_ms=ms, changes=changes)


def now_ms(script: Script) -> int:
    return script.now_ns // MS_NS


# Trust.


def test_a_whole_book_with_its_hash_is_fresh(script: Script) -> None:
    assert (state_of(script), state_of(script, NO), state_of(script, "market")) == ("fresh",) * 3
    assert script.state.feeds[YES].verified == 1
    assert script.state.counters["ws_book_hash_ok"] == 2


def test_a_whole_book_without_its_hash_is_suspect_and_fetched(script: Script) -> None:
    """Proves: A-ing (a book whose hash does not fit is re-fetched)."""
    script.now_ns += MS_NS
    wrong = snapshot(MARKET, YES, BIDS, ASKS, script.now_ns)
    script.say(evolve(wrong, hash="0" * 40))
    assert state_of(script) == "suspect"
    assert script.of(FetchBook) == [FetchBook(token_id=YES)]
    assert script.noticed("feed_suspect") == 1
    assert script.want() is None

    script.now_ns += MS_NS
    script.say(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest"))
    assert state_of(script) == "fresh"
    assert script.want() is not None


def test_a_crossed_book_is_suspect_even_with_its_hash(script: Script) -> None:
    script.now_ns += MS_NS
    crossed = ((cents(60), shares(1)),)
    script.say(snapshot(MARKET, YES, crossed, ASKS, script.now_ns))

    assert state_of(script) == "suspect"


def test_a_group_is_proven_when_the_next_one_comes(script: Script) -> None:
    """Its hash describes the book after all changes of one timestamp, not after each.

    Proves: D12.
    """
    first, second = now_ms(script) + 1, now_ms(script) + 2
    digest = expected(script, (Side.BUY, 41, 5), (Side.BUY, 40, 0), ms=first)
    script.say(changed(first, change(41, 5, digest)))
    script.say(changed(first, change(40, 0, digest)))
    assert script.state.counters.get("batch_hash_ok", 0) == 0
    script.say(changed(second, change(42, 1, "later")))

    assert script.state.counters["batch_hash_ok"] == 1
    assert "batch_hash_mismatch" not in script.state.counters
    assert state_of(script) == "fresh"


def test_a_group_that_nothing_follows_is_proven_by_time(script: Script) -> None:
    first = now_ms(script) + 1
    script.say(changed(first, change(41, 5, expected(script, (Side.BUY, 41, 5), ms=first))))
    script.wait(0.149)
    assert "batch_hash_ok" not in script.state.counters
    script.wait(0.001)

    assert script.state.counters["batch_hash_ok"] == 1


def test_a_group_without_its_hash_makes_the_book_suspect_until_a_whole_one(script: Script) -> None:
    """A message was lost, or the venue erred: nobody trades on what is left.

    Proves: A-ing, D12.
    """
    script.say(changed(now_ms(script) + 1, change(41, 5, "lost one")))
    script.wait(0.2)
    assert state_of(script) == "suspect"
    assert script.of(FetchBook) == [FetchBook(token_id=YES)]
    assert script.want() is None
    script.wait(0.5)
    assert script.of(FetchBook) == []  # at most once per poll
    script.wait(0.5)
    assert script.of(FetchBook) == [FetchBook(token_id=YES)]

    script.say(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest"))
    assert state_of(script) == "fresh"


def test_a_crossing_that_a_later_proven_book_still_shows_is_believed(script: Script) -> None:
    """Yes and no together below a dollar: a fault first, and a fact only when it persists.

    Proves: H2, P2.2.
    """
    crossed = ((cents(60), shares(1)),)
    for token in MARKET.tokens:  # both halves of one moment are one book
        script.say(snapshot(MARKET, token, crossed, ((cents(55), shares(1)),), script.now_ns))
    assert script.state.feeds[YES].state == script.state.feeds[NO].state == "suspect"
    script.wait(1)
    for token in MARKET.tokens:
        script.say(snapshot(MARKET, token, crossed, ((cents(55), shares(1)),), script.now_ns))
    assert script.state.feeds[YES].state == script.state.feeds[NO].state == "fresh"
    assert script.state.counters["crossed_books"] == 4
    assert script.state.counters["crossings_believed"] == 2
    script.quote()
    script.wait(1)
    script.say(snapshot(MARKET, YES, crossed, ((cents(55), shares(1)),), script.now_ns))
    assert script.state.feeds[YES].state == "suspect"


def test_a_group_that_leads_to_a_crossed_book_is_wrong_even_with_its_hash(script: Script) -> None:
    """The venue's matching leaves no such book: somebody's copy is behind."""
    first = now_ms(script) + 1
    digest = expected(script, (Side.BUY, 60, 5), ms=first)
    script.say(changed(first, change(60, 5, digest)))
    script.wait(0.2)

    assert state_of(script) == "suspect"


def test_a_whole_book_closes_the_group_before_it(script: Script) -> None:
    """The next whole book comes with a new time: what stood before must have been right."""
    first = now_ms(script) + 1
    script.say(changed(first, change(41, 5, expected(script, (Side.BUY, 41, 5), ms=first))))
    script.now_ns += 5 * MS_NS
    script.quote()

    assert script.state.counters["batch_hash_ok"] == 1


def test_a_print_changes_the_text_that_is_hashed(script: Script) -> None:
    """The group before it was hashed with the old text, the one after it with the new."""
    first = now_ms(script) + 1
    script.say(changed(first, change(41, 5, expected(script, (Side.BUY, 41, 5), ms=first))))
    script.say(last_trade(first + 1, "0.41"))
    assert script.state.counters["batch_hash_ok"] == 1
    assert script.state.books["0xc1"].last_trade == "0.41"

    second = first + 2
    script.say(changed(second, change(41, 6, expected(script, (Side.BUY, 41, 6), ms=second))))
    script.wait(0.2)
    assert script.state.counters["batch_hash_ok"] == 2
    assert "batch_hash_mismatch" not in script.state.counters


def last_trade(ms: int, text: str, token: str = YES, condition: str = "0xc1") -> facts.LastTrade:
    return facts.LastTrade(
        condition_id=condition,
        token_id=token,
        price=Price(parse_micro(text)),
        price_text=text,
        shares=shares(5),
        side=Side.BUY,
        timestamp_ms=ms,
    )


def test_a_print_within_a_group_belongs_to_it(script: Script) -> None:
    first = now_ms(script) + 1
    script.say(changed(first, change(41, 5, "open")), last_trade(first, "0.41"))

    assert script.state.books["0xc1"].views[YES].expected == "open"
    assert script.state.books["0xc1"].last_trade == "0.41"


def test_a_print_of_something_else_is_counted(script: Script) -> None:
    script.say(last_trade(1, "0.41", token="9"), last_trade(1, "0.41", condition="0xc2"))
    fresh = Script().start()
    fresh.say(last_trade(1, "0.41"))  # of a market without a book

    assert script.state.counters["unknown_token"] == 2
    assert fresh.state.counters["prints"] == 1
    assert fresh.state.books == {}


def test_a_change_before_any_whole_book_means_nothing() -> None:
    script = Script().start()
    script.wait(1)
    script.say(changed(now_ms(script), change(41, 5, "x")))

    assert script.state.counters["early_changes"] == 1
    assert state_of(script) == "silent"


def test_a_change_of_an_unknown_token_is_not_applied(script: Script) -> None:
    script.say(changed(now_ms(script), evolve(change(41, 5, "x"), token_id="9")))

    assert script.state.counters["early_changes"] == 1
    assert script.state.books["0xc1"].best_bid(YES) == cents(40)


# Age.


def test_an_older_read_is_refused(script: Script) -> None:
    """A read lags behind the stream: it would take back what we know."""
    script.say(changed(now_ms(script) + 5, change(41, 5, "")))
    older = snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest")
    script.say(older)

    assert script.state.counters["older_books"] == 1
    assert script.state.books["0xc1"].best_bid(YES) == cents(41)
    assert state_of(script) == "fresh"


def test_the_streams_own_book_is_never_too_old(script: Script) -> None:
    """Its messages come in the venue's order."""
    script.say(changed(now_ms(script) + 5, change(41, 5, "")))
    script.quote()

    assert script.state.books["0xc1"].best_bid(YES) == cents(40)
    assert "older_books" not in script.state.counters


def test_a_bogus_time_does_not_keep_a_book_suspect_for_ever(script: Script) -> None:
    """One stamp from the far future would make every later read "older"."""
    script.say(changed(10**15, change(41, 5, "wrong")))
    script.wait(0.2)
    assert state_of(script) == "suspect"
    script.say(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest"))
    assert state_of(script) == "fresh"


def test_a_read_that_lags_behind_a_suspect_book_is_refused(script: Script) -> None:
    script.say(changed(now_ms(script) + 5_000, change(41, 5, "wrong")))
    script.wait(0.2)
    script.say(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest"))

    assert (state_of(script), script.state.counters["older_books"]) == ("suspect", 1)


def test_a_silent_book_is_never_traded_on() -> None:
    """Connected is not alive: never received is not healthy.

    Proves: A-exec (liveness).
    """
    script = Script().start()
    script.wait(1)
    script.say(*script.links())
    script.agree()

    assert state_of(script) == "silent"
    assert script.want() is None
    assert script.state.counters["refused:book_age"] == 1


def test_a_quiet_book_on_a_living_link_stays_fresh(script: Script) -> None:
    """Quiet is not dead: the link answers, so nothing was said.

    Proves: A-exec (liveness).
    """
    for _ in range(5):
        script.wait(2.5)
        script.say(facts.LinkHeard(link="market"))

    assert state_of(script) == "fresh"
    assert script.want() is not None


def test_a_quiet_book_on_a_silent_link_is_stale_and_fetched(script: Script) -> None:
    """Proves: H4, P1.3."""
    script.wait(3)
    assert state_of(script) == "fresh"
    script.wait(0.1)
    assert state_of(script) == "stale"
    assert script.noticed("feed_stale") == 2
    assert script.want() is None
    script.wait(0.1)
    assert script.of(FetchBook) == [FetchBook(token_id=YES), FetchBook(token_id=NO)]
    script.quote(source="rest")

    assert (state_of(script), state_of(script, NO)) == ("fresh", "fresh")
    assert script.want() is not None


def asked(script: Script, asked_ns: int) -> facts.BookSnapshot:
    """A whole book that was read, and asked for at this time."""
    return snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest", asked_ns=asked_ns)


def test_a_book_that_was_asked_for_before_the_doubt_does_not_end_it(script: Script) -> None:
    """It may hold what was doubted; the one that was asked for because of it does.

    Proves: A-exec (never trade on a gapped book).
    """
    before_ns = script.now_ns
    script.now_ns += MS_NS
    script.say(changed(now_ms(script), change(41, 5, "lost one")))
    script.wait(0.2)
    doubt_ns = script.now_ns
    assert state_of(script) == "suspect"
    script.now_ns += MS_NS
    script.say(asked(script, before_ns))
    assert state_of(script) == "suspect"
    assert script.state.counters["older_books"] == 1

    script.say(asked(script, doubt_ns))
    assert state_of(script) == "fresh"


def test_later_doubts_do_not_put_off_the_answer_to_the_first(script: Script) -> None:
    """On a busy market every group misses its hash until the whole book is there."""
    script.say(changed(now_ms(script) + 1, change(41, 5, "lost one")))
    script.wait(0.2)
    doubt_ns = script.now_ns
    script.say(changed(now_ms(script), change(41, 6, "wrong too")))
    script.wait(0.2)
    assert script.state.feeds[YES].mismatched == 2

    script.say(asked(script, doubt_ns))
    assert state_of(script) == "fresh"


def test_a_book_that_was_asked_for_on_an_earlier_link_is_dropped(script: Script) -> None:
    """What the stream said in between was not heard: it is behind, and looks well.

    Proves: faults (a late answer of an old session).
    """
    before_ns = script.now_ns
    script.say(facts.LinkDown(link="market", reason="reset"))
    script.wait(1)
    script.say(facts.LinkUp(link="market"))
    script.now_ns += MS_NS
    script.say(asked(script, before_ns))
    assert state_of(script) == "silent"
    assert script.want() is None

    script.quote()
    assert state_of(script) == "fresh"


def test_a_read_is_no_sign_of_life_of_the_stream(script: Script) -> None:
    """Else the answers to our own questions would keep every other book fresh."""
    heard_ns = script.state.feeds["market"].heard_ns
    script.wait(3.1)
    script.say(asked(script, script.now_ns))

    assert (state_of(script), state_of(script, NO)) == ("fresh", "stale")
    assert script.state.feeds["market"].heard_ns == heard_ns


def test_a_lost_stream_takes_its_books_along(script: Script) -> None:
    """And a read meanwhile does not make them fresh: it would not stay true."""
    script.say(facts.LinkDown(link="market", reason="reset"))
    assert (state_of(script), state_of(script, NO), state_of(script, "user")) == (
        "down",
        "down",
        "fresh",
    )
    script.now_ns += MS_NS
    script.quote(source="rest")
    assert state_of(script) == "down"
    assert script.want() is None

    script.say(facts.LinkUp(link="market"))
    assert state_of(script) == "silent"
    script.quote()
    assert state_of(script) == "fresh"
    assert script.noticed("link_down") == 1


def test_a_user_stream_that_returns_makes_us_read_again(script: Script) -> None:
    """There is no replay: what happened meanwhile is asked for.

    Proves: faults (socket lost mid-fill).
    """
    script.say(facts.LinkDown(link="user", reason="reset"))
    script.say(facts.LinkUp(link="user"))

    assert script.said == (ReadTrades(after_s=0), ReadOpenOrders())


def test_a_trade_that_has_not_settled_is_read_again_from_its_match(script: Script) -> None:
    script.rest()
    script.say(script.trade(2, match_s=T0_S - 500))
    script.say(script.trade(2, trade_id="t2", match_s=T0_S))
    script.say(facts.LinkUp(link="user"))

    assert script.of(ReadTrades) == [ReadTrades(after_s=T0_S - 620)]


# Subscriptions.


def test_a_market_is_followed_shortly_before_it_begins() -> None:
    early = evolve(MARKET, start_ns=MARKET.start_ns + 31 * 10**9)
    script = Script(market=early).start()
    assert script.ever(Subscribe) == []
    script.wait(0.9)
    assert script.of(Subscribe) == [Subscribe(tokens=(YES, NO))]
    script.wait(0.1)
    assert script.of(Subscribe) == []


def test_a_market_that_takes_no_orders_is_not_followed() -> None:
    script = Script(market=evolve(MARKET, accepting_orders=False)).start()
    script.wait(1)

    assert script.ever(Subscribe) == []


def test_a_market_that_ended_is_no_longer_followed(script: Script) -> None:
    script.now_ns = MARKET.end_ns
    script.wait(0)

    assert script.of(Unsubscribe) == [Unsubscribe(tokens=(YES, NO))]
    assert state_of(script) == "down"
    script.quote()
    assert state_of(script) == "down"


def test_without_a_market_stream_a_subscription_waits() -> None:
    script = Script()
    script.say(facts.Started(epoch=1, config=QUIET), facts.MarketListed(market=MARKET))
    script.wait()

    assert script.of(Subscribe) == [Subscribe(tokens=(YES, NO))]
    assert state_of(script) == "down"


# Ticks and texts.


def test_a_finer_tick_is_known_to_market_and_book(script: Script) -> None:
    """A cached tick signs orders that the venue refuses (reference, section 6 item 18)."""
    script.say(facts.TickSizeChanged(condition_id="0xc1", token_id=YES, tick=Price(1_000)))

    assert script.state.markets["0xc1"].tick == 1_000
    assert script.state.books["0xc1"].tick == "0.001"
    assert script.want(5, 40.1) is not None
    script.say(facts.TickSizeChanged(condition_id="0xc1", token_id="9", tick=Price(1_000)))
    assert script.state.counters["unknown_token"] == 1


def test_a_group_before_a_new_tick_is_proven_with_the_old_one(script: Script) -> None:
    """The tick is part of what is hashed: a change of it is no fault of the feed."""
    first = now_ms(script) + 1
    script.say(changed(first, change(41, 5, expected(script, (Side.BUY, 41, 5), ms=first))))
    script.say(facts.TickSizeChanged(condition_id="0xc1", token_id=YES, tick=Price(1_000)))
    second = first + 1
    script.say(changed(second, change(41, 6, expected(script, (Side.BUY, 41, 6), ms=second))))
    script.wait(0.2)

    assert script.state.counters["batch_hash_ok"] == 2
    assert "batch_hash_mismatch" not in script.state.counters
    assert state_of(script) == "fresh"


def test_a_tick_may_change_before_there_is_a_book() -> None:
    script = Script().start()
    script.say(facts.TickSizeChanged(condition_id="0xc1", token_id=NO, tick=Price(1_000)))

    assert script.state.markets["0xc1"].tick == 1_000
    assert script.state.books == {}


def test_a_served_book_brings_its_own_texts(script: Script) -> None:
    """What is hashed is what the venue wrote, whatever we were told before."""
    book = Book(MARKET, min_size="15", tick="0.001", version="v2", last_trade="0.5")
    book.replace(YES, BIDS, ASKS)
    ms = now_ms(script) + 1
    served = snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, "rest")
    script.say(
        evolve(
            served,
            timestamp_ms=ms,
            hash=book.digest(YES, ms),
            min_size="15",
            tick="0.001",
            version="v2",
            last_trade="0.5",
        )
    )

    assert state_of(script) == "fresh"
    assert script.state.counters["rest_book_hash_ok"] == 1


def test_a_book_of_an_unknown_market_is_counted(script: Script) -> None:
    script.say(evolve(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns), condition_id="0xc9"))

    assert script.state.counters["unknown_token"] == 1


# A recorded session, through the adapters and the kernel.


@pytest.mark.parametrize("day", ["20260427b", "20260428a", "20260428b", "20260428d", "20260428e"])
def test_a_recorded_session_gives_what_is_known_of_it(recorded: Find, day: str) -> None:
    """Every book and group is proven by the kernel itself, by hash and by best prices.

    The recorder cut one batch off in the session "d": just its two groups do not fit, and nothing
    of the venue's own is taken for a message out of order.

    Proves: A-ing, D12.
    """
    path = recorded(f"ws_raw/session_{day}.raw.jsonl.gz")
    want = json.loads(recorded("ws_raw/expected.json").read_text())[path.name]["integrity"]
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    told: list[tuple[int, Any]] = []
    tokens: dict[str, list[str]] = {}
    for record in records:
        if record["source"] != "polymarket_clob":
            continue
        at_ns = int(float(record["recv_wall_ts"]) * 10**9) if "recv_wall_ts" in record else 1
        payload = json.loads(record["payload"])
        for message in payload if isinstance(payload, list) else [payload]:
            if "event_type" not in message and "bids" in message:
                told.append((at_ns, wire_stream.book_snapshot(message, "rest", at_ns)))
            else:
                told += [(at_ns, f) for f in wire_stream.market_facts(json.dumps(message), at_ns)]
    for _, fact in told:
        if isinstance(fact, facts.BookSnapshot):
            seen = tokens.setdefault(fact.condition_id, [])
            seen += [fact.token_id] * (fact.token_id not in seen)
    script = Script(now_ns=told[0][0])
    script.say(facts.Started(epoch=1, config=QUIET), *script.links())
    for condition, pair in tokens.items():
        listed = Market(
            condition_id=condition, slug=condition[:8], question="", yes_token=pair[0],
            no_token=pair[1], tick=Price(10_000), min_size=shares(5), end_ns=2**62,
        )  # fmt: skip
        script.say(facts.MarketListed(market=listed))
    script.wait(0)
    for at_ns, fact in told:
        script.now_ns = max(script.now_ns, at_ns)
        script.say(fact)
    script.wait(1)
    count = script.state.counters

    assert count["ws_book_hash_ok"] == want["ws_book_hash_ok"]
    assert count.get("batch_hash_ok", 0) == want.get("batch_hash_ok", 0)
    assert count.get("batch_hash_mismatch", 0) == want.get("batch_hash_mismatch", 0)
    assert count.get("level_changes", 0) == want.get("price_change_levels", 0)
    assert count["rest_book_hash_ok"] + count.get("older_books", 0) == want["rest_book_hash_ok"]
    wrong = [name for name in count if "mismatch" in name or "out_of_order" in name]
    assert wrong == (["batch_hash_mismatch"] if want.get("batch_hash_mismatch") else [])


def a_print(script: Script, **other: Any) -> facts.LastTrade:
    terms: dict[str, Any] = {
        "condition_id": "0xc1", "token_id": YES, "price": cents(40), "price_text": "0.4",
        "shares": shares(300), "side": Side.BUY, "timestamp_ms": script.now_ns // MS_NS,
    }  # fmt: skip
    return facts.LastTrade(**(terms | other))


def test_the_flow_of_a_market_counts_both_tokens_with_one_sign(script: Script) -> None:
    """Proves: H1, P1.3."""
    script.say(a_print(script), a_print(script, token_id=NO, side=Side.SELL, price=cents(61)))
    flow = script.state.flows["0xc1"]

    assert (flow.imbalances, flow.begun, flow.signed) == ([shares(500)], shares(100), shares(100))
    assert flow.last_price == cents(39)


def test_a_print_that_is_old_or_without_a_size_moves_no_flow(script: Script) -> None:
    """Newest is not new: a print of last month met a book of today.  Proves: G1, G3."""
    script.wait(400)
    late = script.now_ns // MS_NS - 300_001
    script.say(a_print(script, timestamp_ms=late), a_print(script, shares=None, price=cents(45)))
    flow = script.state.flows["0xc1"]

    assert (flow.begun, flow.imbalances, flow.last_price) == (0, [], cents(45))
    assert script.state.counters["old_prints"] == script.state.counters["unsized_prints"] == 1

    script.say(a_print(script, timestamp_ms=late + 1))
    assert flow.begun == shares(300)
