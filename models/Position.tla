------------------------------ MODULE Position ------------------------------
(***************************************************************************)
(* What we hold of one token, from the first fill until its market paid,   *)
(* and the money it took and brought.  Mirrors                             *)
(* polybawt/core/machines/position.py; what open orders hold back and what *)
(* is free is what polybawt/core/state.py derives.                         *)
(*                                                                         *)
(* The world is the venue's accounts, moved by every match, every failure  *)
(* of a trade on chain and the payout, and a handful of orders, some of    *)
(* them open at a time.  Each is placed only if limit and cash have room   *)
(* for the most that it may take, is matched once or never, at its limit   *)
(* or better, in whole or in part, and ends in the end.  Matches are heard *)
(* of in any order; those that fail may have been booked before, or sold   *)
(* on: but the chain confirms no sale of what is not there.                *)
(*                                                                         *)
(* Shares are whole; prices are tenths of a dollar, amounts are in units   *)
(* of half a thousandth; the fee of a share at price p is a tenth of       *)
(* p * (1 - p).  An order holds back one unit for each share beside: its   *)
(* match may come in lots, and the fee of each is rounded by itself.       *)
(*                                                                         *)
(* Not here: fractions and their rounding, two markets that share one      *)
(* limit, how an order comes to its end (Order), and how the reports of    *)
(* one trade are told apart (Trade).                                       *)
(***************************************************************************)
EXTENDS Integers

CONSTANTS Deposit, Most  \* what was paid in, and the limit of exposure
ASSUME (Deposit \in Nat) /\ (Most \in Nat)

VARIABLES
  state,     \* ours:  what the machine believes
  bought,    \* ours:  shares bought, voided ones taken back
  sold,      \* ours:  shares sold, voided ones taken back
  spent,     \* ours:  what was paid for them, without fees
  earned,    \* ours:  what they brought, without fees
  fees,      \* ours:  all fees
  paid,      \* ours:  what was paid out, -1 if nothing was yet
  reserved,  \* world: what our open orders hold back
  order,     \* world: what each order is to us
  life,      \* world: the life of each order's one trade
  cash,      \* world: our money at the venue, matched and not settled included
  tokens,    \* world: our shares at the venue, likewise
  verdict    \* world: what each share pays, -1 if nobody knows

ours  == <<state, bought, sold, spent, earned, fees, paid>>
world == <<reserved, order, life, cash, tokens, verdict>>
vars  == <<ours, world>>

States  == {"flat", "long", "oversold", "settled"}
Buys    == {"b1", "b2"}
Sells   == {"s1", "s2"}
Trades  == {"b1", "b2", "s1", "s2"}        \* named as the orders they fill
Bids    == {"b1", "b2", "b3"}              \* nobody ever meets b3
Orders  == {"b1", "b2", "b3", "s1", "s2"}
Lives   == {"none", "matched", "booked", "failed", "confirmed", "voided"}
Payouts == {0, 2000}

Size(one)    == IF one = "s1" THEN 1 ELSE 2
Worst(one)   == CASE one = "b1" -> 5 [] (one \in {"b2", "b3"}) -> 4 [] OTHER -> 1
Shares(one)  == IF one \in {"b1", "s1"} THEN 1 ELSE 2
Price(one)   == CASE one = "b1" -> 5 [] one = "b2" -> 2 [] one = "s1" -> 7 [] OTHER -> 1

Notional(price, shares) == 200 * price * shares
Charged(price, shares)  == 2 * price * (10 - price) * shares
Takes(one) ==  \* of our cash; a sale takes less than nothing
  LET sign == IF one \in Buys THEN 1 ELSE -1
  IN  (sign * Notional(Price(one), Shares(one))) + Charged(Price(one), Shares(one))
Gives(one) == IF one \in Buys THEN Shares(one) ELSE -Shares(one)
HeldBack(one, shares) == Notional(Worst(one), shares) + Charged(Worst(one), shares) + shares

Sum(Of(_), trades, lives) ==
  LET one(trade) == IF (trade \in trades) /\ (life[trade] \in lives) THEN Of(trade) ELSE 0
  IN  one("b1") + one("b2") + one("s1") + one("s2")

\* What was heard of an order's match counts against it, also when it came to nothing.
Counted(one) ==
  IF (one \in Trades) /\ (life[one] \notin {"none", "matched"}) THEN Shares(one) ELSE 0
Left(one) == IF order[one] = "open" THEN Size(one) - Counted(one) ELSE 0

PaidOut  == IF paid >= 0 THEN paid ELSE 0
Held     == IF state = "settled" THEN 0 ELSE bought - sold
Outlay   ==  \* what was put in and has not come back
  IF (state = "settled") \/ (earned > spent + fees) THEN 0 ELSE (spent + fees) - earned
Ledger   == Deposit - spent + earned - fees + PaidOut
Exposure == Outlay + reserved
Free     == Ledger - reserved
SharesFree == Held - Left("s1") - Left("s2")

TypeOK ==
  /\ (state \in States)
  /\ (bought \in 0..3) /\ (sold \in 0..3) /\ (paid \in -1..6000)
  /\ (spent \in 0..1800) /\ (earned \in 0..1800) /\ (fees \in 0..192)
  /\ (reserved \in 0..5498) /\ (verdict \in ({-1} \cup Payouts))
  /\ (order \in [Orders -> {"none", "open", "done"}]) /\ (life \in [Trades -> Lives])
  /\ (cash \in Int) /\ (tokens \in -3..3)

Init ==
  /\ state = "flat" /\ bought = 0 /\ sold = 0 /\ spent = 0 /\ earned = 0 /\ fees = 0 /\ paid = -1
  /\ reserved = 0 /\ cash = Deposit /\ tokens = 0 /\ verdict = -1
  /\ order = [one \in Orders |-> "none"] /\ life = [trade \in Trades |-> "none"]

\* The guards: what is left once the change is in.
LeavesSome(left) == left > 0
LeavesNone(left) == left = 0

Hear(trade, now) ==  \* of a match: it counts against its order, which may be all of it
  /\ life' = [life EXCEPT ![trade] = now]
  /\ order' = [order EXCEPT ![trade] = IF Size(trade) = Shares(trade) THEN "done" ELSE @]
  /\ reserved' = reserved - (IF trade \in Buys THEN HeldBack(trade, Shares(trade)) ELSE 0)

----------------------------- (* the machine *) -----------------------------

Bought(trade) ==
  /\ life[trade] = "matched"
  /\ state \in {"flat", "long", "oversold"}
  /\ LET left == bought + Shares(trade) - sold
     IN  state' = CASE LeavesSome(left) -> "long"
                    [] (state = "oversold") /\ LeavesNone(left) -> "flat"
                    [] OTHER -> "oversold"
  /\ bought' = bought + Shares(trade)
  /\ spent' = spent + Notional(Price(trade), Shares(trade))
  /\ fees' = fees + Charged(Price(trade), Shares(trade))
  /\ Hear(trade, "booked")
  /\ UNCHANGED <<sold, earned, paid, cash, tokens, verdict>>

Sold(trade) ==
  /\ life[trade] = "matched"
  /\ state \in {"flat", "long", "oversold"}
  /\ LET left == bought - sold - Shares(trade)
     IN  state' = CASE (state = "long") /\ LeavesSome(left) -> "long"
                    [] (state = "long") /\ LeavesNone(left) -> "flat"
                    [] OTHER -> "oversold"
  /\ sold' = sold + Shares(trade)
  /\ earned' = earned + Notional(Price(trade), Shares(trade))
  /\ fees' = fees + Charged(Price(trade), Shares(trade))
  /\ Hear(trade, "booked")
  /\ UNCHANGED <<bought, spent, paid, cash, tokens, verdict>>

BoughtVoid(trade) ==
  /\ life[trade] = "failed"
  /\ state \in {"flat", "long", "oversold"}
  /\ LET left == bought - Shares(trade) - sold
     IN  state' = CASE (state = "long") /\ LeavesSome(left) -> "long"
                    [] (state = "long") /\ LeavesNone(left) -> "flat"
                    [] OTHER -> "oversold"
  /\ bought' = bought - Shares(trade)
  /\ spent' = spent - Notional(Price(trade), Shares(trade))
  /\ fees' = fees - Charged(Price(trade), Shares(trade))
  /\ life' = [life EXCEPT ![trade] = "voided"]
  /\ UNCHANGED <<sold, earned, paid, reserved, order, cash, tokens, verdict>>

SoldVoid(trade) ==
  /\ life[trade] = "failed"
  /\ state \in {"flat", "long", "oversold"}
  /\ LET left == bought - sold + Shares(trade)
     IN  state' = CASE LeavesSome(left) -> "long"
                    [] (state = "oversold") /\ LeavesNone(left) -> "flat"
                    [] OTHER -> "oversold"
  /\ sold' = sold - Shares(trade)
  /\ earned' = earned - Notional(Price(trade), Shares(trade))
  /\ fees' = fees - Charged(Price(trade), Shares(trade))
  /\ life' = [life EXCEPT ![trade] = "voided"]
  /\ UNCHANGED <<bought, spent, paid, reserved, order, cash, tokens, verdict>>

\* The kernel pays when no order of the market is open and every trade is at rest.
AtRest == \A trade \in Trades : life[trade] \in {"none", "confirmed", "voided"}
AllEnded == \A one \in Orders : order[one] # "open"

Pay(payout) ==
  /\ verdict = payout
  /\ AtRest
  /\ AllEnded
  /\ state \in {"flat", "long"}
  /\ state' = "settled"
  /\ paid' = PaidOut + ((bought - sold) * payout)
  /\ UNCHANGED <<bought, sold, spent, earned, fees, world>>

------------------ (* the world: our orders, the venue and the chain *) ------------------

\* An order is placed for the most that it may take, or for shares that nobody else sells.
Place(one) ==
  /\ order[one] = "none"
  /\ verdict = -1
  /\ (one \in Sells) => (Size(one) <= SharesFree)
  /\ (one \in Bids) => (Exposure + HeldBack(one, Size(one)) <= Most)
  /\ (one \in Bids) => (HeldBack(one, Size(one)) <= Free)
  /\ order' = [order EXCEPT ![one] = "open"]
  /\ reserved' = reserved + (IF one \in Bids THEN HeldBack(one, Size(one)) ELSE 0)
  /\ UNCHANGED <<ours, life, cash, tokens, verdict>>

\* The venue matches nothing that nothing stands behind: of cash there is always enough.
Match(trade) ==
  /\ order[trade] = "open"
  /\ life[trade] = "none"
  /\ verdict = -1
  /\ (trade \in Sells) => (tokens >= Shares(trade))
  /\ life' = [life EXCEPT ![trade] = "matched"]
  /\ cash' = cash - Takes(trade) /\ tokens' = tokens + Gives(trade)
  /\ UNCHANGED <<ours, reserved, order, verdict>>

\* It fails on chain: before we heard of it, or after.
Refuse(trade) ==
  /\ life[trade] = "matched"
  /\ Hear(trade, "voided")
  /\ cash' = cash + Takes(trade) /\ tokens' = tokens - Gives(trade)
  /\ UNCHANGED <<ours, verdict>>

Fail(trade) ==
  /\ life[trade] = "booked"
  /\ life' = [life EXCEPT ![trade] = "failed"]
  /\ cash' = cash + Takes(trade) /\ tokens' = tokens - Gives(trade)
  /\ UNCHANGED <<ours, reserved, order, verdict>>

Confirm(trade) ==
  /\ life[trade] = "booked"
  /\ (trade \in Sells) => (Sum(Gives, Trades, {"confirmed"}) >= Shares(trade))
  /\ life' = [life EXCEPT ![trade] = "confirmed"]
  /\ UNCHANGED <<ours, reserved, order, cash, tokens, verdict>>

\* Cancelled, expired, refused or ended with its market: every match of it was heard before.
Finish(one) ==
  /\ order[one] = "open"
  /\ (one \in Trades) => (life[one] # "matched")
  /\ order' = [order EXCEPT ![one] = "done"]
  /\ reserved' = reserved - (IF one \in Bids THEN HeldBack(one, Left(one)) ELSE 0)
  /\ UNCHANGED <<ours, life, cash, tokens, verdict>>

Resolve(payout) ==
  /\ verdict = -1
  /\ verdict' = payout
  /\ UNCHANGED <<ours, reserved, order, life, cash, tokens>>

\* Shares become what they pay once no trade of the market is on its way.
Final == \A trade \in Trades : life[trade] \notin {"matched", "booked"}

Redeem ==
  /\ verdict # -1
  /\ Final
  /\ cash' = cash + (tokens * verdict) /\ tokens' = 0
  /\ UNCHANGED <<ours, reserved, order, life, verdict>>

----------------------------------------------------------------------------
Closed == (state = "settled") /\ UNCHANGED vars

Ours ==
  \/ \E trade \in Buys : Bought(trade)
  \/ \E trade \in Sells : Sold(trade)
  \/ \E trade \in Buys : BoughtVoid(trade)
  \/ \E trade \in Sells : SoldVoid(trade)
  \/ \E payout \in Payouts : Pay(payout)

World ==
  \/ \E one \in Orders : Place(one)
  \/ \E trade \in Trades : Match(trade)
  \/ \E trade \in Trades : Refuse(trade)
  \/ \E trade \in Trades : Fail(trade)
  \/ \E trade \in Trades : Confirm(trade)
  \/ \E one \in Orders : Finish(one)
  \/ \E payout \in Payouts : Resolve(payout)
  \/ Redeem

Next == Ours \/ World \/ Closed

\* We hear of every match and of every failure, every order has an end, and we pay.
Heard(trade) == IF trade \in Buys THEN Bought(trade) ELSE Sold(trade)
Taken(trade) == IF trade \in Buys THEN BoughtVoid(trade) ELSE SoldVoid(trade)
Paying       == \E payout \in Payouts : Pay(payout)
Fairness ==
  /\ WF_vars(Paying)
  /\ \A trade \in Trades : WF_vars(Heard(trade))
  /\ \A trade \in Trades : WF_vars(Taken(trade))
  /\ \A one \in Orders : WF_vars(Finish(one))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* The sums are the trades that stand, whatever order they came and went in.
Booked == {"booked", "failed", "confirmed"}  \* as far as we have heard
ExactlyWhatStands ==
  LET notional(trade) == Notional(Price(trade), Shares(trade))
      charged(trade)  == Charged(Price(trade), Shares(trade))
  IN  /\ bought = Sum(Shares, Buys, Booked) /\ spent = Sum(notional, Buys, Booked)
      /\ sold = Sum(Shares, Sells, Booked) /\ earned = Sum(notional, Sells, Booked)
      /\ fees = Sum(charged, Trades, Booked)
StateFitsShares ==
  /\ (state = "flat") => (bought = sold)
  /\ (state = "long") => (bought > sold)
  /\ (state = "oversold") => (bought < sold)
PaidIsHeld == paid = (IF state = "settled" THEN (bought - sold) * verdict ELSE -1)

\* A doubt never outlives its trades: at rest there is always something to pay, or nothing.
DoubtsEnd  == AtRest => (state # "oversold")

\* The venue's accounts: nothing comes from nowhere, nothing goes.
NothingIsLost ==
  LET stands == {"matched", "booked", "confirmed"}
      flow   == Deposit - Sum(Takes, Trades, stands)
      there  == Sum(Gives, Trades, stands)
  IN  \/ (cash = flow) /\ (tokens = there)
      \/ (verdict # -1) /\ Final /\ (tokens = 0) /\ (cash = flow + (there * verdict))
\* At rest our books and the venue's are worth the same, paid out or not, redeemed or not.
WorthAgrees ==
  LET each == IF verdict = -1 THEN 0 ELSE verdict
  IN  AtRest => /\ Ledger + (Held * each) = cash + (tokens * each)
                /\ (verdict = -1) => (Held = tokens)

\* Reservations: exact, enough for what we have not heard of, within the limit and the cash.
ReservedExactly ==
  reserved = HeldBack("b1", Left("b1")) + HeldBack("b2", Left("b2")) + HeldBack("b3", Left("b3"))
NothingUnheardIsFree ==
  \A trade \in Buys : (life[trade] = "matched") => (HeldBack(trade, Left(trade)) >= Takes(trade))
SaleFailed == \E trade \in Sells : life[trade] \in {"failed", "voided"}
WithinLimit == ~SaleFailed => ((Exposure <= Most) /\ (Free >= 0))
FreeIsThere ==  \* what was paid out may still have to be redeemed
  (\A trade \in Sells : life[trade] # "failed") =>
    (Free <= cash + (IF state = "settled" THEN tokens * verdict ELSE 0))
NothingSoldTwice ==
  (\A trade \in Buys : life[trade] \notin {"failed", "voided"}) => (SharesFree >= 0)
NothingAfterTheVerdict == (verdict = -1) => ((paid = -1) /\ (state # "settled"))
MatchedIsOpen == \A trade \in Trades : (life[trade] = "matched") => (order[trade] = "open")
MatchedWasPlaced == \A trade \in Trades : (order[trade] = "none") => (life[trade] = "none")

NothingIllegal ==
  /\ \A trade \in Buys :
       /\ (life[trade] = "matched") => ENABLED Bought(trade)
       /\ (life[trade] = "failed")  => ENABLED BoughtVoid(trade)
  /\ \A trade \in Sells :
       /\ (life[trade] = "matched") => ENABLED Sold(trade)
       /\ (life[trade] = "failed")  => ENABLED SoldVoid(trade)
  /\ (AtRest /\ AllEnded /\ (verdict # -1) /\ (state # "settled")) => ENABLED Pay(verdict)

SettledForGood == [][(state = "settled") => UNCHANGED ours]_vars
\* A position moves on fills alone, one at a time, each by its own amounts, and on the payout.
MovesOnFills ==
  [][\/ UNCHANGED <<bought, sold, spent, earned, fees>>
     \/ \E trade \in Trades :
          <<life[trade], life'[trade]>> \in {<<"matched", "booked">>, <<"failed", "voided">>}]_vars
\* The life of a trade, and of an order, is a way that nobody goes back.
Course ==
  [][\A trade \in Trades : (life'[trade] # life[trade]) =>
       (<<life[trade], life'[trade]>> \in
         {<<"none", "matched">>, <<"matched", "booked">>, <<"matched", "voided">>,
          <<"booked", "confirmed">>, <<"booked", "failed">>, <<"failed", "voided">>})]_vars
OrdersCourse ==
  [][\A one \in Orders : (order'[one] # order[one]) =>
       (<<order[one], order'[one]>> \in {<<"none", "open">>, <<"open", "done">>})]_vars
\* What pays is said once, and from then on nothing begins any more.
VerdictStands ==
  [][(verdict # -1) =>
       /\ verdict' = verdict
       /\ \A trade \in Trades : (life'[trade] = "matched") => (life[trade] = "matched")
       /\ \A one \in Orders : (order'[one] = "open") => (order[one] = "open")]_vars
\* Nothing but the failure of a sale raises what we may lose above what was allowed.
RaisedByPlacing ==
  [][(Exposure' > Exposure) => ((Exposure' <= Most) \/ SaleFailed')]_vars
PlacedWithinLimit ==
  [][(reserved' > reserved) => ((Exposure' <= Most) /\ (Free' >= 0))]_vars
SellsWhatIsFree ==
  [][\A one \in Sells :
       ((order[one] = "none") /\ (order'[one] = "open")) => (SharesFree' >= 0)]_vars
MatchesWhatIsThere ==
  [][\A trade \in Trades : ((life[trade] = "none") /\ (life'[trade] = "matched")) =>
       IF trade \in Buys THEN cash' >= 0 ELSE tokens' >= 0]_vars
ChainIsCovered == Sum(Gives, Trades, {"confirmed"}) >= 0

OrdersEnd         == \A one \in Orders : (order[one] = "open") ~> (order[one] = "done")
ReservationsReturn == (reserved > 0) ~> (reserved = 0)
PaysInTheEnd      == ((verdict # -1) /\ Final) ~> (state = "settled")

\* Witnesses: each must be VIOLATED.
NeverVoidedToDoubt == ~((state = "oversold") /\ (life["b2"] = "voided"))
NeverPaidAfterVoid == ~((state = "settled") /\ (paid > 0) /\ (life["s1"] = "voided"))
NeverPartlyFilled  ==  \* and another one open beside it
  ~((order["b1"] = "open") /\ (life["b1"] = "booked") /\ (order["b2"] = "open"))
NeverPastLimit     == Exposure <= Most
============================================================================
