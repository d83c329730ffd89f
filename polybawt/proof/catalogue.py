"""Which machine is mirrored by which specification: the one list that proofs and tests share.

A specification ``models/Order.tla`` mirrors the class ``OrderMachine`` of the module ``order``;
an action there is an action class here; ``state`` there is the record's ``state`` here.
"""

from collections.abc import Mapping
from types import ModuleType
from typing import Final

from attrs import frozen

from polybawt.core.machine import Action, Machine, name_of
from polybawt.core.machines import breaker, feed, order, position, settlement, trade


@frozen
class Mirror:
    """One machine and the name of its specification."""

    name: str
    module: ModuleType

    @property
    def machine(self) -> type[Machine]:
        found: type[Machine] = getattr(self.module, f"{self.name}Machine")
        return found

    @property
    def actions(self) -> Mapping[str, type[Action]]:
        """Every action class of the module, by its name in the table."""
        base: type[Action] = self.module.Action
        return {
            name_of(found.__name__): found
            for found in vars(self.module).values()
            if isinstance(found, type) and issubclass(found, base) and found is not base
        }


MIRRORS: Final = {
    name: Mirror(name, module)
    for name, module in (
        ("Order", order),
        ("Trade", trade),
        ("Position", position),
        ("Settlement", settlement),
        ("Breaker", breaker),
        ("Feed", feed),
    )
}
