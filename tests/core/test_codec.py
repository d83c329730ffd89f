"""What is written is read back equal, and what nobody wrote is refused."""

from typing import Any

import attrs
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polybawt.core import facts
from polybawt.core.codec import (
    KINDS,
    NotDecodable,
    decode,
    decode_state,
    encode,
    encode_state,
)
from polybawt.core.machine import Fact
from polybawt.core.machines import order
from polybawt.core.state import State
from polybawt.core.strategies.value import Value
from tests.core.anything import I64, records
from tests.core.script import MARKET, rich


@pytest.mark.parametrize("kind", facts.WORLD, ids=lambda kind: kind.__name__)
@given(draw=st.data())
def test_every_fact_comes_back_equal(kind: type[Fact], draw: st.DataObject) -> None:
    """The journal is the only memory: a replay must hear exactly what was heard.

    Proves: recovery, P2.5.
    """
    fact = draw.draw(records(kind))
    name, body = encode(fact)

    assert decode(name, body) == fact
    assert type(decode(name, body)) is kind


def test_the_kind_of_a_fact_is_its_name() -> None:
    """And it stays so for ever: journals outlive programs."""
    assert encode(facts.Tick(at_ns=7)) == ("Tick", b'{"at_ns":7}')
    assert set(KINDS) == {kind.__name__ for kind in facts.WORLD}


def test_prices_beyond_64_bits_are_text() -> None:
    """70,000 dollars in 10^-18 do not fit into a JSON number that others can read."""
    fact = facts.OracleReported(symbol="btc/usd", value_e18=70_000 * 10**18, report_ms=1)

    assert orjson.loads(encode(fact)[1])["value_e18"] == "70000000000000000000000"


def test_a_state_comes_back_equal_after_a_rich_run() -> None:
    """A snapshot is the state, whole: half-open groups, timers, doubts and all.

    Proves: recovery.
    """
    state = rich().state
    empty = [f.name for f in attrs.fields(State) if getattr(state, f.name) in ({}, [], 0, "")]

    assert empty == []
    assert decode_state(encode_state(state)) == state
    assert decode_state(encode_state(State())) == State()


def test_a_restored_state_is_its_own() -> None:
    """Nothing in it is shared with a default that the next state would inherit."""
    one, other = decode_state(encode_state(State())), decode_state(encode_state(State()))
    one.feeds.clear()
    one.notify("info", "x", "y")

    assert other == State()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("Nothing", b"{}"),
        ("State", b"{}"),
        ("Fill", b'{"intent_id":"i1","trade_id":"t","shares":1}'),  # derived, never journaled
        ("Tick", b'{"at_ns":1,"more":2}'),
        ("Tick", b'{"at_ns":'),
        ("Tick", b""),
        ("Tick", b"[]"),
        ("Tick", b"null"),
        ("Tick", b"7"),
        ("Tick", b'"text"'),
        ("Tick", b'{"at_ns":"soon"}'),
        ("Tick", b'{"at_ns":null}'),
        ("Tick", b'{"at_ns":[]}'),
        ("LinkUp", b"{}"),
        ("LinkDown", b'{"link":"user"}'),
        ("KillRequested", b"\xff\xfe"),
        ("MarketListed", b'{"market":7}'),
        ("MarketListed", b'{"market":null}'),
        ("MarketListed", b'{"market":{"condition_id":"c"}}'),
        ("OracleReported", b'{"symbol":"s","value_e18":"1.5","report_ms":1}'),
        ("OracleReported", b'{"symbol":"s","value_e18":null,"report_ms":1}'),
        ("PriceChanged", b'{"condition_id":"c","timestamp_ms":1,"changes":7}'),
        ("PriceChanged", b'{"condition_id":"c","timestamp_ms":1,"changes":[[]]}'),
        ("BookSnapshot", b'{"condition_id":"c","bids":[[1]]}'),
        ("LastTrade", b'{"side":"HOLD"}'),
    ],
)
def test_what_nobody_wrote_is_refused(kind: str, body: bytes) -> None:
    """A journal of another program, or a torn one, is never half understood."""
    with pytest.raises(NotDecodable):
        decode(kind, body)


FIELDS = sorted({f.name for kind in facts.WORLD for f in attrs.fields(kind)} | {"tick", "fees"})
JSON = st.recursive(
    st.none() | st.booleans() | I64 | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)
    ),
    max_leaves=8,
)


@given(kind=st.sampled_from(sorted(KINDS)), body=JSON)
def test_any_json_is_a_fact_or_refused(kind: str, body: Any) -> None:
    """The audit socket reads what others write: no other exception may leave the codec."""
    try:
        fact = decode(kind, orjson.dumps(body))
    except NotDecodable:
        return
    assert type(fact) is KINDS[kind]


@pytest.mark.parametrize("cut", [1, 2, 10, 100, 1_000])
def test_a_torn_snapshot_is_refused(cut: int) -> None:
    body = encode_state(rich().state)

    with pytest.raises(NotDecodable):
        decode_state(body[:-cut])


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"later_version":1}', b'{"oracles":{"x":{"symbol":"x","values":7}}}'],
)
def test_a_snapshot_of_another_version_is_refused(body: bytes) -> None:
    """Recovery then folds the journal from its beginning instead."""
    with pytest.raises(NotDecodable):
        decode_state(body)


def test_settings_travel_with_the_start() -> None:
    """A replay must decide as the original did, under the same configuration."""
    started = facts.Started(epoch=3)
    kept = attrs.evolve(started.config, strategies=(Value(name="other", noise=0.125),))
    fact = attrs.evolve(started, config=kept)

    assert decode(*encode(fact)) == fact


def test_an_answer_of_the_order_lane_is_a_fact() -> None:
    fact = order.ReadClosed(intent_id="i1", matched=MARKET.min_size, outcome="cancelled")

    assert decode(*encode(fact)) == fact


def test_a_market_of_an_older_journal_is_still_read() -> None:
    """A journal outlives the release that wrote it: what it did not know has a safe default."""
    body = (
        b'{"market": {"condition_id": "0xc0", "slug": "s", "question": "q?", "yes_token": "1",'
        b' "no_token": "2", "tick": 10000, "min_size": 5000000}, "at_ns": 7}'
    )

    fact = decode("MarketListed", body)

    assert isinstance(fact, facts.MarketListed)
    assert (fact.market.tags, fact.market.category, fact.market.event_id) == ((), "", "")
    assert (fact.market.neg_risk_id, fact.market.resolution_source) == ("", "")
    assert (fact.market.created_ns, fact.market.twap_window_s) == (0, 0)
