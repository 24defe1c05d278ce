"""At which revisions the schemas of a database stand, and what this code makes of it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError

from deploy.embedded.errors import EmbeddedError
from services.cli.databases import schema_versions
from services.cli.platform import database_url
from services.cli.released_schemas import RELEASED_SCHEMAS
from services.plumbing.migrations import UnknownRevision, current
from services.plumbing.schema import revisions
from services.plumbing.short_locks import LocksHeld
from services.plumbing.transient_errors import is_transient

T = TypeVar("T")


@dataclass(frozen=True)
class SchemaState:
    """Where a schema stands, and what this code makes of it."""

    schema: str
    found: str | None
    """Its revision; None for one without tables."""
    needs: str
    """The newest that this code knows."""
    release: str | None
    """The release that left it there, if one did."""
    steps: tuple[str, ...]
    """The revisions to come, the next one first."""
    is_ahead: bool
    """Whether a later release has brought it further than this code knows."""

    @property
    def is_behind(self) -> bool:
        """Whether this code can't work on it."""
        return bool(self.steps)

    @property
    def says(self) -> str:
        """`ok`, or what is to be done."""
        if self.is_ahead:
            return "newer, made by a later release, beside which this one runs"
        return "older: run `pledgewire db upgrade`" if self.is_behind else "ok"


async def schema_states(url: str) -> list[SchemaState]:
    """Of each schema; raises what the database raises."""
    states = []
    for schema, versions in schema_versions().items():
        found, known = await current(url, schema), revisions(versions)
        releases = [name for name, schemas in RELEASED_SCHEMAS.items() if schemas[schema] == found]
        is_ahead = found is not None and found not in known
        steps = [] if is_ahead else known[known.index(found) + 1 :] if found else known
        release = releases[-1] if releases else None
        states.append(SchemaState(schema, found, known[-1], release, tuple(steps), is_ahead))
    return states


async def ask_of_schemas(question: Callable[[str], Awaitable[T]]) -> T:
    """What comes of asking the database of DATABASE_URL; raises EmbeddedError where it does not answer, or refuses."""
    url = database_url()
    try:
        return await question(url)
    except LocksHeld as error:
        raise EmbeddedError(
            f"the database did not do it: {error}; {await _oldest_transaction(url)}",
            "what was done stays done: run it again, when less is going on",
        ) from error
    except UnknownRevision as error:
        raise EmbeddedError(str(error), error.help) from error
    except (asyncpg.InsufficientPrivilegeError, DBAPIError) as error:
        reason: Any = getattr(error, "orig", None) or error
        raise EmbeddedError(
            f"the database did not do it: {reason}",
            "use the URL of pledgewire_migrator, or of whoever owns the schemas, in DATABASE_URL",
        ) from error
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(f"the database did not answer: {error}", "check DATABASE_URL and try again") from error


async def _oldest_transaction(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        row = await connection.fetchrow(
            "select coalesce(nullif(application_name, ''), usename, 'somebody') as who,"
            " extract(epoch from clock_timestamp() - xact_start)::int as seconds from pg_stat_activity"
            " where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()"
            " order by xact_start limit 1"
        )
    finally:
        await connection.close()
    return f"the oldest transaction is {row['who']}'s, {row['seconds']} s long" if row else "none is open now"
