"""A day without a year is the nearest that the tense allows, and what is past sets no deadline."""

from datetime import date

import pytest

from contracts.vocabulary import LanguageTag
from services.registry.wordings import Modality, read

EN, ES, FR = "en", "es", "fr"
JUNE_10 = date(2023, 6, 10)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (EN, "the statement made on 5 June"),
        (EN, "launched on May 18"),
        (EN, "On 5 June, Ministers met in Ottawa"),
        (EN, "laid before the House on 24 February"),
        (EN, "the signing of the Treaty on 7 June"),  # no verb tells: the nearest
        (EN, "in June last year"),
        (EN, "This year, we launched a programme"),
        (EN, "adopted at the summit in Ottawa"),
        (EN, "the letter of 10 June 2023"),
        (EN, "in each month since December"),
        (EN, "the Connectivity Blueprint (2015-2025)"),
        (EN, "This was the fourth attack on our country in three months"),
        (EN, "the attack in his constituency earlier this week"),
        (EN, "the mandate of the Leaders at their Summit in November 1999"),
        (EN, "what we failed to achieve this year"),
        (EN, "progress towards the target from 2022"),
        (EN, "participating in the meeting of the Council in Washington, D.C. 10 June 2023"),
        (FR, "au cours des années écoulées jusqu’au 17 avril 2023"),
        (ES, "los beneficiarios del Real Decreto 477/2021, de 29 de junio"),
        (FR, "ont accompli un pas de géant en moins d’une décennie"),
        (FR, "Pendant deux jours, les ministres ont débattu des priorités"),
        (ES, "la reunión celebrada el 5 de junio"),
        (ES, "se reunió en Lima el 18 de mayo"),
        (ES, "el pasado 5 de junio"),
        (ES, "tuvo lugar el 10 de junio de 2023"),
        (ES, "los días 8 y 9 de junio se celebró la cumbre"),
        (FR, "la déclaration adoptée le 5 juin"),
        (FR, "s’est tenue à Ottawa le 18 mai"),
        (FR, "le 20 septembre dernier"),
        (FR, "au cours de l’année écoulée"),
        (FR, "réunis à Ottawa le 10 juin 2023"),
        (EN, "Ministers met on Friday"),
        (EN, "The talks were scheduled to end on Monday"),
        (EN, "the world of tomorrow"),
        (EN, "which is within the 10 week period"),
        (EN, "what crews have been able to accomplish in two months"),
        (EN, "following the adoption of our new Strategic Concept in 1991"),
        (EN, "the previous target date of 2040"),
        (EN, "the success of the Alliance for over four decades"),
        (ES, "luego de haber sido postergada la reunión prevista para el 28 de junio"),
        (ES, "en un año tres meses, dos días, ya vamos sobre 500 km"),
        (FR, "a invité, mercredi en Conseil des ministres, à redoubler de vigilance"),
        (FR, "n’a pas été ce qu’elle promettait"),
        (FR, "À la fin de l'exercice, 83 projets au total avaient été financés"),
        (EN, "postponed the visit scheduled for June 2024"),
        (ES, "finalizó este jueves en Buenos Aires"),
        (ES, "de lunes a viernes"),
        (ES, "la parroquia de Santo Domingo abrirá"),
        (ES, "el viernes 9 se firmó el convenio"),
        (ES, "ha confirmado esta mañana la puesta en servicio"),
        (ES, "adelantar la meta en 15 años"),
        (ES, "con una duración de ocho semanas"),
        (ES, "el primero de septiembre próximo pasado"),
        (FR, "a invité samedi les membres de son gouvernement"),
        (FR, "ouvert le mardi et le jeudi"),
        (FR, "a encore consulté ce week-end"),
    ],
)
def test_what_is_told_of_the_past_sets_no_deadline(language: LanguageTag, words: str) -> None:
    found = read(words, language, JUNE_10)
    assert (found.edtf, found.anchor, found.modality, found.settled) == (None, None, Modality.NONE, True)


