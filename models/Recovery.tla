------------------------------ MODULE Recovery ------------------------------
(***************************************************************************)
(* The life of one engine session, from its start to its end.  Mirrors     *)
(* polybawt/core/machines/recovery.py.                                     *)
(*                                                                         *)
(* A process may die between any two steps; the next one takes over its    *)
(* journal, asks the venue about the account (read 0) and about every      *)
(* order that may be there (read o), and trades only when all of them are  *)
(* answered.  What it finds signed it never sends again: it asks until     *)
(* the order's end is proven.                                              *)
(*                                                                         *)
(* The world half is the engine around it (journal, signer, the lane in    *)
(* which what is to be sent waits, polls), the kill, a network that loses, *)
(* delays and repeats, and an exchange.  Only `disk', `booked', `kill' and *)
(* what is ours outlive the process: a fact is journaled before anything   *)
(* that follows from it is done.  What is between a death and the next     *)
(* start is nothing but our doing nothing.                                 *)
(*                                                                         *)
(* Not here: partial fills, cancels and answers that are untrue (Order),   *)
(* how the kill is reset and what it withdraws (KillSwitch), and two       *)
(* processes at once (Lease).                                              *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS Count, Lives, Limit
ASSUME (Count \in Nat \ {0}) /\ (Lives \in Nat \ {0}) /\ (Limit \in Nat)

VARIABLES
  state,    \* ours:    starting, reconciling, trading, stopping or stopped
  life,     \* ours:    which process of this journal it is
  awaited,  \* ours:    the reads that trading waits for
  late,     \* engine:  which of those that are lost were asked for long ago
  lost,     \* network: of which of them neither question nor answer is under way
  overdue,  \* engine:  it has been stopping for too long
  doubt,    \* engine:  what nothing was heard about since the start
  disk,     \* engine:  what the journal says of each order
  booked,   \* engine:  how often its fill was booked
  held,     \* engine:  it waits in our process for its turn at the socket
  kill,     \* engine:  nothing may leave any more
  wire,     \* network: its bytes never left, are on their way, or were
  venue,    \* venue:   what it really is there
  past      \* both:    its expiration has passed

ours  == <<state, life, awaited>>
world == <<late, lost, overdue, doubt, disk, booked, held, kill, wire, venue, past>>
vars  == <<ours, world>>

States == {"starting", "reconciling", "trading", "stopping", "stopped"}
Orders == 1..Count
Reads  == 0..Count
Epochs == 1..Lives

TypeOK ==
  /\ state \in States
  /\ life \in 0..Lives
  /\ awaited \subseteq Reads
  /\ late \subseteq Reads
  /\ lost \subseteq Reads
  /\ overdue \in BOOLEAN
  /\ doubt \subseteq Reads
  /\ disk \in [Orders -> {"none", "intent", "open", "ended"}]
  /\ booked \in [Orders -> 0..1]
  /\ held \in [Orders -> BOOLEAN]
  /\ kill \in BOOLEAN
  /\ wire \in [Orders -> {"none", "sent", "gone", "refused"}]
  /\ venue \in [Orders -> {"none", "rests", "filled", "over"}]
  /\ past \in [Orders -> BOOLEAN]

Init ==
  /\ state = "starting" /\ life = 0 /\ awaited = {}
  /\ late = {} /\ lost = {} /\ overdue = FALSE /\ doubt = {} /\ kill = FALSE
  /\ disk = [o \in Orders |-> "none"]
  /\ booked = [o \in Orders |-> 0]
  /\ held = [o \in Orders |-> FALSE]
  /\ wire = [o \in Orders |-> "none"]
  /\ venue = [o \in Orders |-> "none"]
  /\ past = [o \in Orders |-> FALSE]

\* What a start has to ask about.
Unsure == {0} \cup {o \in Orders : disk[o] = "open"}
AllEnded == \A o \in Orders : disk[o] \in {"none", "ended"}
\* May an order leave?  Asked when it is wanted, when it is signed, and at the socket.
Gate == (state = "trading") /\ ~kill
\* What an order may cost us counts from the intent until its end is proven; what was bought, on.
Room == Cardinality({o \in Orders : (disk[o] \in {"intent", "open"}) \/ (booked[o] > 0)}) < Limit
Running == state # "stopped"

\* Guards.
Newer(epoch) == epoch > life
AllArrived(read) == (awaited \ {read}) = {}
Late(read) == read \in late
MayLeave == IF AllEnded THEN TRUE ELSE overdue

----------------------------- (* the machine *) -----------------------------

Start(epoch) ==  \* the process died, whenever; another one takes over what was journaled
  /\ Newer(epoch)
  /\ state' = "reconciling"
  /\ life' = epoch
  /\ awaited' = Unsure
  /\ late' = {}
  /\ lost' = {}
  /\ doubt' = Unsure
  /\ overdue' = FALSE
  /\ disk' = [o \in Orders |-> IF disk[o] = "intent" THEN "ended" ELSE disk[o]]
  /\ held' = [o \in Orders |-> FALSE]
  /\ wire' = [o \in Orders |-> IF wire[o] = "refused" THEN "gone" ELSE wire[o]]
  /\ UNCHANGED <<booked, kill, venue, past>>

Arrive(read) ==  \* an answer may come late, twice, or to another question
  /\ read \notin lost
  /\ state' = IF (state = "reconciling") /\ AllArrived(read) THEN "trading" ELSE state
  /\ awaited' = awaited \ {read}
  /\ doubt' = doubt \ {read}
  /\ UNCHANGED <<life, late, lost, overdue, disk, booked, held, kill, wire, venue, past>>

Ask(read) ==
  /\ state = "reconciling"
  /\ Late(read)
  /\ late' = late \ {read}
  /\ lost' = lost \ {read}
  /\ UNCHANGED <<ours, overdue, doubt, disk, booked, held, kill, wire, venue, past>>

Stop ==
  /\ state' = IF state = "stopped" THEN state ELSE "stopping"
  /\ UNCHANGED <<life, awaited, world>>

Rest ==
  /\ state = "stopping"
  /\ MayLeave
  /\ state' = "stopped"
  /\ overdue' = FALSE
  /\ UNCHANGED <<life, awaited, late, lost, doubt, disk, booked, held, kill, wire, venue, past>>

------------- (* the world: the engine around it, network and venue *) -------------

Want(o) ==  \* intents are counted
  /\ Gate
  /\ disk[o] = "none"
  /\ \A before \in 1..(o - 1) : disk[before] # "none"
  /\ Room
  /\ disk' = [disk EXCEPT ![o] = "intent"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, held, kill, wire, venue, past>>

Sign(o) ==  \* identity and bytes are journaled, and only then handed to the lane
  /\ disk[o] = "intent"
  /\ Gate
  /\ disk' = [disk EXCEPT ![o] = "open"]
  /\ held' = [held EXCEPT ![o] = TRUE]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, kill, wire, venue, past>>

Abandon(o) ==  \* signed, and not sent after all
  /\ disk[o] = "intent"
  /\ ~Gate
  /\ Running
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, held, kill, wire, venue, past>>

Send(o) ==
  /\ held[o]
  /\ Gate
  /\ held' = [held EXCEPT ![o] = FALSE]
  /\ wire' = [wire EXCEPT ![o] = "sent"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, kill, venue, past>>

Halt(o) ==  \* at the socket: it never left, and we know it
  /\ held[o]
  /\ ~Gate
  /\ Running
  /\ held' = [held EXCEPT ![o] = FALSE]
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, kill, wire, venue, past>>

Repeat(o) ==  \* the same bytes again, for want of an answer; the answer to the first is lost
  /\ wire[o] \in {"gone", "refused"}
  /\ disk[o] = "open"
  /\ wire' = [wire EXCEPT ![o] = "sent"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, venue, past>>

Lose(o) ==  \* or recognised as known already
  /\ wire[o] = "sent"
  /\ wire' = [wire EXCEPT ![o] = "gone"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, venue, past>>

Accept(o) ==
  /\ wire[o] = "sent"
  /\ venue[o] = "none"
  /\ ~past[o]
  /\ wire' = [wire EXCEPT ![o] = "gone"]
  /\ venue' = [venue EXCEPT ![o] = "rests"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, past>>

Refuse(o) ==
  /\ wire[o] = "sent"
  /\ venue[o] = "none"
  /\ wire' = [wire EXCEPT ![o] = "refused"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, venue, past>>

Reject(o) ==  \* we hear the refusal
  /\ wire[o] = "refused"
  /\ Running
  /\ wire' = [wire EXCEPT ![o] = "gone"]
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, held, kill, venue, past>>

Match(o) ==
  /\ venue[o] = "rests"
  /\ venue' = [venue EXCEPT ![o] = "filled"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, wire, past>>

End(o) ==  \* cancelled
  /\ venue[o] = "rests"
  /\ venue' = [venue EXCEPT ![o] = "over"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, wire, past>>

Book(o) ==  \* a trade is told any number of times, and is booked once
  /\ venue[o] = "filled"
  /\ booked[o] = 0
  /\ Running
  /\ booked' = [booked EXCEPT ![o] = @ + 1]
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, held, kill, wire, venue, past>>

Close(o) ==  \* its record says that it is over
  /\ venue[o] = "over"
  /\ Running
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, held, kill, wire, venue, past>>

Miss(o) ==  \* there is no record of it, and none can come
  /\ disk[o] = "open"
  /\ venue[o] = "none"
  /\ past[o]
  /\ Running
  /\ disk' = [disk EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, booked, held, kill, wire, venue, past>>

Expire(o) ==  \* its expiration passes; of no consequence any more once it has ended
  /\ disk[o] \in {"intent", "open"}
  /\ past' = [past EXCEPT ![o] = TRUE]
  /\ venue' = [venue EXCEPT ![o] = IF @ = "rests" THEN "over" ELSE @]
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, kill, wire>>

Fail(read) ==  \* the question, or its answer, was lost; one that is slow is asked again in vain
  /\ read \in awaited
  /\ lost' = lost \cup {read}
  /\ UNCHANGED <<ours, late, overdue, doubt, disk, booked, held, kill, wire, venue, past>>

Wait(read) ==
  /\ read \in lost
  /\ late' = late \cup {read}
  /\ UNCHANGED <<ours, lost, overdue, doubt, disk, booked, held, kill, wire, venue, past>>

Tire ==
  /\ state = "stopping"
  /\ overdue' = TRUE
  /\ UNCHANGED <<ours, late, lost, doubt, disk, booked, held, kill, wire, venue, past>>

Fire ==
  /\ kill' = TRUE
  /\ UNCHANGED <<ours, late, lost, overdue, doubt, disk, booked, held, wire, venue, past>>

----------------------------------------------------------------------------
Ours ==
  \/ \E epoch \in Epochs : Start(epoch)
  \/ \E read \in Reads : Arrive(read)
  \/ \E read \in Reads : Ask(read)
  \/ Stop
  \/ Rest

World ==
  \/ \E o \in Orders : Want(o)
  \/ \E o \in Orders : Sign(o)
  \/ \E o \in Orders : Abandon(o)
  \/ \E o \in Orders : Send(o)
  \/ \E o \in Orders : Halt(o)
  \/ \E o \in Orders : Repeat(o)
  \/ \E o \in Orders : Lose(o)
  \/ \E o \in Orders : Accept(o)
  \/ \E o \in Orders : Refuse(o)
  \/ \E o \in Orders : Reject(o)
  \/ \E o \in Orders : Match(o)
  \/ \E o \in Orders : End(o)
  \/ \E o \in Orders : Book(o)
  \/ \E o \in Orders : Close(o)
  \/ \E o \in Orders : Miss(o)
  \/ \E o \in Orders : Expire(o)
  \/ \E read \in Reads : Fail(read)
  \/ \E read \in Reads : Wait(read)
  \/ Tire
  \/ Fire

Next == Ours \/ World

\* Ours: to look at the clock, to ask, to read what became of an order, to let what waits leave or
\* not.  The world's: time passes, and of questions that are asked again and again each is answered.
Fairness ==
  /\ WF_vars(Rest)
  /\ \A r \in Reads : WF_vars(Wait(r)) /\ WF_vars(Ask(r)) /\ SF_vars(Arrive(r))
  /\ \A o \in Orders :
       /\ WF_vars(Sign(o) \/ Abandon(o)) /\ WF_vars(Expire(o))
       /\ WF_vars(Book(o)) /\ WF_vars(Close(o)) /\ WF_vars(Miss(o))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* A copy of it may still become an order.
Landable(o) == (wire[o] = "sent") /\ (venue[o] = "none") /\ ~past[o]

JournalFirst == \A o \in Orders :
  ((wire[o] # "none") \/ (venue[o] # "none") \/ held[o]) => (disk[o] \in {"open", "ended"})
SentFirst    == \A o \in Orders : (venue[o] # "none") => (wire[o] \in {"sent", "gone"})
NoOrphan     == \A o \in Orders : (disk[o] = "ended") => ((venue[o] # "rests") /\ ~Landable(o))
PastIsOver   == \A o \in Orders : past[o] => (venue[o] # "rests")
BookedOnce   == \A o \in Orders : (booked[o] <= 1) /\ ((booked[o] = 1) => (venue[o] = "filled"))
NothingLost  == \A o \in Orders : ((disk[o] = "ended") /\ (venue[o] = "filled")) => (booked[o] = 1)
Capital      ==
  Cardinality({o \in Orders : (venue[o] \in {"rests", "filled"}) \/ Landable(o)}) <= Limit
NothingBeforeIntent == \A o \in Orders : (disk[o] = "none") => ~past[o]
IntentsAreCounted ==
  \A o \in Orders : (disk[o] # "none") => (\A before \in 1..(o - 1) : disk[before] # "none")
TradingIsAgreed  == (state = "trading") => (awaited = {})
LateIsLost       == (late \subseteq lost) /\ (lost \subseteq awaited)
DoubtIsAwaited   == doubt = awaited
OverdueIsStopping == overdue => (state = "stopping")

\* Whatever can happen to us has a transition.
NothingIllegal ==
  /\ (life < Lives) => ENABLED Start(life + 1)
  /\ \A r \in Reads : (r \notin lost) => ENABLED Arrive(r)
  /\ ENABLED Stop

\* Steps.
NothingWantedInDoubt ==  \* neither about the account nor about any order of an earlier life
  [][\A o \in Orders : ((disk[o] # "intent") /\ (disk'[o] = "intent")) => (Gate /\ (doubt = {}))]_vars
NothingSignedShut ==
  [][\A o \in Orders : ((disk[o] # "open") /\ (disk'[o] = "open")) => Gate]_vars
NothingLeavesShut ==  \* of the kill: also across a crash, for it is in the journal
  [][\A o \in Orders : ((wire[o] = "none") /\ (wire'[o] # "none")) => Gate]_vars
NothingSentAgain ==  \* by us: what a start finds, it asks about
  [][\A o \in Orders : ~held[o] /\ (disk[o] # "intent") => ~held'[o]]_vars
LivesOnlyGrow == [][((state # "reconciling") /\ (state' = "reconciling")) => (life' > life)]_vars
TradesOnceAgreed ==
  [][((state # "trading") /\ (state' = "trading")) => ((state = "reconciling") /\ (doubt' = {}))]_vars
HearsWhatIsUnderWay == [][\A r \in (awaited \ awaited') : r \notin lost]_vars
AsksAgainInTime ==
  [][\A r \in (lost \ lost') : ((r \in late) /\ (state = "reconciling")) \/ (life' > life)]_vars
StopsQuietOrLate ==
  [][((state # "stopped") /\ (state' = "stopped")) => ((state = "stopping") /\ (AllEnded \/ overdue))]_vars
StoppedIsStill ==
  [][((state = "stopped") /\ (state' = "stopped")) => UNCHANGED <<disk, booked, held>>]_vars
JournalGoesForward ==
  [][\A o \in Orders : (disk'[o] = disk[o]) \/ (<<disk[o], disk'[o]>> \in {
       <<"none", "intent">>, <<"intent", "open">>, <<"intent", "ended">>, <<"open", "ended">>})]_vars
VenueGoesForward ==
  [][\A o \in Orders : (venue'[o] = venue[o]) \/ (<<venue[o], venue'[o]>> \in {
       <<"none", "rests">>, <<"rests", "filled">>, <<"rests", "over">>})]_vars
WireGoesForward ==
  [][\A o \in Orders : (wire'[o] = wire[o]) \/ (<<wire[o], wire'[o]>> \in {
       <<"none", "sent">>, <<"sent", "gone">>, <<"sent", "refused">>, <<"gone", "sent">>,
       <<"refused", "sent">>, <<"refused", "gone">>})]_vars
GivenUpShut ==  \* what waits ends by our word only when nothing may leave
  [][\A o \in Orders : (((disk[o] = "intent") /\ (disk'[o] = "ended"))
                          \/ (held[o] /\ ~held'[o] /\ (wire'[o] = wire[o])))
       => (~Gate \/ (life' > life))]_vars
EndsAreProven ==
  [][\A o \in Orders : ((disk[o] = "open") /\ (disk'[o] = "ended"))
       => \/ held[o] \/ (wire[o] = "refused") \/ (venue[o] \in {"filled", "over"})
          \/ (past[o] /\ (venue[o] = "none"))]_vars

\* Liveness: what a process that is not stopped began comes to its end.
EveryIntentEnds == \A o \in Orders :
  (disk[o] \in {"intent", "open"}) ~> ((disk[o] = "ended") \/ (state = "stopped"))
KillQuiesces == kill ~> [](\A o \in Orders : venue[o] # "rests")
Agrees       == (state = "reconciling") ~> (state # "reconciling")
Stops        == (state = "stopping") ~> (state # "stopping")

\* Witnesses: each must be VIOLATED.
NeverRestsUnasked == ~((state = "reconciling") /\ (\E o \in Orders : (venue[o] = "rests") /\ (o \in doubt)))
NeverLandsKilled  == ~(kill /\ (life = Lives) /\ (\E o \in Orders : (venue[o] = "filled") /\ (booked[o] = 0)))
NeverStopsOpen    == ~((state = "stopped") /\ (\E o \in Orders : disk[o] = "open"))
NeverSentPast     == ~(\E o \in Orders : (wire[o] = "sent") /\ past[o] /\ (disk[o] = "ended"))
============================================================================
