"""The paragraph around a quote."""

from hypothesis import given
from hypothesis import strategies as st

from services.registry.actions.import_statement import read_catalogue
from services.registry.catalogue.loading import NALS_2021
from services.registry.rules.paragraphs import paragraph_starts, passage
from services.registry.rules.text_comparison import collapse_whitespace

PARAGRAPH = st.text(alphabet="ab \t\xa0.\n", min_size=1, max_size=30)


@given(st.lists(PARAGRAPH, max_size=5).map("\n \n".join))
def test_paragraphs_start_where_they_stand_in_the_collapsed_text(published: str) -> None:
    text = collapse_whitespace(published)
    starts = paragraph_starts(published)
    assert list(starts) == sorted(set(starts))
    assert all(start == 0 or text[start - 1] == " " for start in starts)
    assert " ".join(passage(text, starts, start, start + 1)[0] for start in starts) == text


def test_every_quote_of_the_catalogue_stands_in_its_passage() -> None:
    loaded, published = read_catalogue(NALS_2021)
    starts = paragraph_starts(published)
    for commitment in loaded.commitments:
        words, start, end = passage(loaded.statement.text, starts, commitment.quote.start, commitment.quote.end)
        assert words[start:end] == commitment.quote.text
        assert words == words.strip()
        assert len(words) < 2500, "that is more than a paragraph"


def test_a_quote_over_two_paragraphs_has_both() -> None:
    text = "One two. Three four. Five."
    assert passage(text, (0, 9, 21), 4, 14) == ("One two. Three four.", 4, 14)
