"""PolyBawt's machines as a library: ``from polybawt import Order, OrderMachine, order``.

A record, its machine, and the module with its actions, for every file in ``core/machines``.
They are found when they are asked for, so that no command pays for what it does not use.
"""

import re
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    place = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Machine")).lower()
    path = f"{__name__}.core.machines.{place}"
    try:
        module = import_module(path)
    except ModuleNotFoundError as e:
        if e.name != path:
            raise  # something that the machine needs is not installed
        raise AttributeError(f"{__name__} has no {name}") from e
    return module if name == place else getattr(module, name)
