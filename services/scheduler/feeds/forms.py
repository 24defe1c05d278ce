"""Feeds over HTTP: what is sent and what is answered."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field

from contracts.entered import EnteredLine
from contracts.filters import PartyTerms, SlugTerms, sorted_once
from contracts.vocabulary import WHOLE, Instant, LanguageTag
from services.i18n.languages import SOURCE, ReaderLanguage
from services.plumbing.http.forms import RequestModel, ResponseModel, ZoneName
from services.scheduler.feeds.rendering.feed import (
    ALARM,
    FEED_FORMATS,
    FILTERED_BY,
    Feed,
)
from services.scheduler.feeds.settings import FeedSettings

Days = Annotated[int, Field(ge=0, le=366, strict=True), WHOLE]


class FeedFilters(RequestModel):
    """What a feed holds; an empty list asks for everything, and all lists have to agree."""

    parties: PartyTerms = ()
    themes: SlugTerms = ()
    sections: SlugTerms = ()
    commitments: SlugTerms = ()


class NewFeed(RequestModel):
    """A calendar and two feeds of events to be."""

    name: Annotated[EnteredLine, Field(max_length=100)] = "Pledgewire"
    """What calendar programs and readers show as its title."""
    language: ReaderLanguage = SOURCE
    zone: ZoneName = "America/New_York"
    filters: FeedFilters = FeedFilters()
    alarms: Annotated[tuple[Days, ...], Field(max_length=5), AfterValidator(sorted_once)] = (ALARM,)
    """Days before a milestone on which the calendar reminds; none for a calendar without alarms."""


class FeedAnswer(ResponseModel):
    """A feed as its owner sees it; its addresses aren't kept."""

    id: UUID
    name: str
    language: LanguageTag
    zone: str
    filters: FeedFilters
    alarms: tuple[int, ...]
    created_at: Instant
    last_read_on: date | None
    """The day (UTC) on which somebody last read at one of its addresses."""


class FeedAddresses(ResponseModel):
    """Where to read; whoever has one of them may."""

    calendar: str
    """iCalendar."""
    atom: str
    rss: str


class MadeFeed(FeedAnswer):
    """A feed with its addresses: they are shown this once."""

    addresses: FeedAddresses


class FeedList(ResponseModel):
    """One's own feeds that aren't revoked, the oldest first."""

    items: tuple[FeedAnswer, ...]


def feed_answer(feed: Feed, last_read_on: date | None) -> FeedAnswer:
    """A feed as its owner sees it."""
    return FeedAnswer(**_fields(feed, last_read_on))


def made_feed(feed: Feed, last_read_on: date | None, token: str, settings: FeedSettings) -> MadeFeed:
    """A feed with its addresses, of which `token` is the secret part."""
    calendar, atom, rss = (f"{settings.public_url}/feeds/{token}/{format_}" for format_ in FEED_FORMATS)
    return MadeFeed(**_fields(feed, last_read_on), addresses=FeedAddresses(calendar=calendar, atom=atom, rss=rss))


def _fields(feed: Feed, last_read_on: date | None) -> dict[str, Any]:
    return {
        "id": feed.id,
        "name": feed.name,
        "language": feed.language,
        "zone": feed.zone,
        "filters": {name: sorted(getattr(feed.filters, name)) for name in FILTERED_BY},
        "alarms": feed.alarms,
        "created_at": feed.created_at,
        "last_read_on": last_read_on,
    }
