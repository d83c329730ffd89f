-------------------------------- MODULE Lamp --------------------------------
(***************************************************************************)
(* A lamp that breaks at its third turn, and a hand that may be anywhere.  *)
(*                                                                         *)
(* Not here: the light.                                                    *)
(***************************************************************************)
EXTENDS Naturals
CONSTANT Lasts
VARIABLES state, turns, near
ours  == <<state, turns>>
world == <<near>>
vars  == <<ours, world>>
Init == state = "off" /\ turns = 0 /\ near = FALSE

----------------------------- (* the machine *) -----------------------------
Worn == turns + 1 >= Lasts

Turn ==
  /\ near /\ (state # "broken")
  /\ state' = CASE Worn -> "broken"
                [] (~Worn) /\ (state = "off") -> "on"
                [] OTHER -> "off"
  /\ turns' = turns + 1
  /\ UNCHANGED near

Mend(lasting) ==
  /\ state = "broken"
  /\ state' = "off" /\ turns' = IF lasting THEN 0 ELSE 1
  /\ UNCHANGED near

------------------------------ (* the world *) ------------------------------
Go(there) == (near # there) /\ (near' = there) /\ UNCHANGED ours

-----------------------------------------------------------------------------
Ours ==
  \/ Turn
  \/ \E lasting \in BOOLEAN : Mend(lasting)
World ==
  \/ \E there \in BOOLEAN : Go(there)
Next == Ours \/ World

\* A hand comes; whoever is there often turns it in the end; what is broken is mended.
Fairness ==
  /\ SF_vars(Turn)
  /\ \A lasting \in {TRUE} : SF_vars(Mend(lasting))
  /\ WF_vars(Go(TRUE))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

Whole      == (turns < Lasts) \/ (state = "broken")
BrokenStays == [][(state = "broken") => (state' \in {"broken", "off"})]_vars
Mended     == (state = "broken") ~> (state = "off")
Wears      == (state = "on") ~> (state = "broken")
Comes      == []<>near
NeverWorn  == state # "broken"
=============================================================================
