"""What the database says: its schemas against the code, its clock against this one, what waits, and who holds it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pydantic import ValidationError

from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.doctor.diagnosis import Diagnosis, good, unknown, wrong
from services.cli.doctor.machine_checks import compared_clocks
from services.cli.schema_states import SchemaState, schema_states
from services.plumbing.clock import MACHINE_CLOCK
from services.plumbing.secrets_at_rest import settings_of_keys
from services.plumbing.settings_faults import faults_of_settings

OLDEST_UNPUBLISHED = 60.0
"""Seconds after which an event that is written and not published is more than a relay's turn late."""

_UNPUBLISHED = """
select (select extract(epoch from clock_timestamp() - written_at) from {schema}.outbox where published_at is null
        order by id limit 1) as seconds,
       (select count(*) from (select from {schema}.outbox where published_at is null limit 10000) counted) as n
"""


class DatabaseDoctor:
    """Looks at the database of an address."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def reach(self) -> str:
        """Which PostgreSQL it is; raises what asyncpg does where it can't be reached."""
        async with self._connection() as connection:
            return f"PostgreSQL {await connection.fetchval('show server_version')} answers"

    async def look_at_schemas(self) -> list[Diagnosis]:
        """Whether each schema is as new as this code."""
        return [_schema(state) for state in await schema_states(self._url)]

    async def look_at_clock(self) -> Diagnosis:
        """Whether the database's clock and this machine's agree: leases go by the one, reminders by the other."""
        async with self._connection() as connection:
            before = MACHINE_CLOCK.now()
            there = await connection.fetchval("select clock_timestamp()")
            after = MACHINE_CLOCK.now()
        return compared_clocks(before + (after - before) / 2, there, "the database")

    async def look_at_unpublished(self) -> list[Diagnosis]:
        """How long the oldest event has waited to be published, in each service."""
        async with self._connection() as connection:
            return [
                await _unpublished(connection, name)
                for name in SERVICES_WITH_SCHEMA
                if await _has_table(connection, f"{name}.outbox")
            ]

    async def look_at_sending(self) -> Diagnosis:
        """Whether somebody holds what is to be sent: a recovery, the stop switch, a trial."""
        from services.cli.database_question import in_schema
        from services.notifier.delivery.sending_stop import open_stop
        from services.notifier.delivery.trial import open_trial

        async with self._connection() as connection:
            if not await _has_table(connection, "notifier.trial"):
                return unknown("sending", "the notifier's schema is not there, or older")
            async with in_schema(connection, "notifier"):
                stop, trial = await open_stop(connection), await open_trial(connection)
            held = [
                name
                for name in SERVICES_WITH_SCHEMA
                if await connection.fetchval(f"select exists (select from {name}.recovery where released_at is null)")
            ]
        if held:
            return wrong("sending", f"held since a restore: {', '.join(held)}", "pledgewire recovery status")
        if stop:
            return wrong("sending", f"stopped by {stop.by}: {stop.reason}", "pledgewire sending start")
        if trial:
            return unknown("sending", f"a trial is on since {trial.since:%Y-%m-%d}", "end it with: pledgewire go-live")
        return good("sending", "nobody holds it")

    async def look_at_secrets(self, named: Mapping[str, str]) -> Diagnosis:
        """Whether all that is sealed can be opened with the keys that these variables name, and is under the first."""
        from services.cli.database_question import in_schema
        from services.notifier.subscriptions.resealing import sealed_by_key

        try:
            ids = [key.id for key in settings_of_keys(named).keys]
        except ValidationError as error:
            return wrong(
                "secrets",
                f"the keys can't be had: {faults_of_settings(error)}",
                "put back your copy of the file or correct the setting: nothing else opens what they sealed",
            )
        async with self._connection() as connection:
            if not await _has_table(connection, "notifier.subscription"):
                return unknown("secrets", "the notifier's schema is not there")
            async with in_schema(connection, "notifier"):
                found = await sealed_by_key(connection)
        return state_of_secrets(ids, found)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        import asyncpg

        connection = await asyncpg.connect(
            self._url, timeout=8, server_settings={"application_name": "pledgewire-doctor"}
        )
        try:
            yield connection
        finally:
            await connection.close()


def state_of_secrets(ids: Sequence[str], found: Mapping[str | None, int]) -> Diagnosis:
    """What it says how many secrets are sealed with which key, None for in the clear, where these keys are known."""
    clear, total = found.get(None, 0), sum(found.values())
    unknown_ones = {key: count for key, count in found.items() if key is not None and key not in ids}
    if unknown_ones:
        told = ", ".join(f"{count} with {key}" for key, count in sorted(unknown_ones.items()))
        if not ids:
            return unknown("secrets", f"sealed are {told}, and no key is named here", "name SECRETS_KEY_FILE to see")
        return wrong(
            "secrets",
            f"{sum(unknown_ones.values())} can't be opened, for want of their key ({told})",
            "put that key back into the keys, behind the first",
        )
    if not ids:
        return unknown(
            "secrets", f"there is no key: {clear} stand in the clear", "pledgewire secrets new-key FILE, and name it"
        )
    if left := total - found.get(ids[0], 0):
        told = f"{clear} stand in the clear, {left - clear} under an older key"
        return wrong("secrets", f"of {total} secrets {told}", "pledgewire secrets rotate")
    return good("secrets", f"all {total} are sealed with the key {ids[0]}" if total else "none is kept yet")


def _schema(state: SchemaState) -> Diagnosis:
    name = f"schema {state.schema}"
    if not state.is_behind:
        return good(name, f"revision {state.found}{', newer than this code' if state.is_ahead else ''}")
    found = f"it is at revision {state.found}" if state.found else "it has no tables yet"
    return wrong(name, f"{found}, this code needs {state.needs}", "pledgewire db upgrade")


async def _unpublished(connection: Any, name: str) -> Diagnosis:
    row = await connection.fetchrow(_UNPUBLISHED.format(schema=name))
    seconds, count = float(row["seconds"] or 0), row["n"]
    what = f"{count} wait, the oldest for {seconds:.0f} s" if count else "none waits"
    if seconds > OLDEST_UNPUBLISHED:
        return wrong(f"unpublished of {name}", what, f"see why its relay stands: {name}'s log, and Kafka below")
    return good(f"unpublished of {name}", what)


async def _has_table(connection: Any, table: str) -> bool:
    return bool(await connection.fetchval("select to_regclass($1) is not null", table))
