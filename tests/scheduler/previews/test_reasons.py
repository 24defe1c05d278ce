"""Why a reminder is due then, in three languages, word for word."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading
from services.i18n.words import words_in
from services.plumbing.business_days import DayOff, days_off, holiday_regions, regional_calendar
from services.plumbing.zones import instant_at, zone_named
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import read_ladder_book
from services.scheduler.ladders.business_calendar import BOUND, BusinessCalendar
from services.scheduler.ladders.countdown import countdown
from services.scheduler.ladders.ladder import Ladder, Repeat, Rung, Step
from services.scheduler.ladders.planning import PlannedReminder, left_out_rungs, plan
from services.scheduler.previews.rules.holiday_names import (
    HOLIDAYS,
    PROVINCES,
    HolidayName,
    calendar_place,
    holiday_name,
)
from services.scheduler.previews.rules.reasons import instant_reason, left_out_sentence, reason_sentence
from tests.scheduler.scenes import ALL, instants, milestone, milestones, utc

THEN = utc(2021, 11, 18, 18)
LANGUAGES = ("en", "es", "fr")
CLOSE_TO = str.maketrans({"\u202f": " ", "\u2009": " ", "\u00a0": " "})
"""Blanks that keep numbers and their units together look like any other in a test."""

END_OF_2021 = milestone(date(2021, 12, 31))
SUMMIT = milestone(date(2022, 12, 10), earliest=date(2022, 12, 9), reading=Reading.ON)


def book(rung: str, jitter: str = "0") -> LadderBook:
    return read_ladder_book(f"jitter: {jitter}\nladders: [{{name: one, rungs: [{rung}], every: 30d}}]\n")


def told(what: Milestone, rung: str, language: str, *, jitter: str = "0", at: datetime = THEN) -> str:
    """The sentence about the first reminder that a milestone has on a ladder of one rung."""
    one = plan(what, at, book(rung, jitter))[0]
    return reason_sentence(instant_reason(one.reason, one.countdown, one.step), words_in(language)).translate(CLOSE_TO)


@pytest.mark.parametrize(
    ("what", "rung", "expected"),
    [
        pytest.param(
            END_OF_2021,
            "{step: before-3bd, business_days: CA-ON}",
            (
                "3 business days before December 31, 2021 (the last day): Friday, December 24, 2021; not counted:"
                " Dec 25 – 26 (weekend), Dec 27 (Ontario: Christmas Day, observed), and Dec 28 (Ontario: Boxing Day,"
                " observed); at 9:00 AM (Mexico City).",
                "3 días hábiles antes del 31 de diciembre de 2021 (el último día): viernes, 24 de diciembre de 2021;"
                " sin contar: 25–26 de dic (fin de semana), 27 dic (Ontario: Navidad, día trasladado) y 28 dic"
                " (Ontario: Boxing Day (26 de diciembre), día trasladado); a las 9:00 a.m. (Ciudad de México).",
                "3 jours ouvrables avant le 31 décembre 2021 (le dernier jour) : vendredi 24 décembre 2021; non"
                " comptés : 25 – 26 déc. (fin de semaine), 27 déc. (Ontario : Jour de Noël, jour reporté) et 28 déc."
                " (Ontario : Lendemain de Noël, jour reporté); à 09 h 00 (Mexico).",
            ),
            id="business days over Christmas and Boxing Day in Ontario",
        ),
        pytest.param(
            milestone(date(2022, 3, 31)),
            "before-1m",
            (
                "1 month before March 31, 2022 (the last day): Monday, February 28, 2022; February 2022 has no day 31,"
                " so it is its last; at 9:00 AM (Mexico City).",
                "1 mes antes del 31 de marzo de 2022 (el último día): lunes, 28 de febrero de 2022; febrero de 2022 no"
                " tiene día 31; se toma el último del mes; a las 9:00 a.m. (Ciudad de México).",
                "1 mois avant le 31 mars 2022 (le dernier jour) : lundi 28 février 2022; février 2022 n’a pas de jour"
                " 31; on prend le dernier du mois; à 09 h 00 (Mexico).",
            ),
            id="the end of a month",
        ),
        pytest.param(
            milestone(date(2022, 3, 14), zone="America/Toronto"),
            '{step: before-1d, at: "02:30"}',
            (
                "1 day before March 14, 2022 (the last day): Sunday, March 13, 2022; at 3:00 AM (Toronto), since the"
                " clocks skip 2:30 AM that day.",
                "1 día antes del 14 de marzo de 2022 (el último día): domingo, 13 de marzo de 2022; a las 3:00 a.m."
                " (Toronto), porque ese día los relojes se saltan las 2:30 a.m.",
                "1 jour avant le 14 mars 2022 (le dernier jour) : dimanche 13 mars 2022; à 03 h 00 (Toronto), car les"
                " horloges sautent 02 h 30 ce jour-là.",
            ),
            id="a time that is skipped",
        ),
        pytest.param(
            milestone(date(2022, 11, 7), zone="America/Toronto"),
            '{step: before-1d, at: "01:30"}',
            (
                "1 day before November 7, 2022 (the last day): Sunday, November 6, 2022; at 1:30 AM (Toronto), the"
                " first of the two times that the clocks show it.",
                "1 día antes del 7 de noviembre de 2022 (el último día): domingo, 6 de noviembre de 2022; a las 1:30"
                " a.m. (Toronto), la primera de las dos veces que los relojes marcan esa hora.",
                "1 jour avant le 7 novembre 2022 (le dernier jour) : dimanche 6 novembre 2022; à 01 h 30 (Toronto), la"
                " première des deux fois que les horloges marquent cette heure.",
            ),
            id="a time that comes twice",
        ),
        pytest.param(
            milestone(date(2021, 12, 1)),
            "before-30d",
            (
                "30 days before December 1, 2021 (the last day): Monday, November 1, 2021; at 9:00 AM (Mexico City);"
                " that was before it was planned, so it is recorded and never told.",
                "30 días antes del 1 de diciembre de 2021 (el último día): lunes, 1 de noviembre de 2021; a las 9:00"
                " a.m. (Ciudad de México); eso fue antes de que se planificara, así que solo se registra y no se"
                " avisa.",
                "30 jours avant le 1er décembre 2021 (le dernier jour) : lundi 1er novembre 2021; à 09 h 00 (Mexico);"
                " c’était avant qu’il soit prévu : il est inscrit et jamais annoncé.",
            ),
            id="passed before it was planned",
        ),
        pytest.param(
            milestone(None, reading=Reading.UNDATED),
            "on-the-day",
            (
                "Review 1, every 6 months from November 18, 2021 on: Wednesday, May 18, 2022; at 9:00 AM"
                " (Mexico City).",
                "Revisión 1, cada 6 meses a partir del 18 de noviembre de 2021: miércoles, 18 de mayo de 2022; a las"
                " 9:00 a.m. (Ciudad de México).",
                "Examen 1, tous les 6 mois à partir du 18 novembre 2021 : mercredi 18 mai 2022; à 09 h 00 (Mexico).",
            ),
            id="a review",
        ),
    ],
)
def test_a_sentence_says_why(what: Milestone, rung: str, expected: tuple[str, str, str]) -> None:
    assert expected == tuple(told(what, rung, language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("what", "rung", "expected"),
    [
        (SUMMIT, "on-the-day", "On the first day: Friday, December 9, 2022; at 9:00 AM (Mexico City)."),
        (
            SUMMIT,
            "before-2w",
            "2 weeks before December 9, 2022 (the first day): Friday, November 25, 2022; at 9:00 AM (Mexico City).",
        ),
        (
            SUMMIT,
            "after-1w",
            "1 week after December 10, 2022 (the last day): Saturday, December 17, 2022; at 9:00 AM (Mexico City).",
        ),
        (
            milestone(date(2022, 12, 9), reading=Reading.ON),
            "on-the-day",
            "On the day: Friday, December 9, 2022; at 9:00 AM (Mexico City).",
        ),
        (
            milestone(date(2022, 12, 31), earliest=date(2022, 1, 1), precision=Precision.YEAR, reading=Reading.ON),
            "before-30d",
            "30 days before December 31, 2022 (the last day): Thursday, December 1, 2022; at 9:00 AM (Mexico City).",
        ),
        (
            milestone(date(2022, 3, 31)),
            "before-40bd",
            "40 business days before March 31, 2022 (the last day): Monday, January 31, 2022; not counted: 16 days of"
            " weekends, Feb 7 (Mexico: Constitution Day), Feb 21 (United States: Washington’s Birthday), and Mar 21"
            " (Mexico: Benito Juárez’s birthday); at 9:00 AM (Mexico City).",
        ),
        (
            milestone(date(2024, 1, 3)),
            "before-1bd",
            "1 business day before January 3, 2024 (the last day): Tuesday, January 2, 2024; at 9:00 AM (Mexico City).",
        ),
        (
            milestone(date(2024, 1, 2)),
            "after-1bd",
            "1 business day after January 2, 2024 (the last day): Wednesday, January 3, 2024; at 9:00 AM"
            " (Mexico City).",
        ),
        (
            milestone(date(2024, 1, 2)),
            "before-1bd",
            "1 business day before January 2, 2024 (the last day): Friday, December 29, 2023; not counted:"
            " Dec 30 – 31 (weekend) and Jan 1 (Canada, Mexico, and United States: New Year’s Day); at 9:00 AM"
            " (Mexico City).",
        ),
    ],
)
def test_it_is_said_what_is_counted_from_and_left_out(what: Milestone, rung: str, expected: str) -> None:
    assert expected == told(what, rung, "en")


def test_the_window_is_stated_beside_the_place_in_it() -> None:
    said = told(END_OF_2021, "before-7d", "en", jitter="15m")
    delay = countdown(END_OF_2021, book("before-7d", "15m"), THEN).jitter(Step("before", 7)).seconds

    assert f"; {delay // 60} min {delay % 60} s later, within 15 min, so that not all come at once." in said
    assert "at 9:00 AM (Mexico City); " in said


def test_what_a_move_put_into_the_past_says_so() -> None:
    moved = milestone(date(2021, 11, 24))
    [late, *_] = [one for one in plan(moved, THEN, book("before-7d"), moved={}) if one.state == "pending"]

    said = reason_sentence(instant_reason(late.reason, late.countdown, late.step), words_in("en"))

    assert said.endswith("; the moved date put it into the past, so it is told once, marked late.")


def test_what_other_rules_planned_is_not_passed_off_as_theirs_of_now() -> None:
    count = countdown(END_OF_2021, book("before-7d"), THEN)
    there, gone = Step("before", 7), Step("before", 14)
    at_eight = utc(2021, 12, 24, 14)

    def said(step: Step) -> str:
        planned = PlannedReminder(step, at_eight, "pending", count)
        return reason_sentence(instant_reason(planned.reason, count, step), words_in("en"), at_eight).translate(
            CLOSE_TO
        )

    assert said(there).endswith(
        "; it was planned by other rules: those of now have it on December 24, 2021, 9:00 AM (Mexico City)."
    )
    assert said(gone).endswith("; the ladder that holds now has no such step.")


@pytest.mark.parametrize(
    ("what", "rung", "expected"),
    [
        (
            milestone(date(2022, 12, 31), precision=Precision.YEAR, reading=Reading.ON),
            "before-7d",
            "Not planned: the date is known to the year only, and 30 days before is the shortest notice then.",
        ),
        (
            milestone(date(2022, 12, 31), precision=Precision.MONTH, reading=Reading.ON),
            "before-1d",
            "Not planned: the date is known to the month only, and 7 days before is the shortest notice then.",
        ),
        (
            milestone(None, reading=Reading.UNDATED),
            "before-7d",
            "Not planned: without a last day nothing is counted to, and it is looked at every 6 months.",
        ),
        (milestone(date(9999, 12, 1)), "after-60d", "Not planned: the calendar ends before it."),
    ],
)
def test_a_rung_that_is_left_out_says_why(what: Milestone, rung: str, expected: str) -> None:
    [one] = left_out_rungs(what, book(rung))

    assert expected == left_out_sentence(one, countdown(what, book(rung), THEN), words_in("en"))


# Holidays


def every_holiday() -> list[DayOff]:
    """All weekday holidays of the three parties and of Canada's provinces, 2020 to 2040."""
    calendars = [regional_calendar(party) for party in ALL]
    calendars += [regional_calendar(f"CA-{part}") for part in holiday_regions()["CA"]]
    days = (date(2020, 1, 1) + timedelta(days=n) for n in range(366 * 21))
    return [off for day in days for off in days_off(day, calendars) if off.why == "holiday"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_federal_holidays_and_those_of_provinces_have_a_name_in_each_language(language: str) -> None:
    found = every_holiday()

    assert {off.holiday for off in found if holiday_name(off, words_in(language)).language != language} == set()
    assert {off.calendar for off in found} >= {"CA", "MX", "US", *(f"CA-{part}" for part in PROVINCES)}


def test_no_holiday_is_named_that_there_is_not() -> None:
    ids = {(off.holiday or "").removesuffix("-observed") for off in every_holiday()}

    assert set(HOLIDAYS) == ids & set(HOLIDAYS)


def test_every_province_has_a_name() -> None:
    assert set(PROVINCES) == set(holiday_regions()["CA"])
    assert [calendar_place("CA-QC", words_in(language)) for language in LANGUAGES] == ["Quebec", "Quebec", "Québec"]


def test_a_holiday_of_a_state_is_told_in_english_and_says_so() -> None:
    [eve] = days_off(date(2025, 12, 26), [regional_calendar("US-TX")])

    assert holiday_name(eve, words_in("es")) == HolidayName("Day After Christmas", "en")
    assert "26 dic (Estados Unidos, TX: Day After Christmas, su nombre en inglés)" in told(
        milestone(date(2025, 12, 29)), "{step: before-1bd, business_days: US-TX}", "es"
    )


def test_a_holiday_that_the_library_has_forgotten_is_told_by_its_id() -> None:
    assert holiday_name(DayOff(date(2025, 5, 6), "holiday", "US", "no-such-day"), words_in("fr")) == HolidayName(
        "no-such-day", "en"
    )


# Always


steps = st.one_of(
    st.builds(
        Step,
        st.sampled_from(["before", "after"]),
        st.integers(1, 400),
        st.sampled_from(["d", "bd", "w", "m"]),
    ),
    st.just(Step("on")),
)
weeks = st.sampled_from([BOUND, *(BusinessCalendar(regional_calendar(name)) for name in ("CA-QC", "US-TX", "MX"))])
rungs = st.builds(Rung, steps, st.times(timezones=st.none()).map(lambda t: t.replace(second=0, microsecond=0)), weeks)
ladders = st.builds(
    lambda chosen, every: Ladder("any", tuple({rung.step: rung for rung in chosen}.values()), every),
    st.lists(rungs, min_size=1, max_size=4),
    st.none() | st.builds(Repeat, st.integers(1, 90), st.sampled_from(["d", "w", "m"])),
)


@given(what=milestones(), ladder=ladders, at=instants, jitter=st.integers(0, 3600))
def test_the_reason_of_what_is_planned_leads_to_its_instant(
    what: Milestone, ladder: Ladder, at: datetime, jitter: int
) -> None:
    """Whoever reckons by the reason comes to the instant, and every language has a sentence for it."""
    for one in plan(what, at, LadderBook((ladder,), jitter=timedelta(seconds=jitter))):
        data = instant_reason(one.reason, one.countdown, one.step)
        reason = data.reason

        assert one.due_at == data.due_at
        assert one.due_at - reason.jitter == instant_at(reason.day, reason.rung.at, zone_named(reason.zone))
        assert data.on_the_ladder
        assert timedelta() <= reason.jitter <= data.window
        for language in LANGUAGES:
            said = reason_sentence(data, words_in(language), one.due_at)
            assert said.endswith(".") and "%(" not in said and "\n" not in said


def test_a_step_behind_the_end_of_the_calendar_has_no_reason() -> None:
    count = countdown(milestone(date(9999, 12, 1)), book("before-7d"), THEN)
    reason = plan(milestone(date(9999, 12, 1)), THEN, book("before-7d"))[0].reason

    with pytest.raises(OverflowError, match="after-60d"):
        instant_reason(reason, count, Step("after", 60))