@pytest.mark.parametrize(
    ("language", "words", "edtf"),
    [
        (EN, "will be launched on May 18", "2024-05-18"),
        (EN, "to be held on 5 July", "2023-07-05"),
        (EN, "agreed to meet on 5 July", "2023-07-05"),
        (EN, "the draft adopted by the Ministers will be published in May", "2024-05"),
        (EN, "by 5 June", "2024-06-05"),
        (EN, "in June", "2023-06"),
        (EN, "extends existing services for three years to 30 June 2026", "2023-06-10/2026-06-30"),
        (ES, "se celebrará el 18 de mayo", "2024-05-18"),
        (EN, "by Friday 16", "2023-06-16"),
        (EN, "The road will close on Friday the 30th", "2023-06-30"),
        (EN, "will not open until 2026", "2026/.."),
        (EN, "If it is not adopted before 2026", "2025"),
        (EN, "until regular train service resumes on Oct. 28", "2023-06-10/2023-10-28"),
        (EN, "from 11 p.m. on Friday, May 31, through 3:30 a.m. on Monday, June 3, 2024", "2024-05-31/2024-06-03"),
        (EN, "by as early as 2030", "2030"),
        (EN, "will remain closed on Monday", "2023-06-12"),
        (ES, "recibirá al mediodía del miércoles a su homólogo", "2023-06-14"),
        (ES, "que permanecerán cerradas este sábado y domingo", "2023-06-10/2023-06-11"),
        (FR, "Date de clôture : 2026-2027", "2026/2027"),
        (ES, "lo refrendarán el sábado", "2023-06-10"),
        (ES, "los documentos que mañana firmarán los ministros", "2023-06-11"),
        (ES, "prepara una concentración para el día 14", "2023-06-14"),
        (ES, "del viernes 16 al domingo 18", "2023-06-16/2023-06-18"),
        (ES, "está prevista para «este verano»", "2023-22"),
        (ES, "previsión de entrada en servicio en este 2023", "2023"),
        (ES, "a primeros de agosto", "2023-08"),
        (ES, "no será hasta noviembre cuando se distribuya", "2023-11/.."),
        (FR, "les lundi 20 et mardi 21 novembre", "2023-11-20/2023-11-21"),
        (FR, "à partir du jeudi 15 juin 08h00 jusqu’au 5 juillet", "2023-06-15/2023-07-05"),
        (FR, "pour une durée de 9 semaines à compter du lundi 3 juillet", "2023-07-03/2023-09-04"),
        (ES, "acordaron celebrar este año la II Reunión", "2023"),
        (ES, "no más tarde del día 26 de julio", "2023-07-26"),
        (ES, "hasta el día 26 de julio", "2023-06-10/2023-07-26"),
        (FR, "jusqu’à l’été 2024", "2023-06/2024-08"),
        (ES, "a realizarse los días 8 y 9 de diciembre", "2023-12-08/2023-12-09"),
        (ES, "el próximo 20 de julio", "2023-07-20"),
        (ES, "prevé dar luz verde a mediados de enero", "2024-01"),
        (ES, "suspensión de labores del 22 de diciembre al próximo 6 de enero", "2023-12-22/2024-01-06"),
        (FR, "faire des choix plus éclairés dès 2026", "2026/.."),
        (FR, "sera adoptée le 18 mai", "2024-05-18"),
        (FR, "aura lieu le 22 novembre", "2023-11-22"),
        (FR, "déposera au printemps un projet de loi", "2024-21"),
    ],
)
def test_what_lies_ahead_is_the_first_that_is_not_over(language: LanguageTag, words: str, edtf: str) -> None:
    assert read(words, language, JUNE_10).edtf == edtf


@pytest.mark.parametrize(
    ("language", "words"),
    [(EN, "by the end of 2019"), (ES, "a más tardar en 2019"), (FR, "d’ici 2019"), (EN, "no later than 9 June 2023")],
)
def test_a_term_that_was_over_when_it_was_set_is_left_to_a_reader(language: LanguageTag, words: str) -> None:
    found = read(words, language, JUNE_10)
    assert (found.edtf, found.settled) == (None, False)
    assert {one.rule for one in found.alternatives} >= {"as-written", "no-deadline"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (EN, "G20 2020"),
        (EN, "Pacific Islands Forum’"),
        (EN, "The Forum agreed on a plan"),
        (EN, "toward meeting some of the targets"),
        (EN, "beginning at the 2008 Hokkaido Toyako Summit"),
        (EN, "the Paris Agreement of 2015"),
        (EN, "resolution 2231 (2015)"),
        (ES, "la resolución 2334 (2016), de 23 de diciembre de 2016"),
        (ES, "reunidos en ocasión de la LXII Cumbre"),
        (FR, "À l’occasion du 60e anniversaire du Traité"),
        (FR, "le G20 2020"),
        (FR, "en ce 50e anniversaire de la signature"),
    ],
)
def test_names_of_bodies_and_texts_are_no_events(language: LanguageTag, words: str) -> None:
    found = read(words, language, JUNE_10)
    assert (found.edtf, found.anchor, found.modality) == (None, None, Modality.NONE)
