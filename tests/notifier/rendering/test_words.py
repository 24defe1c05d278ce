"""The words: nothing is left untranslated, numbers and dates read as people write them."""

import re
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from contracts.filters import Filters
from contracts.topics import PUBLIC
from contracts.vocabulary import Country, Precision, Reading, Span, Status, Strength
from services.notifier.delivery.messages import matched_by
from services.notifier.rendering import language as languages
from services.notifier.rendering import names
from services.notifier.rendering.footer_reason import footer_reason
from services.notifier.rendering.language import plain, shorten, words_in
from services.notifier.rendering.milestone_dates import step_in_words
from services.registry import catalogue
from services.registry.rules import edtf_dates as deadlines
from tests.notifier.rendering.material import GOLDEN, LANGUAGES
from tests.notifier.rendering.material import message as message_of

PLACE = Path(languages.__file__).parents[1]
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def messages_in_code():
    keywords = {"gettext": None, "ngettext": (1, 2), "N_": None}
    return {
        message
        for path in PLACE.rglob("*.py")
        for _, message, _, _ in extract("python", BytesIO(path.read_bytes()), keywords=keywords)
    }


def catalogue_of(language):
    source = (PLACE / "locales" / language / "LC_MESSAGES" / "notifier.po").read_bytes()
    return read_po(BytesIO(source), locale=languages.LOCALES[language])


@pytest.mark.parametrize("language", ["es", "fr"])
def test_every_message_of_the_code_is_translated_and_no_other_is_kept(language):
    translated = {m.id for m in catalogue_of(language) if m.id and m.string and all(m.string) and not m.fuzzy}

    assert messages_in_code() == translated


@pytest.mark.parametrize("language", ["es", "fr"])
def test_a_translation_fills_in_the_same_values(language):
    for message in catalogue_of(language):
        if not message.id:
            continue
        wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[1]))
        for text in [message.string] if isinstance(message.string, str) else message.string:
            assert wanted == set(PLACEHOLDER.findall(text)), message.id


def test_templates_hold_no_words_of_their_own():
    for path in (PLACE / "channels" / "templates").iterdir():
        source = re.sub(r"\{[{%].*?[%}]\}|<mj-style>.*?</mj-style>|<[^>]*>", " ", path.read_text(), flags=re.S)
        assert re.findall(r"\w{2,}", source) == [], path.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_name(language):
    words = words_in(language)

    assert set(names.STATUSES) == set(Status)
    assert set(names.STRENGTHS) == set(Strength)
    assert set(names.FOLLOWED_KINDS) == {topic.name for topic in PUBLIC if "notifier" in topic.readers}
    assert len(set(names.country_names(Country, words))) == len(Country)


def test_themes_are_called_as_in_the_register():
    statement = (Path(catalogue.__file__).parent / "statement.yaml").read_text(encoding="utf-8")
    titles = re.findall(r"- id: (\S+)\n\s+title: \{en: (.*?), es: (.*?), fr: (.*?)\}", statement)

    assert titles
    for slug, *in_languages in titles:
        assert in_languages == [names.theme_title(slug, words_in(language)) for language in LANGUAGES]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["due in 0 days", "due in 1 day", "due in 2 days"]),
        ("es", ["vence en 0 días", "vence en 1 día", "vence en 2 días"]),
        ("fr", ["échéance dans 0 jour", "échéance dans 1 jour", "échéance dans 2 jours"]),
    ],
)
def test_numbers_take_the_right_plural(language, expected):
    words = words_in(language)

    assert expected == [words.ngettext("due in %(number)s day", "due in %(number)s days", n) for n in (0, 1, 2)]


