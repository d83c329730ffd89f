"""How often one may ask: windows per network address, token buckets per signer.

A window counts the requests of one address to one kind of route.  It slides as a network edge lets
it slide: the count of the window before weighs in by the part of it that is still in sight, so
that each window is two numbers, however many requests come.  A bucket belongs to a signer, once
for orders and once for cancels; its tokens come back at the tier's rate up to the tier's burst.

Modes: ``off`` limits nothing.  ``warn``, the default, is the venue as it is known: windows refuse
with 429, empty buckets only warn (``Poly-RateLimit-Warning: true``), because the start of their
enforcement is UNCONFIRMED.  ``enforce`` refuses for both.  A window lets 500 single orders a
second through, so a measurement of 1,000 and more starts its exchange with ``off``.

All of it runs on venue time, in whole numbers: levels are in billionths of a token, so that one
nanosecond at one token a second is one unit.  Bodies, signatures and routes are not known here.

Source: exchange reference 1.15.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from attrs import define, field, frozen

from polybawt.core.units import SECOND_NS

MODES: Final = ("off", "warn", "enforce")
SIGNERS_MAX: Final = 10_000
ADDRESSES_MAX: Final = 4_096
SHORT_NS: Final = 10 * SECOND_NS
LONG_NS: Final = 600 * SECOND_NS
TOKEN: Final = SECOND_NS  # billionths of a token in one token


# Windows of an address.


@frozen
class Limit:
    """At most ``count`` requests in any ``window_ns``."""

    count: int
    window_ns: int = SHORT_NS


@frozen(kw_only=True)
class Rule:
    """Which requests are counted together. ``path`` fits as a whole, or with * by its start."""

    method: str = ""
    path: str
    limits: tuple[Limit, ...]

    def fits(self, method: str, path: str) -> bool:
        if self.method not in ("", method):
            return False
        return path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path


def _rule(method: str, path: str, short: int, long: int = 0) -> Rule:
    limits = (Limit(short), Limit(long, LONG_NS)) if long else (Limit(short),)
    return Rule(method=method, path=path, limits=limits)


GENERAL: Final = _rule("", "*", 15_000)
CLOB: Final = _rule("", "/*", 9_000)
GAMMA: Final = _rule("", "/gamma/*", 4_000)
HISTORIES: Final = _rule("", "/data-api/*", 1_000)  # the Data API: what was, not what is
ROUTES: Final = (
    *(_rule("GET", path, 1_500) for path in ("/book", "/price", "/midpoint")),
    *(_rule("POST", path, 500) for path in ("/books", "/prices", "/midpoints")),
    _rule("POST", "/order", 5_000, 120_000),
    _rule("POST", "/orders", 2_000, 21_000),
    _rule("DELETE", "/order", 3_000, 30_000),
    _rule("DELETE", "/orders", 1_000, 15_000),
    _rule("DELETE", "/cancel-all", 250, 6_000),
    _rule("DELETE", "/cancel-market-orders", 1_500, 21_000),
    _rule("GET", "/balance-allowance", 200),
    _rule("GET", "/balance-allowance/update", 50),
    _rule("", "/auth/*", 100),
    _rule("", "/gamma/events*", 500),
    _rule("", "/gamma/markets*", 300),
    _rule("", "/gamma/public-search*", 350),
    _rule("", "/data-api/v2/trades*", 200),
    _rule("", "/data-api/v2/positions*", 150),
)
PRIVATE_READS: Final = tuple(
    _rule("GET", path, 100)
    for path in ("/data/*", "/balance-allowance*", "/notifications", "/order-scoring")
)
UNLIMITED: Final = ("/admin/", "/ws/", "/data-api/ws")


@lru_cache(maxsize=1_024)
def rules_for(method: str, path: str, *, slow_reads: bool = False) -> tuple[Rule, ...]:
    """Every rule that counts this request, the narrowest first."""
    if path.startswith(UNLIMITED):
        return ()
    host = next((rule for rule in (GAMMA, HISTORIES) if rule.fits(method, path)), CLOB)
    routes = (*PRIVATE_READS, *ROUTES) if slow_reads else ROUTES
    return (*(rule for rule in routes if rule.fits(method, path)), host, GENERAL)


@define
class Window:
    """A sliding count in two numbers: this window's, and the one's before."""

    limit: Limit
    start_ns: int = 0
    before: int = 0
    now: int = 0

    def take(self) -> None:
        self.now += 1

    def spent(self, now_ns: int) -> int:
        """What counts as asked within the last window, rounded up."""
        self._slide(now_ns)
        width_ns = self.limit.window_ns
        in_sight_ns = width_ns - (now_ns - self.start_ns)
        return self.now - (-self.before * in_sight_ns // width_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long until one more fits, when nothing else comes; 0 for at once."""
        if self.spent(now_ns) < self.limit.count:
            return 0
        width_ns, free = self.limit.window_ns, self.limit.count - 1
        left_ns = self.start_ns + width_ns - now_ns
        if self.now > free:  # not before this window is the one before, and partly out of sight
            return left_ns + width_ns - free * width_ns // self.now
        return left_ns - (free - self.now) * width_ns // self.before

    def _slide(self, now_ns: int) -> None:
        passed = (now_ns - self.start_ns) // self.limit.window_ns
        if passed > 0:
            self.before, self.now = (self.now if passed == 1 else 0), 0
            self.start_ns += passed * self.limit.window_ns


