"""What the property tests of all machines share: rules are the specification's actions.

A rule has the name of an action of the specification, with its guards as preconditions; an
invariant has the name of one there.  Hypothesis plays us, the network and the venue, with
amounts and identities that the specification leaves out.
"""

import re

from hypothesis.stateful import RuleBasedStateMachine

from polybawt.core.machine import Command, Fact, IllegalAction, Machine, Record, name_of
from polybawt.proof.spec import Spec
from polybawt.proof.verify import MODELS, config_of

REST = "Closed"  # the one place to come to rest: no action, but no deadlock either


def edge_or_illegal(machine: type[Machine], record: Record, action: Fact) -> None:
    """There is no third outcome: nothing is silently ignored, and ``allows`` told before."""
    allowed = machine.allows(record, action)
    try:
        after, outputs = machine.step(record, action)
    except IllegalAction:
        assert not allowed
        return
    assert allowed
    edge = (record.state, name_of(type(action).__name__), after.state)
    assert edge in machine.edges()
    assert all(isinstance(output, Command | Fact) for output in outputs)


def specified_actions(name: str) -> set[str]:
    """The actions of both halves."""
    spec = Spec.read(MODELS, name)
    return {_rule(instance.name) for instance in spec.instances}


def specified_invariants(name: str) -> set[str]:
    """The invariants that its configuration names; types are mypy's, legality every step's."""
    listed = re.search(r"^INVARIANTS\n((?:  \w+\n)+)", config_of(MODELS, name), re.M)
    assert listed
    return {name_of(found) for found in listed[1].split()} - {"type_o_k", "nothing_illegal"}


def mirrored(name: str, life: type[RuleBasedStateMachine]) -> None:
    """Rules and invariants here are the actions and invariants there, by name."""
    declared = life.setup_state()
    rules = {rule.function.__name__ for rule in declared.rules}
    invariants = {found.function.__name__ for found in declared.invariants}
    here, there = {rule.rstrip("_") for rule in rules} - {name_of(REST)}, specified_actions(name)
    assert here == there, sorted(here ^ there)
    assert invariants >= specified_invariants(name), specified_invariants(name) - invariants


def _rule(action: str) -> str:
    return name_of(action).rstrip("_")
