"""The catalogue of the joint statement: every quote stands in the text, and every date in the words."""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import combinations, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from edtf import parse_edtf
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.vocabulary import CommitmentBrief, Country, Milestone, Precision, Reading, Status, Strength, Text
from services.registry.catalogue.contents import Catalogue, Commitment
from services.registry.catalogue.loading import NALS_2021, TextChanged, load
from services.registry.catalogue.quotes import QuoteAmbiguous, QuoteNotFound, locate
from services.registry.rules import edtf_dates as deadlines
from services.registry.rules.text_comparison import collapse_whitespace

FOLDER = NALS_2021
PUBLISHED = (FOLDER / "joint-statement-2021-11-18.txt").read_bytes()
SHA256 = "23d1bf95f35cb2a9f7458096a1607aadc9761232b81fe3baf372b2537a1d7f22"
CHRONICLE_SHA256 = "24c8aed69cb1ffeeb2b96f4f06125d69d03c97d593d9cc1be844599efc05def5"

CATALOGUE = load()
TEXT = CATALOGUE.statement.text
BODY = slice(TEXT.index("We, the leaders"), TEXT.index("\\###"))
BY_ID = {commitment.id: commitment for commitment in CATALOGUE.commitments}
MILESTONES = {milestone.id: milestone for one in CATALOGUE.commitments for milestone in one.milestones}
ANCHORS = {anchor.id: anchor for anchor in CATALOGUE.anchors}

ALL = (Country.CA, Country.MX, Country.US)

# The verbs, strongest claim on the meaning first: "reaffirm our commitment" is no new commitment.
VERBS = {
    Strength.REAFFIRM: r"affirm|reiterated|remain committed|stand firm|united in",
    Strength.INVITE: r"invite|encourage",
    Strength.SUPPORT: r"^We( also)? support",
    Strength.INTEND: (
        r"inten[dt]|plan to|seek to|look to|looking to|look forward to|determined to|considering|goal (to|of)"
        r"|need to work together|will explore|will also study|will look at ways"
    ),
    Strength.COMMIT: r"commit|[Pp]ledge|\bwill\b|taking concrete steps",
}

FACT = "tells what was, or is"
NEED = "names a need, not who does what about it"
VIEW = "a view or a recognition"
VISION = "a vision or a priority: no act is promised"
ABILITY = "says what can be done, not that it will be"
DUTY = "states a duty that each country has anyway"
SCENE_SETTING = {
    "We, the leaders of North America, met today": FACT,
    "We share a vision of a North America": VISION,
    "We are closely bound by history": VIEW,
    "Together, we are an economic powerhouse": FACT,
    "Home to nearly five hundred million people": FACT,
    "Since signing our first trilateral trade agreement": FACT,
    "We are more than just trading partners": FACT,
    "This position of strength has allowed us": FACT,
    "Our highest priority today is": VISION,
    "Our vision is to support sustainable growth": VISION,
    "Our world has been rocked": FACT,
    "During the pandemic, the opioid crisis worsened": FACT,
    "In the United States, we have surpassed": FACT,
    "This impact is also seen in Canada": FACT,
    "In addition, we are experiencing": FACT,
    "For example, hundreds of thousands of firearms": FACT,
    "To address these issues, and protect our communities": NEED,
    "North America needs resilient": NEED,
    "For our economies to remain competitive": NEED,
    "Good regulatory practices": VISION,
    "We can undergird sustainable economic growth": ABILITY,
    "In North America, we have seen": FACT,
    "Wildfires have ravaged": FACT,
    "Climate change also drives": FACT,
    "We recognize the importance of global efforts": VIEW,
    "Climate change poses a threat": FACT,
    "But it also presents a tremendous opportunity": ABILITY,
    "The complex factors causing": NEED,
    "We recognize the social, health, economic": VIEW,
    "This requires a coordinated regional response": NEED,
    "The United States, Canada, and Mexico each have a responsibility": DUTY,
    "Our vision is to strengthen and expand access": VISION,
    "This includes opportunities to access": VISION,
    "We can help people find safety": ABILITY,
    "Inclusion and equal opportunity are essential": VIEW,
    "The diversity of North America’s population": FACT,
    "Converging economic, health, and climate crises": FACT,
    "COVID-19’s economic impact": FACT,
    "It has deepened the disparities": FACT,
    "Our diversity is our strength": VIEW,
    "In our aim to fight against impunity": VIEW,
}

# Undertaking words in the sentences of a commitment that undertake nothing there.
IDLE_WORDS = {
    "vision of a world safe and secure": VISION,
    "support of this goal, the three countries": "points back",
    "goal, the three countries": "points back",
    "vision for climate action": FACT,
    "affirm our values and advance": "what a summit is for",
    "stand strong, and look": FACT,
}
UNDERTAKING_WORDS = re.compile(
    r"\b(will|commit\w*|pledg\w*|intend\w*|intent|plan|reaffirm|affirm|support|invite|encourage|look\w* (?:to|forward)"
    r"|seek|determined|united|stand|reiterated|goal|need to|vision|aim|joined|considering|taking)\b"
)

