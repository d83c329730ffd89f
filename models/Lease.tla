------------------------------- MODULE Lease -------------------------------
(***************************************************************************)
(* Who may write the journal: one process's view of the lease.             *)
(* Mirrors polybawt/core/machines/lease.py.                                *)
(*                                                                         *)
(* The world is the store, which gives the lease to one process at a time, *)
(* each time under a new epoch, and refuses an append whose epoch is not   *)
(* the newest; a rival, which is every other process, our own successor    *)
(* included, and never looks at a clock; and an exchange, which knows      *)
(* nothing of epochs and takes whatever payload somebody still holds.  A   *)
(* process may be paused between any two steps, and crash by taking none.  *)
(* Requests and answers may be late or lost.  An order stands for all that *)
(* is written under an epoch, and is called by it.                         *)
(*                                                                         *)
(* Not here: clocks that run apart (the margin, which is kept, is for      *)
(* that), several orders under one epoch (Engine), what a store does that  *)
(* loses what it acknowledged, and a request that the store gets to after  *)
(* its sender gave it up, which is as if its answer had been lost.         *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Epochs,  \* how often the lease is given at most
  Ttl,     \* how long it is given for
  Margin,  \* how much earlier its holder stops
  Limit    \* how many orders may be exposed
ASSUME (Margin \in Nat \ {0}) /\ (Ttl > Margin) /\ (Limit \in Nat \ {0})

VARIABLES
  state,    \* ours:  what the machine believes
  mine,     \* ours:  the epoch that was given to us, 0: none
  asking,   \* ours:  whether a request of ours is unanswered
  sure,     \* world: how long it is until our own deadline
  hope,     \* world: how long it would be, were the request granted now; 0: nothing asked
  call,     \* world: our request, at the store or answered
  reading,  \* world: whether somebody reads for us what was journaled before
  offer,    \* world: the epoch in an answer on its way to us, 0: none
  newest,   \* world: the store's epoch
  left,     \* world: how long it is until the store gives the lease to another
  theirs,   \* world: the last epoch that the rival was given, 0: none
  order,    \* world: what became of what was written under each epoch
  counted   \* world: the orders that we count as exposed

ours  == <<state, mine, asking>>
world == <<sure, hope, call, reading, offer, newest, left, theirs, order, counted>>
vars  == <<ours, world>>

States == {"standby", "acquiring", "taking_over", "leading", "lapsed", "deposed", "released"}
Calls  == {"none", "asked", "yes", "no", "release"}
Lives  == {"none", "asked", "refused", "journaled", "live", "over"}
Orders == 1..Epochs
Term   == Ttl - Margin  \* what a grant is worth when it was asked for just now

Holding == {"taking_over", "leading"}
Ended   == {"deposed", "released"}
Exposed == {e \in Orders : order[e] \in {"journaled", "live"}}
Turned  == {e \in Orders : order[e] = "refused"}

TypeOK ==
  /\ state \in States
  /\ (mine \in 0..newest) /\ (offer \in 0..newest) /\ (theirs \in 0..newest)
  /\ asking \in BOOLEAN
  /\ (sure \in 0..Term) /\ (hope \in 0..Term)
  /\ (call \in Calls) /\ (reading \in BOOLEAN)
  /\ newest \in 0..Epochs
  /\ left \in 0..Ttl
  /\ order \in [Orders -> Lives]
  /\ counted \in SUBSET Orders

Init ==
  /\ state = "standby" /\ mine = 0 /\ asking = FALSE
  /\ sure = 0 /\ hope = 0
  /\ call = "none" /\ reading = FALSE /\ offer = 0
  /\ newest = 0 /\ left = 0 /\ theirs = 0
  /\ order = [e \in Orders |-> "none"] /\ counted = {}

\* Guards.
Asked   == asking
Unasked == ~asking
Newer   == offer > mine
InTime  == hope > 0
RunOut  == sure = 0

\* may_trade(lease, now_ns): what is asked before something new is written.
MayTrade == (state = "leading") /\ (sure > 0)

clocks == <<sure, hope>>
store  == <<newest, left, theirs>>
orders == <<order, counted>>

----------------------------- (* the machine *) -----------------------------

Acquire ==
  /\ state = "standby"
  /\ state' = "acquiring"
  /\ asking' = TRUE
  /\ hope' = Term
  /\ call' = "asked"
  /\ UNCHANGED <<mine, sure, reading, offer, store, orders>>

\* The epoch is the answer's.  One that comes too late is let run out.
Grant ==
  /\ state = "acquiring"
  /\ Newer
  /\ IF InTime
       THEN (state' = "taking_over") /\ (mine' = offer) /\ (sure' = hope) /\ (reading' = TRUE)
       ELSE (state' = "standby") /\ UNCHANGED <<mine, sure, reading>>
  /\ asking' = FALSE /\ hope' = 0
  /\ call' = "none" /\ offer' = 0
  /\ UNCHANGED <<store, orders>>

\* Another has the lease; or ours is not the newest epoch any more.
Refuse ==
  /\ call = "no"
  /\ state \in ({"acquiring", "lapsed"} \cup Holding)
  /\ state' = IF state = "acquiring" THEN "standby" ELSE "deposed"
  /\ asking' = FALSE /\ hope' = 0
  /\ call' = "none" /\ reading' = FALSE /\ counted' = {}
  /\ UNCHANGED <<mine, sure, offer, store, order>>

Timeout ==
  /\ state \in ({"acquiring", "lapsed"} \cup Holding)
  /\ Asked
  /\ state' = IF state = "acquiring" THEN "standby" ELSE state
  /\ asking' = FALSE /\ hope' = 0
  /\ call' = "none" /\ offer' = 0
  /\ UNCHANGED <<mine, sure, reading, store, orders>>

\* All that was journaled before is known, and counted as exposed until it is proven not to be.
TakenOver ==
  /\ reading
  /\ state \in {"taking_over", "lapsed"}
  /\ IF state = "taking_over"
       THEN (state' = "leading") /\ (counted' = counted \cup Exposed)
       ELSE UNCHANGED <<state, counted>>
  /\ reading' = FALSE
  /\ UNCHANGED <<mine, asking, clocks, call, offer, store, order>>

Renew ==
  /\ state \in ({"lapsed"} \cup Holding)
  /\ Unasked
  /\ asking' = TRUE
  /\ hope' = Term
  /\ call' = "asked"
  /\ UNCHANGED <<state, mine, sure, reading, offer, store, orders>>

\* One that comes too late makes a deadline that has passed.
Renewed ==
  /\ call = "yes"
  /\ state \in ({"lapsed"} \cup Holding)
  /\ Asked
  /\ IF (state = "lapsed") /\ InTime
       THEN (state' = "taking_over") /\ (reading' = TRUE)
       ELSE UNCHANGED <<state, reading>>
  /\ sure' = hope
  /\ asking' = FALSE /\ hope' = 0
  /\ call' = "none"
  /\ UNCHANGED <<mine, offer, store, orders>>

Lapse ==
  /\ state \in Holding
  /\ RunOut
  /\ state' = "lapsed"
  /\ UNCHANGED <<mine, asking, world>>

\* An append of ours was refused: there is a newer epoch.
Fenced ==
  /\ mine \in Turned
  /\ state \in ({"lapsed"} \cup Holding)
  /\ state' = "deposed"
  /\ asking' = FALSE /\ hope' = 0
  /\ call' = "none" /\ reading' = FALSE /\ counted' = {}
  /\ UNCHANGED <<mine, sure, offer, store, order>>

Release ==
  /\ state \in ({"lapsed"} \cup Holding)
  /\ state' = "released"
  /\ asking' = FALSE /\ sure' = 0 /\ hope' = 0
  /\ call' = "release" /\ reading' = FALSE /\ counted' = {}
  /\ UNCHANGED <<mine, offer, store, order>>

---------- (* the world: the store, the rival, the exchange, and time *) ----------

\* The store: compare and set.  What asks under no epoch wants a new one.
Give ==
  /\ (call = "asked") /\ (mine = 0)
  /\ (left = 0) /\ (newest < Epochs)
  /\ newest' = newest + 1 /\ left' = Ttl
  /\ call' = "yes" /\ offer' = newest + 1
  /\ UNCHANGED <<ours, clocks, reading, theirs, orders>>

Prolong ==
  /\ (call = "asked") /\ (mine > 0) /\ (mine = newest)
  /\ left' = Ttl
  /\ call' = "yes"
  /\ UNCHANGED <<ours, clocks, reading, offer, newest, theirs, orders>>

Deny ==
  /\ call = "asked"
  /\ IF mine = 0 THEN left > 0 ELSE mine # newest
  /\ call' = "no"
  /\ UNCHANGED <<ours, clocks, reading, offer, store, orders>>

Free ==
  /\ (call = "release") /\ (mine = newest)
  /\ left' = 0
  /\ call' = "none"
  /\ UNCHANGED <<ours, clocks, reading, offer, newest, theirs, orders>>

\* The fence: the epoch is looked at in the transaction that writes.
Append(e) ==
  /\ (order[e] = "asked") /\ (e = newest)
  /\ order' = [order EXCEPT ![e] = "journaled"]
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, counted>>

Fence(e) ==
  /\ (order[e] = "asked") /\ (e # newest)
  /\ order' = [order EXCEPT ![e] = "refused"]
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, counted>>

\* The rival, by what the store sees of it.
Take ==
  /\ (left = 0) /\ (newest < Epochs)
  /\ newest' = newest + 1 /\ left' = Ttl /\ theirs' = newest + 1
  /\ UNCHANGED <<ours, clocks, call, reading, offer, orders>>

Keep ==
  /\ (theirs > 0) /\ (theirs = newest)
  /\ left' = Ttl
  /\ UNCHANGED <<ours, clocks, call, reading, offer, newest, theirs, orders>>

Leave ==
  /\ theirs = newest
  /\ left' = 0
  /\ UNCHANGED <<ours, clocks, call, reading, offer, newest, theirs, orders>>

Compete ==  \* it counts as we do, and has just looked; but not at its lease
  /\ (theirs > 0) /\ (order[theirs] = "none")
  /\ Cardinality(Exposed) < Limit
  /\ order' = [order EXCEPT ![theirs] = "asked"]
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, counted>>

\* The rest of our process.
Write ==
  /\ MayTrade
  /\ (order[mine] = "none") /\ (Cardinality(counted) < Limit)
  /\ order' = [order EXCEPT ![mine] = "asked"]
  /\ counted' = counted \cup {mine}
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store>>

Learn(e) ==
  /\ (e \in counted) /\ (order[e] = "over")
  /\ counted' = counted \ {e}
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, order>>

\* Whoever holds a journaled payload may push it, however long it was paused.
Push(e) ==
  /\ order[e] = "journaled"
  /\ order' = [order EXCEPT ![e] = "live"]
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, counted>>

End(e) ==  \* filled, withdrawn, or past its expiration, sent or not
  /\ order[e] \in {"journaled", "live"}
  /\ order' = [order EXCEPT ![e] = "over"]
  /\ UNCHANGED <<ours, clocks, call, reading, offer, store, counted>>

Less(ticks) == IF ticks = 0 THEN 0 ELSE ticks - 1

Tick ==
  /\ left' = Less(left) /\ sure' = Less(sure) /\ hope' = Less(hope)
  /\ UNCHANGED <<ours, call, reading, offer, newest, theirs, orders>>

----------------------------------------------------------------------------
Ours ==
  \/ Acquire
  \/ Grant
  \/ Refuse
  \/ Timeout
  \/ TakenOver
  \/ Renew
  \/ Renewed
  \/ Lapse
  \/ Fenced
  \/ Release

World ==
  \/ Give
  \/ Prolong
  \/ Deny
  \/ Free
  \/ \E e \in 1..Epochs : Append(e)
  \/ \E e \in 1..Epochs - 1 : Fence(e)
  \/ Take
  \/ Keep
  \/ Leave
  \/ Compete
  \/ Write
  \/ \E e \in 1..Epochs : Learn(e)
  \/ \E e \in 1..Epochs : Push(e)
  \/ \E e \in 1..Epochs : End(e)
  \/ Tick

Next == Ours \/ World

\* Our own timers and questions; a store that answers when it is asked often enough; time.
Fairness ==
  /\ WF_vars(Acquire)
  /\ WF_vars(Renew)
  /\ WF_vars(TakenOver)
  /\ WF_vars(Timeout)
  /\ SF_vars(Give \/ Prolong \/ Deny)
  /\ SF_vars(Grant \/ Renewed \/ Refuse)
  /\ WF_vars(Tick)
  /\ \A e \in Orders : WF_vars(End(e))
  /\ \A e \in Orders : WF_vars(Learn(e))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Safety.

OneHolderPerEpoch ==
  /\ (theirs > 0) => ((theirs # mine) /\ (theirs # offer))
  /\ (offer > 0) => (offer # mine)

\* Until our own deadline nobody else can be given the lease, with a margin to spare.
DeadlineIsSafe ==
  (sure > 0) => ((mine = newest) /\ (left >= sure + Margin))
AnswerIsSafe ==
  ((call = "yes") /\ (hope > 0)) => ((newest \in {mine, offer}) /\ (left >= hope + Margin))

HoldersHaveAnEpoch == (mine > 0) <=> (state \in ({"lapsed"} \cup Holding \cup Ended))
LapsedIsPast   == (state = "lapsed") => (sure = 0)
OneRequest     ==
  /\ (state = "acquiring") => asking
  /\ (state = "standby") => ~asking
  /\ (hope > 0) => asking
  /\ (offer > 0) <=> ((call = "yes") /\ (state = "acquiring"))
  /\ (call = "release") => (state = "released")
  /\ asking <=> (call \in {"asked", "yes", "no"})
  /\ (state \in Ended) => ~asking

\* A no is never a guess.
DeposedIsTrue == ((state = "deposed") \/ ((call = "no") /\ (mine > 0))) => (mine < newest)
RefusedIsTrue == \A e \in Turned : e < newest
WrittenHasHolder == \A e \in Orders : (order[e] # "none") => (e \in {mine} \cup (1..theirs))

\* The leader knows every order of its predecessors that can still do something.
LeaderKnows == ((state = "leading") /\ (mine = newest)) => (Exposed \subseteq counted)
CountedIsWritten == \A e \in counted : order[e] \notin {"none"}
ExposureBound == Cardinality(Exposed) <= Limit

\* Whatever the world can say to a process that still runs has a transition.
NothingIllegal ==
  state \notin Ended =>
    /\ (offer > 0) => ENABLED Grant
    /\ ((call = "yes") /\ (offer = 0)) => ENABLED Renewed
    /\ (call = "no") => ENABLED Refuse
    /\ (call # "none") => ENABLED Timeout
    /\ reading => ENABLED TakenOver
    /\ (mine \in Turned) => ENABLED Fenced

\* Nobody answers what was not asked, or learns what it does not ask.
NothingUncalledFor ==
  /\ (ENABLED Timeout) => asking
  /\ reading => (state \in {"taking_over", "lapsed"})
  /\ \A e \in Orders : (ENABLED Learn(e)) => (e \in counted)

\* Steps.
InCharge == state \in ({"leading"} \cup Ended)
EpochsGrow == [][(newest' = newest) \/ ((newest' = newest + 1) /\ (left = 0))]_vars
OnlyItsHolderHasIt ==
  [][((newest' = newest) /\ (left' # left) /\ (left' # left - 1)) =>
       ((newest > 0) /\ (newest \in {mine, theirs}))]_vars
OnlyOurReleaseFrees ==
  [][((call = "release") /\ (call' = "none") /\ (left' # left)) => (mine = newest)]_vars
OneQuestionAtATime == [][(asking /\ asking') => (hope' <= hope)]_vars
StaleIsRefused ==
  [][\A e \in Orders : ((order[e] # order'[e]) /\ (order'[e] = "journaled")) =>
       ((order[e] = "asked") /\ (e = newest))]_vars
AskedInTime ==
  [][\A e \in Orders : ((order[e] # order'[e]) /\ (order'[e] = "asked")) =>
       ((order[e] = "none") /\ ((e = mine) => ((e = newest) /\ (left > Margin)))
          /\ (e \in {mine, theirs}))]_vars
JournalFirst ==
  [][\A e \in Orders : (order'[e] \in {"live", "over"}) =>
       (order[e] \in {"journaled", "live", "over"})]_vars
OverForGood ==
  [][\A e \in Orders : (order[e] \in {"over", "refused"}) => (order'[e] = order[e])]_vars
CountedUntilOver == [][\A e \in counted : (e \in counted') \/ (order[e] = "over") \/ (state' \in Ended)]_vars
LeadsUntilItRunsOut == [][(InCharge /\ ((sure > 0) \/ (state \in Ended))) => InCharge']_vars
EndedForGood == [][(state \in Ended) => (state' = state)]_vars
LeadsAfterTakingOver == [][((state' = "leading") /\ (state # "leading")) => (Exposed \subseteq counted')]_vars

\* Liveness.
AcquiringEnds     == (state = "acquiring") ~> (state # "acquiring")
EverythingSettles == \A e \in Orders : (order[e] = "journaled") ~> (order[e] = "over")
WhatIsOverIsLearnt ==
  \A e \in Orders : ((e \in counted) /\ (order[e] = "over")) ~> (e \notin counted)

\* While answers come in time, nobody else keeps the lease, and ours does not run out under us.
Healthy ==
  /\ (asking => (hope > 0))
  /\ (state \in Holding) => (sure > 0)
  /\ ~((theirs = newest) /\ (left > 0))
  /\ (newest < Epochs) \/ (mine = newest)
HealthyLeads == ~InCharge ~> (InCharge \/ ~Healthy)

\* Witnesses: each must be VIOLATED.
NeverStaleWrite   == mine \notin Turned
NeverPushedLate   == ~((state = "deposed") /\ (order[mine] = "live") /\ (newest = theirs))
NeverLedTwice     == ~((state = "leading") /\ (theirs > 0) /\ (counted \cap (1..theirs) # {}))
NeverGrantedUnheard == ~((newest > 0) /\ (theirs = 0) /\ (state = "standby"))
============================================================================
