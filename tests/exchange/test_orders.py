"""Placing orders: identity is proved, amounts are exact, refusals are the venue's own."""

from typing import Any

import pytest

from polybawt.core.market import Market, Side
from polybawt.core.units import MILLION, Price, micro_text
from polybawt.exchange import orders
from polybawt.venue import signing
from polybawt.venue.signing import OrderTerms
from tests.exchange.conftest import Open
from tests.exchange.house import (
    CANARY,
    FED,
    START_NS,
    UPDOWN,
    Hall,
    StillWorld,
    Trader,
    a_market,
    config,
    wallet_of,
)


@pytest.mark.parametrize("market", [UPDOWN, FED, CANARY], ids=lambda market: market.slug)
async def test_an_order_rests_under_its_digest(hall: Hall, market: Market) -> None:
    """The id is known before the order is sent, under each of the three domains.

    Proves: H5
    """
    trader = await hall.trader()
    terms = trader.terms(market, market.yes_token, Side.BUY, 4_000_000, 10_000_000)

    status, answer = await trader.ask("POST", "/order", trader.body(market, terms))

    assert status == 200
    assert answer == {
        "success": True,
        "errorMsg": "",
        "orderID": trader.id_of(market, terms),
        "status": "live",
        "makingAmount": "",
        "takingAmount": "",
        "tradeIDs": [],
        "transactionsHashes": [],
    }


async def test_the_same_bytes_again_are_a_duplicate(hall: Hall) -> None:
    """That is what makes a retry safe, even after the order has ended.

    Proves: H5, P1.2
    """
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    _, first = await trader.ask("POST", "/order", body)
    await trader.ask("DELETE", "/order", {"orderID": first["orderID"]})

    status, answer = await trader.ask("POST", "/order", body | {"postOnly": True})

    assert status == 400
    assert answer == {"error": f"order {first['orderID']} is invalid. Duplicated."}


async def test_a_signature_with_one_byte_flipped_is_refused(hall: Hall) -> None:
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    signature = body["order"]["signature"]
    for at in (4, 70, 131):
        digit = "0" if signature[at] != "0" else "1"
        body["order"]["signature"] = signature[:at] + digit + signature[at + 1 :]

        status, answer = await trader.ask("POST", "/order", body)

        assert (status, answer) == (400, {"error": "invalid signature"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("salt", 999),
        ("makerAmount", "4100000"),
        ("takerAmount", "9000000"),
        ("side", "SELL"),
        ("timestamp", "1"),
        ("metadata", "0x" + "11" * 32),
        ("builder", "0x" + "11" * 32),
        ("tokenId", UPDOWN.no_token),
    ],
)
async def test_every_signed_field_is_covered(hall: Hall, field: str, value: Any) -> None:
    """A change to any signed field makes it somebody else's order."""
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    body["order"][field] = value

    status, answer = await trader.ask("POST", "/order", body)

    assert (status, answer) == (400, {"error": "invalid signature"})


async def test_an_order_signed_for_another_contract_is_refused(hall: Hall) -> None:
    """A neg-risk market has its own exchange contract (reference 3.1)."""
    trader = await hall.trader()
    terms = trader.terms(FED, FED.yes_token, Side.BUY, 4_000_000, 10_000_000)

    status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

    assert (status, answer) == (400, {"error": "invalid signature"})


