----------------------------- MODULE KillSwitch -----------------------------
(***************************************************************************)
(* The kill switch.  Mirrors polybawt/core/machines/kill_switch.py.        *)
(*                                                                         *)
(* Anybody may fire it; only an operator with a reason arms it again.      *)
(* While it is fired no order leaves, and the end of whatever rests is     *)
(* asked for, again and again; it is drained once the venue lists nothing  *)
(* of ours and every record of ours has ended.  Drained is a belief: it    *)
(* goes on looking, and what is found to rest after all fires it again.    *)
(*                                                                         *)
(* The world half is the engine around it (records, the lane in which what *)
(* is to be sent waits, a process that may die and lose what is only in    *)
(* its memory), a network that loses and delays, and an exchange that may  *)
(* tell us that it refused what it took.  What is between a death and the  *)
(* next start is nothing but our doing nothing.                            *)
(*                                                                         *)
(* Not here: how one order ends (Order), when trading begins (Recovery),   *)
(* and cancels by id, which ask for less than the one that asks for all.   *)
(***************************************************************************)
EXTENDS Naturals

CONSTANTS Count, CrashesMax
ASSUME (Count \in Nat \ {0}) /\ (CrashesMax \in Nat)

VARIABLES
  state,    \* ours:    armed, fired or drained
  first,    \* ours:    what fired it, "" while it is armed
  due,      \* engine:  it is long ago that we asked for the end of what rests
  told,     \* engine:  what our records say of each order, as journaled
  held,     \* engine:  a cancel of everything waits in our process
  read,     \* engine:  our question what rests, or its answer, or neither
  crashes,  \* engine:  how often the process died
  sent,     \* network: a cancel of everything is on its way
  order     \* venue:   where each order really is

ours  == <<state, first>>
world == <<due, told, held, read, crashes, sent, order>>
vars  == <<ours, world>>

States  == {"armed", "fired", "drained"}
Sources == {"file", "terminal"}
Orders  == 1..Count
Gone    == {"over", "cancelled"}
Alive   == {"lane", "wire", "rests"}

TypeOK ==
  /\ state \in States
  /\ first \in (Sources \cup {""})
  /\ due \in BOOLEAN
  /\ told \in [Orders -> {"none", "open", "ended", "deceived"}]
  /\ held \in BOOLEAN
  /\ read \in {"none", "asked", "empty", "some"}
  /\ crashes \in 0..CrashesMax
  /\ sent \in BOOLEAN
  /\ order \in [Orders -> {"none"} \cup Alive \cup Gone]

Init ==
  /\ state = "armed" /\ first = ""
  /\ due = FALSE /\ held = FALSE /\ read = "none" /\ crashes = 0 /\ sent = FALSE
  /\ told = [o \in Orders |-> "none"]
  /\ order = [o \in Orders |-> "none"]

\* Some record of ours has not ended, rightly or not.
Unended == {o \in Orders : told[o] = "open"} # {}

\* Guards.
Due == due
Quiet(listed, unended) == ~listed /\ ~unended
Explained(explained) == explained

----------------------------- (* the machine *) -----------------------------

Fire(source) ==
  /\ state' = IF state = "armed" THEN "fired" ELSE state
  /\ first' = IF state = "armed" THEN source ELSE first
  /\ held' = (held \/ (state = "armed"))
  /\ due' = (due /\ (state # "armed"))
  /\ UNCHANGED <<told, read, crashes, sent, order>>

Ask ==
  /\ state # "armed"
  /\ Due
  /\ held' = (held \/ (state = "fired"))
  /\ read' = "asked"
  /\ due' = FALSE
  /\ UNCHANGED <<ours, told, crashes, sent, order>>

Drain(listed, unended) ==
  /\ read \in {"empty", "some"}
  /\ listed = (read = "some")
  /\ unended = Unended
  /\ state = "fired"
  /\ Quiet(listed, unended)
  /\ state' = "drained"
  /\ read' = "none"
  /\ UNCHANGED <<first, due, told, held, crashes, sent, order>>

Rest ==
  /\ IF read = "some" THEN TRUE ELSE Unended
  /\ state # "armed"
  /\ state' = "fired"
  /\ held' = (held \/ (state = "drained"))
  /\ due' = (due /\ (state # "drained"))
  /\ read' = IF read = "some" THEN "none" ELSE read
  /\ UNCHANGED <<first, told, crashes, sent, order>>

Reset(explained) ==
  /\ state' = IF Explained(explained) THEN "armed" ELSE state
  /\ first' = IF Explained(explained) THEN "" ELSE first
  /\ UNCHANGED world

------------- (* the world: the engine around it, network and venue *) -------------

