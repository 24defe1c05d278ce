"""Pauses grow and start anew; what passes is waited out, and nothing else is."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.plumbing import retry
from services.plumbing.retry import Backoff, until_it_works
from services.plumbing.transient_errors import Unavailable


def pauses(backoff: Backoff, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        taken.append(backoff.pause)
        backoff.grow()
    return taken


def test_pauses_double_up_to_the_longest() -> None:
    assert pauses(Backoff(longest=5.0), 8) == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


@given(st.floats(0.001, 10), st.floats(0, 100), st.integers(0, 40))
def test_pauses_never_shrink_until_something_works_and_never_pass_the_longest(
    first: float, more: float, failures: int
) -> None:
    backoff = Backoff(first + more, first)

    taken = pauses(backoff, failures)
    assert taken == sorted(taken)
    assert all(first <= pause <= first + more for pause in taken)
    backoff.reset()
    assert backoff.pause == first


@pytest.mark.parametrize(("longest", "first"), [(0.0, 0.0), (1.0, 2.0), (1.0, -0.1)])
def test_pauses_that_can_t_grow_are_refused(longest: float, first: float) -> None:
    with pytest.raises(ValueError, match="grow"):
        Backoff(longest, first)


async def test_an_event_ends_the_pause() -> None:
    backoff, stopping = Backoff(longest=60.0, first=30.0), asyncio.Event()

    asyncio.get_running_loop().call_later(0.01, stopping.set)
    begun = time.monotonic()
    await backoff.wait(stopping)

    assert time.monotonic() - begun < 10
    assert backoff.pause == 60.0


async def test_it_tries_until_it_works(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(retry.asyncio, "sleep", sleep)
    faults: list[Exception] = [Unavailable("1"), ConnectionError("2"), TimeoutError("3")]
    left, told = list(faults), list[tuple[Exception, float]]()

    async def attempt() -> str:
        if left:
            raise left.pop(0)
        return "done"

    result = await until_it_works(attempt, Backoff(longest=0.2), lambda error, pause: told.append((error, pause)))

    assert result == "done"
    assert told == list(zip(faults, slept, strict=True))
    assert slept == [0.1, 0.2, 0.2]


async def test_what_does_not_pass_is_raised_at_once() -> None:
    tries = 0

    async def attempt() -> None:
        nonlocal tries
        tries += 1
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        await until_it_works(attempt, Backoff(longest=1.0), lambda error, pause: None)
    assert tries == 1


async def test_what_is_told_of_a_failure_may_take_its_time_before_the_next_try() -> None:
    order: list[str] = []

    async def attempt() -> None:
        order.append("try")
        if len(order) < 3:
            raise Unavailable

    async def failed(error: Exception, pause: float) -> None:
        await asyncio.sleep(0)
        order.append("cleaned up")

    await until_it_works(attempt, Backoff(longest=0.001, first=0.001), failed)

    assert order == ["try", "cleaned up", "try"]
