"""The exchange restarts, narrows and halts as the venue does, in the venue's words."""

from typing import Any

import pytest

from polybawt.core.units import SECOND_NS
from polybawt.exchange.modes import Mode
from polybawt.exchange.refusal import RequestRefused
from tests.exchange.house import UPDOWN, Hall

AT = 1_000 * SECOND_NS


def mode(name: str, seconds: float = 0.0) -> Mode:
    found = Mode()
    found.set(name, AT, seconds)
    return found


def refusal(found: Mode, now_ns: int, *, post_only: bool = False) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        found.admit_order(post_only, now_ns)
    return caught.value


def test_a_restart_refuses_everything_and_then_takes_post_only_for_two_minutes() -> None:
    restart = mode("restarting")
    during, after = AT + 89 * SECOND_NS, AT + 90 * SECOND_NS

    no = refusal(restart, during, post_only=True)
    assert (no.http_status, no.text, no.headers) == (425, "service not ready", {"Retry-After": "1"})
    with pytest.raises(RequestRefused):
        restart.admit_cancel(during)
    assert restart.now(after) == "post_only"
    restart.admit_cancel(after)
    restart.admit_order(post_only=True, now_ns=after)
    no = refusal(restart, after + 41 * SECOND_NS)
    assert no.http_status == 503
    assert no.body["code"] == "post_only_mode"
    assert no.body["retry_after_seconds"] == 79
    assert no.headers == {"Retry-After": "79"}
    assert restart.now(after + 120 * SECOND_NS) == "running"
    restart.admit_order(post_only=False, now_ns=after + 120 * SECOND_NS)


def test_cancel_only_takes_cancels_and_disabled_nothing_until_further_notice() -> None:
    later = AT + 10**6 * SECOND_NS

    assert "cancel-only" in refusal(mode("cancel_only"), later, post_only=True).text
    mode("cancel_only").admit_cancel(later)
    assert "disabled" in refusal(mode("disabled"), later).text
    with pytest.raises(RequestRefused):
        mode("disabled").admit_cancel(later)


def test_a_mode_with_an_end_ends() -> None:
    assert mode("cancel_only", 5).now(AT + 5 * SECOND_NS) == "running"
    assert mode("disabled", 5).now(AT + 4 * SECOND_NS) == "disabled"


async def admin(hall: Hall, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": "Bearer admin"}
    async with hall.client.request(method, f"/admin/{path}", json=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_an_operator_sets_the_mode_and_clients_meet_it_on_the_wire(hall: Hall) -> None:
    trader = await hall.trader()
    order = trader.limit(UPDOWN, UPDOWN.yes_token, "BUY", "0.40", "10")

    assert await admin(hall, "POST", "mode", {"mode": "post_only"}) == (200, {"mode": "post_only"})
    status, body = await trader.ask("POST", "/order", order)
    assert (status, body["code"], body["retry_after_seconds"]) == (503, "post_only_mode", 120)
    status, legs = await trader.ask("POST", "/orders", [order])
    assert status == 200
    assert legs[0]["errorMsg"].startswith("post-only mode")
    assert legs[0]["orderID"] == ""
    await admin(hall, "POST", "mode", {"mode": "restarting"})
    assert await trader.ask("POST", "/orders", [order]) == (425, {"error": "service not ready"})
    assert await trader.ask("DELETE", "/cancel-all") == (425, {"error": "service not ready"})
    await admin(hall, "POST", "mode", {"mode": "running"})
    status, body = await trader.ask("POST", "/order", order)
    assert (status, body["status"]) == (200, "live")


@pytest.mark.parametrize("body", [{}, [], {"mode": "asleep"}, {"mode": "running", "seconds": "x"}])
async def test_a_mode_that_cannot_be_is_refused(hall: Hall, body: Any) -> None:
    status, answer = await admin(hall, "POST", "mode", body)
    assert status == 400
    assert "mode is one of" in answer["error"]
