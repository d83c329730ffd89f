------------------------------- MODULE Hedge -------------------------------
(***************************************************************************)
(* A legged hedge: the first leg is bought slice by slice, and the second  *)
(* leg covers what was really bought of it; what cannot be covered in time *)
(* is sold again.  Mirrors polybawt/core/machines/hedge.py.                *)
(*                                                                         *)
(* What the exchange did and what we know of it are two things: an order   *)
(* rests or is matched there, we count it as open until we hear of its     *)
(* fill or of its end, which may be any time later, or in the wrong order. *)
(* A request that was lost, refused or is without an answer is one that    *)
(* ended and was not told yet.  Once, an end that we are told of denies a  *)
(* match.  Until the chain has settled, any trade may be void.  Nobody but *)
(* we keeps us from selling too much: our account owns more of both tokens.*)
(*                                                                         *)
(* Not here: which orders a leg consists of (Order), who bids what, how a  *)
(* price comes about, and a trade that is void before we heard of it: its  *)
(* shares have ended.                                                      *)
(***************************************************************************)
EXTENDS Integers

CONSTANTS Quantity,  \* shares of the first leg that are wanted in all
          Slice,     \* the most of them that may be naked at any time
          Least,     \* the smallest order that the venue takes
          Budget     \* the most that unwinding may lose
ASSUME (Slice \in Nat \ {0}) /\ (Least \in 1..Slice) /\ (Quantity >= Slice) /\ (Budget \in Nat)

VARIABLES
  state,    \* ours:  what the machine believes
  booked,   \* ours:  shares by leg and side, as we heard of them, voided ones taken back
  open,     \* ours:  shares asked for, neither filled nor ended as far as we know
  budget,   \* ours:  what unwinding may still lose
  rate,     \* ours:  what a share of the present sale loses at most
  stranded, \* ours:  how many naked shares the operators were told of
  rest,     \* venue: shares that are really on the book
  unheard,  \* venue: matched shares that we have not heard of
  late,     \* venue: the same, of orders that we were told had ended without them
  pulled,   \* venue: the legs and sides whose orders it was asked to withdraw
  denied,   \* venue: whether an end has denied a match
  lost,     \* venue: what our sales really lost
  settled   \* chain: whether every trade is at rest

ours  == <<state, booked, open, budget, rate, stranded>>
world == <<rest, unheard, late, pulled, denied, lost, settled>>
vars  == <<ours, world>>

States == {"working", "hedging", "unwinding", "done", "failed"}
Final  == {"done", "failed"}
Legs   == {"first", "second"}
Sides  == {"BUY", "SELL"}
Lanes  == Legs \X Sides
Losses == {1, 2}

TypeOK ==
  /\ state \in States
  /\ booked \in [Lanes -> Nat] /\ open \in [Lanes -> Nat]
  /\ budget \in 0..Budget /\ rate \in (Losses \cup {0}) /\ stranded \in Nat
  /\ rest \in [Lanes -> Nat]
  /\ unheard \in [Lanes -> Nat] /\ late \in [Lanes -> Nat]
  /\ pulled \subseteq Lanes /\ denied \in BOOLEAN
  /\ lost \in Nat /\ settled \in BOOLEAN

None == [lane \in Lanes |-> 0]

Init ==
  /\ state = "working" /\ booked = None /\ open = None
  /\ budget = Budget /\ rate = 0 /\ stranded = 0
  /\ rest = None /\ unheard = None /\ late = None
  /\ pulled = {} /\ denied = FALSE /\ lost = 0 /\ settled = TRUE

Min(x, y)   == IF x < y THEN x ELSE y
Max(x, y)   == IF x > y THEN x ELSE y
Other(leg)  == IF leg = "first" THEN "second" ELSE "first"
Buy(leg)    == <<leg, "BUY">>
Sell(leg)   == <<leg, "SELL">>
Add(lanes, lane, shares) == [lanes EXCEPT ![lane] = @ + shares]

\* What we know.
HeldIn(lanes, leg) == lanes[Buy(leg)] - lanes[Sell(leg)]
NakedIn(lanes)     == HeldIn(lanes, "first") - HeldIn(lanes, "second")
Held(leg)   == HeldIn(booked, leg)
Naked       == Max(NakedIn(booked), -NakedIn(booked))
Long        == IF NakedIn(booked) >= 0 THEN "first" ELSE "second"
Slack(leg)  == IF leg = "first" THEN Slice ELSE 0

