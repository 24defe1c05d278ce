"""`pledgewire db`: at which revisions the schemas stand, and how they get to others. Imports are inside."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

db = typer.Typer(help="The schemas of the database.", no_args_is_help=True)

Schema = Annotated[
    str | None, typer.Option("--schema", help="Of this schema alone, whose revisions may then be named.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


@db.command("current")
def db_current(*, json: AsJson = False) -> None:
    """Say at which revision each schema stands, and what this code needs; 1 where one is older than that."""
    from services.cli.schema_states import ask_of_schemas, schema_states
    from services.cli.service_client import FAILED, print_json

    states = asyncio.run(ask_of_schemas(schema_states))
    if json:
        print_json({"items": [asdict(one) for one in states]})
    else:
        for one in states:
            release = f", as release {one.release} has it" if one.release else ""
            typer.echo(f"{one.schema}: {one.found or 'no tables'}{release}; this code needs {one.needs}: {one.says}")
    if any(one.is_behind for one in states):
        raise typer.Exit(FAILED)


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring every schema of DATABASE_URL to its newest revision, each step by itself, while the services run."""
    from services.cli.databases import upgrade_all
    from services.cli.schema_states import ask_of_schemas, schema_states

    states = asyncio.run(ask_of_schemas(schema_states))
    for one in states:
        if one.is_ahead:
            typer.echo(f"{one.schema}: at {one.found}, which a later release made: it stays as it is")
    asyncio.run(ask_of_schemas(lambda url: upgrade_all(url, told=_told)))
    typer.echo("all schemas are at their newest revision")


@db.command("sql")
def db_sql(
    between: Annotated[
        str,
        typer.Argument(metavar="[FROM:TO]", help="Releases, `base` or `head`; with --schema its revisions, too."),
    ] = "base:head",
    *,
    schema: Schema = None,
) -> None:
    """Print the SQL between two releases, either way, for those who run it themselves; without any, all of it."""
    from services.cli.databases import schema_versions
    from services.plumbing.migrations import sql_between
    from services.plumbing.schema import revisions

    for name in _schemas(schema):
        versions = schema_versions()[name]
        start, end = _places(between, name, revisions(versions) if schema else [])
        typer.echo(sql_between(name, versions, start, end), nl=False)


@db.command("downgrade")
def db_downgrade(
    release: Annotated[str, typer.Argument(help="The release whose schemas are wanted.", show_default=True)] = "",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only said what would be done.")] = False,
) -> None:
    """Take every schema back to the last release; what only the newer one has is gone.

    To go back to the last release's code it takes no downgrade: that runs on the newer schemas.
    """
    from deploy.embedded.errors import EmbeddedError
    from services.cli.databases import connected_services, downgrade_all, schema_versions
    from services.cli.released_schemas import LAST_RELEASE, RELEASED_SCHEMAS
    from services.cli.schema_states import ask_of_schemas, schema_states
    from services.cli.service_client import ASKED_WRONGLY
    from services.plumbing.schema import revisions

    release = release or LAST_RELEASE
    if release not in RELEASED_SCHEMAS:
        raise EmbeddedError(f"there is no release {release}", f"name {', '.join(RELEASED_SCHEMAS)}", ASKED_WRONGLY)
    is_any = False
    for one in asyncio.run(ask_of_schemas(schema_states)):
        known, target = revisions(schema_versions()[one.schema]), RELEASED_SCHEMAS[release][one.schema]
        steps = known[known.index(target) + 1 : known.index(one.found) + 1] if one.found in known else []
        is_any |= bool(steps)
        typer.echo(f"{one.schema}: {' ← '.join([target, *steps]) if steps else 'nothing to take back'}")
    if not is_any:
        return
    if not yes:
        raise EmbeddedError(
            "nothing was changed: what these revisions have added, and what is in it, would be gone",
            f"back up first; `pledgewire db sql head:{release}` shows it, --yes does it",
            ASKED_WRONGLY,
        )
    if running := asyncio.run(ask_of_schemas(connected_services)):
        raise EmbeddedError(
            f"{', '.join(running)} still work on these schemas", "stop every service, then downgrade again"
        )
    asyncio.run(ask_of_schemas(lambda url: downgrade_all(url, RELEASED_SCHEMAS[release], told=_told)))
    typer.echo(f"all schemas are as release {release} has them")


def _told(schema: str, now: str) -> None:
    typer.echo(f"{schema}: now at {now}")


def _schemas(only: str | None) -> list[str]:
    from deploy.embedded.errors import EmbeddedError
    from services.cli.databases import SERVICES_WITH_SCHEMA
    from services.cli.service_client import ASKED_WRONGLY

    if only is not None and only not in SERVICES_WITH_SCHEMA:
        raise EmbeddedError(
            f"there is no schema {only}", f"name one of {', '.join(SERVICES_WITH_SCHEMA)}", ASKED_WRONGLY
        )
    return [only] if only else list(SERVICES_WITH_SCHEMA)


def _places(between: str, schema: str, revisions: list[str]) -> tuple[str, str]:
    from deploy.embedded.errors import EmbeddedError
    from services.cli.released_schemas import LAST_RELEASE, revision_of
    from services.cli.service_client import ASKED_WRONGLY

    start, _, end = between.partition(":")
    try:
        return revision_of(start, schema, revisions), revision_of(end, schema, revisions)
    except ValueError as error:
        how = f"write FROM:TO, such as {LAST_RELEASE}:head; --schema NAME lets you name its revisions"
        raise EmbeddedError(f"{between} is no way from one release to another: {error}", how, ASKED_WRONGLY) from None