@pytest.mark.parametrize(
    ("edtf", "reading", "en", "es", "fr"),
    [
        (
            "2030",
            Reading.BY,
            "by 2030, that is by December 31, 2030",
            "para 2030, es decir, a más tardar el 31 de diciembre de 2030",
            "d’ici 2030, c’est-à-dire au plus tard le 31 décembre 2030",
        ),
        (
            "2022-22",
            Reading.ON,
            "in summer 2022, that is by August 31, 2022",
            "en el verano de 2022, es decir, a más tardar el 31 de agosto de 2022",
            "à l’été 2022, c’est-à-dire au plus tard le 31 août 2022",
        ),
        (
            "2022-08",
            Reading.BY,
            "by August 2022, that is by August 31, 2022",
            "para agosto de 2022, es decir, a más tardar el 31 de agosto de 2022",
            "d’ici août 2022, c’est-à-dire au plus tard le 31 août 2022",
        ),
        (
            "202X",
            Reading.DURING,
            "in the 2020s, that is by December 31, 2029",
            "en la década de 2020, es decir, a más tardar el 31 de diciembre de 2029",
            "dans les années 2020, c’est-à-dire au plus tard le 31 décembre 2029",
        ),
        (
            "2023-01-01",
            Reading.ON,
            "Sunday, January 1, 2023",
            "domingo, 1 de enero de 2023",
            "dimanche 1er janvier 2023",
        ),
        (
            "2023-01-10",
            Reading.BY,
            "by Tuesday, January 10, 2023",
            "a más tardar el martes, 10 de enero de 2023",
            "au plus tard le mardi 10 janvier 2023",
        ),
        ("2021-12-09/2021-12-10", Reading.ON, "Dec 9 – 10, 2021", "9–10 de dic de 2021", "9–10 déc. 2021"),
        (
            None,
            Reading.UNDATED,
            "no date given: “over the medium term”",
            "sin fecha: “over the medium term”",
            "aucune date : « over the medium term »",
        ),
    ],
)
def test_a_span_is_told_as_coarsely_as_it_was_written(edtf, reading, en, es, fr):
    span = deadlines.span_of(edtf)
    told = [words_in(lang).span(span, reading, "over the medium term") for lang in LANGUAGES]

    assert [en, es, fr] == [text.replace("\u2009", " ").replace("\xa0", " ") for text in told]


@pytest.mark.parametrize(
    ("edtf", "first", "precision", "en", "es", "fr"),
    [
        ("2022/..", date(2022, 1, 1), Precision.YEAR, "from 2022 on", "a partir de 2022", "à partir de 2022"),
        (
            "2022-08/..",
            date(2022, 8, 1),
            Precision.MONTH,
            "from August 2022 on",
            "desde agosto de 2022",
            "dès août 2022",
        ),
        (
            "2022-22/..",
            date(2022, 6, 1),
            Precision.SEASON,
            "from summer 2022 on",
            "desde el verano de 2022",
            "dès l’été 2022",
        ),
        (
            "202X/..",
            date(2020, 1, 1),
            Precision.DECADE,
            "from the 2020s on",
            "desde la década de 2020",
            "dès les années 2020",
        ),
        (
            "2023-01-01/..",
            date(2023, 1, 1),
            Precision.DAY,
            "from January 1, 2023 on",
            "desde el 1 de enero de 2023",
            "à partir du 1er janvier 2023",
        ),
    ],
)
def test_a_span_without_an_end_is_told_from_its_beginning(edtf, first, precision, en, es, fr):
    span = Span(edtf=edtf, earliest=first, latest=None, precision=precision)

    assert [en, es, fr] == [words_in(lang).span(span, Reading.FROM, "in 2022 and beyond") for lang in LANGUAGES]
    assert [en, es, fr] == [words_in(lang).stretch(span) for lang in LANGUAGES]


def test_what_recurs_has_no_date_and_says_so():
    undated = Span(edtf=None, earliest=None, latest=None, precision=Precision.UNDATED)

    assert words_in("en").span(undated, Reading.RECURRING, "every two years") == (
        "recurring, no date given: “every two years”"
    )


@pytest.mark.parametrize(
    ("step", "en", "es", "fr"),
    [
        ("before-1bd", "1 business day before", "1 día hábil antes", "1 jour ouvrable avant"),
        ("before-3bd", "3 business days before", "3 días hábiles antes", "3 jours ouvrables avant"),
        ("after-2bd", "2 business days after", "2 días hábiles después", "2 jours ouvrables après"),
        ("before-2w", "2 weeks before", "2 semanas antes", "2 semaines avant"),
        ("after-1w", "1 week after", "1 semana después", "1 semaine après"),
        ("before-6m", "6 months before", "6 meses antes", "6 mois avant"),
        ("after-1m", "1 month after", "1 mes después", "1 mois après"),
        ("before-7d", "7 days before", "7 días antes", "7 jours avant"),
        ("after-30d", "30 days after", "30 días después", "30 jours après"),
        ("on-the-day", "on the day", "el mismo día", "le jour même"),
        ("review-2", "review no. 2", "revisión n.º 2", "examen nᵒ 2"),
    ],
)
def test_a_step_is_told_in_the_days_that_it_counts(step, en, es, fr):
    told = [step_in_words(step, words_in(language)) for language in LANGUAGES]

    assert [en, es, fr] == [text.replace("\xa0", " ") for text in told]


