"""The current official client, polymarket-client, against our exchange, end to end.

It reads strictly: a field of the wrong type is an error, so what passes here has the venue's
shapes (exchange reference section 8, item 10).  The wallets are those that the client itself
derives from the account's key.
"""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from polybawt.core.market import Market
from polybawt.core.units import Usdc
from polybawt.exchange.config import DEVELOPMENT_KEYS, Wallet
from polybawt.venue.signing import Account
from tests.exchange.conftest import Open
from tests.exchange.house import CANARY, FED, UPDOWN, Hall, config
from tests.exchange.official import (
    PATIENCE_S,
    Enter,
    entrance,
    every,
    heard,
    hook,
    quoted,
    rest,
    sdk,
    subscribed,
)

errors: Any = pytest.importorskip("polymarket.errors")
streams: Any = pytest.importorskip("polymarket.streams")
derive: Any = pytest.importorskip("polymarket._internal.wallet")

MARKETS = [
    pytest.param(UPDOWN, id="v1"),
    pytest.param(FED, id="neg-risk"),
    pytest.param(CANARY, id="v2"),
]


@pytest.fixture
async def enter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Enter]:
    async with entrance(monkeypatch) as entering:
        yield entering


# Keys.


async def test_it_is_given_the_same_keys_again(hall: Hall, enter: Enter) -> None:
    first, second = await enter(hall), await enter(hall)

    assert first.credentials == second.credentials
    assert await second.fetch_api_keys() == (first.credentials.key,)
    assert await second.get_closed_only_mode() is False


async def test_a_deleted_key_opens_nothing(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)

    await client.delete_api_key()

    with pytest.raises(errors.RequestRejectedError) as caught:
        await client.fetch_api_keys()
    assert caught.value.status == 401


# Reads.


async def test_it_reads_books_and_prices_one_by_one_and_in_lists(hall: Hall, enter: Enter) -> None:
    await quoted(hall)
    client, token = await enter(hall), UPDOWN.yes_token
    wanted = [sdk.PriceRequest(token, side) for side in ("BUY", "SELL")]

    book = await client.get_order_book(asset_id=token)
    books = await client.get_order_books(asset_ids=[token])

    assert [(level.price, level.size) for level in book.bids] == [(Decimal("0.48"), 100)]
    assert books == (book,)
    assert await client.get_midpoint(asset_id=token) == Decimal("0.5")
    assert await client.get_midpoints(asset_ids=[token]) == {token: Decimal("0.5")}
    assert await client.get_price(asset_id=token, side="BUY") == Decimal("0.48")
    assert await client.get_prices(requests=wanted) == {
        token: {"BUY": Decimal("0.48"), "SELL": Decimal("0.52")}
    }
    assert await client.get_spread(asset_id=token) == Decimal("0.04")
    assert await client.get_spreads(asset_ids=[token]) == {token: Decimal("0.04")}


async def test_it_reads_the_last_trade_once_there_is_one(hall: Hall, enter: Enter) -> None:
    client, token = await enter(hall), UPDOWN.yes_token
    before = await client.get_last_trade_price(asset_id=token)

    await quoted(hall)
    await client.place_market_order(asset_id=token, side="BUY", amount="5.2", max_price="0.52")
    hall.after(1)
    after = await client.get_last_trade_price(asset_id=token)
    listed = await client.get_last_trade_prices(asset_ids=[token])

    assert before is None
    assert (after.price, after.side) == (Decimal("0.52"), "BUY")
    assert [(one.asset_id, one.price) for one in listed] == [(token, Decimal("0.52"))]


async def test_it_estimates_what_a_market_order_will_cost(hall: Hall, enter: Enter) -> None:
    await quoted(hall)
    client = await enter(hall)

    price = await client.estimate_market_price(
        asset_id=UPDOWN.yes_token, side="BUY", amount="10", order_type="FOK"
    )

    assert price == Decimal("0.52")


# Orders.


@pytest.mark.parametrize("market", MARKETS)
async def test_its_limit_orders_rest_and_are_read_back(
    hall: Hall, enter: Enter, market: Market
) -> None:
    client = await enter(hall)

    placed = await rest(client, market)
    read = await client.get_order(order_id=placed.order_id)
    listed = await every(client.list_open_orders())

    assert placed.status == "live"
    assert (read.price, read.original_size, read.order_type) == (Decimal("0.4"), 10, "GTC")
    assert listed == [read]


