"""Each property is seen to fail when a guard it depends on is broken.

A property that nothing can violate proves nothing.  The table breaks one place of a
specification per property; TLC must then report exactly that property.  That the table fits the
specifications is always checked; TLC runs over it at night (``POLYBAWT_HYPOTHESIS=nightly``).
"""

import os
import re
from pathlib import Path

import pytest

from polybawt.proof import tlc
from polybawt.proof.catalogue import MIRRORS
from polybawt.proof.verify import MODELS, config_of

TEMPORAL = "Temporal properties were violated"  # TLC does not say which; it checks only one
NIGHTLY = os.environ.get("POLYBAWT_HYPOTHESIS") == "nightly"

HEARD = ') /\\ (life[trade] = "matched")\n  /\\ state \\in '
MUTATIONS = {
    ("Order", "NoOverfill"): [("1..(matched - filled)\n", "1..Size\n")],
    ("Order", "NoGhost"): [("  /\\ AtRest\n", "  /\\ (filled = matched)\n")],
    ("Order", "NoLostFill"): [("  /\\ AtRest\n", "  /\\ (book \\notin Open) /\\ ~CanArrive\n")],
    ("Order", "FilledMeansFull"): [('filled\' = Size -> "filled"', 'filled\' > 0 -> "filled"')],
    ("Order", "UntouchedWhileUnfilled"): [
        ('IF filled = 0 THEN "live" ELSE "partially_filled"', '"live"')
    ],
    ("Order", "NothingBeforeSubmit"): [
        (
            '/\\ post\' = "sent"\n  /\\ UNCHANGED <<filled, cancel',
            "/\\ post' = post\n  /\\ UNCHANGED <<filled, cancel",
        )
    ],
    ("Order", "EndedIsComplete"): [
        (
            'IF state \\in Finished THEN state ELSE "closing"',
            'IF state \\in Finished THEN state ELSE "cancelled"',
        )
    ],
    ("Order", "RejectedIsProven"): [
        ('IF state = "submitted" THEN "unknown"', 'IF state = "submitted" THEN "rejected"')
    ],
    ("Order", "NothingIllegal"): [
        (
            '"refused" \\in said\n  /\\ state \\in (InFlight \\cup Done)',
            '"refused" \\in said\n  /\\ state \\in (InFlight \\cup Finished)',
        )
    ],
    ("Order", "FillsOnlyGrow"): [
        (
            'ELSE "closing"\n  /\\ UNCHANGED <<filled, world>>\n\nReadOpen',
            'ELSE "closing"\n  /\\ filled\' = 0 /\\ UNCHANGED world\n\nReadOpen',
        )
    ],
    ("Order", "ClosedForGood"): [
        (
            '/\\ state \\in (InFlight \\cup Done)\n  /\\ state\' = IF state = "submitted"',
            '/\\ state \\in States\n  /\\ state\' = IF state \\in {"submitted", "closed"}',
        )
    ],
    ("Order", "CancelProvesNothing"): [
        (
            'IF state \\in Finished THEN state ELSE "closing"',
            'IF state \\in Finished THEN state ELSE "unknown"',
        )
    ],
    ("Order", "SubmittedCloses"): [
        (
            '[] OTHER -> "cancelled"\n',
            '[] outcome = "cancelled" -> "cancelled"\n    [] OTHER -> "closing"\n',
        )
    ],
    ("Order", "CancelEnds"): [("WF_vars(TrueRead) /\\ ", "")],
    ("Order", "NoLimbo"): [("WF_vars(Pass) /\\ ", "")],
    ("Trade", "BookedOnce"): [('IF state = "seen" THEN booked + 1 ELSE booked', "booked + 1")],
    ("Trade", "NeverVoidUnbooked"): [
        ('IF state = "seen" THEN voided ELSE voided + 1', "voided + 1")
    ],
    ("Trade", "BookedWhileOpen"): [
        ('state\' = "retrying"\n  /\\ Book\n', "state' = \"retrying\"\n  /\\ booked' = booked\n")
    ],
    ("Trade", "FailedHoldsNothing"): [("/\\ Void /\\ ", "/\\ voided' = voided /\\ ")],
    ("Trade", "ToldOnce"): [('IF state = "seen" THEN told ELSE told + 1', "told + 1")],
    ("Trade", "RestIsTrue"): [
        ('Fail ==\n  /\\ "failed" \\in said', 'Fail ==\n  /\\ "retrying" \\in said')
    ],
    ("Trade", "NothingIllegal"): [
        (
            '"mined" \\in said\n  /\\ state \\in (States \\ Settled)',
            '"mined" \\in said\n  /\\ state \\in {"seen", "matched", "mined"}',
        )
    ],
    ("Trade", "SettledForGood"): [
        (
            '"matched" \\in said\n  /\\ state \\in (States \\ Settled)',
            '"matched" \\in said\n  /\\ state \\in States',
        )
    ],
    ("Trade", "EveryMatchSettles"): [("WF_vars(Confirm) /\\ ", "")],
    ("Position", "ExactlyWhatStands"): [("bought' = bought - Shares(trade)", "bought' = bought")],
    ("Position", "StateFitsShares"): [
        ('                [] (state = "oversold") /\\ (bought\' - sold = 0) -> "flat"\n', "")
    ],
    ("Position", "PaidIsHeld"): [
        (
            '  /\\ AtRest\n  /\\ state \\in {"flat", "long"}',
            '  /\\ state \\in {"flat", "long", "oversold"}',
        )
    ],
    ("Position", "PaidOnce"): [("paid' = bought - sold", "paid' = bought")],
    ("Position", "DoubtsEnd"): [
        ('(life[trade] = "booked") /\\ Covered(trade)', 'life[trade] = "booked"')
    ],
    ("Position", "NothingIllegal"): [
        (f'Sells{HEARD}{{"flat", "long", "oversold"}}', f'Sells{HEARD}{{"long", "oversold"}}')
    ],
    ("Position", "SettledForGood"): [
        ("  /\\ AtRest\n", ""),
        (f'Buys{HEARD}{{"flat", "long", "oversold"}}', f"Buys{HEARD}States"),
    ],
    ("Position", "PaysInTheEnd"): [(" /\\ WF_vars(Void(trade))", "")],
    ("Settlement", "NeverGuessed"): [("payout' = what", "payout' = payout")],
    ("Settlement", "PaidIsPublished"): [("paid' = payout", "paid' = observed")],
    ("Settlement", "PaidNoEarlier"): [
        (
            "payout' = what\n  /\\ UNCHANGED <<strike, close, observed, paid, world>>",
            "payout' = what /\\ paid' = what\n  /\\ UNCHANGED <<strike, close, observed, world>>",
        )
    ],
    ("Settlement", "ObservedIsTrue"): [
        (
            'IF (state \\in {"ended", "unprovable", "resolved"}) /\\ strike THEN truth',
            'IF state \\in {"ended", "unprovable", "resolved"} THEN truth',
        )
    ],
    ("Settlement", "VoicesAgree"): [
        ('(state = "observed") /\\ Agrees(what)', 'state = "observed"')
    ],
    ("Settlement", "ConflictIsReal"): [('(state = "resolved") /\\ Repeats(what)', "FALSE")],
    ("Settlement", "KnownIsObserved"): [
        (
            'IF (state \\in {"ended", "unprovable", "resolved"}) /\\ strike',
            'IF (state \\in {"ended", "unprovable"}) /\\ strike',
        )
    ],
    ("Settlement", "UnprovableMeansBlind"): [
        (
            'CASE (state \\in {"ended", "unprovable"}) /\\ strike',
            'CASE (state = "ended") /\\ strike',
        )
    ],
    ("Settlement", "NothingIllegal"): [
        (
            "Strike ==\n  /\\ state \\in Open",
            'Strike ==\n  /\\ state \\in (Open \\ {"conflicting"})',
        )
    ],
    ("Settlement", "PaidForGood"): [
        (
            "what \\in published\n  /\\ state \\in Open",
            "what \\in published\n  /\\ state \\in States",
        )
    ],
    ("Settlement", "FirstStrikeStands"): [
        (
            'state\' = "ended"\n  /\\ UNCHANGED <<strike, ',
            "state' = \"ended\"\n  /\\ strike' = FALSE /\\ UNCHANGED <<",
        )
    ],
    ("Settlement", "ObservedOnce"): [
        (
            "payout' = what\n  /\\ UNCHANGED <<strike, close, observed, paid, world>>",
            "payout' = what /\\ observed' = \"\"\n  /\\ UNCHANGED <<strike, close, paid, world>>",
        )
    ],
    ("Settlement", "PaysInTheEnd"): [(" /\\ WF_vars(Pay)", "")],
    ("Breaker", "ClosedIsHealthy"): [("failures + 1 >= FailuresMax", "failures >= FailuresMax")],
    ("Breaker", "OpenHasCause"): [
        ("IF Late THEN failures ELSE More", 'IF state\' = "open" THEN 0 ELSE More')
    ],
    ("Breaker", "HalfOpenHasCooled"): [("  /\\ age >= Cooling\n", "")],
    ("Breaker", "NothingIllegal"): [("Latch ==\n", 'Latch ==\n  /\\ state # "latched"\n')],
    ("Breaker", "LatchedForGood"): [
        (
            'state\' = IF state = "half_open" THEN "closed"',
            'state\' = IF state \\in {"half_open", "latched"} THEN "closed"',
        )
    ],
    ("Breaker", "FirstLatchStands"): [('age\' = IF state = "latched" THEN age ELSE 0', "age' = 0")],
    ("Breaker", "AnswersDoNotClose"): [
        (
            'state\' = IF state = "half_open" THEN "closed"',
            'state\' = IF state \\in {"half_open", "open"} THEN "closed"',
        )
    ],
    ("Breaker", "OpenEnds"): [("WF_vars(Cool) /\\ ", "")],
    ("Breaker", "HealsWhenWell"): [(" /\\ WF_vars(Success)", "")],
    ("Feed", "FreshHasCopy"): [
        ('copy\' = IF state = "down" THEN copy ELSE "whole"', "copy' = copy")
    ],
    ("Feed", "FreshHasLink"): [("Connect ==\n  /\\ link\n", "Connect ==\n")],
    ("Feed", "SilentIsEmpty"): [('copy\' = "none"', "copy' = copy")],
    ("Feed", "MismatchIsDoubt"): [('"down" ELSE "suspect"', '"down" ELSE "stale"')],
    ("Feed", "LostIsDown"): [
        ('state\' = "down" /\\ last\' = "Lose"', "state' = state /\\ last' = \"Lose\"")
    ],
    ("Feed", "QuietIsNotFresh"): [('IF state = "fresh" THEN "stale" ELSE state', "state")],
    ("Feed", "NothingIllegal"): [('copy # "wrong"\n', 'copy # "wrong" /\\ state # "down"\n')],
    ("Feed", "OnlyTheWholeMakesFresh"): [
        ("state' = state /\\ last' = \"Pong\"", 'state\' = "fresh" /\\ last\' = "Pong"')
    ],
    ("Feed", "DownUntilConnected"): [
        ('state\' = IF state = "down" THEN "down" ELSE "fresh"', 'state\' = "fresh"')
    ],
    ("Feed", "WrongIsFound"): [
        (' /\\ WF_vars(Mismatch /\\ (copy = "wrong") /\\ (state = "fresh"))', "")
    ],
    ("Feed", "Recovers"): [
        ('  /\\ WF_vars(Snapshot /\\ (state \\in {"silent", "suspect", "stale"}))\n', "")
    ],
}


