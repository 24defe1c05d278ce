"""The statement's text and the quotes in it: as it was published, each quote once and at its place."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Strength
from services.registry.catalogue.contents import Commitment
from services.registry.catalogue.quotes import QuoteAmbiguous, QuoteNotFound, locate
from services.registry.rules.text_comparison import collapse_whitespace
from tests.registry.catalogue.material import BODY, BY_ID, CATALOGUE, PUBLISHED, SHA256, TEXT, sentence_of

# The verbs, strongest claim on the meaning first: "reaffirm our commitment" is no new commitment.
VERBS = {
    Strength.REAFFIRM: r"affirm|reiterated|remain committed|stand firm|united in",
    Strength.INVITE: r"invite|encourage",
    Strength.SUPPORT: r"^We( also)? support",
    Strength.INTEND: (
        r"inten[dt]|plan to|seek to|look to|looking to|look forward to|determined to|considering|goal (to|of)"
        r"|need to work together|will explore|will also study|will look at ways"
    ),
    Strength.COMMIT: r"commit|[Pp]ledge|\bwill\b|taking concrete steps",
}


class TestText:
    def test_is_the_published_text_byte_for_byte(self) -> None:
        """
        The text kept in the project is the one that was published, and the catalogue says its SHA-256.
        """
        assert hashlib.sha256(PUBLISHED).hexdigest() == SHA256 == CATALOGUE.statement.sha256

    @pytest.mark.parametrize(
        "slip",
        [
            "equity, as well as and by supporting",
            "availability and integrity critical goods",
            "as well a global resource response",
            "lessons learned temporary worker visa programs",
            "zero emission vehicles",
            "zero-emission vehicles",
        ],
    )
    def test_keeps_the_slips_of_its_authors(self, slip: str) -> None:
        """
        What the authors wrote awkwardly stays as they wrote it.
        """
        assert slip in TEXT

    def test_keeps_typography_but_not_the_layout(self) -> None:
        """
        Typographic apostrophes and dashes stay; no-break spaces and line wraps are layout.
        """
        assert (TEXT.count("’"), TEXT.count("–")) == (8, 1)
        assert PUBLISHED.decode().count("\xa0") == 61
        assert not re.search(r"[\xa0\n]|  ", TEXT)

    def test_says_where_it_was_published(self) -> None:
        """
        Address and title are those of the document's own front matter.
        """
        front = PUBLISHED.decode().split("---")[1]

        assert f"source_url: {CATALOGUE.statement.url}" in front
        assert f"date: '{CATALOGUE.statement.made_on}'" in front
        assert CATALOGUE.statement.title.root["en"] in front.replace("\\_", " ")

    def test_has_every_heading_in_order(self) -> None:
        """
        The sections are the document's headings, verbatim, after a part that has none.
        """
        opening, *others = CATALOGUE.sections

        assert opening.heading is None
        assert [one.heading for one in others] == re.findall(r"\*\*([^*]+)\*\*", TEXT)


class TestQuotes:
    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_stand_once_where_they_are_said_to(self, one: Commitment) -> None:
        """
        A quote is verbatim, found once, at its position, in its section, and keeps clear of headings.
        """
        text = re.sub(r"\s+", " ", PUBLISHED.decode()).strip()
        headings = [(text.index(f"**{part.heading}**"), part.id) for part in CATALOGUE.sections if part.heading]
        section = max([(0, "opening"), *[heading for heading in headings if heading[0] < one.quote.start]])[1]

        assert text.count(one.quote.text) == 1
        assert one.quote.text == text[one.quote.start : one.quote.end]
        assert one.section == section
        assert BODY.start <= one.quote.start < one.quote.end <= BODY.stop
        assert "**" not in one.quote.text

    def test_are_distinct(self) -> None:
        """
        Two commitments may share a sentence, never the same words.
        """
        spans = [(one.quote.start, one.quote.end) for one in CATALOGUE.commitments]

        assert len(spans) == len(set(spans))

    def test_follow_the_text(self) -> None:
        """
        The catalogue reads in the order of the statement.
        """
        spans = [(one.quote.start, one.quote.end) for one in CATALOGUE.commitments]

        assert spans == sorted(spans)

    def test_reach_over_line_wraps_and_no_break_spaces(self) -> None:
        """
        Quotes broken by the layout are found all the same.
        """
        assert any(one.quote.text not in PUBLISHED.decode() for one in CATALOGUE.commitments)

    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_bind_as_firmly_as_their_verb(self, one: Commitment) -> None:
        """
        The verb stands in the quote's own sentence, at or before its end, and gives the strength.
        """
        sentence = sentence_of(one)
        strengths = [strength for strength, verbs in VERBS.items() if re.search(verbs, one.verb)]

        assert one.verb in sentence[: sentence.index(one.quote.text) + len(one.quote.text)]
        assert one.strength == strengths[0]

    @pytest.mark.parametrize(
        ("quote", "commitment"),
        [
            ("have pledged to", "nals-2021-end-deforestation"),
            ("pledged to do more", "nals-2021-glasgow-pledge"),
            ("We committed to", "nals-2021-zev-manufacturing"),
            ("We also reiterated our G20 efforts", "nals-2021-fossil-subsidies-medium-term"),
        ],
    )
    def test_count_pledges_made_in_the_past_tense(self, quote: str, commitment: str) -> None:
        """
        What was pledged before and is said again here is a commitment.
        """
        assert quote in BY_ID[commitment].quote.text


class TestCollapsing:
    @given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \t\n\r\xa0\u2003\u2028\u3000"))))
    def test_leaves_single_spaces_and_every_other_character(self, text: str) -> None:
        """
        Collapsing twice is collapsing once; only whitespace changes, and what is left of it is single spaces.
        """
        collapsed = collapse_whitespace(text)

        assert collapsed == collapse_whitespace(collapsed)
        assert "  " not in collapsed
        assert {" "} >= {character for character in collapsed if character.isspace()}
        assert re.sub(r"\s", "", text) == collapsed.replace(" ", "")

    @given(st.text("ab ", min_size=1), st.text("abc ", max_size=40))
    def test_a_located_quote_is_the_slice_at_its_position(self, quote: str, text: str) -> None:
        """
        A quote is located where it stands, or refused for standing nowhere or more than once.
        """
        places = [at for at in range(len(text)) if text.startswith(quote, at)]
        if len(places) == 1:
            assert (places[0], places[0] + len(quote)) == locate(quote, text)
        else:
            with pytest.raises(QuoteAmbiguous if places else QuoteNotFound):
                locate(quote, text)

    def test_no_words_stand_nowhere(self) -> None:
        """
        An empty quote is no quote.
        """
        with pytest.raises(QuoteNotFound):
            locate("", TEXT)
