"""A register that is an old backup takes over what its topics know, and what it accepted meanwhile comes behind."""

from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from pydantic_core import from_json
from sqlalchemy.engine import make_url

from contracts.vocabulary import Status
from services.cli.databases import with_database
from services.plumbing.database import Database
from services.plumbing.recovery.taking_over import TakingOver, TopicRecord
from services.registry.actions.events import ActionContext
from services.registry.actions.status_updates import ReportStatus, record_status_updates
from services.registry.actions.taking_over import TOPICS, MissedRegistryEvents
from services.registry.intake import ReportIntake
from services.registry.store.status_updates import RecordedUpdate
from tests.registry.scenes import COAL, MOVED, NOW, Register, StoppedClock, new_commitment, opened
from tests.registry.test_intake import received


@pytest.fixture
async def old(template: str, database_url: str) -> AsyncIterator[Database]:
    """A copy from before everything that the test does to the register."""
    copy = f"test_{uuid4().hex[:12]}"
    server = await asyncpg.connect(database_url)
    await server.execute(f'create database "{copy}" template "{make_url(template).database}"')
    database = await opened(with_database(database_url, copy))
    async with database.connection() as connection:
        await connection.execute("update outbox set published_at = written_at")
    yield database
    await database.close()
    await server.execute(f'drop database "{copy}" with (force)')
    await server.close()


async def rows(database: Database, query: str, *values: object) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query, *values)]


async def take_over(register: Register, old: Database) -> None:
    """What the register has published since, read from the topics by the old one."""
    async with register.database.connection() as connection:
        published = await connection.fetch(
            "select * from outbox where not event_id = any($1::uuid[]) order by id",
            [id_ for (id_,) in await rows(old, "select event_id from outbox where published_at is not null")],
        )
    topics: dict[str, list[TopicRecord]] = defaultdict(list)
    for row in published:
        headers = [(name, text.encode()) for name, text in row["headers"].items()]
        batch = topics[row["topic"]]
        batch.append(TopicRecord(row["topic"], 0, len(batch), row["key"].encode(), headers, row["value"], 0))
    taking_over = TakingOver(old, MissedRegistryEvents())
    for topic in TOPICS:
        if topics[topic.name]:
            await taking_over.take(topics[topic.name])


async def accept(database: Database, commitment: str, status: Status, **more: Any) -> int:
    """An update that a client has an answer for; the version that it was told."""
    report = ReportStatus(commitment_id=commitment, status=status, reported_at=NOW, **more)
    async with database.transaction() as connection:
        (update,) = await record_status_updates(database, connection, [(report, ActionContext(NOW, "desk"))])
    assert isinstance(update, RecordedUpdate), update
    return update.version


OTHER = "nals-2021-develop-smes"
HISTORY = """
select event_id, version, party, from_status, to_status, is_current, overall, report_id, occurred_at, reported_at,
    recorded_at from status_update order by commitment_id, version
"""
STANDING = "select id, status, version from commitment order by id"
NUMBERS = "select topic, key, value from outbox order by id"


async def numbers_of(database: Database) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for topic, key, value in await rows(database, NUMBERS):
        found[topic, key].append(from_json(value)["seq"])
    return found


async def test_status_updates_and_what_they_make_of_a_commitment_are_taken_over(
    register: Register, old: Database
) -> None:
    for status in ("in-progress", "at-risk"):
        assert (await register.report(COAL, status=status, party="MX")).status_code == 201
    await ReportIntake(register.database, StoppedClock()).apply([received(OTHER, ministry="ca-gac")])

    await take_over(register, old)

    assert await rows(old, HISTORY) == await rows(register.database, HISTORY)
    assert await rows(old, STANDING) == await rows(register.database, STANDING)
    assert await rows(old, "select * from commitment_party_status order by 1, 2") == await rows(
        register.database, "select * from commitment_party_status order by 1, 2"
    )


async def test_what_was_accepted_meanwhile_comes_behind_with_other_numbers_and_versions(
    register: Register, old: Database
) -> None:
    for status in ("in-progress", "at-risk", "met"):
        assert (await register.report(COAL, status=status, party="MX")).status_code == 201
    assert await accept(old, COAL, Status.IN_PROGRESS, party="MX") == 2
    assert await accept(old, COAL, Status.AT_RISK, party="CA") == 3

    await take_over(register, old)

    versions = await rows(old, "select version, party, from_status, to_status from status_update order by version")
    assert versions == [
        (2, "MX", "announced", "in-progress"),
        (3, "MX", "in-progress", "at-risk"),
        (4, "MX", "at-risk", "met"),
        (5, "MX", "met", "in-progress"),
        (6, "CA", "announced", "at-risk"),
    ]
    assert (await rows(old, "select status, version from commitment where id = $1", COAL)) == [("at-risk", 6)]
    assert all(seqs == list(range(1, len(seqs) + 1)) for seqs in (await numbers_of(old)).values())
    waiting = await rows(old, "select value from outbox where published_at is null order by id")
    assert [(event["seq"], event["version"]) for (value,) in waiting if (event := from_json(value))] == [(4, 5), (5, 6)]
    assert await rows(old, "select last from outbox_seq where topic = 'status-changed' and key = $1", COAL) == [(5,)]
    with pytest.raises(asyncpg.RaiseError, match="only ever added to"):
        await rows(old, "update status_update set note = 'x'")


async def test_a_report_that_is_heard_again_is_the_same_update_before_and_after(
    register: Register, old: Database
) -> None:
    report = received(COAL, party="MX", status=Status.IN_PROGRESS)
    assert (await register.report(COAL, status="at-risk", party="MX")).is_success
    await ReportIntake(register.database, StoppedClock()).apply([report])
    heard = ReportIntake(old, StoppedClock())
    await heard.apply([report])  # its consumer was quicker than the comparison

    await take_over(register, old)
    await heard.apply([report])

    assert await rows(old, HISTORY) == await rows(register.database, HISTORY)
    assert await rows(old, "select count(*) from outbox where published_at is null and topic = 'status-changed'") == [
        (0,)
    ]


async def test_dates_commitments_and_anchors_are_taken_over_and_dates_given_meanwhile_come_behind(
    register: Register, old: Database
) -> None:
    answer = await register.send("POST", "/commitments", new_commitment())
    assert answer.status_code == 201, answer.text
    answer = await register.send("PUT", "/anchors/nals-2022", MOVED)
    assert answer.status_code == 200, answer.text

    await take_over(register, old)

    schedules = "select milestone_id, version, edtf, change, event_id from milestone_schedule order by 1, 2"
    assert await rows(old, schedules) == await rows(register.database, schedules)
    assert await rows(old, "select id, edtf, latest from anchor order by id") == await rows(
        register.database, "select id, edtf, latest from anchor order by id"
    )
    assert await rows(old, "select id, schedule_version, anchor_id from milestone order by id") == await rows(
        register.database, "select id, schedule_version, anchor_id from milestone order by id"
    )
    assert await rows(old, "select remarks from recovery") == [([],)]
