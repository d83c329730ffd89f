"""The watchdog: a stream that answers every PING and says nothing is found out."""

import pytest
from attrs import evolve

from polybawt.core import facts
from polybawt.core.book import Levels
from polybawt.core.commands import FetchBook, Reconnect, Subscribe
from polybawt.core.market import Side
from polybawt.core.state import Config
from polybawt.core.units import MS_NS, SECOND_NS
from polybawt.core.watch import PROBES_MAX
from tests.core.script import ASKS, BIDS, MARKET, NO, QUIET, YES, Script, cents, shares, snapshot

PROBE_S = QUIET.probe_ns // SECOND_NS
OTHER_BIDS = ((cents(39), shares(7)),)


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def state_of(script: Script, token: str = YES) -> str:
    return script.state.feeds[token].state


def answers(script: Script, seconds: float) -> None:
    """Time passes on a link that answers every PING and says nothing else."""
    for _ in range(round(seconds)):
        script.wait(1)
        script.say(facts.LinkHeard(link="market"))


def read(script: Script, token: str = YES, bids: Levels = BIDS, ago_ms: int = 0) -> None:
    """The answer to a probe: this is what the venue has."""
    script.say(
        snapshot(
            script.market, token, bids, ASKS, script.now_ns, "rest",
            asked_ns=script.now_ns - ago_ms * MS_NS,
        )
    )  # fmt: skip


def quiet_until_probed(script: Script) -> None:
    answers(script, PROBE_S - 1)
    assert not script.ever(FetchBook)
    script.wait(1)
    script.now_ns += 5 * MS_NS


def test_a_quiet_book_is_read_and_stays_fresh_while_the_read_agrees(script: Script) -> None:
    """Quiet is not dead: nothing happened, and the venue says so. Proves: D12, A-exec."""
    quiet_until_probed(script)
    assert script.of(FetchBook) == [FetchBook(token_id=YES), FetchBook(token_id=NO)]
    for token in (YES, NO):
        read(script, token, ago_ms=5)

    assert (state_of(script), state_of(script, NO)) == ("fresh", "fresh")
    assert script.state.counters["probes_agreed"] == 2
    script.all_said.clear()
    answers(script, PROBE_S - 1)
    assert not script.ever(FetchBook)  # asked again only an interval later
    assert not script.ever(Reconnect)


def test_a_read_that_differs_ends_the_trust_in_that_book_only(script: Script) -> None:
    """The stream kept a change from us: PONG is no proof of data. Proves: D12, H4."""
    quiet_until_probed(script)
    read(script, YES, OTHER_BIDS, ago_ms=5)
    assert (state_of(script), state_of(script, NO)) == ("suspect", "fresh")
    assert script.of(FetchBook) == [FetchBook(token_id=YES)]
    assert script.want() is None

    script.now_ns += MS_NS
    read(script, YES, OTHER_BIDS)
    assert state_of(script) == "fresh"
    assert script.state.books["0xc1"].best_bid(YES) == cents(39)


def test_a_read_that_differs_in_no_level_ends_no_trust(script: Script) -> None:
    """The hash covers the text of the last trade too: a lost print is no wrong book."""
    quiet_until_probed(script)
    told = snapshot(
        MARKET, YES, BIDS, ASKS, script.now_ns, "rest", last_trade="0.41",
        asked_ns=script.now_ns - MS_NS,
    )  # fmt: skip
    script.say(told)
    assert state_of(script) == "fresh"
    assert script.state.books["0xc1"].last_trade == "0.41"
    script.say(evolve(told, hash="0" * 40))
    assert state_of(script) == "suspect"  # a read that does not have its own hash agrees to nothing


def test_a_stream_that_says_it_a_little_later_is_not_silent(script: Script) -> None:
    """The change was on its way while we read: no connection is thrown away for that."""
    quiet_until_probed(script)
    read(script, YES, OTHER_BIDS, ago_ms=5)
    script.quote(OTHER_BIDS)
    script.all_said.clear()
    answers(script, 3)

    assert not script.ever(Reconnect)


def test_a_connection_that_keeps_silent_about_its_markets_is_made_anew(script: Script) -> None:
    """Data stop and PONG continues. Proves: faults (silent socket), reference 6 item 9."""
    quiet_until_probed(script)
    for token in (YES, NO):
        read(script, token, OTHER_BIDS, ago_ms=5)
    script.wait(1)
    assert script.of(Reconnect) == [
        Reconnect(link="market", reason="it kept the changes of 1 markets from us")
    ]
    assert script.noticed("silent_stream") == 1
    script.wait(1)
    assert not script.of(Reconnect)  # one is enough


