"""What a ministry's engineer writes to load the present: plain JSON in, the register's own documents out."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from contracts.topics import COMMITMENT_STATE
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.outbox import TopicPartition
from services.plumbing.recovery.taking_over import TopicRecord

Json = dict[str, Any]
BRIEF = ("id", "statement_id", "language", "title", "section", "section_title", "parties", "organisations", "themes")
MILESTONE = (
    *("id", "commitment_id", "wording", "title", "span", "reading", "parties", "zone", "anchor_id", "offset"),
    *("local_time", "review_months", "wording_language", "schedule_version"),
)
ASSESSMENT = (
    *("event_id", "assessor", "organisation", "party", "previous", "assessment", "note", "evidence", "assessed_at"),
    "recorded_at",
)
SCHEDULE = ("version", "span", "change", "source", "known_on", "recorded_at")


async def read_topics(
    kafka: KafkaSettings, topics: Iterable[str], starts: Mapping[TopicPartition, int] | None = None
) -> list[TopicRecord]:
    """What lies on topics now, each partition from a start on, or from its beginning."""
    async with TopicReader(kafka).open(topics) as opened:
        bounds = await opened.bounds()
        begin = {place: (starts or {}).get(place, one.first) for place, one in bounds.items()}
        read = opened.read(begin, {place: one.end for place, one in bounds.items()})
        return [record async for batch in read for record in batch]


def value_of(record: TopicRecord) -> Json:
    """The event as it stands there."""
    value: Json = json.loads(record.value or b"null")
    return value


def last_states(records: Iterable[TopicRecord]) -> dict[str, Json]:
    """The state of each commitment: of its key the one with the highest `seq`."""
    states: dict[str, Json] = {}
    for record in records:
        state = value_of(record)
        known = states.get(state["commitment"]["id"])
        if record.topic == COMMITMENT_STATE.name and (known is None or state["seq"] > known["seq"]):
            states[state["commitment"]["id"]] = state
    return states


def written(document: Any) -> bytes:
    """JSON as the registry writes it."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def in_order(states: Iterable[Json]) -> list[Json]:
    """In the order of the statements and of their words."""
    return sorted(
        states,
        key=lambda one: (
            one["statement"]["made_on"], one["statement"]["id"], one["quote"]["start"], one["commitment"]["id"]
        ),
    )  # fmt: skip


def entry(state: Json) -> Json:
    """A commitment as it stands in `GET /commitments`."""
    milestones = [milestone(state, one) for one in state["milestones"]]
    how_it_stands = {name: state[name] for name in ("summary", "strength", "status", "party_statuses", "version")}
    assessments = [one | {"is_newest": True} for one in state["assessments"]]
    return (
        _brief(state)
        | how_it_stands
        | {
            "milestones": milestones,
            "assessments": assessments,
            "changed_at": state["changed_at"],
        }
    )


def milestone(state: Json, one: Json) -> Json:
    """A milestone as the register shows it."""
    facts = one["milestone"] | {
        "commitment_id": state["commitment"]["id"],
        "schedule_version": one["schedule_version"],
    }
    return {name: facts[name] for name in MILESTONE}


def record(state: Json, events: Iterable[TopicRecord], read_as: Mapping[str, Any], update: Iterable[str]) -> Json:
    """A commitment as `GET /commitments/{id}` shows it: its present from the state, its past from the events.

    `read_as` is what the statement's reading policy makes of each milestone's words; `update` are the fields of an
    entry in the history.
    """
    schedules: dict[str, list[Json]] = {}
    updates: list[Json] = []
    assessments: list[Json] = []
    for one in events:
        event = value_of(one)
        headers = {name: (content or b"").decode() for name, content in one.headers}
        if one.topic == "milestone-scheduled":
            facts = event | {
                "version": event["schedule_version"], "span": event["milestone"]["span"],
                "recorded_at": headers["ce_time"],
            }  # fmt: skip
            schedules.setdefault(event["milestone"]["id"], []).append({name: facts[name] for name in SCHEDULE})
        elif one.topic == "status-changed":
            facts = event | {"event_id": headers["ce_id"], "recorded_at": headers["ce_time"]}
            updates.append({name: facts[name] for name in update})
        elif one.topic == "commitment-assessed":
            facts = event | {"event_id": headers["ce_id"]}
            assessments.append({name: facts[name] for name in ASSESSMENT})
    milestones = [
        milestone(state, one)
        | {"schedules": schedules[one["milestone"]["id"]], "read_as": read_as[one["milestone"]["id"]]}
        for one in state["milestones"]
    ]
    names = ("statement", "quote", "passage", "verb", "summary", "strength", "lead_ministries", "status")
    return (
        _brief(state)
        | {name: state[name] for name in (*names, "party_statuses", "version")}
        | {"milestones": milestones, "status_updates": updates}
        | {"assessments": [one | {"is_newest": one in state["assessments"]} for one in assessments]}
    )


def anchors(states: Iterable[Json]) -> list[Json]:
    """The anchors on which something hangs, as in `GET /anchors`."""
    found: dict[str, Json] = {}
    for state in states:
        for anchor in state["anchors"]:
            known = found.setdefault(anchor["id"], anchor | {"milestones": []})
            hanging = [one["milestone"] for one in state["milestones"]]
            known["milestones"] += [one["id"] for one in hanging if one["anchor_id"] == anchor["id"]]
    return [found[id_] | {"milestones": sorted(found[id_]["milestones"])} for id_ in sorted(found)]


def _brief(state: Json) -> Json:
    return {name: state["commitment"][name] for name in BRIEF}
