"""The Data API's rows: positions, trades, activity, holders, results, as version 2 spells them.

Keys are snake case, amounts JSON numbers, times unix seconds.  Version 1, which the recordings
have, was retired in 2026-10; its keys in camel case are these in all but a few names.

Source: exchange reference 5.2; names as the unified SDK reads them.
"""

from typing import Final

from attrs import frozen

from polybawt.core.market import Market
from polybawt.core.units import MILLION, SECOND_NS
from polybawt.exchange import portfolio as p
from polybawt.exchange.directory import Entry, Group
from polybawt.exchange.indexer import Leg
from polybawt.exchange.portfolio import Deed, Holding, Portfolio
from polybawt.exchange.wire.gamma import question_id
from polybawt.exchange.wire.texts import iso, number, outcomes
from polybawt.sim.chain import digest
from polybawt.sim.oracle import Payouts, Question
from polybawt.venue.contracts import contracts

BLOCK_NS: Final = 2 * SECOND_NS  # Polygon's pace: a block number is a time here
NO_OUTCOME: Final = 999  # of an activity that is not about one outcome, as recorded
PERCENT: Final = 100
DISPUTED: Final = ("challenged", "reproposed", "disputed")
BASES: Final = {
    "proposed": "proposal_expiration",
    "reproposed": "proposal_expiration",
    "disputed": "dvm_round_estimate",
}

Row = dict[str, object]

_PROFILE: Final[Row] = {
    "name": "", "pseudonym": "", "bio": "", "profile_image": "", "profile_image_optimized": "",
}  # fmt: skip


@frozen(kw_only=True)
class About:
    """What a row says of its market: the terms, the event, what a share is worth."""

    entry: Entry
    market: Market
    group: Group
    prices: tuple[int, int]  # of YES and NO, in millionths
    resolved_ns: int = 0  # 0: nobody has been paid yet

    @property
    def resolved(self) -> bool:
        return self.resolved_ns > 0

    def index(self, token_id: str) -> int:
        return int(token_id == self.market.no_token)

    def price(self, token_id: str) -> int:
        return self.prices[self.index(token_id)]


def seconds(at_ns: int) -> int:
    return at_ns // SECOND_NS


def _named(about: About) -> Row:
    return {
        "condition_id": about.market.condition_id,
        "title": about.market.question,
        "slug": about.market.slug,
        "icon": "",
        "event_slug": about.group.terms.slug,
    }


def _outcome(about: About, token_id: str) -> Row:
    index = about.index(token_id)
    return {"outcome": outcomes(about.market)[index], "outcome_index": index}


# Positions.


@frozen(kw_only=True)
class Held:
    """A holding with what is known of its market; ``mergeable`` with the other side."""

    owner: str
    holding: Holding
    about: About
    mergeable: bool = False

    @property
    def status(self) -> str:
        if self.holding.size == 0:
            return "CLOSED"
        return "REDEEMABLE" if self.about.resolved else "OPEN"

    @property
    def price(self) -> int:
        return self.about.price(self.holding.token_id)

    @property
    def value(self) -> int:
        return self.holding.size * self.price // MILLION

    @property
    def unrealized(self) -> int:
        return self.value - self.holding.cost

    @property
    def total_pnl(self) -> int:
        return self.unrealized + self.holding.realized


def position(held: Held) -> Row:
    holding, market = held.holding, held.about.market
    index = held.about.index(holding.token_id)
    return {
        "proxy_wallet": held.owner,
        "token_id": holding.token_id,
        **_named(held.about),
        **_money(held),
        "status": held.status,
        "redeemable": held.status == "REDEEMABLE",
        "mergeable": held.mergeable,
        "negative_risk": market.neg_risk,
        "archived": False,
        "verified": False,
        **_outcome(held.about, holding.token_id),
        "opposite_outcome": outcomes(market)[1 - index],
        "opposite_token_id": market.other(holding.token_id),
        "event_id": held.about.group.number,
        "end_date": iso(market.end_ns)[:10],
        "last_event_at": seconds(holding.last_ns),
        "first_entry_at": seconds(holding.first_ns),
        "name": "",
        "profile_image": "",
    }