\* What open orders would do beyond what is wanted, were they all filled.
Superfluous(lanes, asked) ==
  {lane \in Lanes :
     /\ asked[lane] > 0
     /\ LET leg == lane[1] IN
          IF lane[2] = "BUY"
            THEN HeldIn(lanes, leg) + asked[lane] - HeldIn(lanes, Other(leg)) > Slack(leg)
            ELSE HeldIn(lanes, leg) - asked[lane] < HeldIn(lanes, Other(leg))}

\* The guards, and the sizes that they are about.
Room         == Quantity - Held("first")
Uncovered    == Min(Slice, Naked - open[Buy(Other(Long))])
Sellable     == Min(Slice, Min(Naked, Held(Long)))
NothingOpen  == open = None
NextSlice    == Min(Slice, Room)
RoomLeft     == Room >= Least
Complete     == Room < Least
CanBeHad(had) == had
WorthCovering == Uncovered >= Least
WorthSelling == Sellable >= Least
Affordable(loss) == (0 < loss * Sellable) /\ (loss * Sellable <= budget)
LeavesNaked(leg, side, shares) == NakedIn(Add(booked, <<leg, side>>, shares)) # 0
IsBalanced   == Naked = 0
IsNaked      == Naked # 0

\* What the venue knows.
True(leg) == Held(leg) + unheard[Buy(leg)] + late[Buy(leg)] - unheard[Sell(leg)] - late[Sell(leg)]
Dead(lane) == open[lane] - rest[lane] - unheard[lane]
AtRest    == (rest = None) /\ (unheard = None) /\ (late = None) /\ settled

\* A mark of withdrawal means nothing once nothing is open.
StillOpen(lanes, asked) == {lane \in lanes : asked[lane] > 0}

----------------------------- (* the machine *) -----------------------------

Lead(had) ==
  /\ state = "working"
  /\ NothingOpen
  /\ RoomLeft
  /\ CanBeHad(had)
  /\ open' = Add(open, Buy("first"), NextSlice)
  /\ rest' = Add(rest, Buy("first"), NextSlice)
  /\ UNCHANGED <<state, booked, budget, rate, stranded>>
  /\ UNCHANGED <<unheard, late, pulled, denied, lost, settled>>

Cover(had) ==
  /\ state = "hedging"
  /\ WorthCovering
  /\ CanBeHad(had)
  /\ open' = Add(open, Buy(Other(Long)), Uncovered)
  /\ rest' = Add(rest, Buy(Other(Long)), Uncovered)
  /\ pulled' = pulled \ {Buy(Other(Long))}
  /\ UNCHANGED <<state, booked, budget, rate, stranded, unheard, late, denied, lost, settled>>

Unwind(loss) ==
  /\ state = "unwinding"
  /\ NothingOpen
  /\ WorthSelling
  /\ Affordable(loss)
  /\ open' = Add(open, Sell(Long), Sellable)
  /\ rest' = Add(rest, Sell(Long), Sellable)
  /\ budget' = budget - loss * Sellable /\ rate' = loss
  /\ UNCHANGED <<state, booked, stranded, unheard, late, pulled, denied, lost, settled>>

Abandon ==
  /\ state \in {"working", "hedging"}
  /\ state' = "unwinding"
  /\ pulled' = StillOpen(Lanes, open)
  /\ UNCHANGED <<booked, open, budget, rate, stranded, rest, unheard, late, denied, lost, settled>>

\* Naked shares make it hedging, the last of them covered makes it working again.
Turned(naked) ==
  CASE state = "unwinding" -> "unwinding"
    [] (state # "unwinding") /\ naked -> "hedging"
    [] OTHER -> "working"

Fill(leg, side, shares) ==
  /\ shares <= unheard[<<leg, side>>]
  /\ state' = Turned(LeavesNaked(leg, side, shares))
  /\ booked' = Add(booked, <<leg, side>>, shares)
  /\ open' = Add(open, <<leg, side>>, -shares)
  /\ unheard' = Add(unheard, <<leg, side>>, -shares)
  /\ pulled' = StillOpen(pulled, open')
  /\ UNCHANGED <<budget, rate, stranded, rest, late, denied, lost, settled>>

\* A fill of an order that was told to have ended: it is ours all the same.
LateFill(leg, side, shares) ==
  /\ shares <= late[<<leg, side>>]
  /\ state' = Turned(LeavesNaked(leg, side, shares))
  /\ booked' = Add(booked, <<leg, side>>, shares)
  /\ late' = Add(late, <<leg, side>>, -shares)
  /\ pulled' = pulled \cup Superfluous(booked', open)
  /\ UNCHANGED <<open, budget, rate, stranded, rest, unheard, denied, lost, settled>>

