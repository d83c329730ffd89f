------------------------------- MODULE Trade -------------------------------
(***************************************************************************)
(* The life of one trade: matched off chain, then settled on chain, or not.*)
(* Mirrors polybawt/core/machines/trade.py.                                *)
(*                                                                         *)
(* The world is the chain that paper trading settles on: a trade is mined, *)
(* sent again, confirmed or failed, in any order, and comes to one end.    *)
(* The venue repeats every step, out of order, and after a restart all of  *)
(* them: what it said once may be heard at any later time.  What it never  *)
(* says falsely is an end.                                                 *)
(*                                                                         *)
(* Not here: who our counterparties are, how much was traded, what a match *)
(* does to its order (Order) and to our money (Position), that one trade   *)
(* waits for another, and what happens to a report about a trade at rest   *)
(* (the kernel remembers it, and drops the report).                        *)
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
Steps   == {"matched", "mined", "retrying", "confirmed", "failed"}
Moving  == {"seen", "matched", "mined", "retrying"}
Settled == {"confirmed", "failed"}

TypeOK ==
  /\ state \in States
  /\ booked \in 0..2 /\ voided \in 0..2 /\ told \in 0..2
  /\ chain \in Steps /\ said \subseteq Steps

Init ==
  /\ state = "seen" /\ booked = 0 /\ voided = 0 /\ told = 0
  /\ chain = "matched" /\ said = {"matched"}

----------------------------- (* the machine *) -----------------------------

Match ==  \* every trade was matched: this may be heard at any time
  /\ state \in Moving
  /\ state' = IF state = "mined" THEN "mined" ELSE "matched"
  /\ booked' = IF state = "seen" THEN booked + 1 ELSE booked
  /\ UNCHANGED <<voided, told, chain, said>>

Mine ==
  /\ "mined" \in said
  /\ state \in Moving
  /\ state' = "mined"
  /\ booked' = IF state = "seen" THEN booked + 1 ELSE booked
  /\ UNCHANGED <<voided, told, chain, said>>

Retry ==
  /\ "retrying" \in said
  /\ state \in Moving
  /\ state' = "retrying"
  /\ booked' = IF state = "seen" THEN booked + 1 ELSE booked
  /\ UNCHANGED <<voided, told, chain, said>>

Confirm ==
  /\ "confirmed" \in said
  /\ state \in Moving
  /\ state' = "confirmed"
  /\ booked' = IF state = "seen" THEN booked + 1 ELSE booked
  /\ told' = told + 1
  /\ UNCHANGED <<voided, chain, said>>

Fail ==  \* one that we first hear of as failed was never booked: nothing to take back
  /\ "failed" \in said
  /\ state \in Moving
  /\ state' = "failed"
  /\ voided' = IF state = "seen" THEN voided ELSE voided + 1
  /\ told' = IF state = "seen" THEN told ELSE told + 1
  /\ UNCHANGED <<booked, chain, said>>

-------------------- (* the world: the chain simulated in sim *) --------------------

Include ==  \* its transaction is in a block
  /\ chain \notin Settled
  /\ chain' = "mined" /\ said' = said \cup {"mined"}
  /\ UNCHANGED <<state, booked, voided, told>>

Revert ==  \* its transaction is sent again, the block notwithstanding
  /\ chain \notin Settled
  /\ chain' = "retrying" /\ said' = said \cup {"retrying"}
  /\ UNCHANGED <<state, booked, voided, told>>

Finalise ==
  /\ chain \notin Settled
  /\ chain' = "confirmed" /\ said' = said \cup {"confirmed"}
  /\ UNCHANGED <<state, booked, voided, told>>

Void ==
  /\ chain \notin Settled
  /\ chain' = "failed" /\ said' = said \cup {"failed"}
  /\ UNCHANGED <<state, booked, voided, told>>

----------------------------------------------------------------------------
Ours ==
  \/ Match
  \/ Mine
  \/ Retry
  \/ Confirm
  \/ Fail

World ==
  \/ Include
  \/ Revert
  \/ Finalise
  \/ Void

Closed == (state \in Settled) /\ UNCHANGED vars

Next == Ours \/ World \/ Closed

\* We read our trades again until they rest; and every trade has an end on chain.
Fairness == WF_vars(Confirm) /\ WF_vars(Fail) /\ WF_vars(Finalise \/ Void)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Money: what was booked is booked once, taken back once, and never before.
BookedOnce         == (booked <= 1) /\ (voided <= booked)
SeenIsUntouched    == (state = "seen") => ((booked = 0) /\ (told = 0))
BookedUntilItFails == (state \in {"matched", "mined", "retrying", "confirmed"}) => (booked - voided = 1)
FailedHoldsNothing == (state = "failed") => (booked = voided)
ToldOnce           == told = (IF (state \in Settled) /\ (booked = 1) THEN 1 ELSE 0)

\* Belief: only what was said, and at rest only what is.
OnlyWhatWasSaid == (state # "seen") => (state \in said)
RestIsTrue      == (state \in Settled) => (state = chain)

\* The world: the chain is where it last said it is, and never said another end.
EndsAreTrue == (chain \in said) /\ ((said \cap Settled) \subseteq {chain})

NothingIllegal ==
  state \notin Settled =>
    /\ ENABLED Match
    /\ ("mined" \in said)     => ENABLED Mine
    /\ ("retrying" \in said)  => ENABLED Retry
    /\ ("confirmed" \in said) => ENABLED Confirm
    /\ ("failed" \in said)    => ENABLED Fail

\* Steps.
SettledForGood   == [][(state \in Settled) => UNCHANGED ours]_vars
ChainEndsForGood == [][(chain \in Settled) => UNCHANGED chain]_vars
NothingUnsaid    == [][said \subseteq said']_vars
MinedStaysMined  == [][((state = "mined") /\ Match) => (state' = "mined")]_vars

\* Liveness: every match ends, and its money is what the chain made of it.
EveryMatchSettles == (booked = 1) ~> (state \in Settled)
EveryTradeEnds    == <>[]((state = chain) /\ (state \in Settled))

\* Witnesses: each must be VIOLATED.
NeverFailedUnbooked == ~((state = "failed") /\ (booked = 0))
NeverVoided         == voided = 0
NeverBackwards      == ~((state = "matched") /\ (chain = "mined"))
NeverEndUnheard     == ~((state = "seen") /\ (chain = "confirmed"))
============================================================================
