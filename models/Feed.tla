-------------------------------- MODULE Feed --------------------------------
(***************************************************************************)
(* How far one stream of knowledge can be trusted: a link, or one token's  *)
(* book.  Mirrors polybawt/core/machines/feed.py.                          *)
(*                                                                         *)
(* The world is a link that drops and returns, whose comings and goings we *)
(* are told later, and in order; a source whose messages may get lost; our *)
(* copy, which is then wrong although everything looks well; and a read of *)
(* the whole that we asked for, which is answered late or never, and may   *)
(* be behind by then.  Answers to PING come from the link, and say nothing *)
(* about the copy; a hash that fits makes nothing whole.                   *)
(*                                                                         *)
(* Not here: what the copy holds and how its hash is made (core/book.py),  *)
(* which of a read and the stream is newer (the kernel compares their      *)
(* timestamps), two reads at once (each carries its own time), and how     *)
(* long quiet may last.                                                    *)
(***************************************************************************)
EXTENDS Naturals, Sequences

VARIABLES
  state,   \* ours:  what the machine believes
  asked,   \* both:  whether the last read was sent since it is in this state
  quiet,   \* both:  whether the last sign of life is too long ago
  link,    \* world: whether the stream is up
  due,     \* world: what of that is still to be told, the oldest first
  copy,    \* world: what our copy is worth: none, whole or wrong
  answer   \* world: the read that is out: none, good, behind, or past (of an earlier link)

ours  == <<state>>
world == <<asked, quiet, link, due, copy, answer>>
vars  == <<ours, world>>

States  == {"down", "silent", "fresh", "suspect", "stale"}
Doubts  == {"suspect", "stale"}
Tellings == {<<>>, <<"up">>, <<"down">>, <<"up", "down">>, <<"down", "up">>}

TypeOK ==
  /\ state \in States
  /\ asked \in BOOLEAN /\ quiet \in BOOLEAN /\ link \in BOOLEAN
  /\ due \in Tellings
  /\ copy \in {"none", "whole", "wrong"}
  /\ answer \in {"none", "good", "behind", "past"}

Init ==
  /\ state = "down" /\ asked = FALSE /\ quiet = TRUE
  /\ link = FALSE /\ due = <<>> /\ copy = "none" /\ answer = "none"

Told(what)  == (due # <<>>) /\ (Head(due) = what)
Heard(what) == IF Told(what) THEN Tail(due) ELSE due

\* A connection whose beginning was told, and whose end was not.
Joined == IF due = <<>> THEN link ELSE Head(due) = "down"

\* It was asked for before it came to be what it is.
Older(read) == read /\ ~asked

----------------------------- (* the machine *) -----------------------------

Connect ==  \* told that the stream is up; or it was, and we begin to follow it
  /\ (due = <<>>) => link
  /\ state' = "silent" /\ asked' = FALSE
  /\ due' = Heard("up")
  /\ copy' = "none"  \* what the old link brought is thrown away
  /\ answer' = IF answer = "none" THEN "none" ELSE "past"
  /\ UNCHANGED <<quiet, link>>

Snapshot(read) ==
  /\ read => (answer # "none")
  /\ LET takes == (state # "down") /\ ~Older(read)
     IN /\ state' = IF takes THEN "fresh" ELSE state
        /\ quiet' = (quiet /\ ~takes)
        /\ copy' = CASE takes /\ read /\ (answer # "good") -> "wrong"
                     [] takes /\ (~read \/ (answer = "good")) -> "whole"
                     [] OTHER -> copy
  /\ asked' = (asked /\ (state' = state))
  /\ answer' = IF read THEN "none" ELSE answer
  /\ UNCHANGED <<link, due>>

Change ==
  /\ quiet' = (quiet /\ (state # "fresh"))
  /\ UNCHANGED <<state, asked, link, due, copy, answer>>

Pong ==
  /\ quiet' = (quiet /\ (state # "fresh"))
  /\ UNCHANGED <<state, asked, link, due, copy, answer>>

Verify ==
  /\ UNCHANGED <<state, asked, quiet, link, due, copy, answer>>

Mismatch ==
  /\ state' = IF state = "down" THEN "down" ELSE "suspect"
  /\ asked' = (asked /\ (state' = state))
  /\ UNCHANGED <<quiet, link, due, copy, answer>>

Quiet ==  \* the kernel's own clock says so
  /\ quiet
  /\ state' = IF state = "fresh" THEN "stale" ELSE state
  /\ asked' = (asked /\ (state' = state))
  /\ UNCHANGED <<quiet, link, due, copy, answer>>

Lose ==  \* told that the stream is down; or we follow it no more, or begin anew
  /\ state' = "down"
  /\ asked' = FALSE
  /\ due' = Heard("down")
  /\ UNCHANGED <<quiet, link, copy, answer>>

--------------- (* the world: link and source, and the kernel that asks *) ---------------

Raise ==
  /\ ~link
  /\ Len(due) < 2
  /\ link' = TRUE /\ due' = Append(due, "up")
  /\ UNCHANGED <<state, asked, quiet, copy, answer>>

Drop ==
  /\ link
  /\ Len(due) < 2
  /\ link' = FALSE /\ due' = Append(due, "down")
  /\ UNCHANGED <<state, asked, quiet, copy, answer>>

