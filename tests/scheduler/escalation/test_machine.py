"""Escalation: the rules one by one, and the whole machine, walked through exhaustively."""

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, cached_property
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts.events import Acknowledgement, Evidence, StatusChanged
from contracts.vocabulary import PartyCode, Status
from services.i18n.languages import LANGUAGES
from services.scheduler.escalation.book import EscalationBookError, EscalationSettings, read_escalation_book
from services.scheduler.escalation.rules import cases
from services.scheduler.escalation.rules.book import EscalationBook, EscalationLevel
from services.scheduler.escalation.rules.cases import CommitmentEscalations, new_case
from services.scheduler.escalation.rules.deadline import Deadline, deadline_of
from services.scheduler.escalation.rules.machine import (
    NothingToOwn,
    acknowledged,
    advanced,
    evidenced,
    moved,
    next_change_at,
    reopened,
    settled,
)
from services.scheduler.escalation.rules.states import (
    Climbing,
    Dormant,
    EscalationState,
    LevelNotified,
    LogNote,
    Owned,
    Settled,
    Transition,
)
from services.scheduler.reminders.rules.commitment_status import CommitmentStatus
from tests.scheduler.scenes import changed, created, milestone, milestones, scheduled, text, utc

MEXICO = "America/Mexico_City"
LATEST = date(2023, 1, 10)
DEADLINE = Deadline(LATEST, MEXICO)
SHIPPED = read_escalation_book()
MIDNIGHT, NINE = time(0), time(9)


def at(day: int, wall: time = NINE, month: int = 1) -> datetime:
    """That time in Mexico City on a day of 2023."""
    return datetime.combine(date(2023, month, day), wall, tzinfo=DEADLINE.zone)


def ack(when: datetime, name: str = "Ana Ruiz") -> Acknowledgement:
    return Acknowledgement(name=name, note="We are on it.", at=when)


def told(change: Transition) -> list[LevelNotified]:
    return [entry for entry in change[1] if isinstance(entry, LevelNotified)]


def noted(change: Transition) -> list[str]:
    return [entry.what for entry in change[1] if isinstance(entry, LogNote)]


def book(*waits: int, repeat: int = 30, evidence: int = 14) -> EscalationBook:
    levels = tuple(
        EscalationLevel(level=f"level-{i}", title=text(f"Level {i}"), wait=wait) for i, wait in enumerate(waits, 1)
    )
    return EscalationBook(levels=levels, repeat_days=repeat, evidence_within_days=evidence)


def played(
    state: EscalationState, instants: list[datetime], rules: EscalationBook = SHIPPED
) -> tuple[EscalationState, list[tuple[datetime, LevelNotified]]]:
    messages = []
    for now in instants:
        change = advanced(state, DEADLINE, rules, now)
        state = change[0]
        messages += [(now, one) for one in told(change)]
    return state, messages


def hourly(first: datetime, last: datetime) -> list[datetime]:
    return [first + timedelta(hours=i) for i in range(int((last - first) / timedelta(hours=1)))]


# Rule by rule


def test_level_after_level_hears_and_the_highest_again_and_again() -> None:
    _, messages = played(Dormant(), hourly(at(9, MIDNIGHT), at(5, MIDNIGHT, month=4)))

    assert [(now, one.rank, one.repeat, one.days) for now, one in messages] == [
        (at(11), 1, 0, 1),
        (at(18), 2, 0, 8),
        (at(1, month=2), 3, 0, 22),
        (at(3, month=3), 3, 1, 52),
        (at(2, month=4), 3, 2, 82),
    ]
    assert not any(one.late or one.unfollowed for _, one in messages)


def test_it_is_overdue_when_the_day_has_ended_in_its_zone_and_not_before() -> None:
    end = at(11, MIDNIGHT)

    assert advanced(Dormant(), DEADLINE, SHIPPED, end - timedelta(microseconds=1)) == (Dormant(), ())
    assert advanced(Dormant(), DEADLINE, SHIPPED, end) == (Climbing(1, LATEST), (LogNote("overdue", 1),))
    assert next_change_at(Dormant(), DEADLINE, SHIPPED) == end


