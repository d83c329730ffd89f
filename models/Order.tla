------------------------------- MODULE Order -------------------------------
(***************************************************************************)
(* The life of one order.  Mirrors polybawt/core/machines/order.py: an     *)
(* action of the machine half is an action class there, its parameters are *)
(* the fields of that class, its guards are the functions there, tried in  *)
(* the same order, and `state' is the record's state.                      *)
(*                                                                         *)
(* The world half is a network and an exchange that are not ours to trust. *)
(* A request may be lost, arrive late, or twice; an answer may come late,  *)
(* twice or never, a push may be repeated or outrun what came before it, a *)
(* read may be stale, and a record may count fewer matches than there      *)
(* were.  So what was ever said may be heard at any later time, again and  *)
(* again: `said' only grows.                                               *)
(*                                                                         *)
(* Not here: what a FAILED trade takes back (Trade, Position), prices,     *)
(* more than two copies in flight at once, and an exchange that still      *)
(* matches after what we call the order's end, which lies a margin behind  *)
(* its own.                                                                *)
(***************************************************************************)
EXTENDS Naturals

CONSTANT Size
ASSUME Size \in Nat \ {0}

VARIABLES
  state,     \* ours:    what the machine believes
  filled,    \* ours:    what it has booked
  reserved,  \* ours:    what it holds back for what may still fill
  sent,      \* network: the submission left us
  copies,    \* network: how many copies of it are under way, until one has landed
  asked,     \* network: a cancel left us, and may arrive at any time from then on
  book,      \* venue:   what the order really is there
  executed,  \* venue:   what was really matched
  landed,    \* venue:   how many orders it made of our submission
  said,      \* venue:   all that was ever said of it, in answers and pushes
  clock,     \* both:    before its end, after it, or past what we call its end
  misled     \* both:    we heard what is not, or not all of what is

ours  == <<state, filled, reserved>>
world == <<sent, copies, asked, book, executed, landed, said, clock, misled>>
venue == <<book, executed, landed>>
vars  == <<ours, world>>

States == {"intent", "signed", "submitted", "live", "delayed", "partially_filled",
           "unknown", "pending_cancel", "closing", "filled", "cancelled",
           "rejected", "expired", "closed"}
Done     == {"filled", "cancelled", "expired", "rejected"}  \* an end, not yet forgotten
Terminal == Done \cup {"closed"}
Finished == Done \ {"rejected"}  \* an end that its own record or fills showed
InFlight == States \ (Terminal \cup {"intent", "signed"})
Open     == {"delayed", "resting"}
Over     == {"filled", "cancelled", "expired", "invalid"}
Outcomes == {"cancelled", "expired", "rejected"}
Alive    == {"live", "delayed", "duplicate", "withdrawn"}  \* what only an order hears
Answers  == {"kept", "withdrawn"}  \* to a cancel

OpenSize(to, booked) == IF to \in Terminal THEN 0 ELSE Size - booked

TypeOK ==
  /\ state \in States
  /\ filled \in 0..Size /\ reserved \in 0..Size
  /\ sent \in BOOLEAN /\ copies \in 0..2 /\ asked \in BOOLEAN
  /\ book \in ({"none"} \cup Open \cup Over)
  /\ executed \in 0..Size /\ landed \in 0..2
  /\ said \subseteq (Alive \cup Answers \cup {"refused"})
  /\ clock \in {"before", "ended", "past"}
  /\ misled \in BOOLEAN

Init ==
  /\ state = "intent" /\ filled = 0 /\ reserved = Size
  /\ sent = FALSE /\ copies = 0 /\ asked = FALSE
  /\ book = "none" /\ executed = 0 /\ landed = 0
  /\ said = {} /\ clock = "before" /\ misled = FALSE

\* What the venue can truthfully, or at least possibly, answer to a read.  Its status
\* and its count may be of different times.
SaysOpen(matched, delayed) ==
  /\ IF delayed THEN "delayed" \in said ELSE "live" \in said
  /\ matched <= executed
SaysClosed(matched, outcome) ==  \* what was filled may be called anything (6, 14 and 19)
  /\ book \in Over
  /\ CASE book = "filled"  -> TRUE
       [] book = "invalid" -> outcome = "rejected"
       [] OTHER            -> outcome = book
  /\ matched <= executed
SaysEnded   == book \in Over
SaysMissing == sent  \* not yet, not any more, or not just now

\* Nothing more can be matched or arrive, and we know of all that was.  The
\* kernel waits (KEEP_ENDED_NS), long enough, we assume, for this to be true.
CanArrive == (copies > 0) /\ (book = "none") /\ (clock = "before")
AtRest    == (filled = executed) /\ (book \notin Open) /\ ~CanArrive

\* The guards of the machine.
Heard    == state \in (InFlight \cup Done)  \* something can be said of it, and counts
Possible(matched) == matched \in 0..Size
Untouched == filled = 0
Completes(shares) == filled + shares = Size
Held(delayed) == delayed
AsCancelled(matched, outcome) ==  \* rejected, but with matches: it has only ended
  /\ matched = filled
  /\ (outcome = "cancelled") \/ ((outcome = "rejected") /\ ~Untouched)
AsExpired(matched, outcome)  == (matched = filled) /\ (outcome = "expired")
AsRejected(matched, outcome) == (matched = filled) /\ Untouched /\ (outcome = "rejected")
PastEnd == clock = "past"

----------------------------- (* the machine *) -----------------------------

Sign ==
  /\ state = "intent"
  /\ state' = "signed"
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

Abort ==
  /\ state \in {"intent", "signed"}
  /\ state' = "rejected"
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

Submit ==
  /\ state = "signed"
  /\ state' = "submitted"
  /\ reserved' = OpenSize(state', filled)
  /\ sent' = TRUE /\ copies' = copies + 1
  /\ UNCHANGED <<filled, asked, venue, said, clock, misled>>

Timeout ==
  /\ sent
  /\ Heard
  /\ state' = IF state = "submitted" THEN "unknown" ELSE state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

AckLive ==
  /\ "live" \in said
  /\ Heard
  /\ state' = CASE Untouched /\ (state \in {"submitted", "delayed", "unknown", "live"}) -> "live"
                [] ~Untouched /\ (state = "unknown") -> "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

AckDelayed ==
  /\ "delayed" \in said
  /\ Heard
  /\ state' = CASE Untouched /\ (state \in {"submitted", "unknown", "delayed"}) -> "delayed"
                [] ~Untouched /\ (state = "unknown") -> "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

Reject ==
  /\ "refused" \in said
  /\ Heard
  /\ state' = CASE Untouched /\ (state \in {"submitted", "unknown", "pending_cancel"}) -> "rejected"
                [] ~Untouched /\ (state \in {"unknown", "pending_cancel"}) -> "closing"
                [] state \in {"live", "delayed", "partially_filled"} -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled)
  /\ misled' = (misled \/ (book \notin {"none", "invalid"}) \/ (executed > 0) \/ CanArrive)
  /\ UNCHANGED <<filled, sent, copies, asked, venue, said, clock>>