Miss ==  \* a message of the source did not arrive; without a link, none does
  /\ copy' = IF copy = "whole" THEN "wrong" ELSE copy
  /\ answer' = IF answer = "good" THEN "behind" ELSE answer
  /\ UNCHANGED <<state, asked, quiet, link, due>>

Hush ==
  /\ quiet' = TRUE
  /\ UNCHANGED <<state, asked, link, due, copy, answer>>

Ask ==
  /\ state \in Doubts
  /\ answer = "none"
  /\ answer' = "good" /\ asked' = TRUE
  /\ UNCHANGED <<state, quiet, link, due, copy>>

Ignore ==  \* the read failed
  /\ answer' = "none"
  /\ UNCHANGED <<state, asked, quiet, link, due, copy>>

----------------------------------------------------------------------------
Ours ==
  \/ Connect
  \/ \E read \in BOOLEAN : Snapshot(read)
  \/ Change
  \/ Pong
  \/ Verify
  \/ Mismatch
  \/ Quiet
  \/ Lose

World ==
  \/ Raise
  \/ Drop
  \/ Miss
  \/ Hush
  \/ Ask
  \/ Ignore

Next == Ours \/ World

\* We are told of a lost link in the end, and its whole book when it is new; what is too long
\* quiet is noticed, in doubt we ask, and one who asks for ever is answered; and we compare
\* hashes and best prices often enough to find a wrong copy.
Fairness ==
  /\ WF_vars(Lose /\ Told("down"))
  /\ WF_vars(Snapshot(FALSE) /\ (state = "silent"))
  /\ WF_vars(Quiet)
  /\ WF_vars(Ask)
  /\ SF_vars(Snapshot(TRUE))
  /\ WF_vars(Mismatch /\ (copy = "wrong") /\ (state = "fresh"))

Spec     == Init /\ [][Next]_vars
LiveSpec == Spec /\ Fairness

----------------------------------------------------------------------------
\* What is traded on was whole once, over a link that is up or whose loss is being told.
FreshHasCopy  == (state = "fresh") => (copy # "none")
SilentIsEmpty == (state = "silent") => (copy = "none")
\* The session: what is believed at all is believed of the connection that we were told of.
UpMeansJoined == (state # "down") => Joined
\* A read counts only in the doubt it was asked in, and so never on another link.
AskedInDoubt  == asked => ((state \in Doubts) /\ (answer # "past"))
\* The world: comings and goings are told in turn.
ToldInOrder   == (due # <<>>) => (link = (due[Len(due)] = "up"))

NothingIllegal ==
  /\ ENABLED Snapshot(FALSE) /\ ENABLED Change /\ ENABLED Pong
  /\ ENABLED Verify /\ ENABLED Mismatch /\ ENABLED Lose
  /\ (answer # "none") => ENABLED Snapshot(TRUE)
  /\ Told("up") => ENABLED Connect
  /\ quiet => ENABLED Quiet

\* Steps.  Only a whole new book makes fresh; a PONG, a part, or a hash that fits decide nothing.
OnlyTheWholeMakesFresh ==
  [][((state # "fresh") /\ (state' = "fresh")) => ((copy' = "whole") \/ (answer' # answer))]_vars
SmallTalkDecidesNothing == [][(Pong \/ Change \/ Verify) => UNCHANGED <<state, copy>>]_vars
DownUntilConnected ==
  [][((state = "down") /\ (state' # "down")) => ((state' = "silent") /\ (copy' = "none"))]_vars
MismatchIsDoubt == [][Mismatch => (state' \in {"suspect", "down"})]_vars
LostIsDown      == [][Lose => (state' = "down")]_vars
StaleHasCause   == [][((state # "stale") /\ (state' = "stale")) => quiet]_vars
QuietIsNotFresh == [][Quiet => (state' # "fresh")]_vars
\* No input of an old connection, and none that was asked for before the doubt.
NoOldConnection ==
  [][((answer = "past") /\ (answer' = "none")) => UNCHANGED <<state, copy, quiet>>]_vars
NoOldRead ==
  [][((answer # "none") /\ (answer' = "none") /\ ~asked) => UNCHANGED <<state, copy, quiet>>]_vars
OneReadAtATime == [][((answer' = "good") /\ (answer # "good")) => (answer = "none")]_vars

WrongIsFound == ((state = "fresh") /\ (copy = "wrong")) ~> ((state # "fresh") \/ (copy = "whole"))
QuietIsFound == ((state = "fresh") /\ quiet) ~> ((state # "fresh") \/ ~quiet)
LossIsTold   == ((state # "down") /\ ~link) ~> ((state = "down") \/ link)
\* As long as one connection lasts.
Recovers     == (<>[](state # "down") /\ <>[][~Connect]_vars) => []<>(state = "fresh")

\* Witnesses: each must be VIOLATED.
NeverFreshAndWrong == ~((state = "fresh") /\ (copy = "wrong"))
NeverFreshOffline  == ~((state = "fresh") /\ ~link)
NeverOldAnswer     == ~((state = "suspect") /\ (answer = "past"))
NeverBehindUnseen  == ~((state = "suspect") /\ asked /\ (answer = "behind"))
============================================================================