# Every year that the statement names and that is no target, with the words around it.
YEARS_WITHOUT_TARGET = {
    "for the first time since 2016": "a past meeting",
    "trade agreement in 1994": "a past signature",
    "trade agreement in the world in 2020": "a past signature",
    "from April 2020 to": "a span of statistics",
    "March 2021, representing": "a span of statistics",
    "the 2020s are a decisive decade": "a view of the decade; no act is dated by it",
    "not seen since the 1980s": "a comparison",
    "NALS 2022": "a name; the date is said by 'next year'",
}

DATED_BY_THE_TEXT = {
    "nals-2021-coal-finance-end": (
        "by the end of 2021", "2021", date(2021, 1, 1), date(2021, 12, 31), Precision.YEAR, Reading.BY, ALL,
        "America/Mexico_City", None,
    ),
    "nals-2021-next-summit-meeting": (
        "next year", "2022", date(2022, 1, 1), date(2022, 12, 31), Precision.YEAR, Reading.ON, ALL,
        "America/Mexico_City", "nals-2022",
    ),
    "nals-2021-fossil-subsidies-canada-phase-out": (
        "by 2023", "2023", date(2023, 1, 1), date(2023, 12, 31), Precision.YEAR, Reading.BY, (Country.CA,),
        "America/Toronto", None,
    ),
    "nals-2021-transport-emissions-policies": (
        "this decade", "202X", date(2020, 1, 1), date(2029, 12, 31), Precision.DECADE, Reading.DURING, ALL,
        "America/Mexico_City", None,
    ),
    "nals-2021-conserve-30-percent-target": (
        "by 2030", "2030", date(2030, 1, 1), date(2030, 12, 31), Precision.YEAR, Reading.BY, ALL,
        "America/Mexico_City", None,
    ),
    "nals-2021-aviation-net-zero-goal": (
        "by 2050", "2050", date(2050, 1, 1), date(2050, 12, 31), Precision.YEAR, Reading.BY, ALL,
        "America/Mexico_City", None,
    ),
}  # fmt: skip


def sentences() -> Iterator[tuple[int, int]]:
    """Where each sentence of the body starts and ends; headings belong to none."""
    for found in re.finditer(r"(?:\*\*[^*]+\*\* )?([^ ].*?\.)(?= |$)", TEXT[BODY]):
        yield BODY.start + found.start(1), BODY.start + found.end(1)


SENTENCES = tuple(sentences())


def made_in(start: int, end: int) -> list[Commitment]:
    return [one for one in CATALOGUE.commitments if start <= one.quote.start and one.quote.end <= end]


def sentence_of(one: Commitment) -> str:
    return next(TEXT[start:end] for start, end in SENTENCES if one in made_in(start, end))


def every_text() -> Iterator[Text]:
    yield CATALOGUE.statement.title
    for part in (CATALOGUE.sections, CATALOGUE.themes, CATALOGUE.anchors, tuple(MILESTONES.values())):
        yield from (titled.title for titled in part)
    for commitment in CATALOGUE.commitments:
        yield from (commitment.title, commitment.summary)
    for entry in CATALOGUE.chronicle:
        yield entry.text


class TestText:
    def test_is_the_published_text_byte_for_byte(self) -> None:
        """
        The text kept in the project is the one that was published, and the catalogue says its SHA-256.
        """
        assert hashlib.sha256(PUBLISHED).hexdigest() == SHA256 == CATALOGUE.statement.sha256

    @pytest.mark.parametrize(
        "slip",
        [
            "equity, as well as and by supporting",
            "availability and integrity critical goods",
            "as well a global resource response",
            "lessons learned temporary worker visa programs",
            "zero emission vehicles",
            "zero-emission vehicles",
        ],
    )
    def test_keeps_the_slips_of_its_authors(self, slip: str) -> None:
        """
        What the authors wrote awkwardly stays as they wrote it.
        """
        assert slip in TEXT

    def test_keeps_typography_but_not_the_layout(self) -> None:
        """
        Typographic apostrophes and dashes stay; no-break spaces and line wraps are layout.
        """
        assert (TEXT.count("’"), TEXT.count("–")) == (8, 1)
        assert PUBLISHED.decode().count("\xa0") == 61
        assert not re.search(r"[\xa0\n]|  ", TEXT)

    def test_says_where_it_was_published(self) -> None:
        """
        Address and title are those of the document's own front matter.
        """
        front = PUBLISHED.decode().split("---")[1]

        assert f"source_url: {CATALOGUE.statement.url}" in front
        assert f"date: '{CATALOGUE.statement.made_on}'" in front
        assert CATALOGUE.statement.title.en in front.replace("\\_", " ")

    def test_has_every_heading_in_order(self) -> None:
        """
        The sections are the document's headings, verbatim, after a part that has none.
        """
        opening, *others = CATALOGUE.sections

        assert opening.heading is None
        assert [one.heading for one in others] == re.findall(r"\*\*([^*]+)\*\*", TEXT)


