"""What ends is started again: after a pause that grows while it goes on ending, and never by a rush."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cli.up.supervision import LONGEST_PAUSE, SHORTEST_PAUSE, STEADY_AFTER, RestartPolicy, pause_after

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@given(st.integers(1, 10_000))
def test_a_pause_grows_to_a_minute(failures: int) -> None:
    """
    It begins with a second, never shrinks with one more failure, and is a minute at most.
    """
    assert pause_after(1) == SHORTEST_PAUSE
    assert SHORTEST_PAUSE <= pause_after(failures) <= pause_after(failures + 1) <= LONGEST_PAUSE


def test_what_ends_is_due_once_its_pause_is_over() -> None:
    """
    An end is told once, and what ended is due when the pause is over, until it has been started.
    """
    policy = RestartPolicy()
    policy.started("notifier", NOON)

    assert policy.ended("notifier", NOON) == SHORTEST_PAUSE
    assert policy.ended("notifier", NOON) is None
    assert policy.due(NOON) == []
    assert policy.due(NOON + SHORTEST_PAUSE) == ["notifier"]
    policy.started("notifier", NOON + SHORTEST_PAUSE)
    assert policy.due(NOON + timedelta(days=1)) == []


@given(st.lists(st.timedeltas(timedelta(), STEADY_AFTER * 3), min_size=1, max_size=30))
def test_who_ran_for_long_is_started_at_once(runs: list[timedelta]) -> None:
    """
    After whatever history, an end that follows a minute of running has the shortest pause; a shorter run a longer one.
    """
    policy, now = RestartPolicy(), NOON
    in_a_row = 0
    for ran in runs:
        policy.started("portal", now)
        now += ran
        in_a_row = 1 if ran >= STEADY_AFTER else in_a_row + 1
        assert policy.ended("portal", now) == pause_after(in_a_row)
        now += LONGEST_PAUSE


def test_each_has_a_pause_of_its_own() -> None:
    """
    One that goes on ending holds up no other.
    """
    policy = RestartPolicy()
    for _ in range(5):
        policy.started("registry", NOON)
        policy.ended("registry", NOON)
    policy.started("portal", NOON)
    policy.ended("portal", NOON)

    assert policy.due(NOON + SHORTEST_PAUSE) == ["portal"]
