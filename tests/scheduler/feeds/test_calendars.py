"""Calendars, read back by vobject, which shares no code with what writes them."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.events import StatusChanged
from contracts.vocabulary import Precision, Reading, Source, Span, Status, Text
from services.plumbing.zones import instant_at
from services.registry.catalogue.loading import load
from services.scheduler.feeds.rendering.calendar_entries import calendar_entry_after
from services.scheduler.feeds.rendering.calendars import is_fuzzy
from services.scheduler.reminders.rules.agenda import MilestoneSchedule
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from tests.scheduler.feeds.scenes import PORTAL, THEN, days, entry, lines, only, parsed, written, year
from tests.scheduler.scenes import ALL, brief, changed, milestone, milestones, text, utc, zones

LATER = utc(2022, 11, 18, 12)
DEADLINE = milestone(date(2021, 12, 31), id_="coal")
SUMMIT = milestone(date(2022, 12, 31), id_="summit", reading=Reading.ON).model_copy(update={"span": year(2022)})
DATED_SUMMIT = SUMMIT.model_copy(
    update={
        "span": Span(
            edtf="2023-01-09/2023-01-10",
            earliest=date(2023, 1, 9),
            latest=date(2023, 1, 10),
            precision=Precision.DAY,
        )
    }
)
ONE_DAY = milestone(date(2023, 1, 10), id_="dialogue", reading=Reading.ON)


def after(*events: StatusChanged) -> CommitmentStatus:
    commitment_status = CommitmentStatus()
    for event in events:
        commitment_status = commitment_status.after_changed(event)
    return commitment_status


# What stands on which days


def test_a_deadline_is_its_last_day_and_its_span_stands_in_the_description() -> None:
    by_2030 = milestone(date(2030, 12, 31), earliest=date(2030, 1, 1), precision=Precision.YEAR)

    event = only(written(entry(by_2030.model_copy(update={"wording": "by 2030"}))))

    assert days(event) == (date(2030, 12, 31), date(2030, 12, 31))
    assert event.summary.value == "Due: No new public finance"
    assert (event.status.value, event.transp.value) == ("CONFIRMED", "TRANSPARENT")
    assert "by 2030, that is by December 31, 2030" in event.description.value
    assert "“by 2030”" in event.description.value
    assert event.url.value == f"{PORTAL}/commitments/end-coal-finance-abroad"


def test_an_event_of_known_days_is_those_days_and_blocks_them() -> None:
    event = only(written(entry(DATED_SUMMIT)))

    assert days(event) == (date(2023, 1, 9), date(2023, 1, 10))
    assert (event.status.value, event.transp.value) == ("CONFIRMED", "OPAQUE")
    assert event.summary.value == "No new public finance"


def test_an_event_that_only_a_year_is_known_of_is_the_whole_year_and_says_that_it_is_not_fixed() -> None:
    event = only(written(entry(SUMMIT)))

    assert days(event) == (date(2022, 1, 1), date(2022, 12, 31))
    assert (event.status.value, event.transp.value) == ("TENTATIVE", "TRANSPARENT")
    assert event.summary.value == "No new public finance (date not fixed: 2022)"
    assert "valarm" not in event.contents, "nobody said that it will be on New Year’s Day"


def test_an_event_with_a_local_time_begins_then_in_its_zone() -> None:
    at_ten = ONE_DAY.model_copy(update={"local_time": "10:00"})

    document = written(entry(at_ten))

    event = only(document)
    assert event.dtstart.value == datetime(2023, 1, 10, 10, tzinfo=ZoneInfo("America/Mexico_City"))
    assert b"DTSTART;TZID=America/Mexico_City:20230110T100000" in lines(document)
    assert "dtend" not in event.contents, "nobody said when it ends"
    assert [zone.tzid.value for zone in vobject.readOne(document.decode()).vtimezone_list] == ["America/Mexico_City"]
    assert "10:00 AM in Mexico City, 11:00 AM for you (Toronto)" in event.description.value.replace("\u202f", " ")


def test_a_summit_of_two_days_with_a_local_time_goes_on_to_the_end_of_the_second() -> None:
    event = only(written(entry(DATED_SUMMIT.model_copy(update={"local_time": "09:30"}))))

    zone = ZoneInfo("America/Mexico_City")
    assert event.dtstart.value == datetime(2023, 1, 9, 9, 30, tzinfo=zone)
    assert event.dtend.value == datetime(2023, 1, 11, tzinfo=zone)


def test_a_local_time_that_the_clocks_skip_is_the_first_one_after_it() -> None:
    in_the_gap = milestone(date(2026, 3, 8), reading=Reading.ON, zone="America/Toronto")

    document = written(entry(in_the_gap.model_copy(update={"local_time": "02:30"})))

    assert b"DTSTART;TZID=America/Toronto:20260308T030000" in lines(document)


def test_a_local_time_counts_for_nothing_while_the_day_is_unknown() -> None:
    assert days(only(written(entry(SUMMIT.model_copy(update={"local_time": "10:00"}))))) == (
        date(2022, 1, 1),
        date(2022, 12, 31),
    )


@pytest.mark.parametrize("day", [date.max, date(2061, 1, 1), date(1999, 12, 31)])
def test_a_local_time_counts_for_nothing_in_years_whose_clocks_nobody_knows(day: date) -> None:
    far = milestone(day, reading=Reading.ON).model_copy(update={"local_time": "23:00"})

    assert days(only(written(entry(far)))) == (day, day)


def test_a_deadline_has_no_hour() -> None:
    assert days(only(written(entry(DEADLINE.model_copy(update={"local_time": "10:00"}))))) == (
        date(2021, 12, 31),
        date(2021, 12, 31),
    )


def test_the_last_day_of_all_calendars_has_no_day_behind_it() -> None:
    event = only(written(entry(milestone(date.max))))

    assert days(event) == (date.max, date.max)


# What changes


def test_a_move_changes_one_event_and_nothing_else() -> None:
    """
    Between the calendars before and after, one event differs: the same UID, the next SEQUENCE, the new days.
    """
    coal, summit = entry(DEADLINE), entry(DATED_SUMMIT)
    slipped = DEADLINE.model_copy(update={"span": milestone(date(2022, 3, 31)).span})

    before = parsed(written(coal, summit))
    after_move = parsed(written(entry(slipped, 2, known=coal, at=LATER), summit))

    assert before.keys() == after_move.keys()
    differing = [uid for uid in before if before[uid].serialize() != after_move[uid].serialize()]
    assert differing == ["coal@pledgewire"]
    old, new = before["coal@pledgewire"], after_move["coal@pledgewire"]
    assert (old.sequence.value, new.sequence.value) == ("0", "1")
    assert days(new) == (date(2022, 3, 31), date(2022, 3, 31))
    assert (old.dtstamp.value, new.dtstamp.value) == (THEN, LATER)
    assert new.created.value == THEN


def test_a_year_that_becomes_days_is_the_same_event_made_exact() -> None:
    source = Source(text="gob.mx, 18 November 2022", url="https://gob.example/cumbre")
    fuzzy = entry(SUMMIT)

    event = only(written(entry(DATED_SUMMIT, 2, known=fuzzy, source=source, at=LATER)))

    assert event.uid.value == only(written(fuzzy)).uid.value
    assert event.sequence.value == "1"
    assert (days(event), event.status.value) == ((date(2023, 1, 9), date(2023, 1, 10)), "CONFIRMED")
    assert "not fixed" not in event.summary.value
    assert "Source of the date: gob.mx, 18 November 2022\nhttps://gob.example/cumbre" in event.description.value


def test_a_withdrawn_commitment_is_cancelled_and_comes_back_when_it_is_taken_up() -> None:
    open_ = entry(DEADLINE)
    gone = entry(DEADLINE, known=open_, commitment_status=after(changed(Status.WITHDRAWN, 1)), at=LATER)
    back = entry(DEADLINE, known=gone, commitment_status=after(changed(Status.IN_PROGRESS, 2)), at=LATER)

    events = [only(written(one)) for one in (open_, gone, back)]

    assert [event.status.value for event in events] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert [event.sequence.value for event in events] == ["0", "1", "2"]
    assert events[1].summary.value == "Cancelled: No new public finance"
    assert "The commitment was withdrawn." in events[1].description.value
    assert "valarm" not in events[1].contents
    assert len({event.uid.value for event in events}) == 1


def test_a_milestone_that_loses_its_date_is_cancelled_on_the_days_that_it_had() -> None:
    dated = entry(DATED_SUMMIT)
    undated = milestone(None, id_="summit", reading=Reading.ON)

    event = only(written(entry(undated, 2, known=dated, at=LATER)))

    assert (event.status.value, event.sequence.value) == ("CANCELLED", "1")
    assert days(event) == (date(2023, 1, 9), date(2023, 1, 10))
    assert "It has no date any more." in event.description.value


def test_what_is_met_stays_marked_so_and_blocks_and_reminds_no_more() -> None:
    known = entry(DATED_SUMMIT)

    event = only(written(entry(DATED_SUMMIT, known=known, commitment_status=after(changed(Status.MET)), at=LATER)))

    assert (event.status.value, event.transp.value) == ("CONFIRMED", "TRANSPARENT")
    assert event.summary.value == "Met: No new public finance"
    assert event.sequence.value == "0", "its days are the same"
    assert event.last_modified.value == LATER
    assert "valarm" not in event.contents


def test_the_same_entries_give_the_same_bytes_in_whatever_order_they_come() -> None:
    entries = [entry(DEADLINE), entry(SUMMIT), entry(ONE_DAY.model_copy(update={"local_time": "10:00"}))]

    assert written(*entries) == written(*reversed(entries))


# The calendar as a whole


def test_a_calendar_says_what_it_is_and_when_to_look_again() -> None:
    written_lines = lines(written(entry(DEADLINE)))

    assert written_lines[:2] == [b"BEGIN:VCALENDAR", b"VERSION:2.0"]
    for wanted in (
        b"METHOD:PUBLISH",
        b"NAME:Compromisos\\, clima",
        b"X-WR-CALNAME:Compromisos\\, clima",
        b"X-WR-TIMEZONE:America/Toronto",
        b"REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        b"X-PUBLISHED-TTL:PT1H",
        b"LAST-MODIFIED:20211118T180000Z",
    ):
        assert wanted in written_lines


def test_an_empty_calendar_is_one() -> None:
    assert parsed(written()) == {}


@pytest.mark.parametrize("alarms", [(), (7,), (0, 1, 30)])
def test_alarms_of_a_day_ring_when_reminders_go(alarms: tuple[int, ...]) -> None:
    """Not at the midnight from which RFC 5545 (3.8.6.3) counts them."""
    event = only(written(entry(DEADLINE), alarms=alarms))

    found = event.contents.get("valarm", [])
    rings = [datetime.combine(event.dtstart.value, time()) + alarm.trigger.value for alarm in found]
    days_ahead = [event.dtstart.value - timedelta(days=number) for number in alarms]
    assert sorted(rings, reverse=True) == [datetime.combine(day, time(9)) for day in days_ahead]
    assert {alarm.action.value for alarm in found} <= {"DISPLAY"}


def test_alarms_of_an_event_with_a_local_time_ring_at_that_time() -> None:
    at_ten = ONE_DAY.model_copy(update={"local_time": "10:00"})

    event = only(written(entry(at_ten), alarms=(0, 7)))

    assert sorted(alarm.trigger.value for alarm in event.contents["valarm"]) == [-timedelta(days=7), timedelta(0)]


@pytest.mark.parametrize(
    ("language", "summary", "line"),
    [
        ("en", "Due: ", "Parties: Canada, Mexico, and United States"),
        ("es", "Vence: ", "Partes: Canadá, México y Estados Unidos"),
        ("fr", "Échéance\u00a0: ", "Parties\u00a0: Canada, Mexique et États-Unis"),
    ],
)
def test_a_calendar_speaks_the_language_of_its_feed(language: str, summary: str, line: str) -> None:
    titled = DEADLINE.model_copy(update={"title": Text(en="In English", es="En español", fr="En français")})

    event = only(written(entry(titled), language=language))

    assert event.summary.value == summary + titled.title.in_language(language).text
    assert line in event.description.value


def test_themes_are_categories() -> None:
    commitment = brief().model_copy(update={"themes": ("climate", "something-new")})

    event = only(written(entry(DEADLINE, commitment=commitment), language="fr"))

    assert event.categories.value == ["Action climatique", "Something new"]


# Texts of others

HOSTILE = "a\r\nATTENDEE:mailto:eve@example.org\nEND:VEVENT\rX:1\u2028Y, z; \\n \u202e \x07"


def test_text_can_not_add_a_property() -> None:
    """
    Line breaks, separators and whole properties in texts stay text (contracts refuse most of it at the door already).
    """
    evil = Text.model_construct({"en": HOSTILE})
    commitment = brief().model_copy(update={"title": evil})
    what = DEADLINE.model_copy(update={"title": evil, "wording": HOSTILE})
    source = Source.model_construct(text=HOSTILE, url=f"https://example.org/{HOSTILE}")

    document = written(entry(what, commitment=commitment, source=source), name=HOSTILE)

    names = {line.partition(b":")[0].partition(b";")[0] for line in lines(document) if line}
    assert names == {line.partition(b":")[0].partition(b";")[0] for line in lines(written(entry(DEADLINE))) if line}
    event = only(document)
    assert event.summary.value == "Due: a ATTENDEE:mailto:eve@example.org END:VEVENT X:1 Y, z; \\n  "
    assert "attendee" not in event.contents


def test_long_lines_are_folded_between_characters() -> None:
    """
    No line has more than 75 octets (RFC 5545, 3.1), and none is cut inside a character.
    """
    words = text("Compromís𝒪o ñandú — " * 180)
    document = written(entry(DEADLINE.model_copy(update={"title": words})))

    assert max(map(len, document.split(b"\r\n"))) <= 75
    for line in document.split(b"\r\n"):
        line.decode()
    assert only(document).summary.value == "Due: " + words.in_language("en").text


def test_the_built_in_statement_is_a_calendar_in_three_languages() -> None:
    statement = load()
    entries = [
        entry(what, commitment=statement.brief(commitment))
        for commitment in statement.commitments
        for what in commitment.milestones
        if what.span.latest
    ]

    read = {language: parsed(written(*entries, language=language)) for language in ("en", "es", "fr")}

    assert len(entries) >= 9
    for language, events in read.items():
        assert set(events) == {f"{one.milestone.id}@pledgewire" for one in entries}
        for one in entries:
            event = events[f"{one.milestone.id}@pledgewire"]
            assert one.milestone.title.in_language(language).text in event.summary.value
            assert one.commitment.title.in_language(language).text in event.description.value
    assert days(read["es"]["nals-2021-conserve-30-percent-target@pledgewire"])[1] == date(2030, 12, 31)


@given(milestones(), st.integers(1, 50))
def test_any_dated_milestone_is_found_again_on_its_days(what: Milestone, version: int) -> None:
    event = only(written(entry(what, version)))

    if what.reading in (Reading.BY, Reading.DURING):
        assert days(event) == (what.span.latest, what.span.latest)
    else:
        assert days(event) == (what.span.earliest, what.span.latest)
    assert (event.status.value == "TENTATIVE") == is_fuzzy(what)
    assert event.sequence.value == str(version - 1)


@given(st.dates(date(2000, 1, 1), date(2060, 12, 31)), st.times(), zones)
@pytest.mark.slow
def test_any_local_time_is_found_again_as_its_instant(day: date, wall: time, zone: str) -> None:
    what = milestone(day, reading=Reading.ON, zone=zone).model_copy(update={"local_time": f"{wall:%H:%M}"})

    found = only(written(entry(what))).dtstart.value

    assert found.astimezone(UTC) == instant_at(day, wall.replace(second=0, microsecond=0), ZoneInfo(zone))


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_text_comes_back_as_one_property(title: str, name: str) -> None:
    what = DEADLINE.model_copy(update={"title": Text.model_construct({"en": title})})

    document = written(entry(what), name=name)

    assert len(lines(document)) == len(lines(written(entry(DEADLINE))))
    assert only(document).summary.value.startswith("Due: ")


# How an entry comes to be


def test_what_never_had_a_last_day_is_in_no_calendar() -> None:
    undated = MilestoneSchedule(brief(), milestone(None), 1, THEN, settled=False)

    assert calendar_entry_after(None, undated, CommitmentStatus(), None, THEN) is None


def test_the_same_news_again_changes_nothing() -> None:
    known = entry(DEADLINE, source=Source(text="somewhere"))

    assert entry(DEADLINE, known=known, at=LATER) is known


def test_one_party_of_several_that_withdraws_cancels_nothing() -> None:
    known = entry(DEADLINE)
    one = after(changed(Status.WITHDRAWN, 1, "MX", overall=Status.IN_PROGRESS))
    all_ = after(*(changed(Status.WITHDRAWN, n, party, overall=Status.IN_PROGRESS) for n, party in enumerate(ALL, 1)))
    mixed = after(
        changed(Status.MET, 1, "CA", overall=Status.IN_PROGRESS),
        *(changed(Status.WITHDRAWN, n, party, overall=Status.IN_PROGRESS) for n, party in enumerate(("MX", "US"), 2)),
    )

    assert [entry(DEADLINE, known=known, commitment_status=s).state for s in (one, all_, mixed)] == [
        "open",
        "withdrawn",
        "met",
    ]


def test_times_never_go_back() -> None:
    known = entry(DEADLINE, at=LATER)

    assert entry(milestone(date(2022, 3, 31), id_="coal"), 2, known=known, at=THEN).changed_at == LATER