class TestQuotes:
    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_stand_once_where_they_are_said_to(self, one: Commitment) -> None:
        """
        A quote is verbatim, found once, at its position, in its section, and keeps clear of headings.
        """
        text = re.sub(r"\s+", " ", PUBLISHED.decode()).strip()
        headings = [(text.index(f"**{part.heading}**"), part.id) for part in CATALOGUE.sections if part.heading]
        section = max([(0, "opening"), *[heading for heading in headings if heading[0] < one.quote.start]])[1]

        assert text.count(one.quote.text) == 1
        assert one.quote.text == text[one.quote.start : one.quote.end]
        assert one.section == section
        assert BODY.start <= one.quote.start < one.quote.end <= BODY.stop
        assert "**" not in one.quote.text

    def test_are_distinct(self) -> None:
        """
        Two commitments may share a sentence, never the same words.
        """
        spans = [(one.quote.start, one.quote.end) for one in CATALOGUE.commitments]

        assert len(spans) == len(set(spans))

    def test_follow_the_text(self) -> None:
        """
        The catalogue reads in the order of the statement.
        """
        spans = [(one.quote.start, one.quote.end) for one in CATALOGUE.commitments]

        assert spans == sorted(spans)

    def test_reach_over_line_wraps_and_no_break_spaces(self) -> None:
        """
        Quotes broken by the layout are found all the same.
        """
        assert any(one.quote.text not in PUBLISHED.decode() for one in CATALOGUE.commitments)

    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_bind_as_firmly_as_their_verb(self, one: Commitment) -> None:
        """
        The verb stands in the quote's own sentence, at or before its end, and gives the strength.
        """
        sentence = sentence_of(one)
        strengths = [strength for strength, verbs in VERBS.items() if re.search(verbs, one.verb)]

        assert one.verb in sentence[: sentence.index(one.quote.text) + len(one.quote.text)]
        assert one.strength == strengths[0]

    @pytest.mark.parametrize(
        ("quote", "commitment"),
        [
            ("have pledged to", "nals-2021-end-deforestation"),
            ("pledged to do more", "nals-2021-glasgow-pledge"),
            ("We committed to", "nals-2021-zev-manufacturing"),
            ("We also reiterated our G20 efforts", "nals-2021-fossil-subsidies-medium-term"),
        ],
    )
    def test_count_pledges_made_in_the_past_tense(self, quote: str, commitment: str) -> None:
        """
        What was pledged before and is said again here is a commitment.
        """
        assert quote in BY_ID[commitment].quote.text


class TestCoverage:
    def test_every_sentence_is_an_undertaking_or_set_aside_with_a_reason(self) -> None:
        """
        No sentence is overlooked, and none is both read as an undertaking and set aside.
        """
        without = [TEXT[start:end] for start, end in SENTENCES if not made_in(start, end)]

        assert list(SCENE_SETTING) == [
            opening for sentence in without for opening in SCENE_SETTING if sentence.startswith(opening)
        ]
        assert len(SCENE_SETTING) == len(without)

    def test_the_sentences_are_the_whole_body(self) -> None:
        """
        Nothing but headings lies between two sentences.
        """
        gaps = [TEXT[before[1] : after[0]] for before, after in pairwise(SENTENCES)]

        assert (BODY.start, BODY.stop - 1) == (SENTENCES[0][0], SENTENCES[-1][1])
        assert {" "} == {gap for gap in gaps if "**" not in gap}
        assert len(CATALOGUE.sections) - 1 == sum("**" in gap for gap in gaps)

    def test_every_undertaking_word_is_quoted_a_verb_or_idle(self) -> None:
        """
        Inside a sentence that is read as an undertaking no second one is overlooked.
        """
        idle = set()
        for start, end in SENTENCES:
            for found in UNDERTAKING_WORDS.finditer(TEXT, start, end):
                if not (here := made_in(start, end)) or _is_read(found.start(), here, start, end):
                    continue
                words = next((idle for idle in IDLE_WORDS if TEXT.startswith(idle, found.start())), None)
                assert words, TEXT[found.start() : end]
                idle.add(words)

        assert set(IDLE_WORDS) == idle

    def test_finds_more_than_fifty(self) -> None:
        """
        A careful reader finds more than fifty, in every part, of every strength and theme.
        """
        # The coverage above can't see a deliverable that falls out of a sentence with several: the counts can.
        assert Counter(one.section for one in CATALOGUE.commitments) == {
            "opening": 6,
            "health-security": 11,
            "competitiveness": 16,
            "climate-crisis": 25,
            "migration-and-development": 17,
            "full-potential": 5,
            "road-to-the-summits": 8,
        }
        assert set(Strength) == {one.strength for one in CATALOGUE.commitments}
        assert {one.id for one in CATALOGUE.themes} == {theme for one in CATALOGUE.commitments for theme in one.themes}

    def test_every_named_year_is_a_target_or_set_aside(self) -> None:
        """
        A year of the text is in a milestone's wording or is known to be no target.
        """
        targets, others = set(), set()
        for found in re.finditer(r"\b(?:19|20)\d\d", TEXT[BODY]):
            at = BODY.start + found.start()
            if wording := next((one for one in _worded_with_place() if one[1] <= at < one[2]), None):
                targets.add(wording[0])
            else:
                others.add(next(words for words in YEARS_WITHOUT_TARGET if at in _places(words)))

        assert {"by the end of 2021", "in 2022 and beyond", "by 2023", "by 2030", "by 2050"} == targets
        assert set(YEARS_WITHOUT_TARGET) == others


