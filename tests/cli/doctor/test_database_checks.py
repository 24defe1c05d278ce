"""What the doctor sees in a real database: old schemas, events that wait, and who holds what is to be sent."""

import asyncpg
import pytest

from services.cli.databases import schema_versions
from services.cli.doctor.database_checks import DatabaseDoctor, state_of_secrets
from services.cli.doctor.diagnosis import Diagnosis
from services.plumbing.schema import revisions
from services.plumbing.secrets_at_rest import Secrets, new_key, read_keys
from tests.conftest import FreshDatabase
from tests.notifier.scenes import database_at
from tests.notifier.subscriptions.test_sealed import added, store_with


@pytest.fixture
async def url(fresh_database: FreshDatabase) -> str:
    return await fresh_database(schema_versions())


async def sql(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def lines(findings: list[Diagnosis]) -> dict[str, bool | None]:
    return {one.name: one.ok for one in findings}


async def test_a_database_as_it_should_be(url: str) -> None:
    doctor = DatabaseDoctor(url)
    assert (await doctor.reach()).startswith("PostgreSQL ")
    assert lines(await doctor.look_at_schemas()) == dict.fromkeys(
        ("schema registry", "schema scheduler", "schema notifier"), True
    )
    assert set(lines(await doctor.look_at_unpublished()).values()) == {True}
    assert (await doctor.look_at_clock()).ok
    assert (await doctor.look_at_sending()).ok


async def test_a_schema_that_is_older_or_not_there_is_named_with_what_mends_it(url: str) -> None:
    older = revisions(schema_versions()["registry"])[-2]
    await sql(
        url,
        f"update registry.alembic_version set version_num = '{older}'",
        "update scheduler.alembic_version set version_num = '9999'",
        "drop schema notifier cascade",
    )
    found = {one.name: one for one in await DatabaseDoctor(url).look_at_schemas()}
    assert lines(list(found.values())) == {"schema registry": False, "schema scheduler": True, "schema notifier": False}
    assert f"it is at revision {older}, this code needs" in found["schema registry"].what
    assert found["schema registry"].fix == "pledgewire db upgrade"
    assert "it has no tables yet" in found["schema notifier"].what
    assert "newer than this code" in found["schema scheduler"].what
    assert lines(await DatabaseDoctor(url).look_at_unpublished()) == {
        "unpublished of registry": True,
        "unpublished of scheduler": True,
    }
    assert (await DatabaseDoctor(url).look_at_sending()).ok is None


async def test_an_event_that_nobody_publishes_shows_by_its_age(url: str) -> None:
    row = (
        "insert into {schema}.outbox (event_id, topic, key, value, headers, created_at, written_at) values"
        " (gen_random_uuid(), 'status-changed', 'coal', '{{}}', '{{}}', now(), now() - interval '{age}')"
    )
    await sql(url, row.format(schema="registry", age="5 minutes"), row.format(schema="scheduler", age="5 seconds"))
    found = {one.name: one for one in await DatabaseDoctor(url).look_at_unpublished()}
    assert lines(list(found.values())) == {
        "unpublished of registry": False,
        "unpublished of scheduler": True,
        "unpublished of notifier": True,
    }
    assert "1 wait, the oldest for 30" in found["unpublished of registry"].what


async def test_whoever_holds_what_is_to_be_sent_is_named(url: str) -> None:
    doctor = DatabaseDoctor(url)
    await sql(url, "insert into notifier.trial (began_by, allowed) values ('ana', '{}')")
    trial = await doctor.look_at_sending()
    assert (trial.ok, trial.fix) == (None, "end it with: pledgewire go-live")
    await sql(url, "insert into notifier.sending_stop (stopped_by, reason) values ('ana', 'A wrong import')")
    stopped = await doctor.look_at_sending()
    assert (stopped.ok, stopped.what) == (False, "stopped by ana: A wrong import")


async def test_secrets_are_all_to_be_opened_and_under_the_first_key(url: str) -> None:
    """
    In the clear without a key, half-way through a rotation, done, and with the key lost.
    """
    old, new = new_key(), new_key()
    doctor = DatabaseDoctor(url)
    assert "none is kept yet" in (await doctor.look_at_secrets({"SECRETS_KEY": new})).what
    database = database_at(url)
    await database.open()
    await added(store_with(database, Secrets(read_keys(old))), "ana@sre.example", "email")
    await database.close()

    half = await doctor.look_at_secrets({"SECRETS_KEY": f"{new},{old}"})
    assert (half.ok, half.fix) == (False, "pledgewire secrets rotate")
    assert "0 stand in the clear, 1 under an older key" in half.what
    assert (await doctor.look_at_secrets({"SECRETS_KEY": f"{old},{new}"})).ok
    lost = await doctor.look_at_secrets({"SECRETS_KEY": new})
    assert not lost.ok and "can't be opened" in lost.what
    assert (await doctor.look_at_secrets({})).ok is None
    gone = await doctor.look_at_secrets({"SECRETS_KEY_FILE": "/nowhere/at/all"})
    assert not gone.ok and "SECRETS_KEY_FILE" in gone.what
    assert old not in f"{half}{lost}{gone}" and new not in f"{half}{lost}{gone}"


@pytest.mark.parametrize(
    ("ids", "found", "ok", "told"),
    [
        ([], {None: 3}, None, "no key: 3 stand in the clear"),
        (["a"], {"a": 3}, True, "all 3"),
        (["a"], {"a": 1, None: 2}, False, "of 3 secrets 2 stand in the clear, 0 under"),
        (["a", "b"], {"b": 2, "c": 1}, False, "1 can't be opened"),
    ],
)
def test_what_is_said_of_secrets(ids: list[str], found: dict[str | None, int], ok: bool | None, told: str) -> None:
    diagnosis = state_of_secrets(ids, found)
    assert diagnosis.ok is ok
    assert told in diagnosis.what