@pytest.mark.parametrize("what", [milestone(None), milestone(date(9999, 12, 31))], ids=["undated", "the last day"])
def test_what_has_no_last_day_is_never_overdue(what: object) -> None:
    deadline = deadline_of(what)  # type: ignore[arg-type]

    assert next_change_at(Dormant(), deadline, SHIPPED) is None
    assert advanced(Dormant(), deadline, SHIPPED, utc(2999, 1, 1)) == (Dormant(), ())
    with pytest.raises(NothingToOwn, match="no last day"):
        acknowledged(Dormant(), deadline, SHIPPED, ack(utc(2999, 1, 1)))


def test_after_a_downtime_only_the_newest_level_that_is_due_hears_late() -> None:
    change = advanced(Dormant(), DEADLINE, SHIPPED, at(20, time(14)))

    [message] = told(change)
    assert (message.rank, message.repeat, message.due_at, message.late, message.days) == (2, 0, at(18), True, 10)
    assert [(e.what, e.rank) for e in change[1] if isinstance(e, LogNote)] == [("overdue", None), ("skipped", 1)]
    assert next_change_at(change[0], DEADLINE, SHIPPED) == at(3, month=2), (
        "the wait counts from the day on which it heard"
    )


def test_a_highest_level_that_missed_even_its_repeats_hears_once_as_for_the_first_time() -> None:
    [message] = told(advanced(Climbing(1, LATEST, 1, 1), DEADLINE, SHIPPED, at(1, month=12)))

    assert (message.rank, message.repeat, message.due_at) == (3, 0, at(31))


def test_six_hours_are_not_late() -> None:
    state = Climbing(1, LATEST)

    assert not told(advanced(state, DEADLINE, SHIPPED, at(11, time(15))))[0].late
    assert told(advanced(state, DEADLINE, SHIPPED, at(11, time(15, 1))))[0].late


def test_an_acknowledgement_stops_it_until_nine_when_its_window_has_ended() -> None:
    state, messages = played(Dormant(), hourly(at(11, MIDNIGHT), at(12, MIDNIGHT)))
    assert len(messages) == 1
    made = ack(at(12, time(16)))

    owned, entries = acknowledged(state, DEADLINE, SHIPPED, made)
    again, messages = played(owned, hourly(at(12, time(17)), at(5, MIDNIGHT, month=2)))

    assert entries == (LogNote("acknowledged", 1, acknowledgement=made),)
    assert [(now, m.rank, m.round, m.repeat, m.unfollowed) for now, m in messages] == [
        (at(26), 1, 2, 0, made),
        (at(2, month=2), 2, 2, 0, made),
    ]
    assert again == Climbing(2, date(2023, 2, 2), 2, 1, made)


def test_evidence_renews_the_window_and_a_lasting_silence_ends_it() -> None:
    owned, _ = acknowledged(Climbing(1, LATEST), DEADLINE, SHIPPED, ack(at(12)))

    renewed, entries = evidenced(owned, DEADLINE, at(25))

    assert [e.what for e in entries if isinstance(e, LogNote)] == ["evidence"]
    _, messages = played(renewed, hourly(at(25), at(9, MIDNIGHT, month=2)))
    assert [(now, m.rank, m.round) for now, m in messages] == [(at(8, month=2), 1, 2)]


def test_what_was_shown_before_the_acknowledgement_is_no_evidence_for_it() -> None:
    owned, _ = acknowledged(Climbing(1, LATEST), DEADLINE, SHIPPED, ack(at(12)))

    assert evidenced(owned, DEADLINE, at(12) - timedelta(seconds=1)) == (owned, ())


def test_evidence_without_an_acknowledgement_stops_nothing() -> None:
    state = Climbing(1, LATEST, 1, 1)

    assert evidenced(state, DEADLINE, at(15)) == (state, ())


def test_evidence_after_the_window_follows_its_acknowledgement_all_the_same() -> None:
    made = ack(at(12))
    owned, _ = acknowledged(Climbing(1, LATEST), DEADLINE, SHIPPED, made)
    again, _ = advanced(owned, DEADLINE, SHIPPED, at(26))

    assert evidenced(again, DEADLINE, at(28))[0] == Owned(2, made, date(2023, 1, 28))


