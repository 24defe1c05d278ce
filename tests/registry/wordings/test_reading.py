"""What holds for every reading of time words, whatever the words, the day and the policy."""

from datetime import date, timedelta
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.vocabulary import LanguageTag, Precision, Reading
from services.registry.catalogue.loading import load
from services.registry.rules.edtf_dates import span_of
from services.registry.wordings import DEFAULT, Modality, ReadingPolicy, Wording, read
from services.registry.wordings.policy import FiscalCountry
from services.registry.wordings.reading import LEXICONS
from services.registry.wordings.tokens import Trie, plain, tokens_of

NALS_2021 = date(2021, 11, 18)

days = st.dates(date(1990, 1, 1), date(2090, 12, 31))
any_day = st.dates()
languages = st.sampled_from(list(LEXICONS))
years = st.integers(2000, 2150)
policies = st.builds(
    ReadingPolicy,
    deadline=st.sampled_from(["end-of-span", "start-of-span"]),
    parts=st.sampled_from(["thirds", "whole"]),
    coming=st.sampled_from(["nearest", "next-year"]),
    numeric_dates=st.sampled_from(["by-language", "day-month", "month-day"]),
    fiscal=st.sampled_from([None, *get_args(FiscalCountry)]),
    hemisphere=st.sampled_from(["north", "south"]),
)


def phrases(trie: Trie, words: tuple[str, ...] = ()) -> list[str]:
    """All that a lexicon knows, as it would be written."""
    found = [] if "" not in trie else [" ".join(words)]
    for word, below in trie.items():
        if word:
            found += phrases(below, (*words, word))
    return found


KNOWN = {language: phrases(lexicon.trie) for language, lexicon in LEXICONS.items()}
FIGURES = [
    "2030", "2021-11-18", "12/10/2023", "31/02/2024", "2024-25", "2030s", "15", "31", "18", "1er", "(", ")", ",", "-",
]  # fmt: skip
STRANGE = ["Mexico", "États-Unis", "agreement", "100,000", "$2030", "٢٠٣٠", "２０３０", "\u200b", "COP28", "NALS"]


@st.composite
def soups(draw: st.DrawFn) -> tuple[LanguageTag, str]:
    """Words of a language's lexicon, figures and strange things in any order."""
    language = draw(languages)
    word = st.sampled_from(KNOWN[language]) | st.sampled_from(FIGURES) | st.sampled_from(STRANGE)
    return language, " ".join(draw(st.lists(word, max_size=14)))


def holds(wording: Wording, made_on: date) -> None:
    """What holds for every reading of a statement of that day."""
    assert wording.latest is None or wording.latest >= made_on, "a last day before the statement's own is never settled"
    assert wording.span == span_of(wording.edtf)
    if wording.edtf is None:
        assert (wording.earliest, wording.latest, wording.precision) == (None, None, Precision.UNDATED)
        if wording.anchor is None:
            assert wording.reading in {Reading.UNDATED, Reading.RECURRING}
    else:
        assert wording.earliest is not None
        assert wording.latest is None or wording.earliest <= wording.latest
        assert (wording.latest is None) == (wording.reading is Reading.FROM)
        assert wording.modality not in {Modality.NONE, Modality.RECURRING}
    assert wording.rules
    is_unresolved = not {"unresolved", "no-lexicon"}.isdisjoint(wording.rules)
    assert wording.settled or (wording.edtf is None and len(wording.alternatives) > (not is_unresolved))
    assert not (is_unresolved and wording.settled), "a term whose day nobody can say is for a person"
    for one in wording.alternatives:
        assert one.why
        assert one.edtf is None or one.edtf != wording.edtf
        assert (one.earliest, one.latest) == (span_of(one.edtf).earliest, span_of(one.edtf).latest)


@given(languages, st.text(), any_day, policies)
@example("en", "`¸0", NALS_2021, DEFAULT)
def test_any_text_is_read_without_a_fault(
    language: LanguageTag, text: str, made_on: date, policy: ReadingPolicy
) -> None:
    holds(read(text, language, made_on, policy), made_on)