class TestMilestones:
    def test_the_text_dates_six(self) -> None:
        """
        Wording, EDTF value, days, precision, reading, countries, zone and anchor of the six.
        """
        dated = {
            name: (
                one.wording, one.span.edtf, one.span.earliest, one.span.latest, one.span.precision, one.reading,
                one.countries, one.zone, one.anchor_id,
            )
            for name, one in MILESTONES.items()
            if one.span.edtf and one.anchor_id in (None, "nals-2022")
        }  # fmt: skip

        assert dated == DATED_BY_THE_TEXT

    def test_the_others_hang_on_anchors_or_have_no_date(self) -> None:
        """
        Beyond the six there are the Drug Dialogue, two summits, and the medium term.
        """
        assert {name: one.wording for name, one in MILESTONES.items() if name not in DATED_BY_THE_TEXT} == {
            "nals-2021-drugs-and-firearms-dialogue": "in 2022 and beyond",
            "nals-2021-summit-for-democracy-participation": "the Summit for Democracy",
            "nals-2021-summit-of-the-americas-participation": "the Summit of the Americas",
            "nals-2021-fossil-subsidies-medium-term-phase-out": "over the medium term",
        }

    def test_the_medium_term_has_no_date(self) -> None:
        """
        Words that give no date get none.
        """
        medium_term = MILESTONES["nals-2021-fossil-subsidies-medium-term-phase-out"]

        assert medium_term.span == deadlines.UNDATED
        assert Reading.UNDATED is medium_term.reading
        assert [medium_term] == [one for one in MILESTONES.values() if one.reading is Reading.UNDATED]

    def test_canada_is_bound_earlier_than_the_others(self) -> None:
        """
        The fossil-fuel pledge is two commitments: 2023 is Canada's alone, the medium term is the others'.
        """
        canada = BY_ID["nals-2021-fossil-subsidies-canada"]
        others = BY_ID["nals-2021-fossil-subsidies-medium-term"]

        assert canada.countries == (Country.CA,)
        assert others.countries == (Country.MX, Country.US)
        assert [one.wording for one in canada.milestones] == ["by 2023"]
        assert [one.wording for one in others.milestones] == ["over the medium term"]
        assert {canada, others} == {one for one in CATALOGUE.commitments if one.countries != ALL}

    @pytest.mark.parametrize("one", MILESTONES.values(), ids=lambda one: one.id)
    def test_keep_the_words_and_the_days_of_their_edtf_value(self, one: Milestone) -> None:
        """
        Wording is the quote's own, and the days are the EDTF value's first and last, whatever the reading.
        """
        owner = next(commitment for commitment in CATALOGUE.commitments if one in commitment.milestones)

        assert one.wording in owner.quote.text
        assert one.id.startswith(f"{owner.id}-")
        assert set(one.countries) <= set(owner.countries)
        assert (one.span.edtf is None) == (one.reading is Reading.UNDATED)
        if one.span.edtf:
            value = parse_edtf(one.span.edtf)
            assert one.span.edtf == str(value)
            assert one.span.earliest == date(*value.lower_strict()[:3])
            assert one.span.latest == date(*value.upper_strict()[:3])

    def test_read_relative_words_from_the_day_of_the_statement(self) -> None:
        """
        "Next year" follows the statement's year and "this decade" contains its day.
        """
        made_on = CATALOGUE.statement.made_on
        decade = MILESTONES["nals-2021-transport-emissions-policies"].span

        assert str(made_on.year + 1) == MILESTONES["nals-2021-next-summit-meeting"].span.edtf
        assert decade.earliest and decade.latest
        assert decade.earliest <= made_on <= decade.latest

    @pytest.mark.parametrize("trap", ["1994", "2016", "2020", "1980", "decisive", "April", "March", "12-month"])
    def test_no_wording_is_a_trap(self, trap: str) -> None:
        """
        Years of the past and views of a decade date nothing.
        """
        assert not [one.wording for one in MILESTONES.values() if trap in one.wording]

    def test_hang_on_an_anchor_with_its_date(self) -> None:
        """
        A milestone on an anchor happens when the anchor does.
        """
        hanging = [one for one in MILESTONES.values() if one.anchor_id]

        assert set(ANCHORS) == {one.anchor_id for one in hanging}
        assert all(one.span == ANCHORS[one.anchor_id or ""].span and one.reading is Reading.ON for one in hanging)

    @pytest.mark.parametrize("one", MILESTONES.values(), ids=lambda one: one.id)
    def test_count_days_in_the_last_capital(self, one: Milestone) -> None:
        """
        The zone is the last capital's among the countries bound.
        """
        assert deadlines.last_capital_zone(one.countries) == one.zone


