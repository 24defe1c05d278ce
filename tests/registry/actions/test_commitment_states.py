"""The state of a commitment says what the register says, whatever has changed it, and is told when it has changed."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from contracts.commitment_state import CommitmentState, PresentCommitment
from contracts.events import MilestoneScheduled
from services.registry.actions.commitment_states import StatePublisher
from services.registry.catalogue.loading import NALS_2021
from services.registry.store.commitment_states import INCLUDED, all_present_commitments
from services.registry.views.snapshot import snapshot
from tests.registry.scenes import (
    COAL,
    FOLLOWER,
    MOVED,
    STRICT,
    TARGET,
    Register,
    dated,
    new_commitment,
    outcome,
    take_in,
)

STATE = "commitment-state"


async def written(register: Register) -> int:
    """Write all states that are due; how many were new."""
    publisher = StatePublisher(register.database, register.clock)
    before = len(await register.events(STATE))
    while await publisher.write_due():
        await publish(register)
    return len(await register.events(STATE)) - before


async def publish(register: Register) -> None:
    """As the relay marks what it has published, one record behind the other."""
    async with register.database.connection() as connection:
        await connection.execute(
            "update outbox set published_at = now(), at_partition = 0, at_offset = id where published_at is null"
        )


async def told(register: Register) -> dict[str, CommitmentState]:
    """The last state of each commitment."""
    return {event.commitment.id: event for _, event in await register.events(STATE)}


async def present(register: Register) -> dict[str, PresentCommitment]:
    async with snapshot(register.database) as connection:
        return {one.commitment.id: one async for one in all_present_commitments(connection)}


def without_seq(state: CommitmentState) -> str:
    return PresentCommitment(
        **{name: getattr(state, name) for name in PresentCommitment.model_fields}
    ).model_dump_json()


async def edit(register: Register) -> None:
    """As a catalogue brings facts up to date, without an event."""
    async with register.database.connection() as connection:
        await connection.execute('update commitment set title = title || \'{"en": "Edited"}\' where id = $1', COAL)


CHANGES: Mapping[str, tuple[str, str, Any] | None] = {
    "a party's status": ("POST", f"/commitments/{COAL}/status-updates", {"status": "in-progress", "party": "CA"}),
    "an assessment": ("POST", f"/commitments/{COAL}/assessments", {"organisation": "Watch", "assessment": "stalled"}),
    "another date": ("PUT", f"/milestones/{TARGET}/schedule", dated("2031")),
    "an anchor's date": ("PUT", "/anchors/nals-2022", MOVED),
    "an anchor that was held": ("POST", "/anchors/nals-2022/outcome", outcome("held", edtf="2021-12-01")),
    "an anchor that is off": ("POST", "/anchors/nals-2022/outcome", outcome("cancelled", "2022-03-01")),
    "another reading": ("PUT", "/statements/nals-2021/reading-policy", STRICT),
    "a commitment more": ("POST", "/commitments", new_commitment()),
    "facts that were edited": None,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_each_change_is_in_the_states(register: Register, change: str) -> None:
    """
    Afterwards the last state of every commitment is what the register says, and what hasn't changed has no other.
    """
    assert await written(register) == len(await present(register))
    before = await told(register)
    if request := CHANGES[change]:
        by = "watch" if change == "an assessment" else "desk"
        answer = await register.send(*request, by=by)
        assert answer.status_code in (200, 201), answer.text
    else:
        await edit(register)
    await written(register)

    now, after = await present(register), await told(register)
    assert {id_: without_seq(state) for id_, state in after.items()} == {
        id_: one.model_dump_json() for id_, one in now.items()
    }
    changed = {
        id_ for id_, state in after.items() if id_ not in before or without_seq(before[id_]) != without_seq(state)
    }
    assert changed
    assert {id_ for id_, state in after.items() if id_ not in before or before[id_] != state} == changed


async def test_what_changes_nothing_has_no_state(register: Register) -> None:
    """
    The same catalogue again, a policy that gives the same days, a date that is confirmed.
    """
    await written(register)
    await take_in(register.database, NALS_2021)
    await register.send("PUT", "/statements/nals-2021/reading-policy", {"policy": {}})

    assert await written(register) == 0
    assert await register.count("state_due") == 0


async def test_what_changes_often_is_told_once(register: Register) -> None:
    """
    Also while its last state is not published: then there is one that waits, and it is not the last word.
    """
    await written(register)
    publisher = StatePublisher(register.database, register.clock)
    for status in ("in-progress", "at-risk"):
        await register.report(COAL, status=status)
    assert await publisher.write_due() == 1
    assert (await told(register))[COAL].version == 3
    await register.report(COAL, status="met", note="It is done")

    assert await publisher.write_due() == 0
    await publish(register)
    assert await publisher.write_due() == 1
    assert (await told(register))[COAL].version == 4
    assert (await told(register))[COAL].seq == 3


async def test_two_registries_tell_each_state_once_and_in_order(register: Register) -> None:
    """
    One writes at a time, and reads what it tells at one moment: `seq` has no gap and what it includes only grows.
    """
    await written(register)
    publishers = [StatePublisher(register.database, register.clock) for _ in range(2)]
    for number in range(6):
        await asyncio.gather(
            register.report(COAL, status="in-progress" if number % 2 == 0 else "at-risk"),
            *(one.write_due() for one in publishers),
        )
        await publish(register)
    await written(register)

    states = [event for _, event in await register.events(STATE) if event.commitment.id == COAL]
    assert states[-1].version == 7
    assert await register.count(f"outbox_seq where topic = '{STATE}' and last > {states[-1].seq}") == 0
    assert [state.version for state in states] == sorted(state.version for state in states)


async def test_the_outbox_keeps_no_states_that_were_overtaken(register: Register) -> None:
    """
    Of those that are published the last one, by which the outbox is compared with the topic, and what waits.
    """
    for status in ("in-progress", "at-risk", "in-progress", "at-risk"):
        await register.report(COAL, status=status)
        await written(register)

    kept = [event.seq for _, event in await register.events(STATE) if event.commitment.id == COAL]
    assert kept == [3, 4]


async def test_a_state_says_how_far_it_holds(register: Register) -> None:
    """
    By the `seq` of the events that it includes: each event about the commitment is in it or behind it.
    """
    await register.send("PUT", f"/milestones/{FOLLOWER}/schedule", MOVED)
    await register.send("PUT", "/anchors/nals-2022", MOVED)
    await register.report(COAL, status="in-progress")
    await written(register)

    events: dict[tuple[str, str], int] = {}
    for topic in INCLUDED:
        for _, event in await register.events(topic):
            assert isinstance(event, MilestoneScheduled) or event.seq == 1
            events[event.commitment.id, topic] = event.seq
    for id_, state in (await told(register)).items():
        assert {one.topic: one.through for one in state.includes} == {
            topic: events.get((id_, topic), 0) for topic in INCLUDED
        }
        assert json.loads(state.model_dump_json())["seq"] == 1
