----------------------------- MODULE Conversion -----------------------------
(***************************************************************************)
(* One conversion at the contracts: shares for dollars, or for shares.     *)
(* Mirrors polybawt/core/machines/conversion.py.                           *)
(*                                                                         *)
(* The world is a network that loses what we ask, or the answer, or keeps  *)
(* what we asked on its way for a while after we gave it up; a venue that  *)
(* takes a request or declines it, and knows one it has taken again by its *)
(* name; and a chain, where it is mined and confirmed, or fails, after it  *)
(* was mined even.  A crash is a loss of the answer.  What a read said     *)
(* once may be heard at any later time.                                    *)
(*                                                                         *)
(* Not here: what is converted into what, and that it sums to the dollar   *)
(* (the kernel's property test), how long a request can be on its way, why *)
(* one is declined, a read that comes to nothing (it is made again), a     *)
(* venue that forgets a name while we still ask, and what is heard after   *)
(* the end (the kernel remembers it, and drops the report).                *)
(***************************************************************************)
EXTENDS Naturals

VARIABLES
  state,     \* ours:  what the machine believes
  asking,    \* ours:  whether we wait for the answer to a request
  doubt,     \* ours:  whether an earlier request could still land when we asked last
  booked,    \* ours:  how often its shares and dollars were moved in our books
  reversed,  \* ours:  how often they were moved back
  told,      \* ours:  which end was told, "" for none
  road,      \* world: where the request is that we wait for, or its answer
  late,      \* world: whether one that we gave up may still land
  window,    \* world: whether we gave one up so recently that it could
  chain,     \* world: what became of it at the venue
  said       \* world: every step that a read may have seen

ours  == <<state, asking, doubt, booked, reversed, told>>
world == <<road, late, window, chain, said>>
vars  == <<ours, world>>

States == {"wanted", "submitted", "unknown", "taken", "mined", "confirmed", "failed"}
Roads  == {"none", "out", "taken", "declined", "lost"}
Steps  == {"moving", "mined", "confirmed", "failed"}
Ended  == {"confirmed", "failed"}
Told   == {"", "done", "failed", "twice"}

TypeOK ==
  /\ state \in States /\ asking \in BOOLEAN /\ doubt \in BOOLEAN
  /\ booked \in 0..2 /\ reversed \in 0..2 /\ told \in Told
  /\ road \in Roads /\ late \in BOOLEAN /\ window \in BOOLEAN
  /\ chain \in (Steps \cup {"none"}) /\ said \subseteq Steps

Init ==
  /\ state = "wanted" /\ asking = FALSE /\ doubt = FALSE
  /\ booked = 0 /\ reversed = 0 /\ told = ""
  /\ road = "none" /\ late = FALSE /\ window = FALSE /\ chain = "none" /\ said = {}

Idle     == ~asking
Awaited  == asking

Tell(end) == IF told = "" THEN end ELSE "twice"
Doubtful == doubt

----------------------------- (* the machine *) -----------------------------

Submit ==  \* journaled before it leaves
  /\ state = "wanted"
  /\ state' = "submitted" /\ asking' = TRUE /\ road' = "out"
  /\ UNCHANGED <<doubt, booked, reversed, told, late, window, chain, said>>

Drop ==  \* it never left
  /\ state = "wanted"
  /\ state' = "failed" /\ told' = Tell("failed")
  /\ UNCHANGED <<asking, doubt, booked, reversed, world>>

AskAgain ==  \* the same request by the same name: never a new one
  /\ state = "unknown"
  /\ Idle
  /\ asking' = TRUE /\ doubt' = window /\ road' = "out"
  /\ UNCHANGED <<state, booked, reversed, told, late, window, chain, said>>

AckTaken ==
  /\ road = "taken"
  /\ state \in {"submitted", "unknown"}
  /\ Awaited
  /\ state' = "taken" /\ asking' = FALSE /\ road' = "none"
  /\ UNCHANGED <<doubt, booked, reversed, told, late, window, chain, said>>

AckDeclined ==  \* an end only where nothing of it can land any more
  /\ road = "declined"
  /\ state \in {"submitted", "unknown"}
  /\ Awaited
  /\ IF (state = "unknown") /\ Doubtful
     THEN state' = "unknown" /\ told' = told
     ELSE state' = "failed" /\ told' = Tell("failed")
  /\ asking' = FALSE /\ road' = "none"
  /\ UNCHANGED <<doubt, booked, reversed, late, window, chain, said>>

AckLost ==  \* no answer came, whatever the reason
  /\ road = "lost"
  /\ state \in {"submitted", "unknown"}
  /\ Awaited
  /\ state' = "unknown" /\ asking' = FALSE /\ doubt' = TRUE
  /\ road' = "none" /\ window' = TRUE
  /\ UNCHANGED <<booked, reversed, told, late, chain, said>>

SeenMoving ==
  /\ "moving" \in said
  /\ state \in {"taken", "mined"}
  /\ UNCHANGED vars

SeenMined ==
  /\ "mined" \in said
  /\ state \in {"taken", "mined"}
  /\ state' = "mined"
  /\ booked' = IF state = "taken" THEN booked + 1 ELSE booked
  /\ UNCHANGED <<asking, doubt, reversed, told, world>>

SeenConfirmed ==
  /\ "confirmed" \in said
  /\ state \in {"taken", "mined"}
  /\ state' = "confirmed" /\ told' = Tell("done")
  /\ booked' = IF state = "taken" THEN booked + 1 ELSE booked
  /\ UNCHANGED <<asking, doubt, reversed, world>>

SeenFailed ==
  /\ "failed" \in said
  /\ state \in {"taken", "mined"}
  /\ state' = "failed" /\ told' = Tell("failed")
  /\ reversed' = IF state = "mined" THEN reversed + 1 ELSE reversed
  /\ UNCHANGED <<asking, doubt, booked, world>>

--------------- (* the world: network, venue and chain *) ---------------

Take ==  \* one that it has already is answered again
  /\ road = "out"
  /\ road' = "taken"
  /\ chain' = IF chain = "none" THEN "moving" ELSE chain
  /\ said' = said \cup {"moving"}
  /\ UNCHANGED <<ours, late, window>>

Decline ==
  /\ road = "out"
  /\ chain = "none"
  /\ road' = "declined"
  /\ UNCHANGED <<ours, late, window, chain, said>>

Lose ==  \* the answer, or the request, which may still land
  /\ road \in {"out", "taken", "declined"}
  /\ road' = "lost" /\ late' = (late \/ (road = "out"))
  /\ UNCHANGED <<ours, window, chain, said>>

Land ==
  /\ late
  /\ chain = "none"
  /\ late' = FALSE
  /\ chain' = "moving" /\ said' = said \cup {"moving"}
  /\ UNCHANGED <<ours, road, window>>

Lapse ==  \* what we gave up so long ago is nowhere any more
  /\ window
  /\ road # "lost"
  /\ window' = FALSE /\ late' = FALSE
  /\ UNCHANGED <<ours, road, chain, said>>

Include ==
  /\ chain = "moving"
  /\ chain' = "mined" /\ said' = said \cup {"mined"}
  /\ UNCHANGED <<ours, road, late, window>>

Finalise ==
  /\ chain = "mined"
  /\ chain' = "confirmed" /\ said' = said \cup {"confirmed"}
  /\ UNCHANGED <<ours, road, late, window>>

Revert ==
  /\ chain \in {"moving", "mined"}
  /\ chain' = "failed" /\ said' = said \cup {"failed"}
  /\ UNCHANGED <<ours, road, late, window>>

----------------------------------------------------------------------------
Ours ==
  \/ Submit
  \/ Drop
  \/ AskAgain
  \/ AckTaken
  \/ AckDeclined
  \/ AckLost
  \/ SeenMoving
  \/ SeenMined
  \/ SeenConfirmed
  \/ SeenFailed

World ==
  \/ Take
  \/ Decline
  \/ Lose
  \/ Land
  \/ Lapse
  \/ Include
  \/ Finalise
  \/ Revert

Closed == (state \in Ended) /\ UNCHANGED vars

Next == Ours \/ World \/ Closed

\* We ask until we know; the venue answers; the chain ends everything; and time passes.
Fairness ==
  /\ WF_vars(AskAgain) /\ WF_vars(AckTaken) /\ WF_vars(AckDeclined)
  /\ WF_vars(SeenConfirmed) /\ WF_vars(SeenFailed)
  /\ WF_vars(Take \/ Decline) /\ WF_vars(Lapse)
  /\ WF_vars(Include \/ Finalise \/ Revert)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Money: moved once, moved back once, and never for nothing.
BookedOnce      == (booked <= 1) /\ (reversed <= booked)
BookedWhenMined == (booked - reversed) = (IF state \in {"mined", "confirmed"} THEN 1 ELSE 0)
BookedIsTrue    == (booked = 1) => (chain \in {"mined", "confirmed", "failed"})
ToldOnce        ==
  /\ (told = "") <=> (state \notin Ended)
  /\ (state = "confirmed") => (told = "done")
  /\ (state = "failed") => (told = "failed")

\* What it will use is held back until it is booked or never will be: see ``holding`` there.
MayMove     == (chain \in {"moving", "mined"}) \/ ((chain = "none") /\ (late \/ (road = "out")))
EndIsTrue   ==
  /\ (state = "confirmed") => (chain = "confirmed")
  /\ (state = "failed") => ((chain \in {"none", "failed"}) /\ ~MayMove)
NeverBehind == (state = "wanted") => ((road = "none") /\ ~late /\ (chain = "none"))
TakenIsTrue == (state \in {"taken", "mined"}) => (chain # "none")

\* The road and what we know of it.
OneRequest    == asking <=> (road # "none")
DoubtIsSound  == (asking /\ ~doubt) => (~late \/ (road = "lost"))
LateIsWindow  == late => (window \/ (road = "lost"))
IdleIsDoubt   == ((state = "unknown") /\ ~asking) => doubt
AnswersAreTrue == (road = "taken") => (chain # "none")
\* Nothing is said but what is true of it.
HeardIsTrue ==
  /\ (chain \in Steps) => ((chain \in said) /\ ("moving" \in said))
  /\ (chain = "none") => (said = {})
  /\ ~({"confirmed", "failed"} \subseteq said)
  /\ ENABLED AckTaken => (road = "taken")
  /\ ENABLED AckDeclined => (road = "declined")
  /\ ENABLED AckLost => (road = "lost")
  /\ ENABLED SeenMoving => ("moving" \in said)
  /\ ENABLED SeenMined => ("mined" \in said)
  /\ ENABLED SeenConfirmed => ("confirmed" \in said)
  /\ ENABLED SeenFailed => ("failed" \in said)

NothingIllegal ==
  /\ (road = "taken") => ENABLED AckTaken
  /\ (road = "declined") => ENABLED AckDeclined
  /\ (road = "lost") => ENABLED AckLost
  /\ ((state = "unknown") /\ ~asking) => ENABLED AskAgain
  /\ (state \in {"taken", "mined"}) =>
       /\ ("moving" \in said) => ENABLED SeenMoving
       /\ ("mined" \in said) => ENABLED SeenMined
       /\ ("confirmed" \in said) => ENABLED SeenConfirmed
       /\ ("failed" \in said) => ENABLED SeenFailed

\* Steps.
StatesGoTheirWay ==
  [][(state' # state) =>
      (<<state, state'>> \in
        {<<"wanted", "submitted">>, <<"wanted", "failed">>,
         <<"submitted", "unknown">>, <<"submitted", "taken">>, <<"submitted", "failed">>,
         <<"unknown", "taken">>, <<"unknown", "failed">>,
         <<"taken", "mined">>, <<"taken", "confirmed">>, <<"taken", "failed">>,
         <<"mined", "confirmed">>, <<"mined", "failed">>})]_vars
EndedForGood == [][(state \in Ended) => UNCHANGED ours]_vars
ChainGoesItsWay ==
  [][(chain' # chain) =>
      (<<chain, chain'>> \in
        {<<"none", "moving">>, <<"moving", "mined">>, <<"moving", "failed">>,
         <<"mined", "confirmed">>, <<"mined", "failed">>})]_vars
RoadGoesItsWay ==
  [][(road' # road) =>
      (<<road, road'>> \in
        {<<"none", "out">>, <<"out", "taken">>, <<"out", "declined">>,
         <<"out", "lost">>, <<"taken", "lost">>, <<"declined", "lost">>,
         <<"taken", "none">>, <<"declined", "none">>, <<"lost", "none">>})]_vars
\* Only what was on the road can be late, and what is given up was lost.
LateWasOut   == [][(late' /\ ~late) => (road = "out")]_vars
LostMayLand  == [][(late /\ ~late' /\ (road = "lost")) => (chain' = "moving")]_vars
WindowIsLoss == [][(window' /\ ~window) => (road = "lost")]_vars
\* What is taken was asked for, now or a while ago.
TakenWasAsked == [][((chain = "none") /\ (chain' = "moving")) => ((road = "out") \/ late)]_vars

\* Where the network does not lose things for ever, whatever was sent has an end.
SentEnds == <>[](road # "lost") => <>[](state \in (Ended \cup {"wanted"}))

\* Witnesses: each must be VIOLATED.
NeverLateLanding  == ~((state = "unknown") /\ (road = "declined") /\ (chain = "moving"))
NeverReversed     == reversed = 0
NeverMissedMined  == ~((state = "confirmed") /\ (booked = 1) /\ doubt)
NeverSurelyFailed == ~((state = "unknown") /\ (road = "declined") /\ ~doubt)
============================================================================
