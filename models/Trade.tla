------------------------------- MODULE Trade -------------------------------
(***************************************************************************)
(* The life of one trade: matched off chain, then settled on chain, or not.*)
(* Mirrors polybawt/core/machines/trade.py.                                *)
(*                                                                         *)
(* The venue repeats every step, out of order, and after a restart all of  *)
(* them: what it said once may be heard at any later time.  What it never  *)
(* says falsely is an end: CONFIRMED and FAILED exclude each other.        *)
(*                                                                         *)
(* Not here: who our counterparties are, how much was traded, and what     *)
(* happens to a report about a trade at rest (the kernel drops it).        *)
(***************************************************************************)
EXTENDS Naturals

VARIABLES
  state,   \* ours:  what the machine believes
  booked,  \* ours:  how often its fills were given to the position
  voided,  \* ours:  how often they were taken back
  told,    \* ours:  how often its orders were told that it is at rest
  chain,   \* world: how far it really is
  said     \* world: every step that was ever reported

ours  == <<state, booked, voided, told>>
world == <<chain, said>>
vars  == <<ours, world>>

States  == {"seen", "matched", "mined", "retrying", "confirmed", "failed"}
Settled == {"confirmed", "failed"}
Steps   == {"matched", "mined", "retrying", "confirmed", "failed"}

TypeOK ==
  /\ state \in States
  /\ booked \in 0..2 /\ voided \in 0..2 /\ told \in 0..2
  /\ chain \in Steps /\ said \subseteq Steps

Init ==
  /\ state = "seen" /\ booked = 0 /\ voided = 0 /\ told = 0
  /\ chain = "matched" /\ said = {"matched"}

\* The effects of the transitions.
Book   == booked' = IF state = "seen" THEN booked + 1 ELSE booked
Settle == told' = told + 1
Void   == voided' = IF state = "seen" THEN voided ELSE voided + 1
SettleIfBooked == told' = IF state = "seen" THEN told ELSE told + 1

----------------------------- (* the machine *) -----------------------------

Match ==
  /\ "matched" \in said
  /\ state \in (States \ Settled)
  /\ state' = IF state = "mined" THEN "mined" ELSE "matched"
  /\ Book
  /\ UNCHANGED <<voided, told, world>>

Mine ==
  /\ "mined" \in said
  /\ state \in (States \ Settled)
  /\ state' = "mined"
  /\ Book
  /\ UNCHANGED <<voided, told, world>>

Retry ==
  /\ "retrying" \in said
  /\ state \in (States \ Settled)
  /\ state' = "retrying"
  /\ Book
  /\ UNCHANGED <<voided, told, world>>

Confirm ==
  /\ "confirmed" \in said
  /\ state \in (States \ Settled)
  /\ state' = "confirmed"
  /\ Book /\ Settle
  /\ UNCHANGED <<voided, world>>

Fail ==
  /\ "failed" \in said
  /\ state \in (States \ Settled)
  /\ state' = "failed"
  /\ Void /\ SettleIfBooked
  /\ UNCHANGED <<booked, world>>

-------------------- (* the world: the chain simulated in sim *) --------------------

Move(from, to) ==
  /\ chain \in from
  /\ chain' = to
  /\ said' = said \cup {to}
  /\ UNCHANGED ours

Broadcast == Move({"retrying"}, "matched")
Include   == Move({"matched", "retrying"}, "mined")
Revert    == Move({"matched", "mined"}, "retrying")
Finalise  == Move({"mined"}, "confirmed")
Void_     == Move({"matched", "mined", "retrying"}, "failed")

----------------------------------------------------------------------------
Closed == (state \in Settled) /\ UNCHANGED vars

Next ==
  \/ Match \/ Mine \/ Retry \/ Confirm \/ Fail
  \/ Broadcast \/ Include \/ Revert \/ Finalise \/ Void_
  \/ Closed

\* We read our trades again until they rest; the chain does not dither for ever.
Fairness == WF_vars(Confirm) /\ WF_vars(Fail) /\ SF_vars(Finalise) /\ WF_vars(Include)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
BookedOnce     == booked <= 1
NeverVoidUnbooked == voided <= booked
BookedWhileOpen == (state \in {"matched", "mined", "retrying", "confirmed"}) => (booked - voided = 1)
FailedHoldsNothing == (state = "failed") => (booked = voided)
ToldOnce       == told = (IF (state \in Settled) /\ (booked = 1) THEN 1 ELSE 0)
RestIsTrue     == (state \in Settled) => (state = chain)
NothingIllegal ==
  state \notin Settled =>
    /\ ("matched" \in said)   => ENABLED Match
    /\ ("mined" \in said)     => ENABLED Mine
    /\ ("retrying" \in said)  => ENABLED Retry
    /\ ("confirmed" \in said) => ENABLED Confirm
    /\ ("failed" \in said)    => ENABLED Fail

SettledForGood == [][(state \in Settled) => (state' = state)]_vars

EveryMatchSettles == (booked = 1) ~> (state \in Settled)

\* Witnesses: each must be VIOLATED.
NeverFailedUnbooked == ~((state = "failed") /\ (booked = 0))
NeverVoided         == voided = 0
NeverBackwards      == ~((state = "matched") /\ (chain = "mined"))
============================================================================
