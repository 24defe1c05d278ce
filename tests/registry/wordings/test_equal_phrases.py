"""Phrases that say the same in three languages are read by the same rule, whatever the day and the year."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.vocabulary import Reading
from services.registry.wordings import Wording, read

LANGUAGES = ("en", "es", "fr")
Phrase = tuple[str, str, str]

# {y} is a year, {n} a number of months.
EQUAL: list[Phrase] = [
    ("by this time next year", "para esta misma fecha del próximo año", "d'ici à pareille date l'an prochain"),
    ("halfway through {y}", "a mitad de {y}", "à mi-{y}"),
    ("half-way through {y}", "a mediados de {y}", "à la moitié de {y}"),
    ("before Christmas", "antes de Navidad", "avant Noël"),
    ("by Christmas {y}", "para Navidad de {y}", "d'ici Noël {y}"),
    ("come January", "llegado enero", "quand viendra janvier"),
    ("by the turn of the decade", "para el cambio de década", "d'ici le tournant de la décennie"),
    ("over the next decade", "durante la próxima década", "au cours de la prochaine décennie"),
    ("in the next decade", "en la próxima década", "dans la prochaine décennie"),
    ("over the coming decade", "durante la próxima década", "au cours de la décennie à venir"),
    ("during the next year", "durante el próximo año", "au cours de la prochaine année"),
    ("over the coming year", "durante el próximo año", "au cours de l'année à venir"),
    ("over the next two decades", "durante las próximas dos décadas", "au cours des deux prochaines décennies"),
    ("over the next ten years", "durante los próximos diez años", "au cours des dix prochaines années"),
    ("next decade", "la próxima década", "la prochaine décennie"),
    ("before the end of the year", "antes de que termine el año", "avant la fin de l'année"),
    ("before the year is out", "antes de que acabe el año", "avant que l'année ne s'achève"),
    ("before the end of the decade", "antes de que finalice la década", "avant la fin de la décennie"),
    ("before this decade is out", "antes de que termine esta década", "avant que cette décennie ne s'achève"),
    ("before the decade ends", "antes de que concluya la década", "avant que la décennie ne se termine"),
    ("before the end of {y}", "antes de que termine {y}", "avant la fin de {y}"),
    ("before the end of {y}", "antes del final de {y}", "avant que {y} ne s'achève"),
    ("before the end of June {y}", "antes de finales de junio de {y}", "avant la fin de juin {y}"),
    ("before the end of August {y}", "antes de que finalice agosto de {y}", "avant la fin du mois d'août {y}"),
    ("before the end of the month", "antes de que termine el mes", "avant la fin du mois"),
    ("before the end of the quarter", "antes de que termine el trimestre", "avant la fin du trimestre"),
    (
        "before the end of the third quarter of {y}",
        "antes del final del tercer trimestre de {y}",
        "avant la fin du troisième trimestre de {y}",
    ),
    ("before the end of the summer", "antes de que termine el verano", "avant la fin de l'été"),
    ("before the end of summer {y}", "antes de que termine el verano de {y}", "avant la fin de l'été {y}"),
    ("before the end of the week", "antes de que termine la semana", "avant la fin de la semaine"),
    ("before the end of the century", "antes de que termine el siglo", "avant la fin du siècle"),
    ("before the end of the semester", "antes de que termine el semestre", "avant la fin du semestre"),
    ("before the end of this year", "antes de fin de este año", "avant la fin de cette année"),
    ("before the end of next year", "antes de que termine el próximo año", "avant la fin de l'année prochaine"),
    ("by the end of the year", "para finales de año", "d'ici à la fin de l'année"),
    ("by the end of this decade", "para finales de esta década", "d'ici la fin de cette décennie"),
    ("by the end of the century", "para finales de siglo", "d'ici la fin du siècle"),
    ("by year-end", "para fin de año", "d'ici fin d'année"),
    ("to {y}", "hasta {y}", "jusqu'en {y}"),
    ("between now and {y}", "entre ahora y {y}", "entre maintenant et {y}"),
    ("from now until {y}", "desde ahora hasta {y}", "de maintenant à {y}"),
    ("between now and the end of the year", "entre hoy y el final del año", "entre aujourd'hui et la fin de l'année"),
    ("into {y}", "hasta entrado {y}", "jusque dans {y}"),
    ("over the two decades to {y}", "durante las dos décadas hasta {y}", "au cours des deux décennies jusqu'en {y}"),
    ("over the decade to {y}", "durante la década hasta {y}", "au cours de la décennie jusqu'en {y}"),
    ("within {n} months", "en un plazo de {n} meses", "dans un délai de {n} mois"),
    ("within 100 days", "dentro de cien días", "dans les cent jours"),
    (
        "in the hundred days following the summit",
        "en los cien días siguientes a la cumbre",
        "dans les cent jours suivant le sommet",
    ),
    (
        "within the hundred days following the summit",
        "dentro de los cien días siguientes a la cumbre",
        "dans les cent jours suivant le sommet",
    ),
    ("next July 20", "el próximo 20 de julio", "le 20 juillet prochain"),
    ("on July 20", "el 20 de julio", "le 20 juillet"),
    ("on July 22 and 23", "los días 22 y 23 de julio", "les 22 et 23 juillet"),
    ("on 22-23 July {y}", "los días 22 y 23 de julio de {y}", "les 22 et 23 juillet {y}"),
    ("at the end of August", "a finales de agosto", "fin août"),
    ("by the end of August", "a más tardar a finales de agosto", "d'ici la fin du mois d'août"),
    ("at the end of the month", "a fin de mes", "à la fin du mois"),
    ("in the first half of the decade", "en la primera mitad de la década", "dans la première moitié de la décennie"),
    (
        "in the second half of next year",
        "en el segundo semestre del próximo año",
        "au deuxième semestre de l'année prochaine",
    ),
    ("by the middle of the decade", "para mediados de la década", "d'ici le milieu de la décennie"),
    ("by the early 2030s", "para principios de la década de 2030", "d'ici le début des années 2030"),
    ("in the late 2020s", "a finales de la década de 2020", "à la fin des années 2020"),
    ("by the 2030s", "para la década de 2030", "d'ici les années 2030"),
    ("before the 2030s", "antes de la década de 2030", "avant les années 2030"),
    ("by next summer", "para el próximo verano", "d'ici l'été prochain"),
    ("this summer", "este verano", "cet été"),
    ("before the summer", "antes del verano", "avant l'été"),
    ("in the spring of {y}", "en la primavera de {y}", "au printemps {y}"),
    ("in the spring", "en primavera", "au printemps"),
    ("next month", "el próximo mes", "le mois prochain"),
    ("by next month", "para el próximo mes", "d'ici le mois prochain"),
    ("next week", "la próxima semana", "la semaine prochaine"),
    ("by next June", "para el próximo mes de junio", "d'ici juin prochain"),
    ("in June", "en junio", "en juin"),
    ("by June", "para junio", "d'ici juin"),
    ("before June", "antes de junio", "avant juin"),
    ("before 1 June", "antes del 1 de junio", "avant le 1er juin"),
    ("from 1 January {y}", "a partir del 1 de enero de {y}", "à compter du 1er janvier {y}"),
    ("from January {y} to June {y}", "de enero a junio de {y}", "de janvier à juin {y}"),
    ("from {y} onwards", "a partir de {y}", "à partir de {y}"),
    ("after {y}", "después de {y}", "après {y}"),
    ("in the first quarter of {y}", "en el primer trimestre de {y}", "au premier trimestre {y}"),
    ("in the next few years", "en los próximos años", "dans les prochaines années"),
    ("over the next five years", "en los próximos cinco años", "au cours des cinq prochaines années"),
    ("within five years", "en un plazo de cinco años", "d'ici cinq ans"),
    ("for the next five years", "por los próximos cinco años", "pour les cinq prochaines années"),
    ("every year", "cada año", "chaque année"),
    ("by the start of {y}", "para principios de {y}", "d'ici début {y}"),
    ("by early {y}", "para principios de {y}", "d'ici le début de {y}"),
    ("by mid-{y}", "para mediados de {y}", "d'ici la mi-{y}"),
    ("by the summit", "para la cumbre", "d'ici le sommet"),
    ("by 2030 at the latest", "a más tardar en 2030", "au plus tard en 2030"),
    ("by this year", "para este año", "d'ici cette année"),
    ("by next year", "para el próximo año", "d'ici l'année prochaine"),
    ("later this decade", "más adelante en esta década", "plus tard cette décennie"),
    ("during this decade", "durante esta década", "au cours de cette décennie"),
    ("through {y}", "hasta {y}", "jusqu'en {y}"),
    ("through the end of {y}", "hasta finales de {y}", "jusqu'à la fin de {y}"),
    ("until the end of the year", "hasta fin de año", "jusqu'à la fin de l'année"),
    ("in the second half of the century", "en la segunda mitad del siglo", "dans la seconde moitié du siècle"),
    ("at the beginning of next year", "a principios del próximo año", "au début de l'année prochaine"),
    ("in {y} at the latest", "en {y} a más tardar", "en {y} au plus tard"),
    ("on 30 June {y} at the latest", "el 30 de junio de {y} a más tardar", "le 30 juin {y} au plus tard"),
    ("in {y} at the earliest", "en {y} como pronto", "en {y} au plus tôt"),
    ("by or before {y}", "para o antes de {y}", "d'ici ou avant {y}"),
    ("in or before {y}", "en o antes de {y}", "en ou avant {y}"),
    ("by {y} or earlier", "para {y} o antes", "d'ici {y} ou avant"),
    ("by around {y}", "para alrededor de {y}", "d'ici environ {y}"),
    ("by 30 June of each year", "a más tardar el 30 de junio de cada año", "au plus tard le 30 juin de chaque année"),
    ("in the last quarter of {y}", "en el último trimestre de {y}", "au dernier trimestre de {y}"),
    ("in the last quarter of the year", "en el último trimestre del año", "au dernier trimestre de l'année"),
    ("by the last day of {y}", "a más tardar el último día de {y}", "au plus tard le dernier jour de {y}"),
    ("in the first three months of {y}", "en los primeros tres meses de {y}", "dans les trois premiers mois de {y}"),
    ("in the last months of {y}", "en los últimos meses de {y}", "dans les derniers mois de {y}"),
    (
        "in the first half of June {y}",
        "en la primera quincena de junio de {y}",
        "dans la 1re quinzaine de juin {y}",
    ),
    ("in the last week of June {y}", "en la última semana de junio de {y}", "dans la dernière semaine de juin {y}"),
    ("in the first week of June", "en la primera semana de junio", "dans la première semaine de juin"),
    ("within 12 to 18 months", "en un plazo de 12 a 18 meses", "dans un délai de 12 à 18 mois"),
    ("in two or three years", "en dos o tres años", "dans deux ou trois ans"),
    ("within a year and a half", "en un plazo de un año y medio", "dans un délai d'un an et demi"),
    ("in June or July {y}", "en junio o julio de {y}", "en juin ou juillet {y}"),
    ("in June/July {y}", "en junio/julio de {y}", "en juin/juillet {y}"),
    ("by {y} or 2111", "para {y} o 2111", "d'ici {y} ou 2111"),
    ("on 22, 23 and 24 June {y}", "los días 22, 23 y 24 de junio de {y}", "les 22, 23 et 24 juin {y}"),
    ("by early to mid {y}", "para principios o mediados de {y}", "d'ici le début ou le milieu de {y}"),
    (
        "by the next summit in June {y}",
        "para la próxima cumbre en junio de {y}",
        "d'ici le prochain sommet en juin {y}",
    ),
    ("before the summit in {y}", "antes de la cumbre en {y}", "avant le sommet en {y}"),
    ("by Monday", "para el lunes", "d'ici lundi"),
    ("before Friday", "antes del viernes", "avant vendredi"),
    ("next Monday", "el próximo lunes", "lundi prochain"),
    ("will meet on Monday", "se reunirá el lunes", "se réunira lundi"),
    ("will meet tomorrow", "se reunirá mañana", "se réunira demain"),
    ("will meet this weekend", "se reunirá este fin de semana", "se réunira ce week-end"),
    ("by the end of next week", "para finales de la próxima semana", "d'ici la fin de la semaine prochaine"),
    ("will not open until {y}", "no abrirá hasta {y}", "n'ouvrira pas jusqu'en {y}"),
    ("is expected in {y}", "se espera en {y}", "est attendu en {y}"),
    ("is not expected before {y}", "no se espera antes de {y}", "n'est pas attendu avant {y}"),
    ("in the year following its adoption", "en el año siguiente a su adopción", "dans l'année suivant son adoption"),
    ("for the first time in ten years", "por primera vez en diez años", "pour la première fois en dix ans"),
    ("the highest in ten years", "la mayor en diez años", "le plus élevé en dix ans"),
    ("so far this year", "en lo que va de año", "depuis le début de l'année"),
    ("the reports of this year", "los informes de este año", "les rapports de cette année"),
    ("the law of 20 May", "la ley de 20 de mayo", "la loi du 20 mai"),
    ("failed to report in June", "no logró informar en junio", "a échoué à publier en juin"),
    ("We cannot wait until {y}", "No podemos esperar hasta {y}", "Nous ne pouvons pas attendre jusqu'en {y}"),
    ("the summit on Friday", "la cumbre del viernes", "le sommet de vendredi"),
    ("extended it by two years", "lo prolongó en dos años", "l'a prolongé de deux ans"),
    ("We recall the summit on 20 May", "Recordamos la cumbre del 20 de mayo", "Nous rappelons le sommet du 20 mai"),
]
SILENT = [
    ("by 31 February {y}", "para el 31 de febrero de {y}", "d'ici le 31 février {y}"),
    *EQUAL[-10:],
]
"""None of these gives a date: the last ten set no deadline, and "31 February" is no day."""
EQUAL += SILENT[:1]
TERMS = [
    phrase
    for phrase in EQUAL
    if phrase[0].startswith(("before", "by", "within")) and "each year" not in phrase[0] and phrase not in SILENT
]
"""What sets a term: its reading is `by`, since only that brings the reminders before it."""

days = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def each(phrase: Phrase, made_on: date, year: int = 2035, number: int = 6) -> list[Wording]:
    return [
        read(words.format(y=year, n=number), language, made_on)
        for words, language in zip(phrase, LANGUAGES, strict=True)
    ]


def meaning(wording: Wording) -> object:
    anchor = wording.anchor and (wording.anchor.kind, wording.anchor.offset)
    return wording.edtf, wording.reading, wording.settled, wording.review_months, anchor


@settings(max_examples=400)
@given(st.sampled_from(EQUAL), days, st.integers(2000, 2110), st.integers(1, 60))
@pytest.mark.slow
def test_equal_phrases_give_equal_days_and_readings(phrase: Phrase, made_on: date, year: int, number: int) -> None:
    one, *others = each(phrase, made_on, year, number)
    for other in others:
        assert meaning(other) == meaning(one), (one.wording, other.wording)


@pytest.mark.parametrize("phrase", EQUAL, ids=lambda phrase: phrase[0])
@pytest.mark.parametrize("made_on", [date(2021, 11, 18), date(2030, 1, 1)])
def test_every_phrase_is_read_alike_on_two_days(phrase: Phrase, made_on: date) -> None:
    one, *others = each(phrase, made_on)
    assert one.rules != ("no-date",) or "few" in phrase[0] or phrase in SILENT
    assert (one.edtf is None and one.anchor is None) or phrase not in SILENT
    assert [meaning(other) for other in others] == [meaning(one)] * 2


@pytest.mark.parametrize("phrase", TERMS, ids=lambda phrase: phrase[0])
def test_a_term_is_read_as_by_in_every_language(phrase: Phrase) -> None:
    assert {one.reading for one in each(phrase, date(2021, 11, 18))} == {Reading.BY}