@settings(max_examples=400)
@given(soups(), any_day, policies)
@example(("en", "by 31/02/2024"), NALS_2021, DEFAULT)
@example(("en", "next year"), date(9999, 12, 31), DEFAULT)
@example(("fr", "après 2030s"), NALS_2021, DEFAULT)
@example(("en", "before this decade"), date(1, 1, 1), DEFAULT)
@example(("es", "dentro de los próximos 9999 años"), date(2021, 11, 18), DEFAULT)
def test_any_time_words_in_any_order_are_read_without_a_fault(
    soup: tuple[LanguageTag, str], made_on: date, policy: ReadingPolicy
) -> None:
    holds(read(soup[1], soup[0], made_on, policy), made_on)


PLAIN_WORDS = {
    "en": "the agreement of Section Article deaths workers Mexico treaty and supply chains we recognize capita",
    "es": "la ley de artículo muertes trabajadores México tratado y cadenas de suministro reconocemos número",
    "fr": "la loi de article décès travailleurs Mexique traité et chaînes d'acier reconnaissons numéro",
}


@st.composite
def prose(draw: st.DrawFn) -> tuple[LanguageTag, str]:
    """Prose with numbers, some of which could be years, and without one word of time."""
    language = draw(languages)
    word = st.sampled_from(PLAIN_WORDS[language].split())
    number = st.integers(0, 400_000).map(str) | years.map(str) | st.sampled_from(["100,000", "1.5", "2 030", "30 %"])
    head = draw(st.sampled_from(["Mexico", "Section", "Article", "COVID-19"]))
    return language, " ".join([head, *draw(st.lists(word | number, min_size=1, max_size=20))])


@settings(max_examples=400)
@given(prose(), days)
def test_prose_without_time_words_gives_no_date(said: tuple[LanguageTag, str], made_on: date) -> None:
    language, text = said

    wording = read(text, language, made_on)

    assert (wording.edtf, wording.settled, wording.modality) == (None, True, Modality.NONE)


# The same in three languages: {y} a year, {n} a number of months.
TWINS = [
    ("by {y}", "para {y}", "d'ici {y}"),
    ("by {y}", "hacia {y}", "à l'horizon {y}"),
    ("no later than {y}", "a más tardar en {y}", "au plus tard en {y}"),
    ("by the end of {y}", "a más tardar al término de {y}", "d'ici à la fin de {y}"),
    ("at the end of {y}", "a finales de {y}", "fin {y}"),
    ("in early {y}", "a principios de {y}", "au début de {y}"),
    ("mid-{y}", "a mediados de {y}", "mi-{y}"),
    ("before {y}", "antes de {y}", "avant {y}"),
    ("in {y}", "en {y}", "en {y}"),
    ("in {y} and beyond", "en {y} y en adelante", "en {y} et au-delà"),
    ("starting in {y}", "a partir de {y}", "à compter de {y}"),
    ("until {y}", "hasta {y}", "jusqu'en {y}"),
    ("between 1999 and {y}", "entre 1999 y {y}", "entre 1999 et {y}"),
    ("in June {y}", "en junio de {y}", "en juin {y}"),
    ("by 15 December {y}", "a más tardar el 15 de diciembre de {y}", "au plus tard le 15 décembre {y}"),
    ("June 6-10, {y}", "del 6 al 10 de junio de {y}", "du 6 au 10 juin {y}"),
    ("in the summer of {y}", "en el verano de {y}", "à l'été {y}"),
    ("in the third quarter of {y}", "en el tercer trimestre de {y}", "au troisième trimestre de {y}"),
    ("in the second half of {y}", "en el segundo semestre de {y}", "au deuxième semestre de {y}"),
    ("next year", "el próximo año", "l'année prochaine"),
    ("this year", "este año", "cette année"),
    ("later this year", "más adelante este año", "plus tard cette année"),
    ("by the end of the year", "antes de fin de año", "d'ici la fin de l'année"),
    ("this decade", "esta década", "cette décennie"),
    ("by the end of the decade", "antes del final de la década", "d'ici la fin de la décennie"),
    ("in the 2030s", "en la década de 2030", "dans la décennie 2030"),
    ("next summer", "el próximo verano", "l'été prochain"),
    ("before this fall", "antes de este otoño", "avant cet automne"),
    ("within {n} months", "dentro de los próximos {n} meses", "dans les {n} mois"),
    ("in the next {n} months", "en los próximos {n} meses", "au cours des {n} prochains mois"),
    ("over the next two years", "durante los próximos dos años", "au cours des deux prochaines années"),
    ("in two years", "en dos años", "dans deux ans"),
    ("in the coming weeks", "en las próximas semanas", "dans les prochaines semaines"),
    ("over the medium term", "a mediano plazo", "à moyen terme"),
    ("every two years", "cada dos años", "tous les deux ans"),
    ("annually", "anualmente", "annuellement"),
    ("at the next summit", "en la próxima cumbre", "au prochain sommet"),
    ("before the next summit", "antes de la próxima cumbre", "avant le prochain sommet"),
    ("{n} days after the summit", "{n} días después de la cumbre", "{n} jours après le sommet"),
    ("by mid-century", "para mediados de siglo", "d'ici le milieu du siècle"),
]