def test_a_span_over_several_years_is_told_from_its_ends():
    span = Span(edtf="2022/2024", earliest=date(2022, 1, 1), latest=date(2024, 12, 31), precision=Precision.YEAR)

    assert words_in("en").span(span, Reading.DURING, "") == "2022–2024, that is by December 31, 2024"


@pytest.mark.parametrize(
    ("zone", "place", "expected"),
    [
        ("America/Mexico_City", "America/Mexico_City", "Jan 1, 2022, 12:00 AM (Mexico City)"),
        ("America/Toronto", "America/Mexico_City", "Jan 1, 2022, 12:00 AM in Mexico City, 1:00 AM for you (Toronto)"),
        (
            "America/Vancouver",
            "America/Mexico_City",
            "Jan 1, 2022, 12:00 AM in Mexico City; for you Dec 31, 2021, 10:00 PM (Vancouver)",
        ),
        ("America/Vancouver", None, "Dec 31, 2021, 10:00 PM (Vancouver)"),
    ],
)
def test_a_moment_is_told_on_the_clock_of_the_place_and_of_the_reader(zone, place, expected):
    told = words_in("en").moment(datetime(2022, 1, 1, 6, tzinfo=UTC), zone, place)

    assert expected == told.replace("\u202f", " ")


def test_mexico_without_summer_time_is_an_hour_from_where_it_was():
    summers = [datetime(year, 7, 1, 15, tzinfo=UTC) for year in (2022, 2023)]

    assert [
        re.search(r"\d+:\d\d.[AP]M", words_in("en").moment(at, "America/Mexico_City"))[0].replace("\u202f", " ")
        for at in summers
    ] == ["10:00 AM", "9:00 AM"]


def test_a_reason_names_what_was_met_and_nothing_else():
    view = GOLDEN["status-changed.v1.canada-seul"]
    subject = matched_by(view)
    theme = view.data.commitment.themes[0]
    filters = Filters(
        countries=frozenset({"CA", "MX"}), themes=frozenset({theme, "other"}), events=frozenset({"status-changed"})
    )

    assert (
        f"You get this because you follow: {names.theme_title(theme, words_in('en'))} · Canada · changes of status."
        == (footer_reason(filters, subject, "en"))
    )
    assert footer_reason(Filters(), subject, "en") == "You get this because you follow all that is in the register."


def test_a_reason_names_the_level_that_is_asked_and_ones_own_ladder():
    def reason(name, **filters):
        view = GOLDEN[name]
        return footer_reason(Filters(**filters), matched_by(view), "en")

    assert reason("milestone-escalated.v1.cabinet-du-ministre") == (
        "You get this because you follow: escalations to “Minister’s office”."
    )
    assert reason("milestone-escalated.v1.focal-point-first", events=frozenset({"milestone-escalated"})) == (
        "You get this because you follow: escalations to “Focal point”."
    )
    assert reason("milestone-due.v1.two-business-days", countries=frozenset({"CA"})) == (
        "You get this because you follow: your own reminder ladder · Canada."
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
def test_a_subject_line_fits_a_telephone_and_keeps_what_is_new(name, language):
    told = message_of(GOLDEN[name], language)

    assert re.match(r"\[[A-Z/]+ - [^\]]+\] .+: .+", told.subject)
    assert len(told.subject) < 70
    assert told.subject.endswith(told.headline[-3:])


def test_text_of_others_is_one_line_of_what_is_seen():
    assert plain("a\r\nb\u2028c \u202eRTL\u2069\x7f\x00\ufeff") == "a b c RTL"


def test_a_cut_ends_at_a_word_and_says_so():
    assert shorten("one two three", 10) == "one two…"
    assert shorten("short", 5) == "short"
    assert shorten("abcdefgh", 5) == "abcd…"
