"""What `pledgewire rehearse` is asked. Imports are inside, so that help is instant."""

from pathlib import Path
from typing import Annotated

import typer

from services.cli.written_dates import read_day, read_instant


def rehearse(
    *,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day (UTC).")],
    end: Annotated[str, typer.Option("--to", metavar="DAY", help="The day behind the last one.")],
    ladder: Annotated[Path | None, typer.Option(metavar="FILE", help="The ladder book to rehearse.")] = None,
    holidays: Annotated[
        str | None,
        typer.Option(
            metavar="CA-QC,MX,…", help="Count business days by these calendars, all of them, in place of the book's."
        ),
    ] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a picture too.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    database_url: Annotated[
        str | None,
        typer.Option(envvar="DATABASE_URL", help="Whose commitments; without it, the built-in statement's."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Play from then on (RFC 3339, or a day); otherwise from now on."),
    ] = None,
) -> None:
    """Play other ladders over the real data, send and write nothing, and show what would be told otherwise."""
    from services.cli.rehearse.command import RehearsalOptions, run_rehearsal

    run_rehearsal(
        RehearsalOptions(
            first=read_day(first),
            end=read_day(end),
            ladder=ladder,
            holidays=holidays,
            svg=svg,
            as_json=json,
            database_url=database_url or None,
            now=read_instant(now) if now else None,
        )
    )
