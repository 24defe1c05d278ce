"""What filters ask for: an empty one everything, and all of them together."""

from dataclasses import dataclass, fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from contracts.filters import MOST_TERMS, Filters, PartyTerms, SlugTerms, matches


@dataclass(frozen=True)
class About:
    event: str
    parties: frozenset[str]
    themes: frozenset[str]
    section: str
    commitment: str


words = st.sampled_from("abc")
some = st.frozensets(words, max_size=3)
abouts = st.builds(About, words, some, some, words, words)
asked = st.builds(Filters, some, some, some, some, some)


@given(abouts)
def test_no_filters_ask_for_everything(about: About) -> None:
    assert matches(Filters(), about)


@given(asked, abouts)
def test_all_filters_have_to_agree(filters: Filters, about: About) -> None:
    alone = [replace(Filters(), **{field.name: getattr(filters, field.name)}) for field in fields(Filters)]

    assert matches(filters, about) is all(matches(one, about) for one in alone)


@given(asked, asked, abouts)
def test_who_asks_for_more_terms_gets_no_less(filters: Filters, others: Filters, about: About) -> None:
    wider = Filters(
        *(
            getattr(filters, field.name) | getattr(others, field.name) if getattr(filters, field.name) else frozenset()
            for field in fields(Filters)
        )
    )

    assert matches(wider, about) or not matches(filters, about)


@pytest.mark.parametrize("name", ["events", "parties", "themes", "sections", "commitments"])
def test_each_filter_lets_through_what_it_names_and_nothing_else(name: str) -> None:
    about = About("a", frozenset("ab"), frozenset("ab"), "a", "a")

    assert matches(Filters(**{name: frozenset("a")}), about)
    assert not matches(Filters(**{name: frozenset("c")}), about)


def test_terms_are_kept_in_order_and_once_and_are_not_without_end() -> None:
    slugs: TypeAdapter[tuple[str, ...]] = TypeAdapter(SlugTerms)

    assert slugs.validate_python(("b", "a", "b")) == ("a", "b")
    assert TypeAdapter(PartyTerms).validate_python(["US", "CA", "US"]) == ("CA", "US")
    assert len(slugs.validate_python(tuple(f"s{n}" for n in range(MOST_TERMS)))) == MOST_TERMS
    with pytest.raises(ValidationError):
        slugs.validate_python(tuple(f"s{n}" for n in range(MOST_TERMS + 1)))