def _money(held: Held) -> Row:
    holding = held.holding
    return {
        "current_size": number(holding.size),
        "avg_price": number(holding.average),
        "entry_cost_usdc": number(holding.cost),
        "entry_fees_usdc": number(holding.fees),
        "total_cost_usdc": number(holding.spent),
        "current_price": number(held.price),
        "current_value": number(held.value),
        "total_size": number(holding.bought),
        "realized_pnl": number(holding.realized),
        "unrealized_pnl": number(held.unrealized),
        "total_pnl": number(held.total_pnl),
        "percent_pnl": _percent(held.unrealized, holding.cost),
        "percent_realized_pnl": _percent(holding.realized, holding.spent),
    }


def _percent(part: int, whole: int) -> int | float:
    return number(part * PERCENT * MILLION // whole) if whole else 0


# Trades and the rest of an owner's activity.


def trade(leg: Leg, about: About) -> Row:
    return {
        "proxy_wallet": leg.owner,
        "side": leg.side.value,
        "token_id": leg.token_id,
        **_named(about),
        "size": number(leg.shares),
        "price": number(leg.price),
        "timestamp": seconds(leg.trade.match_ns),
        **_outcome(about, leg.token_id),
        **_PROFILE,
        "transaction_hash": leg.trade.tx_hash,
    }


def activity(owner: str, deed: Deed, about: About | None) -> Row:
    """One deed; ``about`` is None for those that are about no market."""
    row: Row = {
        "proxy_wallet": owner,
        "timestamp": seconds(deed.at_ns),
        "type": deed.kind,
        "is_combo": False,
        "size": number(deed.shares),
        "usdc_size": number(deed.usdc),
        "price": number(deed.price),
        "side": deed.side,
        "token_id": deed.token_id,
        "outcome": "",
        "outcome_index": NO_OUTCOME,
        **_PROFILE,
        "transaction_hash": deed.tx_hash or made_up_hash(owner, deed),
    }
    if about is None:
        return {**row, "condition_id": "", "title": "", "slug": "", "icon": "", "event_slug": ""}
    outcome = _outcome(about, deed.token_id) if deed.kind == p.TRADE else {}
    return {**row, **_named(about), **outcome}


def made_up_hash(owner: str, deed: Deed) -> str:
    """Of what the simulation did by itself: deposits, and redemptions by the venue's hand."""
    return digest(f"{deed.kind} of {owner} at {deed.at_ns} in {deed.condition_id}")


# Sums over an owner.


def pnl_point(at_ns: int, so_far: Portfolio, unrealized: int | None) -> Row:
    """The sums up to a time; what is not realized is known only of right now."""
    realized = so_far.realized
    economic = None if unrealized is None else number(realized + unrealized - so_far.fees)
    return {
        "timestamp": seconds(at_ns),
        "source_block": at_ns // BLOCK_NS,
        "trade_count": so_far.trades,
        "realized_market_pnl": number(realized),
        "realized_lp_pnl": 0,
        "realized_combo_pnl": 0,
        "realized_pnl": number(realized),
        "unrealized_pnl": None if unrealized is None else number(unrealized),
        "economic_pnl": economic,
        "volume": number(so_far.volume),
        "volume_usdc": number(so_far.volume_usdc),
        "deposits": number(so_far.deposits),
        "withdrawals": 0,
        "cashflow_net": number(so_far.deposits),
        "fees": number(so_far.fees),
        "fees_paid": number(so_far.fees),
    }


# Markets.


def holder(owner: str, token_id: str, amount: int, about: About, held: Held | None) -> Row:
    row: Row = {
        "proxy_wallet": owner,
        "token_id": token_id,
        "amount": number(amount),
        "outcome_index": about.index(token_id),
        "display_username_public": False,
        "verified": False,
        **_PROFILE,
    }
    if held is None:
        return row
    money = _money(held)
    kept = (
        "avg_price", "entry_cost_usdc", "current_price", "current_value", "realized_pnl",
        "unrealized_pnl", "total_pnl",
    )  # fmt: skip
    return {**row, **{name: money[name] for name in kept}}


def resolution(about: About, question: Question | None, listed_ns: int) -> Row:
    """How far a market's question is; ``payouts`` in millionths once holders are paid."""
    market, entry = about.market, about.entry
    state = question.state if question else "resolved" if about.resolved else "posed"
    if state == "resolved" and not about.resolved:
        assert question is not None
        state = question.past[-1]
    paid = entry.resolved if about.resolved else None
    named = question.payouts if question else None
    disputed = question is not None and not {*question.past, state}.isdisjoint(DISPUTED)
    moved_ns = about.resolved_ns or (question.moved_ns if question else 0) or listed_ns
    reporter = question.reporter if question and question.reporter else _reporter(market)
    due_ns = question.due_ns if question and state != "resolved" else None
    return {
        "question_id": question_id(market, about.group.entries.index(entry)),
        "condition_id": market.condition_id,
        "status": state,
        "extended_review": False,
        "expected_settlement_time": None if due_ns is None else iso(due_ns),
        "settlement_time_basis": BASES.get(state),
        "was_disputed": disputed,
        "new_version_q": False,
        "proposed_price": _price(named) if state == "proposed" else None,
        "reproposed_price": _price(named) if state in ("reproposed", "disputed") else None,
        "price": _price((paid.yes_payout, paid.no_payout)) if paid else None,
        "transaction_hash": digest(f"question {market.condition_id} {state}"),
        "log_index": 0,
        "last_update_timestamp": seconds(moved_ns),
        "market_type": "ATOMIC_NEGRISK" if market.neg_risk else "BINARY",
        "payouts": [int(paid.yes_payout), int(paid.no_payout)] if paid else None,
        "resolution_source": "reported" if paid else None,
        "reporter": reporter if paid else None,
        "was_arbitrated": disputed and bool(question and "disputed" in question.past),
        "resolved_block": about.resolved_ns // BLOCK_NS if paid else None,
        "resolved_at": iso(about.resolved_ns) if paid else None,
    }


def _reporter(market: Market) -> str:
    return "CHAINLINK" if market.symbol else "UMA_OO"


def _price(payouts: Payouts | None) -> int | float | None:
    """The oracle's own answer: 1 is yes, 0 no, a half is both."""
    return None if payouts is None else number(payouts[0])


def token(token_id: str, about: About) -> Row:
    market, index = about.market, about.index(token_id)
    module = "v1_ctf"
    if market.version == "v2":
        module = "neg_risk" if market.neg_risk else "binary"
    grouped = bool(market.neg_risk_id)
    return {
        "token_id": token_id,
        "condition_id": market.condition_id,
        "structural_condition_id": market.condition_id if market.version == "v2" else None,
        "module": module,
        "outcome_index": index,
        "clob_index": index,
        "outcome": outcomes(market)[index],
        "opposite_token_id": market.other(token_id),
        "resolved": about.resolved,
        "final_price": number(about.price(token_id)) if about.resolved else None,
        "title": market.question,
        "market_slug": market.slug,
        "closed": about.resolved,
        "neg_risk": market.neg_risk,
        "neg_risk_market_id": market.neg_risk_id or None,
        "question_index": about.group.entries.index(about.entry) if grouped else None,
        "event_id": about.group.number,
        "event_slug": about.group.terms.slug,
    }


ROUTER: Final = "0x12121212006e4CD160D18e3f00711DA5c3372600"
POSITION_MANAGER: Final = "0x006F54F7f9A22e0000CC2AB60031000000ae9fEF"
AUTO_REDEEMER: Final = "0xa1200000d0002264C9a1698e001292D00E1b00af"
ADAPTERS: Final = (
    "0xAdA100Db00Ca00073811820692005400218FcE1f",  # collateral of standard markets
    "0xadA2005600Dec949baf300f4C6120000bDB6eAab",  # and of neg-risk ones
)
MODULES: Final = (
    "0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    "0x200000900045e3B6259600682756002200028933",
)
PERPS: Final = "0xDCa4af75705dbB50f62437045afF9921947917d2"  # the SDK asks for it; not served here


def approvals(owner: str, chain_id: int) -> Row:
    """Who may move an owner's tokens: here everybody who must be able to, without bound."""
    known = contracts(chain_id)
    exchanges = (known.standard, known.neg_risk)
    erc20 = (*exchanges, *ADAPTERS, ROUTER, known.positions, PERPS)
    erc1155 = (*exchanges, *ADAPTERS, AUTO_REDEEMER, *MODULES)
    rows = [_approval(known.collateral, spender, "ERC20") for spender in erc20]
    rows += [_approval(known.conditional_tokens, spender, "ERC1155") for spender in erc1155]
    rows += [
        _approval(POSITION_MANAGER, spender, "ERC1155")
        for spender in (ROUTER, known.positions, AUTO_REDEEMER)
    ]
    return {"address": owner, "chain_id": chain_id, "contracts": rows}


def _approval(token_id: str, spender: str, standard: str) -> Row:
    amount = {"amount": "max"} if standard == "ERC20" else {}
    return {
        "token": token_id, "spender": spender, "standard": standard, "approved": True, **amount,
    }  # fmt: skip
