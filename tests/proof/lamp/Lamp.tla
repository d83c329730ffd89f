-------------------------------- MODULE Lamp --------------------------------
\* A lamp that breaks at its third turn, and a hand that may be anywhere.
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
Spec == Init /\ [][Next]_vars
Whole == turns < Lasts \/ state = "broken"
=============================================================================