@settings(max_examples=300)
@given(st.sampled_from(TWINS), st.integers(2010, 2150), st.integers(1, 60), days, policies)
@pytest.mark.slow
def test_the_same_words_in_three_languages_mean_the_same_days(
    twins: tuple[str, str, str], year: int, number: int, made_on: date, policy: ReadingPolicy
) -> None:
    one, *others = [
        read(words.format(y=year, n=number), language, made_on, policy)
        for language, words in zip(("en", "es", "fr"), twins, strict=True)
    ]
    for other in others:
        assert (other.edtf, other.reading, other.review_months) == (one.edtf, one.reading, one.review_months)
        assert (other.anchor and (other.anchor.kind, other.anchor.offset)) == (
            one.anchor and (one.anchor.kind, one.anchor.offset)
        )


def test_every_twin_says_something() -> None:
    read_well = [read(words[0].format(y=2030, n=18), "en", NALS_2021) for words in TWINS]
    silent = [one.wording for one in read_well if one.rules == ("no-date",)]
    assert silent == ["in the coming weeks", "over the medium term"]


NARROWER = {
    "en": ["early {}", "mid-{}", "late {}", "the end of {}", "June {}", "15 June {}", "the first half of {}",
                  "Q3 {}", "the summer of {}", "the winter of {}", "the end of June {}", "the week of 8 June {}"],
    "es": ["principios de {}", "mediados de {}", "fines de {}", "junio de {}", "el 15 de junio de {}",
                  "el primer semestre de {}", "el verano de {}", "la semana del 8 de junio de {}"],
    "fr": ["début {}", "mi-{}", "fin {}", "juin {}", "le 15 juin {}", "le premier semestre de {}", "l'été {}",
                  "la semaine du 8 juin {}"],
}  # fmt: skip
TIES = {
    "en": ["by {}", "in {}", "no later than {}", "during {}"],
    "es": ["a más tardar en {}", "en {}", "durante {}"],
    "fr": ["d'ici {}", "au plus tard en {}", "durant {}"],
}


@given(languages, st.data(), years, days, st.sampled_from(["thirds", "whole"]))
@pytest.mark.slow
def test_more_words_never_widen_a_year(
    language: LanguageTag, data: st.DataObject, year: int, made_on: date, parts: str
) -> None:
    policy = ReadingPolicy.model_validate({"parts": parts})
    tie, narrower = data.draw(st.sampled_from(TIES[language])), data.draw(st.sampled_from(NARROWER[language]))

    made_on = min(made_on, date(year - 1, 12, 31))  # what is over gives no date
    whole = read(tie.format(year), language, made_on, policy)
    part = read(tie.format(narrower.format(year)), language, made_on, policy)

    assert whole.earliest is not None and whole.latest is not None
    assert part.earliest is not None and part.latest is not None
    assert whole.earliest <= part.earliest <= part.latest <= whole.latest


