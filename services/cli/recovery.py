"""`pledgewire recovery`: what was taken over after an old backup, how many wait, and the word that lets them go."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from getpass import getuser
from typing import Annotated, Any, TypeVar

import typer

recovery = typer.Typer(
    help="After an old backup was restored: what was taken over from the topics, and what waits for your word.",
    no_args_is_help=True,
)

T = TypeVar("T")


@dataclass(frozen=True)
class HeldService:
    """A service whose database was older than its topics, and which sends nothing until it is released."""

    service: str
    since: datetime
    taken_over: dict[str, int]
    """Events of each topic."""
    held: int
    """How many wait, as the service counted last."""
    remarks: list[str]
    """What could not be taken over."""
    is_complete: bool
    """Whether everything that its topics know has been taken over, and only the word is waited for."""


@recovery.command("status")
def status(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False
) -> None:
    """Say which services are held, what they took over, and how many wait; 0 also when none is."""
    found = _ask(_read)
    if json:
        from services.cli.service_client import print_json

        print_json({"items": [{**asdict(one), "since": one.since.isoformat()} for one in found]})
        return
    if not found:
        typer.echo("nothing is held: no database was found older than its topics")
    for one in found:
        how_far = f"{one.held} wait" if one.is_complete else "still taking over what its topics know"
        typer.echo(f"{one.service}: held since {one.since:%Y-%m-%dT%H:%M:%SZ}; {how_far}")
        for topic, count in sorted(one.taken_over.items()):
            typer.echo(f"  taken over: {count} of {topic}")
        for remark in one.remarks:
            typer.echo(f"  not taken over: {remark}")
    if found:
        typer.echo("Look at what is missing (docs/for-operators.md), then: pledgewire recovery release")


@recovery.command("release")
def release(
    service: Annotated[str | None, typer.Argument(help="registry, scheduler or notifier; or all.")] = None,
    *,
    by: Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")] = "",
    wait: Annotated[int, typer.Option(min=0, help="Seconds to wait for a service that is still taking over.")] = 300,
) -> None:
    """Let what is held go: within two seconds the services send what waits, but for what had been told before.

    Waits while a service is still taking over: what it has not heard of yet is not what you have looked at.
    """
    released = _ask(lambda connection: _release(connection, service, by or getuser(), wait))
    for one in released:
        typer.echo(f"{one.service}: released; {one.held} waited")
    if not released:
        typer.echo("nothing is held")


def _ask(question: Callable[[Any], Awaitable[T]]) -> T:
    import asyncpg

    from deploy.embedded.errors import EmbeddedError
    from services.cli.platform import database_url
    from services.plumbing.transient_errors import is_transient

    async def ask() -> T:
        connection = await asyncpg.connect(database_url(), server_settings={"application_name": "pledgewire-recovery"})
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


def _loads(text: str) -> Any:
    from json import loads

    return loads(text)


def _services(only: str | None) -> list[str]:
    from deploy.embedded.errors import EmbeddedError
    from services.cli.databases import SERVICES_WITH_SCHEMA

    if only is not None and only not in SERVICES_WITH_SCHEMA:
        raise EmbeddedError(
            f"{only} is no service with a database", f"name one of {', '.join(SERVICES_WITH_SCHEMA)}, or none", 2
        )
    return [only] if only else list(SERVICES_WITH_SCHEMA)


async def _read(connection: Any) -> list[HeldService]:
    found = []
    for service in _services(None):
        row = await connection.fetchrow(f"select * from {service}.recovery where released_at is null")
        if row:
            compared = await connection.fetchval(f"select compared from {service}.outbox_lease")
            found.append(
                HeldService(service, row["detected_at"], row["taken_over"], row["held"], row["remarks"], compared)
            )
    return found


async def _release(connection: Any, only: str | None, by: str, wait: int) -> list[HeldService]:
    found = await _complete(connection, _services(only), wait)
    for one in found:
        await connection.execute(
            f"update {one.service}.recovery set released_at = clock_timestamp(), released_by = $1"
            " where released_at is null",
            by,
        )
        await _note(connection, one, by)
        await connection.execute("select pg_notify($1, '')", f"{one.service}_outbox")
    return found


async def _note(connection: Any, released: HeldService, by: str) -> None:
    """Write the word into the audit log of the service, with what was taken over and what could not be."""
    from services.plumbing.audit.entries import Actor, AuditEntry
    from services.plumbing.audit.log import audit
    from services.plumbing.clock import MACHINE_CLOCK

    before = {"held_since": released.since.isoformat(), "held": released.held}
    after = {"taken_over": released.taken_over, "remarks": released.remarks}
    entry = AuditEntry(
        "recovery.released",
        f"service/{released.service}",
        Actor(f"command-line/{by}"),
        MACHINE_CLOCK.now(),
        before,
        after,
    )
    async with connection.transaction():
        await connection.execute(f"set local search_path to {released.service}")
        await audit(connection, entry)


async def _complete(connection: Any, services: list[str], wait: int) -> list[HeldService]:
    """Those of these services that are held, once none is still taking over."""
    from deploy.embedded.errors import EmbeddedError

    for seconds in range(wait + 1):
        found = [one for one in await _read(connection) if one.service in services]
        unfinished = [one for one in found if not one.is_complete]
        if not unfinished:
            return found
        if seconds % 5 == 0:
            for one in unfinished:
                heard = sum(one.taken_over.values())
                typer.echo(f"{one.service}: still taking over what its topics know, {heard} events so far", err=True)
        if seconds < wait:
            await asyncio.sleep(1)
    names = ", ".join(one.service for one in unfinished)
    raise EmbeddedError(f"{names}: still taking over, and nothing is released", "see that it runs, then release again")
