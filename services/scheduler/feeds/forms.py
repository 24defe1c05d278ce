"""Feeds over HTTP: what is sent and what is answered."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.vocabulary import Country, Instant, Language, Line, Slug
from services.plumbing.zones import UnknownZone, zone_named
from services.scheduler.feeds.rendering.feed import (
    ALARM,
    FEED_FORMATS,
    Feed,
)
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.languages import plain


def _known_zone(name: str) -> str:
    try:
        zone_named(name)
    except UnknownZone as error:
        raise ValueError("no zone of the IANA time zone database") from error
    return name


def _visible(name: str) -> str:
    if not plain(name).strip():
        raise ValueError("a name has to have something to be seen")
    return name


def _once_each(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(set(values)))


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]

Slugs = Annotated[tuple[Slug, ...], Field(max_length=100), AfterValidator(_once_each)]

Days = Annotated[int, Field(ge=0, le=366, strict=True)]


class _FeedModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FeedFilters(_FeedModel):
    """What a feed holds; an empty list asks for everything, and all lists have to agree."""

    countries: Annotated[tuple[Country, ...], Field(max_length=100), AfterValidator(_once_each)] = ()
    themes: Slugs = ()
    sections: Slugs = ()
    commitments: Slugs = ()


class NewFeed(_FeedModel):
    """A calendar and two feeds of events to be."""

    name: Annotated[Line, Field(max_length=100), AfterValidator(_visible)] = "Pledgewire"
    """What calendar programs and readers show as its title."""
    language: Language = Language.EN
    zone: Zone = "America/New_York"
    filters: FeedFilters = FeedFilters()
    alarms: Annotated[tuple[Days, ...], Field(max_length=5), AfterValidator(_once_each)] = (ALARM,)
    """Days before a milestone on which the calendar reminds; none for a calendar without alarms."""


class FeedAnswer(_FeedModel):
    """A feed as its owner sees it; its addresses aren't kept."""

    id: UUID
    name: str
    language: Language
    zone: str
    filters: FeedFilters
    alarms: tuple[int, ...]
    created_at: Instant
    last_read_on: date | None
    """The day (UTC) on which somebody last read at one of its addresses."""


class FeedAddresses(_FeedModel):
    """Where to read; whoever has one of them may."""

    calendar: str
    """iCalendar."""
    atom: str
    rss: str


class MadeFeed(FeedAnswer):
    """A feed with its addresses: they are shown this once."""

    addresses: FeedAddresses


class FeedList(_FeedModel):
    """One's own feeds that aren't revoked, the oldest first."""

    items: tuple[FeedAnswer, ...]


def feed_fields(feed: Feed, last_read_on: date | None) -> dict[str, Any]:
    return {
        "id": feed.id,
        "name": feed.name,
        "language": feed.language,
        "zone": feed.zone,
        "filters": vars(feed.filters),
        "alarms": feed.alarms,
        "created_at": feed.created_at,
        "last_read_on": last_read_on,
    }


def made_feed(feed: Feed, last_read_on: date | None, token: str, settings: FeedSettings) -> MadeFeed:
    calendar, atom, rss = (f"{settings.public_url}/feeds/{token}/{kind}" for kind in FEED_FORMATS)
    return MadeFeed(**feed_fields(feed, last_read_on), addresses=FeedAddresses(calendar=calendar, atom=atom, rss=rss))