Want(o) ==  \* journaled, and handed to the lane
  /\ told[o] = "none"
  /\ state = "armed"
  /\ told' = [told EXCEPT ![o] = "open"]
  /\ order' = [order EXCEPT ![o] = "lane"]
  /\ UNCHANGED <<ours, due, held, read, crashes, sent>>

Send(o) ==  \* the gate is read again at the socket
  /\ order[o] = "lane"
  /\ state = "armed"
  /\ order' = [order EXCEPT ![o] = "wire"]
  /\ UNCHANGED <<ours, due, told, held, read, crashes, sent>>

Halt(o) ==  \* it never left, and we know it
  /\ order[o] = "lane"
  /\ state # "armed"
  /\ order' = [order EXCEPT ![o] = "over"]
  /\ told' = [told EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, due, held, read, crashes, sent>>

Land(o) ==  \* a copy that was on its way when the kill came lands all the same
  /\ order[o] = "wire"
  /\ order' = [order EXCEPT ![o] = "rests"]
  /\ UNCHANGED <<ours, due, told, held, read, crashes, sent>>

Refuse(o) ==  \* refused, or lost
  /\ order[o] = "wire"
  /\ order' = [order EXCEPT ![o] = "over"]
  /\ UNCHANGED <<ours, due, told, held, read, crashes, sent>>

Deceive(o) ==  \* called refused, and it rests (reference 6, items 1 and 3)
  /\ order[o] = "wire"
  /\ order' = [order EXCEPT ![o] = "rests"]
  /\ told' = [told EXCEPT ![o] = "deceived"]
  /\ UNCHANGED <<ours, due, held, read, crashes, sent>>

End(o) ==  \* filled or expired
  /\ order[o] = "rests"
  /\ order' = [order EXCEPT ![o] = "over"]
  /\ UNCHANGED <<ours, due, told, held, read, crashes, sent>>

Learn(o) ==  \* its end is proven to us
  /\ order[o] \in Gone
  /\ told[o] = "open"
  /\ told' = [told EXCEPT ![o] = "ended"]
  /\ UNCHANGED <<ours, due, held, read, crashes, sent, order>>

Forget(o) ==
  /\ order[o] \in Gone
  /\ told[o] # "open"
  /\ told' = [told EXCEPT ![o] = "none"]
  /\ order' = [order EXCEPT ![o] = "none"]
  /\ UNCHANGED <<ours, due, held, read, crashes, sent>>

Leave ==  \* the cancel's turn at the socket
  /\ held
  /\ held' = FALSE /\ sent' = TRUE
  /\ UNCHANGED <<ours, due, told, read, crashes, order>>

Withdraw(done) ==  \* carried out, early or late; or lost
  /\ sent
  /\ sent' = FALSE
  /\ order' = [o \in Orders |->
                 IF done /\ (order[o] = "rests") THEN "cancelled" ELSE order[o]]
  /\ UNCHANGED <<ours, due, told, held, read, crashes>>

Answer ==  \* true when it is given, not when it is heard
  /\ read = "asked"
  /\ read' = IF \E o \in Orders : order[o] = "rests" THEN "some" ELSE "empty"
  /\ UNCHANGED <<ours, due, told, held, crashes, sent, order>>

Lapse ==  \* the read failed, or its answer came to nothing
  /\ read' = "none"
  /\ UNCHANGED <<ours, due, told, held, crashes, sent, order>>

Pass ==
  /\ due' = TRUE
  /\ UNCHANGED <<ours, told, held, read, crashes, sent, order>>

Crash ==  \* what was only in memory is gone; what was in the lane never left
  /\ crashes < CrashesMax
  /\ crashes' = crashes + 1
  /\ held' = FALSE /\ read' = "none"
  /\ order' = [o \in Orders |-> IF order[o] = "lane" THEN "over" ELSE order[o]]
  /\ UNCHANGED <<ours, due, told, sent>>

----------------------------------------------------------------------------
Ours ==
  \/ \E source \in Sources : Fire(source)
  \/ Ask
  \/ \E listed \in BOOLEAN, unended \in BOOLEAN : Drain(listed, unended)
  \/ Rest
  \/ \E explained \in BOOLEAN : Reset(explained)

World ==
  \/ \E o \in Orders : Want(o)
  \/ \E o \in Orders : Send(o)
  \/ \E o \in Orders : Halt(o)
  \/ \E o \in Orders : Land(o)
  \/ \E o \in Orders : Refuse(o)
  \/ \E o \in Orders : Deceive(o)
  \/ \E o \in Orders : End(o)
  \/ \E o \in Orders : Learn(o)
  \/ \E o \in Orders : Forget(o)
  \/ Leave
  \/ \E done \in BOOLEAN : Withdraw(done)
  \/ Answer
  \/ Lapse
  \/ Pass
  \/ Crash

