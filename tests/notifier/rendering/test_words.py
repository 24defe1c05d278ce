"""What messages are made of: the reason for getting one, the subject line."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.filters import Filters
from services.i18n.names import theme_title
from services.i18n.words import words_in
from services.notifier import channels
from services.notifier.delivery.messages import matched_by
from services.notifier.rendering.footer_reason import footer_reason
from services.notifier.rendering.message import SUBJECT_LENGTH, subject_line
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, message

CHANNELS = Path(channels.__file__).parent


def test_templates_hold_no_words_of_their_own():
    for path in (CHANNELS / "templates").iterdir():
        source = re.sub(r"\{[{%].*?[%}]\}|<mj-style>.*?</mj-style>|<[^>]*>", " ", path.read_text(), flags=re.S)
        assert re.findall(r"\w{2,}", source) == [], path.name


def test_a_reason_names_what_was_met_and_nothing_else():
    view = GOLDEN["status-changed.v1.canada-seul"]
    subject = matched_by(view)
    theme = view.data.commitment.themes[0]
    filters = Filters(
        parties=frozenset({"CA", "MX"}), themes=frozenset({theme, "other"}), events=frozenset({"status-changed"})
    )

    assert f"You get this because you follow: {theme_title(theme, words_in('en'))} · Canada · changes of status." == (
        footer_reason(filters, subject, "en")
    )
    assert footer_reason(Filters(), subject, "en") == "You get this because you follow all that is in the register."


def test_a_reason_names_the_level_that_is_asked_and_ones_own_ladder():
    def reason(name, **filters):
        view = GOLDEN[name]
        return footer_reason(Filters(**filters), matched_by(view), "en")

    assert reason("milestone-escalated.v1.cabinet-du-ministre") == (
        "You get this because you follow: escalations to “Minister’s office”."
    )
    assert reason("milestone-escalated.v1.focal-point-first", events=frozenset({"milestone-escalated"})) == (
        "You get this because you follow: escalations to “Focal point”."
    )
    assert reason("own-ladder-due.v1.two-business-days", parties=frozenset({"CA"})) == (
        "You get this because you follow: your own reminder ladder · Canada."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_a_subject_begins_with_the_news_and_fits_a_telephone(name, language):
    told = message(GOLDEN[name], language)
    about = told.subject.removesuffix("…")

    assert len(told.subject) <= SUBJECT_LENGTH
    assert not told.subject.startswith("[")
    news = next(about[:at] for at in range(len(about)) if about[at:] and told.title.startswith(about[at:]))
    assert news.strip(" :\xa0") and "…" not in news, "what is new is never cut"
    assert f"{told.title} ".startswith(f"{about.removeprefix(news)} "), "cut between words"


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("milestone-due.v1.coal-finance-in-7-days", "In 7 days: No new public finance for unabated…"),
        ("milestone-scheduled.v1.cumbre-aplazada", "New date Jan 10, 2023: The leaders meet in Mexico…"),
        ("status-changed.v1.canada-seul", "Canada in progress: Phase out inefficient fossil…"),
        ("milestone-escalated.v1.focal-point-first", "1 day late, nobody on it: Canada has phased out…"),
    ],
)
def test_the_news_of_a_subject_is_in_a_few_words(name: str, subject: str):
    assert message(GOLDEN[name]).subject == subject


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=200), st.text(max_size=200))
def test_any_news_and_title_make_a_subject_that_fits(news: str, title: str):
    for language in LANGUAGES:
        assert len(subject_line(news, title, words_in(language))) <= SUBJECT_LENGTH


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_nothing_is_said_twice(name: str, language: str):
    """Title, date and status stand in a message once each."""
    event = GOLDEN[name]
    told, words = message(event, language), words_in(language)
    shown = [told.headline, told.title, told.lead, told.ask, *(fact.value for fact in told.facts)]
    if told.change:
        shown += [told.change.before, told.change.after]

    assert [text for text in shown if text != told.title and told.title in text] == []
    milestone = getattr(event.data, "milestone", None)
    if milestone is not None and milestone.span.latest:
        day = words.day(milestone.span.latest)
        assert sum(day in text for text in shown) <= (2 if "flagged" in name else 1)
    assert not (told.change and told.lead and told.change.after in told.lead)
