"""The arithmetic of the limits: exact numbers, venue time, bounded memory."""

import pytest

from polybawt.core.units import SECOND_NS
from polybawt.exchange.limits import (
    ADDRESSES_MAX,
    SIGNERS_MAX,
    TIERS,
    Bucket,
    Limit,
    Signers,
    Window,
    Windows,
    rules_for,
)

T0 = 1_780_876_800 * SECOND_NS


def signers(*, enforced: bool = True, tier: str = "Standard") -> Signers:
    return Signers(enforced, lambda _: tier)


def filled(window: Window, count: int, now_ns: int) -> int:
    """How many of ``count`` requests the window takes at this instant."""
    taken = 0
    for _ in range(count):
        if window.wait_ns(now_ns) == 0:
            window.take()
            taken += 1
    return taken


# Windows.


def test_a_window_takes_its_number_and_no_more() -> None:
    window = Window(Limit(10), T0)

    assert filled(window, 25, T0) == 10
    assert filled(window, 25, T0 + 9 * SECOND_NS) == 0


def test_a_window_slides_instead_of_starting_anew() -> None:
    """Ten at the end of one window and ten at the start of the next would be twenty at once."""
    window = Window(Limit(10), T0)
    filled(window, 10, T0 + 9 * SECOND_NS)

    assert filled(window, 10, T0 + 10 * SECOND_NS) == 0
    assert filled(window, 10, T0 + 11 * SECOND_NS) == 1
    assert filled(window, 10, T0 + 15 * SECOND_NS) == 4
    assert filled(window, 10, T0 + 20 * SECOND_NS - 1) == 4


@pytest.mark.parametrize(("at_s", "wait_s"), [(9, 2), (10, 1), (11, 1), (12, 1)])
def test_after_the_wait_that_is_named_one_more_fits(at_s: int, wait_s: int) -> None:
    """A client that sleeps for ``Retry-After`` must not be refused again, nor wait for longer."""
    window = Window(Limit(10), T0)
    filled(window, 10, T0 + 9 * SECOND_NS)
    at_ns = T0 + at_s * SECOND_NS
    filled(window, 10, at_ns)

    wait_ns = window.wait_ns(at_ns)

    assert wait_ns == wait_s * SECOND_NS
    assert window.wait_ns(at_ns + wait_ns - 1) > 0
    assert window.wait_ns(at_ns + wait_ns) == 0


def test_a_quiet_window_forgets() -> None:
    window = Window(Limit(10), T0)
    filled(window, 10, T0)

    assert filled(window, 10, T0 + 20 * SECOND_NS) == 10


@pytest.mark.parametrize(
    ("method", "path", "numbers"),
    [
        ("POST", "/order", [5_000, 120_000, 9_000, 15_000]),
        ("POST", "/orders", [2_000, 21_000, 9_000, 15_000]),
        ("DELETE", "/order", [3_000, 30_000, 9_000, 15_000]),
        ("DELETE", "/orders", [1_000, 15_000, 9_000, 15_000]),
        ("DELETE", "/cancel-all", [250, 6_000, 9_000, 15_000]),
        ("DELETE", "/cancel-market-orders", [1_500, 21_000, 9_000, 15_000]),
        ("GET", "/book", [1_500, 9_000, 15_000]),
        ("POST", "/books", [500, 9_000, 15_000]),
        ("GET", "/balance-allowance", [200, 9_000, 15_000]),
        ("GET", "/balance-allowance/update", [50, 9_000, 15_000]),
        ("POST", "/auth/api-key", [100, 9_000, 15_000]),
        ("GET", "/time", [9_000, 15_000]),
        ("GET", "/gamma/markets/keyset", [300, 4_000, 15_000]),
        ("GET", "/gamma/events", [500, 4_000, 15_000]),
        ("GET", "/gamma/tags", [4_000, 15_000]),
        ("GET", "/data-api/v2/trades", [200, 1_000, 15_000]),
        ("GET", "/data-api/v2/positions", [150, 1_000, 15_000]),
        ("GET", "/ws/market", []),
        ("POST", "/admin/faults", []),
    ],
)
def test_each_route_has_the_numbers_of_the_reference(
    method: str, path: str, numbers: list[int]
) -> None:
    found = [limit.count for rule in rules_for(method, path) for limit in rule.limits]

    assert found == numbers


def test_private_reads_are_slow_only_where_that_is_asked_for() -> None:
    """What is only reported of the venue is a switch, and the switch must work."""
    asked = [("a", "GET", "/data/orders", T0)] * 150
    fast, slow = Windows(), Windows(slow_reads=True)

    assert sum(fast.wait_ns(*one) == 0 for one in asked) == 150
    assert sum(slow.wait_ns(*one) == 0 for one in asked) == 100
    assert slow.wait_ns("a", "GET", "/book", T0) == 0


def test_a_refused_request_is_not_counted_anywhere() -> None:
    """Else a client that hammers one route would be locked out of all the others."""
    windows = Windows()
    taken = sum(
        windows.wait_ns("a", "GET", "/balance-allowance/update", T0) == 0 for _ in range(500)
    )

    assert taken == 50
    assert windows.wait_ns("a", "GET", "/balance-allowance", T0) == 0
    assert windows.wait_ns("b", "GET", "/balance-allowance/update", T0) == 0


