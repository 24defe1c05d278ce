"""A span has one name: in mail and chat, on pages, in calendars and feeds, and in previews, in every language.

Random spans go through the renderers of all three services. Each has to show the span's name, and the name has to
tell both ends: a span that goes on in another month, season, year or decade is never shown as its first alone.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import httpx2
from babel import Locale
from fastapi import FastAPI
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.events import MilestoneDue, MilestoneScheduled
from contracts.vocabulary import LanguageTag, Precision, Reading, Span, Status
from services.i18n.languages import LANGUAGES
from services.i18n.spans import span_name, to_be_reviewed
from services.i18n.words import words_in
from services.portal.clients.registry import CommitmentDetailView, PassageView, ScheduleView
from services.portal.event_lines import event_line
from services.portal.live_feed import LiveEvent, LiveFeed, RecordPosition
from services.portal.page_renderer import PageRenderer
from services.portal.routes import add_routes
from services.portal.routes.portal import Portal
from services.registry.rules.edtf_dates import UNDATED, UnreadableDate, span_of
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.feeds.rendering.syndication import FeedItem, atom, rss
from services.scheduler.previews.routes import _milestone as preview_of
from services.scheduler.previews.store import MilestoneView
from services.scheduler.reminders.rules.agenda import SHIPPED_RULES, MilestoneSchedule
from tests.contracts import golden_records
from tests.notifier.rendering.material import mail, part, payload, published, texts
from tests.scheduler.feeds.scenes import FEED, PORTAL, entry, only, written
from tests.scheduler.scenes import brief, milestone, scheduled, text

NOW = datetime(2022, 12, 1, 12, tzinfo=UTC)
WORDING = "by then"
SEASON_MONTHS = {"21": (3, 5), "22": (6, 8), "23": (9, 11), "24": (12, 12)}
"""The first and the last month of EDTF's seasons, as the registry reads them."""
COARSENESS = (Precision.DAY, Precision.MONTH, Precision.SEASON, Precision.YEAR, Precision.DECADE)


@dataclass(frozen=True)
class End:
    """What stands on one side of the stroke in an EDTF interval."""

    edtf: str
    first: date
    last: date
    precision: Precision


