"""Feeds of events, read back by feedparser, which shares no code with what writes them."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from uuid import UUID

import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import Milestone
from contracts.events import CommitmentCreated, Evidence, MilestoneDue, MilestoneScheduled, Reporter, StatusChanged
from contracts.vocabulary import Status, Text
from services.i18n.text import plain
from services.i18n.words import words_in
from services.scheduler.feeds.rendering.syndication import FeedEvent, FeedItem, atom, item_text, rss
from tests.contracts.golden_records import PATHS, SOME_CAUSE, wire
from tests.scheduler.feeds.scenes import FEED, PORTAL, THEN
from tests.scheduler.scenes import changed, created, milestone, scheduled

KINDS = {"commitment-created", "milestone-scheduled", "status-changed", "milestone-due"}
GOLDEN = [event for path in PATHS if path.name.split(".")[0] in KINDS for _, event in [wire(path).read()]]
COAL = milestone(date(2021, 12, 31))

both = pytest.mark.parametrize("write", [atom, rss], ids=["atom", "rss"])
Write = Callable[..., bytes]


def feed_items(*events: FeedEvent) -> list[FeedItem]:
    """Events that were told one hour after another, the newest first."""
    return [FeedItem(UUID(int=n + 1), THEN + timedelta(hours=n), event) for n, event in enumerate(events)][::-1]


def read(document: bytes) -> Any:
    """A feed as feedparser reads it; it has to be well-formed."""
    found = feedparser.parse(document)
    assert not found.bozo, found.get("bozo_exception")
    return found


def due(what: Milestone = COAL, phase: Any = "ahead", days: int = 7) -> MilestoneDue:
    return MilestoneDue(
        seq=1,
        cause=SOME_CAUSE,
        commitment=created().commitment,
        milestone=what,
        schedule_version=1,
        step="before-7d",
        phase=phase,
        days=days,
        due_at=THEN,
        late=False,
        merged_steps=(),
        not_after=THEN,
        status=Status.AT_RISK,
    )


@both
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_every_golden_event_is_an_entry_in_each_language(write: Write, language: str) -> None:
    feed = replace(FEED, language=language)

    found = read(write(feed, feed_items(*GOLDEN), PORTAL))

    assert (found.feed.title, found.feed.link) == (FEED.name, PORTAL)
    assert len(found.entries) == len(GOLDEN) > 6
    for entry, item in zip(found.entries, feed_items(*GOLDEN), strict=True):
        title, lines = item_text(item.event, words_in(language))
        assert entry.id == f"urn:uuid:{item.event_id}"
        assert entry.title == title
        assert datetime(*entry.published_parsed[:6], tzinfo=UTC) == item.at
        assert entry.link == f"{PORTAL}/commitments/{item.event.commitment.id}"
        summary = unescape(re.sub("<[^>]+>", "", entry.summary.replace("<br />", "\n")))
        assert all(line in summary for line in lines)


@both
def test_a_moved_date_is_told_with_before_and_after(write: Write) -> None:
    moved = scheduled(milestone(date(2022, 3, 31)), 2, change="moved").model_copy(update={"previous": COAL.span})

    [entry] = read(write(FEED, feed_items(moved), PORTAL)).entries

    assert entry.title == "New date: No new public finance, by March 31, 2022"
    assert "Date: by March 31, 2022" in entry.summary
    assert "Before: by December 31, 2021" in entry.summary


@pytest.mark.parametrize(
    ("event", "title"),
    [
        (created(), "New commitment: end-coal-finance-abroad"),
        (scheduled(COAL), "Date: No new public finance, by December 31, 2021"),
        (
            scheduled(COAL, change="more-precise"),
            "More precise date: No new public finance, by December 31, 2021",
        ),
        (
            scheduled(milestone(None), 2, change="moved").model_copy(update={"previous": COAL.span}),
            "No date any more: No new public finance",
        ),
        (scheduled(milestone(None)), "No date given: No new public finance"),
        (changed(Status.MET), "Status: end-coal-finance-abroad (Canada), met"),
        (
            changed(Status.AT_RISK, party="MX", overall=Status.IN_PROGRESS),
            "Status: end-coal-finance-abroad (Mexico), at risk",
        ),
        (due(), "Due in 7 days: No new public finance"),
        (due(days=1), "Due in 1 day: No new public finance"),
        (due(phase="today", days=0), "Due today: No new public finance"),
        (due(phase="overdue", days=30), "Overdue by 30 days: No new public finance"),
        (due(phase="review", days=0), "No date given; to be reviewed: No new public finance"),
    ],
)
def test_a_title_says_what_happened(event: FeedEvent, title: str) -> None:
    assert item_text(event, words_in("en"))[0] == title


def test_a_status_says_who_and_by_what_evidence() -> None:
    event = changed(Status.MET).model_copy(
        update={
            "note": "All of it",
            "evidence": Evidence(
                url="https://example.org/a?b=1&c=2", title="The record", retrieved_on=date(2021, 12, 1)
            ),
            "reported_by": Reporter(
                client="desk", ministry="mx-sre", ministry_name=Text(es="Secretaría de Relaciones Exteriores de México")
            ),
        }
    )

    _, lines = item_text(event, words_in("es"))

    assert lines == [
        "Estado: cumplido",
        "Antes: anunciado",
        "Estado general: cumplido",
        "Nota, tal como se informó (sin traducir): All of it",
        "Prueba: https://example.org/a?b=1&c=2",
        "Informado por: Secretaría de Relaciones Exteriores de México",
    ]


@both
def test_the_same_events_give_the_same_bytes(write: Write) -> None:
    assert write(FEED, feed_items(*GOLDEN), PORTAL) == write(FEED, feed_items(*GOLDEN), PORTAL)


@both
def test_a_feed_was_updated_when_its_newest_event_was_told(write: Write) -> None:
    events = feed_items(created(), changed(Status.MET))

    assert datetime(*read(write(FEED, events, PORTAL)).feed.updated_parsed[:6], tzinfo=UTC) == THEN + timedelta(hours=1)
    assert datetime(*read(write(FEED, [], PORTAL)).feed.updated_parsed[:6], tzinfo=UTC) == FEED.created_at


@both
def test_a_feed_does_not_tell_its_own_address(write: Write) -> None:
    links = read(write(FEED, feed_items(created()), PORTAL)).feed.links

    assert {link.rel for link in links} == {"alternate"}


@both
def test_markup_in_texts_is_shown_and_not_obeyed(write: Write) -> None:
    evil = "<script>alert(1)</script> & ]]> <b>"
    event = changed(Status.MET).model_copy(update={"note": evil})

    document = write(FEED, feed_items(event), PORTAL)

    [entry] = read(document).entries
    assert b"<script" not in document
    assert "alert(1)" in entry.summary
    if write is rss:  # a reader takes it for HTML, so it is text in there
        assert "&lt;script&gt;" in entry.summary
    else:
        assert entry.summary_detail.type == "text/plain"


@both
@given(words=st.text(min_size=1), name=st.text(min_size=1).filter(lambda name: plain(name).strip()))
def test_any_text_gives_a_well_formed_feed(write: Write, words: str, name: str) -> None:
    text = Text.model_construct({"en": words})
    event = due(COAL.model_copy(update={"title": text, "wording": words}))

    assert len(read(write(replace(FEED, name=name), feed_items(event), PORTAL)).entries) == 1


def test_all_kinds_of_events_have_a_golden_one() -> None:
    kinds = {type(event) for event in GOLDEN}

    assert kinds == {CommitmentCreated, MilestoneScheduled, StatusChanged, MilestoneDue}
