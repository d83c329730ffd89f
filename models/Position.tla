------------------------------ MODULE Position ------------------------------
(***************************************************************************)
(* What we hold of one token, from the first fill until its market paid.   *)
(* Mirrors polybawt/core/machines/position.py.                             *)
(*                                                                         *)
(* The world is a handful of trades of fixed sizes, reported in any order, *)
(* each of which is confirmed or voided in the end.  A sale may be heard   *)
(* of before the purchase it sells, and a purchase may be voided after it  *)
(* was sold on; but the chain confirms no sale of what is not there.       *)
(*                                                                         *)
(* Not here: fees and money, which are booked and taken back with the      *)
(* shares by the same function; where each trade is priced (Trade).        *)
(***************************************************************************)
EXTENDS Integers

CONSTANT Big  \* the shares of the larger purchase and of the larger sale
ASSUME Big \in Nat \ {0, 1}

VARIABLES
  state,   \* ours:  what the machine believes
  bought,  \* ours:  shares bought, voided ones taken back
  sold,    \* ours:  shares sold, voided ones taken back
  paid,    \* ours:  shares that were paid out
  life     \* world: each trade's life

ours == <<state, bought, sold, paid>>
vars == <<ours, life>>

States == {"flat", "long", "oversold", "settled"}
Buys   == {"b1", "b2"}
Sells  == {"s1", "s2"}
Trades == Buys \cup Sells
Shares(trade) == IF trade \in {"b1", "s1"} THEN 1 ELSE Big
Lives  == {"none", "matched", "booked", "confirmed", "voided"}

TypeOK ==
  /\ state \in States
  /\ bought \in 0..(Big + 1) /\ sold \in 0..(Big + 1) /\ paid \in -1..(Big + 1)
  /\ life \in [Trades -> Lives]

Init ==
  /\ state = "flat" /\ bought = 0 /\ sold = 0 /\ paid = -1
  /\ life = [trade \in Trades |-> "none"]

Sum(trades, lives) ==
  LET one(trade) == IF (trade \in trades) /\ (life[trade] \in lives) THEN Shares(trade) ELSE 0
  IN  one("b1") + one("b2") + one("s1") + one("s2")

Held == IF state = "settled" THEN 0 ELSE bought - sold

----------------------------- (* the machine *) -----------------------------
\* The rows ask for what is left once the change is in.

