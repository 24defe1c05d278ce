"""Pages of whatever the contracts allow: nothing of it is markup, ends a line or turns the direction."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from contracts.envelope import Envelope
from contracts.text import UNFIT
from services.i18n.words import words_in
from services.portal.event_lines import event_line
from services.portal.live_feed import TOPICS, LiveEvent, RecordPosition
from services.portal.page_renderer import _environment
from tests.contracts import event_strategies

TEMPLATE = _environment(words_in("en")).from_string('<p title="{{ text }}">{{ text }}{{ words.quoted(text) }}</p>')
told = st.sampled_from(list(TOPICS.values())).flatmap(
    lambda topic: st.tuples(st.just(topic.name), event_strategies.BY_EVENT[topic.event])
)


class Tags(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, [name for name, _ in attrs]))


@given(st.text() | st.sampled_from(event_strategies.STRANGE))
@example('"onclick="x" <script>\u202e\uffff\u2028\r\n')
def test_no_text_is_more_than_text_on_a_page(text: str) -> None:
    html = TEMPLATE.render(text=text)

    assert Tags(html).found == [("p", ["title"])]
    assert not UNFIT.search(html)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(told, st.sampled_from(["en", "es", "fr"]))
def test_any_public_event_is_a_line_of_what_is_seen(event, language: str) -> None:
    topic, data = event
    envelope = Envelope(UUID(int=1), datetime(2022, 1, 1, tzinfo=UTC), "coal")
    line = event_line(LiveEvent(RecordPosition(topic, 0, 1), envelope, data, 0), words_in(language))

    shown = [value for value in line.as_json().values() if isinstance(value, str)]
    assert not [text for text in shown if UNFIT.search(text)]
    assert str(line.title).strip()
    assert str(line.text).strip()
