"""What sets events off: those with the same cause belong together."""

from typing import Annotated, Literal, get_args
from uuid import UUID

from contracts.open_lists import OPEN
from contracts.vocabulary import Contract, Ordinal

CauseKind = Literal[
    "import",
    "entry",
    "reading-policy",
    "reschedule",
    "anchor-move",
    "anchor-held",
    "anchor-cancelled",
    "status-report",
    "assessment",
    "reminders",
    "escalations",
    "consistency-check",
    "delivery",
    "history",
]
"""`import`: a whole statement came in, or came in once more. `entry`: one commitment was entered, with its milestones.
`reading-policy`: a statement's words are to be read in another way. `reschedule`: a milestone that hangs on nothing
got another date. `anchor-move`, `anchor-held`, `anchor-cancelled`: what became known of an anchor, for all that hang
on it. `status-report`: one status update, or those that came in one request. `assessment`: one view of an assessor.
`reminders`, `escalations`: those of one calendar day, each in the zone of its milestone. `consistency-check`: one
morning's look. `delivery`: how the deliveries of one event ended. `history`: a statement of the past was taken in with
what became of it since: it is in the register, and nobody is told, reminded or asked because of it."""

CAUSE_KINDS: tuple[str, ...] = get_args(CauseKind)


HISTORY: CauseKind = "history"
"""What lies in the past tells nobody: each service holds its own part of that to this kind of cause."""


class Cause(Contract):
    """What set an event off. All events with the same cause belong together, on whichever topics they stand."""

    kind: Annotated[CauseKind, OPEN]
    id: UUID
    """The same for all that belong together, and for a repeat; another one for everything else."""
    count: Ordinal | None
    """How many events belong to it, this one included, over all topics. Null where more may come after this one, so
    that nobody knows yet: a day's reminders and escalations, and the ends of deliveries."""
