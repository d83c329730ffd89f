"""Preflight against our own exchange: it tells what is wrong, and never orders anything."""

import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from attrs import evolve

from polybawt import cli
from polybawt.engine.config import AccountSettings, EngineConfig
from polybawt.exchange.config import Wallet
from polybawt.ops.paper import toml
from polybawt.ops.preflight import Check, as_json, preflight, told
from polybawt.venue.clock import Clock
from polybawt.venue.contracts import contracts
from polybawt.venue.signing import Account, checksum
from tests.engine.town import ACCOUNT, KEY, Town, town

ORDER_ROUTES = (
    "/order", "/orders", "/cancel-all", "/cancel-market-orders", "/v1/heartbeats", "/heartbeats",
)  # fmt: skip
SAFE = checksum(bytes.fromhex("5afe" * 10))


def of(checks: list[Check], name: str) -> Check:
    return next(check for check in checks if check.name == name)


async def flown(t: Town, config: EngineConfig, **where: str) -> list[Check]:
    return await preflight(config, ACCOUNT, **where)


async def test_a_sound_configuration_passes_and_nothing_is_ordered(tmp_path: Path) -> None:
    """The exchange's own record shows no order and no cancel. Proves: preflight."""
    seen: list[Check] = []
    async with town() as t:
        checks = await preflight(t.config(tmp_path), ACCOUNT, seen.append)

        assert [check.name for check in checks if not check.ok] == []
        assert seen == checks  # told as they were found
        assert len(checks) == 13
        asked = [key.split() for key in t.asked]
        assert not [a for a in asked if a[0] != "GET" and a[1] in ORDER_ROUTES]
        assert {a[1] for a in asked if a[0] != "GET"} <= {"/auth/api-key"}
        assert t.accepted == []


async def test_the_second_time_the_key_is_derived(tmp_path: Path) -> None:
    """Only whoever is new here may be too young for this kind of wallet (reference 0, item 6)."""
    async with town() as t:
        first = await flown(t, t.config(tmp_path))
        again = await flown(t, t.config(tmp_path))

        assert (of(first, "wallet").verdict, of(again, "wallet").verdict) == ("warn", "pass")
        assert "2026-05-04" in of(first, "wallet").fix
        assert "derived" in of(again, "credentials").detail


async def test_an_account_that_may_only_close_fails(tmp_path: Path) -> None:
    async with town() as t:
        t.floor.people.restrict(ACCOUNT.address, "closed_only")

        assert not of(await flown(t, t.config(tmp_path)), "closed-only").ok


async def test_a_clock_that_is_off_is_told(tmp_path: Path) -> None:
    """Signatures hold the time: a venue that checks it would refuse all of ours."""
    async with town() as t:
        config = t.config(tmp_path)
        late_ns = 40 * 10**9
        for off_ns, verdict in ((5 * 10**9, "warn"), (late_ns, "fail"), (-late_ns, "fail")):
            clock = Clock(real_ns=1, venue_ns=1 + off_ns)

            assert of(await flown(t, evolve(config, clock=clock)), "clock").verdict == verdict


async def test_another_order_format_fails(tmp_path: Path) -> None:
    """Every order would be refused (section 6, item 24)."""
    async with town() as t:
        t.instead("GET", "/version", web.json_response({"version": 3}))
        check = of(await flown(t, t.config(tmp_path)), "CLOB version")

        assert not check.ok
        assert "order_version_mismatch" in check.fix


async def test_allowances_that_are_missing_are_named(tmp_path: Path) -> None:
    """Approvals are per contract: one that is missing refuses only its own markets (3.1)."""
    known = contracts(137)
    some = {"balance": "5000000", "allowances": {known.standard: "1", known.neg_risk: "0"}}
    async with town() as t:
        t.instead("GET", "/balance-allowance", web.json_response(some))
        check = of(await flown(t, t.config(tmp_path)), "balance and allowances")

        assert not check.ok
        assert known.neg_risk in check.fix
        assert known.positions in check.fix
        assert known.standard not in check.fix


async def test_an_empty_purse_is_a_warning(tmp_path: Path) -> None:
    async with town() as t:
        stranger = Account("0x" + "11" * 32)
        checks = await preflight(t.config(tmp_path), stranger)

        assert of(checks, "balance and allowances").verdict == "warn"


