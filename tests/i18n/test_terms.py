"""One word for one thing: each term of the house has one word in each language, and translators keep to it."""

import re
from pathlib import Path

import pytest

from contracts.vocabulary import LanguageTag
from services.i18n.words import words_in
from tests.i18n.test_catalogues import catalogue_of

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "add-a-language.md"

TERMS: dict[str, dict[LanguageTag, str]] = {
    "anchor": {"es": "eventos? de referencia", "fr": "événements? de référence"},
    "commitment": {"es": "compromisos?", "fr": "engagements?"},
    "delivery": {"es": "envíos?", "fr": "envois?"},
    "digest": {"es": "resúmen(es)?|resumen", "fr": "résumés?"},
    "escalation": {"es": "escalamientos?", "fr": "transmissions?"},
    "evidence": {"es": "pruebas?", "fr": "preuves?"},
    "feed": {"es": "fuentes? web", "fr": "flux"},
    "ladder": {
        "es": "(serie|libro)s? de recordatorios|recordatorios",
        "fr": "(série|recueil)s? de rappels|rappels?",
    },
    "level": {"es": "nivel(es)?", "fr": "échelons?"},
    "met": {"es": "cumplid[oa]s?|cumplen?", "fr": "respectée?s?"},
    "milestone": {"es": "hitos?", "fr": "jalons?"},
    "ministry": {"es": "dependencias?", "fr": "ministères?"},
    "mute": {"es": "silenciamientos?|silenci(ó|o|ar)", "fr": "(mises?|mis|mettre) en sourdine"},
    "overdue": {"es": "vencid[oa]s?|venció", "fr": "(en|de) retard|retards?"},
    "party": {"es": "partes?", "fr": "parties?"},
    "quiet hour": {"es": "horas de silencio", "fr": "heures de silence"},
    "reminder": {"es": "recordatorios?", "fr": "rappels?"},
    "scheduler": {"es": "planificador(es)?", "fr": "planificateurs?"},
    "silence": {"es": "silencios?|silenció", "fr": "silences?"},
    "statement": {"es": "declaraci[oó]n(es)?", "fr": "déclarations?"},
    "status": {"es": "estados?", "fr": "états?"},
    "subscription": {"es": "suscripci[oó]n(es)?", "fr": "abonnements?"},
    "withdrawn": {"es": "retirad[oa]s?", "fr": "retirée?s?"},
}
"""Each term in English, and what a translation of a message with it has to have."""

OTHERWISE = {
    "JSON may be nested at most %(deepest)s levels deep",  # no level of an escalation
    "The feed is a stream of server-sent events, and needs no key:",  # the live page's
    "announced, in-progress, at-risk, partly-met, met, missed or withdrawn; always",  # codes
}
"""Messages in which the English word means something else."""


def in_english(term: str) -> str:
    plural = term[:-1] + "ies" if term.endswith("y") else term + "s"
    return rf"(?<![\w`(-])({term}|{plural})(?![\w`)-])"


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("language", ["es", "fr"])
def test_a_term_has_one_word_in_each_language(language: LanguageTag, term: str) -> None:
    told = 0
    for message in catalogue_of(language):
        for number, english in enumerate([message.id] if isinstance(message.id, str) else message.id):
            if not english or english in OTHERWISE or not re.search(in_english(term), english, re.IGNORECASE):
                continue
            text = message.string if isinstance(message.string, str) else message.string[number]
            assert re.search(rf"\b({TERMS[term][language]})\b", text, re.IGNORECASE), (english, text)
            told += 1
    assert told


def test_the_page_for_translators_has_each_term() -> None:
    rows = re.findall(r"^\| ([\w ]+) \| ([^|]+) \| ([^|]+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {english.strip(): {"es": es, "fr": fr} for english, es, fr in rows}

    told |= {english.removesuffix("s"): words for english, words in told.items()}
    assert set(TERMS) <= set(told)
    for term, wanted in TERMS.items():
        for language, words in wanted.items():
            assert re.search(rf"\b({words})\b", told[term][language], re.IGNORECASE), (term, told[term])


@pytest.mark.parametrize(
    ("english", "spanish", "french"),
    [
        ("at the latest then", "a más tardar en esa fecha", "au plus tard à cette date"),
        ("it happens then", "tiene lugar en esa fecha", "a lieu à cette date"),
        ("to be done when this ends", "debe cumplirse a más tardar al final de este plazo", None),
        ("Say that you are on it", "Avisar que usted se hace cargo", None),
        ("Lead ministries", "Dependencias responsables", "Ministères responsables"),
        ("As exactly as it is known", "Precisión conocida", "Précision connue"),
        ("Events", "Novedades", None),
        ("Words", "Buscar", "Mots-clés"),
        ("Suppressed", "No enviado", "Non envoyé"),
        ("Expired", None, "Expiré"),
        ("Escalation", None, "Transmission à l’échelon supérieur"),
        ("moved", "nueva fecha", "nouvelle date"),
    ],
)
def test_what_readers_stumbled_over_is_said_as_officials_say_it(
    english: str, spanish: str | None, french: str | None
) -> None:
    for language, wanted in (("es", spanish), ("fr", french)):
        if wanted is not None:
            assert words_in(language).gettext(english) == wanted