Bought(trade) ==
  /\ (trade \in Buys) /\ (life[trade] = "matched")
  /\ state \in {"flat", "long", "oversold"}
  /\ bought' = bought + Shares(trade)
  /\ state' = CASE bought' - sold > 0 -> "long"
                [] (state = "oversold") /\ (bought' - sold = 0) -> "flat"
                [] OTHER -> "oversold"
  /\ life' = [life EXCEPT ![trade] = "booked"]
  /\ UNCHANGED <<sold, paid>>

Sold(trade) ==
  /\ (trade \in Sells) /\ (life[trade] = "matched")
  /\ state \in {"flat", "long", "oversold"}
  /\ sold' = sold + Shares(trade)
  /\ state' = CASE (state = "long") /\ (bought - sold' > 0) -> "long"
                [] (state = "long") /\ (bought - sold' = 0) -> "flat"
                [] OTHER -> "oversold"
  /\ life' = [life EXCEPT ![trade] = "booked"]
  /\ UNCHANGED <<bought, paid>>

BoughtVoid(trade) ==
  /\ (trade \in Buys) /\ (life[trade] = "booked")
  /\ state \in {"flat", "long", "oversold"}
  /\ bought' = bought - Shares(trade)
  /\ state' = CASE (state = "long") /\ (bought' - sold > 0) -> "long"
                [] (state = "long") /\ (bought' - sold = 0) -> "flat"
                [] OTHER -> "oversold"
  /\ life' = [life EXCEPT ![trade] = "voided"]
  /\ UNCHANGED <<sold, paid>>

SoldVoid(trade) ==
  /\ (trade \in Sells) /\ (life[trade] = "booked")
  /\ state \in {"flat", "long", "oversold"}
  /\ sold' = sold - Shares(trade)
  /\ state' = CASE bought - sold' > 0 -> "long"
                [] (state = "oversold") /\ (bought - sold' = 0) -> "flat"
                [] OTHER -> "oversold"
  /\ life' = [life EXCEPT ![trade] = "voided"]
  /\ UNCHANGED <<bought, paid>>

\* The kernel pays when no order of the market is open and every trade is at rest.
AtRest == \A trade \in Trades : life[trade] \in {"none", "confirmed", "voided"}

Pay ==
  /\ AtRest
  /\ state \in {"flat", "long"}
  /\ state' = "settled"
  /\ paid' = bought - sold
  /\ UNCHANGED <<bought, sold, life>>

----------------------- (* the world: venue and chain *) -----------------------

Match(trade) ==
  /\ (life[trade] = "none") /\ (state # "settled")
  /\ life' = [life EXCEPT ![trade] = "matched"]
  /\ UNCHANGED ours

\* A trade that is voided before we heard of it books nothing (Trade).
Refuse(trade) ==
  /\ life[trade] = "matched"
  /\ life' = [life EXCEPT ![trade] = "voided"]
  /\ UNCHANGED ours

Covered(trade) ==
  trade \in Sells => (Sum(Sells, {"confirmed"}) + Shares(trade) <= Sum(Buys, {"confirmed"}))

Confirm(trade) ==
  /\ (life[trade] = "booked") /\ Covered(trade)
  /\ life' = [life EXCEPT ![trade] = "confirmed"]
  /\ UNCHANGED ours

----------------------------------------------------------------------------
Closed == (state = "settled") /\ UNCHANGED vars

Hear(trade) == Bought(trade) \/ Sold(trade)
Void(trade) == BoughtVoid(trade) \/ SoldVoid(trade)

Next ==
  \/ (\E trade \in Trades : Hear(trade) \/ Void(trade))
  \/ Pay
  \/ (\E trade \in Trades : Match(trade) \/ Refuse(trade) \/ Confirm(trade))
  \/ Closed

Fairness ==
  /\ WF_vars(Pay)
  /\ \A trade \in Trades : WF_vars(Hear(trade)) /\ WF_vars(Void(trade))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* The sums are the trades that stand, whatever order they came and went in.
ExactlyWhatStands ==
  /\ bought = Sum(Buys, {"booked", "confirmed"})
  /\ sold = Sum(Sells, {"booked", "confirmed"})
StateFitsShares ==
  /\ (state = "flat") => (bought = sold)
  /\ (state = "long") => (bought > sold)
  /\ (state = "oversold") => (bought < sold)
PaidIsHeld == (state = "settled") <=> (paid >= 0)
PaidOnce   == (state = "settled") => ((paid = bought - sold) /\ (Held = 0))
\* A doubt never outlives its trades: at rest there is always something to pay, or nothing.
DoubtsEnd  == AtRest => (state # "oversold")
NothingIllegal ==
  /\ \A trade \in Trades :
       /\ ((trade \in Buys) /\ (life[trade] = "matched"))  => ENABLED Bought(trade)
       /\ ((trade \in Sells) /\ (life[trade] = "matched")) => ENABLED Sold(trade)
       /\ ((trade \in Buys) /\ (life[trade] = "booked"))   => ENABLED BoughtVoid(trade)
       /\ ((trade \in Sells) /\ (life[trade] = "booked"))  => ENABLED SoldVoid(trade)
  /\ (AtRest /\ (state # "settled")) => ENABLED Pay

SettledForGood == [][(state = "settled") => UNCHANGED ours]_vars

PaysInTheEnd == (state = "oversold") ~> (state # "oversold")

\* Witnesses: each must be VIOLATED.
NeverOversold      == state # "oversold"
NeverVoidedToDoubt == ~((state = "oversold") /\ (life["b2"] = "voided"))
NeverPaidAfterVoid == ~((state = "settled") /\ (paid > 0) /\ (life["s1"] = "voided"))
============================================================================
