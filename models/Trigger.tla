------------------------------- MODULE Trigger -------------------------------
(***************************************************************************)
(* That one signal trades once.  Mirrors polybawt/core/machines/trigger.py.*)
(*                                                                         *)
(* One threshold, one condition with its two tokens: three records, of     *)
(* which a claim takes two, a token's and the condition's.  The world is   *)
(* the shell, which sends an order after the journal has it, or crashes    *)
(* before; a network that loses it, or delivers it after all patience is   *)
(* gone; and a venue that takes it or not.  All that is journaled survives *)
(* a crash, and an answer that a crash swallows is found in the order's    *)
(* record: so what is said of an order is offered for as long as it is     *)
(* true.  An order that has reached its end without landing never lands.   *)
(*                                                                         *)
(* Not here: thresholds beside one another (their records share nothing),  *)
(* why an order is refused, what an accepted one becomes (it has fired     *)
(* also if it fills nothing), how its end is known (Order), and a venue    *)
(* whose refusal was untrue: only sure ones are told here.                 *)
(***************************************************************************)
EXTENDS Naturals, FiniteSets

VARIABLES
  state,   \* ours:  what each record believes
  holder,  \* ours:  the order that has each record's claim, "" for none
  order,   \* world: each order: none, queued, sent, dropped, live, refused or void
  signal   \* world: the token that each order is of, "" before it is made

ours  == <<state, holder>>
world == <<order, signal>>
vars  == <<ours, world>>

Tokens == {"up", "down"}
Keys   == {"up", "down", "both"}   \* the two tokens, and their condition
Orders == {"first", "second", "third"}
States == {"armed", "claimed", "fired"}
Fates  == {"none", "queued", "sent", "dropped", "live", "refused", "void"}
Dead   == {"refused", "void"}

Pair(token) == {token, "both"}

TypeOK ==
  /\ state \in [Keys -> States] /\ holder \in [Keys -> (Orders \cup {""})]
  /\ order \in [Orders -> Fates]
  /\ signal \in [Orders -> (Tokens \cup {""})]

Init ==
  /\ state = [key \in Keys |-> "armed"] /\ holder = [key \in Keys |-> ""]
  /\ order = [intent \in Orders |-> "none"] /\ signal = [intent \in Orders |-> ""]

Holds(key, intent) == holder[key] = intent

----------------------------- (* the machine *) -----------------------------

Claim(token, intent) ==
  /\ \A key \in Pair(token) : state[key] = "armed"
  /\ signal[intent] = ""  \* an order is made once
  /\ state' = [key \in Keys |-> IF key \in Pair(token) THEN "claimed" ELSE state[key]]
  /\ holder' = [key \in Keys |-> IF key \in Pair(token) THEN intent ELSE holder[key]]
  /\ order' = [order EXCEPT ![intent] = "queued"]
  /\ signal' = [signal EXCEPT ![intent] = token]

Unanswered(token, intent) ==
  /\ signal[intent] = token
  /\ UNCHANGED vars

Fire(token, intent) ==
  /\ signal[intent] = token
  /\ order[intent] = "live"
  /\ \A key \in Pair(token) : Holds(key, intent)
  /\ state' = [key \in Keys |-> IF key \in Pair(token) THEN "fired" ELSE state[key]]
  /\ UNCHANGED <<holder, world>>

Release(token, intent) ==
  /\ signal[intent] = token
  /\ order[intent] \in Dead
  /\ LET freed == {key \in Pair(token) : (state[key] = "claimed") /\ Holds(key, intent)}
     IN  /\ state' = [key \in Keys |-> IF key \in freed THEN "armed" ELSE state[key]]
         /\ holder' = [key \in Keys |-> IF key \in freed THEN "" ELSE holder[key]]
  /\ UNCHANGED world

----------------- (* the world: shell, network and venue *) -----------------

Leave(intent) ==
  /\ order[intent] = "queued"
  /\ order' = [order EXCEPT ![intent] = "sent"]
  /\ UNCHANGED <<ours, signal>>

Crash ==  \* what was to be sent is not
  /\ order' = [intent \in Orders |-> IF order[intent] = "queued" THEN "dropped" ELSE order[intent]]
  /\ UNCHANGED <<ours, signal>>

Take(intent) ==
  /\ order[intent] = "sent"
  /\ order' = [order EXCEPT ![intent] = "live"]
  /\ UNCHANGED <<ours, signal>>

Refuse(intent) ==  \* the venue does, or our own last check before it leaves
  /\ order[intent] \in {"queued", "sent"}
  /\ order' = [order EXCEPT ![intent] = "refused"]
  /\ UNCHANGED <<ours, signal>>

Expire(intent) ==  \* wherever it is, it can land no more
  /\ order[intent] \in {"sent", "dropped"}
  /\ order' = [order EXCEPT ![intent] = "void"]
  /\ UNCHANGED <<ours, signal>>

----------------------------------------------------------------------------
Ours ==
  \/ \E token \in Tokens, intent \in Orders : Claim(token, intent)
  \/ \E token \in Tokens, intent \in Orders : Unanswered(token, intent)
  \/ \E token \in Tokens, intent \in Orders : Fire(token, intent)
  \/ \E token \in Tokens, intent \in Orders : Release(token, intent)

World ==
  \/ \E intent \in Orders : Leave(intent)
  \/ Crash
  \/ \E intent \in Orders : Take(intent)
  \/ \E intent \in Orders : Refuse(intent)
  \/ \E intent \in Orders : Expire(intent)

Next == Ours \/ World

\* The shell sends what is due, every order has an end, and we look an order up until we know.
Fairness ==
  /\ \A intent \in Orders : WF_vars(Leave(intent))
  /\ \A intent \in Orders : WF_vars(Expire(intent))
  /\ \A token \in Tokens, intent \in Orders : WF_vars(Fire(token, intent))
  /\ \A token \in Tokens, intent \in Orders : WF_vars(Release(token, intent))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
Alive == {intent \in Orders : order[intent] \notin (Dead \cup {"none"})}  \* or may come to be

OncePerToken     == \A token \in Tokens : Cardinality({intent \in Alive : signal[intent] = token}) <= 1
OncePerCondition == Cardinality(Alive) <= 1
FiredIsAccepted  == \A key \in Keys : (state[key] = "fired") => (order[holder[key]] = "live")
AliveHolds       == \A intent \in Alive : \A key \in Pair(signal[intent]) : Holds(key, intent)
ArmedIsFree      == \A key \in Keys : (state[key] = "armed") <=> (holder[key] = "")
PairsMoveTogether ==
  /\ \A token \in Tokens :
       (state[token] # "armed") => ((state["both"] = state[token]) /\ (holder["both"] = holder[token]))
  /\ (state["both"] # "armed") => (\E token \in Tokens : holder[token] = holder["both"])
OrdersHaveSignals == \A intent \in Orders : (order[intent] # "none") <=> (signal[intent] # "")
\* Nothing is said of an order but what is true of it.
HeardIsTrue ==
  \A token \in Tokens, intent \in Orders :
    /\ (ENABLED Unanswered(token, intent)) => (signal[intent] = token)
    /\ (ENABLED Fire(token, intent)) => ((signal[intent] = token) /\ (order[intent] = "live"))
    /\ (ENABLED Release(token, intent)) => ((signal[intent] = token) /\ (order[intent] \in Dead))
NothingIllegal ==
  \A intent \in {made \in Orders : signal[made] # ""} :
    /\ ENABLED Unanswered(signal[intent], intent)
    /\ (order[intent] = "live") => ENABLED Fire(signal[intent], intent)
    /\ (order[intent] \in Dead) => ENABLED Release(signal[intent], intent)

FiredForGood ==
  [][\A key \in Keys : (state[key] = "fired") => ((state'[key] = "fired") /\ (holder'[key] = holder[key]))]_vars
ClaimedUntilKnown ==
  [][\A key \in Keys : ((state[key] = "claimed") /\ (state'[key] = "armed")) => (order[holder[key]] \in Dead)]_vars
\* An order is sent once, and only what was sent lands, and what has ended has ended.
OrdersGoTheirWay ==
  [][\A intent \in Orders : (order'[intent] # order[intent]) =>
      (<<order[intent], order'[intent]>> \in
        {<<"none", "queued">>, <<"queued", "sent">>, <<"queued", "dropped">>, <<"queued", "refused">>,
         <<"sent", "live">>, <<"sent", "refused">>, <<"sent", "void">>, <<"dropped", "void">>})]_vars

NeverStuck  == \A key \in Keys : (state[key] = "claimed") ~> (state[key] # "claimed")
RefusedFrees == \A intent \in Orders : (order[intent] \in Dead) ~> (\A key \in Keys : holder[key] # intent)

\* Witnesses: each must be VIOLATED.
NeverClaimedAgain ==
  ~((order["first"] = "refused") /\ (signal["first"] = "up") /\ (holder["up"] = "second"))
NeverOtherToken ==
  ~((order["first"] = "void") /\ (signal["first"] = "up") /\ (state["down"] = "fired"))
NeverLateLanding ==
  ~((order["first"] = "live") /\ (state["both"] = "claimed"))
NeverDropped ==
  ~((order["first"] = "dropped") /\ (order["second"] = "void") /\ (state["both"] = "claimed"))
============================================================================
