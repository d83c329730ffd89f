------------------------------- MODULE Approval -------------------------------
(***************************************************************************)
(* A human's approval of one proposed trade: asked for, given or not, and  *)
(* used at most once.  Mirrors polybawt/core/machines/approval.py.         *)
(*                                                                         *)
(* The world is a clock, a market whose terms move to others and back, two *)
(* operators who click whatever they like whenever they like, also on what *)
(* they saw long ago, and a process that may crash between the journal and *)
(* the trade.  Every click arrives; what it says depends on nobody.        *)
(*                                                                         *)
(* Not here: what is proposed, reasons, who may approve, how the operators *)
(* are told (that they are, is here), and what becomes of the trade (the   *)
(* order has a life of its own).                                           *)
(***************************************************************************)
EXTENDS Naturals

CONSTANT Ends
ASSUME Ends \in Nat \ {0}

VARIABLES
  state,    \* ours:  what the machine believes
  by,       \* ours:  the operator who decided, "" if nobody has
  told,     \* ours:  whether the last action of ours told the operators something
  now,      \* world: the time, no more than Ends
  offer,    \* world: the terms to be had now; proposed, or other
  sure,     \* world: who approved these terms in time, and has not taken it back
  command,  \* world: the trade, as far as the shell is: none, due, done or lost
  trades    \* world: how often it was made

ours  == <<state, by, told>>
world == <<now, offer, sure, command, trades>>
vars  == <<ours, world>>

States    == {"requested", "approved", "declined", "expired", "void", "used"}
Waiting   == {"requested", "approved"}
Operators == {"ann", "bob"}
Terms     == {"proposed", "other"}

TypeOK ==
  /\ state \in States /\ by \in (Operators \cup {""}) /\ told \in BOOLEAN
  /\ now \in 0..Ends /\ offer \in Terms /\ sure \in (Operators \cup {""})
  /\ command \in {"none", "due", "done", "lost"} /\ trades \in 0..2

Init ==
  /\ state = "requested" /\ by = "" /\ told = FALSE
  /\ now = 0 /\ offer \in Terms /\ sure = ""
  /\ command = "none" /\ trades = 0

InTime           == now < Ends
RunOut           == now >= Ends
SameTerms(terms) == terms = "proposed"

----------------------------- (* the machine *) -----------------------------

Approve(actor, terms) ==
  /\ state' = CASE (state = "requested") /\ InTime /\ SameTerms(terms) -> "approved"
                [] (state = "requested") /\ ~InTime -> "expired"
                [] OTHER -> state
  /\ by' = IF state' = "approved" /\ (state = "requested") THEN actor ELSE by
  /\ told' = ~((state = "requested") /\ (state' = "approved"))
  /\ sure' = IF (state = "requested") /\ (now < Ends) /\ (terms = "proposed") THEN actor ELSE sure
  /\ UNCHANGED <<now, offer, command, trades>>

Decline(actor) ==
  /\ state' = CASE (state \in Waiting) /\ InTime -> "declined"
                [] (state \in Waiting) /\ ~InTime -> "expired"
                [] OTHER -> state
  /\ by' = IF (state \in Waiting) /\ (state' = "declined") THEN actor ELSE by
  /\ told' = ~((state \in Waiting) /\ (state' = "declined"))
  /\ sure' = IF (state \in Waiting) /\ (now < Ends) THEN "" ELSE sure
  /\ UNCHANGED <<now, offer, command, trades>>

Expire ==
  /\ state \in Waiting
  /\ RunOut
  /\ state' = "expired" /\ told' = TRUE
  /\ UNCHANGED <<by, world>>

Withdraw ==
  /\ state \in Waiting
  /\ offer # "proposed"
  /\ state' = "void" /\ told' = TRUE
  /\ UNCHANGED <<by, world>>