def test_whoever_takes_over_gets_no_longer_window() -> None:
    owned, _ = acknowledged(Climbing(1, LATEST), DEADLINE, SHIPPED, ack(at(12)))

    taken, _ = acknowledged(owned, DEADLINE, SHIPPED, ack(at(20), "Luc Roy"))

    assert isinstance(taken, Owned)
    assert taken.acknowledgement.name == "Luc Roy"
    assert next_change_at(taken, DEADLINE, SHIPPED) == next_change_at(owned, DEADLINE, SHIPPED) == at(26)


def test_an_acknowledgement_after_an_unfollowed_one_that_no_tick_has_seen_is_one_of_a_new_round() -> None:
    first = ack(at(12))
    owned, _ = acknowledged(Climbing(1, LATEST), DEADLINE, SHIPPED, first)

    change = acknowledged(owned, DEADLINE, SHIPPED, ack(at(26, time(10)), "Luc Roy"))

    assert change[0] == Owned(2, ack(at(26, time(10)), "Luc Roy"), date(2023, 1, 26))
    assert noted(change) == ["re-armed", "acknowledged"]


def test_what_is_not_overdue_or_over_has_nothing_to_own() -> None:
    with pytest.raises(NothingToOwn, match="its last day is 2023-01-10"):
        acknowledged(Dormant(), DEADLINE, SHIPPED, ack(at(10, time(23, 59))))
    with pytest.raises(NothingToOwn, match="met or withdrawn"):
        acknowledged(Settled(1), DEADLINE, SHIPPED, ack(at(12)))
    assert isinstance(acknowledged(Dormant(), DEADLINE, SHIPPED, ack(at(11, MIDNIGHT)))[0], Owned)


def test_a_date_that_moves_away_withdraws_it_and_it_begins_anew_when_that_has_passed() -> None:
    later = Deadline(date(2023, 2, 20), MEXICO)
    state = Climbing(1, date(2023, 1, 18), 2, 1)

    change = moved(state, later, at(20))

    assert change == (Dormant(1), (LogNote("withdrawn", 1),))
    [message] = told(advanced(Dormant(1), later, SHIPPED, at(21, month=2)))
    assert (message.round, message.rank) == (2, 1)


@pytest.mark.parametrize("state", [Climbing(1, LATEST, 2, 1), Owned(1, ack(at(12)), date(2023, 1, 12))])
def test_a_date_that_moves_and_is_still_past_changes_nothing(state: EscalationState) -> None:
    assert moved(state, Deadline(date(2023, 1, 14), MEXICO), at(20)) == (state, ())


def test_what_became_known_late_counts_from_the_day_of_the_news() -> None:
    """Somebody takes in a statement of years ago: the minister's office is not the first to hear."""
    state, _ = moved(Dormant(), DEADLINE, at(1, time(12), month=6))

    assert advanced(state, DEADLINE, SHIPPED, at(1, time(13), month=6)) == (state, ())
    [message] = told(advanced(state, DEADLINE, SHIPPED, at(2, month=6)))
    assert (message.rank, message.late, message.days) == (1, False, 143)


def test_a_commitment_taken_up_again_begins_with_a_round_of_its_own() -> None:
    over, _ = settled(Climbing(1, date(2023, 1, 18), 2, 1))
    assert over == Settled(1)
    assert advanced(over, DEADLINE, SHIPPED, at(1, month=12)) == (over, ())

    state, _ = reopened(over, DEADLINE, at(1, month=3))

    [message] = told(advanced(state, DEADLINE, SHIPPED, at(2, month=3)))
    assert (message.round, message.rank, message.unfollowed) == (2, 1, None)


def test_a_book_that_lost_the_level_that_heard_last_goes_on_with_its_highest() -> None:
    state, _ = played(Dormant(), [at(11), at(18), at(1, month=2), at(3, month=3)])

    [message] = told(advanced(state, DEADLINE, book(1, 7), at(2, month=4)))

    assert (message.round, message.rank, message.repeat) == (2, 2, 0)


@given(milestones(), st.integers(0, 3), st.dates(date(2000, 1, 1), date(2050, 1, 1)))
def test_whatever_the_zone_and_the_day_a_level_hears_at_nine_there(what: object, rank: int, since: date) -> None:
    deadline = deadline_of(what)  # type: ignore[arg-type]
    due = next_change_at(Climbing(1, since, rank, 1), deadline, SHIPPED)

    assert bool(due) == bool(deadline)
    if due and deadline:
        assert due.astimezone(deadline.zone).time() == NINE
        assert deadline.passes_at.astimezone(deadline.zone).date() == deadline.latest + timedelta(days=1)


