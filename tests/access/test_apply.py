"""`apply` makes a real broker what the file says, whatever it was before, and changes nothing the second time."""

from collections.abc import AsyncIterator

import pytest

from services.cli.access.admin import AccessAdmin, can_log_in
from services.cli.access.applying import apply_access, new_password, rotate
from services.cli.access.document import AccessDocument, access_from
from services.cli.access.principals import AclEntry
from services.cli.topics import TopicAdmin
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.conftest import emptied

FILE = """
services: {registry: {}, scheduler: {}, notifier: {}, portal: {}}
ministry_quota: {request_percent: 50, produce_bytes_per_second: 1048576}
ministries:
  mx-sre: {read: [status-changed], report: true}
  br-mre: {report: true, quota: {consume_bytes_per_second: 4096}}
"""
DOCUMENT = access_from(FILE, "the test's file")
PASSWORDS = {name: new_password() for name in DOCUMENT.services}


@pytest.fixture
async def applied(kafka: KafkaSettings) -> AsyncIterator[KafkaSettings]:
    await emptied(kafka)
    changes = await apply_access(kafka, DOCUMENT, PASSWORDS)
    assert changes
    for code in DOCUMENT.ministries:
        await rotate(kafka, code, new_password())
    yield kafka


async def plan_of(kafka: KafkaSettings, document: AccessDocument = DOCUMENT) -> list[str]:
    changes = await apply_access(kafka, document, PASSWORDS, dry_run=True)
    return [f"{one.principal}: {one.what}" for one in changes]


async def test_the_second_time_nothing_changes(applied: KafkaSettings) -> None:
    assert await plan_of(applied) == []
    assert await apply_access(applied, DOCUMENT, PASSWORDS) == []


async def test_a_plan_changes_nothing(kafka: KafkaSettings) -> None:
    await emptied(kafka)
    before = await plan_of(kafka)

    assert await plan_of(kafka) == before
    async with AccessAdmin(kafka) as admin:
        found = await admin.found()
    assert (found.users - {kafka.sasl_username}, found.acls, found.quotas) == (set(), set(), {})


async def test_every_drift_is_seen_and_mended(applied: KafkaSettings) -> None:
    """
    A rule too many, one too few, one that denies; a quota that somebody else set; a password that is not ours.
    """
    right = AclEntry("User:mx-sre", "topic", "status-changed", "read")
    wide = AclEntry("User:mx-sre", "topic", "status-", "write", is_prefix=True)
    denied = AclEntry("User:registry", "topic", "status-changed", "write", permission="deny")
    async with AccessAdmin(applied) as admin:
        await admin.delete_acls([right])
        await admin.create_acls([wide, denied])
        await admin.set_quotas({"mx-sre": {"request_percentage": 400.0}, "portal": {"consumer_byte_rate": 1.0}})
        await admin.set_passwords({"notifier": "another-password"})
        await admin.delete_users(["scheduler"])

    drift = {
        "mx-sre: read topic status-changed",
        "mx-sre: no longer write topic status-…",
        "registry: no longer write topic status-changed (denied)",
        "mx-sre: request_percentage 400 → 50",
        "portal: consumer_byte_rate 1 → unbounded",
        "notifier: another password",
        "scheduler: a password",
    }
    assert set(await plan_of(applied)) == drift

    await apply_access(applied, DOCUMENT, PASSWORDS)

    assert await plan_of(applied) == []
    assert await can_log_in(applied, "notifier", PASSWORDS["notifier"])
    assert not await can_log_in(applied, "notifier", "another-password")


async def test_the_topics_of_a_ministry_are_made(applied: KafkaSettings) -> None:
    """
    Also of one that the code doesn't know: what it reports on, the dead letters of that, and what was refused.
    """
    names = ["status-reported-br-mre", "status-reported-br-mre-dead", "status-rejected-br-mre"]
    async with TopicAdmin(applied) as admin:
        found = await admin.found(names)

    assert {name: topic.partitions for name, topic in found.items()} == dict(zip(names, (3, 1, 3), strict=True))
    assert found[names[0]].config["message.timestamp.type"] == "LogAppendTime"
    assert {topic.config["unclean.leader.election.enable"] for topic in found.values()} == {"false"}


async def test_a_stranger_is_told_and_left_unless_asked_for(applied: KafkaSettings) -> None:
    strange = AclEntry("User:somebody", "topic", "*", "read")
    elsewhere = AclEntry("User:somebody", "topic", "another-system", "read")
    async with AccessAdmin(applied) as admin:
        await admin.create_acls([strange, elsewhere])
        await apply_access(applied, DOCUMENT, PASSWORDS)
        left = (await admin.found()).acls
        assert await plan_of(applied) == ["somebody: read topic *, and the file does not name it"]
        await apply_access(applied, DOCUMENT, PASSWORDS, revoke_strangers=True)
        kept = (await admin.found()).acls

    assert {strange, elsewhere} <= left
    assert {strange, elsewhere} & kept == {elsewhere}
    assert await plan_of(applied) == []


async def test_a_ministry_that_left_the_file_is_a_stranger(applied: KafkaSettings) -> None:
    """
    Taken out by hand it may read on, and the plan says so; `revoke`, or `--revoke-strangers`, ends it.
    """
    smaller = access_from(FILE.replace("  mx-sre: {read: [status-changed], report: true}\n", ""), "a smaller file")

    told = await plan_of(applied, smaller)
    assert any(line.startswith("mx-sre: read topic status-changed, and the file does not name it") for line in told)

    await apply_access(applied, smaller, PASSWORDS, revoke_strangers=True)
    async with AccessAdmin(applied) as admin:
        assert not [
            acl for acl in (await admin.found()).acls if acl.principal == "User:mx-sre" and acl.resource == "topic"
        ]
