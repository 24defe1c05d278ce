"""Every kind of message there is, and messages about several events: what is looked at, and tried on all channels."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from email import message_from_bytes
from typing import Any
from uuid import UUID

from contracts.filters import Filters
from services.notifier.channels import CHANNELS
from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.email import POLICY
from services.notifier.delivery.messages import matched_by, render_group
from services.notifier.events.published_event import AS_NEWS, PublishedEvent, Telling
from services.notifier.rendering.footer_reason import Concern
from services.notifier.rendering.group_message import GroupKind, Rhythm
from tests.notifier.rendering.material import GOLDEN, LINKS, NOW, SENDER, reader

DAY = {"edtf": "2023-01-10", "earliest": "2023-01-10", "latest": "2023-01-10", "precision": "day"}
DUE, SUMMIT = "milestone-due.v1.coal-finance-in-7-days", "milestone-scheduled.v1.cumbre-aplazada"
CREATED, STATUS = "commitment-created.v1.land-and-waters", "status-changed.v1.drug-dialogue-met"


def changed(name: str, milestone: Mapping[str, Any] | None = None, **changes: Any) -> PublishedEvent:
    """A golden event with other values."""
    event = GOLDEN[name]
    data = json.loads(event.value) | changes
    if milestone:
        data["milestone"] = data["milestone"] | milestone
    return _with(event, data)


def _with(event: PublishedEvent, data: Any) -> PublishedEvent:
    """The event with another value, as it would stand on its topic."""
    made = replace(event, value=json.dumps(data, ensure_ascii=False).encode())
    _ = made.data  # it can be read
    return made


def _of_the_summit(**changes: Any) -> PublishedEvent:
    """A reminder of an event that is held on a day."""
    told = json.loads(GOLDEN[SUMMIT].value)
    due = changed(DUE, None, commitment=told["commitment"], **changes)
    data = json.loads(due.value)
    data["milestone"] = told["milestone"] | {"span": DAY, "local_time": "10:00", "zone": "America/Mexico_City"}
    return _with(due, data)


EACH_KIND: Mapping[str, PublishedEvent] = {
    "created": GOLDEN[CREATED],
    "first-date": GOLDEN["milestone-scheduled.v1.coal-finance"],
    "moved": changed(SUMMIT, {"local_time": "10:00"}),
    "cancelled": changed(
        SUMMIT,
        {"span": {"edtf": None, "earliest": None, "latest": None, "precision": "undated"}},
        change="cancelled",
        previous=DAY,
    ),
    "held": changed(SUMMIT, change="held"),
    "ahead": changed(DUE, days=30, step="before-30d"),
    "ahead-event": _of_the_summit(days=7),
    "today": _of_the_summit(phase="today", days=0, step="on-the-day"),
    "asked": _of_the_summit(phase="asked", days=1, step="after-1d"),
    "overdue": changed(DUE, phase="overdue", days=3, step="after-3d"),
    "review": GOLDEN["milestone-due.v1.revision-sin-fecha"],
    "status": GOLDEN[STATUS],
    "escalated": GOLDEN["milestone-escalated.v1.cabinet-du-ministre"],
    "flagged": GOLDEN["consistency-flagged.v1.past-due"],
}
"""By what they are called in the issue; each as it may well be."""


def named(event: PublishedEvent, number: int, **changes: Any) -> PublishedEvent:
    """The same event about another commitment, with another milestone, and with other values."""
    data = json.loads(event.value) | changes
    data["commitment"]["id"] = f"commitment-{number}"
    if "milestone" in data:
        data["milestone"]["id"] = f"milestone-{number}"
    return replace(_with(event, data), id=UUID(int=number + 1))


def on_day(event: PublishedEvent, day: date) -> PublishedEvent:
    """The same event, about another day."""
    data = json.loads(event.value)
    data["milestone"]["span"] = {"edtf": f"{day}", "earliest": f"{day}", "latest": f"{day}", "precision": "day"}
    return _with(event, data)


def imported(number: int) -> list[PublishedEvent]:
    """A statement of so many commitments as it comes in: every other one has a date."""
    events = []
    for at in range(number):
        events.append(named(GOLDEN[CREATED], at))
        if at % 2:
            scheduled = on_day(named(EACH_KIND["first-date"], at), date(2023, 1, 1) + timedelta(days=at))
            events.append(replace(scheduled, id=UUID(int=1000 + at)))
    return events


def reminders(number: int, *, phases: Sequence[str] = ("ahead",), days: int = 7) -> list[PublishedEvent]:
    """So many reminders of one day."""
    return [
        on_day(named(EACH_KIND["ahead"], at, phase=phases[at % len(phases)], days=days), date(2022, 3, 1))
        for at in range(number)
    ]


EACH_GROUP: Mapping[str, tuple[Sequence[PublishedEvent], GroupKind, Rhythm | None]] = {
    "import": (imported(12), "window", None),
    "reminders": (reminders(5), "window", None),
    "day": (reminders(9, phases=("overdue", "ahead", "today")), "window", None),
    "anchor-move": ([named(EACH_KIND["moved"], at) for at in range(6)], "window", None),
    "one-thing-twice": ([changed(SUMMIT, previous=None, change="first"), GOLDEN[SUMMIT]], "window", None),
    "digest": (list(EACH_KIND.values()), "digest", "weekly"),
    "deferred": ([EACH_KIND["status"], EACH_KIND["moved"], *reminders(2)], "deferred", None),
    "whole-statement": (imported(98), "window", None),
}
"""Several events that go out together, why, and the rhythm of a digest."""

FOLLOWS_ALL = Filters()


def sent_group(
    events: Sequence[PublishedEvent],
    channel: str,
    language: str,
    kind: GroupKind = "window",
    rhythm: Rhythm | None = None,
    *,
    tellings: Sequence[Telling] = (),
    filters: Sequence[Filters] = (FOLLOWS_ALL,),
) -> bytes:
    """The bytes that go to a reader who has a subscription with each of these filters."""
    told = list(zip(events, tellings or [AS_NEWS] * len(events), strict=True))
    rendered = render_group(told, channel, language, LINKS, kind, rhythm)
    to = reader(filters=filters[0])
    matched = tuple(matched_by(event) for event in events)
    values = rendered.values_for(to, [Concern(one, matched) for one in filters])
    sender = CHANNELS[channel]
    if isinstance(sender, MailedChannel):
        return sender.mail(rendered.template, to, values, sender=SENDER, at=NOW)
    assert isinstance(sender, PostedChannel)
    return sender.body(rendered.template, values)


def mailed_group(events: Sequence[PublishedEvent], language: str, *how: Any, **changes: Any) -> Any:
    """The mail, as a reader's program parses it."""
    return message_from_bytes(sent_group(events, "email", language, *how, **changes), policy=POLICY)