# What is heard


BOTH = milestone(LATEST, parties=("CA", "MX"))


def watching(*events: object, when: datetime) -> CommitmentEscalations:
    watch = CommitmentEscalations()
    for event in events:
        watch, _ = cases.escalations_after(watch, event, when)  # type: ignore[arg-type]
    return watch


def shown(status: Status, previous: Status, party: PartyCode = "CA", *, link: bool = False) -> StatusChanged:
    page = Evidence(url="https://example.org/report", title="The report", retrieved_on=date(2021, 12, 1))
    evidence = page if link else None
    return changed(status, 5, party, Status.IN_PROGRESS).model_copy(update={"previous": previous, "evidence": evidence})


@pytest.mark.parametrize(
    ("event", "renews"),
    [
        (shown(Status.AT_RISK, Status.IN_PROGRESS), True),
        (shown(Status.AT_RISK, Status.IN_PROGRESS, "MX"), True),
        (shown(Status.IN_PROGRESS, Status.IN_PROGRESS, "CA", link=True), True),
        (shown(Status.IN_PROGRESS, Status.IN_PROGRESS, "CA"), False),
        (shown(Status.AT_RISK, Status.IN_PROGRESS, "US", link=True), False),
    ],
    ids=["another status", "another status of one who is bound", "a link", "a note alone", "one who is not bound"],
)
def test_evidence_is_a_link_or_another_status_of_one_who_is_bound(event: StatusChanged, renews: bool) -> None:
    watch = watching(created(), scheduled(BOTH), when=at(1))
    owned = Owned(1, ack(at(12)), date(2023, 1, 12))
    watch = replace(watch, cases={BOTH.id: replace(watch.cases[BOTH.id], state=owned)})

    after, log = cases.escalations_after(watch, event, at(15))

    assert after.cases[BOTH.id].state == (replace(owned, since=date(2023, 1, 15)) if renews else owned)
    assert bool(log) == renews


def test_it_is_settled_when_all_who_are_bound_are_done_and_not_before() -> None:
    watch = watching(created(), scheduled(BOTH), when=at(11, MIDNIGHT))
    one, _ = cases.escalations_after(watch, changed(Status.MET, 1, "CA", Status.PARTLY_MET), at(12))
    both, log = cases.escalations_after(one, changed(Status.MET, 2, "MX", Status.PARTLY_MET), at(13))

    assert isinstance(one.cases[BOTH.id].state, Climbing)
    assert both.cases[BOTH.id].state == Settled(1)
    assert log == [(BOTH.id, LogNote("settled", 1))]


def test_an_older_schedule_that_comes_late_changes_nothing() -> None:
    watch = watching(scheduled(BOTH, 2), when=at(12))

    assert cases.escalations_after(watch, scheduled(milestone(date(2030, 1, 1), id_=BOTH.id), 1), at(13)) == (
        watch,
        [],
    )


def test_a_milestone_of_a_commitment_that_is_over_is_never_escalated() -> None:
    case, entries = new_case(BOTH, 1, over=True, at=at(20))

    assert (case.state, entries) == (Settled(0), (LogNote("settled", 0),))
    assert CommitmentStatus() == watching(scheduled(BOTH), when=at(1)).commitment_status


# Exhaustively


WALLS = (MIDNIGHT, time(8, 59, 59, 999999), NINE)
"""The instants of a day at which something may change, and the last one before."""

EVERY_BOOK = [
    book(*waits, repeat=repeat, evidence=evidence)
    for count in (1, 2, 3)
    for waits in itertools.product((1, 2), repeat=count)
    for repeat in (1, 2)
    for evidence in (1, 2)
]


@dataclass(frozen=True)
class Place:
    """Where a walk is: the day and the time on it, the date of the milestone, the state."""

    day: date
    wall: int
    deadline: Deadline | None
    state: EscalationState

    @cached_property
    def now(self) -> datetime:
        return datetime.combine(self.day, WALLS[self.wall], tzinfo=DEADLINE.zone).astimezone(UTC)

    @cached_property
    def overdue(self) -> bool:
        return self.deadline is not None and self.now >= self.deadline.passes_at

    def later(self) -> "Place":
        wall = (self.wall + 1) % len(WALLS)
        return replace(self, wall=wall, day=self.day + timedelta(days=wall == 0))

    def then(self, state: EscalationState) -> "Place":
        return replace(self, state=state)


