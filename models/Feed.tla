-------------------------------- MODULE Feed --------------------------------
(***************************************************************************)
(* How far one stream of knowledge can be trusted: a link, or one token's  *)
(* book.  Mirrors polybawt/core/machines/feed.py.                          *)
(*                                                                         *)
(* The world is a link that drops, a source whose messages may get lost,   *)
(* and our copy, which is then wrong although everything looks well.       *)
(* Answers to PING come from the link, and say nothing about the copy.     *)
(*                                                                         *)
(* Not here: what the copy holds, how its hash is made (core/book.py), and *)
(* how long quiet may last.                                                *)
(***************************************************************************)

VARIABLES
  state,  \* ours:  what the machine believes
  last,   \* ours:  the action that came last
  due,    \* world: whether a loss of the link is still to be told
  link,   \* world: whether the stream is up
  copy    \* world: what our copy is worth: none, whole or wrong

ours  == <<state, last>>
world == <<due, link, copy>>
vars  == <<ours, world>>

States  == {"down", "silent", "fresh", "suspect", "stale"}
Actions == {"Connect", "Snapshot", "Change", "Pong", "Verify", "Mismatch", "Quiet", "Lose"}

TypeOK ==
  /\ state \in States /\ last \in (Actions \cup {"none"})
  /\ due \in BOOLEAN /\ link \in BOOLEAN /\ copy \in {"none", "whole", "wrong"}

Init == state = "down" /\ last = "none" /\ due = FALSE /\ link = FALSE /\ copy = "none"

----------------------------- (* the machine *) -----------------------------

Connect ==
  /\ link
  /\ state' = "silent" /\ last' = "Connect"
  /\ due' = FALSE /\ copy' = "none"  \* what the old link brought is thrown away
  /\ UNCHANGED link

Snapshot ==
  /\ state' = IF state = "down" THEN "down" ELSE "fresh"
  /\ last' = "Snapshot"
  /\ copy' = IF state = "down" THEN copy ELSE "whole"
  /\ UNCHANGED <<due, link>>

Change ==
  /\ link
  /\ state' = state /\ last' = "Change"
  /\ UNCHANGED world

Pong ==
  /\ link
  /\ state' = state /\ last' = "Pong"
  /\ UNCHANGED world

Verify ==
  /\ copy # "wrong"
  /\ state' = state /\ last' = "Verify"
  /\ UNCHANGED world

Mismatch ==
  /\ state' = IF state = "down" THEN "down" ELSE "suspect"
  /\ last' = "Mismatch"
  /\ UNCHANGED world

Quiet ==
  /\ state' = IF state = "fresh" THEN "stale" ELSE state
  /\ last' = "Quiet"
  /\ UNCHANGED world

Lose ==
  /\ due
  /\ state' = "down" /\ last' = "Lose"
  /\ due' = FALSE
  /\ UNCHANGED <<link, copy>>

------------------------- (* the world: link and source *) -------------------------

Raise ==
  /\ ~link
  /\ link' = TRUE
  /\ UNCHANGED <<ours, due, copy>>

Drop ==
  /\ link
  /\ link' = FALSE /\ due' = TRUE
  /\ UNCHANGED <<ours, copy>>

Miss ==  \* a message of the source did not arrive; without a link, none does
  /\ copy = "whole"
  /\ copy' = "wrong"
  /\ UNCHANGED <<ours, due, link>>

----------------------------------------------------------------------------
Next ==
  \/ Connect \/ Snapshot \/ Change \/ Pong \/ Verify \/ Mismatch \/ Quiet \/ Lose
  \/ Raise \/ Drop \/ Miss

\* We connect again, fetch the whole book when in doubt, are told of a lost link in the
\* end, and compare hashes and best prices often enough to find a wrong copy.
Fairness ==
  /\ WF_vars(Connect /\ (state = "down"))
  /\ WF_vars(Snapshot /\ (state \in {"silent", "suspect", "stale"}))
  /\ WF_vars(Lose)
  /\ WF_vars(Mismatch /\ (copy = "wrong") /\ (state = "fresh"))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* What is traded on was whole once, over a link that is up or whose loss is being told.
FreshHasCopy  == (state = "fresh") => (copy # "none")
FreshHasLink  == (state # "down") => (link \/ due)
SilentIsEmpty == (state = "silent") => (copy = "none")
MismatchIsDoubt == (last = "Mismatch") => (state \in {"suspect", "down"})
LostIsDown    == (last = "Lose") => (state = "down")
QuietIsNotFresh == (last = "Quiet") => (state # "fresh")
NothingIllegal ==
  /\ ENABLED Snapshot /\ ENABLED Mismatch /\ ENABLED Quiet
  /\ link => (ENABLED Connect /\ ENABLED Change /\ ENABLED Pong)
  /\ (copy # "wrong") => ENABLED Verify
  /\ due => ENABLED Lose

\* A PONG, a part, or a hash that fits make nothing fresh: only a whole new book does.
OnlyTheWholeMakesFresh ==
  [][((state # "fresh") /\ (state' = "fresh")) => (last' = "Snapshot")]_vars
DownUntilConnected ==
  [][((state = "down") /\ (state' # "down")) => (last' = "Connect")]_vars

WrongIsFound == ((state = "fresh") /\ (copy = "wrong")) ~> ((state # "fresh") \/ (copy = "whole"))
Recovers     == <>[]link => []<>(state = "fresh")

\* Witnesses: each must be VIOLATED.
NeverFreshAndWrong == ~((state = "fresh") /\ (copy = "wrong"))
NeverFreshOffline  == ~((state = "fresh") /\ ~link)
NeverFreshAgain    == ~((state = "stale") /\ (last = "Pong"))
============================================================================