def last_of_month(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


@st.composite
def ends(draw: st.DrawFn) -> End:
    """A day, month, season, year or decade of four digits."""
    day = draw(st.dates(date(1000, 1, 1), date(9989, 12, 31)))
    match draw(st.sampled_from(COARSENESS)):
        case Precision.DAY:
            day = day.replace(day=1) if draw(st.booleans()) else day
            return End(day.isoformat(), day, day, Precision.DAY)
        case Precision.MONTH:
            first = day.replace(day=1)
            return End(f"{day:%Y-%m}", first, last_of_month(day.year, day.month), Precision.MONTH)
        case Precision.SEASON:
            number = draw(st.sampled_from(sorted(SEASON_MONTHS)))
            begin, end = SEASON_MONTHS[number]
            return End(f"{day.year}-{number}", date(day.year, begin, 1), last_of_month(day.year, end), Precision.SEASON)
        case Precision.YEAR:
            return End(str(day.year), date(day.year, 1, 1), date(day.year, 12, 31), Precision.YEAR)
        case _:
            decade = day.year // 10
            return End(f"{decade}X", date(decade * 10, 1, 1), date(decade * 10 + 9, 12, 31), Precision.DECADE)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    """Spans of all kinds: single ones, from one to another (of any two kinds), without an end, without a date."""
    one = draw(ends())
    match draw(st.sampled_from(("single", "interval", "interval", "near", "open", "undated"))):
        case "undated":
            return UNDATED
        case "single":
            return Span(edtf=one.edtf, earliest=one.first, latest=one.last, precision=one.precision)
        case "open":
            return Span(edtf=f"{one.edtf}/..", earliest=one.first, latest=None, precision=one.precision)
        case "near" if one.precision is Precision.DAY:
            last = one.first + timedelta(days=draw(st.integers(1, 60)))
            other = End(last.isoformat(), last, last, Precision.DAY)
        case _:
            other = draw(ends())
    if other.first < one.first:
        one, other = other, one
    coarser = max(one.precision, other.precision, key=COARSENESS.index)
    return Span(edtf=f"{one.edtf}/{other.edtf}", earliest=one.first, latest=other.last, precision=coarser)


def with_span(span: Span, reading: Reading) -> Milestone:
    """A milestone of this span, read in a way that the span allows."""
    if span.earliest is None:
        reading = reading if reading is Reading.RECURRING else Reading.UNDATED
    elif span.latest is None:
        reading = Reading.FROM
    return milestone(date(2022, 1, 1)).model_copy(update={"span": span, "reading": reading, "wording": WORDING})


def scheduled_event(what: Milestone) -> MilestoneScheduled:
    return scheduled(what).model_copy(update={"milestone": what, "change": "first", "previous": None, "source": None})


def due_event(what: Milestone) -> MilestoneDue:
    around = golden_records.example("milestone-due.v1.coal-finance-in-7-days")
    event = cast(MilestoneDue, around.read()[1])
    return event.model_copy(update={"milestone": what, "phase": "ahead" if what.span.latest else "review"})


def in_mail(what: Milestone, language: LanguageTag) -> str:
    return part(mail(published("milestone-scheduled", scheduled_event(what)), language), "plain")


def in_a_reminder_by_mail(what: Milestone, language: LanguageTag) -> str:
    return re.sub(r"<[^>]+>", " ", part(mail(published("milestone-due", due_event(what)), language), "html"))


def in_slack(what: Milestone, language: LanguageTag) -> str:
    return " ".join(texts(payload(published("milestone-scheduled", scheduled_event(what)), "slack", language)))


def in_teams(what: Milestone, language: LanguageTag) -> str:
    return " ".join(texts(payload(published("milestone-due", due_event(what)), "teams", language)))


def in_a_calendar(what: Milestone, language: LanguageTag) -> str:
    return str(only(written(entry(what), language=language)).description.value)


def in_atom(what: Milestone, language: LanguageTag) -> str:
    item = FeedItem(UUID(int=1), NOW, scheduled_event(what))
    return atom(_feed(language), [item], PORTAL).decode()


def in_rss(what: Milestone, language: LanguageTag) -> str:
    item = FeedItem(UUID(int=1), NOW, due_event(what))
    return unescape(rss(_feed(language), [item], PORTAL).decode())


def _feed(language: LanguageTag) -> Any:
    return replace(FEED, language=language)


def in_a_preview(what: Milestone, language: LanguageTag) -> str:
    schedule = MilestoneSchedule(brief(), what, 1, NOW, settled=False)
    seen = MilestoneView(schedule, Status.ANNOUNCED, (), None, None)
    shown = preview_of(seen, SHIPPED_RULES, None, read_escalation_book(), None, words_in(language), NOW, 0)
    return shown.when


def on_the_live_page(what: Milestone, language: LanguageTag) -> str:
    envelope = golden_records.example("milestone-due.v1.coal-finance-in-7-days").read()[0]
    live = [
        LiveEvent(RecordPosition("milestone-scheduled", 0, 1), envelope, scheduled_event(what), 0),
        LiveEvent(RecordPosition("milestone-due", 0, 1), envelope, due_event(what), 0),
    ]
    one, other = (event_line(event, words_in(language)) for event in live)
    assert span_name(what.span, words_in(language)) in str(other.detail)
    return str(one.text)


class RegistryOfOne:
    """A registry with one commitment that has one milestone."""

    def __init__(self, what: Milestone) -> None:
        schedule = ScheduleView(version=1, span=what.span, change="first")
        self._commitment = CommitmentDetailView.model_validate(
            {
                **brief().model_dump(),
                "summary": text("summary"),
                "strength": "commit",
                "status": "announced",
                "milestones": ({**what.model_dump(), "schedules": (schedule,)},),
                "passage": PassageView(text="the words", start=0, end=3),
            }
        )

    async def commitment(self, _: str) -> CommitmentDetailView:
        return self._commitment

    async def commitments(self, _: object) -> list[CommitmentDetailView]:
        return [self._commitment]

    async def statements(self) -> list[Any]:
        return []

    async def due_milestones(self, _: object) -> list[Any]:
        return []

    async def anchor(self, _: str) -> None:
        return None


async def _nothing(*_: object) -> list[Any]:
    return []


PAGES = PageRenderer()


def _page(what: Milestone, language: LanguageTag, path: str) -> str:
    """The text of a page, as a browser without style or scripts shows it."""
    app = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False})
    others: Any = SimpleNamespace(reminders=_nothing, deliveries=_nothing, acknowledgements=_nothing)
    clock: Any = SimpleNamespace(now=lambda: NOW)
    registry: Any = RegistryOfOne(what)
    add_routes(app, Portal(registry, others, others, LiveFeed(), clock, PAGES))

    async def asked() -> str:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://portal") as client:
            answer = await client.get(path, params={"lang": language})
            assert answer.status_code == 200
            return answer.text

    return unescape(re.sub(r"<[^>]+>", " ", asyncio.run(asked())))