Duplicate ==
  /\ "duplicate" \in said
  /\ Heard
  /\ state' = CASE state = "submitted" -> "unknown"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

Fill(shares, known) ==  \* a trade that is known is booked: its report is refused
  /\ ~known
  /\ shares <= executed - filled
  /\ Heard
  /\ filled' = filled + shares
  /\ state' = CASE Completes(shares) -> "filled"
                [] ~Completes(shares) /\ (state \in {"submitted", "live", "delayed", "unknown"}) ->
                     "partially_filled"
                [] ~Completes(shares) /\ (state = "rejected") -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled')
  /\ UNCHANGED world

Cancel ==
  /\ state \in {"live", "delayed", "partially_filled", "unknown", "pending_cancel", "closing"}
  /\ state' = IF state = "closing" THEN state ELSE "pending_cancel"
  /\ reserved' = OpenSize(state', filled)
  /\ asked' = TRUE
  /\ UNCHANGED <<filled, sent, copies, venue, said, clock, misled>>

CancelDone ==
  /\ "withdrawn" \in said
  /\ Heard
  /\ state' = IF state \in Finished THEN state ELSE "closing"
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

CancelRefused ==
  /\ "kept" \in said
  /\ Heard
  /\ state' = IF state = "pending_cancel" THEN "unknown" ELSE state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

CancelTimeout ==
  /\ asked
  /\ Heard
  /\ state' = IF state = "pending_cancel" THEN "unknown" ELSE state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

Ended ==
  /\ SaysEnded
  /\ Heard
  /\ state' = IF state \in Done THEN state ELSE "closing"
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