Void(leg, side, shares) ==
  /\ ~settled
  /\ shares <= booked[<<leg, side>>]
  /\ state' = Turned(LeavesNaked(leg, side, -shares))
  /\ booked' = Add(booked, <<leg, side>>, -shares)
  /\ pulled' = pulled \cup Superfluous(booked', open)
  /\ UNCHANGED <<open, budget, rate, stranded, rest, unheard, late, denied, lost, settled>>

\* Shares of one order that will not be filled any more; once, although they were.
End(leg, side, shares) ==
  LET lane   == <<leg, side>>
      untrue == Max(shares - Dead(lane), 0)
  IN
  /\ shares <= open[lane] - rest[lane]
  /\ (untrue = 0) \/ ((untrue = 1) /\ ~denied)
  /\ open' = Add(open, lane, -shares)
  /\ budget' = IF side = "SELL" THEN budget + rate * shares ELSE budget
  /\ unheard' = Add(unheard, lane, -untrue) /\ late' = Add(late, lane, untrue)
  /\ denied' = (denied \/ (untrue > 0))
  /\ pulled' = StillOpen(pulled, open')
  /\ UNCHANGED <<state, booked, rate, stranded, rest, lost, settled>>

\* The kernel closes what is at rest: no order open, every trade settled.
Close ==
  /\ AtRest
  /\ state \in {"working", "unwinding"}
  /\ NothingOpen
  /\ (state = "working") => Complete
  /\ (state = "unwinding") => IsBalanced
  /\ state' = "done"
  /\ UNCHANGED <<booked, open, budget, rate, stranded, world>>

GiveUp ==
  /\ AtRest
  /\ state = "unwinding"
  /\ NothingOpen
  /\ IsNaked
  /\ state' = "failed" /\ stranded' = Naked
  /\ UNCHANGED <<booked, open, budget, rate, world>>

-------------------- (* the world: venue and chain simulated in sim *) --------------------

Match(leg, side, shares) ==
  /\ shares <= rest[<<leg, side>>]
  /\ rest' = Add(rest, <<leg, side>>, -shares)
  /\ unheard' = Add(unheard, <<leg, side>>, shares)
  /\ lost' = IF side = "SELL" THEN lost + rate * shares ELSE lost
  /\ settled' = FALSE
  /\ UNCHANGED <<ours, late, pulled, denied>>

\* Refused, lost, withdrawn, expired: it is on the book no more.
Kill(leg, side, shares) ==
  /\ shares <= rest[<<leg, side>>]
  /\ rest' = Add(rest, <<leg, side>>, -shares)
  /\ UNCHANGED <<ours, unheard, late, pulled, denied, lost, settled>>

Settle ==
  /\ settled' = TRUE
  /\ UNCHANGED <<ours, rest, unheard, late, pulled, denied, lost>>

----------------------------------------------------------------------------
Ours ==
  \/ \E had \in BOOLEAN : Lead(had)
  \/ \E had \in BOOLEAN : Cover(had)
  \/ \E loss \in Losses : Unwind(loss)
  \/ Abandon
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : Fill(leg, side, shares)
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : LateFill(leg, side, shares)
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : Void(leg, side, shares)
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : End(leg, side, shares)
  \/ Close
  \/ GiveUp

World ==
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : Match(leg, side, shares)
  \/ \E leg \in Legs, side \in Sides, shares \in 1..Slice : Kill(leg, side, shares)
  \/ Settle

Next == Ours \/ World

\* Our timers, what we hear in the end, and time itself: orders expire, the chain settles
\* or voids.  We do not try for ever: that, and an end of dithering, is GiveUp.
Heard  == \E leg \in Legs, side \in Sides, shares \in 1..Slice :
            Fill(leg, side, shares) \/ LateFill(leg, side, shares)
Told   == \E leg \in Legs, side \in Sides, shares \in 1..Slice : End(leg, side, shares)
Expire == \E leg \in Legs, side \in Sides, shares \in 1..Slice : Kill(leg, side, shares)

Fairness ==
  /\ WF_vars(Abandon) /\ WF_vars(Close) /\ SF_vars(GiveUp)
  /\ WF_vars(Heard) /\ WF_vars(Told)
  /\ WF_vars(Expire) /\ WF_vars(Settle)

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* What could at worst be naked of a leg, were all filled that is on the book; and by how
\* much the one untrue end may have misled us.
Reach(leg) == True(leg) - True(Other(leg)) + rest[Buy(leg)] + rest[Sell(Other(leg))]
Lie        == IF denied THEN 1 ELSE 0

