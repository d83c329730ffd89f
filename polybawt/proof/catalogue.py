"""Which machine is mirrored by which specification: what is in ``proof/mirrors``, and no list.

A specification ``models/Order.tla`` mirrors the class ``OrderMachine`` of the module ``order``;
an action there is an action class here; ``state`` there is the record's ``state`` here.
``COMPOSED`` are specifications of how the machines play together: they have no machine.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Final

from polybawt.proof import mirrors
from polybawt.proof.mirror import Mirror

COMPOSED: Final = ("Engine",)


def _found() -> dict[str, type[Mirror]]:
    found = {}
    for place in iter_modules(mirrors.__path__):
        module = import_module(f"{mirrors.__name__}.{place.name}")
        for mirror in vars(module).values():
            here = isinstance(mirror, type) and mirror.__module__ == module.__name__
            if here and issubclass(mirror, Mirror):
                found[mirror.name] = mirror
    return found


MIRRORS: Final = _found()
