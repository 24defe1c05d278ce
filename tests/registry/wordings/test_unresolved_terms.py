"""Words that clearly set a term are dated, or left to a person: never "settled, without a date"."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vocabulary import LanguageTag, Reading
from services.registry.wordings import Modality, Wording, read
from services.registry.wordings.reading import LEXICONS
from services.registry.wordings.tokens import Kind, Trie

MADE_ON = date(2021, 11, 18)
LANGUAGES = ("en", "es", "fr")
days = st.dates(date(2000, 1, 1), date(2090, 12, 31))

NO_SUCH_DAY = [
    ("by the 31st of June", "para el 31 de junio", "d'ici le 31 juin"),
    ("on February 30", "el 30 de febrero", "le 30 février"),
    ("by 29 February 2023", "para el 29 de febrero de 2023", "d'ici le 29 février 2023"),
    ("before 31 November 2024", "antes del 31 de noviembre de 2024", "avant le 31 novembre 2024"),
    ("until 30 February 2024", "hasta el 30 de febrero de 2024", "jusqu'au 30 février 2024"),
    ("by 32 May 2024", "para el 32 de mayo de 2024", "d'ici le 32 mai 2024"),
    ("by 31/02/2024", "para el 31/02/2024", "d'ici le 31/02/2024"),
    ("by 45/13/2022", "para el 45/13/2022", "d'ici le 45/13/2022"),
    ("by 2024-02-30", "para el 2024-02-30", "d'ici le 2024-02-30"),
]
FISCAL = [
    ("by FY24", "para el AF24", "d'ici l'EF24"),
    ("by the end of FY24", "para finales del AF24", "d'ici la fin de l'EF24"),
    ("by Q3 FY24", "para el T3 AF24", "d'ici le T3 EF24"),
    ("in FY24", "en el AF24", "en EF24"),
]
UNKNOWN = [
    ("before Easter", "antes de Pascua", "avant Pâques"),
    ("by Ramadan", "para el Ramadán", "d'ici le ramadan"),
    ("by the halfway mark of the school year", "para el ecuador del año escolar", "d'ici le cap du trimestre scolaire"),
    ("by the second Tuesday of May", "para el segundo martes de mayo", "d'ici le deuxième mardi de mai"),
    ("by the deadline", "antes de la fecha límite", "avant la date limite"),
]


def each(phrase: tuple[str, str, str], made_on: date = MADE_ON) -> list[Wording]:
    return [read(words, language, made_on) for words, language in zip(phrase, LANGUAGES, strict=True)]


@pytest.mark.parametrize("phrase", NO_SUCH_DAY + FISCAL + UNKNOWN, ids=lambda phrase: phrase[0])
def test_a_term_that_no_rule_reads_is_left_to_a_person(phrase: tuple[str, str, str]) -> None:
    for found in each(phrase):
        assert (found.settled, found.edtf, found.reading) == (False, None, Reading.UNDATED), found.wording
        assert found.modality is not Modality.NONE, found.wording
        assert found.alternatives and all(one.why for one in found.alternatives), found.wording


@pytest.mark.parametrize("phrase", NO_SUCH_DAY, ids=lambda phrase: phrase[0])
def test_a_day_that_does_not_exist_says_so(phrase: tuple[str, str, str]) -> None:
    assert all("no-such-day" in found.rules for found in each(phrase))


def test_a_day_behind_the_end_of_a_month_may_be_its_last_or_the_one_after() -> None:
    found = read("by 29 February 2023", "en", MADE_ON)
    assert [one.edtf for one in found.alternatives] == ["2023-02-28", "2023-03-01"]


@pytest.mark.parametrize(
    ("words", "latest"),
    [
        ("by this time next year", date(2022, 11, 18)),
        ("by this time next month", date(2021, 12, 18)),
        ("by this time next week", date(2021, 11, 25)),
        ("before Christmas", date(2021, 12, 24)),
        ("come January", date(2022, 1, 31)),
        ("by the turn of the decade", date(2029, 12, 31)),
        ("halfway through 2024", date(2024, 8, 31)),
    ],
)
def test_what_a_rule_reads_has_its_last_day(words: str, latest: date) -> None:
    found = read(words, "en", MADE_ON)
    assert (found.settled, found.latest) == (True, latest)


@pytest.mark.parametrize(
    "words",
    [
        ("between now and {y}", "entre ahora y {y}", "entre maintenant et {y}"),
        ("from now until {y}", "de ahora a {y}", "de maintenant à {y}"),
    ],
)
@given(made_on=days)
def test_what_begins_now_begins_with_the_statement(words: tuple[str, str, str], made_on: date) -> None:
    one, two, three = words
    said = (one.format(y=made_on.year + 4), two.format(y=made_on.year + 4), three.format(y=made_on.year + 4))
    for found in each(said, made_on):
        assert (found.earliest, found.latest) == (made_on, date(made_on.year + 4, 12, 31)), found.wording


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "It was signed before Easter"),
        ("en", "reduce it by two years"),
        ("en", "by 2005 levels"),
        ("en", "the spirit of Christmas"),
        ("en", "before we go"),
        ("es", "para mejorar la vida de la década"),
        ("fr", "Il y a cinq ans, le marché de Noël"),
    ],
)
def test_what_tells_counts_or_names_is_no_term(language: LanguageTag, words: str) -> None:
    found = read(words, language, MADE_ON)
    assert (found.settled, found.edtf) == (True, None)


def known(trie: Trie, kinds: frozenset[Kind], words: tuple[str, ...] = ()) -> list[str]:
    """The phrases of some kinds in a lexicon."""
    found = [" ".join(words)] if "" in trie and trie[""][0] in kinds else []
    for word, below in trie.items():
        if word:
            found += known(below, kinds, (*words, word))
    return found


TIES = {
    "en": ["by", "before", "no later than", "on or before", "until", "prior to"],
    "es": ["para el", "antes del", "a más tardar el", "hasta el"],
    "fr": ["d'ici le", "avant le", "au plus tard le", "jusqu'au"],
}
WHOLES = frozenset({Kind.MONTH, Kind.SEASON, Kind.QUARTER, Kind.HALF, Kind.FEAST, Kind.FISCAL, Kind.DEADLINE})
NAMED = {language: known(lexicon.trie, WHOLES) for language, lexicon in LEXICONS.items()}
MONTHS = {language: known(lexicon.trie, frozenset({Kind.MONTH})) for language, lexicon in LEXICONS.items()}


@st.composite
def terms(draw: st.DrawFn) -> tuple[LanguageTag, str]:
    """A tie that sets a term, and something behind it that looks like a time: a day, real or not, or a named time."""
    language = draw(st.sampled_from(LANGUAGES))
    tie, year = draw(st.sampled_from(TIES[language])), draw(st.none() | st.integers(2000, 2110))
    if draw(st.booleans()):
        day, month = draw(st.integers(1, 99)), draw(st.sampled_from(MONTHS[language]))
        thing = f"{day} {'de ' if language == 'es' else ''}{month}"
    else:
        thing = draw(st.sampled_from(NAMED[language]))
    return language, f"{tie} {thing} {year or ''}".strip()


@settings(max_examples=400)
@given(terms(), days)
def test_no_term_is_settled_without_a_date(said: tuple[LanguageTag, str], made_on: date) -> None:
    language, words = said
    found = read(words, language, made_on)
    assert not found.settled or found.edtf is not None or found.anchor is not None or "past" in found.rules, words


@given(st.integers(2000, 2110), st.integers(1, 12), st.integers(1, 31))
def test_a_day_of_a_month_is_read_just_where_it_exists(year: int, month: int, day: int) -> None:
    exists = day <= monthrange(year, month)[1]
    name = date(2000, month, 1).strftime("%B")
    found = read(f"by {day} {name} {year}", "en", date(1999, 12, 31))
    assert (found.settled, found.edtf is not None) == (exists, exists)