Use(terms) ==
  /\ state = "approved"
  /\ terms = offer
  /\ state' = CASE InTime /\ SameTerms(terms) -> "used"
                [] InTime /\ ~SameTerms(terms) -> "void"
                [] OTHER -> "expired"
  /\ told' = (state' # "used")
  /\ command' = IF state' = "used" THEN "due" ELSE command
  /\ UNCHANGED <<by, now, offer, sure, trades>>

------------- (* the world: clock, market, operators and shell *) -------------

Pass ==
  /\ now < Ends
  /\ now' = now + 1
  /\ UNCHANGED <<ours, offer, sure, command, trades>>

Move(terms) ==
  /\ offer' = terms
  /\ UNCHANGED <<ours, now, sure, command, trades>>

Execute ==  \* after the journal has it
  /\ command = "due"
  /\ command' = "done" /\ trades' = trades + 1
  /\ UNCHANGED <<ours, now, offer, sure>>

Crash ==  \* what the journal says of us survives; what was on its way does not
  /\ command = "due"
  /\ command' = "lost"
  /\ UNCHANGED <<ours, now, offer, sure, trades>>

----------------------------------------------------------------------------
Ours ==
  \/ \E actor \in Operators, terms \in Terms : Approve(actor, terms)
  \/ \E actor \in Operators : Decline(actor)
  \/ Expire
  \/ Withdraw
  \/ \E terms \in Terms : Use(terms)

World ==
  \/ Pass
  \/ \E terms \in Terms : Move(terms)
  \/ Execute
  \/ Crash

Next == Ours \/ World

\* Time passes, and the clock is asked.
Fairness ==
  /\ WF_vars(Pass)
  /\ WF_vars(Expire)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* A trade has an approval: given in time, for these terms, by the one we remember.
TradesAreApproved == (command # "none") => ((sure # "") /\ (by = sure) /\ (state = "used"))
ApprovedByTheOne  == (state = "approved") => ((by = sure) /\ (by # ""))
TradesAtMostOnce  == (trades <= 1) /\ ((trades = 1) <=> (command = "done"))
UsedIsTraded      == (state = "used") => (command # "none")
DeclinedByOne     == (state = "declined") => ((by # "") /\ (sure = ""))
RequestedByNobody == (state = "requested") => ((by = "") /\ (sure = ""))
ExpiredIsLate     == (state = "expired") => (now = Ends)
NothingIllegal    ==
  /\ \A actor \in Operators : ENABLED Decline(actor) /\ (\A terms \in Terms : ENABLED Approve(actor, terms))
  /\ (state = "approved") => ENABLED Use(offer)

\* It begins in time, and at the terms of the moment.
UsedInTime ==
  [][((state # "used") /\ (state' = "used")) => ((now < Ends) /\ (offer = "proposed") /\ (state = "approved"))]_vars
EndsStand  == [][(state \notin Waiting) => ((state' = state) /\ (by' = by))]_vars
\* Void is what was not to be had.
VoidHasCause == [][((state # "void") /\ (state' = "void")) => (offer # "proposed")]_vars
\* A click does something, or whoever clicked is told.
ClicksAreTold ==
  [][(\E actor \in Operators : Decline(actor) \/ (\E terms \in Terms : Approve(actor, terms)))
      => ((by' # by) \/ told' \/ (state' = "declined"))]_vars
OnceLostIsLost == [][(command \in {"done", "lost"}) => (command' = command)]_vars
TimePasses     == [][now' >= now]_vars

Ended == (state = "requested") ~> (state \in {"declined", "expired", "void", "used"})

\* Witnesses: each must be VIOLATED.
NeverTakenBack  == ~((state = "declined") /\ (by = "bob") /\ (offer = "proposed") /\ (now = 0) /\ ~told)
NeverLateClick  == ~((state = "expired") /\ (by = "ann") /\ told)
NeverLostTrade  == ~((state = "used") /\ (command = "lost") /\ (trades = 0))
NeverVoidInTime == ~((state = "void") /\ (by # "") /\ (now < Ends))
============================================================================
