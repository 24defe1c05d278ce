"""Nobody reports from days that have not come."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.registry.rules.errors import Invalid
from services.registry.rules.report_times import CLOCK_SKEW, check_known_on, check_reported_at

LATEST = datetime(2022, 3, 21, 15, 0, tzinfo=UTC)


def test_a_report_may_be_a_clock_s_difference_ahead_and_no_more() -> None:
    check_reported_at(LATEST + CLOCK_SKEW, LATEST)

    with pytest.raises(Invalid, match="dated ahead"):
        check_reported_at(LATEST + CLOCK_SKEW + timedelta(microseconds=1), LATEST)


def test_a_day_counts_once_it_has_begun_anywhere() -> None:
    check_known_on(date(2022, 3, 22), LATEST)  # 05:00 on the Line Islands

    with pytest.raises(Invalid, match="2022-03-23"):
        check_known_on(date(2022, 3, 23), LATEST)