def on_the_page_of_the_commitment(what: Milestone, language: LanguageTag) -> str:
    return _page(what, language, "/commitments/end-coal-finance-abroad")


def on_the_list_of_commitments(what: Milestone, language: LanguageTag) -> str:
    return _page(what, language, "/")


PLACES: tuple[Callable[[Milestone, LanguageTag], str], ...] = (
    in_mail,
    in_a_reminder_by_mail,
    in_slack,
    in_teams,
    in_atom,
    in_rss,
    in_a_preview,
    on_the_live_page,
    on_the_page_of_the_commitment,
    on_the_list_of_commitments,
)
IN_CALENDARS = (in_a_calendar,)
"""Calendars hold what has a last day."""


def read(shown: str) -> str:
    """Text as one line: spaces of all widths are one."""
    return " ".join(shown.replace("\u200b", "").split())


def names(span: Span, language: LanguageTag) -> set[str]:
    """What the span may be called: days stand in one of three forms, and French contracts an article."""
    words = words_in(language)
    found = {span_name(span, words, form) for form in ("full", "long", "medium")}
    return {re.sub("^(les? |l’)", "", read(name)) if language == "fr" else read(name) for name in found}


def last_days(span: Span, reading: Reading, language: LanguageTag) -> set[str]:
    """What is to be done by the end of several units is named by its last day alone, in one of three forms."""
    first, last = span.earliest, span.latest
    if reading is not Reading.BY or first is None or last is None:
        return set()
    is_one_unit = {
        Precision.DAY: first == last,
        Precision.MONTH: (first.year, first.month) == (last.year, last.month),
        Precision.SEASON: "/" not in (span.edtf or ""),
        Precision.YEAR: first.year == last.year,
        Precision.DECADE: first.year // 10 == last.year // 10,
    }[span.precision or Precision.DAY]
    day = Span(edtf=last.isoformat(), earliest=last, latest=last, precision=Precision.DAY)
    return set() if is_one_unit else names(day, language)


def recurrences(span: Span, reading: Reading, language: LanguageTag) -> set[str]:
    """What recurs and has no date is named by that alone where it is to be reviewed."""
    if reading is not Reading.RECURRING or span.earliest is not None:
        return set()
    return {read(to_be_reviewed(span, reading, words_in(language)))}


def month_name(day: date, language: LanguageTag) -> str:
    return str(Locale.parse(LANGUAGES[language].locale).months["format"]["wide"][day.month])


