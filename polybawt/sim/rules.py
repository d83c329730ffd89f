"""Why the venue refuses an order, in its own words and in its own order.

Pure predicates over one placement; the texts are those of the error catalogue.  What the
exchange in front of the venue refuses (payload, identity, signature, modes) is not here.

Source: exchange reference, sections 1.9, 1.14, 3.4 and 8.4.
"""

from typing import Final

from polybawt.core.market import LOT, MARKETABLE_BUY_MIN, Market, Side
from polybawt.core.units import MILLION, SECOND_NS, Price, Shares, Usdc, micro_text
from polybawt.sim.matching import Plan, cost
from polybawt.sim.records import IMMEDIATE_TYPES, RESTING_TYPES, Placement

NO_BOOK: Final = "No orderbook exists for the requested token id"
NOT_READY: Final = "the market is not yet ready to process new orders"
PAYLOAD: Final = "Invalid order payload"
EXPIRATION: Final = "invalid expiration"
POST_ONLY_TYPE: Final = "invalid post-only order: only GTC and GTD order types are allowed"
POST_ONLY_CROSSES: Final = "invalid post-only order: order crosses book"
FOK_KILLED: Final = "order couldn't be fully filled. FOK orders are fully filled or killed."
FAK_KILLED: Final = (
    "no orders found to match with FAK order."
    " FAK orders are partially filled or killed if no match is found."
)
KILLS: Final = (FOK_KILLED, FAK_KILLED)
CANCEL_UNKNOWN: Final = "order can't be found - already canceled or matched"
CANCEL_ENDED: Final = "Order not found or already canceled"
CANCEL_MATCHED: Final = "Order already matched"
CANCEL_DELAYED: Final = "order is delayed and can't be canceled"  # the text is UNCONFIRMED

FINE_LOT: Final = 100  # market orders have four decimals of what they get (reference 3.4)


def terms_refused(
    placement: Placement, market: Market, crosses: bool, now_ns: int, gtd_margin_s: int
) -> str:
    """What is wrong with the terms themselves: "" when nothing is."""
    if placement.order_type not in RESTING_TYPES + IMMEDIATE_TYPES or placement.size <= 0:
        return PAYLOAD
    if not market.accepting_orders:
        return NOT_READY
    if not _expiration_fits(placement, now_ns, gtd_margin_s):
        return EXPIRATION
    if not market.tick <= placement.price <= MILLION - market.tick or (
        placement.price % market.tick
    ):
        return (
            f"order {placement.order_id} is invalid. Price ({micro_text(placement.price)})"
            f" breaks minimum tick size rule: {micro_text(market.tick)}"
        )
    if placement.budget is None and placement.size < market.min_size:
        return (
            f"order {placement.order_id} is invalid. Size ({micro_text(placement.size)})"
            f" lower than the minimum: {micro_text(market.min_size)}"
        )
    if placement.side is Side.BUY and crosses and notional(placement) < MARKETABLE_BUY_MIN:
        amount = micro_text(notional(placement))
        return f"invalid amount for a marketable BUY order (${amount}), min size: $1"
    return _accuracy_refused(placement, market)


def duplicated(order_id: str) -> str:
    return f"order {order_id} is invalid. Duplicated."


def uncovered(balance: int, held: int, amount: int) -> str:
    return (
        "not enough balance / allowance: the balance is not enough ->"
        f" balance: {balance}, sum of matched orders: {held}, order amount: {amount}"
    )


def meeting_refused(placement: Placement, plan: Plan, crosses: bool) -> str:
    """What is wrong with the order given the book it would meet: "" when nothing is."""
    if placement.post_only and not placement.rests:
        return POST_ONLY_TYPE
    if placement.post_only and crosses:
        return POST_ONLY_CROSSES
    if placement.order_type == "FOK" and not plan.full:
        return FOK_KILLED
    if placement.order_type == "FAK" and not plan.matches:
        return FAK_KILLED
    return ""


def notional(placement: Placement) -> Usdc:
    """What an order asks to spend or to sell for, at its own limit; rounded down."""
    if placement.budget is not None:
        return placement.budget
    return Usdc(placement.price * placement.size // MILLION)


def fees_of(market: Market, plan: Plan) -> Usdc:
    """The taker's fee on a plan: charged once for each price it meets."""
    shares: dict[Price, int] = {}
    for match in plan.matches:
        shares[match.price] = shares.get(match.price, 0) + match.shares
    return Usdc(sum(market.fees.charged(price, Shares(n)) for price, n in shares.items()))


def collateral_needed(placement: Placement, market: Market, plan: Plan) -> Usdc:
    """What a buy can cost: its notional with the fee bound, or what it would meet right now."""
    spent = sum(cost(match.price, match.shares) for match in plan.matches)
    if placement.budget is not None:
        return Usdc(max(placement.budget, spent) + fees_of(market, plan))
    matched = sum(match.shares for match in plan.matches)
    rest = notional(placement) - placement.price * matched // MILLION
    bound = market.fees.fee_up(placement.price, placement.size) if plan.matches else 0
    return Usdc(max(notional(placement) + bound, spent + rest + fees_of(market, plan)))


def _expiration_fits(placement: Placement, now_ns: int, gtd_margin_s: int) -> bool:
    if placement.order_type != "GTD":
        return placement.expiration_s == 0
    return placement.expiration_s * SECOND_NS > now_ns + gtd_margin_s * SECOND_NS


def _accuracy_refused(placement: Placement, market: Market) -> str:
    fine = fine_lot(market)
    by_budget = placement.budget is not None
    if by_budget and (placement.side is Side.SELL or placement.rests):
        return PAYLOAD
    fits = placement.size % (fine if by_budget else LOT) == 0
    if fits and (placement.budget is None or placement.budget % LOT == 0):
        return ""
    return inaccurate(placement.side, market)


def fine_lot(market: Market) -> int:
    """The last decimal of what a market order gets: two more than the tick's price has.

    Said of 0.01 (four) and 0.001 (five); that finer ticks go on like that is what the official
    clients send (reference 3.4), and coarser ones stay at four.
    """
    step = MILLION
    while market.tick % step:
        step //= 10
    return max(min(step // 100, FINE_LOT), 1)


def inaccurate(side: Side, market: Market) -> str:
    """The refusal of amounts with too many decimals."""
    decimals = 7 - len(str(fine_lot(market)))
    return (
        f"invalid amounts, the market {side.lower()} orders maker amount supports a max accuracy"
        f" of 2 decimals, taker amount a max of {decimals} decimals"
    )
