"""How a commitment's reminders change with what is heard, in whatever order, batch or number of times."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.filters import Filters
from contracts.vocabulary import Precision, Reading, Status
from services.scheduler.ladders.book import LadderBook
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.ladders.ladder import Ladder, Rung, Step
from services.scheduler.ladders.planning import plan
from services.scheduler.ladders.subscription_ladder import SubscriptionLadder
from services.scheduler.reminders.rules.agenda import (
    Agenda,
    CommitmentEvent,
    PlanningRules,
    Reminder,
    ReminderKey,
    ReminderState,
    agenda_after,
    replanned,
)
from tests.scheduler.scenes import ALL, LADDER, changed, created, days, milestone, scheduled, utc

THEN = utc(2021, 11, 18, 18)
FAR = milestone(date(2030, 6, 30))
LATER = milestone(date(2031, 6, 30))
CANADAS = milestone(date(2030, 6, 30), parties=("CA",))


def after(*told: tuple[CommitmentEvent, datetime]) -> Agenda:
    agenda = Agenda()
    for event, at in told:
        agenda = agenda_after(agenda, event, at)
    return agenda


def at_once(*told: CommitmentEvent) -> Agenda:
    return after(*((event, THEN) for event in told))


def states(agenda: Agenda, version: int = 1) -> set[str]:
    return {reminder.state for key, reminder in agenda.reminders.items() if key.schedule_version == version}


def test_a_date_that_moves_withdraws_the_old_versions_reminders_and_plans_new_ones() -> None:
    agenda = at_once(created(), scheduled(FAR), scheduled(LATER, 2))

    assert {"withdrawn"} == states(agenda, 1)
    assert {"pending"} == states(agenda, 2)


def test_an_older_version_that_comes_late_changes_nothing() -> None:
    agenda = at_once(created(), scheduled(LATER, 2))

    assert agenda == agenda_after(agenda, scheduled(FAR, 1), THEN)


@pytest.mark.parametrize("status", [Status.MET, Status.WITHDRAWN])
def test_a_commitment_that_is_met_or_withdrawn_withdraws_all(status: Status) -> None:
    assert {"withdrawn"} == states(at_once(created(), scheduled(FAR), changed(status)))


def test_an_event_that_has_taken_place_is_over_whatever_the_status_and_meets_again_on_another_date() -> None:
    held = FAR.model_copy(update={"held": True})

    over = at_once(created(), scheduled(FAR), scheduled(held, 2, change="held"), changed(Status.IN_PROGRESS))
    assert {"withdrawn"} == states(over)
    again = agenda_after(over, scheduled(LATER, 3, change="moved"), THEN)
    assert "pending" in {reminder.state for reminder in again.reminders.values()}


SUSPENDED = Status.as_kept("suspended")
"""A status of a later release."""


@pytest.mark.parametrize("status", [*sorted(set(Status) - {Status.MET, Status.WITHDRAWN}), SUSPENDED])
def test_any_other_status_leaves_the_reminders_alone(status: Status) -> None:
    assert {"pending"} == states(at_once(created(), scheduled(FAR), changed(status)))


def test_a_status_that_comes_before_the_schedule_counts() -> None:
    assert set() == states(at_once(changed(Status.MET), scheduled(FAR)))


def test_a_party_that_has_met_its_part_ends_the_milestones_that_bind_only_it() -> None:
    word = changed(Status.MET, party="CA", overall=Status.PARTLY_MET)

    assert {"withdrawn"} == states(at_once(created(), scheduled(CANADAS), word))
    assert {"pending"} == states(at_once(created(), scheduled(FAR), word))


def test_a_milestone_is_over_when_each_of_its_parties_has_met_or_withdrawn() -> None:
    words = [
        changed(Status.MET, 1, "CA", Status.PARTLY_MET),
        changed(Status.WITHDRAWN, 2, "MX", Status.PARTLY_MET),
        changed(Status.MET, 3, "US", Status.PARTLY_MET),
    ]

    assert {"pending"} == states(at_once(created(), scheduled(FAR), *words[:2]))
    assert {"withdrawn"} == states(at_once(created(), scheduled(FAR), *words))


def test_a_later_word_on_a_party_takes_the_place_of_an_earlier_one() -> None:
    words = [changed(Status.MET, 1, "CA", Status.PARTLY_MET), changed(Status.IN_PROGRESS, 2, "CA")]

    assert {"pending"} == states(at_once(created(), scheduled(CANADAS), *words))


def test_history_that_comes_late_changes_nothing() -> None:
    """What was said before the newest word on a party says how it stood, and not how it stands."""
    met = changed(Status.MET, 1, "CA", Status.PARTLY_MET)
    late = changed(Status.AT_RISK, 2, "CA", Status.PARTLY_MET).model_copy(update={"current": False})

    assert {"withdrawn"} == states(at_once(created(), scheduled(CANADAS), met, late))
    withdrawn_once = late.model_copy(update={"status": Status.WITHDRAWN})
    assert {"pending"} == states(at_once(created(), scheduled(CANADAS), withdrawn_once))


def test_a_commitment_that_is_taken_up_again_gets_what_lies_ahead() -> None:
    reopened = utc(2030, 6, 1)
    agenda = after(
        (created(), THEN),
        (scheduled(FAR), THEN),
        (changed(Status.MET, 1), THEN),
        (changed(Status.AT_RISK, 2), reopened),
    )

    assert {key.step.name: r.state for key, r in agenda.reminders.items() if r.state != "pending"} == {
        "before-90d": "withdrawn",
        "before-30d": "withdrawn",
    }
    assert all(r.due_at >= reopened for r in agenda.reminders.values() if r.state == "pending")


def test_what_was_told_is_not_told_again_when_a_commitment_is_taken_up_again() -> None:
    agenda = at_once(created(), scheduled(FAR))
    fired = {key: type(r)(r.due_at, "fired") for key, r in agenda.reminders.items()}
    agenda = Agenda(agenda.commitment_status, agenda.schedules, fired)

    agenda = agenda_after(agenda_after(agenda, changed(Status.MET, 1), THEN), changed(Status.IN_PROGRESS, 2), THEN)

    assert fired.items() <= agenda.reminders.items()
    assert [key.step.name for key in agenda.reminders.keys() - fired.keys()] == ["after-390d"], "for digests only"


def test_a_step_that_came_due_while_nobody_planned_is_still_to_be_told() -> None:
    """Planned by the time of the event, and not of its arrival years later."""
    agenda = after((scheduled(FAR), THEN))

    assert {"pending"} == states(agenda)


events = st.lists(
    st.one_of(
        st.builds(
            lambda version, year: scheduled(milestone(date(year, 6, 30), id_="one"), version),
            st.integers(1, 5),
            st.just(2030),
        ),
        st.builds(
            lambda version: scheduled(milestone(date(2025, 1, 1), id_="canadas", parties=("CA",)), version),
            st.integers(1, 3),
        ),
        st.builds(
            changed,
            st.sampled_from([Status.MET, Status.IN_PROGRESS, Status.WITHDRAWN, SUSPENDED]),
            st.integers(1, 6),
            st.sampled_from(ALL),
            st.sampled_from([Status.MET, Status.IN_PROGRESS, Status.PARTLY_MET, SUSPENDED]),
        ),
        st.just(created()),
    ),
    max_size=12,
)


def one_of_each_seq(told: Sequence[CommitmentEvent]) -> list[CommitmentEvent]:
    """A topic has one event for each seq, and so for each version."""
    known: dict[tuple[object, ...], CommitmentEvent] = {}
    for event in told:
        name = event.milestone.id if hasattr(event, "milestone") else ""
        version = event.schedule_version if hasattr(event, "schedule_version") else event.seq
        known.setdefault((type(event), name, version), event)
    return list(known.values())


def pending(agenda: Agenda) -> set[tuple[ReminderKey, datetime]]:
    return {(key, r.due_at) for key, r in agenda.reminders.items() if r.state == "pending"}


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter_for_what_will_fire(told: list[CommitmentEvent], random: object) -> None:
    told = one_of_each_seq(told)
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    one, other = at_once(*told), at_once(*shuffled)

    assert one.commitment_status == other.commitment_status
    assert pending(one) == pending(other)


@given(events)
def test_a_repeat_changes_nothing(told: list[CommitmentEvent]) -> None:
    told = one_of_each_seq(told)

    assert pending(at_once(*told)) == pending(at_once(*told, *told))


@given(events)
def test_only_the_newest_version_of_a_milestone_that_is_not_over_has_reminders_to_come(
    told: list[CommitmentEvent],
) -> None:
    agenda = at_once(*told)

    for key, _ in pending(agenda):
        schedule = agenda.schedules[key.milestone_id]
        assert schedule.version == key.schedule_version
        assert not agenda.commitment_status.is_over_for(schedule.milestone.parties)
    for name, schedule in agenda.schedules.items():
        if not agenda.commitment_status.is_over_for(schedule.milestone.parties):
            assert any(key.milestone_id == name for key, _ in pending(agenda))


@given(events, st.integers(0, 4000))
def test_no_step_is_planned_to_come_twice_whatever_happens(told: list[CommitmentEvent], length: int) -> None:
    agenda = after(*((event, THEN + timedelta(days=length * i // 12)) for i, event in enumerate(told)))

    steps = [(key.milestone_id, key.step) for key, _ in pending(agenda)]
    assert len(set(steps)) == len(steps)


# A moved date


def with_states(agenda: Agenda, **states: ReminderState) -> Agenda:
    """As if ticks had told or merged some steps: `before_30d="fired"`."""
    reminders = {
        key: Reminder(r.due_at, states.get(key.step.name.replace("-", "_"), r.state))
        for key, r in agenda.reminders.items()
    }
    return Agenda(agenda.commitment_status, agenda.schedules, reminders)


def by_step(agenda: Agenda, version: int = 1) -> dict[str, str]:
    return {key.step.name: r.state for key, r in agenda.reminders.items() if key.schedule_version == version}


SOON = utc(2030, 6, 25)


def test_what_a_move_puts_into_the_past_is_told_once() -> None:
    agenda = after((scheduled(LATER), THEN), (scheduled(FAR, 2, change="moved"), SOON))

    assert list(by_step(agenda, 2).values())[:4] == ["passed", "passed", "pending", "pending"]
    assert {"withdrawn"} == states(agenda, 1)


def test_a_reminder_that_was_told_before_the_move_is_not_told_again_by_it() -> None:
    """The date became more precise, and its last day stayed the same."""
    agenda = with_states(after((scheduled(FAR), THEN)), before_7d="fired", before_30d="merged")

    agenda = agenda_after(agenda, scheduled(FAR, 2, change="more-precise"), SOON)

    assert list(by_step(agenda, 2).values())[:4] == ["passed", "passed", "passed", "pending"]


def test_a_summits_reminders_follow_as_its_date_grows_more_precise_and_slips_past_its_year() -> None:
    """NALS: first "2022", then December, then 10 January 2023, as it was."""
    year = milestone(
        date(2022, 12, 31), id_="nals", earliest=date(2022, 1, 1), precision=Precision.YEAR, reading=Reading.ON
    )
    december = milestone(
        date(2022, 12, 31), id_="nals", earliest=date(2022, 12, 1), precision=Precision.MONTH, reading=Reading.ON
    )
    january = milestone(date(2023, 1, 10), id_="nals", reading=Reading.ON)
    agenda = agenda_after(Agenda(), scheduled(year), THEN)
    behind = [f"after-{days}d" for days in (1, 7, 30, 90, 180, 365)]
    assert [step for step, _ in to_come(agenda, 1)] == ["before-90d", "before-30d", *behind]

    agenda = agenda_after(agenda, scheduled(december, 2, change="more-precise"), utc(2022, 8, 1))
    assert [s for s, _ in to_come(agenda, 2)] == ["before-90d", "before-30d", "before-7d", *behind]

    agenda = with_states(agenda, before_90d="fired")
    agenda = agenda_after(agenda, scheduled(january, 3, change="moved"), utc(2022, 11, 15))
    assert [
        ("before-30d", date(2022, 12, 11)),
        ("before-7d", date(2023, 1, 3)),
        ("before-1d", date(2023, 1, 9)),
        ("on-the-day", date(2023, 1, 10)),
        ("after-1d", date(2023, 1, 11)),
        ("after-7d", date(2023, 1, 17)),
        ("after-30d", date(2023, 2, 9)),
        ("after-90d", date(2023, 4, 10)),
        ("after-180d", date(2023, 7, 9)),
        ("after-365d", date(2024, 1, 10)),
    ] == to_come(agenda, 3)
    assert [] == to_come(agenda, 1) == to_come(agenda, 2)


def to_come(agenda: Agenda, version: int) -> list[tuple[str, date]]:
    """Steps that wait, with their days, as they come."""
    found = [
        (r.due_at, key.step.name) for key, r in agenda.reminders.items() if r.state == "pending" and key[1] == version
    ]
    return [(step, due_at.date()) for due_at, step in sorted(found)]


def test_a_milestone_that_loses_its_date_is_reviewed_from_then_on() -> None:
    agenda = after((scheduled(FAR), THEN), (scheduled(milestone(None, id_=FAR.id), 2, change="cancelled"), SOON))

    assert by_step(agenda, 2) == {"review-1": "pending"}


# Other rules


def book(rungs: str, more: str = "") -> LadderBook:
    return read_ladder_book(f"ladders: [{{name: all, rungs: [{rungs}]{more}}}]")


def own(subscription: int, *names: str, **filters: frozenset[str]) -> SubscriptionLadder:
    rungs = tuple(Rung(Step.named(name)) for name in names)
    return SubscriptionLadder(UUID(int=subscription), Ladder("chosen", rungs), "America/Toronto", Filters(**filters))


NEW = PlanningRules(book("before-14d, {step: before-7d, at: '17:00'}, on-the-day"))


def test_another_book_adds_withdraws_and_moves_what_is_to_come_and_tells_nothing_of_the_past() -> None:
    agenda = with_states(at_once(scheduled(FAR)), before_90d="fired", before_30d="merged")

    agenda = replanned(agenda, utc(2030, 6, 20), NEW)

    assert by_step(agenda) == {
        "before-90d": "fired",
        "before-30d": "merged",
        "before-14d": "passed",
        "before-7d": "pending",
        "before-1d": "withdrawn",
        "on-the-day": "pending",
        **{f"after-{days}d": "withdrawn" for days in (1, 7, 30, 90, 180, 365)},
    }
    assert utc(2030, 6, 23, 23) == agenda.reminders[ReminderKey(FAR.id, 1, days(-7))].due_at


def test_a_step_that_only_the_new_book_puts_into_the_past_is_recorded_and_with_other_zone_data_told() -> None:
    early = PlanningRules(book("{step: before-7d, at: '06:00'}"))
    agenda, at = at_once(scheduled(FAR)), utc(2030, 6, 23, 14)

    assert by_step(replanned(agenda, at, early))["before-7d"] == "passed"
    assert by_step(replanned(agenda, at, early, into_past="pending"))["before-7d"] == "pending"


def test_a_step_that_had_passed_unsent_and_lies_ahead_by_the_new_book_is_to_come() -> None:
    morning = utc(2030, 6, 23, 18)
    agenda = after((scheduled(FAR), morning))

    assert by_step(agenda)["before-7d"] == "passed"
    assert by_step(replanned(agenda, morning, NEW))["before-7d"] == "pending"


def test_what_was_missed_stays_to_be_told_where_the_new_book_has_it_too() -> None:
    agenda = at_once(scheduled(FAR))

    states_now = by_step(replanned(agenda, utc(2030, 6, 30), NEW))

    assert (states_now["before-7d"], states_now["before-30d"]) == ("pending", "withdrawn")


def test_an_endless_step_that_was_missed_stays_to_be_told() -> None:
    agenda = with_states(at_once(scheduled(FAR)), **{step.name.replace("-", "_"): "fired" for step in LADDER})
    late = ReminderKey(FAR.id, 1, days(30))
    agenda = Agenda(
        agenda.commitment_status,
        agenda.schedules,
        {**agenda.reminders, late: Reminder(utc(2030, 7, 30, 15), "pending")},
    )

    monthly = replanned(agenda, utc(2030, 8, 1), PlanningRules(book("on-the-day", ", every: 15d")))

    assert monthly.reminders[late].state == "pending"


def test_a_readers_ladder_is_planned_beside_the_books_and_withdrawn_when_it_is_given_up() -> None:
    mine = own(1, "before-10d")
    agenda = agenda_after(
        Agenda(),
        scheduled(FAR),
        THEN,
        rules=PlanningRules(subscription_ladders=(mine, own(2, "before-5d", themes=frozenset({"x"})))),
    )
    key = ReminderKey(FAR.id, 1, days(-10), UUID(int=1))

    assert agenda.reminders[key].state == "pending"
    assert {None, UUID(int=1)} == {key.audience for key in agenda.reminders}
    given_up = replanned(agenda, THEN, PlanningRules(), only=UUID(int=1))
    assert given_up.reminders[key].state == "withdrawn"
    assert given_up == replanned(given_up, THEN, PlanningRules())
    again = replanned(given_up, THEN, PlanningRules(subscription_ladders=(mine,)), only=UUID(int=1))
    assert agenda.reminders == again.reminders


def test_a_readers_ladder_follows_moves_and_ends_like_the_books() -> None:
    rules = PlanningRules(subscription_ladders=(own(1, "before-10d"),))
    agenda = agenda_after(
        agenda_after(Agenda(), scheduled(FAR), THEN, rules=rules), scheduled(LATER, 2), THEN, rules=rules
    )
    met = agenda_after(agenda, changed(Status.MET), THEN, rules=rules)
    reopened = agenda_after(met, changed(Status.IN_PROGRESS, 2), THEN, rules=rules)

    assert {"withdrawn"} == {r.state for key, r in agenda.reminders.items() if key.schedule_version == 1}
    assert agenda.reminders[ReminderKey(FAR.id, 2, days(-10), UUID(int=1))].state == "pending"
    assert {"withdrawn"} == {r.state for r in met.reminders.values()}
    assert pending(agenda) == pending(reopened)


step_names = st.sampled_from(
    ["before-90d", "before-2w", "before-3bd", "before-1m", "on-the-day", "after-1d", "after-7d"]
)
books = st.builds(
    lambda steps, every: book(", ".join(sorted(steps)), every),
    st.sets(step_names, min_size=1),
    st.sampled_from(["", ", every: 30d", ", every: 1m", ", every: 10d"]),
) | st.just(DEFAULT_BOOK)
subscription_ladders = st.dictionaries(
    st.integers(1, 3),
    st.tuples(st.sets(step_names), st.sampled_from([{}, {"parties": frozenset({"CA"})}, {"themes": frozenset({"x"})}])),
    max_size=3,
).map(lambda found: tuple(own(n, *sorted(steps), **filters) for n, (steps, filters) in found.items()))
rules_of_any_kind = st.builds(PlanningRules, books, subscription_ladders)


@given(
    events,
    st.lists(st.tuples(rules_of_any_kind, st.integers(0, 4000)), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
def test_whatever_rules_came_before_what_is_to_come_is_the_plan_of_the_rules_of_now(
    told: list[CommitmentEvent], changes: list[tuple[PlanningRules, int]], random: object
) -> None:
    """Events, ticks and other rules in any order: what lies ahead is what a scheduler would plan that knew all."""
    rules, at, agenda = changes[0][0], THEN, Agenda()
    for event in one_of_each_seq(told):
        agenda = agenda_after(agenda, event, at, rules=rules)
    for rules, later in sorted(changes, key=lambda change: change[1]):
        at = THEN + timedelta(days=later)
        agenda = ticked(agenda, at, random)
        agenda = replanned(agenda, at, rules)

    expected = set()
    for name, schedule in agenda.schedules.items():
        if not schedule.settled:
            for own_ladder in (
                None,
                *(c for c in rules.subscription_ladders if c.asks_for(schedule.commitment, schedule.milestone)),
            ):
                audience = own_ladder.subscription_id if own_ladder else None
                of = {
                    k: r
                    for k, r in agenda.reminders.items()
                    if k[:2] == (name, schedule.version) and k.audience == audience
                }
                done = {k.step for k, r in of.items() if r.state in ("fired", "merged")}
                for one in plan(
                    schedule.milestone,
                    at,
                    rules.book,
                    own_ladder=own_ladder,
                    scheduled_at=schedule.scheduled_at,
                    fired=done,
                ):
                    if one.state == "pending" and one.step not in done:
                        expected.add((ReminderKey(name, schedule.version, one.step, audience), one.due_at))
    assert expected == {(key, due_at) for key, due_at in pending(agenda) if due_at >= at}
    assert agenda == replanned(agenda, at, rules), "a second time it changes nothing"


def ticked(agenda: Agenda, at: datetime, random: object) -> Agenda:
    """As if ticks had told some of what is due."""
    reminders = {
        key: Reminder(r.due_at, "fired")
        if r.state == "pending" and r.due_at < at and random.random() < 0.7  # type: ignore[attr-defined]
        else r
        for key, r in agenda.reminders.items()
    }
    return Agenda(agenda.commitment_status, agenda.schedules, reminders)


@given(events, books, subscription_ladders, st.integers(0, 4000))
def test_one_readers_change_leaves_everybody_elses_reminders_alone(
    told: list[CommitmentEvent], by: LadderBook, readers: tuple[SubscriptionLadder, ...], later: int
) -> None:
    before = at_once(*one_of_each_seq(told))

    agenda = replanned(
        before, THEN + timedelta(days=later), PlanningRules(by, (*readers, own(9, "before-14d"))), only=UUID(int=9)
    )

    others = {key: r for key, r in agenda.reminders.items() if key.audience != UUID(int=9)}
    assert before.reminders == others
