"""Distances in time: steps of ladders, milestones from their events, days from today."""

import pytest

from contracts.commitments import Offset
from services.i18n.distances import days_from_today, distance_from_event, step_in_words
from services.i18n.words import words_in

WRITTEN_OUT = ("en", "es", "fr")
"""The languages whose words are written out below, in this order."""


@pytest.mark.parametrize(
    ("step", "en", "es", "fr"),
    [
        ("before-1bd", "1 business day before", "1 día hábil antes", "1 jour ouvrable avant"),
        ("before-3bd", "3 business days before", "3 días hábiles antes", "3 jours ouvrables avant"),
        ("after-2bd", "2 business days after", "2 días hábiles después", "2 jours ouvrables après"),
        ("before-2w", "2 weeks before", "2 semanas antes", "2 semaines avant"),
        ("after-1w", "1 week after", "1 semana después", "1 semaine après"),
        ("before-6m", "6 months before", "6 meses antes", "6 mois avant"),
        ("after-1m", "1 month after", "1 mes después", "1 mois après"),
        ("before-7d", "7 days before", "7 días antes", "7 jours avant"),
        ("after-30d", "30 days after", "30 días después", "30 jours après"),
        ("on-the-day", "on the day", "el mismo día", "le jour même"),
        ("review-2", "review no. 2", "revisión n.º 2", "examen no 2"),
    ],
)
def test_a_step_is_told_in_the_days_that_it_counts(step: str, en: str, es: str, fr: str) -> None:
    told = [step_in_words(step, words_in(language)) for language in WRITTEN_OUT]

    assert [en, es, fr] == [text.replace("\xa0", " ") for text in told]


@pytest.mark.parametrize(
    ("direction", "count", "unit", "said"),
    [
        ("after", 90, "days", "90 days after NALS; 90 días después de: NALS; 90 jours après : NALS"),
        ("before", 1, "weeks", "1 week before NALS; 1 semana antes de: NALS; 1 semaine avant : NALS"),
        ("before", 2, "months", "2 months before NALS; 2 meses antes de: NALS; 2 mois avant : NALS"),
        ("after", 1, "years", "1 year after NALS; 1 año después de: NALS; 1 an après : NALS"),
        ("before", 0, "days", "before NALS; antes de: NALS; avant : NALS"),
        ("after", 0, "days", "after NALS; después de: NALS; après : NALS"),
    ],
)
def test_the_distance_from_an_event_is_said(direction: str, count: int, unit: str, said: str) -> None:
    offset = Offset.model_validate({"direction": direction, "count": count, "unit": unit})

    told = [distance_from_event(offset, "NALS", words_in(language)).replace("\xa0", " ") for language in WRITTEN_OUT]
    assert said == "; ".join(told)
    assert distance_from_event(None, "NALS", words_in("en")) == "NALS"


def test_nothing_is_singular_in_french_and_plural_in_spanish() -> None:
    def days(n: int) -> list[str]:
        return [words_in(language).ngettext("%(number)s day ago", "%(number)s days ago", n) for language in WRITTEN_OUT]

    assert days(0) == ["0 days ago", "hace 0 días", "il y a 0 jour"]
    assert days(1) == ["1 day ago", "hace 1 día", "il y a 1 jour"]
    assert days(2) == ["2 days ago", "hace 2 días", "il y a 2 jours"]


def test_what_is_far_is_told_roughly() -> None:
    english = words_in("en")

    assert days_from_today(90, english) == "in 90 days"
    assert days_from_today(-1, english) == "1 day ago"
    assert days_from_today(10_257, english) == "in 28 years"
    assert days_from_today(-335, english) == "11 months ago"
    assert days_from_today(0, english) == "today"
