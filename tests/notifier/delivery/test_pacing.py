"""The pace of a destination, played against receivers with limits of their own in virtual time."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.delivery.pacing import (
    LONGEST_OWN_WAIT,
    LONGEST_WAIT,
    QUICKEST,
    SLOWEST,
    Pace,
    guessed,
    limited,
    when_taken,
    when_told_to_wait,
    with_limit,
)


@dataclass
class Bucket:
    """A receiver with a token bucket: `rate` a second, `burst` at once; asks to wait `asks` seconds, if it says so."""

    rate: float
    burst: float = 1.0
    asks: float | None = 1.0
    tokens: float = 0.0
    at: float = 0.0
    refused: int = 0

    def takes(self, now: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return True
        self.refused += 1
        return False


def drained(receiver: Bucket, pace: Pace, messages: int, now: float = 10.0) -> tuple[float, list[float], Pace]:
    """Send so many messages one by one: how long it took, when each request was made, and the pace at the end."""
    began, requests = now, []
    while messages:
        requests.append(now)
        if receiver.takes(now):
            messages -= 1
            pace = when_taken(pace, 1)
            now += pace.seconds
        else:
            pace, wait = when_told_to_wait(pace, receiver.asks)
            now += wait
    return now - began, requests, pace


@pytest.mark.parametrize("rate", [0.5, 1.0, 4.0, 5.0])
def test_a_platform_with_a_known_limit_is_never_over_it_and_hardly_under(rate: float):
    receiver = Bucket(rate)

    took, _, _ = drained(receiver, limited(rate), 5_000)

    assert receiver.refused == 0
    assert took <= 1.05 * 5_000 / rate


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.25])
def test_a_receiver_far_slower_than_its_platform_says_so_a_few_times_only(rate: float):
    """And the pace is no more than twice too slow for it."""
    receiver = Bucket(rate, asks=1 / rate)

    _, _, pace = drained(receiver, limited(1.0), 40)

    assert receiver.refused <= 10
    assert 1 / rate <= pace.seconds <= 2.1 / rate


def test_a_receiver_that_was_away_is_sent_to_as_fast_as_before():
    """How often it was asked meanwhile says nothing about its pace."""
    pace = before = when_taken(limited(1.0), 1_000)
    for _ in range(20):
        pace, _ = when_told_to_wait(pace, 30.0)

    assert when_taken(pace, 1).seconds == before.seconds


@pytest.mark.parametrize("burst", [1.0, 10.0])
@pytest.mark.parametrize("asks", [None, 1.0, 5.0])
@pytest.mark.parametrize("rate", [0.2, 1.0, 3.0, 20.0])
def test_a_limit_that_nobody_told_us_is_found(rate: float, asks: float | None, burst: float):
    """It is a quarter slower than the limit at the worst, after a few minutes of search, and is told 1 % to wait."""
    receiver = Bucket(rate, burst, asks)

    took, _, _ = drained(receiver, when_told_to_wait(guessed(asks), asks)[0], 5_000)

    assert took <= 1.25 * 5_000 / rate + 200
    assert receiver.refused <= 50


def test_a_receiver_that_takes_less_than_its_platform_says_is_followed_and_comes_back_slowly():
    receiver = Bucket(0.5)
    _, _, slow = drained(receiver, limited(1.0), 1_000)
    refused, receiver.rate = receiver.refused, 10.0
    _, _, again = drained(receiver, slow, 20_000, receiver.at + 10)

    assert slow.seconds >= 2.0
    assert refused <= 20
    assert again.seconds == limited(1.0).seconds, "its limit again, and nothing faster"
    assert receiver.refused == refused


@given(st.lists(st.none() | st.floats(0, 1e9) | st.integers(1, 500), max_size=200), st.none() | st.floats(0.001, 1e4))
def test_whatever_happens_the_pace_keeps_its_bounds(happened: list[float | int | None], limit: float | None):
    pace = guessed(1.0) if limit is None else limited(limit)
    for one in happened:
        before = pace
        if isinstance(one, int):
            pace = when_taken(pace, one)
            assert not pace.is_probing
        else:
            pace, wait = when_told_to_wait(pace, one)
            assert min(one or 0.0, LONGEST_WAIT) <= wait <= max(LONGEST_WAIT, LONGEST_OWN_WAIT)
            assert wait >= 1.0
            assert pace.is_probing
            assert pace.round == before.round + 1
            assert pace.seconds >= before.seconds, "never faster for having been told to wait"
        assert (pace.fastest or min(QUICKEST, before.seconds)) <= pace.seconds <= max(SLOWEST, pace.fastest)


def test_who_always_says_to_wait_is_asked_ever_more_seldom():
    pace, waits = limited(1.0), []
    for _ in range(20):
        pace, wait = when_told_to_wait(pace, 0.0)
        waits.append(wait)

    assert waits[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(waits[10:]) == {300}


def test_another_limit_holds_from_then_on():
    assert with_limit(limited(10.0), 1.0).seconds == limited(1.0).seconds
    assert with_limit(limited(1.0), None).fastest == 0.0
    assert with_limit(limited(1.0), 10.0).seconds == limited(1.0).seconds, "faster only step by step"
