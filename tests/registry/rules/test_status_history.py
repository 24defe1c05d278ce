"""What was held to be true on day D: the rule over all words against a timeline that is painted day by day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.vocabulary import Status
from services.registry.rules.errors import Invalid
from services.registry.rules.status_history import (
    PRESENT,
    AsOf,
    StatusWord,
    end_of,
    statuses_as_of,
    times_of_report,
)

START = datetime(2022, 1, 1, tzinfo=UTC)
DAYS = 12
PARTIES = ("CA", "MX")


def day(number: int) -> datetime:
    return START + timedelta(days=number)


@st.composite
def histories(draw: st.DrawFn) -> list[StatusWord]:
    """Words in the order in which the register took them in; each was so before it was said, and said before that."""
    words: list[StatusWord] = []
    recorded = 0
    for version in range(2, 2 + draw(st.integers(0, 8))):
        recorded = draw(st.integers(recorded, DAYS))
        reported = draw(st.integers(0, recorded))
        occurred = draw(st.integers(0, reported))
        word = StatusWord(
            draw(st.sampled_from(PARTIES)),
            draw(st.sampled_from(Status)),
            day(occurred),
            day(reported),
            day(recorded),
            version,
        )
        words.append(word)
    return words


def painted(words: list[StatusWord], party: str, known_by: int) -> list[Status]:
    """How a party stood on each day: whoever speaks paints over what was said before, from when on it is so."""
    timeline = [Status.ANNOUNCED] * (DAYS + 1)
    known = [word for word in words if word.party == party and word.recorded_at <= day(known_by)]
    for said_on in range(DAYS + 1):
        for word in known:
            if word.reported_at == day(said_on):
                for at in range(DAYS + 1):
                    if day(at) >= word.occurred_at:
                        timeline[at] = word.status
    return timeline


@given(histories(), st.integers(0, DAYS), st.integers(0, DAYS))
def test_what_was_held_to_be_true_of_a_day_on_a_day_is_what_had_been_painted_by_then(
    words: list[StatusWord], of: int, by: int
) -> None:
    stood = statuses_as_of(PARTIES, words, AsOf(day(of), day(by)))

    assert stood == {party: painted(words, party, by)[of] for party in PARTIES}


@given(histories(), st.integers(0, DAYS), st.integers(0, DAYS))
def test_what_comes_later_never_changes_what_was_held_before(words: list[StatusWord], of: int, by: int) -> None:
    known_then = [word for word in words if word.recorded_at <= day(by)]

    assert statuses_as_of(PARTIES, words, AsOf(day(of), day(by))) == statuses_as_of(
        PARTIES, known_then, AsOf(as_of=day(of))
    )


@given(histories())
def test_the_present_is_what_was_said_last_however_it_came(words: list[StatusWord]) -> None:
    now = statuses_as_of(PARTIES, words, PRESENT)

    for party in PARTIES:
        last = max((w for w in words if w.party == party), key=lambda w: (w.reported_at, w.version), default=None)
        assert now[party] == (last.status if last else Status.ANNOUNCED)
    assert now == statuses_as_of(PARTIES, reversed(words), PRESENT) == statuses_as_of(PARTIES, words, AsOf(day(DAYS)))


def word(status: Status, occurred: int, reported: int, recorded: int, version: int) -> StatusWord:
    return StatusWord("CA", status, day(occurred), day(reported), day(recorded), version)


def test_news_that_comes_late_has_its_place_and_changes_no_present() -> None:
    words = [word(Status.IN_PROGRESS, 5, 5, 5, 2), word(Status.AT_RISK, 2, 2, 9, 3)]

    assert statuses_as_of(["CA"], words, PRESENT) == {"CA": Status.IN_PROGRESS}
    assert statuses_as_of(["CA"], words, AsOf(day(3))) == {"CA": Status.AT_RISK}
    assert statuses_as_of(["CA"], words, AsOf(day(3), day(8))) == {"CA": Status.ANNOUNCED}


def test_a_correction_changes_what_is_held_of_the_time_since_then() -> None:
    words = [word(Status.MET, 5, 5, 5, 2), word(Status.IN_PROGRESS, 4, 9, 9, 3)]

    assert statuses_as_of(["CA"], words, AsOf(day(6))) == {"CA": Status.IN_PROGRESS}
    assert statuses_as_of(["CA"], words, AsOf(day(6), day(8))) == {"CA": Status.MET}


def test_what_is_said_now_is_said_after_all_that_was_said() -> None:
    """A ministry's clock may be ahead of ours; the editor who corrects it still has the last word."""
    ahead = day(3) + timedelta(minutes=4)
    assert times_of_report(None, None, ahead, day(3)) == (day(3), ahead)
    assert times_of_report(None, None, None, day(3)) == (day(3), day(3))
    assert times_of_report(None, day(1), ahead, day(3)) == (day(1), day(1))
    assert times_of_report(day(0), day(1), ahead, day(3)) == (day(0), day(1))
    with pytest.raises(Invalid, match="after it was said"):
        times_of_report(day(2), day(1), None, day(3))


def test_a_day_stands_for_its_last_moment() -> None:
    assert end_of(date(2022, 3, 1)) == datetime(2022, 3, 1, 23, 59, 59, 999999, UTC)
    assert end_of(date.max).year == 9999