class TestAnchors:
    def test_are_dated_as_known_on_the_day_of_the_statement(self) -> None:
        """
        Announced days, a season and two years; nothing that became known later.
        """
        assert {name: (one.span.edtf, one.span.precision) for name, one in ANCHORS.items()} == {
            "nals-2022": ("2022", Precision.YEAR),
            "summit-for-democracy-2021": ("2021-12-09/2021-12-10", Precision.DAY),
            "summit-of-the-americas-2022": ("2022-22", Precision.SEASON),
            "north-american-drug-dialogue": ("2022", Precision.YEAR),
        }

    def test_the_early_summer_is_the_whole_summer(self) -> None:
        """
        EDTF has no early summer, and no narrower date is invented.
        """
        summer = ANCHORS["summit-of-the-americas-2022"].span

        assert (date(2022, 6, 1), date(2022, 8, 31)) == (summer.earliest, summer.latest)

    def test_date_from_elsewhere_has_its_source(self) -> None:
        """
        A date that isn't the statement's own has a row of the chronicle that was known by then.
        """
        for anchor in CATALOGUE.anchors:
            if "Joint Statement" not in anchor.source.text:
                assert (anchor.id, anchor.span) in {
                    (entry.anchor_id, entry.span)
                    for entry in CATALOGUE.chronicle
                    if entry.known_on <= CATALOGUE.statement.made_on
                }


class TestChronicle:
    def test_has_every_row_in_its_own_words_with_its_source(self) -> None:
        """
        The entries are the rows of the chronicle, one for one, with day, fact and source unaltered.
        """
        chronicle = (FOLDER / "chronicle.md").read_bytes()
        table = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.+) \| (.+) \|$", chronicle.decode(), re.MULTILINE)

        assert hashlib.sha256(chronicle).hexdigest() == CHRONICLE_SHA256
        assert len(table) == 14
        assert table == [(str(entry.known_on), entry.fact, entry.source.text) for entry in CATALOGUE.chronicle]

    def test_moves_anchors_as_they_became_known(self) -> None:
        """
        From a season to days, from a year to days; hearsay and "the end of the year" move nothing.
        """
        moves = [(str(entry.known_on), entry.anchor_id, entry.span.edtf) for entry in CATALOGUE.chronicle if entry.span]

        assert moves == [
            ("2021-08-11", "summit-for-democracy-2021", "2021-12-09/2021-12-10"),
            ("2021-08-12", "summit-of-the-americas-2022", "2022-22"),
            ("2022-01-18", "summit-of-the-americas-2022", "2022-06"),
            ("2022-01-20", "summit-of-the-americas-2022", "2022-06-06/2022-06-10"),
            ("2022-02-11", "north-american-drug-dialogue", "2022-02-10"),
            ("2022-11-08", "north-american-drug-dialogue", "2022-11-07/2022-11-08"),
            ("2023-01-10", "nals-2022", "2023-01-10"),
        ]

    def test_says_what_was_held_once_it_was_over(self) -> None:
        """
        Every anchor was held, on the days that the row gives it, and nobody knew before the last of them.
        """
        held = [(entry.anchor_id, entry.span, entry.outcome) for entry in CATALOGUE.chronicle if entry.outcome]

        assert {anchor_id for anchor_id, _, _ in held} == set(ANCHORS)
        for anchor_id, span, outcome in held:
            assert span and span.latest and outcome, anchor_id
            assert (outcome.outcome, span.precision) == ("held", Precision.DAY)
            assert span.latest <= outcome.known_on

    def test_reports_a_status_only_where_a_row_supports_it(self) -> None:
        """
        Coal finance is kept per country, and nothing is said of Mexico.
        """
        reported = [
            (entry.commitment_id, report.country, report.status)
            for entry in CATALOGUE.chronicle
            for report in entry.reports
        ]

        assert reported == [
            ("nals-2021-coal-finance", Country.CA, Status.IN_PROGRESS),
            ("nals-2021-coal-finance", Country.US, Status.IN_PROGRESS),
            ("nals-2021-drugs-and-firearms", None, Status.IN_PROGRESS),
            ("nals-2021-drugs-and-firearms", None, Status.MET),
            ("nals-2021-fossil-subsidies-canada", Country.CA, Status.IN_PROGRESS),
            ("nals-2021-next-summit", None, Status.PARTLY_MET),
        ]

    def test_reports_only_on_countries_that_are_bound(self) -> None:
        """
        A country is reported on only where it is bound.
        """
        for entry in CATALOGUE.chronicle:
            for report in entry.reports:
                assert report.country is None or report.country in BY_ID[entry.commitment_id or ""].countries


