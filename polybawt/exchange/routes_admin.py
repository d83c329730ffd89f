"""What the operator of the simulation may see and do; the real venue has nothing like it.

Loopback only, and with the token that the ready line names.
"""

import asyncio
import hmac
from typing import Final

from aiohttp import web
from attrs import asdict

from polybawt.core.units import MILLION, SECOND_NS, InvalidAmount, Usdc, micro_text, parse_micro
from polybawt.exchange import refusal
from polybawt.exchange.auth import canonical
from polybawt.exchange.modes import MODES
from polybawt.exchange.people import RESTRICTIONS
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, json_response, parsed, read_body
from polybawt.sim.faults import InvalidFault, read_faults
from polybawt.sim.oracle import ACTIONS, CHALLENGE_NS, NotNow, Payouts
from polybawt.sim.shelf import TICKS

TOKEN: Final = web.AppKey("admin token", str)
STOPPED: Final = web.AppKey("stopped", asyncio.Event)
TICKS_BY_TEXT: Final = {micro_text(tick): tick for tick in TICKS}
LOOPBACK: Final = ("127.0.0.1", "::1")

routes = web.RouteTableDef()


def _admit(request: web.Request) -> None:
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    same = hmac.compare_digest(
        given.encode("utf-8", "surrogateescape"), request.app[TOKEN].encode()
    )
    if not same or request.remote not in LOOPBACK:
        raise RequestRefused("Unauthorized", 401)


@routes.get("/admin/account/{address}")
async def account(request: web.Request) -> web.Response:
    _admit(request)
    address = canonical(request.match_info["address"])
    if address is None:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return json_response(request.app[FLOOR].account(address))


@routes.post("/admin/freeze")
async def freeze(request: web.Request) -> web.Response:
    """The world stands still; the venue goes on answering and settling what was matched."""
    _admit(request)
    request.app[FLOOR].freeze()
    return json_response({"frozen": True})


@routes.get("/admin/faults")
async def faults(request: web.Request) -> web.Response:
    """The rules in force, and how often each kind has struck."""
    _admit(request)
    return _faults(request)


def _faults(request: web.Request) -> web.Response:
    found = request.app[FLOOR].faults
    return json_response({"fault": [asdict(r) for r in found.rules], "tally": dict(found.tally)})


@routes.post("/admin/faults")
async def add_faults(request: web.Request) -> web.Response:
    """Put more rules in force, as the TOML file has them: ``{"fault": [{"kind": …}]}``."""
    _admit(request)
    try:
        request.app[FLOOR].faults.add(read_faults(parsed(await read_body(request)), "faults"))
    except InvalidFault as wrong:
        raise RequestRefused(str(wrong)) from wrong
    return _faults(request)


@routes.delete("/admin/faults")
async def clear_faults(request: web.Request) -> web.Response:
    _admit(request)
    request.app[FLOOR].faults.clear()
    return _faults(request)


@routes.post("/admin/mode")
async def set_mode(request: web.Request) -> web.Response:
    """``{"mode": "restarting", "seconds": 90}``; without seconds, the venue's usual time."""
    _admit(request)
    wanted = parsed(await read_body(request))
    mode = wanted.get("mode") if isinstance(wanted, dict) else None
    seconds = wanted.get("seconds", 0) if isinstance(wanted, dict) else 0
    if mode not in MODES or not isinstance(seconds, int | float) or not 0 <= seconds < 1e6:
        raise RequestRefused(f"mode is one of {', '.join(MODES)}; seconds a number")
    floor = request.app[FLOOR]
    floor.mode.set(str(mode), floor.now_ns(), float(seconds))
    return json_response({"mode": mode})


@routes.post("/admin/cut")
async def cut(request: web.Request) -> web.Response:
    """End every connection of every stream, as a network does; who is cut may come back."""
    _admit(request)
    request.app[FLOOR].hub.cut_all()
    return json_response({"cut": True})


@routes.post("/admin/restrict")
async def restrict(request: web.Request) -> web.Response:
    """``{"address": "0x…", "restriction": "closed_only"}``: of an account and all its wallets."""
    _admit(request)
    wanted = parsed(await read_body(request))
    text = wanted.get("address") if isinstance(wanted, dict) else None
    address = canonical(text) if isinstance(text, str) else None
    restriction = wanted.get("restriction") if isinstance(wanted, dict) else None
    if address is None or restriction not in RESTRICTIONS:
        raise RequestRefused(f"restriction is one of {', '.join(RESTRICTIONS)}; address an account")
    people = request.app[FLOOR].people
    account = people.account_of(address)
    people.restrict(account, str(restriction))
    return json_response({"address": account, "restriction": restriction})


@routes.post("/admin/tick")
async def set_tick(request: web.Request) -> web.Response:
    """``{"condition_id": "0x…", "tick": "0.001"}``: from now on, and told on the stream."""
    _admit(request)
    wanted = await _asked(request)
    tick, floor = TICKS_BY_TEXT.get(str(wanted.get("tick"))), request.app[FLOOR]
    market = floor.venue.markets.get(str(wanted.get("condition_id")))
    if market is None or tick is None:
        raise RequestRefused(f"condition_id of a listed market; tick one of {[*TICKS_BY_TEXT]}")
    now_ns = floor.now_ns()
    floor.venue.set_tick(market.condition_id, tick, now_ns)
    floor.publisher.publish(now_ns)
    return json_response({"condition_id": market.condition_id, "tick": wanted["tick"]})


@routes.post("/admin/resolution")
async def move_question(request: web.Request) -> web.Response:
    """``{"condition_id": "0x…", "action": "propose", "yes": "1", "challenge_s": 7200}``.

    Actions are those of ``sim/oracle``: report, propose, dispute, vote (settle comes by itself,
    when nobody disputed).  ``yes`` is what a YES share pays: "1", "0", or "0.5".
    """
    _admit(request)
    wanted, floor = await _asked(request), request.app[FLOOR]
    condition_id, action = str(wanted.get("condition_id")), str(wanted.get("action"))
    seconds = wanted.get("challenge_s", CHALLENGE_NS // SECOND_NS)
    if condition_id not in floor.venue.markets or action not in ACTIONS:
        raise RequestRefused(f"condition_id of a listed market; action one of {[*ACTIONS]}")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 1e6:
        raise RequestRefused("challenge_s is a number of seconds")
    now_ns, window_ns = floor.now_ns(), int(seconds * SECOND_NS)
    try:
        payouts = _payouts(wanted["yes"]) if "yes" in wanted else None
        question = floor.venue.ask_oracle(
            condition_id, action, now_ns, payouts=payouts, window_ns=window_ns
        )
    except (NotNow, InvalidAmount) as wrong:
        raise RequestRefused(str(wrong)) from wrong
    floor.publisher.publish(now_ns)
    return json_response(
        {
            "condition_id": condition_id,
            "state": question.state,
            "past": list(question.past),
            "payouts": list(question.payouts) if question.payouts else None,
        }
    )


def _payouts(yes: object) -> Payouts:
    paid = parse_micro(yes)
    return Usdc(paid), Usdc(MILLION - paid)


async def _asked(request: web.Request) -> dict[str, object]:
    """The body's object."""
    wanted = parsed(await read_body(request))
    if not isinstance(wanted, dict):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return wanted


@routes.post("/admin/stop")
async def stop(request: web.Request) -> web.Response:
    _admit(request)
    request.app[STOPPED].set()
    return json_response({"stopping": True})