def expected_ends(span: Span, language: LanguageTag) -> list[tuple[str, ...]]:
    """For each end of a span what has to stand in its name: one of these each; reckoned without our own functions."""
    first, last = span.earliest, span.latest
    if first is None:
        return []
    told: list[tuple[str, ...]] = []
    for day in (first, last or first):
        decade = str(day.year // 10 * 10)
        told.append((str(day.year), decade) if span.precision is Precision.DECADE else (str(day.year),))
        if span.precision is Precision.MONTH:
            told.append((month_name(day, language),))
        if span.precision is Precision.DAY:
            told.append((str(day.day) if day.day > 1 else LANGUAGES[language].first_of_month,))
    return told


MONTH = r"(janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc)"
FIRST_WITH_A_BARE_NUMBER = re.compile(rf"(?<![\d,.:/-])1( ?– ?\d+)? {MONTH}|– ?1 {MONTH}")
"""A day that French does not write so: `1 janvier`, `1–9 janv.`; at the end of an interval too."""


@given(spans(), st.sampled_from(list(LANGUAGES)))
def test_the_name_of_a_span_tells_both_of_its_ends(span: Span, language: LanguageTag) -> None:
    for form in ("full", "long", "medium"):
        name = read(span_name(span, words_in(language), form))
        for choices in expected_ends(span, language):
            assert any(re.search(rf"(?<!\d){re.escape(choice)}", name) for choice in choices), (span.edtf, name)


@settings(max_examples=60, deadline=None)
@given(spans(), st.sampled_from(Reading), st.sampled_from(list(LANGUAGES)))
@example(span_of("2022-06/2022-08"), Reading.BY, "fr")
@example(span_of("202X/203X"), Reading.DURING, "en")
@example(span_of("2022-01-01/2022-02-01"), Reading.ON, "fr")
@example(span_of("202X"), Reading.BY, "fr")
@example(Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED), Reading.RECURRING, "en")
@example(
    Span(edtf="2000-01-01/2000-21", earliest=date(2000, 1, 1), latest=date(2000, 5, 31), precision=Precision.SEASON),
    Reading.BY,
    "en",
)
def test_a_span_has_the_same_name_wherever_it_is_shown(span: Span, reading: Reading, language: LanguageTag) -> None:
    what = with_span(span, reading)
    wanted = names(span, language) | last_days(span, reading, language) | recurrences(span, reading, language)

    for place in PLACES + (IN_CALENDARS if span.latest else ()):
        shown = read(place(what, language))
        assert any(name.casefold() in shown.casefold() for name in wanted), (place.__name__, span.edtf, wanted, shown)
        if language == "fr":
            assert not FIRST_WITH_A_BARE_NUMBER.search(shown), (place.__name__, span.edtf)


@given(spans())
def test_the_spans_of_this_test_are_read_by_the_registry_in_the_same_way(span: Span) -> None:
    try:
        found = span_of(span.edtf)
    except UnreadableDate:
        return
    assert found == span


def test_a_span_that_goes_on_is_named_by_both_ends_as_people_write_them() -> None:
    def told(span: Span) -> list[str]:
        return [read(span_name(span, words_in(language))) for language in ("en", "es", "fr")]

    seasons = Span(
        edtf="2022-21/2022-23", earliest=date(2022, 3, 1), latest=date(2022, 11, 30), precision=Precision.SEASON
    )
    assert told(span_of("2022-06/2022-08")) == ["June – August 2022", "junio–agosto de 2022", "juin – août 2022"]
    assert told(span_of("2022-12/2023-02")) == [
        "December 2022 – February 2023",
        "diciembre de 2022 – febrero de 2023",
        "décembre 2022 – février 2023",
    ]
    assert told(span_of("202X/203X")) == ["2020–2039"] * 3
    assert told(span_of("2022/2024")) == ["2022–2024"] * 3
    assert told(seasons) == [
        "spring 2022 – autumn 2022",
        "la primavera de 2022 – el otoño de 2022",
        "le printemps 2022 – l’automne 2022",
    ]
    assert told(span_of("2022-01-01/2022-03-01"))[2] == "1er janv. – 1er mars 2022"
    assert told(span_of("2022-01-01/2022-01-09"))[2] == "1er–9 janv. 2022"