def horizon(rules: EscalationBook) -> int:
    """Days after which a further day of downtime is like the one before: all levels are due, and two repeats."""
    return rules.evidence_within_days + sum(level.wait for level in rules.levels) + 2 * rules.repeat_days + 1


def likeness(place: Place, rules: EscalationBook) -> tuple[object, ...]:
    """What the future of a place depends on: days as distances, and no count of rounds or of repeats beyond two."""
    days = (place.deadline.latest - place.day).days if place.deadline else None
    match place.state:
        case Dormant():
            return place.wall, "dormant", days
        case Climbing(since=since, rank=rank, repeats=count, unfollowed=made):
            return place.wall, "climbing", (place.day - since).days, rank, min(count, 2), made is None
        case Owned(since=since):
            return place.wall, "owned", (place.day - since).days
        case Settled():
            return place.wall, "settled", days and max(days, -3)


def too_long_down(place: Place, rules: EscalationBook) -> bool:
    match place.state:
        case Dormant() if place.deadline:
            return (place.day - place.deadline.latest).days > horizon(rules)
        case Climbing(since=since) | Owned(since=since):
            return (place.day - since).days > horizon(rules)
        case _:
            return False


@cache
def ending(latest: date) -> Deadline:
    return Deadline(latest, MEXICO)


def inputs(place: Place, rules: EscalationBook) -> Iterator[tuple[str, Place, Transition]]:
    """Everything that can happen there."""
    state, now, deadline = place.state, place.now, place.deadline
    if not too_long_down(place, rules):
        yield "nothing", place.later(), (state, ())
    yield "tick", place, advanced(state, deadline, rules, now)
    yield "evidence", place, evidenced(state, deadline, now)
    yield "old evidence", place, evidenced(state, deadline, now - timedelta(days=400))
    yield "settled", place, settled(state)
    yield "reopened", place, reopened(state, deadline, now)
    for days in (-1, 0, 1):
        other = ending(place.day + timedelta(days=days))
        yield "moved", replace(place, deadline=other), moved(state, other, now)
    yield "moved", replace(place, deadline=None), moved(state, None, now)
    try:
        yield "acknowledged", place, acknowledged(state, deadline, rules, ack(now))
    except NothingToOwn:
        yield "refused", place, (state, ())


@cache
def places(rules: EscalationBook) -> list[tuple[Place, list[tuple[str, Place, Transition]]]]:
    """Every place that can be reached, unlike each other, with all that can happen there."""
    found = []
    start = Place(LATEST, 0, DEADLINE, Dormant())
    seen = {likeness(start, rules)}
    waiting = deque([start])
    while waiting:
        place = waiting.popleft()
        ways = [*inputs(place, rules)]
        found.append((place, ways))
        for _, onward, (state, _) in ways:
            following = onward.then(state)
            if (like := likeness(following, rules)) not in seen:
                seen.add(like)
                waiting.append(following)
    return found


def mark(state: EscalationState) -> tuple[float, float, float]:
    """No message with a name up to this one can come any more."""
    match state:
        case Climbing(round=round_, rank=rank, repeats=count):
            return round_, rank, count - 1
        case _:
            return state.round, float("inf"), 0


def unfollowed_of(state: EscalationState) -> Acknowledgement | None:
    return state.acknowledgement if isinstance(state, Owned) else None


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.slow
def test_no_overdue_and_unowned_milestone_stays_silent_wherever_it_came_from(count: int) -> None:
    """After a tick at any place it is known when the next level hears, no later than the longest wait; then it does."""
    silent_places = 0
    for rules in (one for one in EVERY_BOOK if len(one.levels) == count):
        longest = max(rules.repeat_days, *(level.wait for level in rules.levels))
        for place, _ in places(rules):
            state, _ = advanced(place.state, place.deadline, rules, place.now)
            if not place.overdue or isinstance(state, Owned | Settled):
                continue
            silent_places += 1
            assert isinstance(state, Climbing), place
            due = next_change_at(state, place.deadline, rules)
            assert due is not None and due > place.now, place
            assert (DEADLINE.day_at(due) - place.day).days <= longest, place
            [message] = told(advanced(state, place.deadline, rules, due))
            assert (message.due_at, message.late) == (due, False), place
    assert silent_places > 500


