"""What is read of a period's parts, of ties behind their days, of days that come again, and of days that can't be."""

from datetime import date

import pytest

from contracts.vocabulary import LanguageTag, Reading
from services.registry.wordings import Modality, read

EN, ES, FR = "en", "es", "fr"
MARCH_15 = date(2024, 3, 15)


@pytest.mark.parametrize(
    ("language", "words", "edtf", "reading"),
    [
        # Shares of something longer, counted from its first day or back from its last.
        (EN, "in the first three months of 2025", "2025-01/2025-03", Reading.ON),
        (FR, "au cours des six premiers mois de 2025", "2025-01/2025-06", Reading.DURING),
        (ES, "en los últimos dos meses de 2025", "2025-11/2025-12", Reading.ON),
        (EN, "in the final quarter of 2025", "2025-10/2025-12", Reading.ON),
        (FR, "au dernier trimestre 2025", "2025-10/2025-12", Reading.ON),
        (EN, "within the first 100 days of 2025", "2025-01-01/2025-04-10", Reading.BY),
        (EN, "by the last day of June 2025", "2025-06-30", Reading.BY),
        (FR, "dans la première quinzaine de juin 2025", "2025-06-01/2025-06-15", Reading.ON),
        (ES, "en la segunda quincena de febrero de 2025", "2025-02-16/2025-02-28", Reading.ON),
        (EN, "by the first week of June 2025", "2025-06", Reading.BY),  # weeks of a month have no borders
        (EN, "in the first half of June 2025", "2025-06-01/2025-06-15", Reading.ON),
        (EN, "in early to mid 2025", "2025-01/2025-08", Reading.ON),
        # Ties behind their days, and two ties that are joined.
        (FR, "le 30 juin 2025 au plus tard", "2025-06-30", Reading.BY),
        (ES, "en 2030 a más tardar", "2030", Reading.BY),
        (EN, "by or in 2030", "2030", Reading.BY),
        (EN, "in 2026 at the earliest", "2026/..", Reading.FROM),
        (FR, "Date limite de la procédure : 12.06.2024", "2024-06-12", Reading.BY),
        (EN, "by our next meeting in 2025", "2025", Reading.BY),
        (EN, "before the summit in June", "2024-06", Reading.BY),
        (ES, "llevar los objetivos de renovables a 2030", "2030", Reading.BY),
        # Two numbers, two months, days in a row, and halves.
        (EN, "within 12 to 18 months", "2024-03-15/2025-09-15", Reading.BY),
        (FR, "d’ici un an et demi", "2024-03-15/2025-09-15", Reading.BY),
        (EN, "within half a year", "2024-03-15/2024-09-15", Reading.BY),
        (ES, "en junio o julio de 2025", "2025-06/2025-07", Reading.DURING),
        (EN, "June-September 2025", "2025-06/2025-09", Reading.DURING),
        (EN, "from December to March 2026", "2025-12/2026-03", Reading.DURING),
        (ES, "los días 22, 23 y 24 de junio", "2024-06-22/2024-06-24", Reading.ON),
        (EN, "6th May 2024 - 3rd July 2024", "2024-05-06/2024-07-03", Reading.ON),
        (EN, "by late 2024 or early 2025", "2024-09/2025-04", Reading.BY),
        (ES, "las obras estarían concluidas en noviembre", "2024-11", Reading.ON),
        (ES, "los encuentros previstos antes del término del mes de agosto", "2024-08", Reading.BY),
        (EN, "announced the closure of eight plants over the next five years", "2024-03-15/2029-03-15", Reading.DURING),
    ],
)
def test_the_days_are_all_that_the_words_say(language: LanguageTag, words: str, edtf: str, reading: Reading) -> None:
    found = read(words, language, MARCH_15)
    assert (found.edtf, found.reading) == (edtf, reading)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (EN, "by 30 June of each year"),
        (EN, "annually by 31 March"),
        (ES, "a más tardar el 31 de marzo de cada año"),
        (FR, "chaque année avant le 30 juin"),
        (EN, "in July of each year, the Committee would conduct a review"),
    ],
)
def test_a_day_of_every_year_comes_again(language: LanguageTag, words: str) -> None:
    found = read(words, language, MARCH_15)
    assert (found.edtf, found.reading, found.review_months) == (None, Reading.RECURRING, 12)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (EN, "a June 2025 deadline"),
        (EN, "the first time in over ten years"),
        (FR, "le plus élevé en dix ans"),
        (EN, "We reiterate the commitments of our Summit on March 26"),
        (FR, "Rappelant le sommet du 20 mai"),
        (EN, "failed to submit reports by 31 December"),
        (FR, "n’est pas parvenue à un accord cette année"),
        (EN, "so far this year"),
        (ES, "en lo que va de año"),
        (EN, "this year's report"),
        (ES, "el presupuesto para 2025"),
        (FR, "le budget pour 2025"),
        (EN, "the post-2015 vision"),
        (FR, "le programme de développement de l’après-2025"),
        (ES, "la campaña de primavera de 2024, lanzada en marzo"),
        (FR, "Édition révisée, état : mars 2024"),
        (ES, "emitieron una declaración tras la cumbre de Lima"),
        (ES, "una situación reflejada en el Presupuesto del próximo año"),
        (ES, "antes de que empezaran los trabajos en julio de ese año"),
        (EN, "at ministerial level"),
        (EN, "for the first payment of the 2023-2024 fiscal year"),
        (FR, "le projet de budget pour l’exercice 2025"),
        (EN, "photographed at the opening of the fair on 15 March 2024"),
    ],
)
def test_what_names_or_recalls_sets_no_deadline(language: LanguageTag, words: str) -> None:
    found = read(words, language, MARCH_15)
    assert (found.edtf, found.anchor, found.modality, found.settled) == (None, None, Modality.NONE, True)
