"""Facts and state as JSON, and back: the form of the journal, the snapshot and the audit stream.

The kind of a fact is its class name, which is kept for ever.  Whole numbers beyond 64 bits
(prices in 10^-18 dollars) are text.  Decoding what was encoded gives an equal value; anything
else is refused with ``NotDecodable``.
"""

from typing import Any, Final, TypeVar

import attrs
import orjson
from cattrs import Converter
from cattrs.errors import BaseValidationError
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.orjson import make_converter

from polybawt.core.facts import WORLD
from polybawt.core.machine import Fact
from polybawt.core.signals.fair_value import Oracle
from polybawt.core.signals.lead import Spot
from polybawt.core.state import State
from polybawt.core.strategies import registry

T = TypeVar("T")
KINDS: Final[dict[str, type[Fact]]] = {kind.__name__: kind for kind in WORLD}
assert len(KINDS) == len(WORLD), "two facts have one name"


class NotDecodable(ValueError):
    """Bytes that no version of this program wrote, or another version did."""


def _wide(cls: type) -> dict[str, Any]:
    """How to treat the fields of ``cls`` that do not fit into 64 bits."""
    number = override(unstruct_hook=str, struct_hook=lambda text, _: int(text))
    fields = {f.name: number for f in attrs.fields(cls) if f.name.endswith("_e18")}
    if cls in (Oracle, Spot):
        fields["values"] = override(
            unstruct_hook=lambda values: [[ms, str(value)] for ms, value in values.items()],
            struct_hook=lambda rows, _: {ms: int(value) for ms, value in rows},
        )
    if cls is Oracle:
        fields["rough"] = fields["values"]
    return fields


def _converter() -> Converter:
    converter = make_converter(forbid_extra_keys=True)

    @converter.register_unstructure_hook_factory(attrs.has)
    def unstructure(cls: type) -> Any:
        return make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True, **_wide(cls))

    @converter.register_structure_hook_factory(attrs.has)
    def structure(cls: type) -> Any:
        return make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, **_wide(cls))

    registry.teach(converter)
    return converter


CONVERTER: Final = _converter()


def encode(fact: Fact) -> tuple[str, bytes]:
    """Kind and body of one fact."""
    return type(fact).__name__, orjson.dumps(CONVERTER.unstructure(fact))


def decode(kind: str, body: bytes | str) -> Fact:
    if kind not in KINDS:
        raise NotDecodable(f"unknown fact {kind[:40]!r}")
    return _structured(body, KINDS[kind], f"{kind}: {str(body[:120])!r}")


def encode_state(state: State) -> bytes:
    return orjson.dumps(CONVERTER.unstructure(state))


def decode_state(body: bytes | str) -> State:
    return _structured(body, State, "a snapshot of another version")


def _structured(body: bytes | str, cls: type[T], what: str) -> T:
    try:
        fields = orjson.loads(body)
        if isinstance(fields, dict):
            return CONVERTER.structure(fields, cls)
    except (BaseValidationError, ValueError, TypeError, KeyError) as wrong:
        raise NotDecodable(what) from wrong
    raise NotDecodable(f"no object: {what}")
