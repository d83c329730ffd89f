----------------------------- MODULE Settlement -----------------------------
(***************************************************************************)
(* The life of one market's outcome, from trading until it paid.  Mirrors  *)
(* polybawt/core/machines/settlement.py.                                   *)
(*                                                                         *)
(* Two voices: the oracle, whose report of the closing second against the  *)
(* strike lets us observe an outcome, and the venue, which publishes what  *)
(* each share pays.  The oracle may stay silent, the strike may come after *)
(* the close, and the venue may publish early, split, wrongly, and correct *)
(* itself.  Only what is published is ever paid.                           *)
(*                                                                         *)
(* Not here: amounts (a payout is yes, no or split), who may trade until   *)
(* when, and what a position makes of it (Position).                       *)
(***************************************************************************)
EXTENDS Naturals

VARIABLES
  state,      \* ours:  what the machine believes
  strike,     \* ours:  whether we know the strike
  close,      \* ours:  whether we know the report of the closing second
  observed,   \* ours:  the outcome we saw, "" if we did not
  payout,     \* ours:  what was last published to us, "" if nothing was
  paid,       \* ours:  what was paid, "" if nothing was
  truth,      \* world: what the reports say the outcome is
  published   \* world: all that the venue has published, in some order

ours  == <<state, strike, close, observed, payout, paid>>
world == <<truth, published>>
vars  == <<ours, world>>

States   == {"trading", "ended", "observed", "unprovable", "resolved", "conflicting", "paid"}
Outcomes == {"yes", "no"}
Payouts  == {"yes", "no", "split"}
Open     == States \ {"paid"}
After    == Open \ {"trading"}  \* the end has passed; or the venue was that early

TypeOK ==
  /\ state \in States
  /\ strike \in BOOLEAN /\ close \in BOOLEAN
  /\ observed \in (Outcomes \cup {""})
  /\ payout \in (Payouts \cup {""}) /\ paid \in (Payouts \cup {""})
  /\ truth \in Outcomes /\ published \subseteq Payouts

Init ==
  /\ state = "trading" /\ strike = FALSE /\ close = FALSE
  /\ observed = "" /\ payout = "" /\ paid = ""
  /\ truth \in Outcomes /\ published = {}

Agrees(what)  == (observed # "") /\ (what = observed)
Repeats(what) == what = payout

----------------------------- (* the machine *) -----------------------------

Strike ==
  /\ state \in Open
  /\ state' = IF (state \in {"ended", "unprovable"}) /\ ~strike /\ close THEN "observed" ELSE state
  /\ strike' = (strike \/ (state \in {"trading", "ended", "unprovable"}))
  /\ observed' = IF (state \in {"ended", "unprovable"}) /\ ~strike /\ close THEN truth ELSE observed
  /\ UNCHANGED <<close, payout, paid, world>>

End ==
  /\ state = "trading"
  /\ state' = "ended"
  /\ UNCHANGED <<strike, close, observed, payout, paid, world>>

\* The report of the closing second is itself proof that the end has passed:
\* the kernel sends End first.
CloseReport ==
  /\ state \in After
  /\ state' = CASE (state \in {"ended", "unprovable"}) /\ strike -> "observed"
                [] (state = "resolved") /\ strike /\ (payout # truth) -> "conflicting"
                [] OTHER -> state
  /\ close' = (close \/ (state \in {"ended", "unprovable", "resolved"}))
  /\ observed' = IF (state \in {"ended", "unprovable", "resolved"}) /\ strike THEN truth ELSE observed
  /\ UNCHANGED <<strike, payout, paid, world>>

GiveUp ==
  /\ state = "ended"
  /\ state' = "unprovable"
  /\ UNCHANGED <<strike, close, observed, payout, paid, world>>

Publish(what) ==
  /\ what \in published
  /\ state \in Open
  /\ state' = CASE state \in {"trading", "ended", "unprovable"} -> "resolved"
                [] (state = "observed") /\ Agrees(what) -> "resolved"
                [] (state = "resolved") /\ Repeats(what) -> "resolved"
                [] (state = "conflicting") /\ Agrees(what) -> "resolved"
                [] (state = "conflicting") /\ (observed = "") /\ Repeats(what) -> "resolved"
                [] OTHER -> "conflicting"
  /\ payout' = what
  /\ UNCHANGED <<strike, close, observed, paid, world>>

\* The kernel pays when no order of the market is open and every trade is at rest.
Pay ==
  /\ state = "resolved"
  /\ state' = "paid"
  /\ paid' = payout
  /\ UNCHANGED <<strike, close, observed, payout, world>>

--------------------------- (* the world: the venue *) ---------------------------

Announce(what) ==
  /\ what \notin published
  /\ published' = published \cup {what}
  /\ UNCHANGED <<ours, truth>>

----------------------------------------------------------------------------
Closed == (state = "paid") /\ UNCHANGED vars

Next ==
  \/ Strike \/ End \/ CloseReport \/ GiveUp
  \/ (\E what \in Payouts : Publish(what))
  \/ Pay
  \/ (\E what \in Payouts : Announce(what))
  \/ Closed

\* We ask the venue until it says something, and pay when nothing is in the way.
Fairness ==
  /\ WF_vars(End) /\ WF_vars(Announce(truth)) /\ WF_vars(Publish(truth)) /\ WF_vars(Pay)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
NeverGuessed    == (state \in {"resolved", "conflicting", "paid"}) => (payout # "")
PaidIsPublished == (state = "paid") => ((paid = payout) /\ (paid \in published))
PaidNoEarlier   == (paid # "") => (state = "paid")
ObservedIsTrue  == (observed # "") => ((observed = truth) /\ strike /\ close)
VoicesAgree     == ((state \in {"resolved", "paid"}) /\ (observed # "")) => (payout = observed)
ConflictIsReal  ==
  (state = "conflicting") => (((observed # "") /\ (payout # observed)) \/ (published # {payout}))
KnownIsObserved == (strike /\ close) => (observed # "")
UnprovableMeansBlind == (state = "unprovable") => ~(strike /\ close)
NothingIllegal ==
  state \in Open =>
    /\ ENABLED Strike
    /\ (state # "trading") => ENABLED CloseReport
    /\ \A what \in published : ENABLED Publish(what)

PaidForGood  == [][(state = "paid") => UNCHANGED ours]_vars
FirstStrikeStands == [][strike => strike']_vars
ObservedOnce == [][(observed # "") => (observed' = observed)]_vars

\* A venue that never contradicts what we could observe has its market paid.  One that
\* changes its word for ever never has: nothing is booked while two voices differ.
PaysInTheEnd ==
  [](published \subseteq {truth}) => [](state = "trading" => <>(state = "paid"))

\* Witnesses: each must be VIOLATED.
NeverConflicting    == state # "conflicting"
NeverLateStrike     == ~((state = "observed") /\ (payout = "") /\ (published = {}))
NeverPaidUnobserved == ~((state = "paid") /\ (observed = ""))
NeverCorrected      == ~((state = "paid") /\ (observed # "") /\ (published = Payouts))
============================================================================
