"""What commands ask the database of DATABASE_URL itself, and how their word gets into a service's audit log.

Such commands work while no service answers.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from services.plumbing.audit.entries import Actor

T = TypeVar("T")


def ask_database(question: Callable[[Any], Awaitable[T]], program: str) -> T:
    """The answer to a question that is put over a connection of its own; raises EmbeddedError where none can be had.

    `program` names the command, for those who look at connections.
    """
    import asyncpg

    from deploy.embedded.errors import EmbeddedError
    from services.cli.platform import database_url
    from services.plumbing.transient_errors import is_transient

    async def ask() -> T:
        connection = await asyncpg.connect(
            database_url(), server_settings={"application_name": f"pledgewire-{program}"}
        )
        try:
            await connection.set_type_codec("jsonb", encoder=str, decoder=_loads, schema="pg_catalog")
            return await question(connection)
        finally:
            await connection.close()

    try:
        return asyncio.run(ask())
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(f"the database did not answer: {error}", "check DATABASE_URL and try again") from error


@asynccontextmanager
async def in_schema(connection: Any, service: str) -> AsyncIterator[None]:
    """A transaction in which the tables of a service are found, its audit log too."""
    async with connection.transaction():
        await connection.execute(f"set local search_path to {service}")
        yield


def at_the_command_line(by: str) -> "Actor":
    """Who gave the command, as the audit log says it; without a name the user of this machine."""
    from getpass import getuser

    from services.plumbing.audit.entries import Actor

    return Actor(f"command-line/{by or getuser()}")


def given_reason(text: str) -> str:
    """The reason as HTTP takes it; raises EmbeddedError for one that nobody could read."""
    from pydantic import TypeAdapter, ValidationError

    from contracts.entered import EnteredLine
    from deploy.embedded.errors import EmbeddedError
    from services.cli.service_client import ASKED_WRONGLY

    try:
        return TypeAdapter[str](EnteredLine).validate_python(text)
    except ValidationError as error:
        raise EmbeddedError(
            "this is no reason", "say in one line of at most 300 characters why", ASKED_WRONGLY
        ) from error


def _loads(text: str) -> Any:
    from json import loads

    return loads(text)
