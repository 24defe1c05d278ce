"""`pledgewire retention`: how long rows are kept, what was pruned, and pruning at once."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.retention_policies import check_days, retention_policies

if TYPE_CHECKING:
    from services.plumbing.retention.policy import RetentionSettings

retention = typer.Typer(
    help="See how long rows are kept, and prune what is older.",
    no_args_is_help=True,
)


@retention.command("show")
def show_command(
    *,
    counts: Annotated[
        bool, typer.Option("--counts/--no-counts", help="Ask the database what was pruned so far.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """List what is kept for how long, by the defaults and RETENTION_DAYS; what isn't listed is kept for ever."""
    from services.cli.service_client import print_json

    settings = _settings()
    pruned = _pruned_rows() if counts else {}
    items = [
        {
            "service": service,
            "name": one.name,
            "days": settings.days.get(one.name, one.days),
            "default": one.days,
            "least": one.least,
            "what": one.what,
        }
        for service, policy in retention_policies().items()
        for one in policy
    ]
    if json:
        print_json({"items": items, "pruned": pruned})
        return
    for item in items:
        days = "for ever" if item["days"] is None else f"{item['days']} days"
        typer.echo(f"{item['service']:<9} {item['name']:<20} {days:>9}  {item['what']}")
    for service, tables in pruned.items():
        for name, rows in tables.items():
            typer.echo(f"{service}: {rows:,} rows of {name} were pruned so far")


@retention.command("apply")
def apply_command() -> None:
    """Prune now all that is older than it is kept, beside the services, which go on; again, it prunes nothing."""
    import asyncio

    from services.cli.platform import database_url
    from services.plumbing.clock import ClockSettings, clock_from

    settings, now = _settings(), clock_from(ClockSettings()).now()
    for service, rows in asyncio.run(_prune(database_url(), settings, now)).items():
        typer.echo(f"{service}: {rows:,} rows pruned")


async def _prune(url: str, settings: "RetentionSettings", now: datetime) -> dict[str, int]:
    from importlib import import_module

    from services.plumbing.database import Database, DatabaseSettings
    from services.plumbing.retention.pruner import Pruner

    done = {}
    for service in retention_policies():
        tables = import_module(f"services.{service}.retention").prunable(settings)
        database = Database(DatabaseSettings.model_validate({"DATABASE_URL": url}), service, has_queue=True)
        await database.open()
        try:
            done[service] = await Pruner(database, tables, settings, lambda: now).round()
        finally:
            await database.close()
    return done


def _settings() -> "RetentionSettings":
    """The settings; raises EmbeddedError for a name that nothing has, and for too few days."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.service_client import ASKED_WRONGLY
    from services.plumbing.retention.policy import RetentionSettings

    settings = RetentionSettings()
    try:
        check_days(settings)
    except ValueError as error:
        raise EmbeddedError(
            f"RETENTION_DAYS can't be: {error}", "`pledgewire retention show` lists names and least days", ASKED_WRONGLY
        ) from error
    return settings


def _pruned_rows() -> dict[str, dict[str, int]]:
    from services.cli.database_question import ask_database

    async def ask(connection: Any) -> dict[str, dict[str, int]]:
        return {
            service: {
                row["name"]: row["n"]
                for row in await connection.fetch(
                    f"select name, sum(rows)::bigint as n from {service}.pruned group by name order by name"
                )
            }
            for service in retention_policies()
        }

    return ask_database(ask, "retention")