async def test_the_owner_must_be_the_api_key(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10", owner=other.credentials.key)

    status, answer = await trader.ask("POST", "/order", body)

    assert status == 400
    assert answer["error"] == "the order owner has to be the owner of the API KEY"


async def test_the_signer_must_be_the_keys_address(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    terms = other.terms(UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000)
    body = other.body(UPDOWN, terms, owner=trader.credentials.key)

    status, answer = await trader.ask("POST", "/order", body)

    assert status == 400
    assert answer["error"] == "the order signer address has to be the address of the API KEY"


async def test_nobody_spends_from_another_address(hall: Hall) -> None:
    trader, other = await hall.trader(0), await hall.trader(1)
    for kind in range(3):
        terms = trader.terms(
            UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000,
            maker=other.address, signature_type=kind,
        )  # fmt: skip

        status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

        assert status == 400
        assert answer["error"].startswith("maker address not allowed")


@pytest.mark.parametrize("kind", [1, 2, 3])
async def test_wallets_of_every_type_trade_for_their_owner(opened: Open, kind: int) -> None:
    """Type 3 wraps the signature and names the wallet as signer (reference 2.3)."""
    wallet = wallet_of(0, kind, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    trader = await hall.trader()
    terms = trader.terms(
        UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000,
        maker=wallet.address,
        signer=wallet.address if kind == 3 else trader.address,
        signature_type=kind,
    )  # fmt: skip

    status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))
    rows = (await trader.ask("GET", "/data/orders"))[1]["data"]

    assert (status, answer["status"]) == (200, "live")
    assert [row["maker_address"] for row in rows] == [wallet.address]
    assert rows[0]["owner"] == trader.credentials.key
    assert (await trader.ask("DELETE", "/cancel-all"))[1]["canceled"] == [answer["orderID"]]


@pytest.mark.parametrize("kind", [1, 2, 3])
async def test_nobody_spends_from_anothers_wallet(opened: Open, kind: int) -> None:
    wallet = wallet_of(1, kind, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    trader = await hall.trader(0)
    terms = trader.terms(
        UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000,
        maker=wallet.address,
        signer=wallet.address if kind == 3 else trader.address,
        signature_type=kind,
    )  # fmt: skip

    status, _ = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

    assert status == 400
    assert hall.floor.venue.open_orders(wallet.address) == []


async def test_a_deposit_wallets_plain_signature_is_refused(opened: Open) -> None:
    """65 bytes are not enough for type 3: the wrapping names the wallet."""
    wallet = wallet_of(0, 3, collateral=100 * MILLION)
    hall = await opened(StillWorld(UPDOWN), config(wallets=(wallet,)))
    trader = await hall.trader()
    terms = trader.terms(
        UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000,
        maker=wallet.address, signer=wallet.address, signature_type=3,
    )  # fmt: skip
    body = trader.body(UPDOWN, terms)
    body["order"]["signature"] = body["order"]["signature"][:132]

    status, answer = await trader.ask("POST", "/order", body)

    assert (status, answer) == (400, {"error": "invalid signature"})


async def test_a_match_answers_with_what_was_given_and_got(hall: Hall) -> None:
    """Amounts are human decimals and without the fee (reference 1.7)."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")

    status, answer = await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.52", "6")

    assert (status, answer["status"]) == (200, "matched")
    assert (answer["makingAmount"], answer["takingAmount"]) == ("3", "6")
    assert len(answer["tradeIDs"]) == 1


@pytest.mark.parametrize(
    ("price", "size", "other", "text"),
    [
        ("0.405", "10", {}, "breaks minimum tick size rule: 0.01"),
        ("0.40", "4", {}, "Size (4) lower than the minimum: 5"),
        ("0.40", "10", {"orderType": "GTD", "expiration": 1}, "invalid expiration"),
        ("0.40", "10", {"orderType": "GTD"}, "invalid expiration"),
        ("0.40", "10", {"expiration": START_NS // 10**9 + 600}, "invalid expiration"),
        ("0.40", "9000", {}, "not enough balance / allowance"),
    ],
)
async def test_bad_terms_are_refused_in_the_venues_words(
    hall: Hall, price: str, size: str, other: dict[str, Any], text: str
) -> None:
    trader = await hall.trader()

    status, answer = await trader.place(UPDOWN, UPDOWN.yes_token, "BUY", price, size, **other)

    assert status == 400
    assert text in answer["error"]


async def test_post_only_never_takes(hall: Hall) -> None:
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.5", "10")

    status, answer = await taker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.5", "10", postOnly=True)

    assert (status, answer["error"]) == (400, "invalid post-only order: order crosses book")


async def test_an_inexact_price_is_no_price(hall: Hall) -> None:
    """Amounts that imply a third of a cent are off every tick, and never rounded to one."""
    trader = await hall.trader()
    terms = trader.terms(UPDOWN, UPDOWN.yes_token, Side.BUY, 1_000_000, 30_000_000)

    status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

    assert status == 400
    assert "Price (0.033333) breaks minimum tick size rule: 0.01" in answer["error"]


async def test_a_market_buy_spends_dollars_up_to_its_limit(hall: Hall) -> None:
    """FOK and FAK buys are in collateral; their rounded shares imply the limit (3.4)."""
    maker, taker = await hall.trader(1), await hall.trader(0)
    await maker.place(UPDOWN, UPDOWN.no_token, "BUY", "0.67", "100")
    given, taken = signing.market_amounts(Side.BUY, Price(330_000), 10 * MILLION, UPDOWN.tick)
    terms = taker.terms(UPDOWN, UPDOWN.yes_token, Side.BUY, given, taken)

    status, answer = await taker.ask("POST", "/order", taker.body(UPDOWN, terms, orderType="FAK"))

    assert status == 200, answer
    assert answer["status"] == "matched"
    assert answer["takingAmount"] == "30.3"


@pytest.mark.parametrize(
    ("side", "given", "taken"),
    [(Side.BUY, 10_000_000, 29_850_000), (Side.SELL, 10_000_000, 3_350_000)],
)
async def test_a_market_order_between_two_ticks_is_refused(
    hall: Hall, side: Side, given: int, taken: int
) -> None:
    """33.5 cents is no rounding of 33 or 34: the amounts must imply one price."""
    trader = await hall.trader()
    terms = trader.terms(UPDOWN, UPDOWN.yes_token, side, given, taken)

    status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms, orderType="FAK"))

    assert status == 400
    assert "breaks minimum tick size rule" in answer["error"]


async def test_a_market_sale_gives_shares(hall: Hall) -> None:
    maker, taker = await hall.trader(1), await hall.trader(0)
    hall.world.venue.grant(taker.address, UPDOWN.yes_token, 50 * MILLION)  # type: ignore[arg-type]
    await maker.place(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "100")
    given, taken = signing.market_amounts(Side.SELL, Price(400_000), 20 * MILLION, UPDOWN.tick)
    terms = taker.terms(UPDOWN, UPDOWN.yes_token, Side.SELL, given, taken)

    status, answer = await taker.ask("POST", "/order", taker.body(UPDOWN, terms, orderType="FOK"))

    assert (status, answer["makingAmount"], answer["takingAmount"]) == (200, "20", "8")


async def test_a_fill_or_kill_without_a_match_is_killed_and_its_id_is_spent(hall: Hall) -> None:
    trader = await hall.trader()
    terms = trader.terms(UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000)
    body = trader.body(UPDOWN, terms, orderType="FOK")

    killed = await trader.ask("POST", "/order", body)
    again = await trader.ask("POST", "/order", body)

    assert killed[1]["error"].startswith("order couldn't be fully filled")
    assert again[1]["error"].endswith("Duplicated.")


async def test_a_v1_order_is_told_that_its_version_is_gone(hall: Hall) -> None:
    """What the archived client sends must be refused as the venue refuses it (7.4)."""
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    order = body["order"]
    del order["timestamp"], order["metadata"], order["builder"]
    order |= {"taker": "0x" + "00" * 20, "nonce": "0", "feeRateBps": "0"}

    assert await trader.ask("POST", "/order", body) == (400, {"error": "order_version_mismatch"})


async def test_each_leg_of_a_batch_stands_by_itself(hall: Hall) -> None:
    """A refused leg hides behind ``success``: its empty id is what counts (1.7)."""
    trader = await hall.trader()
    good = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    bad = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "1")

    status, legs = await trader.ask("POST", "/orders", [good, bad, good, 5])

    assert status == 200
    assert legs[0]["status"] == "live"
    assert [leg["orderID"] for leg in legs[1:]] == ["", "", ""]
    assert "lower than the minimum" in legs[1]["errorMsg"]
    assert "Duplicated" in legs[2]["errorMsg"]
    assert legs[3]["errorMsg"] == "Invalid order payload"


async def test_a_batch_has_a_limit(hall: Hall) -> None:
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")

    status, answer = await trader.ask("POST", "/orders", [body] * 16)

    assert (status, answer) == (400, {"error": "Too many orders in payload: 16, max allowed: 15"})


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "5", '"x"', "{}", '{"order":5}', '{"order":{}}', "<html>", "[[]]"],
)
async def test_a_malformed_order_is_refused_and_nothing_breaks(hall: Hall, text: str) -> None:
    trader = await hall.trader()

    for path in ("/order", "/orders"):
        status, answer = await trader.ask("POST", path, text)
        if status == 200:  # a list whose legs are refused one by one
            assert all(leg["orderID"] == "" and leg["errorMsg"] for leg in answer)
        else:
            assert (status, list(answer)) == (400, ["error"])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("salt", "12"), ("salt", -1), ("salt", 1.5), ("salt", True), ("salt", None),
        ("salt", 2**300), ("maker", "0x12"), ("maker", 5), ("signer", "zz"), ("tokenId", "0x12"),
        ("tokenId", 5), ("tokenId", "9" * 79), ("makerAmount", 5), ("makerAmount", "-5"),
        ("makerAmount", "1e6"), ("makerAmount", "0"), ("takerAmount", ""), ("takerAmount", "0"),
        ("takerAmount", "²"), ("side", 0), ("side", "buy"), ("side", ["BUY"]), ("expiration", 0),
        ("expiration", "9" * 13), ("signatureType", 4), ("signatureType", "0"),
        ("signatureType", True), ("timestamp", 5), ("timestamp", "9" * 78), ("metadata", "0x"),
        ("builder", None), ("signature", ""), ("signature", "0xzz"), ("signature", 7),
    ],
)  # fmt: skip
async def test_every_mistyped_field_is_a_refusal(hall: Hall, field: str, value: Any) -> None:
    """Wrong types must end in 400, never in a traceback or a guess."""
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    body["order"][field] = value

    for path, sent in (("/order", body), ("/orders", [body])):
        status, answer = await trader.ask("POST", path, sent)
        refused = answer[0]["errorMsg"] if path == "/orders" else answer["error"]

        assert status == (200 if path == "/orders" else 400)
        assert refused


@pytest.mark.parametrize(
    "other",
    [{"orderType": "IOC"}, {"orderType": 5}, {"owner": None}, {"postOnly": 1}, {"deferExec": "no"}],
)
async def test_every_mistyped_frame_field_is_a_refusal(hall: Hall, other: dict[str, Any]) -> None:
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10") | other

    assert await trader.ask("POST", "/order", body) == (400, {"error": "Invalid order payload"})


async def test_an_order_for_a_token_nobody_lists_is_refused(hall: Hall) -> None:
    trader = await hall.trader()
    terms = trader.terms(UPDOWN, "123", Side.BUY, 4_000_000, 10_000_000)

    status, answer = await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

    assert (status, answer) == (400, {"error": "Invalid token id"})


@pytest.mark.parametrize("tick", [100_000, 10_000, 5_000, 2_500, 1_000, 100])
async def test_market_orders_imply_their_limit_on_every_tick(opened: Open, tick: int) -> None:
    """The shares of a market buy are rounded down; the limit must come out exact again."""
    market = a_market(f"tick {tick}", tick=Price(tick))
    hall = await opened(StillWorld(market))
    trader = await hall.trader()
    for step in range(1, MILLION // tick, max(MILLION // tick // 37, 1)):
        for side in Side:
            price = Price(step * tick)
            given, taken = signing.market_amounts(side, price, 23_570_000, market.tick)
            terms = trader.terms(market, market.yes_token, side, given, taken)
            signed = orders.read(trader.body(market, terms, orderType="FAK"))

            assert orders.placement(signed, "0x0", market).price == price


@pytest.mark.parametrize("tick", [100_000, 10_000, 5_000, 2_500, 1_000, 100])
async def test_market_orders_of_the_clients_accuracy_are_matched_on_every_tick(
    opened: Open, tick: int
) -> None:
    """The official clients write two decimals more than the tick's price has (reference 3.4)."""
    market = a_market(f"tick {tick}", tick=Price(tick))
    hall = await opened(StillWorld(market))
    maker, taker = await hall.trader(1), await hall.trader(0)
    price = Price(MILLION // 2 // tick * tick - tick)
    resting = micro_text(MILLION - price)
    await maker.place(market, market.no_token, "BUY", resting, "100")
    bought = signing.market_amounts(Side.BUY, price, 23_570_000, market.tick)
    terms = [trader_terms(taker, market, Side.BUY, *bought)]
    terms.append(
        trader_terms(
            taker, market, Side.SELL,
            *signing.market_amounts(Side.SELL, price, 7_010_000, market.tick),
        )
    )  # fmt: skip
    answers = []
    for one in terms:
        answers.append(await taker.ask("POST", "/order", taker.body(market, one, orderType="FAK")))
        await maker.place(market, market.yes_token, "BUY", micro_text(price), "100")

    assert [(status, answer.get("status")) for status, answer in answers] == [
        (200, "matched"), (200, "matched"),
    ]  # fmt: skip


def trader_terms(trader: Trader, market: Market, side: Side, given: int, taken: int) -> OrderTerms:
    return trader.terms(market, market.yes_token, side, given, taken)


@pytest.mark.parametrize(
    ("tick", "side", "given", "taken", "decimals"),
    [
        (10_000, "BUY", 5_001_000, 10_000_000, 4),
        (10_000, "BUY", 5_000_000, 10_000_010, 4),
        (10_000, "SELL", 10_005_000, 5_000_000, 4),
        (10_000, "SELL", 10_000_000, 5_000_010, 4),
        (1_000, "BUY", 5_000_000, 10_000_001, 5),
        (1_000, "SELL", 10_000_000, 5_000_001, 5),
    ],
)
async def test_amounts_with_too_many_decimals_are_refused_in_the_venues_words(
    opened: Open, tick: int, side: str, given: int, taken: int, decimals: int
) -> None:
    market = a_market(f"tick {tick}", tick=Price(tick))
    hall = await opened(StillWorld(market))
    trader = await hall.trader()
    terms = trader_terms(trader, market, Side(side), given, taken)

    answer = await trader.ask("POST", "/order", trader.body(market, terms, orderType="FOK"))

    assert answer == (
        400,
        {
            "error": f"invalid amounts, the market {side.lower()} orders maker amount supports a"
            f" max accuracy of 2 decimals, taker amount a max of {decimals} decimals"
        },
    )


# Versions and wallets.


async def test_an_order_of_no_known_version_is_sent_to_a_newer_client(hall: Hall) -> None:
    trader = await hall.trader()
    body = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.4", "10")
    del body["order"]["timestamp"]

    answer = await trader.ask("POST", "/order", body)

    assert answer == (
        400, {"error": "invalid order version, please use the latest clob-client"},
    )  # fmt: skip


@pytest.mark.parametrize(("market", "signed_for"), [(UPDOWN, CANARY), (CANARY, UPDOWN)])
async def test_an_order_signed_under_the_other_version_is_told_so(
    hall: Hall, market: Market, signed_for: Market
) -> None:
    """A client that reads this asks for the version again and signs anew (reference 7.1)."""
    trader = await hall.trader()
    terms = trader.terms(market, market.yes_token, Side.BUY, 4_000_000, 10_000_000)

    answer = await trader.ask("POST", "/order", trader.body(signed_for, terms))

    assert answer == (400, {"error": "order_version_mismatch"})


async def test_a_young_account_is_sent_to_its_deposit_wallet(opened: Open) -> None:
    """Accounts made since May trade from deposit wallets only (reference 0, item 6)."""
    deposit, proxy = (
        wallet_of(0, 3, collateral=100 * MILLION),
        wallet_of(0, 1, collateral=100 * MILLION),
    )
    told = config(wallets=(deposit, proxy), deposit_only=(deposit.owner,))
    hall = await opened(StillWorld(UPDOWN), told)
    trader = await hall.trader()

    async def placed(**other: Any) -> tuple[int, Any]:
        terms = trader.terms(UPDOWN, UPDOWN.yes_token, Side.BUY, 4_000_000, 10_000_000, **other)
        return await trader.ask("POST", "/order", trader.body(UPDOWN, terms))

    refused = 400, {"error": "maker address not allowed, please use the deposit wallet flow"}
    assert await placed() == refused
    assert await placed(maker=proxy.address, signature_type=1) == refused
    own = await placed(maker=deposit.address, signer=deposit.address, signature_type=3)
    assert (own[0], own[1]["status"]) == (200, "live")
