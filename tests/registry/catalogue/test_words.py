"""Titles and summaries in three languages, and the closed lists."""

import re
from collections.abc import Iterator
from itertools import combinations

import pytest

from contracts.commitments import CommitmentBrief
from contracts.vocabulary import Text
from services.registry.catalogue.contents import Commitment
from services.registry.rules.text_comparison import collapse_whitespace
from tests.registry.catalogue.material import ALL, BY_ID, CATALOGUE, MILESTONES, TEXT

QUALIFIED: tuple[tuple[str, str, str], ...] = (
    # What a quote says, and the words that keep it in a Spanish and in a French title or summary.
    ("phase out", r"gradual", r"peu à peu|progressivement"),
    ("wasteful", r"derroch", r"gaspillage"),
    (r"\babroad\b", r"exterior|extranjero", r"étranger"),
    ("unabated", r"sin (medidas de )?mitigación", r"sans (dispositif d’)?atténuation"),
    ("look forward to", r"con interés|seguir", r"se réjouissent"),
    (r"will work to\b", r"buscará", r"s’emploiera"),
    (r"(work|working|together) toward\b", r"hacia|miras|para", r"Œuvrer|œuvrer|élaboration"),
    ("historically marginalized", r"históricamente marginadas", r"historiquement marginalisées"),
    ("Two-Spirit", r"dos espíritus", r"bispirituelles"),
    ("in 2022 and beyond", r"2022 y en adelante", r"2022 et au-delà"),
)


def every_text() -> Iterator[Text]:
    yield CATALOGUE.statement.title
    for part in (CATALOGUE.sections, CATALOGUE.themes, CATALOGUE.anchors, tuple(MILESTONES.values())):
        yield from (titled.title for titled in part)
    for commitment in CATALOGUE.commitments:
        yield from (commitment.title, commitment.summary)
    for entry in CATALOGUE.chronicle:
        yield entry.text


ABOUT_NATURE = re.compile(r"deforestation|land and waters|oceans|biodiversity|Environmental Cooperation")
"""What only a promise about nature speaks of; standards and sustainability are environmental in passing, too."""


@pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
def test_what_is_about_nature_is_found_under_nature(one: Commitment) -> None:
    if ABOUT_NATURE.search(collapse_whitespace(TEXT[one.quote.start : one.quote.end])):
        assert "nature" in one.themes


class TestWords:
    def test_differ_in_the_three_languages(self) -> None:
        """
        Nothing is left untranslated or empty.
        """
        for text in every_text():
            assert text.languages == {"en", "es", "fr"}, text
            assert len({words.strip() for words in text.root.values()} - {""}) == 3, text

    def test_use_typographic_apostrophes(self) -> None:
        """
        Prose has no typewriter apostrophes and no doubled or outer spaces.
        """
        for text in every_text():
            for words in text.root.values():
                assert "'" not in words
                assert collapse_whitespace(words) == words.replace("\N{NO-BREAK SPACE}", " ")

    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_titles_are_short_and_summaries_one_sentence(self, one: Commitment) -> None:
        """
        A title fits a subject line, a summary is one sentence.
        """
        for language in ("en", "es", "fr"):
            title, summary = one.title.in_language(language).text, one.summary.in_language(language).text
            assert len(title) <= 90
            assert not title.endswith(".")
            assert re.fullmatch(r"[^.!?]+\.", summary)

    @pytest.mark.parametrize(("quoted", "spanish", "french"), QUALIFIED)
    def test_promise_no_more_than_the_quote(self, quoted: str, spanish: str, french: str) -> None:
        """
        A qualification of the quote is kept by the title or the summary in every language.
        """
        qualified = [one for one in CATALOGUE.commitments if re.search(quoted, one.quote.text)]

        assert qualified
        for one in qualified:
            assert re.search(spanish, f"{one.title.root['es']} {one.summary.root['es']}"), one.id
            assert re.search(french, f"{one.title.root['fr']} {one.summary.root['fr']}"), one.id

    def test_punctuate_as_their_language_does(self) -> None:
        """
        In Canadian French a no-break space stands before a colon and inside guillemets, and none before ; ! ?; in
        Mexican Spanish quotation marks are “ ”.
        """
        for text in every_text():
            french, spanish = text.root["fr"], text.root["es"]
            assert not re.search(r" :|« | »|\s[;!?]", french), french
            assert not re.search("[«»]", spanish), spanish

    def test_titles_tell_commitments_apart(self) -> None:
        """
        No two commitments have the same title or summary in a language.
        """
        for one, other in combinations(CATALOGUE.commitments, 2):
            for language in ("en", "es", "fr"):
                assert one.title.in_language(language).text != other.title.in_language(language).text
                assert one.summary.in_language(language).text != other.summary.in_language(language).text

    def test_ids_begin_with_the_statement(self) -> None:
        """
        Commitments and milestones are named after the statement.
        """
        assert all(name.startswith("nals-2021-") for name in (*BY_ID, *MILESTONES))

    def test_no_ministry_is_put_in_charge(self) -> None:
        """
        The statement names no ministry, so the catalogue doesn't either.
        """
        assert not [one.id for one in CATALOGUE.commitments if one.lead_ministries]

    def test_brief_says_what_events_need(self) -> None:
        """
        An event's brief has the section's title and all else that a reader acts on.
        """
        coal = BY_ID["nals-2021-coal-finance"]

        assert CommitmentBrief(
            id=coal.id,
            statement_id="nals-2021",
            title=coal.title,
            section="climate-crisis",
            language="en",
            section_title=Text(
                en="Addressing the Climate Crisis",
                es="Respuesta a la crisis climática",
                fr="Faire face à la crise climatique",
            ),
            parties=ALL,
            themes=("energy", "climate"),
        ) == CATALOGUE.brief(coal)
