------------------------------- MODULE Engine -------------------------------
(***************************************************************************)
(* How the machines play together: orders, the risk limit, the kill, and   *)
(* the lease, through crash, restart and failover.  A composition without  *)
(* a machine of its own: Order and Lease are here by what their own        *)
(* specifications prove of them.                                           *)
(*                                                                         *)
(* An order is what its leader believes (none, reserved, journaled, live,  *)
(* closed) and what the exchange has; in between are copies of its one     *)
(* signed payload, which outlive whoever sent them.  The journal is all    *)
(* that a crash leaves.  Every process that leads has an epoch; memory is  *)
(* the newest one's, because an older one can do nothing that it had not   *)
(* begun: its appends are refused (here), and its deadline came before the *)
(* newer epoch (Lease).                                                    *)
(*                                                                         *)
(* Not here: prices, partial fills, answers of the exchange and what they  *)
(* prove (Order: here an order is only read), cancels, which shorten what  *)
(* expires anyway, and how the lease is won (Lease).                       *)
(***************************************************************************)
EXTENDS Integers, FiniteSets

CONSTANTS
  Intents,  \* how many orders are intended
  Epochs,   \* how often somebody takes over
  Copies,   \* how many copies of a payload are under way at most
  Limit     \* the highest limit on orders that may cost money at a time
ASSUME (Intents > 0) /\ (Epochs > 0) /\ (Copies > 0) /\ (Limit > 0)

VARIABLES
  state,    \* ours:  what the leader is doing; "down": there is none
  belief,   \* ours:  what the leader believes of each order: memory
  journal,  \* ours:  what is durable of each order
  booked,   \* ours:  how often the fill of each order was booked: durable
  killed,   \* ours:  whether the kill was thrown: durable
  epoch,    \* world: the store's epoch
  append,   \* world: under which epoch an intent is on its way to the journal, 0: it is not
  copies,   \* world: copies of each payload that were let out and not arrived
  venue,    \* world: what the exchange has of each order
  made,     \* world: how many orders the exchange ever made of each payload
  dead,     \* world: whether the payload has expired
  limit     \* world: how many orders may cost money at a time

ours  == <<state, belief, journal, booked, killed>>
world == <<epoch, append, copies, venue, made, dead, limit>>
vars  == <<ours, world>>

Orders   == 1..Intents
States   == {"down", "recovering", "running"}
Beliefs  == {"none", "unpolled", "reserved", "journaled", "live", "closed"}
Journals == {"none", "journaled", "closed"}
Venues   == {"none", "live", "filled", "gone"}

Open == {"unpolled", "reserved", "journaled", "live"}

TypeOK ==
  /\ state \in States
  /\ belief \in [Orders -> Beliefs]
  /\ journal \in [Orders -> Journals]
  /\ booked \in [Orders -> 0..1]
  /\ killed \in BOOLEAN
  /\ epoch \in 0..Epochs
  /\ append \in [Orders -> 0..Epochs]
  /\ copies \in [Orders -> 0..Copies]
  /\ venue \in [Orders -> Venues]
  /\ made \in [Orders -> 0..1]
  /\ dead \in [Orders -> BOOLEAN]
  /\ limit \in 1..Limit

Init ==
  /\ state = "down" /\ killed = FALSE /\ epoch = 0
  /\ belief = [o \in Orders |-> "none"] /\ journal = [o \in Orders |-> "none"]
  /\ booked = [o \in Orders |-> 0]
  /\ append = [o \in Orders |-> 0] /\ copies = [o \in Orders |-> 0]
  /\ venue = [o \in Orders |-> "none"] /\ made = [o \in Orders |-> 0]
  /\ dead = [o \in Orders |-> FALSE]
  /\ limit \in 1..Limit

\* What the leader reckons with: all that may cost money, or has.
Used == {o \in Orders : (belief[o] \in Open) \/ (booked[o] > 0)}
Room == Cardinality(Used) < limit

\* What was proven of an order by reading it.
Over(o) ==
  \/ venue[o] = "gone"
  \/ (venue[o] = "filled") /\ (booked[o] > 0)
  \/ (venue[o] = "none") /\ dead[o]

Reading(o) == belief[o] \in {"unpolled", "journaled", "live"}

memory  == <<state, belief>>
durable == <<journal, booked, killed>>
outside == <<copies, venue, made, dead, limit>>

----------------------------- (* the machine *) -----------------------------

\* What is not journaled was not done; what is may be anywhere.
Memory == [o \in Orders |->
  CASE journal[o] = "none" -> "none"
    [] journal[o] = "journaled" -> "unpolled"
    [] journal[o] = "closed" -> "closed"]

\* After a crash, or from one that lives and may not know it yet.
TakeOver ==
  /\ epoch < Epochs
  /\ state' = "recovering" /\ belief' = Memory
  /\ epoch' = epoch + 1
  /\ UNCHANGED <<durable, append, outside>>

Recovered ==
  /\ state = "recovering"
  /\ \A o \in Orders : belief[o] # "unpolled"
  /\ state' = "running"
  /\ UNCHANGED <<belief, durable, world>>

Reserve(o) ==
  /\ state = "running"
  /\ ~killed
  /\ (belief[o] = "none") /\ (append[o] = 0)
  /\ Room
  /\ belief' = [belief EXCEPT ![o] = "reserved"]
  /\ append' = [append EXCEPT ![o] = epoch]
  /\ UNCHANGED <<state, durable, epoch, outside>>

Journaled(o) ==
  /\ belief[o] = "reserved"
  /\ journal[o] = "journaled"
  /\ belief' = [belief EXCEPT ![o] = "journaled"]
  /\ UNCHANGED <<state, durable, world>>

\* First or again: the same bytes.  The kill is looked at once more, at the socket.
Send(o) ==
  /\ state = "running"
  /\ ~killed
  /\ belief[o] = "journaled"
  /\ copies[o] < Copies
  /\ copies' = [copies EXCEPT ![o] = @ + 1]
  /\ UNCHANGED <<ours, epoch, append, venue, made, dead, limit>>

SeeLive(o) ==
  /\ Reading(o) /\ (venue[o] = "live")
  /\ belief' = [belief EXCEPT ![o] = "live"]
  /\ UNCHANGED <<state, durable, world>>

\* Not there, or said not to be: it may still come, or have come.
SeeMissing(o) ==
  /\ belief[o] = "unpolled"
  /\ belief' = [belief EXCEPT ![o] = "journaled"]
  /\ UNCHANGED <<state, durable, world>>

Book(o) ==
  /\ Reading(o) /\ (venue[o] = "filled") /\ (booked[o] = 0)
  /\ booked' = [booked EXCEPT ![o] = @ + 1]
  /\ UNCHANGED <<memory, journal, killed, world>>

Close(o) ==
  /\ Reading(o) /\ Over(o)
  /\ belief' = [belief EXCEPT ![o] = "closed"]
  /\ journal' = [journal EXCEPT ![o] = "closed"]
  /\ UNCHANGED <<state, booked, killed, world>>

Kill ==
  /\ killed' = TRUE
  /\ UNCHANGED <<memory, journal, booked, world>>

------------- (* the world: the store, the exchange, crashes, and time *) -------------

Append(o) ==
  /\ (append[o] > 0) /\ (append[o] = epoch)
  /\ append' = [append EXCEPT ![o] = 0]
  /\ journal' = [journal EXCEPT ![o] = "journaled"]
  /\ UNCHANGED <<memory, booked, killed, epoch, outside>>

Fence(o) ==
  /\ append[o] \in 1..(epoch - 1)
  /\ append' = [append EXCEPT ![o] = 0]
  /\ UNCHANGED <<ours, epoch, outside>>

\* A deposed leader that has not noticed.
AskStale(o) ==
  /\ epoch > 1
  /\ (journal[o] = "none") /\ (append[o] = 0)
  /\ append' = [append EXCEPT ![o] = epoch - 1]
  /\ UNCHANGED <<ours, epoch, outside>>

Crash ==
  /\ epoch < Epochs
  /\ state' = "down" /\ belief' = [o \in Orders |-> "none"]
  /\ UNCHANGED <<durable, world>>

\* The exchange knows a payload by its digest: it makes one order of all copies.
Accept(o) ==
  /\ copies[o] > 0
  /\ (venue[o] = "none") /\ ~dead[o]
  /\ copies' = [copies EXCEPT ![o] = @ - 1]
  /\ venue' = [venue EXCEPT ![o] = "live"]
  /\ made' = [made EXCEPT ![o] = @ + 1]
  /\ UNCHANGED <<ours, epoch, append, dead, limit>>

Lose(o) ==  \* on the way, or refused, as late, as known, for any reason
  /\ copies[o] > 0
  /\ copies' = [copies EXCEPT ![o] = @ - 1]
  /\ UNCHANGED <<ours, epoch, append, venue, made, dead, limit>>

Fill(o) ==
  /\ venue[o] = "live"
  /\ venue' = [venue EXCEPT ![o] = "filled"]
  /\ UNCHANGED <<ours, epoch, append, copies, made, dead, limit>>

Remove(o) ==  \* withdrawn, or expired
  /\ venue[o] = "live"
  /\ venue' = [venue EXCEPT ![o] = "gone"]
  /\ UNCHANGED <<ours, epoch, append, copies, made, dead, limit>>

Expire(o) ==
  /\ journal[o] # "none"
  /\ dead' = [dead EXCEPT ![o] = TRUE]
  /\ UNCHANGED <<ours, epoch, append, copies, venue, made, limit>>

----------------------------------------------------------------------------
Ours ==
  \/ TakeOver
  \/ Recovered
  \/ \E o \in 1..Intents : Reserve(o)
  \/ \E o \in 1..Intents : Journaled(o)
  \/ \E o \in 1..Intents : Send(o)
  \/ \E o \in 1..Intents : SeeLive(o)
  \/ \E o \in 1..Intents : SeeMissing(o)
  \/ \E o \in 1..Intents : Book(o)
  \/ \E o \in 1..Intents : Close(o)
  \/ Kill

World ==
  \/ \E o \in 1..Intents : Append(o)
  \/ \E o \in 1..Intents : Fence(o)
  \/ \E o \in 1..Intents : AskStale(o)
  \/ Crash
  \/ \E o \in 1..Intents : Accept(o)
  \/ \E o \in 1..Intents : Lose(o)
  \/ \E o \in 1..Intents : Fill(o)
  \/ \E o \in 1..Intents : Remove(o)
  \/ \E o \in 1..Intents : Expire(o)

Next == Ours \/ World

Read(o) == SeeLive(o) \/ SeeMissing(o) \/ Book(o) \/ Close(o)

\* We start again, ask and read; what has an end comes to it.
Fairness ==
  /\ WF_vars((state = "down") /\ TakeOver)
  /\ WF_vars(Recovered)
  /\ \A o \in Orders : WF_vars(Journaled(o))
  /\ \A o \in Orders : WF_vars(Read(o))
  /\ \A o \in Orders : WF_vars(Expire(o))
  /\ \A o \in Orders : WF_vars(Remove(o))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Safety.

\* What may still become an order, whoever let it out.
Landable(o) == (copies[o] > 0) /\ (venue[o] = "none") /\ ~dead[o]
RiskLimit ==
  Cardinality({o \in Orders : (venue[o] \in {"live", "filled"}) \/ Landable(o)}) <= limit

NoSecondOrder == \A o \in Orders : made[o] <= 1
JournalFirst  == \A o \in Orders : ((copies[o] > 0) \/ (venue[o] # "none")) => (journal[o] # "none")
BookedOnce    == \A o \in Orders : (booked[o] > 0) => ((booked[o] = 1) /\ (venue[o] = "filled"))
NoneLost      == \A o \in Orders : (journal[o] = "closed") => Over(o)

\* The leader knows every order that the journal has, and none besides.
LeaderKnows ==
  (state # "down") => \A o \in Orders :
    /\ (journal[o] = "journaled") => (belief[o] \in Open)
    /\ (journal[o] = "closed") <=> (belief[o] = "closed")
    /\ (belief[o] \in {"unpolled", "journaled", "live"}) => (journal[o] = "journaled")
LiveIsTrue == \A o \in Orders : (belief[o] = "live") => (venue[o] # "none")
AllPolled  == (state = "running") => \A o \in Orders : belief[o] # "unpolled"
DownKnowsNothing == (state = "down") => \A o \in Orders : belief[o] = "none"
MadeIsThere == \A o \in Orders : (made[o] > 0) <=> (venue[o] # "none")
OnlyJournaledExpires == \A o \in Orders : dead[o] => (journal[o] # "none")

\* Steps.
Sent(o) == copies'[o] > copies[o]
Asked(o) == (append'[o] # append[o]) /\ (append'[o] > 0)

KillStays  == [][killed => killed']_vars
KillGate   == [][killed => \A o \in Orders : ~Sent(o)]_vars
KillIntent == [][killed => \A o \in Orders : ~(Asked(o) /\ (append'[o] = epoch))]_vars
PolledFirst ==
  [][(\E o \in Orders : belief[o] = "unpolled") => \A o \in Orders :
       ~(Asked(o) /\ (append'[o] = epoch)) /\ (Sent(o) => (state = "running"))]_vars
\* Whoever takes over believes of nothing that was journaled that it was read.
NothingTrusted ==
  [][(epoch' # epoch) =>
       \A o \in Orders : (journal[o] = "journaled") => (belief'[o] = "unpolled")]_vars
EpochsGrow == [][(epoch' = epoch) \/ ((epoch' = epoch + 1) /\ (state' = "recovering"))]_vars
StaleIsRefused ==
  [][\A o \in Orders : ((journal[o] = "none") /\ (journal'[o] # "none")) => (append[o] = epoch)]_vars
AskedOnce ==
  [][\A o \in Orders : Asked(o) => ((journal[o] = "none") /\ (append[o] = 0)
       /\ ((append'[o] = epoch) => (belief[o] = "none")))]_vars
OnlyItsLeaderBooks == [][\A o \in Orders : (booked'[o] # booked[o]) => (belief[o] \in Open)]_vars
NoneDropped ==
  [][\A o \in Orders : ((append[o] > 0) /\ (append[o] = epoch) /\ (append'[o] # append[o])) =>
       (journal'[o] = "journaled")]_vars
ClosedForGood == [][\A o \in Orders : (journal[o] = "closed") => (journal'[o] = "closed")]_vars

\* Liveness.
KillQuiesces == killed ~> [](\A o \in Orders : (venue[o] # "live") /\ ~Landable(o))
IntentsEnd   == \A o \in Orders : (journal[o] = "journaled") ~> (journal[o] = "closed")
LeadsAgain   == (state = "down") ~> (state # "down")
Recovers     == (state = "recovering") ~> (state # "recovering")

\* Witnesses: each must be VIOLATED.
NeverLateCopy      == ~((epoch > 1) /\ (state = "running") /\ (\E o \in Orders : (belief[o] = "closed") /\ (copies[o] > 0)))
NeverKilledAlive   == ~(killed /\ (\E o \in Orders : (venue[o] = "live") /\ (belief[o] = "none")))
NeverUnknownFilled == ~((state = "recovering") /\ (\E o \in Orders : (venue[o] = "filled") /\ (booked[o] = 0)))
NeverBothOpen      == ~(\A o \in Orders : venue[o] = "live")
=============================================================================
