"""Whether this configuration could trade, found out by asking: nothing is ever ordered.

A list of checks, each with a verdict, what was found, and what to do about it.  ``fail`` means
that trading would be refused or blind, ``warn`` that somebody should look.  Checks that depend
on an earlier one say so instead of guessing.

Source: exchange reference 0 (hosts, wallets), 1.12, 2.3, 3.1 and section 6, items 9 to 11 and 21
to 24.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from io import StringIO
from typing import Any, Final, Literal

from attrs import define, field, frozen
from rich.console import Console
from rich.table import Table

from polybawt.core.facts import BookSnapshot, LinkHeard, MarketListed, OracleReported
from polybawt.core.units import micro_text
from polybawt.engine.config import EngineConfig, live_hosts
from polybawt.venue import enquiry, wire
from polybawt.venue.contracts import contracts
from polybawt.venue.enquiry import Catalogue, Enquiry, Unanswered
from polybawt.venue.http import http_client
from polybawt.venue.links import MarketLink, OracleLink, PricesLink, UserLink
from polybawt.venue.signing import Account, Credentials

CLOB_VERSION: Final = 2  # of the order format that we sign
MARKET_VERSIONS: Final = ("v1", "v2")
AHEAD_S_MAX: Final = 2.0  # the allowed skew of a signature is UNCONFIRMED (reference 2.2)
AHEAD_S_FAIL: Final = 30.0
DISK_FAIL: Final = 100 * 2**20
DISK_WARN: Final = 2**30
DEPOSIT_WALLETS_SINCE: Final = "2026-05-04"
KINDS: Final = ("EOA", "proxy", "Safe", "deposit wallet")
TOGETHER: Final = "cannot be checked without {}"

Verdict = Literal["pass", "warn", "fail"]


@frozen(kw_only=True)
class Check:
    name: str
    verdict: Verdict
    detail: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return self.verdict != "fail"


@define
class Preflight:
    """The checks in order. What one finds out and later ones need is kept here."""

    config: EngineConfig
    account: Account
    enquiry: Enquiry
    geoblock_url: str
    relayer_url: str
    credentials: Credentials | None = field(default=None, repr=False)
    key_made: bool = False
    listed: tuple[MarketListed, ...] = ()

    async def checks(self) -> AsyncIterator[Check]:
        """Each as it is found out."""
        steps: tuple[tuple[str, Callable[[], Awaitable[Check]]], ...] = (
            ("state directory", self.state_directory),
            ("geoblock", self.geoblock),
            ("CLOB version", self.clob_version),
            ("clock", self.clock),
            ("markets", self.markets),
            ("credentials", self.api_key),
            ("closed-only", self.closed_only),
            ("wallet", self.wallet),
            ("balance and allowances", self.money),
            ("share approvals", self.shares),
        )
        for name, step in steps:
            yield await self._checked(name, step)
        streams = (
            ("market stream", self.market_stream),
            ("user stream", self.user_stream),
            ("price stream", self.price_stream),
        )
        for found in await asyncio.gather(*(self._checked(*stream) for stream in streams)):
            yield found

    async def _checked(self, name: str, step: Callable[[], Awaitable[Check]]) -> Check:
        try:
            return await step()
        except (Unanswered, *wire.READ_ERRORS, ValueError) as wrong:
            return self._fail(name, str(wrong), "is the venue up, and the address right?")

    @staticmethod
    def _pass(name: str, detail: str) -> Check:
        return Check(name=name, verdict="pass", detail=detail)

    @staticmethod
    def _warn(name: str, detail: str, fix: str) -> Check:
        return Check(name=name, verdict="warn", detail=detail, fix=fix)

    @staticmethod
    def _fail(name: str, detail: str, fix: str) -> Check:
        return Check(name=name, verdict="fail", detail=detail, fix=fix)

    # This machine.

    async def state_directory(self) -> Check:
        name, directory = "state directory", self.config.directory
        nearest = next(p for p in (directory, *directory.absolute().parents) if p.exists())
        if not nearest.is_dir():
            return self._fail(name, f"{nearest} is no directory", "name another state_dir")
        free = shutil.disk_usage(nearest).free
        told = f"{free // 2**20} MiB free at {directory}"
        if free < DISK_FAIL:
            return self._fail(name, told, "a full disk stops the journal, and with it trading")
        if free < DISK_WARN:
            return self._warn(name, told, "make room: the journal grows with every fact")
        return self._pass(name, told)

    async def geoblock(self) -> Check:
        name = "geoblock"
        if not live_hosts(self.config.venue) and not self.geoblock_url:
            return self._pass(name, "an exchange on this machine blocks nobody")
        try:
            barred, place = await enquiry.blocked(self.geoblock_url or enquiry.GEOBLOCK_URL)
        except (Unanswered, *wire.READ_ERRORS) as wrong:
            return self._warn(name, str(wrong), "unknown whether orders from here are refused")
        if barred:
            return self._fail(name, f"blocked in {place}", "orders from this place are refused")
        return self._pass(name, f"not blocked in {place}")

    async def clock(self) -> Check:
        name, ahead_s = "clock", await self.enquiry.clock_ahead_s()
        told = f"{ahead_s:+.1f} s against the venue's"
        if abs(ahead_s) >= AHEAD_S_FAIL:
            return self._fail(name, told, "set this machine's clock: signatures hold its time")
        if abs(ahead_s) > AHEAD_S_MAX:
            return self._warn(name, told, "let this machine's clock follow a time server")
        return self._pass(name, told)

    # The venue.

    async def clob_version(self) -> Check:
        name, version = "CLOB version", await self.enquiry.version()
        if version != CLOB_VERSION:
            fix = "do not trade: every order would be refused with order_version_mismatch"
            return self._fail(name, f"{version}, and we sign for {CLOB_VERSION}", fix)
        return self._pass(name, f"{version}")

    async def markets(self) -> Check:
        name = "markets"
        async with http_client(self.config.venue.gamma_url) as site:
            found: Catalogue = await enquiry.catalogue(site, self.config.clock)
        self.listed = found.markets
        versions = sorted({fact.market.version for fact in found.markets})
        told = f"{len(found.markets)} on the first page, versions {', '.join(versions) or 'none'}"
        if unknown := [version for version in versions if version not in MARKET_VERSIONS]:
            return self._fail(name, told, f"no order for {', '.join(unknown)} can be signed")
        if found.unreadable:
            told += f", {found.unreadable} unreadable"
            return self._warn(name, told, "the catalogue may have a version that we do not know")
        return self._pass(name, told)

    # The account.

    async def api_key(self) -> Check:
        name = "credentials"
        fix = "check the key, and that it is the wallet's own: exported e-mail keys may not sign"
        try:
            own, self.key_made = await self.enquiry.credentials()
            keys = await self.enquiry.keys(own)
        except Unanswered as wrong:
            return self._fail(name, str(wrong), fix)
        if own.key not in keys:
            return self._fail(name, "our API key is not among the account's", fix)
        self.credentials = own
        made = "made now" if self.key_made else "derived"
        return self._pass(name, f"API key of {self.account.address}, {made}")

    async def closed_only(self) -> Check:
        name = "closed-only"
        if self.credentials is None:
            return self._fail(name, TOGETHER.format("credentials"), "")
        if await self.enquiry.closed_only(self.credentials):
            fix = "only closing orders are taken: ask the venue why"
            return self._fail(name, "the account is in closed-only mode", fix)
        return self._pass(name, "the account may open positions")

    async def wallet(self) -> Check:
        """The kind of wallet, as far as it can be told from outside (reference 0 and 2.3)."""
        settings, name = self.config.account, "wallet"
        kind, own = KINDS[settings.signature_type], self.account.address
        funder = settings.funder or own
        told = f"signature_type {settings.signature_type} ({kind}), funds at {funder}"
        if settings.signature_type == 0 and funder.lower() != own.lower():
            return self._fail(name, told, f"an EOA's orders come from {own} and no other funder")
        if settings.signature_type and funder.lower() == own.lower():
            return self._fail(name, told, f"a {kind} is another address than the key's")
        if settings.signature_type and not await self._exists(funder):
            return self._fail(name, f"{told}: not deployed", f"deploy the {kind} first")
        if settings.signature_type == 3:
            return self._pass(name, told)
        rule = f"an account made on or after {DEPOSIT_WALLETS_SINCE} may use signature_type 3 only"
        if self.key_made:  # whoever has no API key yet is most likely that young
            return self._warn(name, f"{told}; new here", rule)
        return self._pass(name, f"{told}; {rule}")

    async def _exists(self, wallet: str) -> bool:
        local = not live_hosts(self.config.venue)
        ours = f"{self.config.venue.clob_url}/relayer"
        relayer_url = self.relayer_url or (ours if local else enquiry.RELAYER_URL)
        return await enquiry.deployed(relayer_url, wallet)

    async def money(self) -> Check:
        name = "balance and allowances"
        if self.credentials is None:
            return self._fail(name, TOGETHER.format("credentials"), "")
        settings = self.config.account
        purse = await self.enquiry.purse(self.credentials, settings.signature_type)
        told = f"{micro_text(purse.balance)} USD"
        if lacking := self._lacking(purse.allowances):
            fix = f"approve pUSD for {', '.join(lacking.values())}"
            return self._fail(name, f"{told}; none allowed to {', '.join(lacking)}", fix)
        if not purse.balance:
            return self._warn(name, told, "deposit pUSD, or name the wallet that holds it")
        return self._pass(name, f"{told}, allowed to all three exchange contracts")

    async def shares(self) -> Check:
        """Selling needs an approval of its own: CTF for v1, PositionManager for v2 (3.1)."""
        name = "share approvals"
        if self.credentials is None or not self.listed:
            return self._fail(name, TOGETHER.format("credentials and markets"), "")
        missing: list[str] = []
        newest = {fact.market.version: fact.market for fact in self.listed}
        for version, market in sorted(newest.items()):
            kind = self.config.account.signature_type
            purse = await self.enquiry.purse(self.credentials, kind, market.yes_token, version)
            known = contracts(self.config.venue.chain_id)
            spender = known.positions if version == "v2" else known.standard
            if not purse.allowances.get(spender.lower()):
                missing.append(f"{version} to {spender}")
        if missing:
            return self._fail(name, f"missing for {', '.join(missing)}", "call setApprovalForAll")
        return self._pass(name, f"given for {', '.join(sorted(newest))}")

    def _lacking(self, allowances: Any) -> dict[str, str]:
        known = contracts(self.config.venue.chain_id)
        wanted = {
            "the standard exchange": known.standard,
            "the neg-risk exchange": known.neg_risk,
            "the exchange of positions": known.positions,
        }
        return {words: a for words, a in wanted.items() if not allowances.get(a.lower())}

    # The streams.

    async def market_stream(self) -> Check:
        name = "market stream"
        if not self.listed:
            return self._fail(name, TOGETHER.format("markets"), "")
        urls, tokens = self.config.venue, self.listed[0].market.tokens
        wrong = await enquiry.hears(
            urls.ws_market_url, MarketLink(), tokens,
            lambda fact: isinstance(fact, BookSnapshot),
            clock=self.config.clock,
        )  # fmt: skip
        return self._stream(name, wrong, "a first book came")

    async def user_stream(self) -> Check:
        name = "user stream"
        if self.credentials is None:
            return self._fail(name, TOGETHER.format("credentials"), "")
        wrong = await enquiry.hears(
            self.config.venue.ws_user_url, UserLink(self.credentials), (),
            lambda fact: isinstance(fact, LinkHeard),
            clock=self.config.clock,
        )  # fmt: skip
        return self._stream(name, wrong, "it took our credentials and answers")

    async def price_stream(self) -> Check:
        name, urls = "price stream", self.config.venue
        symbols = tuple(dict.fromkeys(f.market.symbol for f in self.listed if f.market.symbol))
        if urls.prices_ws_url and self.credentials is None:
            return self._fail(name, TOGETHER.format("credentials"), "")
        if not symbols:
            return self._pass(name, "no market on the first page is settled by it")
        link = (
            PricesLink(credentials=self.credentials)
            if urls.prices_ws_url and self.credentials
            else OracleLink()
        )
        wrong = await enquiry.hears(
            urls.prices_ws_url or urls.rtds_url, link, symbols[:1],
            lambda fact: isinstance(fact, OracleReported),
            clock=self.config.clock,
        )  # fmt: skip
        if wrong.startswith("it connected"):
            return self._warn(name, wrong, "without reports nothing is traded: look at the venue")
        return self._stream(name, wrong, f"a report of {symbols[0]} came")

    def _stream(self, name: str, wrong: str, right: str) -> Check:
        fix = "see the address, the network, and whether a proxy cuts WebSockets"
        return self._fail(name, wrong, fix) if wrong else self._pass(name, right)


async def preflight(
    config: EngineConfig,
    account: Account,
    tell: Callable[[Check], None] = lambda _: None,
    *,
    geoblock_url: str = "",
    relayer_url: str = "",
) -> list[Check]:
    """Ask everything; ``tell`` gets each finding as it comes."""
    async with http_client(config.venue.clob_url) as http:
        asking = Enquiry(http, account, config.venue.chain_id, config.clock)
        flight = Preflight(config, account, asking, geoblock_url, relayer_url)
        found: list[Check] = []
        async for check in flight.checks():
            tell(check)
            found.append(check)
    return found


def as_json(checks: list[Check]) -> dict[str, Any]:
    rows = [
        {"name": c.name, "ok": c.ok, "verdict": c.verdict, "detail": c.detail, "fix": c.fix}
        for c in checks
    ]
    return {"checks": rows, "ok": all(check.ok for check in checks)}


def told(checks: list[Check]) -> str:
    """A table for people."""
    table = Table(box=None, pad_edge=False)
    for column in ("", "check", "found", "what to do"):
        table.add_column(column)
    for check in checks:
        table.add_row(check.verdict.upper(), check.name, check.detail, check.fix)
    written = StringIO()
    Console(file=written, width=120).print(table)
    failed = sum(not check.ok for check in checks)
    warned = sum(check.verdict == "warn" for check in checks)
    end = f"{failed} of {len(checks)} checks failed" if failed else "ready to trade"
    return f"{written.getvalue().rstrip()}\n\n{end}" + (f", {warned} to look at" if warned else "")


def line(check: Check) -> str:
    """One finding, as progress."""
    return f"{check.verdict} {check.name}: {check.detail}"


def progress(check: Check) -> None:
    Console(stderr=True).print(line(check), highlight=False, soft_wrap=True)