@given(languages, st.sampled_from(TWINS), days)
def test_how_words_are_laid_out_changes_nothing(
    language: LanguageTag, twins: tuple[str, str, str], made_on: date
) -> None:
    words = twins[["en", "es", "fr"].index(language)].format(y=2030, n=18)
    laid_out = [
        words.upper(),
        words.replace(" ", "\u00a0").replace("'", "’"),
        words.replace(" ", "  \u200b"),
        words.translate(str.maketrans("áéíóúñàèéêûç", "aeiounaeeeuc")),
        f"\ufeff{words}.",
    ]
    plainly = read(words, language, made_on)
    for other in laid_out:
        found = read(other, language, made_on)
        assert (found.edtf, found.modality, found.review_months) == (
            plainly.edtf, plainly.modality, plainly.review_months,
        )  # fmt: skip


@given(days, st.integers(0, 600))
@pytest.mark.slow
def test_months_from_the_end_of_a_month_end_with_the_month(made_on: date, months: int) -> None:
    wording = read(f"within {months} months", "en", made_on)

    assert wording.latest is not None and wording.earliest == made_on
    assert wording.latest.day == made_on.day or (
        wording.latest.day < made_on.day and (wording.latest + timedelta(days=1)).day == 1
    )


@pytest.mark.parametrize(
    ("words", "policy", "edtf"),
    [
        ("by 2030", {}, "2030"),
        ("by 2030", {"deadline": "start-of-span"}, "2029-12-31/2030-01-01"),
        ("by the end of 2030", {"deadline": "start-of-span"}, "2030"),  # said plainly, it is no choice
        ("early 2030", {"parts": "whole"}, "2030"),
        ("next summer", {}, "2022-22"),
        ("next December", {}, "2021-12"),
        ("next December", {"coming": "next-year"}, "2022-12"),
        ("12/10/2023", {"numeric_dates": "day-month"}, "2023-10-12"),
        ("12/10/2023", {"numeric_dates": "month-day"}, "2023-12-10"),
        ("fiscal year 2024", {"fiscal": "US"}, "2023-10/2024-09"),
        ("fiscal year 2024", {"fiscal": "CA"}, "2024-04/2025-03"),
        ("fiscal year 2024", {"fiscal": "MX"}, "2024-01/2024-12"),
        ("in the summer of 2022", {"hemisphere": "south"}, "2022-12/2023-02"),
    ],
)
def test_a_policy_decides_what_words_leave_open(words: str, policy: dict[str, str], edtf: str) -> None:
    chosen = ReadingPolicy.model_validate(policy, strict=False)
    assert read(words, "en", NALS_2021, chosen).edtf == edtf


def test_by_2030_says_which_rule_gave_its_last_day_and_what_the_other_would_give() -> None:
    wording = read("by 2030", "en", NALS_2021)

    assert (wording.latest, wording.rules) == (date(2030, 12, 31), ("end-of-span",))
    (other,) = wording.alternatives
    assert (other.rule, other.earliest, other.latest) == ("start-of-span", date(2029, 12, 31), date(2030, 1, 1))


@pytest.mark.parametrize("words", ["12/10/2023", "by fiscal year 2024"])
def test_what_no_rule_settles_gives_no_date_and_its_choices(words: str) -> None:
    wording = read(words, "en", NALS_2021)

    assert (wording.settled, wording.edtf, wording.reading) == (False, None, Reading.UNDATED)
    assert len({one.edtf for one in wording.alternatives}) > 1