def broken(name: str, changes: list[tuple[str, str]]) -> str:
    spec = (MODELS / f"{name}.tla").read_text()
    for old, new in changes:
        assert spec.count(old) >= 1, f"{name}.tla has no {old!r}"
        spec = spec.replace(old, new, 1)
    return spec


def alone(name: str, wanted: str) -> str:
    """The configuration that checks this property, and no other."""
    for kind in ("", "Live"):
        config = config_of(MODELS, name, kind)
        for section in ("INVARIANTS", "PROPERTIES"):
            listed = re.search(rf"^{section}\n((?:  \w+\n)+)", config, re.M)
            if listed and wanted in listed[1].split():
                head = re.split(r"^(?:INVARIANTS|PROPERTIES)$", config, flags=re.M)[0]
                return head.replace("Size = 3", "Size = 2") + f"{section}\n  {wanted}\n"
    raise AssertionError(f"{name} does not check {wanted}")


@pytest.mark.parametrize("name", MIRRORS)
def test_every_property_has_its_mutation_and_every_mutation_fits(name: str) -> None:
    """A property added without one, or a specification that moved on, is noticed at once."""
    checked = set(re.findall(r"^  (\w+)$", config_of(MODELS, name), re.M))
    checked |= set(re.findall(r"^  (\w+)$", config_of(MODELS, name, "Live"), re.M))

    assert checked - {"TypeOK"} == {prop for spec, prop in MUTATIONS if spec == name}
    for (spec, _), changes in MUTATIONS.items():
        assert spec != name or broken(name, changes)


@pytest.mark.skipif(not NIGHTLY, reason="a minute of TLC: POLYBAWT_HYPOTHESIS=nightly")
@pytest.mark.parametrize(("name", "wanted"), MUTATIONS)
def test_the_property_fails_when_its_guard_is_broken(
    name: str, wanted: str, tmp_path: Path
) -> None:
    module = tmp_path / f"{name}.tla"
    module.write_text(broken(name, MUTATIONS[name, wanted]))

    verdict = tlc.run(tlc.find_tools(), module, alone(name, wanted))

    assert not verdict.error, verdict.text
    assert verdict.violated in (wanted, TEMPORAL)
