"""Feeds and calendars of whatever the contracts allow: well-formed, read back, nothing in them that was not meant."""

from uuid import UUID

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.text import UNFIT
from services.i18n.text import plain
from services.scheduler.feeds.rendering.syndication import FeedEvent, FeedItem, atom, rss
from tests.contracts import event_strategies as events
from tests.scheduler.feeds.scenes import FEED, PORTAL, THEN, entry, lines, only, written

often = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
shown = events.created | events.scheduled | events.changed | events.due
dated = events.milestones.filter(lambda milestone: milestone.span.latest is not None)


@pytest.mark.slow
@pytest.mark.parametrize("write", [atom, rss], ids=["atom", "rss"])
@often
@given(event=shown)
def test_any_event_is_one_entry_of_a_well_formed_feed(write, event: FeedEvent) -> None:
    document = write(FEED, [FeedItem(UUID(int=1), THEN, event)], PORTAL)

    read = feedparser.parse(document)
    assert not read.bozo, read.get("bozo_exception")
    (told,) = read.entries
    assert told.title.strip()
    assert told.link == f"{PORTAL}/commitments/{event.commitment.id}"
    assert not UNFIT.search(document.decode().replace("\n", ""))


@pytest.mark.slow
@often
@given(what=dated, brief=events.briefs, source=st.none() | events.sources, name=events.lines)
def test_any_milestone_is_one_event_of_a_calendar_and_no_text_adds_a_property(what, brief, source, name) -> None:
    document = written(entry(what, commitment=brief, source=source), name=plain(name))

    event = only(document)
    assert event.summary.value.strip()
    assert max(map(len, document.split(b"\r\n"))) <= 75
    assert document.replace(b"\r\n", b"").count(b"\n") == document.replace(b"\r\n", b"").count(b"\r") == 0
    assert document.count(b"\r\nBEGIN:VEVENT\r\n") == document.count(b"\r\nEND:VEVENT\r\n") == 1
    assert "attendee" not in event.contents
    assert not any(UNFIT.search(line.decode()) for line in lines(document))
