"""`pledgewire sending`: the switch that stops all sending, in the database itself, so that it needs no service."""

import re
from typing import Annotated, Any

import typer

from services.cli.database_question import ask_database, at_the_command_line, given_reason, in_schema

sending = typer.Typer(
    help="Stop all sending at once, let it go on, and see what waits and what fails.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")]


@sending.command("stop")
def stop_command(
    *,
    reason: Annotated[str, typer.Option(help="Why, for whoever finds it stopped.")],
    by: By = "",
) -> None:
    """Hold every delivery, in all processes, within five seconds; nothing is lost, and what was begun still ends."""
    from services.notifier.delivery.sending_stop import SendingStop, stop_sending
    from services.plumbing.clock import MACHINE_CLOCK

    async def stop(connection: Any) -> SendingStop:
        async with in_schema(connection, "notifier"):
            return await stop_sending(connection, at_the_command_line(by), given_reason(reason), MACHINE_CLOCK.now())

    held = ask_database(stop, "sending")
    typer.echo(f"stopped since {held.since:%Y-%m-%dT%H:%M:%SZ} by {held.by}: {held.reason}")
    typer.echo("Look at what waits: pledgewire sending status. Let it go on: pledgewire sending start")


@sending.command("start")
def start_command(*, by: By = "") -> None:
    """Send what waits; what has become stale meanwhile expires, and is counted so."""
    from services.notifier.delivery.sending_stop import start_sending
    from services.plumbing.clock import MACHINE_CLOCK

    async def start(connection: Any) -> int | None:
        async with in_schema(connection, "notifier"):
            return await start_sending(connection, at_the_command_line(by), MACHINE_CLOCK.now())

    waited = ask_database(start, "sending")
    typer.echo("nothing was stopped" if waited is None else f"sending goes on; {waited} waited")


@sending.command("status")
def status_command(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False
) -> None:
    """Say whether sending is stopped, since when, by whom and why, and how many deliveries wait; 0 either way."""
    from services.notifier.delivery.sending_stop import SendingStop, open_stop
    from services.notifier.delivery.taking_over import count_unsettled

    async def look(connection: Any) -> tuple[SendingStop | None, int]:
        async with in_schema(connection, "notifier"):
            return await open_stop(connection), await count_unsettled(connection)

    held, waiting = ask_database(look, "sending")
    if json:
        from services.cli.service_client import print_json

        stop = {"since": held.since.isoformat(), "by": held.by, "reason": held.reason} if held else None
        print_json({"is_stopped": held is not None, "stop": stop, "waiting": waiting})
    elif held:
        typer.echo(f"stopped since {held.since:%Y-%m-%dT%H:%M:%SZ} by {held.by}: {held.reason}")
        typer.echo(f"{waiting} deliveries wait; let them go: pledgewire sending start")
    else:
        typer.echo(f"nothing is stopped; {waiting} deliveries are on their way or due later")


@sending.command("destination")
def destination_command(
    destination: Annotated[str, typer.Argument(help="The label `destination` of an alert or a metric.")],
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Say whose a destination is, and how the last attempts there went; no address is shown. 3 where nobody has it."""
    from pydantic_core import to_jsonable_python

    from deploy.embedded.errors import EmbeddedError
    from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, print_json
    from services.notifier.delivery.destination_lookup import last_attempts_for, subscriptions_at

    if not re.fullmatch("[0-9a-f]{6,32}", destination):
        raise EmbeddedError(
            "this is no destination", "copy the label of the alert: 12 digits and letters from a to f", ASKED_WRONGLY
        )

    async def look(connection: Any) -> tuple[Any, Any]:
        async with in_schema(connection, "notifier"):
            found = await subscriptions_at(connection, destination)
            return found, await last_attempts_for(connection, found)

    subscriptions, attempts = ask_database(look, "sending")
    if not subscriptions:
        raise EmbeddedError("no subscription leads there", "it was ended, or its address has changed", NOT_FOUND)
    if json:
        print_json(to_jsonable_python({"subscriptions": subscriptions, "attempts": attempts}))
        return
    for one in subscriptions:
        typer.echo(f"{one.subscriber} ({one.channel}), subscription {one.id}: {one.state}")
    for attempt in attempts:
        why = " ".join(str(part) for part in (attempt.reason, attempt.code) if part is not None)
        typer.echo(f"{attempt.started_at:%Y-%m-%dT%H:%M:%SZ} {attempt.outcome} {why}".rstrip())