def test_the_catalogue_s_milestones_are_read_as_its_readers_read_them() -> None:
    milestones = [m for one in load().commitments for m in one.milestones]
    dated = [m for m in milestones if m.anchor_id in {None, "nals-2022"}]

    assert len(dated) == 8  # the six dates of the text, "over the medium term" and "in 2022 and beyond"
    for milestone in dated:
        wording = read(milestone.wording, milestone.wording_language, NALS_2021)
        assert (wording.span, wording.reading) == (milestone.span, milestone.reading), milestone.wording


@pytest.mark.parametrize(
    ("edtf", "earliest", "precision"),
    [
        ("2022/..", date(2022, 1, 1), Precision.YEAR),
        ("2022-06/..", date(2022, 6, 1), Precision.MONTH),
        ("2022-06-06/..", date(2022, 6, 6), Precision.DAY),
    ],
)
def test_what_begins_and_has_no_end_has_no_last_day(edtf: str, earliest: date, precision: Precision) -> None:
    span = span_of(edtf)
    assert (span.edtf, span.earliest, span.latest, span.precision) == (edtf, earliest, None, precision)
    assert span.is_open


@pytest.mark.parametrize("language", LEXICONS)
@pytest.mark.parametrize(
    "words",
    [
        "the parties recognise 2030 tonnes, la cumbre; le sommet in of de before the next year by ",
        # What could call itself once more for every word.
        "week end year's end later the end of semaine du fin du lunes semana del next monday first half of ",
        "june to june july last week of the first first 12 to 18 to 20 months early to mid to 22, 23 and by or in or ",
        "by 30 June each year at the summit in June ",
    ],
)
def test_a_very_long_text_is_read_too(language: LanguageTag, words: str) -> None:
    text = words * (100_000 // len(words) + 1)

    holds(read(text, language, NALS_2021), NALS_2021)


def test_words_of_a_language_that_nobody_reads_are_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A language that people read Pledgewire in need not be one that statements are written in.
    """
    monkeypatch.delitem(LEXICONS, "fr")  # type: ignore[arg-type]  # it is a dict

    found = read("d’ici 2030", "fr", NALS_2021)

    holds(found, NALS_2021)
    assert (found.edtf, found.settled, found.rules) == (None, False, ("no-lexicon",))


@given(languages, st.text(max_size=200))
def test_tokens_stand_in_their_order_in_the_text(language: LanguageTag, text: str) -> None:
    cleaned = plain(text)
    tokens = tokens_of(cleaned, LEXICONS[language].trie)

    assert all(cleaned[token.start : token.end] == token.text for token in tokens)
    assert all(one.end <= other.start for one, other in pairwise(tokens))


def test_no_phrase_of_a_lexicon_is_out_of_reach() -> None:
    """Each is found again as one token, so no longer phrase or number hides it."""
    hidden = [
        phrase
        for language, known in KNOWN.items()
        for phrase in known
        if len(tokens_of(plain(phrase), LEXICONS[language].trie)) != 1
    ]
    assert hidden == []


@given(st.sampled_from(["pt", "de", "pt-BR", "zh-Hant", "nah"]), st.text(max_size=80), any_day, policies)
def test_words_of_a_language_without_a_lexicon_are_never_settled(
    language: LanguageTag, text: str, made_on: date, policy: ReadingPolicy
) -> None:
    found = read(text, language, made_on, policy)

    holds(found, made_on)
    assert (found.edtf, found.reading, found.anchor) == (None, Reading.UNDATED, None)
    assert not found.settled
    assert found.rules == ("no-lexicon",)


@given(st.sampled_from([("es-419", "es"), ("es-MX", "es"), ("fr-CA", "fr"), ("en-GB", "en")]), policies, st.data())
def test_a_region_has_the_words_of_its_language(
    both: tuple[LanguageTag, LanguageTag], policy: ReadingPolicy, data: st.DataObject
) -> None:
    regional, language = both
    words = data.draw(st.sampled_from(KNOWN[language]))
    assert read(words, regional, NALS_2021, policy) == read(words, language, NALS_2021, policy)
