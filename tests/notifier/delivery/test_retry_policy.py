"""When the notifier tries again: the table, its jitter, and what the receiver wishes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.channels.outcomes import Accepted, Delivered, FailureReason, Refused, Unknown
from services.notifier.delivery.retry_policy import (
    JITTER,
    LEAST_WHEN_OVERLOADED,
    LONGEST_TABLE,
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    TABLE,
    next_after_deferral,
    next_attempt,
)

NOW = datetime(2021, 11, 18, 15, 0, tzinfo=UTC)
BUSY = Refused(FailureReason.BUSY, 503, retryable=True)
chances = st.floats(0, 1, exclude_max=True)


def test_the_schedule_is_that_of_standard_webhooks_in_virtual_time():
    """Without jitter's luck the attempts lie at 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h."""
    at, gaps = NOW, []
    for attempts in range(1, MOST_ATTEMPTS):
        again = next_attempt(attempts, BUSY, at, 0.5)
        assert again is not None
        gaps.append((again - at).total_seconds())
        at = again

    assert pytest.approx(gaps) == [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
    assert timedelta(hours=75, minutes=35, seconds=5) == at - NOW
    assert next_attempt(MOST_ATTEMPTS, BUSY, at, 0.5) is None


@given(st.integers(1, MOST_ATTEMPTS - 1), chances)
def test_jitter_moves_a_wait_by_a_fifth_at_most(attempts: int, chance: float):
    again = next_attempt(attempts, BUSY, NOW, chance)

    assert again is not None
    wait = (again - NOW).total_seconds()
    assert TABLE[attempts] * (1 - JITTER) - 1e-5 <= wait <= TABLE[attempts] * (1 + JITTER) + 1e-5


@given(chances)
def test_who_is_overwhelmed_gets_a_breath(chance: float):
    again = next_attempt(1, Unknown(FailureReason.TIMEOUT), NOW, chance)

    assert again is not None
    assert LEAST_WHEN_OVERLOADED * (1 - JITTER) <= (again - NOW).total_seconds() <= LEAST_WHEN_OVERLOADED * (1 + JITTER)


@given(st.integers(1, 10_000), st.none() | st.floats(0, 1e9), st.timedeltas(timedelta(0), LONGEST_TABLE * 2))
def test_who_is_told_to_wait_comes_again_no_sooner_and_in_the_end_not_at_all(
    deferrals: int, asked: float | None, ago: timedelta
):
    again = next_after_deferral(deferrals, asked, NOW - ago, NOW)

    assert (again is None) == (ago >= LONGEST_TABLE)
    if again is not None:
        wait = (again - NOW).total_seconds()
        assert min(asked or 0.0, LONGEST_WAIT) - 1e-5 <= wait <= LONGEST_WAIT, "as it asks, but a day at the most"
        assert wait >= 1.0


@pytest.mark.parametrize("asked", [None, 0.0, 1.0, 30.0])
def test_who_asks_to_wait_without_end_is_not_asked_without_end(asked: float | None):
    at, asks = NOW, 0
    while (again := next_after_deferral(asks + 1, asked, NOW, at)) is not None:
        at, asks = again, asks + 1

    assert LONGEST_TABLE <= at - NOW < LONGEST_TABLE + timedelta(hours=1)
    assert asks < 100


@pytest.mark.parametrize(
    "outcome",
    [Delivered(200), Accepted(202), Refused(FailureReason.REFUSED, 400), Refused(FailureReason.GONE, 410, gone=True)],
)
def test_what_is_over_is_not_tried_again(outcome: Delivered | Accepted | Refused):
    assert next_attempt(1, outcome, NOW, 0.5) is None