@pytest.mark.parametrize("count", [1, 2, 3])
def test_nobody_hears_after_an_acknowledgement_until_it_is_re_armed(count: int) -> None:
    """What is owned is left by the end of its window, a date to come or the commitment's end, and by nothing else."""
    owned_places = 0
    for rules in (one for one in EVERY_BOOK if len(one.levels) == count):
        for place, ways in places(rules):
            if not isinstance(owned := place.state, Owned):
                continue
            owned_places += 1
            ends = next_change_at(owned, place.deadline, rules)
            assert ends is not None
            for what, onward, change in ways:
                if what == "tick" and place.now >= ends:
                    [message] = told(change)
                    assert (message.unfollowed, message.round) == (owned.acknowledgement, owned.round + 1)
                    continue
                assert told(change) == [], (what, place)
                left = what == "settled" or (what == "moved" and not onward.overdue)
                assert isinstance(change[0], Owned) != left, (what, place)
                if what == "acknowledged" and place.now < ends:
                    assert next_change_at(change[0], place.deadline, rules) == ends, "a second one buys no time"
    assert owned_places > 100


@pytest.mark.parametrize("count", [1, 2, 3])
def test_no_two_messages_have_the_same_name_and_only_ticks_send_any(count: int) -> None:
    """Round, rank and repeat of messages only rise, along every way that there is; also by a clock that steps back."""
    messages = 0
    for rules in (one for one in EVERY_BOOK if len(one.levels) == count):
        for place, ways in places(rules):
            for what, _, change in ways:
                sent = told(change)
                assert len(sent) <= (what == "tick"), (what, place)
                assert mark(change[0]) >= mark(place.state), (what, place)
                for one in sent:
                    messages += 1
                    assert mark(place.state) < (one.round, one.rank, one.repeat) == mark(change[0]), place
            back = advanced(place.state, place.deadline, rules, place.now - timedelta(days=1))
            assert all((one.round, one.rank, one.repeat) > mark(place.state) for one in told(back)), place
    assert messages > 500


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_is_settled_or_not_overdue_is_silent(count: int) -> None:
    """Settled ends only by being taken up again; what is not overdue neither climbs nor is owned."""
    settled_places = 0
    for rules in (one for one in EVERY_BOOK if len(one.levels) == count):
        for place, ways in places(rules):
            if isinstance(place.state, Settled):
                settled_places += 1
                assert next_change_at(place.state, place.deadline, rules) is None
                for what, _, change in ways:
                    assert not told(change)
                    assert isinstance(change[0], Settled) == (what != "reopened"), (what, place)
            elif not place.overdue:
                assert isinstance(place.state, Dormant), place
                assert "refused" in [what for what, _, _ in ways], place
                assert not any(told(change) for _, _, change in ways), place
            for what, _, change in ways:
                assert what != "settled" or isinstance(change[0], Settled)
    assert settled_places > 50


@pytest.mark.parametrize("rules", [book(1), book(2, 1), book(1, 2, 1)], ids=["1", "2", "3"])
@pytest.mark.slow
def test_every_history_of_five_steps_holds_what_is_promised(rules: EscalationBook) -> None:
    """Not by the states but by what was heard: whole histories, and the messages in them."""
    histories = 0

    def walk(place: Place, sent: tuple[tuple[int, int, int], ...], owned: bool, depth: int) -> None:
        nonlocal histories
        if depth == 0:
            histories += 1
            assert len(set(sent)) == len(sent)
            return
        due = next_change_at(place.state, place.deadline, rules)
        ends = owned and due
        steps = [way for way in inputs(place, rules) if way[0] not in ("nothing", "tick", "old evidence")]
        for wait in (timedelta(), timedelta(days=4)):
            day = DEADLINE.day_at(due + wait if due else place.now + wait)
            onward = replace(place, day=max(day, place.day), wall=2)
            steps.append(("tick", onward, advanced(place.state, place.deadline, rules, onward.now)))
        for what, onward, change in steps:
            new = tuple((one.round, one.rank, one.repeat) for one in told(change))
            if new and owned:
                assert ends and onward.now >= ends and told(change)[0].unfollowed
            still = (owned or what == "acknowledged") and not new and what != "settled"
            still = still and not (what == "moved" and not onward.overdue)
            late_word = what == "evidence" and isinstance(change[0], Owned)
            walk(onward.then(change[0]), sent + new, still or late_word, depth - 1)

    walk(Place(LATEST, 0, DEADLINE, Dormant()), (), False, 5)
    assert histories > 50_000