class TestWords:
    def test_differ_in_the_three_languages(self) -> None:
        """
        Nothing is left untranslated or empty.
        """
        for text in every_text():
            assert len({text.en.strip(), text.es.strip(), text.fr.strip()} - {""}) == 3, text.en

    def test_use_typographic_apostrophes(self) -> None:
        """
        Prose has no typewriter apostrophes and no doubled or outer spaces.
        """
        for text in every_text():
            for words in (text.en, text.es, text.fr):
                assert "'" not in words
                assert collapse_whitespace(words) == words

    @pytest.mark.parametrize("one", CATALOGUE.commitments, ids=lambda one: one.id)
    def test_titles_are_short_and_summaries_one_sentence(self, one: Commitment) -> None:
        """
        A title fits a subject line, a summary is one sentence.
        """
        for language in ("en", "es", "fr"):
            title, summary = one.title.in_language(language), one.summary.in_language(language)
            assert len(title) <= 90
            assert not title.endswith(".")
            assert re.fullmatch(r"[^.!?]+\.", summary)

    def test_titles_tell_commitments_apart(self) -> None:
        """
        No two commitments have the same title or summary in a language.
        """
        for one, other in combinations(CATALOGUE.commitments, 2):
            for language in ("en", "es", "fr"):
                assert one.title.in_language(language) != other.title.in_language(language)
                assert one.summary.in_language(language) != other.summary.in_language(language)

    def test_ids_begin_with_the_statement(self) -> None:
        """
        Commitments and milestones are named after the statement.
        """
        assert all(name.startswith("nals-2021-") for name in (*BY_ID, *MILESTONES))

    def test_no_ministry_is_put_in_charge(self) -> None:
        """
        The statement names no ministry, so the catalogue doesn't either.
        """
        assert not [one.id for one in CATALOGUE.commitments if one.lead_ministries]

    def test_brief_says_what_events_need(self) -> None:
        """
        An event's brief has the section's title and all else that a reader acts on.
        """
        coal = BY_ID["nals-2021-coal-finance"]

        assert CommitmentBrief(
            id=coal.id,
            statement_id="nals-2021",
            title=coal.title,
            section="climate-crisis",
            section_title=Text(
                en="Addressing the Climate Crisis",
                es="Respuesta a la crisis climática",
                fr="Faire face à la crise climatique",
            ),
            countries=ALL,
            themes=("energy", "climate"),
        ) == CATALOGUE.brief(coal)


class TestCollapsing:
    @given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from(" \t\n\r\xa0\u2003\u2028\u3000"))))
    def test_leaves_single_spaces_and_every_other_character(self, text: str) -> None:
        """
        Collapsing twice is collapsing once; only whitespace changes, and what is left of it is single spaces.
        """
        collapsed = collapse_whitespace(text)

        assert collapsed == collapse_whitespace(collapsed)
        assert "  " not in collapsed
        assert {" "} >= {character for character in collapsed if character.isspace()}
        assert re.sub(r"\s", "", text) == collapsed.replace(" ", "")

    @given(st.text("ab ", min_size=1), st.text("abc ", max_size=40))
    def test_a_located_quote_is_the_slice_at_its_position(self, quote: str, text: str) -> None:
        """
        A quote is located where it stands, or refused for standing nowhere or more than once.
        """
        places = [at for at in range(len(text)) if text.startswith(quote, at)]
        if len(places) == 1:
            assert (places[0], places[0] + len(quote)) == locate(quote, text)
        else:
            with pytest.raises(QuoteAmbiguous if places else QuoteNotFound):
                locate(quote, text)

    def test_no_words_stand_nowhere(self) -> None:
        """
        An empty quote is no quote.
        """
        with pytest.raises(QuoteNotFound):
            locate("", TEXT)


