"""Who was let in on Kafka, and who no longer, in the registry's audit log: the command has no database of its own."""

import asyncio
import os
from collections.abc import Mapping
from typing import Any

import typer

PATIENCE = 10.0
"""Seconds after which the change on Kafka, which is made already, goes without its entry."""


def note_access(action: str, name: str, after: Mapping[str, Any] | None = None) -> None:
    """Write it with DATABASE_URL, where that is set; elsewhere say that nobody wrote it down."""
    from services.plumbing.transient_errors import is_transient

    url = os.environ.get("DATABASE_URL")
    try:
        if url:
            asyncio.run(_write(url, f"access.{action}", f"kafka-user/{name}", after))
            return
        reason = "DATABASE_URL is not set"
    except Exception as error:
        if not is_transient(error):
            raise
        reason = f"the database did not answer: {error or 'it takes too long'}"
    typer.echo(f"not in the audit log: {reason}", err=True)


async def _write(database_url: str, action: str, subject: str, after: Mapping[str, Any] | None) -> None:
    from getpass import getuser

    import asyncpg

    from services.plumbing.audit.entries import Actor, AuditEntry
    from services.plumbing.audit.log import audit
    from services.plumbing.clock import MACHINE_CLOCK

    # By a connection of its own: a service waits until its database is there, and nobody waits so long for a command.
    async with asyncio.timeout(PATIENCE):
        connection = await asyncpg.connect(database_url, server_settings={"application_name": "pledgewire-access"})
        try:
            async with connection.transaction():
                await connection.execute("set local search_path to registry")
                actor = Actor(f"command-line/{getuser()}")
                await audit(connection, AuditEntry(action, subject, actor, MACHINE_CLOCK.now(), after=after))
        finally:
            await connection.close()
