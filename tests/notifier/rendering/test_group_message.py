"""Several events as one message: the newest of each thing, counted, each with its link, and nothing lost."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import MilestoneEscalated
from contracts.filters import Filters
from services.i18n.words import words_in
from services.notifier.delivery.messages import matched_by, render_group
from services.notifier.events.published_event import (
    AS_NEWS,
    LocalizedEvent,
    LocalizedGroup,
    PublishedEvent,
    Telling,
    UnsupportedEvent,
)
from services.notifier.rendering import placeholders
from services.notifier.rendering.footer_reason import Concern, joined_reasons
from services.notifier.rendering.group_message import GroupKind, GroupMessage, Rhythm
from services.notifier.rendering.message import SUBJECT_LENGTH
from services.notifier.rendering.page_links import DueState
from tests.notifier.rendering.kinds import (
    EACH_GROUP,
    EACH_KIND,
    changed,
    imported,
    mailed_group,
    named,
    on_day,
    reminders,
)
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, LINKS, part


def grouped(
    events: Sequence[PublishedEvent],
    language: str = "en",
    kind: GroupKind = "window",
    rhythm: Rhythm | None = None,
    telling: Telling = AS_NEWS,
) -> GroupMessage:
    told = tuple((event, telling) for event in events)
    return LocalizedGroup(told, words_in(language), LINKS, kind, rhythm).message


def items(message: GroupMessage) -> list[tuple[str, str]]:
    return [(item.title, item.said) for section in message.sections for item in section.items]


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("import", "12 new commitments"),
        ("reminders", "Reminders: 5 due in 7 days"),
        ("day", "Reminders: 3 overdue, 3 due today, and more"),
        ("anchor-move", "6 new dates"),
        ("one-thing-twice", "New date Jan 10, 2023: The leaders meet in Mexico…"),
        ("digest", "Your week: 7 updates"),
        ("whole-statement", "98 new commitments"),
    ],
)
def test_a_subject_counts_what_is_new(name: str, subject: str):
    assert grouped(EACH_GROUP[name][0], "en", *EACH_GROUP[name][1:]).subject == subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", EACH_GROUP)
def test_every_subject_fits_a_telephone(name: str, language: str):
    events, kind, rhythm = EACH_GROUP[name]
    message = grouped(events, language, kind, rhythm)

    assert 0 < len(message.subject) <= SUBJECT_LENGTH
    assert message.headline


@pytest.mark.parametrize(
    ("name", "state"), [("reminders", "soon"), ("day", None), ("import", None), ("anchor-move", None), ("digest", None)]
)
def test_the_list_that_it_leads_to_has_all_that_it_tells(name: str, state: DueState | None):
    """What is overdue, asked about or due soon is found by that, where all is of one kind; else among all."""
    assert grouped(EACH_GROUP[name][0]).list_url == LINKS.commitments(state)


def test_a_new_commitment_has_its_dates_beside_it():
    message = grouped(imported(4))

    assert [section.category for section in message.sections] == ["created"]
    assert [said for _, said in items(message)].count("") == 2
    assert {said for _, said in items(message)} == {"", "Jan 2, 2023", "Jan 4, 2023"}


def test_of_each_thing_the_newest_is_told_with_the_number_of_changes():
    first = on_day(changed("milestone-scheduled.v1.coal-finance", change="first"), date(2022, 1, 1))
    second = on_day(changed("milestone-scheduled.v1.coal-finance", change="moved"), date(2022, 2, 1))
    third = on_day(changed("milestone-scheduled.v1.coal-finance", change="moved"), date(2022, 3, 1))
    other = named(third, 7)

    message = grouped([first, second, other, third])
    assert sorted(said for _, said in items(message)) == ["Mar 1, 2022", "Mar 1, 2022 · 3 changes"]


def test_what_overtook_others_that_were_not_told_stands_for_them_too():
    event = EACH_KIND["status"]
    message = grouped([event], telling=Telling(before=(EACH_KIND["moved"], EACH_KIND["held"])))

    assert [item.changes for section in message.sections for item in section.items] == [3]


def test_an_escalation_is_not_hidden_by_a_reminder_of_the_same():
    escalated = EACH_KIND["escalated"]
    milestone = escalated.data.milestone.model_dump(mode="json")
    reminder = changed("milestone-due.v1.rappel-tardif", milestone, phase="overdue")

    categories = [section.category for section in grouped([escalated, reminder]).sections]
    assert categories == ["escalated", "overdue"]


def test_what_is_told_later_counts_no_days():
    events = reminders(4, phases=("ahead", "today"))
    at_once, later = grouped(events), grouped(events, kind="deferred")

    assert {said for _, said in items(at_once)} == {"in 7 days · Mar 1, 2022", "today · Mar 1, 2022"}
    assert {said for _, said in items(later)} == {"Mar 1, 2022"}
    assert later.subject == "Reminders: 4 due"
    assert [section.title for section in later.sections] == ["Due"]


def test_one_reminder_that_is_told_later_says_its_day():
    event = on_day(EACH_KIND["ahead"], date(2022, 3, 1))
    told = LocalizedEvent(event, words_in("en"), "https://p.example", Telling(is_deferred=True)).message

    assert told.subject.startswith("Date Mar 1, 2022: ")
    assert told.headline == "A reminder"
    assert "30" not in f"{told.subject}{told.headline}{told.lead}"
    assert grouped([event], kind="deferred").subject == told.subject


def test_an_event_of_an_older_contract_stops_no_other():
    broken = replace(EACH_KIND["status"], value=b"{}")

    assert grouped([broken, EACH_KIND["moved"]]).count == 1
    with pytest.raises(UnsupportedEvent):
        _ = grouped([broken]).subject


def test_a_webhook_gets_every_event_by_itself():
    with pytest.raises(ValueError, match="by itself"):
        render_group([(EACH_KIND["status"], AS_NEWS)], "webhook", "en", LINKS)


any_group = st.lists(
    st.tuples(st.sampled_from(sorted(EACH_KIND)), st.integers(0, 6), st.booleans()), min_size=1, max_size=40
)


@given(any_group, st.sampled_from(["window", "digest", "deferred"]), st.sampled_from(LANGUAGES))
def test_no_event_is_lost_and_none_is_counted_twice(drawn, kind, language):
    told = tuple((named(EACH_KIND[name], at), Telling(is_overtaken=late)) for name, at, late in drawn)
    message = LocalizedGroup(told, words_in(language), LINKS, kind).message
    stood_for = sum(item.changes for section in message.sections for item in section.items)
    beside = sum(name == "first-date" for name, _, _ in drawn)

    assert len(told) - beside <= stood_for <= len(told)
    pages = {item.url for section in message.sections for item in section.items}
    assert pages == {page_of(event) for event, _ in told}
    assert 0 < len(message.subject) <= SUBJECT_LENGTH
    for most in (0, 1, message.count, message.count + 1):
        shown, left = message.first(most)
        assert sum(len(section.items) for section in shown) + left == message.count
        assert all(section.items for section in shown)


def page_of(event: PublishedEvent) -> str:
    """Where an item leads: to the commitment, or where who is asked answers."""
    if isinstance(event.data, MilestoneEscalated):
        return placeholders.on_it_url(event.data.milestone.id)
    return LINKS.commitment(event.data.commitment.id)


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_is_asked_about_several_things_answers_to_each_from_the_list(language: str):
    letter = mailed_group([EACH_KIND["escalated"], EACH_KIND["today"]], language)

    for subtype in ("plain", "html"):
        assert "https://pledgewire.example/on-it/preview" in part(letter, subtype)
        assert "\x7f" not in part(letter, subtype) and "7f}" not in part(letter, subtype)


def test_mails_about_one_commitment_stand_in_its_thread_and_others_by_themselves():
    one = mailed_group([EACH_KIND["moved"], EACH_KIND["held"]], "en")
    several = mailed_group(reminders(3), "en")

    assert one["References"] == one["In-Reply-To"] == "<commitment.nals-2021-next-summit@pledgewire.example>"
    assert several["References"] is None
    assert several["In-Reply-To"] is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_parts_of_a_mail_link_to_each(language: str):
    letter = mailed_group(imported(98), language)

    for at in range(98):
        for subtype in ("plain", "html"):
            assert re.search(rf"{LINKS.commitment(f'commitment-{at}')}\b", part(letter, subtype))
    assert "\x7f" not in part(letter, "plain") + part(letter, "html")


def test_the_reasons_of_several_subscriptions_are_named():
    events = [GOLDEN["status-changed.v1.canada-seul"], EACH_KIND["moved"]]
    matched = tuple(map(matched_by, events))
    canada, dialogue = Filters(parties=frozenset({"CA"})), Filters(themes=frozenset({"dialogue"}))

    assert joined_reasons([Concern(canada, matched)], "en") == "You get this because you follow: Canada."
    assert joined_reasons([Concern(canada, matched[:1]), Concern(dialogue, matched[1:])], "en") == (
        "You get this by 2 subscriptions: Canada; North American dialogue."
    )
    assert joined_reasons([Concern(Filters(), matched), Concern(canada, matched)], "en") == (
        "You get this by 2 subscriptions: all that is in the register; Canada."
    )
    due = (matched_by(EACH_KIND["ahead"]),)
    assert "could not be planned" in joined_reasons([Concern(canada, due, ladder_refused=True)], "en")
