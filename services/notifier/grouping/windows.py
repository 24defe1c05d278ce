"""How long what somebody is told waits for more of the same cause: a table, which the docs show, too.

The time is business time and counts from the first of a group. What has no window is told at once, and so is what its
cause says to be alone: a status by itself is what people wait for, and nothing else will come with it.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from contracts.causes import Cause

_ONE_ACT = timedelta(seconds=60)
"""All of it is written at once, and needs only the way here."""
_ONE_DAY = timedelta(minutes=15)
"""What falls due on one day comes as the clock strikes, and some of it a little later."""

WINDOWS: Mapping[str, timedelta | None] = MappingProxyType(
    {
        "import": _ONE_ACT,
        "entry": _ONE_ACT,
        "reading-policy": _ONE_ACT,
        "reschedule": _ONE_ACT,
        "anchor-move": _ONE_ACT,
        "anchor-held": _ONE_ACT,
        "anchor-cancelled": _ONE_ACT,
        "status-report": _ONE_ACT,
        "assessment": None,
        "reminders": _ONE_DAY,
        "escalations": _ONE_DAY,
        "consistency-check": _ONE_DAY,
        "delivery": None,
        "history": None,
    }
)
"""By the kind of cause; a test holds the keys against the contract's, and the table of the docs against this one."""


def window_of(cause: Cause) -> timedelta | None:
    """How long an event waits for others of its cause; None where it is told at once.

    That is so too where the cause says that it has this one event, and for a kind of a later release.
    """
    return None if cause.count == 1 else WINDOWS.get(cause.kind)