# The book


def test_the_shipped_book_has_three_levels_in_every_language() -> None:
    assert [(level.level, level.wait) for level in SHIPPED.levels] == [
        ("focal-point", 1),
        ("director", 7),
        ("ministers-office", 14),
    ]
    assert (SHIPPED.repeat_days, SHIPPED.evidence_within_days) == (30, 14)
    assert all(level.title.languages >= set(LANGUAGES) for level in SHIPPED.levels)
    assert SHIPPED.levels[2].title.in_language("fr") == ("Cabinet du ministre", "fr")


TITLE = "title: {en: A, es: B, fr: C}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("", "the file"),
        ("levels: [", "line 1: this is no YAML"),
        ("levels: []\nrepeat_days: 1\nevidence_within_days: 1", "levels"),
        (f"levels: [{{level: a, {TITLE}, wait: 0}}]\nrepeat_days: 1\nevidence_within_days: 1", "levels.0.wait"),
        (f"levels: [{{level: a, {TITLE}, wait: '1'}}]\nrepeat_days: 1\nevidence_within_days: 1", "levels.0.wait"),
        (f"levels: [{{level: A B, {TITLE}, wait: 1}}]\nrepeat_days: 1\nevidence_within_days: 1", "levels.0.level"),
        (
            "levels: [{level: a, title: {}, wait: 1}]\nrepeat_days: 1\nevidence_within_days: 1",
            "levels.0.title",
        ),
        (f"levels: [{{level: a, {TITLE}, wait: 1}}]\nrepeat_days: 1", "evidence_within_days"),
        (
            f"levels: [{{level: a, {TITLE}, wait: 1}}]\nrepeat_days: 1\nevidence_within_days: 1\nmore: 1",
            "more",
        ),
        (
            f"levels: [{{level: a, {TITLE}, wait: 1}}, {{level: a, {TITLE}, wait: 2}}]\n"
            "repeat_days: 1\nevidence_within_days: 1",
            "twice: a",
        ),
        (
            f"levels: [{{level: a, {TITLE}, wait: 1}}]\nrepeat_days: 1\nrepeat_days: 2\nevidence_within_days: 1",
            "'repeat_days' stands here twice",
        ),
        (f"levels: [{{level: a, {TITLE}, wait: 2022-01-01}}]\nrepeat_days: 1\nevidence_within_days: 1", "date"),
        ("[1]: 2", "unhashable"),
    ],
)
def test_a_book_that_is_no_book_is_refused_with_its_place(words: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "levels.yaml"
    path.write_text(words, encoding="utf-8")

    with pytest.raises(EscalationBookError) as raised:
        read_escalation_book(path)

    assert complaint in str(raised.value)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_book_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(EscalationBookError, match="can't be read"):
        read_escalation_book(tmp_path / "none.yaml")


def test_a_book_that_can_not_be_is_refused_with_the_other_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So the process says it in two lines, and does not start."""
    path = tmp_path / "levels.yaml"
    path.write_text("levels: []", encoding="utf-8")
    monkeypatch.setenv("SCHEDULER_ESCALATION_FILE", str(path))
    with pytest.raises(ValidationError, match="levels: Tuple should have at least 1 item"):
        EscalationSettings()

    path.write_text(
        f"levels: [{{level: a, {TITLE}, wait: 3}}]\nrepeat_days: 1\nevidence_within_days: 1", encoding="utf-8"
    )

    assert EscalationSettings().book().levels[0].wait == 3


def test_books_are_told_apart_by_what_they_say() -> None:
    assert book(1, 2).digest == book(1, 2).digest
    assert len({book(1, 2).digest, book(2, 1).digest, book(1, 2, repeat=1).digest}) == 3
