------------------------------- MODULE Order -------------------------------
(***************************************************************************)
(* The life of one order.  Mirrors polybawt/core/machines/order.py: an     *)
(* action of the machine half is an action class there, its parameters and *)
(* guards stand in the same order, and `state' is the record's state.      *)
(*                                                                         *)
(* The world half is an exchange that is not ours to trust.  A request may *)
(* be lost or arrive late, an answer may come late, twice or never, a push *)
(* may be repeated or outrun what came before it, a read may be stale, and *)
(* a record may count fewer matches than there were.  So what was ever     *)
(* said may be heard at any later time, again and again: `said' only grows.*)
(*                                                                         *)
(* Not here: what a FAILED trade takes back (Trade, Position), repeated    *)
(* fills (the kernel drops a trade it knows), prices, and two copies that  *)
(* are both in flight.                                                     *)
(***************************************************************************)
EXTENDS Naturals

CONSTANT Size
ASSUME Size \in Nat \ {0}

VARIABLES
  state,    \* ours:    what the machine believes
  filled,   \* ours:    what it has booked
  post,     \* network: the submission is idle, sent, taken or lost
  cancel,   \* network: a cancel was never asked for, is sent, or was answered
  book,     \* venue:   what it really is there
  matched,  \* venue:   what was really matched
  said,     \* venue:   all that was ever said of it, in answers and pushes
  clock,    \* both:    before its end, after it, or past what we call its end
  lied      \* venue:   something untrue was said, and heard by us

ours  == <<state, filled>>
world == <<post, cancel, book, matched, said, clock, lied>>
vars  == <<ours, world>>

States == {"intent", "signed", "submitted", "live", "delayed", "partially_filled",
           "unknown", "pending_cancel", "closing", "filled", "cancelled",
           "rejected", "expired", "closed"}
Done     == {"filled", "cancelled", "expired", "rejected"}  \* an end, not yet forgotten
Finished == {"filled", "cancelled", "expired"}  \* an end that its own record or fills showed
InFlight == States \ (Done \cup {"intent", "signed", "closed"})
Polled   == {"unknown", "pending_cancel", "closing"}
Open     == {"delayed", "resting"}
Over     == {"refused", "filled", "cancelled", "expired"}
Outcomes == {"cancelled", "expired", "refused"}

TypeOK ==
  /\ state \in States
  /\ filled \in 0..Size /\ matched \in 0..Size
  /\ post \in {"idle", "sent", "taken", "lost"}
  /\ cancel \in {"never", "sent", "answered"}
  /\ book \in ({"none"} \cup Open \cup Over)
  /\ said \subseteq {"live", "delayed", "refused", "duplicate", "ended", "withdrawn", "kept"}
  /\ clock \in {"before", "ended", "past"}
  /\ lied \in BOOLEAN

Init ==
  /\ state = "intent" /\ filled = 0
  /\ post = "idle" /\ cancel = "never" /\ book = "none" /\ matched = 0
  /\ said = {} /\ clock = "before" /\ lied = FALSE

\* What the venue can truthfully, or at least possibly, answer to a read.
SaysOpen(total, held) ==
  IF held THEN ("delayed" \in said) /\ (total = 0)
          ELSE ("live" \in said) /\ (total <= matched) /\ (total < Size)
SaysClosed(total, outcome) ==  \* a record of MATCHED may also be a part that ended
  /\ book \in Over
  /\ outcome = IF book = "filled" THEN "cancelled" ELSE book
  /\ total <= matched
SaysMissing == post # "idle"  \* not yet, not any more, or not just now

\* Nothing more can be matched or arrive, and we know of all that was.  The
\* kernel waits (KEEP_ENDED_NS), long enough, we assume, for this to be true.
CanArrive == (post = "sent") /\ (book = "none") /\ (clock = "before")
AtRest == (filled = matched) /\ (book \notin Open) /\ ~CanArrive

----------------------------- (* the machine *) -----------------------------

Sign ==
  /\ state = "intent"
  /\ state' = "signed"
  /\ UNCHANGED <<filled, world>>

Abort ==
  /\ state \in {"intent", "signed"}
  /\ state' = "rejected"
  /\ UNCHANGED <<filled, world>>

Submit ==
  /\ state = "signed"
  /\ state' = "submitted"
  /\ post' = "sent"
  /\ UNCHANGED <<filled, cancel, book, matched, said, clock, lied>>

Timeout ==
  /\ post # "idle"
  /\ state \in (InFlight \cup Done)
  /\ state' = IF state = "submitted" THEN "unknown" ELSE state
  /\ UNCHANGED <<filled, world>>

AckLive ==
  /\ "live" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state \in {"submitted", "delayed", "live"} -> "live"
                [] state = "unknown" ->
                     IF filled = 0 THEN "live" ELSE "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ UNCHANGED <<filled, world>>

AckDelayed ==
  /\ "delayed" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state = "submitted" -> "delayed"
                [] state = "unknown" ->
                     IF filled = 0 THEN "delayed" ELSE "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ UNCHANGED <<filled, world>>

Reject ==
  /\ "refused" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state \in {"submitted", "unknown", "pending_cancel"} ->
                     IF filled = 0 THEN "rejected" ELSE "closing"
                [] state \in {"live", "delayed", "partially_filled"} -> "closing"
                [] OTHER -> state
  /\ lied' = (lied \/ (book \notin {"none", "refused"}) \/ (matched > 0))
  /\ UNCHANGED <<filled, post, cancel, book, matched, said, clock>>

Duplicate ==
  /\ "duplicate" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state = "submitted" -> "unknown"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ UNCHANGED <<filled, world>>

Fill(shares) ==
  /\ shares \in 1..(matched - filled)
  /\ state \in (InFlight \cup Done)
  /\ filled' = filled + shares
  /\ state' = CASE filled' = Size -> "filled"
                [] (filled' < Size) /\ (state \in {"submitted", "live", "delayed", "unknown"}) ->
                     "partially_filled"
                [] (filled' < Size) /\ (state = "rejected") -> "closing"
                [] OTHER -> state
  /\ UNCHANGED world

Cancel ==
  /\ state \in {"live", "delayed", "partially_filled", "unknown", "pending_cancel", "closing"}
  /\ state' = IF state = "closing" THEN state ELSE "pending_cancel"
  /\ cancel' = "sent"
  /\ UNCHANGED <<filled, post, book, matched, said, clock, lied>>

CancelDone ==
  /\ "withdrawn" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = IF state \in Finished THEN state ELSE "closing"
  /\ UNCHANGED <<filled, world>>

CancelRefused ==
  /\ "kept" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = IF state = "pending_cancel" THEN "unknown" ELSE state
  /\ UNCHANGED <<filled, world>>

CancelTimeout ==
  /\ cancel # "never"
  /\ state \in (InFlight \cup Done)
  /\ state' = IF state = "pending_cancel" THEN "unknown" ELSE state
  /\ UNCHANGED <<filled, world>>

Ended ==
  /\ "ended" \in said
  /\ state \in (InFlight \cup Done)
  /\ state' = IF state \in Done THEN state ELSE "closing"
  /\ UNCHANGED <<filled, world>>

ReadOpen(total, held) ==
  /\ SaysOpen(total, held)
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state \in {"submitted", "delayed"} -> IF held THEN "delayed" ELSE "live"
                [] (state = "unknown") /\ (filled = 0) -> IF held THEN "delayed" ELSE "live"
                [] (state = "unknown") /\ (filled > 0) -> "partially_filled"
                [] state = "rejected" -> "closing"
                [] OTHER -> state
  /\ UNCHANGED <<filled, world>>

\* What a record calls refused, but counts matches of, has only ended.
Name(outcome) ==
  CASE outcome = "expired" -> "expired"
    [] (outcome = "refused") /\ (filled = 0) -> "rejected"
    [] OTHER -> "cancelled"

ReadClosed(total, outcome) ==
  /\ SaysClosed(total, outcome)
  /\ state \in (InFlight \cup Done)
  /\ state' = CASE state \in Done -> state
                [] (state \notin Done) /\ (total = filled) -> Name(outcome)
                [] OTHER -> "closing"
  /\ lied' = (lied \/ (total # matched))
  /\ UNCHANGED <<filled, post, cancel, book, matched, said, clock>>

ReadMissing ==
  /\ SaysMissing
  /\ state \in (InFlight \cup Done)
  /\ state' = IF (state \in InFlight) /\ (clock = "past") THEN "expired" ELSE state
  /\ lied' = (lied \/ ((clock = "past") /\ (book # "none")))
  /\ UNCHANGED <<filled, post, cancel, book, matched, said, clock>>

Close ==
  /\ state \in Done
  /\ AtRest
  /\ state' = "closed"
  /\ UNCHANGED <<filled, world>>

------------------ (* the world: the exchange simulated in sim *) ------------------

Say(what) == said' = said \cup what

Arrive ==  \* accepted: it rests, or is held for the taker delay
  /\ CanArrive
  /\ \/ (book' = "resting") /\ Say({"live"})
     \/ (book' = "delayed") /\ Say({"delayed"})
  /\ post' = "taken"
  /\ UNCHANGED <<ours, cancel, matched, clock, lied>>

Refuse ==  \* before its end for any reason, after it because it is late
  /\ (post = "sent") /\ (book = "none")
  /\ post' = "taken" /\ Say({"refused"})
  /\ UNCHANGED <<ours, cancel, book, matched, clock, lied>>

Misreport ==  \* refused in the answer, yet it landed (reference 6, items 1 and 3)
  /\ CanArrive
  /\ \/ (book' = "resting") /\ Say({"refused", "live"})
     \/ (book' = "delayed") /\ Say({"refused", "delayed"})
  /\ post' = "taken"
  /\ UNCHANGED <<ours, cancel, matched, clock, lied>>

Lose ==
  /\ post = "sent"
  /\ post' = "lost"
  /\ UNCHANGED <<ours, cancel, book, matched, said, clock, lied>>

SendAgain ==  \* the same bytes, because their answer was lost; a refusal went with it
  /\ (state = "submitted") /\ (post \in {"taken", "lost"})
  /\ post' = "sent" /\ said' = said \ {"refused"}
  /\ UNCHANGED <<ours, cancel, book, matched, clock, lied>>

Recognise ==  \* the venue knows these bytes (reference 3.5)
  /\ (post = "sent") /\ (book # "none")
  /\ post' = "taken" /\ Say({"duplicate"})
  /\ UNCHANGED <<ours, cancel, book, matched, clock, lied>>

Release ==  \* the taker delay is over
  /\ book = "delayed"
  /\ \/ (clock = "before") /\ (book' = "resting") /\ Say({"live"})
     \/ (book' = "refused") /\ Say({"ended"})
     \/ (book' = "cancelled") /\ Say({"ended"})
  /\ UNCHANGED <<ours, post, cancel, matched, clock, lied>>

Match ==
  /\ (book = "resting") /\ (clock = "before")
  /\ matched' \in (matched + 1)..Size
  /\ book' = IF matched' = Size THEN "filled" ELSE book
  /\ said' = IF matched' = Size THEN said \cup {"ended"} ELSE said
  /\ UNCHANGED <<ours, post, cancel, clock, lied>>

\* A cancel is carried out, or not: what is held cannot be cancelled, and what
\* was filled meanwhile may be called cancelled all the same (reference 6, 19).
Withdraw ==
  /\ cancel = "sent"
  /\ cancel' = "answered"
  /\ IF book = "resting"
       THEN (book' = "cancelled") /\ Say({"withdrawn", "ended"})
       ELSE (book' = book) /\ (Say({"kept"}) \/ ((book = "filled") /\ Say({"withdrawn"})))
  /\ UNCHANGED <<ours, post, matched, clock, lied>>

WithdrawAll ==  \* our kill asks for the end of everything, whatever this order is
  /\ (post # "idle") /\ (cancel = "never")
  /\ cancel' = "sent"
  /\ UNCHANGED <<ours, post, book, matched, said, clock, lied>>

Remove ==  \* ended unasked: no balance, market closed, heartbeat lost, found invalid
  /\ book = "resting"
  /\ (book' \in {"cancelled", "refused"}) /\ Say({"ended"})
  /\ UNCHANGED <<ours, post, cancel, matched, clock, lied>>

Pass ==  \* what we call its end lies a margin behind the venue's
  /\ clock # "past"
  /\ clock' = IF clock = "before" THEN "ended" ELSE "past"
  /\ UNCHANGED <<ours, post, cancel, book, matched, said, lied>>

Expire ==
  /\ (clock # "before") /\ (book \in Open)
  /\ book' = "expired" /\ Say({"ended"})
  /\ UNCHANGED <<ours, post, cancel, matched, clock, lied>>

----------------------------------------------------------------------------
Closed == (state = "closed") /\ UNCHANGED vars  \* the one place to come to rest

Read == \/ \E total \in 0..Size, held \in BOOLEAN : ReadOpen(total, held)
        \/ \E total \in 0..Size, outcome \in Outcomes : ReadClosed(total, outcome)
        \/ ReadMissing

Next ==
  \/ Sign \/ Abort \/ Submit \/ Timeout
  \/ AckLive \/ AckDelayed \/ Reject \/ Duplicate
  \/ (\E shares \in 1..Size : Fill(shares))
  \/ Cancel \/ CancelDone \/ CancelRefused \/ CancelTimeout
  \/ Ended \/ Read \/ Close
  \/ Arrive \/ Refuse \/ Misreport \/ Lose \/ SendAgain \/ Recognise \/ Release \/ Match
  \/ Withdraw \/ WithdrawAll \/ Remove \/ Pass \/ Expire
  \/ Closed

\* Only our own timers and questions, and time itself, are sure to happen.  No
\* push is, no answer to a submission, no answer to a cancel.
TrueRead ==
  /\ (state \in Polled) \/ (clock = "past")
  /\ \/ ReadOpen(matched, book = "delayed") /\ (book \in Open)
     \/ (\E outcome \in Outcomes : ReadClosed(matched, outcome))
     \/ ReadMissing /\ (book = "none")
Told == \E shares \in 1..Size : Fill(shares)

\* SF_vars(Close): nobody repeats for ever what already woke a rejected order once.
Fairness ==
  /\ WF_vars(Timeout) /\ WF_vars(TrueRead) /\ WF_vars(Told) /\ SF_vars(Close)
  /\ WF_vars(Pass) /\ WF_vars(Expire)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Safety, whatever the venue says.

NoOverfill == (filled <= matched) /\ (matched <= Size)
NoGhost    == (state = "closed") => ((book \notin Open) /\ ~CanArrive)
NoLostFill == (state = "closed") => (filled = matched)
FilledMeansFull == (state = "filled") <=> ((filled = Size) /\ (state # "closed"))
UntouchedWhileUnfilled == (state \in {"live", "delayed", "submitted"}) => (filled = 0)
NothingBeforeSubmit == (post = "idle") => (state \in {"intent", "signed", "rejected", "closed"})

\* Safety, while it has told us nothing untrue: an end is an end.

EndedIsComplete ==
  ((state \in Done) /\ ~lied) => AtRest

\* A timeout is not a rejection, nor is absence: only a refusal, or a record.
RejectedIsProven ==
  ((state = "rejected") /\ ~lied) =>
    ((post = "idle") \/ ("refused" \in said) \/ (book = "refused"))

\* Whatever can be said at some time has a transition: no fact is a surprise.
NothingIllegal ==
  state # "closed" =>
    /\ (post # "idle")          => ENABLED Timeout
    /\ ("live" \in said)        => ENABLED AckLive
    /\ ("delayed" \in said)     => ENABLED AckDelayed
    /\ ("refused" \in said)     => ENABLED Reject
    /\ ("duplicate" \in said)   => ENABLED Duplicate
    /\ (filled < matched)       => ENABLED Told
    /\ ("withdrawn" \in said)   => ENABLED CancelDone
    /\ ("kept" \in said)        => ENABLED CancelRefused
    /\ (cancel # "never")       => ENABLED CancelTimeout
    /\ ("ended" \in said)       => ENABLED Ended
    /\ \A total \in 0..Size :
         /\ \A held \in BOOLEAN  : SaysOpen(total, held)      => ENABLED ReadOpen(total, held)
         /\ \A outcome \in Outcomes : SaysClosed(total, outcome) => ENABLED ReadClosed(total, outcome)
    /\ SaysMissing              => ENABLED ReadMissing

\* Steps.
FillsOnlyGrow  == [][filled' >= filled]_vars
ClosedForGood  == [][(state = "closed") => (state' = "closed")]_vars
CancelProvesNothing == [][(state = "pending_cancel" /\ CancelDone) => (state' = "closing")]_vars

\* Liveness: an order that was sent comes to rest, and so does one that we cancel.
SubmittedCloses == (state = "submitted") ~> (state = "closed")
CancelEnds      == (state = "pending_cancel") ~> (state \in (Done \cup {"closed"}))
NoLimbo         == (state = "unknown") ~> (state # "unknown")

\* Witnesses: each must be VIOLATED, or the model is too tame to mean anything.
NeverLateFill     == ~((state = "cancelled") /\ (filled < matched))
NeverUnknownLive  == ~((state = "unknown") /\ (book = "resting"))
NeverFilledAfterCancel == ~((state = "filled") /\ (cancel # "never"))
NeverRefusedAlive == ~((state = "rejected") /\ (book = "resting"))
============================================================================
