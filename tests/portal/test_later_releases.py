"""What a later release of a service says, the portal bears: new words are shown as "other", new fields passed over."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.notifier.subscriptions.own_ladder import OwnLadder
from services.portal.event_lines import event_line
from services.portal.live_feed import TOPICS, live_event_of
from tests.contracts.golden_records import PATHS, golden, record_of, wire
from tests.portal.conftest import ServedPortal
from tests.portal.test_pages import COAL, SUMMIT, SUMMIT_ID
from tests.portal.test_pages import words_in as text_of

NEW = "of-a-later-release"
FIELDS = {
    "status": {"status", "previous", "overall"},
    "strength": {"strength"},
    "precision": {"precision"},
    "reading": {"reading"},
    "change": {"change"},
    "channel": {"channel"},
    "outcome": {"outcome"},
    "state": {"state"},
    "phase": {"phase"},
    "rule": {"rule"},
}
"""Where the words of each open list stand; `state` is the notifier's own, which may grow as well."""

Rewrite = Callable[[Any], Any]


def with_new_words(names: set[str]) -> Rewrite:
    """An answer in which each of these fields has a word that nobody knows yet."""

    def rewrite(told: Any) -> Any:
        if isinstance(told, list):
            return [rewrite(one) for one in told]
        if not isinstance(told, dict):
            return told
        return {name: NEW if name in names and isinstance(one, str) else rewrite(one) for name, one in told.items()}

    return rewrite


def with_new_fields(told: Any) -> Any:
    """An answer with a field more in each of its objects; a text's keys are languages."""
    if isinstance(told, list):
        return [with_new_fields(one) for one in told]
    if not isinstance(told, dict):
        return told
    more = {name: with_new_fields(one) for name, one in told.items()}
    return more if told and set(told) <= set(LANGUAGES) else more | {"of_a_later_release": {"anything": [1, None]}}


def without_keys(html: str) -> str:
    """A page without what its forms carry, which each time is another."""
    return re.sub(r'name="(form-key|once|version)" value="[^"]*"', "", html)


def pages(portal: ServedPortal) -> list[str]:
    """The pages that show what the services say."""
    services = portal.services
    ladder = OwnLadder.model_validate({"rungs": "-2w", "holidays": {"country": "CA", "subdivision": "QC"}})
    desk = services.subscribe("Climate desk", "webhook", ladder=ladder)
    services.tell(desk, "milestone-due", SUMMIT_ID)
    return ["/", COAL, SUMMIT, f"/subscriptions/{desk}"]


OWN = 3
"""The subscription's own page."""
SHOWN_ON = {
    "status": [0, 1, 2],
    "strength": [1, 2],
    "reading": [1, 2],
    "change": [1, 2],
    "channel": [3],
    "state": [3],
}
"""On which of the pages the word itself is shown; of a precision only the date is."""


@pytest.mark.parametrize("kind", ["status", "strength", "precision", "reading", "change", "channel", "state"])
def test_a_word_of_a_later_release_is_other_on_every_page(portal: ServedPortal, kind: str) -> None:
    asked = pages(portal)
    portal.services.rewrite = with_new_words(FIELDS[kind])
    for number, path in enumerate(asked):
        for language, other in {"en": "other", "es": "otro", "fr": "autre"}.items():
            page = portal.get(path, accept_language=language)

            assert page.status_code == 200, path
            assert NEW.replace("-", " ") not in text_of(page.text) and NEW not in text_of(page.text)
            is_own = number == OWN and language != "en"  # a subscription's own page is in its own language
            assert other in text_of(page.text).lower() or number not in SHOWN_ON.get(kind, []) or is_own


def test_what_can_not_be_asked_for_is_counted_and_no_link(portal: ServedPortal) -> None:
    portal.services.rewrite = with_new_words({"status"})
    page = portal.get("/").text

    assert f"Other {len(portal.services.register.records)}" in text_of(page)
    assert "?status=" not in page


def test_a_date_of_a_precision_that_nobody_knows_is_shown_all_the_same(portal: ServedPortal) -> None:
    portal.services.rewrite = with_new_words({"precision"})

    assert "Jun 1 – 30, 2022" in text_of(portal.get("/commitments/nals-2021-summit-of-the-americas").text)
    assert "December 31, 2022" in text_of(portal.get(SUMMIT).text)


def test_fields_of_a_later_release_change_no_page(portal: ServedPortal) -> None:
    asked = pages(portal)
    today = [without_keys(portal.get(path).text) for path in asked]
    portal.services.rewrite = with_new_fields

    assert [without_keys(portal.get(path).text) for path in asked] == today


TOLD = [path for path in PATHS if wire(path).topic.name in TOPICS]
IN_LINES = {
    "status-changed": {"previous", "status"},
    "milestone-scheduled": {"change"},
    "milestone-due": {"phase"},
    "consistency-flagged": {"rule"},
}
"""The words of open lists that the line of an event says."""


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("path", TOLD, ids=lambda path: path.stem)
def test_an_event_of_a_later_release_is_a_line_of_the_feed(path, kind: str) -> None:
    value = with_new_words(FIELDS[kind])(golden(path)["value"])
    record = replace(wire(path), value=json.dumps(with_new_fields(value)).encode())
    live = live_event_of(record_of(record, 1))
    assert live
    for language, other in {"en": "other", "es": "otro", "fr": "autre"}.items():
        line = event_line(live, words_in(language))
        said = f"{line.text} {line.detail}"

        assert line.title.text and line.text.text
        assert NEW not in said and NEW.replace("-", " ") not in said
        assert other in said.lower() or not FIELDS[kind] & IN_LINES.get(line.topic, set())
