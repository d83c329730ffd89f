"""Splitting, merging, redeeming and converting, for an account that proves its key.

This is our stand-in for the contracts and the relayer in front of them; the venue itself has no
such routes.  There a client signs a meta-transaction and posts it to ``/submit``; here it names
what it wants and proves its L2 key, and what follows is the same: an answer with an id at once,
and a transaction that is read until it is confirmed or has failed.

* ``POST /chain/{split,merge,redeem,convert}`` ``{"condition_id": …, "amount": "25000000"}``
  (``condition_ids`` where a conversion names several; ``amount`` in millionths, none for a
  redemption; ``signature_type`` of the purse, 0 by default; ``nonce``: the same request with the
  same nonce is the same transaction, so a lost answer can be asked for again)
  -> ``{"transactionID", "transactionHash", "state"}``
* ``GET /chain/transaction/{id}``
  -> ``{"transaction_id", "transaction_hash", "state", "error_msg", …}``

States are the relayer's: ``STATE_NEW, STATE_EXECUTED, STATE_MINED, STATE_CONFIRMED,
STATE_FAILED``.

Source: exchange reference 0 (hosts), 3.1 and 5.3; bodies as the unified SDK reads the relayer's.
"""

from typing import Final

from aiohttp import web

from polybawt.core.units import SECOND_NS, Shares
from polybawt.exchange import refusal
from polybawt.exchange.refusal import RequestRefused
from polybawt.exchange.web import FLOOR, json_response, parsed, proved, read_body
from polybawt.sim.records import Refused
from polybawt.sim.transactions import KINDS, REDEEM, ChainTransaction, SetRequest

AMOUNT_DIGITS: Final = 18
CONDITIONS_MAX: Final = 64
NONCE_MAX: Final = 78
BODY_KEYS: Final = {"condition_id", "condition_ids", "amount", "signature_type", "nonce"}
NO_TRANSACTION: Final = "transaction not found"

routes = web.RouteTableDef()


@routes.post("/chain/{kind}")
async def send(request: web.Request) -> web.Response:
    body = await read_body(request)
    key, floor = proved(request, body), request.app[FLOOR]
    wanted, kind = parsed(body), request.match_info["kind"]
    if kind not in KINDS or not isinstance(wanted, dict) or not BODY_KEYS.issuperset(wanted):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    purse = floor.people.purse(key.address, _signature_type(wanted.get("signature_type", 0)))
    if not purse:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    asked = SetRequest(
        owner=purse,
        kind=kind,
        condition_ids=_conditions(wanted),
        amount=Shares(0) if kind == REDEEM else _amount(wanted.get("amount")),
        nonce=_nonce(wanted.get("nonce", "")),
    )
    now_ns = floor.now_ns()
    answer = floor.venue.transact(asked, now_ns)
    floor.publisher.publish(now_ns)
    if isinstance(answer, Refused):
        raise RequestRefused(answer.text, answer.http_status)
    return json_response(
        {
            "transactionID": answer.transaction_id,
            "transactionHash": answer.tx_hash,
            "state": f"STATE_{answer.state}",
        }
    )


@routes.get("/chain/transaction/{transaction_id}")
async def read(request: web.Request) -> web.Response:
    key, floor = proved(request), request.app[FLOOR]
    floor.venue.advance(floor.now_ns())
    found = floor.venue.transaction(request.match_info["transaction_id"])
    if found is None or floor.people.account_of(found.request.owner) != key.address:
        raise RequestRefused(NO_TRANSACTION, 404)
    return json_response(_record(found))


def _record(transaction: ChainTransaction) -> dict[str, object]:
    return {
        "transaction_id": transaction.transaction_id,
        "transaction_hash": transaction.tx_hash,
        "state": f"STATE_{transaction.state}",
        "error_msg": transaction.error or None,
        "type": transaction.request.kind,
        "condition_ids": list(transaction.request.condition_ids),
        "amount": str(transaction.request.amount),
        "created_at": transaction.created_ns // SECOND_NS,
        "updated_at": transaction.updated_ns // SECOND_NS,
    }


def _conditions(wanted: dict[str, object]) -> tuple[str, ...]:
    """One by its own name, or several; never both."""
    several = wanted.get("condition_ids", [wanted.get("condition_id")])
    if (
        not isinstance(several, list)
        or len(several) > CONDITIONS_MAX
        or ("condition_id" in wanted and "condition_ids" in wanted)
    ):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    named = tuple(one for one in several if isinstance(one, str))
    if len(named) != len(several):
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return named


def _amount(value: object) -> Shares:
    """Millionths, as a text of digits or as a whole number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.isascii() or not text.isdecimal():
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    if len(text) > AMOUNT_DIGITS:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return Shares(int(text))


def _nonce(value: object) -> str:
    if not isinstance(value, str) or len(value) > NONCE_MAX:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return value


def _signature_type(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3:
        raise RequestRefused(refusal.INVALID_PAYLOAD)
    return value
