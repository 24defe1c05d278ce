"""Ids in paths are what the contracts call so."""

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from contracts.vocabulary import Slug
from services.registry.http.parameters import is_slug


@given(st.text(alphabet="ab-1A\n\x00_", max_size=8))
def test_ids_are_what_the_contracts_call_so(text: str) -> None:
    adapter = TypeAdapter(Slug)
    try:
        adapter.validate_python(text)
    except ValueError:
        assert not is_slug(text)
    else:
        assert is_slug(text)
