----------------------------- MODULE Settlement -----------------------------
(***************************************************************************)
(* The life of one market's outcome, from trading until it paid.  Mirrors  *)
(* polybawt/core/machines/settlement.py.                                   *)
(*                                                                         *)
(* Two voices: the oracle, whose report of the closing second against the  *)
(* strike lets us observe an outcome, and the venue, which publishes what  *)
(* each share pays.  The oracle may stay silent, contradict itself and     *)
(* tell the strike after the close.  The venue's outcome is proposed, may  *)
(* be disputed, is then proposed anew, and at a second dispute put to a    *)
(* vote; each may be yes, no or split.  The venue may publish what is only *)
(* proposed, and what nobody proposed, but corrects itself in the end.     *)
(* Whatever was published may be heard at any time after, in any order.    *)
(* Only what is published is ever paid, and only while nothing that we     *)
(* know speaks against it, unless an operator accepts it.                  *)
(*                                                                         *)
(* Not here: amounts (a payout is yes, no or split), the values of the     *)
(* reports (one is above the other), that Pay waits for the orders and     *)
(* trades of the market, and what a position makes of it (Position).       *)
(***************************************************************************)
VARIABLES
  state,      \* ours:  what the machine believes
  strike,     \* ours:  the strike, "" if we do not know it
  close,      \* ours:  the report of the closing second, "" if we do not know it
  observed,   \* ours:  the outcome we saw, "" if we did not
  payout,     \* ours:  what was last published to us, "" if nothing was
  decided,    \* ours:  whether an operator accepted it against what else we know
  paid,       \* ours:  what was paid, "" if nothing was
  phase,      \* world: how far the venue's own procedure is
  answer,     \* world: what was proposed or voted last, "" if nothing was
  published   \* world: all that the venue ever published

ours  == <<state, strike, close, observed, payout, decided, paid>>
world == <<phase, answer, published>>
vars  == <<ours, world>>

States   == {"trading", "ended", "observed", "unprovable", "resolved", "conflicting", "paid"}
Outcomes == {"yes", "no"}
Payouts  == {"yes", "no", "split"}
Values   == {"low", "high"}  \* of a strike and of a closing report
Phases   == {"open", "proposed", "reset", "reproposed", "voting", "final"}
Open     == {"trading", "ended", "observed", "unprovable", "resolved", "conflicting"}
Blind    == {"ended", "unprovable"}       \* the end has passed, and nobody has said anything
Spoken   == {"resolved", "conflicting"}   \* the venue has

TypeOK ==
  /\ (state \in States)
  /\ (strike \in (Values \cup {""})) /\ (close \in (Values \cup {""}))
  /\ (observed \in (Outcomes \cup {""}))
  /\ (payout \in (Payouts \cup {""})) /\ (paid \in (Payouts \cup {""}))
  /\ (decided \in BOOLEAN)
  /\ (phase \in Phases) /\ (answer \in (Payouts \cup {""})) /\ (published \subseteq Payouts)

Init ==
  /\ state = "trading" /\ strike = "" /\ close = ""
  /\ observed = "" /\ payout = "" /\ decided = FALSE /\ paid = ""
  /\ phase = "open" /\ answer = "" /\ published = {}

\* Equality settles yes (reference 5.4).
Seen(opening, closing) == IF (opening = "high") /\ (closing = "low") THEN "no" ELSE "yes"

\* The guards.
StrikeUnknown  == strike = ""
ClosingKnown   == close # ""
Decidable      == strike # ""
Confirms(seen) == payout = seen
Agrees(what)   == (observed # "") /\ (what = observed)
Repeats(what)  == what = payout
Unobserved     == observed = ""

----------------------------- (* the machine *) -----------------------------

\* The strike may be told after the close, and after the venue has spoken.
Strike(value_e18) ==
  /\ state \in Open
  /\ LET shows == StrikeUnknown /\ ClosingKnown
         seen  == Seen(value_e18, close)
     IN  /\ state' = CASE (state \in Blind) /\ shows -> "observed"
                       [] (state \in Spoken) /\ shows /\ Confirms(seen) -> "resolved"
                       [] (state \in Spoken) /\ shows /\ ~Confirms(seen) -> "conflicting"
                       [] OTHER -> state
         /\ observed' = IF shows THEN seen ELSE observed
         /\ decided' = (decided /\ ~shows)
  /\ strike' = IF StrikeUnknown THEN value_e18 ELSE strike
  /\ UNCHANGED <<close, payout, paid, world>>

End ==
  /\ state = "trading"
  /\ state' = "ended"
  /\ UNCHANGED <<strike, close, observed, payout, decided, paid, world>>

\* The report of the closing second is itself proof that the end has passed:
\* the kernel sends End first.
CloseReport(value_e18) ==
  /\ (state \in Open) /\ (state # "trading")
  /\ LET shows == ~ClosingKnown /\ Decidable
         seen  == Seen(strike, value_e18)
     IN  /\ state' = CASE (state \in Blind) /\ shows -> "observed"
                       [] (state \in Spoken) /\ shows /\ Confirms(seen) -> "resolved"
                       [] (state \in Spoken) /\ shows /\ ~Confirms(seen) -> "conflicting"
                       [] OTHER -> state
         /\ observed' = IF shows THEN seen ELSE observed
         /\ decided' = (decided /\ ~shows)
  /\ close' = IF ClosingKnown THEN close ELSE value_e18
  /\ UNCHANGED <<strike, payout, paid, world>>

GiveUp ==
  /\ state = "ended"
  /\ state' = "unprovable"
  /\ UNCHANGED <<strike, close, observed, payout, decided, paid, world>>

Publish(what) ==
  /\ what \in published
  /\ state \in Open
  /\ state' = CASE state \in {"trading", "ended", "unprovable"} -> "resolved"
                [] (state \in {"observed", "resolved"}) /\ Agrees(what) -> "resolved"
                [] (state = "resolved") /\ Repeats(what) -> "resolved"
                [] (state = "conflicting") /\ Agrees(what) -> "resolved"
                [] (state = "conflicting") /\ Unobserved /\ Repeats(what) -> "resolved"
                [] OTHER -> "conflicting"
  /\ payout' = what
  /\ decided' = (decided /\ Repeats(what))
  /\ UNCHANGED <<strike, close, observed, paid, world>>

\* An operator with a reason accepts what is published, whatever speaks against it.
Decide(what) ==
  /\ state = "conflicting"
  /\ Repeats(what)
  /\ state' = "resolved"
  /\ decided' = TRUE
  /\ UNCHANGED <<strike, close, observed, payout, paid, world>>

\* The kernel pays when no order of the market is open and every trade is at rest.
Pay ==
  /\ state = "resolved"
  /\ state' = "paid"
  /\ paid' = payout
  /\ UNCHANGED <<strike, close, observed, payout, decided, world>>

--------------------------- (* the world: the venue *) ---------------------------

Propose(what) ==
  /\ phase \in {"open", "reset"}
  /\ phase' = IF phase = "open" THEN "proposed" ELSE "reproposed"
  /\ answer' = what
  /\ UNCHANGED <<ours, published>>

Dispute ==  \* the first one resets, the second one calls for a vote (reference 5.3)
  /\ phase \in {"proposed", "reproposed"}
  /\ phase' = IF phase = "proposed" THEN "reset" ELSE "voting"
  /\ UNCHANGED <<ours, answer, published>>

Vote(what) ==
  /\ phase = "voting"
  /\ phase' = "final" /\ answer' = what
  /\ UNCHANGED <<ours, published>>

Lapse ==  \* nobody disputed in time
  /\ phase \in {"proposed", "reproposed"}
  /\ phase' = "final"
  /\ UNCHANGED <<ours, answer, published>>

Announce ==  \* what is final; but some of its interfaces do not wait for that
  /\ phase \in {"proposed", "reproposed", "final"}
  /\ published' = published \cup {answer}
  /\ UNCHANGED <<ours, phase, answer>>

Flip(what) ==  \* it says late what was never the answer
  /\ phase = "final"
  /\ answer \in published
  /\ published' = published \cup {what}
  /\ UNCHANGED <<ours, phase, answer>>

----------------------------------------------------------------------------
Closed == (state = "paid") /\ UNCHANGED vars

Ours ==
  \/ \E value_e18 \in Values : Strike(value_e18)
  \/ End
  \/ \E value_e18 \in Values : CloseReport(value_e18)
  \/ GiveUp
  \/ \E what \in Payouts : Publish(what)
  \/ \E what \in Payouts : Decide(what)
  \/ Pay

World ==
  \/ \E what \in Payouts : Propose(what)
  \/ Dispute
  \/ \E what \in Payouts : Vote(what)
  \/ Lapse
  \/ Announce
  \/ \E what \in Payouts : Flip(what)

Next == Ours \/ World \/ Closed

\* We ask the venue until it says something; the operator who is called comes; and we pay
\* in the very step in which it becomes due, once all else is at rest.
Heard    == \E what \in Payouts : Publish(what)
Operator == \E what \in Payouts : Decide(what)
Fairness == WF_vars(Heard) /\ WF_vars(Operator) /\ SF_vars(Pay)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* Only the venue's word is paid, once, and never while something speaks against it.
NeverGuessed    == (state \in {"resolved", "conflicting", "paid"}) <=> (payout # "")
PayoutIsPublished == (payout # "") => (payout \in published)
PaidIsPayout    == paid = (IF state = "paid" THEN payout ELSE "")
VoicesAgree     ==
  ((state \in {"resolved", "paid"}) /\ (observed # "")) => ((payout = observed) \/ decided)
ConflictIsReal  ==
  (state = "conflicting") =>
    IF observed = "" THEN published # {payout} ELSE payout # observed

\* An outcome is observed as soon as it can be, in whatever order the two were told.
ObservedIsSeen  ==
  observed = (IF (strike # "") /\ (close # "") THEN Seen(strike, close) ELSE "")
ObservedFits    == (state = "observed") <=> ((observed # "") /\ (payout = "") /\ (state # "paid"))
NothingBeforeTheEnd == (state = "trading") => (close = "")

\* A decision is about the payouts that it was shown, and about all that spoke against them.
DecidedIsSettled  == decided => (state \in {"resolved", "paid"})
DecidesWhatStands ==
  \A what \in Payouts : (ENABLED Decide(what)) => ((state = "conflicting") /\ (what = payout))

\* The venue's procedure: an answer has been proposed, and the last word is not a dispute.
AnsweredWhenProposed == (phase = "open") <=> (answer = "")
PublishedHasOrigin   == (phase = "open") => (published = {})
NothingIllegal ==
  state \in Open =>
    /\ \A value_e18 \in Values : ENABLED Strike(value_e18)
    /\ (state # "trading") => (\A value_e18 \in Values : ENABLED CloseReport(value_e18))
    /\ \A what \in published : ENABLED Publish(what)
    /\ (state = "conflicting") => ENABLED Decide(payout)

PaidForGood    == [][(state = "paid") => UNCHANGED ours]_vars
FirstStands    ==
  [][((strike # "") => (strike' = strike)) /\ ((close # "") => (close' = close))]_vars
NeverUnsaid    == [][published \subseteq published']_vars
EndsOnce       == [][(state' = "ended") => (state \in {"trading", "ended"})]_vars
GivenUpAtTheEnd == [][(state' = "unprovable") => (state \in {"ended", "unprovable"})]_vars
ConflictEnds   ==  \* by new evidence, by the venue's word, or by an operator
  [][((state = "conflicting") /\ (state' = "resolved")) =>
       \/ (observed' # "") /\ (observed' = payout')
       \/ (observed = "") /\ (payout' = payout)
       \/ decided']_vars
DecidesConflicts ==
  [][(decided' /\ ~decided) => ((state = "conflicting") /\ (payout' = payout))]_vars
\* The procedure runs its course.
Course ==
  [][(phase' # phase) =>
       (<<phase, phase'>> \in
         {<<"open", "proposed">>, <<"proposed", "reset">>, <<"proposed", "final">>,
          <<"reset", "reproposed">>, <<"reproposed", "voting">>, <<"reproposed", "final">>,
          <<"voting", "final">>})]_vars
AnswersChangeByProcedure ==
  [][(answer' # answer) => (phase' \in {"proposed", "reproposed", "final"} /\ (phase' # phase))]_vars
PublishesAnswers ==  \* but for what comes late
  [][(published' # published) =>
       ((published' = published \cup {answer}) \/ ((phase = "final") /\ (answer \in published)))]_vars
NothingInDispute == [][(phase \in {"reset", "voting"}) => (published' = published)]_vars

\* Whatever the venue says, once it has said anything its market is paid in the end.
PaysInTheEnd == (published # {}) ~> (state = "paid")

\* Witnesses: each must be VIOLATED.
NeverLateStrike     == ~((state = "observed") /\ (payout = "") /\ (published = {}))
NeverCorrected      == ~((state = "paid") /\ (observed # "") /\ (published = Payouts) /\ ~decided)
NeverPaidTooEarly   == ~((state = "paid") /\ (phase = "final") /\ (paid # answer))
NeverPaidByDecision == ~((state = "paid") /\ decided)
============================================================================