StateFits ==
  /\ (state = "working") => (Naked = 0)
  /\ (state = "hedging") => (Naked # 0)
\* What has no answer is open: nothing that may still be matched or told is ever left out.
CountedInFull    == \A lane \in Lanes : open[lane] >= rest[lane] + unheard[lane]
NeverMoreThanWanted == True("first") + rest[Buy("first")] <= Quantity + Lie
NeverTooDear     == ~ENABLED Lead(FALSE) /\ ~ENABLED Cover(FALSE)
NeverMeetsItself == \A leg \in Legs : (rest[Buy(leg)] = 0) \/ (rest[Sell(leg)] = 0)
SoldToUnwind ==
  (state \in {"working", "hedging"}) =>
    \A leg \in Legs : (booked[Sell(leg)] = 0) /\ (open[Sell(leg)] = 0)
\* What is no longer wanted is asked back.
Withdrawn ==
  /\ Superfluous(booked, open) \subseteq pulled
  /\ (state = "unwinding") => (\A leg \in Legs : (open[Buy(leg)] > 0) => (Buy(leg) \in pulled))
\* Whatever is sold, is matched or ends, the budget and what was really lost add up.
OnOffer    == open[Sell("first")] + open[Sell("second")]
                - unheard[Sell("first")] - unheard[Sell("second")]
BudgetKept == (budget + lost + rate * OnOffer) \in Budget..(Budget + 2 * Lie)
FinalIsAtRest == (state \in Final) => (AtRest /\ (open = None))
DoneIsHedged  == (state = "done") => (True("first") = True("second"))
FailedIsNaked == (state = "failed") => (True("first") # True("second"))
\* And then, and only then, an operator knows how much.
FailureIsTold ==
  stranded = IF state = "failed"
               THEN Max(True("first") - True("second"), True("second") - True("first")) ELSE 0
NothingIllegal ==
  \A leg \in Legs, side \in Sides, shares \in 1..Slice :
    LET lane == <<leg, side>> IN
    /\ (shares <= unheard[lane]) => ENABLED Fill(leg, side, shares)
    /\ (shares <= late[lane]) => ENABLED LateFill(leg, side, shares)
    /\ ((shares <= booked[lane]) /\ ~settled) => ENABLED Void(leg, side, shares)
    /\ (shares <= Dead(lane)) => ENABLED End(leg, side, shares)
\* Shares that nothing covers can be covered, or sold while the budget lasts; even those of a
\* fill that was on its way when we withdrew its order.
NothingStuck ==
  /\ ((state = "hedging") /\ (open = None) /\ (Naked >= Least)) => ENABLED Cover(TRUE)
  /\ ((state = "unwinding") /\ (open = None) /\ (Sellable >= Least) /\ (Sellable <= budget)) =>
       ENABLED Unwind(1)
  /\ ((state = "unwinding") /\ (open = None) /\ AtRest) => (ENABLED Close \/ ENABLED GiveUp)

\* Steps.
Voids == \E lane \in Lanes : booked'[lane] < booked[lane]
\* Nothing but a void trade lays more than one slice bare, or covers more than is naked.
RiskIsOneSlice ==
  [][\A leg \in Legs :
       (Reach(leg)' > Reach(leg)) => ((Reach(leg)' <= Slack(leg) + Lie') \/ Voids)]_vars
AskedInSize ==
  [][\A lane \in Lanes :
       (open'[lane] > open[lane]) => ((open'[lane] - open[lane]) \in Least..Slice)]_vars
NoNewRiskInUnwinding ==
  [][(state = "unwinding") => (\A leg \in Legs : open'[Buy(leg)] <= open[Buy(leg)])]_vars
SettledStands == [][settled => (\A lane \in Lanes : booked'[lane] >= booked[lane])]_vars
EndsAreEarned ==
  [][/\ ((state = "working") /\ (state' = "done")) => (Quantity - Held("first") < Least)
     /\ ((state # "failed") /\ (state' = "failed")) => (state = "unwinding")]_vars
FinalForGood  == [][(state \in Final) => UNCHANGED vars]_vars

\* Liveness: a leg is not naked for ever, and every hedge comes to an end.
NakedEnds == (state = "hedging") ~> (state # "hedging")
HedgeEnds == (state = "working") ~> (state \in Final)

\* Witnesses: each must be VIOLATED.
NeverReopened   == ~((state = "hedging") /\ (open = None) /\ (booked[Buy("second")] > 0))
NeverCaughtOut  == ~((Buy("first") \in pulled) /\ (unheard[Buy("first")] > 0))
NeverOverHedged == ~((state = "unwinding") /\ (booked[Sell("second")] > 0))
NeverSold       == ~((state = "done") /\ (lost = Budget))
NeverFailed     == state # "failed"
============================================================================
