"""A status has one word, from one table, wherever it is shown: in mails, cards, feeds, calendars and on pages."""

import ast
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

import services
from contracts.vocabulary import LanguageTag, Status
from services.i18n import names
from services.i18n.languages import written_languages
from services.i18n.words import Words, words_in
from services.portal.event_lines import event_line
from services.portal.live_feed import LiveEvent, RecordPosition
from services.portal.page_renderer import PageRenderer
from services.scheduler.feeds.rendering.syndication import item_text
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from tests.contracts import golden_records
from tests.notifier.rendering.material import mail, part, payload, published, texts
from tests.scheduler.feeds.scenes import entry, only, written
from tests.scheduler.scenes import changed, milestone

SERVICES = Path(services.__file__).parent
PAGES = PageRenderer()


def in_mail(status: Status, words: Words) -> str:
    letter = mail(published("status-changed", changed(status)), words.language)
    return "\n".join([str(letter["subject"]), part(letter, "plain"), part(letter, "html")])


def on_a_card(channel: str) -> Callable[[Status, Words], str]:
    return lambda status, words: " ".join(
        texts(payload(published("status-changed", changed(status)), channel, words.language))
    )


def in_a_feed(status: Status, words: Words) -> str:
    return str(item_text(changed(status), words)[0])


def on_the_live_page(status: Status, words: Words) -> str:
    around, _ = golden_records.example("status-changed.v1.drug-dialogue-met").read()
    return str(event_line(LiveEvent(RecordPosition("status-changed", 0, 1), around, changed(status), 0), words).text)


def on_a_page(status: Status, words: Words) -> str:
    environment = PAGES._environments[words.language]
    return environment.from_string("{{ status_label(status) }}").render(status=status)


PLACES: dict[str, Callable[[Status, Words], str]] = {
    "mail": in_mail,
    "Slack": on_a_card("slack"),
    "Teams": on_a_card("teams"),
    "feed": in_a_feed,
    "live page": on_the_live_page,
    "page": on_a_page,
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("language", written_languages())
def test_a_status_is_called_the_same_in_every_place(language: LanguageTag, place: str) -> None:
    words = words_in(language)
    for status in Status:
        assert names.status_name(status, words).casefold() in PLACES[place](status, words).casefold()


@pytest.mark.parametrize("language", written_languages())
def test_a_calendar_calls_what_is_met_as_the_others_do(language: LanguageTag) -> None:
    met = CommitmentStatus().after_changed(changed(Status.MET, overall=Status.MET))
    known = entry(milestone(date(2021, 12, 31)), commitment_status=met)

    summary = only(written(known, language=language)).summary.value

    assert summary.startswith(names.status_label(Status.MET, words_in(language)))


def words_of_statuses() -> Iterator[str]:
    """Where a status has a word beside the table: a second one, which would drift from the first."""
    told = {name.casefold() for name in names.STATUSES.values()}
    for path in SERVICES.rglob("*.py"):
        if path == Path(names.__file__):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                called = getattr(node.func, "attr", getattr(node.func, "id", ""))
                text = str(node.args[0].value)
                if called in ("gettext", "N_", "_") and text.rstrip(":").casefold() in told:
                    yield f"{path.relative_to(SERVICES)}:{node.lineno} {text}"


def test_no_other_place_has_words_for_statuses() -> None:
    assert list(words_of_statuses()) == []
    for template in SERVICES.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not [name for name in names.STATUSES.values() if f'_("{name}")' in text]
