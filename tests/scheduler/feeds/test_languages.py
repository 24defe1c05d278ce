"""Texts that are not there in a feed's language: shown in the nearest one, and marked where the format has a place."""

from dataclasses import replace
from datetime import date
from typing import Any
from xml.etree import ElementTree

import feedparser
import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.commitments import CommitmentBrief, Organisation
from contracts.events import CommitmentCreated, MilestoneScheduled
from contracts.vocabulary import ShownText, Text
from services.i18n.prose import Prose
from services.scheduler.feeds.rendering.passages import as_html, language_of
from services.scheduler.feeds.rendering.syndication import FeedEvent, atom, rss
from tests.scheduler.feeds.scenes import FEED, PORTAL, entry, lines, written
from tests.scheduler.feeds.test_syndication import due, feed_items
from tests.scheduler.scenes import brief, created, milestone, scheduled

ATOM = "{http://www.w3.org/2005/Atom}"
XHTML = "{http://www.w3.org/1999/xhtml}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

COAL = Text(es="Adiós al carbón", de="Kohleausstieg")
UNION = Organisation(
    code="org-european-union", name=Text(es="Unión Europea", fr="Union européenne"), zone="Europe/Brussels"
)
SPANISH = CommitmentBrief(
    **{
        **dict(brief()),
        "language": "es",
        "title": COAL,
        "section_title": Text(es="Clima"),
        "parties": ("MX", "org-european-union"),
        "organisations": (UNION,),
    }
)
NO_FINANCE = milestone(date(2021, 12, 31), parties=("MX", "org-european-union")).model_copy(
    update={
        "title": Text(es="Sin dinero público", en="No public money"),
        "wording_language": "es",
        "wording": "a más tardar",
    }
)


def spanish(event: FeedEvent) -> Any:
    return event.model_copy(update={"commitment": SPANISH})


NEW: CommitmentCreated = spanish(created()).model_copy(update={"summary": Text(es="Se acaba el carbón.")})
DATED: MilestoneScheduled = spanish(scheduled(NO_FINANCE))


def entries(document: bytes) -> list[ElementTree.Element]:
    return ElementTree.fromstring(document).findall(f"{ATOM}entry")


def spans(found: ElementTree.Element) -> dict[str, str | None]:
    """What is marked in an entry's summary, and as what."""
    return {
        span.text or "": span.get(LANG) for span in found.iter(f"{XHTML}span") if span.get(LANG) == span.get("lang")
    }


def test_a_title_in_another_language_says_which_and_so_does_each_passage() -> None:
    feed = replace(FEED, language="fr")
    dated, new = entries(atom(feed, feed_items(NEW, DATED), PORTAL))

    assert new.findtext(f"{ATOM}title") == "Nouvel engagement\u00a0: Adiós al carbón"
    assert new.find(f"{ATOM}title").get(LANG) == "es"  # type: ignore[union-attr]
    assert new.find(f"{ATOM}summary").get("type") == "xhtml"  # type: ignore[union-attr]
    assert spans(new) == {"Se acaba el carbón.": "es", "to end": "es"}
    # English is nearer than nothing, but the original comes first.
    assert dated.find(f"{ATOM}title").get(LANG) == "es"  # type: ignore[union-attr]
    assert spans(dated) == {"Adiós al carbón": "es", "a más tardar": "es"}
    assert "Union européenne" in "".join(dated.itertext())


def test_what_is_all_in_the_feeds_language_is_marked_as_a_whole_only() -> None:
    document = atom(replace(FEED, language="es"), feed_items(NEW, DATED), PORTAL)
    root = ElementTree.fromstring(document)

    assert root.get(LANG) == "es"
    assert document.count(b"lang=") == 1
    assert b'type="xhtml"' not in document


def test_in_english_an_organisation_is_marked_that_has_no_english_name() -> None:
    [dated] = entries(atom(FEED, feed_items(DATED), PORTAL))

    assert dated.find(f"{ATOM}title").get(LANG) is None  # type: ignore[union-attr]
    assert spans(dated) == {"Adiós al carbón": "es", "a más tardar": "es", "Unión Europea": "es"}


def test_rss_marks_passages_of_its_descriptions() -> None:
    [item] = ElementTree.fromstring(rss(FEED, feed_items(NEW), PORTAL)).iter("item")

    assert '<span lang="es" xml:lang="es">Se acaba el carbón.</span>' in (item.findtext("description") or "")
    assert item.findtext("title") == "New commitment: Adiós al carbón"


@pytest.mark.parametrize("write", [atom, rss])
def test_markup_in_a_foreign_text_is_shown_and_not_obeyed(write: Any) -> None:
    evil = NEW.model_copy(update={"summary": Text(es="<script>a</script> & más")})

    document = write(FEED, feed_items(evil), PORTAL)

    assert b"<script" not in document
    [found] = feedparser.parse(document).entries
    assert "&lt;script&gt;a&lt;/script&gt; &amp; más" in found.summary


def test_a_calendar_says_in_which_language_a_title_is() -> None:
    known = entry(NO_FINANCE, commitment=SPANISH)

    for language, title, marked in (("en", "Due: No public money", "en"), ("es", "Vence: Sin dinero público", "es")):
        [event] = icalendar.Calendar.from_ical(written(known, language=language)).walk("VEVENT")
        assert (str(event["summary"]), event["summary"].params.get("LANGUAGE")) == (title, marked)
        assert (event["description"].params["LANGUAGE"], event["categories"].params["LANGUAGE"]) == (language, language)
    french = written(known, language="fr")
    [event] = icalendar.Calendar.from_ical(french).walk("VEVENT")
    assert str(event["summary"]) == "Échéance\u00a0: Sin dinero público"
    assert event["summary"].params["LANGUAGE"] == "es"
    assert any(line.startswith(b"SUMMARY;LANGUAGE=es:") for line in lines(french))
    assert event["description"].params["LANGUAGE"] == "fr"
    assert "Parties\u00a0: Mexique et Union européenne" in str(event["description"])


def test_a_feed_for_a_region_is_in_its_language_and_marks_nothing_of_it() -> None:
    root = ElementTree.fromstring(atom(replace(FEED, language="en-CA"), feed_items(due()), PORTAL))

    assert root.get(LANG) == "en-CA"
    assert not [found for found in root.iter() if found is not root and found.get(LANG)]


def test_a_reminder_of_a_kind_of_tomorrow_is_a_reminder() -> None:
    [found] = feedparser.parse(atom(FEED, feed_items(due().model_copy(update={"phase": "soon"})), PORTAL)).entries

    assert found.title == "Reminder: No new public finance"


# Passages


runs = st.builds(ShownText, st.text("abc &<-äß1 ", max_size=12), st.sampled_from(["", "es", "fr"]))


@given(runs=st.lists(runs))
def test_html_has_all_words_and_marks_just_those_of_others(runs: list[ShownText]) -> None:
    line = Prose(runs)

    found = ElementTree.fromstring(f"<p>{as_html([line])}</p>")

    assert "".join(found.itertext()) == line
    assert [(span.text, span.get("lang")) for span in found] == [run for run in runs if run.language and run.text]


def test_the_longest_passage_gives_a_text_its_language() -> None:
    line = Prose([ShownText("Date: ", ""), ShownText("el mar", "es"), ShownText("la mer du Nord", "fr")])

    assert language_of(line) == "fr"
    assert language_of(Prose([ShownText("Date", "")])) is None