@pytest.mark.parametrize(
    ("kind", "funder", "ok"),
    [
        (0, "", True),
        (0, SAFE, False),  # an EOA pays from its own pocket
        (1, ACCOUNT.address, False),
        (2, SAFE, True),
        (3, SAFE, True),
        (3, "0x" + "dead" * 10, False),  # not deployed
    ],
)
async def test_the_wallet_has_to_be_of_its_kind(
    tmp_path: Path, kind: Any, funder: str, ok: bool
) -> None:
    """Section 6, item 23: the most common reason why a first order is refused."""
    wallets = tuple(
        Wallet(address=SAFE, owner=ACCOUNT.address, signature_type=number)
        for number in ((kind,) if kind else ())
    )
    async with town(wallets=wallets) as t:
        account = AccountSettings(signature_type=kind, funder=funder)
        config = evolve(t.config(tmp_path), account=account)

        assert of(await flown(t, config), "wallet").ok is ok


async def test_refused_credentials_fail_and_the_rest_says_so(tmp_path: Path) -> None:
    """What depends on them is not guessed."""
    refused = web.json_response({"error": "Unauthorized/Invalid api key"}, status=401)
    async with town() as t:
        t.instead("GET", "/auth/api-keys", refused)
        checks = await flown(t, t.config(tmp_path))

        assert not of(checks, "credentials").ok
        assert "without credentials" in of(checks, "user stream").detail
        assert "without credentials" in of(checks, "closed-only").detail


async def test_a_place_that_is_blocked_fails_and_an_unknown_one_warns(tmp_path: Path) -> None:
    """Reference, hosts: order endpoints are blocked by address."""

    async def blocks(_: web.Request) -> web.Response:
        return web.json_response({"blocked": True, "ip": "::1", "country": "XX", "region": "Y"})

    app = web.Application()
    app.router.add_get("/api/geoblock", blocks)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with town() as t:
            there = await flown(t, t.config(tmp_path), geoblock_url=f"{url}/api/geoblock")
            nowhere = await flown(t, t.config(tmp_path), geoblock_url=f"{url}/else")
    finally:
        await runner.cleanup()

    assert of(there, "geoblock").detail == "blocked in XX/Y"
    assert (of(there, "geoblock").verdict, of(nowhere, "geoblock").verdict) == ("fail", "warn")


async def test_a_venue_that_is_not_there_fails_every_question(tmp_path: Path) -> None:
    """And none of them crashes. Proves: bad input."""
    async with town() as t:
        config = t.config(tmp_path)
    checks = await preflight(config, ACCOUNT)

    passed = {check.name for check in checks if check.ok}
    assert passed <= {"state directory", "geoblock", "price stream", "wallet"}
    assert told(checks).count("FAIL") >= 8


async def test_no_secret_is_in_what_is_told(tmp_path: Path) -> None:
    async with town() as t:
        checks = await flown(t, t.config(tmp_path))
        text = json.dumps(as_json(checks)) + told(checks)

        assert KEY.removeprefix("0x") not in text
        assert set(as_json(checks)) == {"checks", "ok"}
        assert {"name", "ok", "detail", "fix"} <= set(as_json(checks)["checks"][0])


def test_a_configuration_that_is_not_there_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 ready, 1 a check failed, 2 nothing to check."""
    nowhere = {
        "clob_url": "http://127.0.0.1:9", "gamma_url": "http://127.0.0.1:9",
        "ws_market_url": "ws://127.0.0.1:9", "ws_user_url": "ws://127.0.0.1:9",
        "rtds_url": "ws://127.0.0.1:9",
    }  # fmt: skip
    file = tmp_path / "engine.toml"
    file.write_text(toml({"state_dir": str(tmp_path), "venue": nowhere}))
    monkeypatch.delenv("POLYBAWT_PRIVATE_KEY", raising=False)

    assert cli.main(["preflight", "--config", str(tmp_path / "none.toml")]) == cli.USAGE
    assert cli.main(["preflight", "--config", str(file)]) == cli.USAGE
    monkeypatch.setenv("POLYBAWT_PRIVATE_KEY", KEY)
    capsys.readouterr()
    assert cli.main(["preflight", "--config", str(file), "--json"]) == cli.FAILED
    out = capsys.readouterr()
    assert json.loads(out.out)["ok"] is False
    assert "fail credentials" in out.err
