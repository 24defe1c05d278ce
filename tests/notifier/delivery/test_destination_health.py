"""How destinations do: figures that add up, over few names however many destinations there are."""

import time
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from services.notifier.channels.outcomes import (
    Accepted,
    AttemptOutcome,
    Deferred,
    Delivered,
    FailureReason,
    Refused,
    Unknown,
    failed_for_its_destination,
)
from services.notifier.delivery import destination_health
from services.notifier.delivery.destination_health import (
    LONGEST_MEMORY,
    MOST_NAMED,
    OTHERS,
    WINDOW,
    DestinationFigures,
    DestinationHealth,
)
from services.notifier.delivery.metrics import DestinationCollector

NAMES = [bytes([number]) * 16 for number in range(60)]
ATTEMPTS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(["email", "slack"]), st.floats(0, 2000), st.booleans()),
    max_size=200,
)


@given(ATTEMPTS, st.floats(0, 500))
def test_every_attempt_of_the_window_counts_once_under_few_names(
    attempts: list[tuple[bytes, str, float, bool]], later: float
) -> None:
    """
    A destination belongs to one channel. The window ends with the minute, so one minute's attempts may be in or out.
    """
    health, channels = DestinationHealth(), {name: channel for name, channel, _, _ in attempts}
    ordered = sorted(attempts, key=lambda one: one[2])
    for name, _, at, failed in ordered:
        health.record(name, channels[name], at, failed=failed)
    now = (ordered[-1][2] if ordered else 0.0) + later

    figures = health.figures(now)

    surely = [one for one in ordered if one[2] > now - WINDOW + 60]
    perhaps = [one for one in ordered if one[2] > now - WINDOW - 60]
    assert len(surely) <= sum(one.attempts for one in figures) <= len(perhaps)
    assert sum(one[3] for one in surely) <= sum(one.failed for one in figures) <= sum(one[3] for one in perhaps)
    assert len([one for one in figures if one.destination != OTHERS]) <= MOST_NAMED
    assert max(Counter((one.destination, one.channel) for one in figures).values(), default=1) == 1
    assert all(0 <= one.failed <= one.attempts and 0 <= one.failing_share <= 1 for one in figures)
    failing = {name.hex()[:12] for name in channels if [f for n, _, _, f in ordered if n == name][-1]}
    named = {one.destination: one for one in figures if one.destination != OTHERS}
    assert len(named) == MOST_NAMED or failing <= named.keys()
    assert all((one.failing_seconds > 0 or one.attempts > 0) for one in named.values())


def test_the_worst_have_a_name_of_their_own_and_how_long_nothing_has_worked() -> None:
    health = DestinationHealth()
    for name in NAMES:
        health.record(name, "webhook", 0.0, failed=False)
    for name in NAMES[:2]:
        health.record(name, "webhook", 10.0, failed=True)
    health.record(NAMES[0], "webhook", 20.0, failed=False)

    worst, better, rest = health.figures(100.0)

    assert worst == DestinationFigures(NAMES[1].hex()[:12], "webhook", 2, 1, 90.0)
    assert better == DestinationFigures(NAMES[0].hex()[:12], "webhook", 3, 1, 0.0)
    assert rest == DestinationFigures(OTHERS, "webhook", 58, 0, 0.0)


def test_who_fails_is_known_between_two_attempts_a_day_apart_and_forgotten_after_the_last() -> None:
    health = DestinationHealth()
    health.record(NAMES[0], "webhook", 0.0, failed=True)

    [waiting] = health.figures(80_000.0)

    assert (waiting.attempts, waiting.failing_share, waiting.failing_seconds) == (0, 1.0, 80_000.0)
    assert health.figures(LONGEST_MEMORY + 1) == []


def test_more_destinations_than_are_kept_apart_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destination_health, "MOST_KNOWN", 3)
    health = DestinationHealth()
    for name in NAMES:
        health.record(name, "slack", 0.0, failed=True)

    figures = health.figures(1.0)

    assert [one.destination for one in figures][3:] == [OTHERS]
    assert sum(one.attempts for one in figures) == len(NAMES)


def test_the_metrics_have_few_series_and_no_address() -> None:
    health, registry = DestinationHealth(), CollectorRegistry()
    registry.register(DestinationCollector(health))
    for number in range(5000):
        name = number.to_bytes(16)
        health.record(name[::-1], ("email", "slack", "teams", "webhook")[number % 4], time.monotonic(), failed=True)

    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]

    assert len(lines) == 3 * (MOST_NAMED + 4)


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (Delivered(204), False),
        (Accepted(250), False),
        (Refused(FailureReason.TIMEOUT, retryable=True), True),
        (Unknown(FailureReason.RESET), True),
        (Deferred(FailureReason.THROTTLED, 429), None),
        (Refused(FailureReason.RENDERING), None),
        (Refused(FailureReason.FAULT, retryable=True), None),
    ],
)
def test_a_destination_is_not_to_blame_for_what_was_put_off_or_is_our_fault(
    outcome: AttemptOutcome, failed: bool | None
) -> None:
    assert failed_for_its_destination(outcome) is failed
