"""When a subscription wants to be told: what may be asked for, what is refused, and what is kept."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.notifier.subscriptions.timing_form import TimingForm, kept_timing, timing_column
from services.notifier.timing.first_allowed import first_allowed
from services.notifier.timing.quiet_hours import WEEKDAYS, QuietHours
from services.notifier.timing.rhythm import Rhythm
from services.plumbing.business_days import regional_calendar
from services.plumbing.zones import zone_named
from tests.notifier.requests import subscribed
from tests.notifier.scenes import NOW

NIGHT = {"begins": "20:00", "ends": "07:00"}
walls = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
quiet = st.fixed_dictionaries(
    {"begins": walls, "ends": walls, "weekdays": st.lists(st.sampled_from(WEEKDAYS), max_size=7)}
)
timings = st.fixed_dictionaries(
    {
        "rhythm": st.sampled_from(["immediate", "daily", "weekly"]),
        "at": walls,
        "weekday": st.sampled_from(WEEKDAYS),
        "quiet_hours": st.lists(quiet, max_size=4),
        "holidays": st.lists(st.sampled_from([{"country": "MX"}, {"country": "SA"}]), max_size=2),
    }
)


def test_a_timing_comes_to_the_rules_that_it_says() -> None:
    form = TimingForm.model_validate(
        {
            "rhythm": "weekly",
            "at": "08:30",
            "weekday": "friday",
            "quiet_hours": [NIGHT | {"weekdays": ["friday", "monday", "friday"]}],
            "holidays": [{"country": "CA", "subdivision": "QC"}],
            "mutes": [{"filters": {"themes": ["climate"]}, "until": "2026-03-01T00:00:00-06:00"}],
        }
    )
    rules = form.rules
    assert rules.rhythm == Rhythm("weekly", time(8, 30), 4)
    assert rules.quiet == (QuietHours(time(20), time(7), frozenset({0, 4})),)
    assert rules.holidays == (regional_calendar("CA-QC"),)
    assert rules.mutes[0].ends == datetime(2026, 3, 1, 6, tzinfo=UTC)
    assert rules.mutes[0].filters.themes == {"climate"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"rhythm": "hourly"},
        {"at": "9:00"},
        {"weekday": "someday"},
        {"quiet_hours": [{"begins": "20:00"}]},
        {"quiet_hours": [{"begins": "00:00", "ends": "00:00"}]},
        {"quiet_hours": [{"begins": "00:00", "ends": "23:30"}]},
        {"quiet_hours": [NIGHT | {"begins": "07:00", "ends": "06:30"}]},
        {
            "quiet_hours": [{"begins": "00:00", "ends": "00:00", "weekdays": [day]} for day in WEEKDAYS[:5]],
            "holidays": [{"country": "MX"}],
        },
        {"holidays": [{"country": "XX"}]},
        {"mutes": [{"until": 1772323200}]},
        {"mutes": [{"until": "1772323200"}]},
        {"mutes": [{"until": "2026-03-01"}]},
        {"mutes": [{"until": "2026-03-01T00:00:00"}]},
        {"mutes": [{"filters": {"themes": ["climate"]}}]},
        {"timezone": "America/Mexico_City"},
    ],
)
def test_what_says_nothing_or_leaves_no_time_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TimingForm.model_validate(wrong)


@given(timings)
def test_what_is_taken_always_leaves_a_time_and_is_kept_as_it_is(written: dict[str, Any]) -> None:
    try:
        form = TimingForm.model_validate(written)
    except ValidationError:
        return
    kept = timing_column(form, NOW)
    assert (kept_timing(kept) or TimingForm()).rules == (TimingForm() if form.is_at_any_time else form).rules
    assert first_allowed(NOW, form.rules, zone_named("America/Toronto")).at < NOW + timedelta(days=45)


def test_mutes_that_are_over_are_not_kept() -> None:
    until = [(NOW + timedelta(hours=n)).isoformat() for n in (-1, 0, 1)]
    form = TimingForm.model_validate({"mutes": [{"until": one} for one in until]})
    kept = kept_timing(timing_column(form, NOW))
    assert kept and [mute.until for mute in kept.mutes] == [NOW + timedelta(hours=1)]
    assert timing_column(form, NOW + timedelta(hours=2)) is None
    with pytest.raises(ValueError, match="within 366 days"):
        timing_column(form, NOW - timedelta(days=366))


async def test_a_timing_is_set_changed_and_given_up(http: httpx.AsyncClient) -> None:
    mail = await subscribed(
        http, channel="email", address="alguien@sre.example", timing={"rhythm": "daily", "quiet_hours": [NIGHT]}
    )
    assert (mail["timing"]["rhythm"], mail["timing"]["at"]) == ("daily", "09:00")
    at = f"/subscriptions/{mail['id']}"
    other = await http.patch(at, json={"language": "fr"})
    assert other.json()["timing"] == mail["timing"]
    weekly = await http.patch(at, json={"timing": {"rhythm": "weekly"}})
    assert (weekly.json()["timing"]["rhythm"], weekly.json()["timing"]["quiet_hours"]) == ("weekly", [])
    assert (await http.patch(at, json={"timing": None})).json()["timing"] is None
    assert (await http.patch(at, json={"timing": {"rhythm": "immediate"}})).json()["timing"] is None
    long = {"mutes": [{"until": (NOW + timedelta(days=400)).isoformat()}]}
    refused = await http.patch(at, json={"timing": long}, headers={"accept-language": "es"})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/refused-by-rule")
    assert refused.json()["detail"] == "un silenciamiento termina en un plazo de 366 días"


async def test_a_webhook_has_mutes_and_no_rhythm(http: httpx.AsyncClient) -> None:
    mute = {"mutes": [{"until": (NOW + timedelta(days=1)).isoformat()}]}
    hook = await subscribed(http, timing=mute)
    assert len(hook["timing"]["mutes"]) == 1
    for timing in ({"rhythm": "daily"}, {"quiet_hours": [NIGHT]}, {"holidays": [{"country": "MX"}]}):
        changed = await http.patch(f"/subscriptions/{hook['id']}", json={"timing": timing})
        assert (changed.status_code, changed.json()["type"]) == (422, "/problems/refused-by-rule")
        made = await http.post(
            "/subscriptions",
            json={"subscriber": "a", "channel": "webhook", "address": "http://127.0.0.1:8025/b", "timing": timing},
        )
        assert (made.status_code, made.json()["type"]) == (422, "/problems/refused-by-rule")
