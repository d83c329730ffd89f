------------------------------ MODULE VenueMode ------------------------------
(***************************************************************************)
(* What the venue lets us do now, as far as its answers prove it.  Mirrors *)
(* polybawt/core/machines/venue_mode.py.                                   *)
(*                                                                         *)
(* The world is a venue that changes its mode whenever it likes and tells  *)
(* nobody, a network that loses what it likes and delivers in any order,   *)
(* and a clock that lets the next probe out.  A request is in flight until *)
(* its answer, or our patience, ends it.  An answer tells the mode of the  *)
(* moment at which the venue looked at the request, which may be long ago. *)
(* What was sent before the last news, and is not `fresh' any more, may be *)
(* answered by anything at any time: more than the truth, and enough.      *)
(*                                                                         *)
(* Not here: how long a pause is (it doubles up to a bound, and is as long *)
(* as the venue advised), what a request is about and what became of it    *)
(* (Order), which text means which mode, what comparing our orders with    *)
(* the venue's takes, and a venue whose refusal of a cancel names a mode   *)
(* that allows cancels (it is not believed).                               *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets

CONSTANTS SilencesMax, Flying
ASSUME (SilencesMax \in Nat \ {0}) /\ (Flying \in Nat \ {0, 1})

VARIABLES
  state,     \* ours:  what the machine believes
  silences,  \* ours:  how many in a row while we trade
  venue,     \* world: the mode the venue is in
  flight,    \* world: requests since the last news: <<request, what was said, "" nothing yet>>
  rested,    \* world: whether the pause before the next probe is over
  best,      \* world: the most the venue has allowed at any time since the last bad news
  settled    \* world: whether our orders were read after the last outage we heard of

ours  == <<state, silences>>
world == <<venue, flight, rested, best, settled>>
vars  == <<ours, world>>

Modes    == {"running", "post_only", "cancel_only", "restarting", "disabled"}
Named    == {"post_only", "cancel_only", "restarting", "disabled"}
Business == {"plain", "post_only", "cancel"}
Requests == {"plain", "post_only", "cancel", "read"}
Blind    == {"unknown", "restarting", "disabled"}   \* it may take nothing at all
Trading  == {"running", "post_only"}
Half     == {"reopening", "cancel_only", "post_only"}
States   == Blind \cup Trading \cup Half \cup {"reconciling"}

Level(mode) ==
  CASE mode = "running" -> 3 [] mode = "post_only" -> 2 [] mode = "cancel_only" -> 1 [] OTHER -> 0

Needs(request) == CASE request = "plain" -> 3 [] request = "post_only" -> 2 [] OTHER -> 1

TypeOK ==
  /\ state \in States /\ silences \in 0..(SilencesMax - 1)
  /\ venue \in Modes /\ rested \in BOOLEAN /\ best \in 0..3 /\ settled \in BOOLEAN
  /\ Cardinality(flight) <= Flying
  /\ \A r \in flight :
       /\ r[1] \in (Requests \cup {"any"})
       /\ r[2] \in (Named \cup {"", "took", "whole", "early", "lost"})

Init ==
  /\ state = "unknown" /\ silences = 0
  /\ venue \in Modes /\ flight = {} /\ rested = TRUE
  /\ best = Level(venue) /\ settled = FALSE

Fresh(fresh)     == fresh
Rested           == rested
Cancels(request) == request = "cancel"
Reads(request)   == request = "read"
Takes(request)   == request = "plain"
Rests(request)   == request = "post_only"
Restarts(mode)   == mode = "restarting"
Disables(mode)   == mode = "disabled"
LetsCancel(mode) == mode = "cancel_only"
LetsRest(mode)   == mode = "post_only"
Lasts            == silences + 1 >= SilencesMax

\* A fresh answer must be there to be heard; an old one may come at any time.
Heard(fresh, answer) == fresh => (answer \in flight)

----------------------------- (* the machine *) -----------------------------

Begin ==  \* an answer to the process before this one reaches nobody
  /\ state' = "unknown" /\ silences' = 0
  /\ flight' = {} /\ rested' = TRUE
  /\ best' = Level(venue) /\ settled' = FALSE
  /\ UNCHANGED venue

Issue(request) ==
  /\ Cardinality(flight) + 1 < Flying  \* there is always room for a probe
  /\ CASE state = "running" -> TRUE
       [] state = "post_only" -> Rests(request) \/ Cancels(request)
       [] OTHER -> Cancels(request)
  /\ flight' = flight \cup {<<request, "">>}
  /\ UNCHANGED <<ours, venue, rested, best, settled>>

Probe(request) ==
  /\ Cardinality(flight) < Flying
  /\ Rested
  /\ CASE state \in Blind -> Cancels(request)
       [] state = "reconciling" -> Reads(request)
       [] state = "post_only" -> Takes(request)
       [] state \in {"reopening", "cancel_only"} -> Takes(request) \/ Rests(request)
       [] state = "running" -> FALSE
  /\ flight' = flight \cup {<<request, "">>}
  /\ rested' = FALSE
  /\ UNCHANGED <<ours, venue, best, settled>>

Answered(request, fresh) ==
  /\ Heard(fresh, <<request, "took">>)
  /\ state' = CASE Fresh(fresh) /\ Cancels(request) /\ (state \in Blind) -> "reconciling"
                [] Fresh(fresh) /\ Takes(request) /\ (state \in Half) -> "running"
                [] Fresh(fresh) /\ Rests(request) /\ (state \in Half) -> "post_only"
                [] OTHER -> state
  /\ silences' = IF Fresh(fresh) THEN 0 ELSE silences
  /\ flight' = CASE state' # state -> {}
                 [] (state' = state) /\ fresh -> flight \ {<<request, "took">>}
                 [] OTHER -> flight
  /\ rested' = IF state' = state THEN rested ELSE (state' # "post_only")
  /\ UNCHANGED <<venue, best, settled>>

Refused(mode, fresh) ==
  /\ Heard(fresh, <<"any", mode>>)
  /\ state' = CASE Fresh(fresh) /\ Restarts(mode) -> "restarting"
                [] Fresh(fresh) /\ Disables(mode) -> "disabled"
                [] Fresh(fresh) /\ LetsCancel(mode) -> "cancel_only"
                [] Fresh(fresh) /\ LetsRest(mode) -> "post_only"
                [] OTHER -> state
  /\ silences' = IF Fresh(fresh) THEN 0 ELSE silences
  /\ flight' = IF Fresh(fresh) THEN {} ELSE flight
  /\ rested' = IF Fresh(fresh) THEN FALSE ELSE rested
  /\ best' = IF Fresh(fresh) THEN Level(venue) ELSE best
  /\ settled' = IF Fresh(fresh) /\ (mode \in Blind) THEN FALSE ELSE settled
  /\ UNCHANGED venue

Silence(fresh) ==
  /\ Heard(fresh, <<"any", "lost">>)
  /\ state' = IF Fresh(fresh) /\ Lasts /\ (state \in Trading) THEN "unknown" ELSE state
  /\ silences' = CASE state' # state -> 0
                   [] (state' = state) /\ Fresh(fresh) /\ (state \in Trading) -> silences + 1
                   [] OTHER -> silences
  /\ flight' = CASE state' # state -> {}
                 [] (state' = state) /\ fresh -> flight \ {<<"any", "lost">>}
                 [] OTHER -> flight
  /\ rested' = IF state' = state THEN rested ELSE TRUE
  /\ best' = IF state' = state THEN best ELSE Level(venue)
  /\ settled' = IF state' = state THEN settled ELSE FALSE
  /\ UNCHANGED venue

\* What a fresh read shows is true of our orders after the outage, if the outage was over.
Reconciled(fresh) ==
  /\ fresh => ((flight \cap {<<"read", "whole">>, <<"read", "early">>}) # {})
  /\ state' = IF Fresh(fresh) /\ (state = "reconciling") THEN "reopening" ELSE state
  /\ flight' = CASE state' # state -> {}
                 [] (state' = state) /\ fresh -> flight \ {<<"read", "whole">>, <<"read", "early">>}
                 [] OTHER -> flight
  /\ rested' = IF state' = state THEN rested ELSE TRUE
  /\ settled' = IF state' = state THEN settled
                ELSE (<<"read", "whole">> \in flight) /\ (<<"read", "early">> \notin flight)
  /\ UNCHANGED <<silences, venue, best>>

----------------- (* the world: venue, network and clock *) -----------------

Turn(mode) ==
  /\ venue' = mode
  /\ best' = IF Level(mode) > best THEN Level(mode) ELSE best
  /\ UNCHANGED <<ours, flight, rested, settled>>

Serve(request) ==
  /\ <<request, "">> \in flight
  /\ flight' = (flight \ {<<request, "">>}) \cup
       {CASE request = "read" -> <<"read", IF best > 0 THEN "whole" ELSE "early">>
          [] (request # "read") /\ (Level(venue) >= Needs(request)) -> <<request, "took">>
          [] OTHER -> <<"any", venue>>}
  /\ UNCHANGED <<ours, venue, rested, best, settled>>

Lose(request) ==
  /\ <<request, "">> \in flight
  /\ flight' = (flight \ {<<request, "">>}) \cup {<<"any", "lost">>}
  /\ UNCHANGED <<ours, venue, rested, best, settled>>

Pass ==
  /\ rested' = TRUE
  /\ UNCHANGED <<ours, venue, flight, best, settled>>

----------------------------------------------------------------------------
Ours ==
  \/ Begin
  \/ \E request \in Business : Issue(request)
  \/ \E request \in Requests : Probe(request)
  \/ \E request \in Business, fresh \in BOOLEAN : Answered(request, fresh)
  \/ \E mode \in Named, fresh \in BOOLEAN : Refused(mode, fresh)
  \/ \E fresh \in BOOLEAN : Silence(fresh)
  \/ \E fresh \in BOOLEAN : Reconciled(fresh)

World ==
  \/ \E mode \in Modes : Turn(mode)
  \/ \E request \in Requests : Serve(request)
  \/ \E request \in Requests : Lose(request)
  \/ Pass

Next == Ours \/ World

\* We probe when we may and hear what was said; time passes, and the venue looks at a request.
Fairness ==
  /\ WF_vars(Pass)
  /\ \A request \in Requests : WF_vars(Probe(request))
  /\ \A request \in Requests : WF_vars(Serve(request) \/ Lose(request))
  /\ \A request \in Business : WF_vars(Answered(request, TRUE))
  /\ \A mode \in Named : WF_vars(Refused(mode, TRUE))
  /\ WF_vars(Reconciled(TRUE))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
FreshOf(request) == \E r \in flight : r[1] = request
Left(request)    == <<request, "">> \in (flight' \ flight)

\* An order that left since the last news left in a state that lets it leave.
ShutMeansShut ==
  (state \in (Blind \cup {"reconciling"})) => (~FreshOf("plain") /\ ~FreshOf("post_only"))
CancelsAlways == (Cardinality(flight) + 1 < Flying) => ENABLED Issue("cancel")
OnlyReadsToReconcile == FreshOf("read") => (state = "reconciling")

\* What we believe of the venue, it was: at some time since it last said something worse.
OpenWasOpen == (state = "running") => (best = 3)
UpWasUp     == (state \in {"reconciling", "reopening"}) => (best > 0)

\* No order leaves after an outage before our orders were read, and read after its end.
OrdersAfterReading == (state \in (Trading \cup Half)) => settled
ReadingComesFirst  == (state \in (Blind \cup {"reconciling"})) => ~settled

CountedWhileTrading == (silences > 0) => (state \in Trading)
NothingIllegal ==
  /\ ENABLED Begin
  /\ \A r \in flight :
       /\ (r[2] = "took") => ENABLED Answered(r[1], TRUE)
       /\ (r[2] \in Named) => ENABLED Refused(r[2], TRUE)
       /\ (r[2] = "lost") => ENABLED Silence(TRUE)
       /\ (r[2] \in {"whole", "early"}) => ENABLED Reconciled(TRUE)
  /\ \A request \in Business : ENABLED Answered(request, FALSE)
  /\ \A mode \in Named : ENABLED Refused(mode, FALSE)
  /\ ENABLED Silence(FALSE) /\ ENABLED Reconciled(FALSE)

\* A probe leaves after its pause, and the next one after another.
ProbesAreSpaced == [][(\E request \in Requests : Probe(request)) => (rested /\ ~rested')]_vars
\* Business is what the mode allows; anything else that leaves is a probe.
BusinessAsAllowed ==
  [][((Left("plain") /\ (state # "running")) \/ (Left("post_only") /\ (state \notin Trading)))
      => (rested /\ ~rested')]_vars
SilencesAreReal == [][(silences' > silences) => (<<"any", "lost">> \in flight)]_vars
LateDecidesNothing ==
  [][((\E request \in Business : Answered(request, FALSE)) \/ (\E mode \in Named : Refused(mode, FALSE))
      \/ Silence(FALSE) \/ Reconciled(FALSE)) => UNCHANGED ours]_vars

Well == (venue = "running") /\ (<<"any", "lost">> \notin flight)
RunsWhenWell == ((<>[]Well) /\ (<>[][~Begin]_vars)) => <>[](state = "running")

\* Witnesses: each must be VIOLATED.
NeverSilentlyRunning == ~((state = "running") /\ (silences > 0) /\ (venue = "restarting"))
NeverReadyToReopen   == ~((state = "restarting") /\ (<<"cancel", "took">> \in flight) /\ ~rested)
NeverDeceived        == ~((state = "running") /\ (venue = "disabled") /\ settled)
NeverBackInPostOnly  == ~((state = "post_only") /\ (<<"plain", "took">> \in flight))
============================================================================