def test_one_of_many_markets_does_not_condemn_the_connection() -> None:
    """A single lost frame is mended by a single read."""
    script = Script()
    script.start()
    other = evolve(MARKET, condition_id="0xc2", yes_token="2001", no_token="2002")
    script.say(facts.MarketListed(market=other))
    script.wait(1)
    for market in (MARKET, other):
        for token in market.tokens:
            script.say(snapshot(market, token, BIDS, ASKS, script.now_ns))
    answers(script, PROBE_S)
    script.now_ns += 5 * MS_NS
    read(script, YES, OTHER_BIDS, ago_ms=5)
    answers(script, 3)
    assert not script.ever(Reconnect)
    script.market = other
    read(script, "2001", OTHER_BIDS, ago_ms=2_000)
    answers(script, 2)

    assert len(script.ever(Reconnect)) == 1


def test_only_the_connection_that_keeps_silent_is_made_anew() -> None:
    """The others are as good as ever, and a market without a book accuses nobody."""
    script = Script(config=evolve(QUIET, link_tokens_max=4)).start()
    others = [
        evolve(MARKET, condition_id=f"0xd{n}", yes_token=f"{n}1", no_token=f"{n}2")
        for n in (10, 11)
    ]
    for market in others:
        script.say(facts.MarketListed(market=market))
    script.wait(1)
    script.say(facts.LinkUp(link="market.1"), facts.LinkHeard(link="market.1"))
    script.quote()
    for _ in range(PROBE_S):
        answers(script, 1)
        script.say(facts.LinkHeard(link="market.1"))
    script.now_ns += 5 * MS_NS
    for token in (YES, NO):
        read(script, token, OTHER_BIDS, ago_ms=5)
    script.state.config = evolve(script.state.config, silent_markets_max=1)
    script.all_said.clear()
    script.wait(1)

    assert [r.link for r in script.ever(Reconnect)] == ["market"]


def test_a_connection_that_never_spoke_is_made_anew_and_never_trusted() -> None:
    """Never received is not healthy, however well it answers. Proves: A-exec (liveness)."""
    script = Script().start()
    script.wait(1)
    answers(script, PROBE_S)

    assert state_of(script) == "silent"
    assert not script.ever(FetchBook)
    assert script.ever(Reconnect) == [Reconnect(link="market", reason="it has never said anything")]


def test_a_first_book_that_was_lost_is_read(script: Script) -> None:
    """Too full a connection gets none, and frames are lost (reference 4.1)."""
    other = evolve(MARKET, condition_id="0xc2", yes_token="2001", no_token="2002")
    script.say(facts.MarketListed(market=other))
    script.wait(1)
    answers(script, PROBE_S)
    assert FetchBook(token_id="2001") in script.ever(FetchBook)
    script.market = other
    read(script, "2001")

    assert state_of(script, "2001") == "fresh"


def test_probes_are_a_few_at_a_time() -> None:
    """A thousand quiet books must not become a thousand reads at once. Proves: bounds."""
    script = Script().start()
    markets = [
        evolve(MARKET, condition_id=f"0xd{n}", yes_token=f"{n}1", no_token=f"{n}2")
        for n in range(10, 40)
    ]
    for market in markets:
        script.say(facts.MarketListed(market=market))
    script.wait(1)
    for market in markets:
        for token in market.tokens:
            script.say(snapshot(market, token, BIDS, ASKS, script.now_ns))
    answers(script, PROBE_S - 1)
    script.all_said.clear()
    script.wait(1)

    assert len(script.of(FetchBook)) == PROBES_MAX
    script.wait(0.1)
    assert len(script.of(FetchBook)) == PROBES_MAX
    assert len(set(script.ever(FetchBook))) == 2 * PROBES_MAX


def test_tokens_are_spread_over_connections_and_fall_with_their_own() -> None:
    """Beyond some hundreds of tokens a connection gets no first book (reference 4.1)."""
    script = Script(config=Config(strategies=(), link_tokens_max=4)).start()
    others = [
        evolve(MARKET, condition_id=f"0xd{n}", yes_token=f"{n}1", no_token=f"{n}2")
        for n in (10, 11)
    ]
    for market in others:
        script.say(facts.MarketListed(market=market))
    script.wait(1)
    links = [(s.link, s.tokens[0]) for s in script.ever(Subscribe)]
    assert links == [("market", YES), ("market", "101"), ("market.1", "111")]
    assert state_of(script, "111") == "down"  # its own connection is not up yet
    script.say(facts.LinkUp(link="market.1"))
    assert state_of(script, "111") == "silent"
    script.quote()
    script.say(snapshot(others[1], "111", BIDS, ASKS, script.now_ns))
    script.say(facts.LinkDown(link="market.1", reason="cut"))

    assert (state_of(script), state_of(script, "111")) == ("fresh", "down")


# Messages that are wrong.


