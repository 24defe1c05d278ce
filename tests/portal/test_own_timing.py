"""When one is told, on the page of one's own: the portal and the real notifier, and the form as a rule."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.subscriptions.timing_form import TimingForm
from services.portal.clients.notifier import HolidayRegionView, QuietHoursView, TimingView
from services.portal.routes.timing_wishes import (
    OFFERED_HOLIDAYS,
    RHYTHMS,
    WEEKDAYS,
    TimingWishes,
    timing_as_wished,
)
from tests.notifier.scenes import Filters
from tests.portal.readers import Reader, reader, url
from tests.portal.test_pages import checked, words_in

__all__ = ["reader", "url"]
NOW = datetime(2022, 12, 1, 12, tzinfo=UTC)
ZONE = "America/Mexico_City"


async def test_from_the_link_to_weekly_quiet_from_eight_in_french_and_no_more_flags(reader: Reader) -> None:
    """
    What a new reader wants first, in one form and one click.
    """
    id_, path = await reader.subscribed(filters=Filters(events=("milestone-due", "consistency-flagged")))
    page = await reader.open(path)
    answer = await reader.send(path, page, language="fr", events=["milestone-due"], rhythm="weekly", quiet="each-day")
    row = await reader.row(id_)
    again = words_in(await reader.open(answer.headers["location"])).replace("\xa0", " ").replace("\u202f", " ")

    assert answer.status_code == 303, answer.text
    assert (row["language"], row["events"]) == ("fr", ["milestone-due"])
    assert (row["timing"]["rhythm"], row["timing"]["weekday"], row["timing"]["at"]) == ("weekly", "monday", "09:00")
    assert [(one["begins"], one["ends"]) for one in row["timing"]["quiet_hours"]] == [("20:00", "07:00")]
    assert "Une fois par semaine, en une seule fois, lundi, 09 h 00" in again
    assert "Heures de silence : de 20 h 00 à 07 h 00" in again


async def test_a_timing_is_given_up_and_what_the_page_does_not_know_is_kept(reader: Reader) -> None:
    own = {"rhythm": "daily", "quiet_hours": [{"begins": "18:00", "ends": "08:00", "weekdays": ["friday"]}]}
    id_, path = await reader.subscribed(timing=own)
    page = await reader.open(path)
    assert {"daily", "own"} <= set(checked(page))
    await reader.send(path, page, **{"rhythm": "weekly", "digest-day": "friday", "digest-at": "16:30"})
    kept = (await reader.row(id_))["timing"]
    assert (kept["rhythm"], kept["weekday"], kept["at"]) == ("weekly", "friday", "16:30")
    assert kept["quiet_hours"][0]["weekdays"] == ["friday"]

    await reader.send(path, await reader.open(path), rhythm="immediate", quiet="none")
    assert (await reader.row(id_))["timing"] is None


async def test_a_mute_ends_when_its_day_has_ended_in_the_readers_zone(reader: Reader) -> None:
    id_, path = await reader.subscribed()
    await reader.send(path, await reader.open(path), **{"mute-until": "2023-08-01", "mute-what": "climate"})
    [mute] = (await reader.row(id_))["timing"]["mutes"]
    page = await reader.open(path)
    await reader.send(path, page, mutes=[])

    assert mute["filters"]["themes"] == ["climate"]
    assert datetime.fromisoformat(mute["until"]) == datetime(2023, 8, 2, tzinfo=ZoneInfo(ZONE))
    assert "Climate action until August 2, 2023" in words_in(page)
    assert (await reader.row(id_))["timing"] is None


@pytest.mark.parametrize(
    ("entered", "wrong"),
    [
        ({"rhythm": "hourly"}, "rhythm"),
        ({"rhythm": "daily", "digest-at": "25:00"}, "rhythm"),
        ({"rhythm": "weekly", "digest-day": "someday"}, "rhythm"),
        ({"quiet": "each-day", "quiet-begins": "8pm"}, "quiet"),
        ({"quiet": "each-day", "quiet-begins": "07:00", "quiet-ends": "07:00"}, "quiet"),
        ({"quiet": "own"}, "quiet"),
        ({"holidays": ["XX"]}, "holidays"),
        ({"mute-until": "1999-01-01"}, "mutes"),
        ({"mute-until": "2030-01-01"}, "mutes"),
        ({"mute-until": "2023-02-30"}, "mutes"),
    ],
)
async def test_a_time_that_can_not_be_stands_beside_its_field(
    reader: Reader, entered: dict[str, Any], wrong: str
) -> None:
    id_, path = await reader.subscribed()
    answer = await reader.send(path, await reader.open(path), **entered)

    assert answer.status_code == 422
    assert f'id="wrong-{wrong}"' in answer.text
    assert (await reader.row(id_))["timing"] is None


@pytest.mark.parametrize(("offer", "rhythm", "mutes"), [("weekly", "weekly", 0), ("month", "immediate", 1)])
async def test_less_instead_of_none_takes_one_click(reader: Reader, offer: str, rhythm: str, mutes: int) -> None:
    id_, path = await reader.subscribed()
    stop = f"{path}/stop"
    answer = await reader.send(stop, await reader.open(stop), do=offer)
    row = await reader.row(id_)

    assert (answer.status_code, row["state"]) == (303, "active")
    assert (row["timing"]["rhythm"], len(row["timing"]["mutes"])) == (rhythm, mutes)


WALL = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
TIMINGS = st.builds(
    TimingView,
    rhythm=st.sampled_from(RHYTHMS),
    at=WALL,
    weekday=st.sampled_from(WEEKDAYS),
    quiet_hours=st.lists(
        st.builds(
            QuietHoursView,
            begins=WALL,
            ends=WALL,
            weekdays=st.lists(st.sampled_from(WEEKDAYS), unique=True, max_size=3).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    holidays=st.lists(st.sampled_from(OFFERED_HOLIDAYS), unique=True).map(
        lambda codes: tuple(HolidayRegionView(country=code) for code in sorted(codes))
    ),
)


@given(TIMINGS)
def test_a_form_that_is_sent_as_it_stands_changes_nothing(timing: TimingView) -> None:
    wishes = TimingWishes.of(timing)
    wished = timing_as_wished(timing, wishes, ZONE, NOW)
    is_too_quiet = wishes.quiet == "each-day" and "quiet" in wished.wrong

    assert is_too_quiet or not wished.wrong
    if not is_too_quiet:
        expected = None if timing.is_at_any_time else timing.model_dump(mode="json")
        if wishes.quiet == "each-day" and expected:
            expected["quiet_hours"][0]["weekdays"] = []
        assert wished.asked == expected


@given(
    st.builds(
        TimingWishes,
        rhythm=st.sampled_from([*RHYTHMS, "x"]),
        at=WALL | st.text(max_size=5),
        weekday=st.sampled_from(WEEKDAYS),
        quiet=st.sampled_from(["none", "each-day", "own"]),
        begins=WALL | st.text(max_size=5),
        ends=WALL,
        holidays=st.frozensets(st.sampled_from([*OFFERED_HOLIDAYS, "XX", ""])),
        mute_what=st.sampled_from(["", "climate"]),
        mute_until=st.dates(date(2022, 1, 1), date(2025, 1, 1)).map(str) | st.text(max_size=10),
    )
)
def test_whatever_is_entered_is_refused_beside_its_field_or_taken_by_the_notifier(wishes: TimingWishes) -> None:
    wished = timing_as_wished(TimingView(), wishes, ZONE, NOW)

    assert wished.wrong <= {"rhythm", "quiet", "holidays", "mutes"}
    if wished.asked is not None:
        form = TimingForm.model_validate(wished.asked)
        assert all(NOW < mute.until <= NOW + timedelta(days=366) for mute in form.mutes)
