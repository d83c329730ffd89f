------------------------------ MODULE Breaker ------------------------------
(***************************************************************************)
(* A circuit breaker.  Mirrors polybawt/core/machines/breaker.py.          *)
(*                                                                         *)
(* Failures open it, time half-opens it, an answer to a probe closes it;   *)
(* a hand latches it, and nothing but an operator leads out of that.      *)
(* The world is a clock, a thing that is well or not, and answers.  An     *)
(* answer tells how the thing was when it was asked; it comes at any later *)
(* time, more than once, or never.  What was asked before the breaker last *)
(* turned (opened, latched, was reset) is stale: so the world keeps two    *)
(* sets of what can still be heard.  Parameter `before': asked before.     *)
(*                                                                         *)
(* Not here: that nothing is asked while it is open (the risk gate asks    *)
(* `bars'), and several things behind one breaker.                         *)
(***************************************************************************)
EXTENDS Naturals

CONSTANTS FailuresMax, Cooling
ASSUME (FailuresMax \in Nat \ {0}) /\ (Cooling \in Nat \ {0})

VARIABLES
  state,     \* ours:  what the machine believes
  failures,  \* ours:  how many since the last success
  age,       \* both:  how long ago it turned; no more than Cooling
  rest,      \* both:  how long ago the last probe left; no more than Cooling
  well,      \* world: whether what it guards works
  said,      \* world: the answers to what was asked since it turned
  stale      \* world: the answers to what was asked before

ours  == <<state, failures>>
world == <<age, rest, well, said, stale>>
vars  == <<ours, world>>

States  == {"closed", "open", "half_open", "latched"}
Answers == {"good", "bad"}

TypeOK ==
  /\ state \in States
  /\ failures \in 0..(FailuresMax + 1)
  /\ age \in 0..Cooling /\ rest \in 0..Cooling
  /\ well \in BOOLEAN
  /\ said \subseteq Answers /\ stale \subseteq Answers

Init ==
  /\ state = "closed" /\ failures = 0
  /\ age = Cooling /\ rest = Cooling
  /\ well \in BOOLEAN /\ said = {} /\ stale = {}

\* The count of failures is unbounded there; here it stops above the limit.
More == IF failures > FailuresMax THEN failures ELSE failures + 1

Stale(before) == before
TooMany       == failures + 1 >= FailuresMax
Cooled        == age >= Cooling
ProbeDue      == rest >= Cooling

Heard(answer, before) == answer \in (IF before THEN stale ELSE said)
Answer == IF well THEN "good" ELSE "bad"

----------------------------- (* the machine *) -----------------------------

Failure(before) ==
  /\ Heard("bad", before)
  /\ LET decides == (state \in {"closed", "half_open"}) /\ ~Stale(before)
         turns   == decides /\ ((state = "half_open") \/ TooMany)
     IN /\ state' = IF turns THEN "open" ELSE state
        /\ failures' = IF decides THEN More ELSE failures
        /\ age' = IF turns THEN 0 ELSE age
        /\ said' = IF turns THEN {} ELSE said
        /\ stale' = IF turns THEN stale \cup said ELSE stale
  /\ UNCHANGED <<rest, well>>

Success(before) ==
  /\ Heard("good", before)
  /\ LET decides == (state \in {"closed", "half_open"}) /\ ~Stale(before)
     IN /\ state' = IF decides THEN "closed" ELSE state
        /\ failures' = IF decides THEN 0 ELSE failures
  /\ UNCHANGED <<age, rest, well, said, stale>>

Cool ==
  /\ state = "open"
  /\ Cooled
  /\ state' = "half_open"
  /\ UNCHANGED <<failures, age, rest, well, said, stale>>

Probe ==  \* it leaves; what is the matter then is what its answer will tell
  /\ state = "half_open"
  /\ ProbeDue
  /\ rest' = 0 /\ said' = said \cup {Answer}
  /\ UNCHANGED <<state, failures, age, well, stale>>

Latch ==
  /\ state' = "latched"
  /\ age' = IF state = "latched" THEN age ELSE 0
  /\ said' = IF state = "latched" THEN said ELSE {}
  /\ stale' = IF state = "latched" THEN stale ELSE stale \cup said
  /\ UNCHANGED <<failures, rest, well>>

Reset ==
  /\ state' = "closed"
  /\ failures' = IF state = "closed" THEN failures ELSE 0
  /\ age' = IF state = "closed" THEN age ELSE 0
  /\ said' = IF state = "closed" THEN said ELSE {}
  /\ stale' = IF state = "closed" THEN stale ELSE stale \cup said
  /\ UNCHANGED <<rest, well>>

----------------------------- (* the world *) -----------------------------

Ask ==  \* in the very moment it turned, nobody can tell which was first
  /\ state = "closed"
  /\ said' = IF age = 0 THEN said ELSE said \cup {Answer}
  /\ stale' = IF age = 0 THEN stale \cup {Answer} ELSE stale
  /\ UNCHANGED <<state, failures, age, rest, well>>

Pass ==
  /\ age' = IF age < Cooling THEN age + 1 ELSE age
  /\ rest' = IF rest < Cooling THEN rest + 1 ELSE rest
  /\ UNCHANGED <<state, failures, well, said, stale>>

Change ==
  /\ well' = ~well
  /\ UNCHANGED <<state, failures, age, rest, said, stale>>

----------------------------------------------------------------------------
Ours ==
  \/ \E before \in BOOLEAN : Failure(before)
  \/ \E before \in BOOLEAN : Success(before)
  \/ Cool
  \/ Probe
  \/ Latch
  \/ Reset

World ==
  \/ Ask
  \/ Pass
  \/ Change

Next == Ours \/ World

\* Time passes; while it is half open we probe, and what is well answers its probe.
Fairness == WF_vars(Pass) /\ WF_vars(Cool) /\ WF_vars(Probe) /\ WF_vars(Success(FALSE))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
ClosedIsHealthy   == (state = "closed") => (failures < FailuresMax)
OpenHasCause      == (state = "open") => (failures > 0)
HalfOpenHasCooled == (state = "half_open") => (age >= Cooling)

\* The world: nothing is asked while it is shut, and what was said was said of something asked.
ShutIsSilent == (said # {}) => ((state \in {"closed", "half_open"}) /\ (age > 0))

NothingIllegal ==
  /\ \A before \in BOOLEAN :
       /\ Heard("bad", before)  => ENABLED Failure(before)
       /\ Heard("good", before) => ENABLED Success(before)
  /\ ENABLED Latch /\ ENABLED Reset

\* Steps.  Nothing but an operator ends a latch, and the first reason stands.
LatchedForGood   == [][(state = "latched") => ((state' = "latched") \/ Reset)]_vars
FirstLatchStands == [][((state = "latched") /\ (state' = "latched")) => (age' >= age)]_vars
\* An open breaker is left by time or by us, never by an answer.
AnswersDoNotClose == [][(state = "open") => ((state' = "open") \/ Cool \/ Latch \/ Reset)]_vars
\* Only an answer to a probe closes it, and only a failure of something current opens it.
OnlyProbesClose == [][((state = "half_open") /\ (state' = "closed")) => (("good" \in said) \/ Reset)]_vars
OnlyNewsOpens   == [][((state # "open") /\ (state' = "open")) => ("bad" \in said)]_vars
\* What is stale decides nothing: neither state nor count.
StaleDecidesNothing == [][((said = {}) /\ (failures' # failures)) => Reset]_vars
\* At most one probe in a cooling time, and none but while it is half open.
ProbesAreBounded == [][(rest' < rest) => ((rest = Cooling) /\ (state = "half_open"))]_vars
\* The world: an answer tells how things were when it was asked.
AnswersAreTrue == [][\A answer \in ((said' \cup stale') \ (said \cup stale)) : answer = Answer]_vars
NothingUnsaid  == [][(said \cup stale) \subseteq (said' \cup stale')]_vars
TimeIsReal     == [][(state' = state) => ((age' >= age) /\ (rest' \in {0, rest, rest + 1}))]_vars

OpenEnds      == (state = "open") ~> (state # "open")
HealsWhenWell == <>[](well /\ (state # "latched")) => <>[](state = "closed")

\* Witnesses: each must be VIOLATED.
NeverHalfOpen    == state # "half_open"
NeverOpenedAgain == ~((state = "open") /\ (failures > FailuresMax))
NeverStaleSuccess == ~((state = "half_open") /\ ("good" \in stale) /\ (said = {"bad"}))
NeverTwoProbes   == ~((state = "half_open") /\ (said = {"good", "bad"}))
============================================================================
