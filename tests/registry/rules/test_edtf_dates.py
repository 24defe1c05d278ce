"""EDTF values into days, and in whose calendar the days are counted."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from contracts.vocabulary import Precision
from services.registry.rules import edtf_dates as deadlines
from services.registry.rules.parties import UnknownParty
from tests.registry.catalogue.material import twenty_parties


class TestDays:
    @pytest.mark.parametrize(
        ("parties", "zone"),
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
    def test_end_in_the_last_capital(self, parties: str, zone: str) -> None:
        """
        On no day of forty years does another bound capital end the day later.
        """
        bound = parties.split()
        capitals = [deadlines.last_capital_zone([party]) for party in bound]

        assert zone == deadlines.last_capital_zone(bound) == deadlines.last_capital_zone(reversed(bound))
        for days in range(366 * 40):
            midnight = datetime.combine(date(2021, 1, 1) + timedelta(days), time())
            assert midnight.replace(tzinfo=ZoneInfo(zone)).timestamp() == max(
                midnight.replace(tzinfo=ZoneInfo(capital)).timestamp() for capital in capitals
            )

    def test_need_a_party(self) -> None:
        """
        A deadline that binds nobody has no zone.
        """
        with pytest.raises(ValueError, match="no party"):
            deadlines.last_capital_zone([])

    @pytest.mark.parametrize("party", ["XX", "UK", "org-african-union"])
    def test_need_parties_that_there_are(self, party: str) -> None:
        """
        A code that no country has, or an organisation of which nobody tells, has no calendar.
        """
        with pytest.raises(UnknownParty, match=party):
            deadlines.last_capital_zone(["MX", party])

    @pytest.mark.parametrize(
        ("parties", "zone"),
        [
            ("org-african-union", "Africa/Addis_Ababa"),
            ("org-african-union org-european-union", "Europe/Brussels"),
            ("FR org-african-union BR", "America/Sao_Paulo"),
            ("JP IN", "Asia/Kolkata"),
            ("NZ WS", "Pacific/Auckland"),
        ],
    )
    def test_end_where_an_organisation_has_its_seat(self, parties: str, zone: str) -> None:
        """
        Every country has a capital, and an organisation the seat that its statement tells.
        """
        told = twenty_parties().statement.organisations

        assert deadlines.last_capital_zone(parties.split(), told) == zone

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
