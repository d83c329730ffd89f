------------------------------ MODULE Breaker ------------------------------
(***************************************************************************)
(* A circuit breaker.  Mirrors polybawt/core/machines/breaker.py.          *)
(*                                                                         *)
(* Failures open it, time half-opens it, a success while it is half open   *)
(* closes it; the kill latches it, and nothing but an operator leads out   *)
(* of that.  The world is a clock, a thing that is well or not, and        *)
(* answers to what was sent earlier, which may come at any time.           *)
(*                                                                         *)
(* Not here: which request an answer belongs to.  That a stale success     *)
(* cannot close a half open breaker rests on the configuration: it cools   *)
(* for longer than a request may take.                                     *)
(***************************************************************************)
EXTENDS Naturals

CONSTANTS FailuresMax, Cooling
ASSUME (FailuresMax \in Nat \ {0}) /\ (Cooling \in Nat \ {0})

VARIABLES
  state,     \* ours:  what the machine believes
  failures,  \* ours:  how many since the last success
  age,       \* both:  how long ago it opened, latched or was reset; no more than Cooling
  well       \* world: whether what it guards works

vars == <<state, failures, age, well>>

States == {"closed", "open", "half_open", "latched"}

TypeOK ==
  /\ state \in States
  /\ failures \in 0..(FailuresMax + 1)
  /\ age \in 0..Cooling
  /\ well \in BOOLEAN

Init == state = "closed" /\ failures = 0 /\ age = 0 /\ well \in BOOLEAN

\* The count of failures is unbounded there; here it stops above the limit.
More == IF failures > FailuresMax THEN failures ELSE failures + 1

\* An answer tells how things are, or, once it is open, how they were.
Late == state \in {"open", "latched"}

----------------------------- (* the machine *) -----------------------------

Failure ==
  /\ ~well \/ Late
  /\ state' = CASE (state = "closed") /\ (failures + 1 >= FailuresMax) -> "open"
                [] state = "half_open" -> "open"
                [] OTHER -> state
  /\ failures' = IF Late THEN failures ELSE More
  /\ age' = IF state' # state THEN 0 ELSE age
  /\ UNCHANGED well

Success ==
  /\ well \/ Late
  /\ state' = IF state = "half_open" THEN "closed" ELSE state
  /\ failures' = IF Late THEN failures ELSE 0
  /\ UNCHANGED <<age, well>>

Cool ==
  /\ state = "open"
  /\ age >= Cooling
  /\ state' = "half_open"
  /\ UNCHANGED <<failures, age, well>>

Latch ==
  /\ state' = "latched"
  /\ age' = IF state = "latched" THEN age ELSE 0
  /\ UNCHANGED <<failures, well>>

Reset ==
  /\ state' = "closed"
  /\ failures' = IF state = "closed" THEN failures ELSE 0
  /\ age' = IF state = "closed" THEN age ELSE 0
  /\ UNCHANGED well

----------------------------- (* the world *) -----------------------------

Pass   == (age < Cooling) /\ (age' = age + 1) /\ UNCHANGED <<state, failures, well>>
Change == (well' = ~well) /\ UNCHANGED <<state, failures, age>>

----------------------------------------------------------------------------
Next == Failure \/ Success \/ Cool \/ Latch \/ Reset \/ Pass \/ Change

\* Time passes, and while it is half open what it guards is tried.
Fairness == WF_vars(Pass) /\ WF_vars(Cool) /\ WF_vars(Success)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
ClosedIsHealthy == (state = "closed") => (failures < FailuresMax)
OpenHasCause    == (state = "open") => (failures > 0)
HalfOpenHasCooled == (state = "half_open") => (age >= Cooling)
NothingIllegal  ==
  /\ (~well \/ Late) => ENABLED Failure
  /\ (well \/ Late) => ENABLED Success
  /\ ENABLED Latch /\ ENABLED Reset

\* Nothing but an operator ends the kill; and the first reason stands.
LatchedForGood  == [][(state = "latched") => ((state' = "latched") \/ Reset)]_vars
FirstLatchStands == [][((state = "latched") /\ (state' = "latched")) => (age' >= age)]_vars
\* An open breaker is left by time or by us, never by an answer.
AnswersDoNotClose == [][(state = "open") => ((state' = "open") \/ Cool \/ Latch \/ Reset)]_vars

OpenEnds      == (state = "open") ~> (state # "open")
HealsWhenWell == <>[](well /\ (state # "latched")) => <>[](state = "closed")

\* Witnesses: each must be VIOLATED.
NeverHalfOpen    == state # "half_open"
NeverOpenedAgain == ~((state = "open") /\ (failures > FailuresMax))
NeverLatchedWell == ~((state = "latched") /\ well /\ (failures = FailuresMax))
============================================================================