class Windows:
    """All windows of all addresses; the address that was quiet the longest is forgotten first.

    ``slow_reads``: private reads get no more than ten a second of each kind, as third parties
    report and the venue does not say (UNCONFIRMED).
    """

    def __init__(self, *, slow_reads: bool = False) -> None:
        self._slow_reads = slow_reads
        self._of: dict[str, dict[tuple[str, str, int], Window]] = {}

    def wait_ns(self, address: str, method: str, path: str, now_ns: int) -> int:
        """Count one request and return 0, or count nothing and return how long to wait."""
        known = self._of.pop(address, {})
        self._of[address] = known
        if len(self._of) > ADDRESSES_MAX:
            del self._of[next(iter(self._of))]
        windows = [
            known.setdefault((rule.method, rule.path, limit.window_ns), Window(limit, now_ns))
            for rule in rules_for(method, path, slow_reads=self._slow_reads)
            for limit in rule.limits
        ]
        waits = [window.wait_ns(now_ns) for window in windows]
        if any(waits):
            return max(waits)
        for window in windows:
            window.take()
        return 0


# Buckets of a signer.


@frozen(kw_only=True)
class Tier:
    """What a signer of this tier may do: per second, and at once."""

    name: str
    orders: tuple[int, int]
    cancels: tuple[int, int]


TIERS: Final = {
    tier.name: tier
    for tier in (
        Tier(name="Standard", orders=(40, 60), cancels=(80, 120)),
        Tier(name="Copper", orders=(60, 90), cancels=(120, 180)),
        Tier(name="Bronze", orders=(80, 120), cancels=(160, 240)),
        Tier(name="Silver", orders=(200, 300), cancels=(400, 600)),
        Tier(name="Gold", orders=(400, 600), cancels=(800, 1200)),
        Tier(name="Platinum", orders=(450, 675), cancels=(900, 1350)),
        Tier(name="Diamond", orders=(525, 787), cancels=(1050, 1575)),
        Tier(name="Elite", orders=(600, 900), cancels=(1200, 1800)),
    )
}


@define
class Bucket:
    """Tokens that come back; ``level`` is in billionths of a token and may be below zero."""

    rate: int
    burst: int
    level: int = field(init=False)
    as_of_ns: int = 0

    def __attrs_post_init__(self) -> None:
        self.level = self.burst * TOKEN

    def refill(self, now_ns: int) -> None:
        gained = (now_ns - self.as_of_ns) * self.rate
        self.level = min(self.level + gained, self.burst * TOKEN)
        self.as_of_ns = now_ns

    def take(self, cost: int, now_ns: int, need: int | None = None) -> bool:
        """Take ``cost`` tokens when ``need`` of them are there (usually all), or none."""
        self.refill(now_ns)
        if self.level < (cost if need is None else need) * TOKEN:
            return False
        self.level -= cost * TOKEN
        return True

    def ready_ns(self, need: int) -> int:
        """When ``need`` tokens are there."""
        return self.as_of_ns + max(0, -(-(need * TOKEN - self.level) // self.rate))


@frozen(kw_only=True)
class Verdict:
    """What the limiter says of one request. ``headers`` go with whatever the answer is."""

    admitted: bool
    headers: Mapping[str, str]


class Signers:
    """The two buckets of every signer; ``tier_of`` names a signer's tier."""

    def __init__(self, enforced: bool, tier_of: Callable[[str], str]) -> None:
        self._enforced, self._tier_of = enforced, tier_of
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def orders(self, signer: str, cost: int, now_ns: int) -> Verdict:
        """``cost`` is the number of orders: a batch passes as a whole or not at all."""
        return self._judged(signer, "orders", cost, cost, now_ns)

    def cancels(self, signer: str, cost: int, now_ns: int) -> Verdict:
        """``cost`` is the number of ids, or 1 for all of a kind.

        More than a full bucket can never be there at once, so a full one is enough, and the
        rest is owed: that is how the venue's remainder can be negative.
        """
        bucket = self._bucket(signer, "cancels", now_ns)
        return self._judged(signer, "cancels", cost, min(cost, bucket.burst), now_ns)

    def cancelled(self, signer: str, count: int, now_ns: int) -> Verdict:
        """Charge what a cancel-all has cancelled, which nobody could know before."""
        bucket = self._bucket(signer, "cancels", now_ns)
        bucket.level -= count * TOKEN
        return self._verdict(signer, bucket, 1, passed=True)

    def _judged(self, signer: str, kind: str, cost: int, need: int, now_ns: int) -> Verdict:
        bucket = self._bucket(signer, kind, now_ns)
        passed = bucket.take(cost, now_ns, need)
        return self._verdict(signer, bucket, 1 if passed else need, passed=passed)

    def _verdict(self, signer: str, bucket: Bucket, need: int, *, passed: bool) -> Verdict:
        ready_ns = bucket.ready_ns(need)
        headers = {
            "Poly-RateLimit-Remaining": str(bucket.level // TOKEN),
            "Poly-RateLimit-Reset": str(-(-ready_ns // SECOND_NS)),
            "Poly-RateLimit-Tier": self._tier_of(signer),
        }
        if not passed and self._enforced:
            headers["Retry-After"] = str(max(1, -(-(ready_ns - bucket.as_of_ns) // SECOND_NS)))
        elif not passed:
            headers["Poly-RateLimit-Warning"] = "true"
        return Verdict(admitted=passed or not self._enforced, headers=headers)

    def _bucket(self, signer: str, kind: str, now_ns: int) -> Bucket:
        """A signer's bucket as it is now; who was quiet the longest is forgotten first."""
        tier = TIERS[self._tier_of(signer)]
        rate, burst = tier.orders if kind == "orders" else tier.cancels
        bucket = self._buckets.pop((signer, kind), None)
        if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
            bucket = Bucket(rate, burst, as_of_ns=now_ns)
        bucket.refill(now_ns)
        self._buckets[signer, kind] = bucket
        if len(self._buckets) > SIGNERS_MAX:
            del self._buckets[next(iter(self._buckets))]
        return bucket