@pytest.mark.parametrize("market", MARKETS)
async def test_its_market_orders_are_matched_and_settle(
    hall: Hall, enter: Enter, market: Market
) -> None:
    """A buy in dollars and the sale of its shares; settlement is waited for by trade id."""
    await quoted(hall, market)
    client = await enter(hall)

    bought = await client.place_market_order(
        asset_id=market.yes_token, side="BUY", amount="5.2", max_price="0.52", order_type="FAK"
    )
    hall.after(10_000)
    hashes = await client.wait_for_order_fill_settlement(bought, timeout_s=PATIENCE_S)
    sold = await client.place_market_order(
        asset_id=market.yes_token, side="SELL", shares="10", order_type="FOK"
    )
    trades = await every(client.list_account_trades(market=market.condition_id))

    assert (bought.status, bought.making_amount, bought.taking_amount) == (
        "matched",
        Decimal("5.2"),
        10,
    )
    assert len(hashes) == 1
    assert (sold.status, sold.taking_amount) == ("matched", Decimal("4.8"))
    assert sorted(trade.status for trade in trades) == ["CONFIRMED", "MATCHED"]
    assert {trade.trader_side for trade in trades} == {"TAKER"}


async def test_its_killed_orders_carry_the_codes_it_knows(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)

    for order_type, text in (("FOK", "couldn't be fully filled"), ("FAK", "no orders found")):
        with pytest.raises(errors.RequestRejectedError, match=text) as caught:
            await client.place_market_order(
                asset_id=UPDOWN.yes_token,
                side="BUY",
                amount="5",
                max_price="0.5",
                order_type=order_type,
            )
        assert caught.value.status == 400


async def test_its_post_only_order_rests_or_is_refused(hall: Hall, enter: Enter) -> None:
    await quoted(hall)
    client = await enter(hall)

    placed = await rest(client, price="0.51", post_only=True)
    with pytest.raises(errors.RequestRejectedError, match="order crosses book"):
        await rest(client, price="0.52", post_only=True)

    assert placed.status == "live"


