"""The policy: defaults, settings by name, and what a setting may not say."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.notifier.retention import POLICY as NOTIFIER
from services.plumbing.retention.policy import KeptRows, RetentionSettings, periods
from services.plumbing.settings_faults import faults_of_settings
from services.registry.retention import POLICY as REGISTRY
from services.scheduler.retention import POLICY as SCHEDULER

LOG = KeptRows("log", "lines", days=30, least=7, why="somebody reads them for a week")


def settings(days: str) -> RetentionSettings:
    return RetentionSettings.model_validate({"days": days})


def test_a_setting_stands_in_the_place_of_a_default():
    assert periods([LOG], settings("")) == {"log": timedelta(days=30)}
    assert periods([LOG], settings("log=7, other=1")) == {"log": timedelta(days=7)}
    assert periods([LOG], settings("log=forever")) == {}


def test_fewer_days_than_the_least_are_refused_with_the_reason():
    with pytest.raises(ValidationError) as refused:
        periods([LOG], settings("log=6"))
    assert faults_of_settings(refused.value) == (
        "RETENTION_DAYS: log is kept for 7 days at least: somebody reads them for a week"
    )


@pytest.mark.parametrize("days", ["log", "log=", "=7", "log=soon", "log=-1", "log=1e3", "log=99999999"])
def test_what_is_no_number_of_days_is_refused(days: str):
    with pytest.raises(ValidationError, match="NAME=DAYS"):
        settings(days)


def test_the_defaults_keep_what_their_least_times_ask_for():
    for policy in (REGISTRY, SCHEDULER, NOTIFIER):
        assert all(one.days >= one.least for one in policy)
        assert len({one.name for one in policy}) == len(policy)
        assert periods(policy, RetentionSettings()) == {one.name: timedelta(days=one.days) for one in policy}


def test_records_are_kept_longer_than_their_topic_keeps_them():
    """A record that turns up again is known; what a topic keeps for ever is kept for ever."""
    kept = {one.name: one for policy in (REGISTRY, SCHEDULER, NOTIFIER) for one in policy}
    assert (kept["milestone-due"].least, kept["delivery-settled"].least) == (98, 38)
    assert kept.keys().isdisjoint({"commitment-created", "status-changed", "ladder-chosen", "api-key-changed"})
