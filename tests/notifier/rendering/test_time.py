"""What messages say about time: reviews, cancelled dates, events that begin at an hour, and what does not agree."""

import pytest

from services.notifier.rendering import placeholders
from tests.notifier.channels.checks import Page
from tests.notifier.rendering.kinds import DAY, changed
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, LINKS, mail, message, part

REVIEW = "milestone-due.v1.revision-sin-fecha"
SUMMIT = "milestone-scheduled.v1.cumbre-aplazada"
ESCALATED = "milestone-escalated.v1.focal-point-first"
UNDATED = {"edtf": None, "earliest": None, "latest": None, "precision": "undated"}
OPEN = {"edtf": "2022/..", "earliest": "2022-01-01", "latest": None, "precision": "year"}


def facts(view, language="en"):
    return {fact.label: fact.value for fact in message(view, language).facts}


def text(view, language="en", **reader):
    return part(mail(view, language, **reader), "plain").replace("\u202f", " ").replace("\xa0", " ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "milestone",
    [{}, {"span": OPEN, "reading": "from"}, {"reading": "recurring", "wording": "every two years"}],
    ids=["undated", "open", "recurring"],
)
def test_a_review_is_never_overdue(milestone, language):
    told = text(changed(REVIEW, milestone, late=True, merged_steps=["review-1"], step="review-2"), language)

    assert not [word for word in ("verdue", "vencid", "venció", "en retard de", "échu") if word in told]


def test_a_review_says_which_it_is_and_when_the_last_was():
    second = changed(REVIEW, step="review-2", due_at="2022-08-31T14:07:00Z")

    assert facts(second)["Review"] == "no. 2, every 6 months"
    assert facts(second)["Previous review"] == "February 28, 2022"
    assert "Previous review" not in facts(GOLDEN[REVIEW])
    assert facts(changed(REVIEW, {"review_months": None}, step="review-2"))["Review"] == "no. 2"


def test_what_is_reviewed_says_why_it_has_no_last_day():
    assert message(GOLDEN[REVIEW]).headline == "No date given; to be reviewed"
    assert message(GOLDEN[REVIEW]).subject.startswith("To be reviewed: ")
    beyond = changed(REVIEW, {"span": OPEN, "reading": "from", "wording": "in 2022 and beyond"})
    assert message(beyond).headline == "No end date; to be reviewed"
    assert message(beyond).lead == "Date: from 2022 on"
    assert message(beyond).quotation.text == "in 2022 and beyond"
    again = changed(REVIEW, {"reading": "recurring", "wording": "every two years"})
    assert message(again).headline == "Recurring; to be reviewed"
    assert message(again).quotation.text == "every two years"


@pytest.mark.parametrize(
    ("language", "headline", "lead"),
    [
        ("en", "Date cancelled", "The event that it hung on is off."),
        ("es", "Fecha cancelada", "Se canceló el evento del que dependía"),
        ("fr", "Date annulée", "L’événement dont cela dépendait est annulé."),
    ],
)
def test_a_cancelled_event_takes_its_date_along(language, headline, lead):
    told = message(changed(SUMMIT, {"span": UNDATED}, change="cancelled", previous=DAY), language)

    assert told.headline == headline
    assert lead in told.lead
    assert told.change is not None and "2023" in told.change.before and "2023" not in told.change.after


def test_what_has_no_end_is_told_as_a_date_and_not_as_none():
    first = changed(SUMMIT, {"span": OPEN, "reading": "from"}, change="first", previous=None)

    assert message(first).subject.startswith("Date from 2022 on: ")
    assert message(first).headline == "Date set"
    assert message(first).lead == "Date: from 2022 on"


def test_an_event_begins_on_the_clocks_of_its_place_and_of_the_reader():
    summit = changed(SUMMIT, {"span": DAY, "local_time": "10:00", "zone": "America/Mexico_City"})

    assert "Begins: Jan 10, 2023, 10:00 AM in Mexico City, 11:00 AM for you (Toronto)" in text(summit)
    assert "Comienza: 10 ene 2023, 10:00 a.m. (Ciudad de México)" in text(summit, "es", zone="America/Mexico_City")
    due = changed("milestone-due.v1.rappel-tardif", {"span": DAY, "local_time": "10:00"})
    assert "Begins: Jan 10, 2023, 10:00 AM (Toronto)" in text(due)
    assert "The last day ends" not in text(due)


@pytest.mark.parametrize("edtf", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_an_hour_at_the_ends_of_the_calendar_is_left_out(edtf, zone):
    edge = {"edtf": edtf, "earliest": edtf, "latest": edtf, "precision": "day"}
    summit = changed(SUMMIT, {"span": edge, "local_time": "00:00", "zone": zone})

    assert "Begins" not in text(summit, zone="Pacific/Kiritimati")


def test_a_time_of_day_without_a_day_is_not_told():
    assert "Begins" not in facts(changed(SUMMIT, {"span": OPEN, "local_time": "10:00"}))


def test_words_are_marked_with_the_language_that_they_are_in():
    spanish = changed("milestone-due.v1.rappel-tardif", {"wording": "a finales de 2023", "wording_language": "es"})

    assert ("span", "es") in Page(part(mail(spanish, "en"), "html")).languages
    assert ("span", "es") not in Page(part(mail(spanish, "es"), "html")).languages


def test_an_escalation_says_who_is_asked_how_often_and_whose_word_was_not_followed():
    again = changed(ESCALATED, repeat=2, late=True, acknowledged={"name": "Ana", "note": None, "at": DAY_NOON})
    told = message(again)

    assert facts(again)["Who is asked now"] == "Focal point"
    assert facts(again)["Asked before"] == "2 times"
    assert "Late; was to go out" in facts(again)
    assert "Ana had said that they were on it, and no evidence has followed." in told.lead
    assert told.quotation.text == again.data.milestone.wording
    assert message(GOLDEN[ESCALATED]).headline.endswith("nobody on it")
    assert told.links[0].url == placeholders.on_it_url(again.data.milestone.id)
    assert told.links[1].url == LINKS.commitment(again.data.commitment.id)


DAY_NOON = "2024-01-20T15:30:00Z"
RULES = {
    "past-due-in-progress": "Past its date, status not updated",
    "met-with-open-milestones": "Met, but a milestone is ahead",
    "no-news": "No news for 2 days",
    "anchor-without-outcome": "Has it taken place?",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_rule_has_a_sentence_of_its_own(language):
    told = [message(changed("consistency-flagged.v1.past-due", rule=rule), language) for rule in RULES]

    assert len({one.headline for one in told}) == len({one.lead for one in told}) == len(RULES)
    if language == "en":
        assert [one.headline for one in told] == list(RULES.values())
