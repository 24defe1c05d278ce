"""`pledgewire recovery`: what was taken over after an old backup, how many wait, and the word that lets them go."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.database_question import ask_database, at_the_command_line, given_reason, in_schema

if TYPE_CHECKING:
    from services.plumbing.audit.entries import Actor

recovery = typer.Typer(
    help="After an old backup was restored: what was taken over from the topics, and what waits for your word.",
    no_args_is_help=True,
)


DROPPED = "dropped-after-restore"
"""Why a delivery was cancelled, as its log says it."""
AT_ONCE = 500
"""Deliveries of one transaction."""


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
    found = ask_database(_read, "recovery")
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
    released = ask_database(lambda connection: _release(connection, service, by, wait), "recovery")
    for one in released:
        typer.echo(f"{one.service}: released; {one.held} waited")
    if not released:
        typer.echo("nothing is held")


@recovery.command("drop")
def drop(
    *,
    reason: Annotated[str, typer.Option(help="Why, for whoever asks what became of a message.")],
    by: Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")] = "",
) -> None:
    """Cancel every message that waits at a held notifier; each says so in the log of deliveries. Nothing is released.

    What has not been made a message of yet, reminders that are due and updates that came in since, is told on release.
    """
    from services.cli.platform import database_url

    why, actor = given_reason(reason), at_the_command_line(by)
    found = ask_database(lambda connection: _complete(connection, ["notifier"], 0), "recovery")
    if not found:
        typer.echo("nothing is held at the notifier, and nothing was dropped")
        return
    dropped = asyncio.run(_drop(database_url(), why, actor))
    typer.echo(f"notifier: {dropped} dropped; it is still held: pledgewire recovery release")


async def _drop(url: str, reason: str, by: "Actor") -> int:
    """How many; in small transactions, so that whoever is stopped goes on where it ended."""
    from services.notifier.delivery.cancellation import cancel_some
    from services.plumbing.audit.entries import AuditEntry
    from services.plumbing.audit.log import audit
    from services.plumbing.clock import MACHINE_CLOCK
    from services.plumbing.database import Database, DatabaseSettings

    database, dropped = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), "notifier"), 0
    await database.open()
    try:
        while True:
            async with database.transaction() as connection:
                now = MACHINE_CLOCK.now()
                count = await cancel_some(database, connection, DROPPED, now, AT_ONCE)
                if not count:
                    return dropped
                after = {"deliveries": count, "reason": reason}
                await audit(connection, AuditEntry("recovery.dropped", "service/notifier", by, now, after=after))
            dropped += count
    finally:
        await database.close()


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
    actor = at_the_command_line(by)
    for one in found:
        await connection.execute(
            f"update {one.service}.recovery set released_at = clock_timestamp(), released_by = $1"
            " where released_at is null",
            actor.client.removeprefix("command-line/"),
        )
        await _note(connection, one, actor)
        await connection.execute("select pg_notify($1, '')", f"{one.service}_outbox")
    return found


async def _note(connection: Any, released: HeldService, by: "Actor") -> None:
    """Write the word into the audit log of the service, with what was taken over and what could not be."""
    from services.plumbing.audit.entries import AuditEntry
    from services.plumbing.audit.log import audit
    from services.plumbing.clock import MACHINE_CLOCK

    before = {"held_since": released.since.isoformat(), "held": released.held}
    after = {"taken_over": released.taken_over, "remarks": released.remarks}
    entry = AuditEntry(
        "recovery.released",
        f"service/{released.service}",
        by,
        MACHINE_CLOCK.now(),
        before,
        after,
    )
    async with in_schema(connection, released.service):
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
