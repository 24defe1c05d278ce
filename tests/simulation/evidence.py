"""Gathers what the invariants look at."""

import json
from typing import Any

from tests.simulation.invariants import Evidence, Reader
from tests.simulation.story import Story
from tests.simulation.world import World


def evidence_of(world: World, story: Story) -> Evidence:
    """Everything that is known when a story is over."""
    events = {incoming.event.id: incoming for incoming in story.kafka.published}
    readers = {
        one.id: Reader(
            one.id,
            one.address,
            one.active,
            one.inactive,
            one.ended_at,
            frozenset(id_ for id_, incoming in events.items() if one.wants(incoming)),
        )
        for one in story.subscriptions
    }
    look = world.ground.look
    return Evidence(
        events=events,
        published_at=story.published_at,
        read_at=story.kafka.read_at,
        readers=readers,
        receivers=story.receivers.by_address,
        receipts=story.receivers.receipts,
        starts=story.receivers.starts,
        disturbed={process.name: process.disturbed for process in world.processes},
        clock_was_set="clock" in world.tried,
        kept_events=look("select id, matched from event"),
        deliveries=look("select * from delivery"),
        attempts=look("select delivery_id, n, outcome, reason from delivery_attempt"),
        outbox=[_outgoing(row) for row in look("select event_id, topic, key, value from outbox order by id")],
        published=[record.event_id for record in story.topics.records],
    )


def _outgoing(row: Any) -> dict[str, Any]:
    value = json.loads(row["value"])
    return {
        "event_id": row["event_id"],
        "topic": row["topic"],
        "key": row["key"],
        "seq": value["seq"],
        "settled": [one["delivery_id"] for one in value.get("deliveries", ())],
    }
