"""A sentence is read in the language of the code, and said in any other with the same values."""

from hypothesis import given
from hypothesis import strategies as st

from contracts.refusals import Unfit
from services.plumbing.sentences import Sentence, sentence_of

SPANISH = {"There is no %(what)s %(name)s": "No hay %(what)s %(name)s", "anchor": "ancla"}


def translate(message: str) -> str:
    return SPANISH.get(message, message)


@given(st.text())
def test_values_stand_in_both_as_they_are(name: str) -> None:
    sentence = Sentence("There is no %(what)s %(name)s", what=Sentence("anchor"), name=name)

    assert sentence == f"There is no anchor {name}"
    assert sentence.said(translate) == f"No hay ancla {name}"


@given(st.text())
def test_a_sentence_without_values_may_hold_anything(text: str) -> None:
    assert Sentence(text).said(str) == text


def test_what_the_contracts_refuse_is_a_sentence_too() -> None:
    refused = Unfit("There is no %(what)s %(name)s", what="line", name="")

    assert str(refused) == sentence_of(refused) == "There is no line "
    assert sentence_of(refused).said(translate) == "No hay line "
    assert sentence_of(ValueError("100 % sure")).said(translate) == "100 % sure"