class TestLoading:
    @pytest.fixture(name="folder")
    def _folder(self, tmp_path: Path) -> Path:
        """Another statement, of one sentence."""
        text = b"---\ndate: x\n---\n**Water**\n\nWe will meet\xc2\xa0\nin March 2031.\n"
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        self._write(tmp_path, "commitments", [
            {"id": "other-meet", "quote": "We will meet in March 2031.", "verb": "will", "strength": "commit",
             "section": "water", "themes": ["nature"], "title": words, "summary": words,
             "milestones": [{"id": "other-meet-day", "wording": "in March 2031", "edtf": "2031-03",
                             "reading": "during", "title": words}]},
        ])  # fmt: skip
        self._write(tmp_path, "statement", {
            "statement": {"id": "other", "title": words, "made_on": date(2030, 1, 1), "countries": ["US", "CA"],
                          "sha256": hashlib.sha256(text).hexdigest(), "text": "other.txt"},
            "sections": [{"id": "water", "heading": "Water", "title": words}],
            "themes": [{"id": "nature", "title": words}],
        })  # fmt: skip
        self._write(tmp_path, "anchors", [])
        self._write(tmp_path, "chronicle", [])
        (tmp_path / "other.txt").write_bytes(text)
        return tmp_path

    @staticmethod
    def _write(folder: Path, name: str, data: object) -> None:
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")

    def _change(self, folder: Path, **fields: object) -> None:
        rows = yaml.safe_load((folder / "commitments.yaml").read_text(encoding="utf-8"))
        self._write(folder, "commitments", [{**rows[0], **fields}])

    def test_a_milestone_may_lie_so_far_from_its_anchor(self, folder: Path) -> None:
        """
        Its days come from the anchor's by the offset; only what happens on the event has the event's time.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        anchor = {"id": "summit", "title": words, "edtf": "2031-03-10", "local_time": "09:30", "source": {"text": "s"}}
        self._write(folder, "anchors", [anchor])
        facts = {"wording": "March 2031", "title": words, "anchor_id": "summit"}
        after = {"direction": "after", "count": 2, "unit": "weeks"}
        self._change(
            folder,
            milestones=[{"id": "m", "reading": "on", **facts}, {"id": "n", "reading": "by", "offset": after, **facts}],
        )

        event, follower = load(folder).commitments[0].milestones

        assert (event.span.edtf, event.local_time, event.offset) == ("2031-03-10", "09:30", None)
        assert (follower.span.edtf, follower.local_time) == ("2031-03-24", None)

    def test_an_outcome_is_not_known_before_its_entry(self, folder: Path) -> None:
        """
        A row can say later what came of an event, and not earlier than it says anything.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        anchor = {"id": "summit", "title": words, "edtf": "2031-03-10", "source": {"text": "s"}}
        held = {"outcome": "held", "known_on": date(2031, 3, 11)}
        entry = {"fact": "f", "text": words, "source": {"text": "s"}, "anchor_id": "summit", "outcome": held}
        self._write(folder, "anchors", [anchor])
        self._write(folder, "chronicle", [{"known_on": date(2031, 3, 11), **entry}])
        assert load(folder).chronicle[0].outcome

        self._write(folder, "chronicle", [{"known_on": date(2031, 3, 12), **entry}])
        with pytest.raises(ValidationError, match="known with its entry, or later"):
            load(folder)

    def test_another_statement_is_another_folder(self, folder: Path) -> None:
        """
        Nothing but the folder's own files is needed to import another statement.
        """
        one = load(folder).commitments[0]

        assert one.countries == (Country.US, Country.CA)
        assert (date(2031, 3, 1), date(2031, 3, 31)) == (one.milestones[0].span.earliest, one.milestones[0].span.latest)
        assert one.milestones[0].zone == "America/New_York"

    def test_is_repeatable(self) -> None:
        """
        Loading twice gives the same catalogue, and it survives JSON.
        """
        assert load() == CATALOGUE == Catalogue.model_validate(CATALOGUE.model_dump(mode="json"), strict=False)

    def test_refuses_a_text_that_was_touched(self, tmp_path: Path) -> None:
        """
        One changed byte, even a line end, is another text.
        """
        folder = shutil.copytree(FOLDER, tmp_path / "copy")
        (folder / "joint-statement-2021-11-18.txt").write_bytes(PUBLISHED.replace(b"\n", b"\r\n"))

        with pytest.raises(TextChanged, match=SHA256):
            load(folder)

    def test_refuses_words_that_are_not_there(self, folder: Path) -> None:
        """
        A quote that isn't verbatim is refused, and the error shows it.
        """
        self._change(folder, quote="We shall meet")

        with pytest.raises(QuoteNotFound, match="We shall meet"):
            load(folder)

    def test_refuses_words_that_are_there_twice(self, folder: Path) -> None:
        """
        A quote without one position is refused.
        """
        self._change(folder, quote="e")

        with pytest.raises(QuoteAmbiguous):
            load(folder)

    @pytest.mark.parametrize(
        "fields",
        [
            {"themes": ["unheard-of"]},
            {"section": "unheard-of"},
            {"strength": "promise"},
            {"countries": []},
            {"countries": ["BR"]},
            {"ministry": "unheard-of"},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on", "anchor_id": "unheard-of"}]},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on", "edtf": "soon"}]},
            {"milestones": [{"id": "m", "wording": "w", "reading": "on"}]},
        ],
    )
    def test_refuses_what_does_not_fit(self, folder: Path, fields: dict[str, object]) -> None:
        """
        Unknown names, fields and dates are refused rather than passed on.
        """
        self._change(folder, **fields)

        with pytest.raises(ValueError):  # the catalogue's own errors and pydantic's are all of this kind
            load(folder)

    def test_refuses_an_id_given_twice(self, folder: Path) -> None:
        """
        Ids are unique.
        """
        rows = yaml.safe_load((folder / "commitments.yaml").read_text(encoding="utf-8"))
        self._write(folder, "commitments", rows * 2)

        with pytest.raises(ValidationError, match="not unique"):
            load(folder)

    @pytest.mark.parametrize(
        "row",
        [
            {},
            {"commitment_id": "other-meet", "edtf": "2031"},
            {"commitment_id": "other-meet", "outcome": {"outcome": "held", "known_on": date(2030, 2, 1)}},
            {"anchor_id": "unheard-of"},
            {"commitment_id": "unheard-of"},
        ],
    )
    def test_refuses_an_entry_about_nothing(self, folder: Path, row: dict[str, object]) -> None:
        """
        An entry is about an anchor or a commitment of the catalogue, and only anchors move.
        """
        words = {"en": "One", "es": "Uno", "fr": "Un"}
        entry = {"known_on": date(2030, 2, 1), "fact": "f", "text": words, "source": {"text": "s"}, **row}
        self._write(folder, "chronicle", [entry])

        with pytest.raises(ValidationError):
            load(folder)


