"""Nobody can report on a day that has not come: what lies ahead of every clock is refused, over HTTP and over Kafka."""

from datetime import date, datetime, timedelta

from services.plumbing.sentences import Sentence
from services.registry.rules.errors import Invalid, at

CLOCK_SKEW = timedelta(minutes=5)
"""So much a sender's clock may be ahead of ours; the tolerance that signed webhooks have, too."""

_FIRST_ZONE = timedelta(hours=14)
"""The first calendar to begin a day is UTC+14, on the Line Islands."""


def check_reported_at(reported_at: datetime, latest: datetime) -> None:
    """Raise `Invalid` for a report that was made after it was received, `CLOCK_SKEW` aside.

    `latest` is the latest instant that anybody's clock may show by now.
    """
    if reported_at > latest + CLOCK_SKEW:
        raise Invalid(
            Sentence("A report can't be dated ahead: %(isoformat)s", isoformat=reported_at.isoformat()),
            **at("reported_at"),
        )


def check_retrieved_on(retrieved_on: date, latest: datetime) -> None:
    """Raise `Invalid` for evidence that was looked at on a day that has begun in no calendar of the world."""
    if retrieved_on > (latest + _FIRST_ZONE).date():
        raise Invalid(
            Sentence("Nothing was retrieved on a day that has not come: %(retrieved_on)s", retrieved_on=retrieved_on),
            **at("evidence", "retrieved_on"),
        )


def check_known_on(known_on: date, latest: datetime) -> None:
    """Raise `Invalid` for a day that has begun in no calendar of the world: nothing can have become known on it."""
    if known_on > (latest + _FIRST_ZONE).date():
        raise Invalid(
            Sentence("Nothing is known on a day that has not come: %(known_on)s", known_on=known_on), **at("known_on")
        )
