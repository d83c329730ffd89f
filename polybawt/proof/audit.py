"""Goes through a real journal, fact by fact, and says whether it could have happened.

Three questions.  Is the file what was written: every hash of the chain, and the witness beside
it?  Is every transition that the facts set off an edge of the committed specifications, of a trade
also in what was booked of it and taken back (``squares``)?  And did
the engine sign what the kernel decides when the same facts are played again: token, side,
amounts?  The first thing that is not so is named with its number.

It reads only, and a copy is best: a running engine holds its journal to itself.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from attrs import field, frozen

from polybawt.core.codec import NotDecodable, decode
from polybawt.core.kernel import step
from polybawt.core.machine import Fact, Machine, Outputs, Record, name_of
from polybawt.core.machines import order
from polybawt.core.machines.trade import Trade
from polybawt.core.market import Side
from polybawt.core.state import State
from polybawt.core.units import MILLION
from polybawt.engine.journal import GENESIS, WITNESS, chained
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.edges import Edge, read_lock
from polybawt.proof.spec import Spec
from polybawt.proof.squares import TradeSquare
from polybawt.proof.verify import MODELS

PROGRESS_FACTS: Final = 2_000


class NotAJournal(Exception):
    """The file cannot be audited; the text says why and what to do."""


@frozen(kw_only=True)
class Audit:
    """``gap`` is the first thing that is not so, "" when all is; ``taken`` counts transitions."""

    facts: int
    epochs: int
    orders: int
    gap: str = ""
    taken: dict[str, int] = field(factory=dict)

    @property
    def good(self) -> bool:
        return not self.gap


def audit(path: Path, progress: Callable[[int, int], None], models: Path = MODELS) -> Audit:
    """Audit one journal; ``progress`` hears how many facts of how many are done."""
    state, seen, gap, done = State(), Counter[str](), "", 0
    watch = Watch(models)
    with watch:
        for seq, total, kind, body, wrong in entries(path):
            gap = wrong or _apply(state, kind, body, models) or watch.gap
            if gap:
                gap = f"fact {seq} ({kind}): {gap}"
                break
            done = seq
            if seq % PROGRESS_FACTS == 0 or seq == total:
                progress(seq, total)
    seen.update(watch.taken)
    return Audit(
        facts=done,
        epochs=state.epoch,
        orders=state.counters.get("orders", 0),
        gap=gap or _witness(path, done),
        taken=dict(sorted(seen.items())),
    )


class Watch:
    """While open, every step of every machine is held against the committed edges.

    It looks at the one door that all steps go through, so that no machine can be forgotten.
    """

    def __init__(self, models: Path) -> None:
        self._models = models
        self._edges: dict[str, frozenset[Edge]] = {
            name: read_lock(models / "locks" / f"{name}.edges") for name in MIRRORS
        }
        self._names = {mirror.machine: name for name, mirror in MIRRORS.items()}
        self._step = Machine.__dict__["step"]
        self.trades = TradeSquare(models)
        self.taken: Counter[str] = Counter()
        self.gap = ""

    def __enter__(self) -> "Watch":
        inner, watch = self._step.__func__, self

        def watched(cls: type[Machine], record: Record, action: Fact) -> tuple[Record, Outputs]:
            after: tuple[Record, Outputs] = inner(cls, record, action)
            watch.see(cls, record.state, action, after[0].state)
            if isinstance(record, Trade) and isinstance(after[0], Trade):
                watch.gap = watch.gap or watch.trades.see(record, action, after[0], after[1])
            return after

        Machine.step = classmethod(watched)  # type: ignore[assignment]
        return self

    def __exit__(self, *_: object) -> None:
        Machine.step = self._step  # type: ignore[method-assign]

    def see(self, machine: type[Machine], before: str, action: Fact, after: str) -> None:
        name, text = self._names[machine], type(action).__name__
        edge = before, name_of(text), after
        self.taken[f"{name} {' '.join(edge)}"] += 1
        if edge not in self._edges[name] and not self.gap:
            self.gap = f"{' '.join(edge)} is no edge of models/{name}.tla: {action}; "
            self.gap += specified(self._models, name, text)


def specified(models: Path, name: str, action: str) -> str:
    """What a specification says of an action, on one line."""
    spec = Spec.read(models, name)
    if action not in spec.definitions:
        return f"it has no {action}"
    return f"it says {action} == {' '.join(spec.definitions[action].body.split())}"


def _apply(state: State, kind: str, body: bytes, models: Path) -> str:
    """Play one fact; why it cannot have happened, or ""."""
    try:
        fact = decode(kind, body)
    except NotDecodable as e:
        return str(e)
    before = state.counters.get("impossible", 0)
    if isinstance(fact, order.Sign) and (wrong := _other_terms(state, fact)):
        return wrong
    step(state, fact)
    if state.counters.get("impossible", 0) > before:
        told = next(n.text for n in reversed(state.notices) if n.name == "impossible")
        owner = next((n for n, m in MIRRORS.items() if isinstance(fact, m.module().Action)), "")
        return f"{told}; models/{owner}.tla: {specified(models, owner, kind)}" if owner else told
    return ""


def _other_terms(state: State, sign: order.Sign) -> str:
    """What was signed against what the kernel decides now, from the same facts."""
    record = state.orders.get(sign.intent_id)
    if record is None:
        return f"{sign.intent_id} was signed and never decided"
    signed: dict[str, Any] = orjson.loads(sign.payload)["order"]
    given, got = int(signed["makerAmount"]), int(signed["takerAmount"])
    shares, cash = (got, given) if record.side is Side.BUY else (given, got)
    same = (
        signed["tokenId"] == record.token_id
        and signed["side"] == record.side
        and shares == record.size
        and cash * MILLION == record.price * record.size
    )
    return "" if same else f"{sign.intent_id} was signed with other terms than {record}"


def entries(path: Path) -> Iterator[tuple[int, int, str, bytes, str]]:
    """seq, how many there are, kind, body, and what is wrong with the chain here."""
    if not path.is_file():
        raise NotAJournal(f"{path}: no such file")
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0)
        try:
            total = db.execute("SELECT max(seq) FROM facts").fetchone()[0] or 0
            head = GENESIS
            rows = db.execute("SELECT seq, at_ns, kind, body, hash FROM facts ORDER BY seq")
            for expected, (seq, at_ns, kind, body, digest) in enumerate(rows, start=1):
                head = chained(head, seq, (at_ns, kind, bytes(body)))
                whole = seq == expected and head == bytes(digest)
                yield seq, total, kind, bytes(body), "" if whole else "is not what was written"
        finally:
            db.close()
    except sqlite3.OperationalError as e:
        raise NotAJournal(f"{path}: {e}; stop its engine, or audit a copy") from e
    except sqlite3.DatabaseError as e:
        raise NotAJournal(f"{path}: is no journal: {e}") from e


def _witness(path: Path, last: int) -> str:
    """Whether the journal is as long as the witness beside it saw it."""
    beside = path.with_name(path.name + ".head")
    seen = beside.read_bytes() if beside.exists() else b""
    if len(seen) != WITNESS.size:
        return ""
    seq = WITNESS.unpack(seen)[0]
    return f"the tail is lost: fact {seq} was durable, the last is {last}" if seq > last else ""