async def test_its_dated_order_ends_by_itself(hall: Hall, enter: Enter) -> None:
    """The client asks for three minutes from its own clock; the venue ends it a minute early."""
    client = await enter(hall)
    ends_s = 4_000_000_000

    placed = await rest(client, expiration=ends_s)
    hall.after((ends_s - 60) * 1000 - hall.clock.now_ns // 10**6)
    read = await client.get_order(order_id=placed.order_id)

    assert read.order_type == "GTD"
    assert read.status.startswith("CANCELED")


async def test_a_post_only_venue_is_told_from_a_refusal(hall: Hall, enter: Enter) -> None:
    """After a restart the venue takes post-only orders: the client has a name for that."""
    client = await enter(hall)
    hall.floor.mode.set("post_only", hall.floor.now_ns(), 79)

    with pytest.raises(errors.RequestRejectedError) as caught:
        await rest(client)

    assert (caught.value.status, caught.value.code) == (503, "post_only_mode")
    assert caught.value.restriction == "post_only"
    assert caught.value.retry_after == 79


DERIVED = {
    1: derive.derive_proxy_wallet_address,
    2: derive.derive_safe_wallet_address,
    3: derive.derive_beacon_deposit_wallet_address,
}


@pytest.mark.parametrize("kind", DERIVED, ids=["proxy", "safe", "deposit wallet"])
async def test_its_wallets_trade_with_their_own_money(
    opened: Open, enter: Enter, kind: int
) -> None:
    owner = Account(DEVELOPMENT_KEYS[0]).address
    address = DERIVED[kind](owner, hook.PRODUCTION_CONFIG.wallet_derivation)
    wallet = Wallet(address=address, owner=owner, signature_type=kind, collateral=Usdc(100_000_000))
    hall = await opened(told=config(wallets=(wallet,)))
    client = await enter(hall, wallet=address)

    placed = [await rest(client, market) for market in (UPDOWN, FED, CANARY)]
    read = await client.get_order(order_id=placed[0].order_id)
    balance = await client.get_balance_allowance(asset_type="COLLATERAL")

    assert [one.status for one in placed] == ["live"] * 3
    assert read.maker_address == address
    assert balance.balance == 100_000_000


async def test_its_batch_is_answered_leg_by_leg(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    sizes = ("10", "1000000")

    signed = [
        await client.create_limit_order(
            asset_id=UPDOWN.yes_token, price="0.4", size=size, side="BUY"
        )
        for size in sizes
    ]
    live, refused = await client.post_orders(signed)

    assert (live.ok, live.status) == (True, "live")
    assert (refused.ok, refused.code) == (False, "not_enough_balance")


async def test_it_cancels_one_some_all_and_a_market(hall: Hall, enter: Enter) -> None:
    client = await enter(hall)
    ids = [(await rest(client)).order_id for _ in range(4)]
    other = (await rest(client, FED)).order_id
    unknown = "0x" + "ab" * 32

    one = await client.cancel_order(order_id=ids[0])
    some = await client.cancel_orders(order_ids=[ids[1], unknown])
    of_market = await client.cancel_market_orders(market=UPDOWN.condition_id)
    everything = await client.cancel_all()

    assert one.canceled == (ids[0],)
    assert (some.canceled, list(some.not_canceled)) == ((ids[1],), [unknown])
    assert sorted(of_market.canceled) == sorted(ids[2:])
    assert everything.canceled == (other,)


# The account.


async def test_its_heartbeats_hold_its_orders(hall: Hall, enter: Enter) -> None:
    """A beat that names an old id is told the right one."""
    client = await enter(hall)
    await rest(client)

    first = await client.send_order_heartbeat()
    second = await client.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
    with pytest.raises(errors.OrderHeartbeatMismatchError) as caught:
        await client.send_order_heartbeat(heartbeat_id=first.heartbeat_id)
    held = await every(client.list_open_orders())
    hall.after(11_000)

    assert caught.value.heartbeat_id == second.heartbeat_id
    assert len(held) == 1
    assert await every(client.list_open_orders()) == []


async def test_it_reads_balances_of_money_and_of_both_kinds_of_share(
    hall: Hall, enter: Enter
) -> None:
    client = await enter(hall)
    kinds = {UPDOWN: "CONDITIONAL", CANARY: "CONDITIONAL-V2"}
    await quoted(hall, *kinds)
    for market in kinds:
        await client.place_market_order(
            asset_id=market.yes_token, side="BUY", amount="5.2", max_price="0.52"
        )
    hall.after(10_000)

    money = await client.get_balance_allowance(asset_type="COLLATERAL")
    shares = [
        await client.get_balance_allowance(asset_type=kind, asset_id=market.yes_token)
        for market, kind in kinds.items()
    ]

    assert money.balance == 1_000_000_000 - 2 * (5_200_000 + 174_720)
    assert [one.balance for one in shares] == [10_000_000] * 2


async def test_it_reads_and_drops_notifications(hall: Hall, enter: Enter) -> None:
    client, taker = await enter(hall), await hall.trader(1)
    placed = await rest(client)
    await taker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.6", "10")
    hall.after(10_000)

    told = await client.get_notifications()
    await client.drop_notifications(ids=[one.id for one in told])

    assert [one.payload.order_id for one in told] == [placed.order_id]
    assert await client.get_notifications() == ()


# Streams.


async def test_its_market_stream_tells_books_changes_and_trades(hall: Hall, enter: Enter) -> None:
    client, taker = await enter(hall), await enter(hall, 2)
    await quoted(hall)
    spec = streams.MarketSpec(asset_ids=[UPDOWN.yes_token], custom_feature_enabled=True)

    async with subscribed(client, spec) as stream:
        first = await heard(stream, "book")
        await rest(taker, price="0.5")
        hall.after(1)
        change = await heard(stream, "price_change")
        best = await heard(stream, "best_bid_ask")
        await taker.place_market_order(
            asset_id=UPDOWN.yes_token, side="BUY", amount="5.2", max_price="0.52"
        )
        hall.after(1)
        printed = await heard(stream, "last_trade_price")
        after = await heard(stream, "book")

    assert first.payload.bids[-1].price == Decimal("0.48")
    assert {one.asset_id for one in change.payload.price_changes} == set(UPDOWN.tokens)
    assert (best.payload.best_bid, best.payload.best_ask) == (Decimal("0.5"), Decimal("0.52"))
    assert (printed.payload.price, printed.payload.side) == (Decimal("0.52"), "BUY")
    assert after.payload.asks[-1].size == 90
    assert stream.dropped == 0


async def test_its_user_stream_tells_orders_and_trades_to_the_end(hall: Hall, enter: Enter) -> None:
    client, taker = await enter(hall), await hall.trader(1)

    async with subscribed(client, streams.UserSpec()) as stream:
        await asyncio.sleep(0)
        while not hall.floor.hub.heard_by(Account(DEVELOPMENT_KEYS[0]).address):
            await asyncio.sleep(0.001)
        placed = await rest(client)
        new = await heard(stream, "order")
        await taker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.6", "10")
        filled = await heard(stream, "trade")
        hall.after(10_000)
        ended = [await heard(stream, "trade") for _ in range(2)]

    assert (new.payload.id, new.payload.order_event_type) == (placed.order_id, "PLACEMENT")
    assert filled.payload.status == "MATCHED"
    assert [one.order_id for one in filled.payload.maker_orders] == [placed.order_id]
    assert [one.payload.status for one in ended] == ["MINED", "CONFIRMED"]
