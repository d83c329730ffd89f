"""Connections: what the return of a stream obliges us to, and what a refusal means."""

import pytest

from polybawt.core import facts
from polybawt.core.commands import ReadOpenOrders, ReadTrades
from polybawt.core.links import CREDENTIALS
from polybawt.core.units import SECOND_NS
from tests.core.script import QUIET, Script


@pytest.fixture
def script() -> Script:
    script = Script().start()
    script.wait(1)
    script.quote()
    return script


def returns(script: Script) -> None:
    script.say(facts.LinkDown(link="user", reason="reset"))
    script.say(facts.LinkUp(link="user"), facts.LinkHeard(link="user"))


def refused(script: Script) -> None:
    script.say(facts.LinkDown(link="user", reason="cut"))
    script.say(facts.LinkRefused(link="user", reason="3 drops before a word"))


def test_no_order_leaves_until_what_a_reconnect_hid_is_known(script: Script) -> None:
    """There is no replay: a fill may have come meanwhile. Proves: faults, reference 6 item 11."""
    returns(script)
    assert script.state.feeds["user"].state == "fresh"
    assert script.want() is None
    script.say(facts.TradesRead(condition_id="0xc1", count=0))  # of one market only
    script.say(facts.TradesRead(condition_id="", count=0))
    assert script.want() is None
    assert script.state.counters["refused:user_link"] == 2
    script.say(facts.OpenOrdersRead(order_ids=()))

    assert script.want() is not None


def test_a_read_after_a_reconnect_that_is_lost_is_asked_again(script: Script) -> None:
    """Else a single lost answer would keep us out for ever."""
    returns(script)
    script.say(facts.TradesRead(condition_id="", count=0))
    script.say(facts.ReadFailed(what="ReadOpenOrders", reason="timeout"))
    script.wait(1.9)
    assert not script.of(ReadOpenOrders)
    script.wait(0.1)

    assert script.of(ReadOpenOrders) == [ReadOpenOrders()]
    assert not script.of(ReadTrades)


def test_a_user_channel_that_never_spoke_is_not_trusted(script: Script) -> None:
    """Proves: A-exec (never received is not healthy)."""
    script.say(facts.LinkDown(link="user", reason="reset"), facts.LinkUp(link="user"))
    script.say(facts.TradesRead(condition_id="", count=0), facts.OpenOrdersRead(order_ids=()))
    assert script.want() is None
    script.say(facts.LinkHeard(link="user"))

    assert script.want() is not None


def test_refused_credentials_are_an_alarm_and_bar_orders(script: Script) -> None:
    """A network fault and a wrong key look alike once, not three times in a row."""
    refused(script)
    returns(script)
    script.agree()

    assert script.noticed("credentials_refused") == 1
    assert script.state.breakers[CREDENTIALS].state == "latched"
    assert script.want() is None
    assert script.state.counters["refused:breaker"] == 1


def test_a_user_channel_that_lasts_was_let_in(script: Script) -> None:
    """The first PONG alone says little: a refused connection may live for a moment too."""
    refused(script)
    returns(script)
    script.say(facts.LinkHeard(link="user"))
    assert script.state.breakers[CREDENTIALS].state == "latched"
    script.wait(QUIET.refused_clear_ns / SECOND_NS)
    script.agree()
    script.say(facts.LinkHeard(link="user"))
    assert script.state.breakers[CREDENTIALS].state == "closed"
    script.quote()

    assert script.want() is not None


def test_another_stream_that_is_refused_bars_nothing(script: Script) -> None:
    script.say(facts.LinkRefused(link="oracle", reason="4001"))

    assert CREDENTIALS not in script.state.breakers
    assert script.noticed("credentials_refused") == 1


def test_missing_frames_of_a_numbered_stream_are_counted_and_told(script: Script) -> None:
    script.say(facts.LinkGap(link="oracle", channel="price.crypto", missed=3))

    assert script.state.counters["missed_frames"] == 3
    assert script.noticed("link_gap") == 1