def test_ten_minutes_have_a_limit_of_their_own() -> None:
    """6,000 in ten minutes is 10 a second; the short window alone would allow 25."""
    windows = Windows()
    taken = 0
    for second in range(0, 600, 10):
        for _ in range(250):
            now_ns = T0 + second * SECOND_NS
            taken += windows.wait_ns("a", "DELETE", "/cancel-all", now_ns) == 0

    assert 5_500 <= taken <= 6_000


def test_addresses_are_forgotten_before_they_fill_the_memory() -> None:
    windows = Windows()
    for number in range(ADDRESSES_MAX + 100):
        windows.wait_ns(str(number), "GET", "/time", T0)

    assert len(windows._of) == ADDRESSES_MAX


# Buckets.


def test_a_bucket_refills_to_the_nanosecond() -> None:
    bucket = Bucket(40, 60, as_of_ns=T0)
    assert bucket.take(60, T0)

    assert not bucket.take(1, T0 + 24_999_999)
    assert bucket.take(1, T0 + 25_000_000)
    assert not bucket.take(61, T0 + 3_600 * SECOND_NS)
    assert bucket.take(60, T0 + 3_600 * SECOND_NS)


@pytest.mark.parametrize("name", list(TIERS))
def test_each_tier_allows_its_burst_and_then_its_rate(name: str) -> None:
    limiter, tier = signers(tier=name), TIERS[name]

    at_once = sum(limiter.orders("s", 1, T0).admitted for _ in range(2_000))
    later = sum(limiter.orders("s", 1, T0 + SECOND_NS).admitted for _ in range(2_000))
    cancels = sum(limiter.cancels("s", 1, T0).admitted for _ in range(2_000))

    assert (at_once, later, cancels) == (tier.orders[1], tier.orders[0], tier.cancels[1])


def test_a_batch_costs_its_length_and_passes_whole_or_not_at_all() -> None:
    limiter = signers()
    passed = [limiter.orders("s", 15, T0).admitted for _ in range(5)]

    assert passed == [True] * 4 + [False]
    assert limiter.orders("s", 1, T0).admitted is False
    assert limiter.orders("s", 15, T0 + SECOND_NS * 15 // 40).admitted


def test_the_headers_say_what_is_left_and_when_to_come_back() -> None:
    limiter = signers()
    first = limiter.orders("s", 15, T0).headers
    for _ in range(3):
        limiter.orders("s", 15, T0)

    refused = limiter.orders("s", 15, T0)

    assert first == {
        "Poly-RateLimit-Remaining": "45",
        "Poly-RateLimit-Reset": str(T0 // SECOND_NS),
        "Poly-RateLimit-Tier": "Standard",
    }
    assert refused.headers == {
        "Poly-RateLimit-Remaining": "0",
        "Poly-RateLimit-Reset": str(T0 // SECOND_NS + 1),
        "Poly-RateLimit-Tier": "Standard",
        "Retry-After": "1",
    }


def test_a_warning_admits_and_says_so() -> None:
    limiter = signers(enforced=False)
    for _ in range(60):
        limiter.orders("s", 1, T0)

    over = limiter.orders("s", 1, T0)

    assert over.admitted
    assert over.headers["Poly-RateLimit-Warning"] == "true"
    assert "Retry-After" not in over.headers


def test_a_cancel_all_costs_one_and_what_it_cancelled() -> None:
    """What it cancelled is known afterwards only, so the remainder may be negative."""
    limiter = signers()
    limiter.cancels("s", 1, T0)

    owed = limiter.cancelled("s", 150, T0)

    assert owed.headers["Poly-RateLimit-Remaining"] == str(120 - 1 - 150)
    assert not limiter.cancels("s", 1, T0).admitted
    assert limiter.cancels("s", 1, T0 + SECOND_NS * 32 // 80).admitted


def test_more_cancels_than_a_bucket_holds_pass_when_it_is_full() -> None:
    """A thousand ids are one request by the table of routes; they must be possible at some time."""
    limiter = signers()

    assert limiter.cancels("s", 1_000, T0).admitted
    assert not limiter.cancels("s", 1, T0 + 10 * SECOND_NS).admitted
    assert limiter.cancels("s", 1, T0 + 12 * SECOND_NS).admitted


def test_signers_do_not_share_a_bucket_and_orders_not_with_cancels() -> None:
    limiter = signers()
    for _ in range(60):
        limiter.orders("s", 1, T0)

    assert not limiter.orders("s", 1, T0).admitted
    assert limiter.cancels("s", 1, T0).admitted
    assert limiter.orders("another", 1, T0).admitted


def test_signers_are_forgotten_before_they_fill_the_memory() -> None:
    limiter = signers()
    for number in range(SIGNERS_MAX + 100):
        limiter.orders(str(number), 1, T0)

    assert len(limiter._buckets) == SIGNERS_MAX