class TestDays:
    @pytest.mark.parametrize(
        ("countries", "zone"),
        [
            ("CA", "America/Toronto"),
            ("US", "America/New_York"),
            ("MX", "America/Mexico_City"),
            ("CA US", "America/New_York"),
            ("CA MX", "America/Mexico_City"),
            ("US MX", "America/Mexico_City"),
            ("CA US MX", "America/Mexico_City"),
        ],
    )
    def test_end_in_the_last_capital(self, countries: str, zone: str) -> None:
        """
        On no day of forty years does another bound capital end the day later.
        """
        bound = [Country(country) for country in countries.split()]
        capitals = [deadlines.last_capital_zone([country]) for country in bound]

        assert zone == deadlines.last_capital_zone(bound) == deadlines.last_capital_zone(reversed(bound))
        for days in range(366 * 40):
            midnight = datetime.combine(date(2021, 1, 1) + timedelta(days), time())
            assert midnight.replace(tzinfo=ZoneInfo(zone)).timestamp() == max(
                midnight.replace(tzinfo=ZoneInfo(capital)).timestamp() for capital in capitals
            )

    def test_need_a_country(self) -> None:
        """
        A deadline that binds nobody has no zone.
        """
        with pytest.raises(ValueError, match="no country"):
            deadlines.last_capital_zone([])

    @pytest.mark.parametrize(
        ("edtf", "earliest", "latest", "precision"),
        [
            ("2021-12-31", date(2021, 12, 31), date(2021, 12, 31), Precision.DAY),
            ("2024-02", date(2024, 2, 1), date(2024, 2, 29), Precision.MONTH),
            ("2022-22", date(2022, 6, 1), date(2022, 8, 31), Precision.SEASON),
            ("2030", date(2030, 1, 1), date(2030, 12, 31), Precision.YEAR),
            ("202X", date(2020, 1, 1), date(2029, 12, 31), Precision.DECADE),
            ("2022-XX", date(2022, 1, 1), date(2022, 12, 31), Precision.YEAR),
            ("2022-12-XX", date(2022, 12, 1), date(2022, 12, 31), Precision.MONTH),
            ("2022-06-06/2022-06-10", date(2022, 6, 6), date(2022, 6, 10), Precision.DAY),
            ("2022-06/2022-07-04", date(2022, 6, 1), date(2022, 7, 4), Precision.MONTH),
        ],
    )
    def test_of_an_edtf_value(self, edtf: str, earliest: date, latest: date, precision: Precision) -> None:
        """
        First day, last day and precision of the kinds of dates that we keep.
        """
        span = deadlines.span_of(edtf)

        assert (edtf, earliest, latest, precision) == (span.edtf, span.earliest, span.latest, span.precision)

    @pytest.mark.parametrize(
        "edtf",
        ["", "soon", "2022-02-30", "2022-13", "../2030", "20XX", "2022~", "{2022}", "[2021,2022]", "0000",
         "2030/2022", "2022-XX-15", "XXXX"],
    )  # fmt: skip
    def test_are_refused_where_there_are_none(self, edtf: str) -> None:
        """
        What has no first and last day, or is vaguer than a decade, is no date to remind anybody of.
        """
        with pytest.raises(deadlines.UnreadableDate):
            deadlines.span_of(edtf)


def _is_read(at: int, commitments: list[Commitment], start: int, end: int) -> bool:
    """Whether the word stands in a quote, or in the verb of one, within its sentence."""
    verbs = [(TEXT.index(one.verb, start, end), one.verb) for one in commitments]
    quoted = any(one.quote.start <= at < one.quote.end for one in commitments)
    return quoted or any(place <= at < place + len(verb) for place, verb in verbs)


def _places(words: str) -> set[int]:
    """All positions that the words cover in the body."""
    return {
        at
        for found in re.finditer(re.escape(words), TEXT)
        if BODY.start <= found.start() < BODY.stop
        for at in range(*found.span())
    }


def _worded_with_place() -> Iterator[tuple[str, int, int]]:
    """Each milestone's wording with its place in its commitment's quote."""
    for commitment in CATALOGUE.commitments:
        for milestone in commitment.milestones:
            start = commitment.quote.start + commitment.quote.text.index(milestone.wording)
            yield milestone.wording, start, start + len(milestone.wording)