ReadOpen(matched, delayed) ==
  /\ SaysOpen(matched, delayed)
  /\ Heard
  /\ Possible(matched)
  /\ state' = CASE Held(delayed) /\ Untouched /\ (state \in {"submitted", "unknown", "delayed"}) ->
                     "delayed"
                [] ~Held(delayed) /\ Untouched /\ (state \in {"submitted", "unknown", "delayed"}) ->
                     "live"
                [] ~Untouched /\ (state = "unknown") -> "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

ReadClosed(matched, outcome) ==
  /\ SaysClosed(matched, outcome)
  /\ Heard
  /\ Possible(matched)
  /\ state' = CASE state \in Done -> state
                [] (state \notin Done) /\ AsCancelled(matched, outcome) -> "cancelled"
                [] (state \notin Done) /\ AsExpired(matched, outcome) -> "expired"
                [] (state \notin Done) /\ AsRejected(matched, outcome) -> "rejected"
                [] OTHER -> "closing"
  /\ reserved' = OpenSize(state', filled)
  /\ misled' = (misled \/ (matched # executed))
  /\ UNCHANGED <<filled, sent, copies, asked, venue, said, clock>>

ReadMissing ==
  /\ SaysMissing
  /\ Heard
  /\ state' = IF PastEnd /\ (state \in InFlight) THEN "expired" ELSE state
  /\ reserved' = OpenSize(state', filled)
  /\ misled' = (misled \/ (PastEnd /\ (book # "none")))
  /\ UNCHANGED <<filled, sent, copies, asked, venue, said, clock>>

Close ==
  /\ state \in Done
  /\ AtRest
  /\ state' = "closed"
  /\ reserved' = OpenSize(state', filled)
  /\ UNCHANGED <<filled, world>>

------------------ (* the world: the exchange simulated in sim *) ------------------

Arrive(held) ==  \* accepted: it rests, or is held for the taker delay
  /\ CanArrive
  /\ book' = IF held THEN "delayed" ELSE "resting"
  /\ landed' = landed + 1 /\ copies' = 0
  /\ said' = said \cup {IF held THEN "delayed" ELSE "live"}
  /\ UNCHANGED <<ours, sent, asked, executed, clock, misled>>

Lose ==
  /\ copies > 0
  /\ copies' = copies - 1
  /\ UNCHANGED <<ours, sent, asked, venue, said, clock, misled>>

SendAgain ==  \* the same bytes, by whoever carries them, while their answer is awaited
  /\ state = "submitted"
  /\ (book = "none") /\ (copies < 2)
  /\ copies' = copies + 1
  /\ UNCHANGED <<ours, sent, asked, venue, said, clock, misled>>

