"""Who is told of what is for some and not for others: reminders by own ladders, escalations, what does not agree."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.causes import HISTORY
from contracts.filters import Filters
from services.notifier.events.event_types import EVENT_TYPES
from services.notifier.events.traits import EventTraits, SubscriptionTraits
from services.notifier.subscriptions.matching import is_told, left_out_by
from tests.contracts.golden_records import PATHS, example, golden, wire

ME, ANOTHER = UUID(int=1), UUID(int=2)


def about(event: str, **changes: object) -> EventTraits:
    """An event about the climate in Mexico."""
    given = {
        "event": event,
        "parties": frozenset({"MX"}),
        "themes": frozenset({"climate"}),
        "section": "climate-crisis",
        "commitment": "methane",
    }
    return EventTraits(**given | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("has_ladder", "audience", "told"),
    [
        (False, None, True),
        (True, None, False),
        (True, ME, True),
        (True, ANOTHER, False),
        (False, ANOTHER, False),
        (False, ME, True),
    ],
)
def test_a_reminder_is_for_all_without_a_ladder_or_for_one_subscription(
    has_ladder: bool, audience: UUID | None, told: bool
):
    assert told == is_told(SubscriptionTraits(ME, Filters(), has_ladder), about("milestone-due", audience=audience))


def test_a_reminder_by_somebodys_own_ladder_still_has_to_fit_their_filters():
    canada = SubscriptionTraits(ME, Filters(parties=frozenset({"CA"})), has_ladder=True)

    assert not is_told(canada, about("milestone-due", audience=ME))


def test_who_has_a_ladder_hears_of_everything_else_as_before():
    subscription = SubscriptionTraits(ME, Filters(), has_ladder=True)

    assert is_told(subscription, about("milestone-scheduled"))
    assert is_told(subscription, about("status-changed"))


@pytest.mark.parametrize(("level", "told"), [("director", True), ("focal-point", False), (None, False)])
def test_an_escalation_is_for_its_level(level: str | None, told: bool):
    assert told == is_told(
        SubscriptionTraits(ME, Filters(), level=level), about("milestone-escalated", level="director")
    )


def test_an_escalation_has_to_fit_the_filters():
    asked = Filters(events=frozenset({"milestone-due"}))

    assert not is_told(SubscriptionTraits(ME, asked, level="director"), about("milestone-escalated", level="director"))


@pytest.mark.parametrize(
    ("events", "told"),
    [((), False), (("status-changed",), False), (("consistency-flagged",), True)],
)
def test_what_does_not_agree_is_for_those_who_name_it(events: tuple[str, ...], told: bool):
    assert told == is_told(SubscriptionTraits(ME, Filters(events=frozenset(events))), about("consistency-flagged"))


def test_an_event_says_whom_it_is_for():
    def of(name: str) -> EventTraits:
        _, event = example(name).read()
        return EVENT_TYPES[name.partition(".")[0]].traits(event)

    assert of("milestone-escalated.v1.focal-point-first").level == "focal-point"
    assert of("own-ladder-due.v1.two-business-days").audience is not None
    assert of("milestone-due.v1.rappel-tardif").audience is None
    assert of("consistency-flagged.v1.past-due").parties == {"CA"}, "those of the milestone"
    assert of("consistency-flagged.v1.sin-noticias").parties == {"CA", "MX", "US"}, "those of the commitment"


names = st.frozensets(st.sampled_from(["a", "b"]), max_size=2)
events = st.sampled_from(sorted(kind.told_as.name for kind in EVENT_TYPES.values()))
asked = st.builds(
    SubscriptionTraits,
    id=st.just(ME),
    filters=st.builds(
        Filters,
        events=st.frozensets(events, max_size=2),
        parties=names,
        themes=names,
        sections=names,
        commitments=names,
    ),
    has_ladder=st.booleans(),
    level=st.sampled_from([None, "director"]),
    is_refused=st.booleans(),
)
traits = st.builds(
    EventTraits,
    event=events,
    parties=names,
    themes=names,
    section=st.sampled_from(["a", "b"]),
    commitment=st.sampled_from(["a", "b"]),
    audience=st.sampled_from([None, ME, ANOTHER]),
    level=st.sampled_from([None, "director"]),
)


@given(asked, traits)
def test_who_is_not_told_is_left_out_by_something_and_nobody_else_is(
    subscription: SubscriptionTraits, event: EventTraits
):
    assert (left_out_by(subscription, event) == ()) == is_told(subscription, event)


def test_what_leaves_somebody_out_is_named():
    canada = SubscriptionTraits(ME, Filters(parties=frozenset({"CA"}), themes=frozenset({"climate"})), has_ladder=True)

    assert left_out_by(canada, about("milestone-due")) == ("parties", "own-ladder")
    assert left_out_by(canada, about("status-changed", audience=ANOTHER)) == ("parties", "history")
    assert left_out_by(SubscriptionTraits(ME, Filters()), about("consistency-flagged")) == ("by-name",)
    assert left_out_by(SubscriptionTraits(ME, Filters()), about("milestone-escalated", level="director")) == ("level",)


HISTORY_TELLS = ("commitment-created", "milestone-scheduled", "status-changed", "consistency-flagged")


@pytest.mark.parametrize("topic", HISTORY_TELLS)
def test_history_is_told_to_nobody(topic: str) -> None:
    """
    What was taken in as history goes to nobody, also where a subscription names the event, and the reason is said.
    """
    path = next(one for one in PATHS if golden(one)["topic"] == topic and golden(one)["value"].get("current", True))
    _, event = wire(path).read()
    history = event.model_copy(update={"cause": event.cause.model_copy(update={"kind": HISTORY})})
    names_it = SubscriptionTraits(ME, Filters(events=frozenset({topic})))

    assert is_told(names_it, EVENT_TYPES[topic].traits(event))
    assert not is_told(names_it, EVENT_TYPES[topic].traits(history))
    assert left_out_by(names_it, EVENT_TYPES[topic].traits(history)) == ("history",)
