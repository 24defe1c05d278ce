"""Words of others that are not there in the reader's language: the nearest that there are, marked where that shows."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.filters import Filters
from contracts.vocabulary import ShownText
from services.i18n.prose import Prose, marked
from services.i18n.words import words_in
from services.notifier.delivery.messages import matched_by
from services.notifier.events.published_event import PublishedEvent
from services.notifier.rendering.footer_reason import footer_reason
from tests.notifier.channels.checks import CHECKS, Page
from tests.notifier.rendering.material import GOLDEN, mail, message, part, posted, published, sent, texts

UNION = {
    "code": "org-european-union",
    "name": {"es": "Unión Europea", "fr": "Union européenne"},
    "zone": "Europe/Brussels",
}
TITLE, SECTION, MILESTONE = "Estrategia de metano", "Crisis climática", "Presentar la estrategia"


def spanish(name: str, **changes: Any) -> PublishedEvent:
    """A golden event of a statement in Spanish, whose words are there in no other language."""
    event = GOLDEN[name]
    value = json.loads(event.value)
    value["commitment"] |= {
        "language": "es",
        "title": {"es": TITLE},
        "section_title": {"es": SECTION},
        "parties": ["MX", UNION["code"]],
        "organisations": [UNION],
    }
    if value.get("milestone"):
        wording = {"wording": "a finales de 2023", "wording_language": "es"}
        value["milestone"] |= {"title": {"es": MILESTONE}, "parties": ["MX", UNION["code"]]} | wording
    if "summary" in value:
        value["summary"] = {"es": "México se propone una estrategia."}
        value["statement"]["title"] = {"es": "Declaración conjunta"}
    return published(event.topic, type(event.data).model_validate_json(json.dumps(value | changes)))


class Marked(Page):
    """The text of each element that says in which language it is."""

    def __init__(self, html: str) -> None:
        self.spans: list[tuple[str, str]] = []
        self._language: str | None = None
        super().__init__(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        super().handle_starttag(tag, attrs)
        if tag == "span":
            self._language = dict(attrs).get("lang")

    def handle_endtag(self, tag: str) -> None:
        super().handle_endtag(tag)
        if tag == "span":
            self._language = None

    def handle_data(self, data: str) -> None:
        super().handle_data(data)
        if self._language:
            self.spans.append((self._language, data))


def spans(event: PublishedEvent, language: str, **to: Any) -> set[tuple[str, str]]:
    return set(Marked(part(mail(event, language, **to), "html")).spans)


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("commitment-created.v1.land-and-waters", ["México se propone una estrategia.", "Declaración conjunta"]),
        ("milestone-due.v1.rappel-tardif", [MILESTONE, "“a finales de 2023”"]),
        ("milestone-scheduled.v1.cumbre-aplazada", [MILESTONE, "“a finales de 2023”"]),
        ("milestone-escalated.v1.focal-point-first", [MILESTONE, "“a finales de 2023”"]),
        ("consistency-flagged.v1.past-due", [MILESTONE, "“a finales de 2023”"]),
        ("status-changed.v1.drug-dialogue-met", []),
    ],
)
def test_an_english_mail_marks_the_spanish_words_and_a_spanish_one_none(name: str, also: list[str]):
    event = spanish(name)

    for text in (TITLE, SECTION, UNION["name"]["es"], *also):  # type: ignore[index]
        assert ("es", text) in spans(event, "en"), text
    assert "es" not in {language for language, _ in spans(event, "es")}


def test_what_is_there_in_the_language_of_the_reader_is_not_marked():
    told = spans(spanish("status-changed.v1.drug-dialogue-met"), "fr")

    assert ("es", TITLE) in told
    assert "Union européenne" not in {text for _, text in told}


def test_the_reader_of_a_party_alone_sees_it_marked_wherever_it_is_named():
    event = spanish("status-changed.v1.canada-seul", party=UNION["code"])
    told = message(event)

    assert told.headline == "Unión Europea: in progress"
    assert told.subject.startswith("Unión Europea in progress: ")
    page = part(mail(event, "en"), "html")
    assert page.count('<span lang="es">Unión Europea</span>') == 2, "headline and list"


def test_the_footer_marks_what_was_met():
    event = spanish("milestone-due.v1.rappel-tardif")
    met = Filters(sections=frozenset({event.data.commitment.section}), parties=frozenset({str(UNION["code"])}))

    reason = footer_reason(met, matched_by(event), "en")
    assert reason == "You get this because you follow: Crisis climática · Unión Europea."
    assert [run for run in reason.runs if run.language] == [
        ShownText(SECTION, "es"),
        ShownText("Unión Europea", "es"),
    ]
    assert f'<span lang="es">{SECTION}</span> · <span lang="es">' in part(mail(event, "en", filters=met), "html")


@pytest.mark.parametrize("channel", ["slack", "teams", "email"])
def test_plain_text_and_chats_stay_plain(channel: str):
    for name in ("commitment-created.v1.land-and-waters", "milestone-due.v1.rappel-tardif"):
        event = spanish(name)
        told = sent(event, channel, "en")
        CHECKS[channel](told, "en")
        seen = part(mail(event, "en"), "plain") if channel == "email" else "\n".join(texts(json.loads(told)))
        assert TITLE in seen.replace("\\", "")
        assert not [c for c in seen if c < " " and c not in "\r\n"]
        assert "lang=" not in seen
    assert b"<span" not in posted(event, "slack", "en")


def test_the_exact_words_are_said_to_be_in_the_language_that_they_are_in():
    created = spanish("commitment-created.v1.land-and-waters")

    assert message(created).quotation.label == "The exact words (in Spanish)"  # type: ignore[union-attr]
    assert message(created, "fr").quotation.label == "Les mots exacts (en espagnol)"  # type: ignore[union-attr]
    assert message(created, "es").quotation.label == "Las palabras exactas"  # type: ignore[union-attr]


TWENTY = ["AR", "AU", "BR", "CA", "CN", "DE", "FR", "GB", "ID", "IN", "IT", "JP", "KR", "MX", "RU", "SA", "TR", "US"]


def test_a_statement_of_twenty_parties_fits_every_channel():
    event = GOLDEN["commitment-created.v1.land-and-waters"]
    value = json.loads(event.value)
    organisations = [UNION, UNION | {"code": "org-african-union", "name": {"es": "Unión Africana"}}]
    parties = [*TWENTY, *(one["code"] for one in organisations)]
    value["commitment"] |= {"parties": parties, "organisations": organisations}
    twenty = published(event.topic, type(event.data).model_validate_json(json.dumps(value)))

    for channel, check in CHECKS.items():
        check(sent(twenty, channel, "en"), "en")
    listed = next(fact.value for fact in message(twenty).facts if fact.label == "Parties")
    assert listed.startswith("Argentina, Australia, Brazil") and listed.endswith("Unión Europea, and Unión Africana")


runs = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["C"]), max_size=12), st.sampled_from(["", "es", "zh-Hant"]))
)


@given(runs, st.integers(1, 40))
def test_prose_is_its_text_and_keeps_each_run_however_it_goes(pieces: list[tuple[str, str]], length: int):
    prose = Prose(ShownText(*piece) for piece in pieces)

    assert prose == "".join(text for text, _ in pieces)
    assert Prose.read(prose.written) == prose
    assert [run for run in Prose.read(prose.written).runs if run.language] == [
        run for run in prose.runs if run.language
    ]
    cut = prose.shortened(length)
    assert len(cut) <= max(length, 0) or cut == prose
    assert "".join(run.text for run in cut.runs) == cut


def test_nobody_marks_words_by_writing_marks():
    words = words_in("en")

    assert marked(ShownText("a\x0ees\x0fb\x0e\x0f", "en"), words) == "aesb"
    assert Prose.read(marked(ShownText("a\x0efr\x0fb", "es"), words)).runs == (ShownText("afrb", "es"),)
    assert marked(ShownText("\u202e", "es"), words, instead="coal") == "coal"