def change(script: Script, ms: int, price: float, digest: str = "") -> facts.PriceChanged:
    moved = facts.LevelChange(
        token_id=YES, side=Side.BUY, price=cents(price), size=shares(5), hash=digest
    )
    return facts.PriceChanged(condition_id="0xc1", timestamp_ms=ms, changes=(moved,))


def test_a_change_that_comes_after_a_later_one_is_a_gap(script: Script) -> None:
    """It is not applied, and nobody knows what else is missing. Proves: faults (reordered)."""
    now_ms = script.now_ns // MS_NS
    script.say(change(script, now_ms + 20, 41))
    script.say(change(script, now_ms + 10, 42))

    assert script.state.books["0xc1"].best_bid(YES) == cents(41)
    assert state_of(script) == "suspect"
    assert script.of(FetchBook) == [FetchBook(token_id=YES)]
    assert script.state.counters["changes_out_of_order"] == 1


def test_a_book_that_comes_after_a_later_change_is_a_gap(script: Script) -> None:
    """It has its hash, and is behind: it must not pass for the present one."""
    now_ms = script.now_ns // MS_NS
    script.say(change(script, now_ms + 20, 41))
    script.say(snapshot(MARKET, YES, BIDS, ASKS, script.now_ns, timestamp_ms=now_ms + 10))

    assert state_of(script) == "suspect"
    assert script.state.counters["books_out_of_order"] == 1


def test_a_change_that_a_read_has_overtaken_is_not_applied(script: Script) -> None:
    """It was on its way while the whole book was read; the book holds it already."""
    now_ms = script.now_ns // MS_NS
    script.say(change(script, now_ms + 1, 41, "wrong"))
    script.wait(0.2)
    script.now_ns += 50 * MS_NS
    read(script, YES, OTHER_BIDS)
    assert state_of(script) == "fresh"
    script.say(change(script, script.now_ns // MS_NS - 10, 40.5))

    assert script.state.books["0xc1"].best_bid(YES) == cents(39)
    assert script.state.counters["changes_overtaken"] == 1
    assert state_of(script) == "fresh"


def test_best_prices_that_do_not_agree_are_a_gap(script: Script) -> None:
    """The check that needs no hash, in case its recipe changes again. Proves: D12."""
    told = facts.LevelChange(
        token_id=YES, side=Side.BUY, price=cents(30), size=shares(5), hash="",
        best_bid=cents(45), best_ask=cents(60),
    )  # fmt: skip
    now_ms = script.now_ns // MS_NS
    script.say(facts.PriceChanged(condition_id="0xc1", timestamp_ms=now_ms + 1, changes=(told,)))
    assert state_of(script) == "fresh"  # the group may not be whole yet
    script.wait(0.2)

    assert state_of(script) == "suspect"
    assert script.state.counters["best_price_mismatch"] == 1


def test_a_message_that_cannot_be_read_puts_its_market_in_doubt(script: Script) -> None:
    """What it said is lost; its market is named in what is left of it. Proves: BadInput."""
    wrong = facts.BadInput(source="market", reason="not JSON", excerpt='{"market":"0xc1","pri')
    script.say(wrong)

    assert (state_of(script), state_of(script, NO)) == ("suspect", "suspect")
    assert script.of(FetchBook) == [FetchBook(token_id=YES), FetchBook(token_id=NO)]


def test_a_book_that_is_in_doubt_already_is_not_doubted_again(script: Script) -> None:
    """Only what was believed loses anything by a message that cannot be read."""
    script.say(change(script, script.now_ns // MS_NS + 1, 41, "wrong"))
    script.wait(0.2)
    doubts = script.state.feeds[YES].mismatched
    script.say(facts.BadInput(source="market", reason="not JSON", excerpt='{"market":"0xc1","pri'))

    assert script.state.feeds[YES].mismatched == doubts
    assert state_of(script, NO) == "suspect"


def test_a_message_that_names_nobody_makes_us_look_at_all(script: Script) -> None:
    """It may have been about any book; other streams' nonsense is about none."""
    script.say(facts.BadInput(source="user", reason="not JSON", excerpt="{"))
    script.wait(0.1)
    assert not script.of(FetchBook)
    script.say(facts.BadInput(source="market", reason="not JSON", excerpt="{"))
    assert state_of(script) == "fresh"
    script.wait(0.1)

    assert script.of(FetchBook) == [FetchBook(token_id=YES), FetchBook(token_id=NO)]


def test_reads_of_a_book_that_stays_wrong_back_off(script: Script) -> None:
    """A venue that changed its recipe must not be asked for ever at full rate."""
    script.say(change(script, script.now_ns // MS_NS + 1, 41, "wrong"))
    script.wait(0.2)
    asked = [0.0]
    for tick in range(1, 400):
        script.wait(0.1)
        if FetchBook(token_id=YES) in script.of(FetchBook):
            asked.append(round(tick * 0.1, 1))

    assert asked == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0]