Next == Ours \/ World

\* Ours: to look at the clock, to ask, to let what waits leave or not, to read what became of an
\* order, and to hear an answer now and then.  The world's: a request does not travel for ever,
\* and of those that are made again and again one is carried out.
Fairness ==
  /\ WF_vars(Pass) /\ WF_vars(Ask) /\ WF_vars(Leave)
  /\ SF_vars(Withdraw(TRUE)) /\ SF_vars(Answer) /\ SF_vars(Drain(FALSE, FALSE)) /\ SF_vars(Rest)
  /\ \A o \in Orders : WF_vars(Halt(o)) /\ WF_vars(Refuse(o)) /\ WF_vars(Learn(o))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
FiredHasReason == (state = "armed") <=> (first = "")
JournalFirst   == \A o \in Orders : (told[o] = "none") => (order[o] = "none")
EndsAreProven  == \A o \in Orders : (told[o] = "ended") => (order[o] \in Gone)
DrainedIsTrue  ==  \* but for what we were deceived about
  (state = "drained") => \A o \in Orders : (order[o] \in Alive) => (told[o] = "deceived")

\* Whatever can happen to us has a transition.
NothingIllegal ==
  /\ \A source \in Sources : ENABLED Fire(source)
  /\ \A explained \in BOOLEAN : ENABLED Reset(explained)
  /\ ((state # "armed") /\ ((read = "some") \/ Unended)) => ENABLED Rest

\* Steps: after it fired no order leaves, and none is made.
NothingLeaves ==
  [][\A o \in Orders : ((order[o] # "wire") /\ (order'[o] = "wire")) => (state = "armed")]_vars
NoNewOrder ==
  [][\A o \in Orders : ((told[o] # "open") /\ (told'[o] = "open")) => (state = "armed")]_vars
OnlyOperatorsReset == [][((state # "armed") /\ (state' = "armed")) => Reset(TRUE)]_vars
FirstReasonStands  == [][((state # "armed") /\ (state' # "armed")) => (first' = first)]_vars
DrainedByAnswer ==
  [][((state # "drained") /\ (state' = "drained")) => (read = "empty")]_vars
FiredAgainForCause ==
  [][((state = "drained") /\ (state' = "fired")) => ((read = "some") \/ Unended)]_vars
AskedInTime ==
  [][((read # "asked") /\ (read' = "asked")) => (due /\ ~due' /\ (state # "armed"))]_vars
FiringAsks == [][((state # "fired") /\ (state' = "fired")) => (held' /\ ~due')]_vars
HaltedByTheKill ==
  [][\A o \in Orders : ((order[o] = "lane") /\ (told'[o] = "ended")) => (state # "armed")]_vars
AskedBeforeCancelled ==
  [][(\E o \in Orders : (order[o] # "cancelled") /\ (order'[o] = "cancelled")) => sent]_vars
OnlyOurRequests == [][(~sent /\ sent') => held]_vars
OrdersGoForward ==
  [][\A o \in Orders : (order'[o] = order[o]) \/ (<<order[o], order'[o]>> \in {
       <<"none", "lane">>, <<"lane", "wire">>, <<"lane", "over">>, <<"wire", "rests">>,
       <<"wire", "over">>, <<"rests", "over">>, <<"rests", "cancelled">>, <<"over", "none">>,
       <<"cancelled", "none">>})]_vars
RecordsGoForward ==
  [][\A o \in Orders : (told'[o] = told[o]) \/ (<<told[o], told'[o]>> \in {
       <<"none", "open">>, <<"open", "ended">>, <<"open", "deceived">>, <<"ended", "none">>,
       <<"deceived", "none">>})]_vars
AnswersToQuestions ==
  [][((read' # read) /\ (read' \in {"empty", "some"})) => (read = "asked")]_vars

\* Liveness, with every request asked again: what is fired for good is drained for good.
Quiesces == <>[](state # "armed") => <>[](\A o \in Orders : order[o] \notin Alive)
Drains   == <>[](state # "armed") => <>[](state = "drained")

\* Witnesses: each must be VIOLATED.
NeverDeceived   == ~((state = "drained") /\ (\E o \in Orders : order[o] = "rests"))
NeverLandsLate  == ~((state = "fired") /\ ~held /\ ~sent /\ (\E o \in Orders : order[o] = "rests"))
NeverStale      == ~((read = "empty") /\ (\E o \in Orders : order[o] = "rests"))
NeverFiredTwice == ~((state = "fired") /\ (\E o \in Orders : told[o] = "deceived") /\ (read = "none") /\ held)
============================================================================