\* What lands after it landed changes nothing, and is not counted.  The venue knows
\* these bytes (reference 3.5), if it looks that far; or it refuses them for any other
\* reason: what has landed was refused in its answer (reference 6, items 1 and 3).
Recognise ==
  /\ (book # "none") /\ (clock = "before")
  /\ said' = said \cup {"duplicate"}
  /\ UNCHANGED <<ours, sent, copies, asked, venue, clock, misled>>

Misreport ==
  /\ book # "none"
  /\ said' = said \cup {"refused"}
  /\ UNCHANGED <<ours, sent, copies, asked, venue, clock, misled>>

Refuse ==  \* for any reason, and after its end
  /\ copies > 0
  /\ copies' = copies - 1
  /\ said' = said \cup {"refused"}
  /\ UNCHANGED <<ours, sent, asked, venue, clock, misled>>

Release ==  \* the taker delay is over, and whom it would have met is gone
  /\ book = "delayed"
  /\ book' = "resting" /\ said' = said \cup {"live"}
  /\ UNCHANGED <<ours, sent, copies, asked, executed, landed, clock, misled>>

Match(shares) ==
  /\ book = "resting"
  /\ executed + shares <= Size
  /\ executed' = executed + shares
  /\ book' = IF executed' = Size THEN "filled" ELSE book
  /\ UNCHANGED <<ours, sent, copies, asked, landed, said, clock, misled>>

\* A cancel is carried out, or not: what is held cannot be cancelled, and what
\* was filled meanwhile may be called cancelled all the same (reference 6, 19).
Says(answer) ==
  CASE book = "resting" -> answer = "withdrawn"
    [] book = "filled"  -> TRUE
    [] OTHER            -> answer = "kept"

Withdraw(answer) ==
  /\ asked
  /\ Says(answer)
  /\ book' = IF book = "resting" THEN "cancelled" ELSE book
  /\ said' = said \cup {answer}
  /\ UNCHANGED <<ours, sent, copies, asked, executed, landed, clock, misled>>

WithdrawAll ==  \* our kill asks for the end of everything, whatever this order is
  /\ sent
  /\ asked' = TRUE
  /\ UNCHANGED <<ours, sent, copies, venue, said, clock, misled>>

Remove(outcome) ==  \* unasked: no balance, market closed, heartbeat lost, invalid, too early
  /\ book \in Open
  /\ book' = outcome
  /\ UNCHANGED <<ours, sent, copies, asked, executed, landed, said, clock, misled>>

Pass ==  \* at its end the venue ends what is open; what we call its end lies behind that
  /\ clock' = IF clock = "before" THEN "ended" ELSE "past"
  /\ book' = IF book \in Open THEN "expired" ELSE book
  /\ UNCHANGED <<ours, sent, copies, asked, executed, landed, said, misled>>

----------------------------------------------------------------------------
Ours ==
  \/ Sign
  \/ Abort
  \/ Submit
  \/ Timeout
  \/ AckLive
  \/ AckDelayed
  \/ Reject
  \/ Duplicate
  \/ \E shares \in 1..Size, known \in BOOLEAN : Fill(shares, known)
  \/ Cancel
  \/ CancelDone
  \/ CancelRefused
  \/ CancelTimeout
  \/ Ended
  \/ \E matched \in 0..Size, delayed \in BOOLEAN : ReadOpen(matched, delayed)
  \/ \E matched \in 0..Size, outcome \in Outcomes : ReadClosed(matched, outcome)
  \/ ReadMissing
  \/ Close

World ==
  \/ \E held \in BOOLEAN : Arrive(held)
  \/ Lose
  \/ SendAgain
  \/ Recognise
  \/ Misreport
  \/ Refuse
  \/ Release
  \/ \E shares \in 1..Size : Match(shares)
  \/ \E answer \in Answers : Withdraw(answer)
  \/ WithdrawAll
  \/ \E outcome \in {"cancelled", "expired", "invalid"} : Remove(outcome)
  \/ Pass

Next == Ours \/ World

\* Only our own timers and questions, and time itself, are sure to happen.  No
\* push is, no answer to a submission, no answer to a cancel; nor a read in time.
TrueRead ==
  /\ clock = "past"
  /\ \/ (\E outcome \in Outcomes : ReadClosed(executed, outcome))
     \/ (book = "none") /\ ReadMissing
Told == \E shares \in 1..Size : Fill(shares, FALSE)

\* SF_vars(Close): nobody repeats for ever what already woke a rejected order once.
Fairness ==
  /\ WF_vars(TrueRead) /\ WF_vars(Told) /\ SF_vars(Close) /\ WF_vars(Pass)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Safety, whatever the venue says.

NoOverfill      == (filled <= executed) /\ (executed <= Size)
BookedOnce      == \A shares \in 1..Size : ~ENABLED Fill(shares, TRUE)
AtMostOneOrder  == landed = (IF book = "none" THEN 0 ELSE 1)
NoGhost         == (state = "closed") => ((book \notin Open) /\ ~CanArrive)
NoLostFill      == (state = "closed") => (filled = executed)
ClosedIsDeaf    == (state = "closed") => ~ENABLED Ours
FilledMeansFull == (state = "filled") <=> ((filled = Size) /\ (state # "closed"))
UntouchedWhileUnfilled == (state \in {"live", "delayed", "submitted"}) => (filled = 0)
NothingBeforeSubmit ==
  ~sent => /\ state \in {"intent", "signed", "rejected", "closed"}
           /\ (copies = 0) /\ (book = "none") /\ (said = {}) /\ ~asked
BelievedIsSaid ==
  /\ (state = "live") => ("live" \in said)
  /\ (state = "delayed") => ("delayed" \in said)
  /\ (state = "pending_cancel") => asked
ReserveExact == reserved = (IF state \in Terminal THEN 0 ELSE Size - filled)

\* Safety, while it has told us nothing untrue: what is held back is all that we may
\* still have to pay for, booked or not; so an end is an end.

MayMatch == IF (book \in Open) \/ CanArrive THEN Size - executed ELSE 0
ReserveCovers == ~misled => (reserved >= (executed - filled) + MayMatch)

\* A timeout is not a rejection, nor is absence: only a refusal, or a record.
RejectedIsProven ==
  ((state = "rejected") /\ ~misled) => (~sent \/ ("refused" \in said) \/ (book = "invalid"))

\* What the world did, in the order in which alone it can be done.
FirstThingsFirst ==
  /\ (book = "none") => (said \subseteq {"refused", "kept"})
  /\ (book # "none") => (copies = 0)
  /\ (executed > 0) => ("live" \in said)
  /\ (executed = Size) <=> (book = "filled")
  /\ (book \in Open) => (clock = "before")
  /\ ((said \cap Answers) # {}) => asked
  /\ ("withdrawn" \in said) => (book \in {"cancelled", "filled"})

\* Whatever can be said at some time has a transition, as long as the order is not
\* forgotten: no fact is a surprise.  And nothing is heard that cannot be said.
NothingIllegal ==
  LET known == state # "closed" IN
    /\ (known /\ sent)                  <=> ENABLED Timeout
    /\ (known /\ ("live" \in said))      <=> ENABLED AckLive
    /\ (known /\ ("delayed" \in said))   <=> ENABLED AckDelayed
    /\ (known /\ ("refused" \in said))   <=> ENABLED Reject
    /\ (known /\ ("duplicate" \in said)) <=> ENABLED Duplicate
    /\ (known /\ (filled < executed))   <=> ENABLED Told
    /\ (known /\ ("withdrawn" \in said)) <=> ENABLED CancelDone
    /\ (known /\ ("kept" \in said))      <=> ENABLED CancelRefused
    /\ (known /\ asked)                 <=> ENABLED CancelTimeout
    /\ (known /\ SaysEnded)             <=> ENABLED Ended
    /\ (known /\ SaysMissing)           <=> ENABLED ReadMissing
    /\ \A matched \in 0..Size :
         /\ \A delayed \in BOOLEAN :
              (known /\ SaysOpen(matched, delayed)) <=> ENABLED ReadOpen(matched, delayed)
         /\ \A outcome \in Outcomes :
              (known /\ SaysClosed(matched, outcome)) <=> ENABLED ReadClosed(matched, outcome)

\* Steps: ours.
FillsOnlyGrow == [][filled' >= filled]_vars
ClosedForGood == [][(state = "closed") => (state' = "closed")]_vars
ClosedLast    == [][(state' = "closed") => (state \in Terminal)]_vars
SignedFirst   ==
  [][/\ ((state' = "submitted") /\ (state # "submitted")) => (state = "signed")
     /\ ((state' = "signed") /\ (state # "signed")) => (state = "intent")]_vars
\* An old answer does not undo what was learned since.
NeverReopened ==
  [][/\ (state = "closing") => (state' \in ({"closing"} \cup Done))
     /\ (state \in Finished) => (state' \in (Finished \cup {"closed"}))
     /\ (state = "pending_cancel") => (state' \notin {"live", "delayed", "partially_filled"})]_vars

Ends     == (state \notin Done) /\ (state' \in Done)
ByRecord == ReadMissing \/ (\E m \in 0..Size, outcome \in Outcomes : ReadClosed(m, outcome))

\* Neither silence nor absence is an end, before its time.
SilenceProvesNothing ==
  [][(Timeout \/ CancelTimeout \/ (ReadMissing /\ (clock # "past"))) => ~Ends]_vars
AbsenceProvesOnlyTheEnd ==
  [][(Ends /\ (state' = "expired") /\ (book \notin Over)) => (clock = "past")]_vars
\* An acknowledged cancel erases no fill and ends nothing: its record decides.
CancelProvesNothing ==
  [][CancelDone =>
       ((filled' = filled) /\ (state' \in (Finished \cup {"closing"})) /\ ~Ends)]_vars
\* Nothing is taken for over but by an end, or by a refusal against signs of life.
OnlyAnEndCloses ==
  [][((state' = "closing") /\ (state \notin {"closing", "rejected"})) =>
       ((book \in Over) \/ ("refused" \in said))]_vars
RecordFirst == [][((state = "closing") /\ Ends) => (Told \/ ByRecord)]_vars
\* Of a refusal and a sign of life the latter is believed, whatever comes first.
LifeOutweighsRefusal ==
  [][((state \in {"live", "delayed", "closing"}) /\ (state' = "rejected")) =>
       (book \in Over)]_vars
WokenByLife ==
  [][((state = "rejected") /\ (state' = "closing")) => ((said \cap Alive) # {})]_vars

\* Steps: those of an order as models/Engine.tla composes it, by its names there, from its journal
\* on; what cannot be made an order of any more is dead there, and no copy is lost before.
EngineBelief == IF state = "closed" THEN "closed" ELSE "journaled"
EngineBooked == (state \in (Finished \cup {"closed"})) /\ (filled = executed) /\ (executed > 0)
EngineCopies == IF sent /\ (book = "none") THEN 1 ELSE 0
EngineDead   == (book = "none") /\ ~CanArrive /\ (state \notin {"intent", "signed", "submitted"})
EngineVenue  ==
  CASE book \in (Open \cup {"none"}) -> IF book = "none" THEN "none" ELSE "live"
    [] OTHER -> IF executed > 0 THEN "filled" ELSE "gone"
EngineOver ==
  \/ EngineVenue = "gone"
  \/ (EngineVenue = "filled") /\ EngineBooked
  \/ (EngineVenue = "none") /\ EngineDead

EngineOrder == <<EngineBelief, EngineBooked, EngineCopies, EngineDead, EngineVenue, landed>>
Becomes(belief, booked, many, dead, there, made) ==
  EngineOrder' = <<belief, booked, many, dead, there, made>>
EngineRead ==  \* Book, Close
  /\ EngineBelief = "journaled"
  /\ \/ /\ (EngineVenue = "filled") /\ ~EngineBooked
        /\ Becomes(EngineBelief, TRUE, EngineCopies, EngineDead, EngineVenue, landed)
     \/ /\ EngineOver
        /\ Becomes("closed", EngineBooked, EngineCopies, EngineDead, EngineVenue, landed)
EngineSend ==
  /\ (EngineBelief = "journaled") /\ (EngineCopies = 0)
  /\ Becomes(EngineBelief, EngineBooked, 1, EngineDead, EngineVenue, landed)
EngineAccept ==
  /\ (EngineCopies = 1) /\ (EngineVenue = "none") /\ ~EngineDead
  /\ Becomes(EngineBelief, EngineBooked, 0, EngineDead, "live", landed + 1)
EngineEnd ==  \* Fill, Remove
  /\ EngineVenue = "live"
  /\ \E end \in {"filled", "gone"} :
       Becomes(EngineBelief, EngineBooked, EngineCopies, EngineDead, end, landed)
EngineExpire == Becomes(EngineBelief, EngineBooked, EngineCopies, TRUE, EngineVenue, landed)

RefinesEngine ==
  [][/\ (state = "intent") => (EngineOrder = <<"journaled", FALSE, 0, FALSE, "none", 0>>)
     /\ \/ EngineOrder' = EngineOrder
        \/ EngineRead \/ EngineSend \/ EngineAccept \/ EngineEnd \/ EngineExpire]_vars

\* Steps: the world's.
SaidForGood   == [][said \subseteq said']_vars
OverForGood   == [][(book \in Over) => UNCHANGED venue]_vars
MatchedAtRest == [][(executed' # executed) => ((book = "resting") /\ (executed' > executed))]_vars
DelayedFirst  == [][(book' = "delayed") => (book \in {"none", "delayed"})]_vars
SentBySubmit  == [][(copies' > copies) => ((state = "signed") \/ (state = "submitted"))]_vars
KnownInTime ==
  [][(("duplicate" \in said') /\ ("duplicate" \notin said)) =>
       ((book # "none") /\ (clock = "before"))]_vars
AnsweredTruly ==
  [][/\ (("withdrawn" \in said') /\ ("withdrawn" \notin said)) => (book \in {"resting", "filled"})
     /\ (("kept" \in said') /\ ("kept" \notin said)) => (book' = book)]_vars

\* Liveness: an order that was sent comes to rest, and so does one that we cancel.
SubmittedCloses == (state = "submitted") ~> (state = "closed")
CancelEnds      == (state = "pending_cancel") ~> (state \in Terminal)
NoLimbo         == (state = "unknown") ~> (state # "unknown")

\* Witnesses: each must be VIOLATED, or the model is too tame to mean anything.
NeverLateFill     == ~((state = "cancelled") /\ (filled < executed))
NeverUnknownLive  == ~((state = "unknown") /\ (book = "resting"))
NeverFilledAfterCancel == ~((state = "filled") /\ asked)
NeverRefusedAlive == ~((state = "rejected") /\ (book = "resting"))
============================================================================
