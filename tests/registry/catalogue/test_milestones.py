"""Milestones, anchors and the chronicle: every date in the statement's words or with its source."""

import hashlib
import re
from datetime import date

import pytest
from edtf import parse_edtf

from contracts.commitments import Milestone
from contracts.vocabulary import Precision, Reading, Status
from services.registry.rules import edtf_dates as deadlines
from tests.registry.catalogue.material import ALL, ANCHORS, BY_ID, CATALOGUE, FOLDER, MILESTONES

CHRONICLE_SHA256 = "24c8aed69cb1ffeeb2b96f4f06125d69d03c97d593d9cc1be844599efc05def5"
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
        "by 2023", "2023", date(2023, 1, 1), date(2023, 12, 31), Precision.YEAR, Reading.BY, ("CA",),
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


class TestMilestones:
    def test_the_text_dates_six(self) -> None:
        """
        Wording, EDTF value, days, precision, reading, parties, zone and anchor of the six.
        """
        dated = {
            name: (
                one.wording, one.span.edtf, one.span.earliest, one.span.latest, one.span.precision, one.reading,
                one.parties, one.zone, one.anchor_id,
            )
            for name, one in MILESTONES.items()
            if one.span.latest and one.anchor_id in (None, "nals-2022")
        }  # fmt: skip

        assert dated == DATED_BY_THE_TEXT

    def test_the_others_hang_on_anchors_or_have_no_date(self) -> None:
        """
        Beyond the six there are the Drug Dialogue and what goes on after it, two summits, and the medium term.
        """
        assert {name: one.wording for name, one in MILESTONES.items() if name not in DATED_BY_THE_TEXT} == {
            "nals-2021-drugs-and-firearms-dialogue": "in 2022 and beyond",
            "nals-2021-drugs-and-firearms-beyond": "in 2022 and beyond",
            "nals-2021-summit-for-democracy-participation": "the Summit for Democracy",
            "nals-2021-summit-of-the-americas-participation": "the Summit of the Americas",
            "nals-2021-fossil-subsidies-medium-term-phase-out": "over the medium term",
        }

    def test_what_goes_on_beyond_a_year_has_no_last_day(self) -> None:
        """
        The Dialogue's meetings hang on the anchor; "and beyond" is kept by a milestone that no meeting ends.
        """
        beyond = MILESTONES["nals-2021-drugs-and-firearms-beyond"]

        assert (beyond.reading, beyond.span.edtf, beyond.span.latest) == (Reading.FROM, "2022/..", None)
        assert [beyond] == [one for one in MILESTONES.values() if one.reading is Reading.FROM]

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

        assert canada.parties == ("CA",)
        assert others.parties == ("MX", "US")
        assert [one.wording for one in canada.milestones] == ["by 2023"]
        assert [one.wording for one in others.milestones] == ["over the medium term"]
        assert {canada, others} == {one for one in CATALOGUE.commitments if one.parties != ALL}

    @pytest.mark.parametrize("one", MILESTONES.values(), ids=lambda one: one.id)
    def test_keep_the_words_and_the_days_of_their_edtf_value(self, one: Milestone) -> None:
        """
        Wording is the quote's own, and the days are the EDTF value's first and last, whatever the reading.
        """
        owner = next(commitment for commitment in CATALOGUE.commitments if one in commitment.milestones)

        assert one.wording in owner.quote.text
        assert one.id.startswith(f"{owner.id}-")
        assert set(one.parties) <= set(owner.parties)
        assert (one.span.edtf is None) == (one.reading is Reading.UNDATED)
        if one.span.edtf:
            value = parse_edtf(one.span.edtf)
            assert one.span.edtf == str(value)
            assert one.span.earliest == date(*value.lower_strict()[:3])
            is_open = one.reading is Reading.FROM  # an interval without an end has no last day
            assert one.span.latest == (None if is_open else date(*value.upper_strict()[:3]))

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
        The zone is the last capital's among the parties bound.
        """
        assert deadlines.last_capital_zone(one.parties) == one.zone


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
        The entries are the rows of the chronicle, in their order, with day, fact and source unaltered; a row that
        names a later day in its fact has an entry for that day too.
        """
        chronicle = (FOLDER / "chronicle.md").read_bytes()
        table = re.findall(r"^\| (\d{4}-\d\d-\d\d) \| (.+) \| (.+) \|$", chronicle.decode(), re.MULTILINE)

        assert hashlib.sha256(chronicle).hexdigest() == CHRONICLE_SHA256
        assert len(table) == 14
        told = [(str(entry.known_on), entry.fact, entry.source.text) for entry in CATALOGUE.chronicle]
        assert table == [entry for entry in told if entry in table]
        later = [entry for entry in told if entry not in table]
        assert [day for day, _, _ in later] == ["2022-06-14"]
        for day, fact, source in later:
            assert (fact, source) in {(row_fact, row_source) for _, row_fact, row_source in table}
            assert day in fact

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
        Coal finance is kept per party, and nothing is said of Mexico.
        """
        reported = [
            (entry.commitment_id, report.party, report.status)
            for entry in CATALOGUE.chronicle
            for report in entry.reports
        ]

        assert reported == [
            ("nals-2021-coal-finance", "CA", Status.IN_PROGRESS),
            ("nals-2021-coal-finance", "US", Status.IN_PROGRESS),
            *(("nals-2021-drugs-and-firearms", party, Status.IN_PROGRESS) for party in ("CA", "MX", "US") * 2),
            ("nals-2021-fossil-subsidies-canada", "CA", Status.IN_PROGRESS),
            *(("nals-2021-next-summit", party, Status.PARTLY_MET) for party in ("CA", "MX", "US")),
        ]

    def test_reports_only_on_parties_that_are_bound(self) -> None:
        """
        A party is reported on only where it is bound.
        """
        for entry in CATALOGUE.chronicle:
            for report in entry.reports:
                assert report.party in BY_ID[entry.commitment_id or ""].parties

    def test_ends_nothing_that_goes_on(self) -> None:
        """
        What has a milestone without a last day ("and beyond", "over the medium term") is met by no report.
        """
        for entry in CATALOGUE.chronicle:
            milestones = BY_ID[entry.commitment_id].milestones if entry.commitment_id else ()
            if any(one.span.latest is None for one in milestones):
                assert not {report.status for report in entry.reports} & {Status.MET, Status.PARTLY_MET, Status.MISSED}
