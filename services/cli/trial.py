"""`pledgewire trial` and `pledgewire go-live`: who gets anything before all do, in the database itself."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.database_question import ask_database, at_the_command_line, in_schema
from services.cli.service_client import ASKED_WRONGLY, FAILED

if TYPE_CHECKING:
    from deploy.embedded.errors import EmbeddedError
    from services.notifier.delivery.trial import HeldByTrial, Trial

trial = typer.Typer(
    help="Try it safely: only addresses that you choose get anything, the rest is held, until `go-live`.",
    no_args_is_help=True,
)

By = Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")]
Entries = Annotated[
    list[str],
    typer.Argument(metavar="ADDRESS…", help="ana@example.org, @example.org, a webhook's host, a subscription's id."),
]
_HOW = "see `pledgewire trial --help`, or begin one: pledgewire trial begin --allow you@example.org"


@trial.command("status")
def status_command(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False
) -> None:
    """Say whether a trial is on, who gets anything, and what is held; 0 either way."""
    found, held = ask_database(_look, "trial")
    if json:
        from services.cli.service_client import print_json

        on = {"since": found.since.isoformat(), "by": found.by, "allowed": list(found.allowed)} if found else None
        print_json({"is_on": found is not None, "trial": on, "held": vars(held)})
        return
    if found is None:
        typer.echo("no trial is on: everybody gets what they asked for")
        return
    typer.echo(f"on since {found.since:%Y-%m-%dT%H:%M:%SZ} by {found.by}; the rest is held")
    for entry in found.allowed:
        typer.echo(f"  gets all: {entry}")
    if not found.allowed:
        typer.echo("  nobody gets anything; choose somebody: pledgewire trial allow you@example.org")
    typer.echo(_held_line(held))
    typer.echo("Let it go: pledgewire go-live")


@trial.command("begin")
def begin_command(
    *,
    allow: Annotated[
        list[str] | None, typer.Option(help="Who gets everything all the same; may be repeated.", metavar="ADDRESS")
    ] = None,
    by: By = "",
) -> None:
    """Hold everything but what goes to the addresses that you name; within five seconds, in all processes."""
    from services.notifier.delivery.trial import Trial, begin_trial
    from services.plumbing.clock import ClockSettings, clock_from

    entries = read_entries(allow or [])

    async def begin(connection: Any) -> Trial | None:
        async with in_schema(connection, "notifier"):
            return await begin_trial(connection, at_the_command_line(by), entries, clock_from(ClockSettings()).now())

    began = ask_database(begin, "trial")
    if began is not None:
        _say_list(began)


@trial.command("allow")
def allow_command(addresses: Entries, *, by: By = "") -> None:
    """Add addresses to those that get everything; what is held for them is told."""
    _change(addresses, [], by)


@trial.command("disallow")
def disallow_command(addresses: Entries, *, by: By = "") -> None:
    """Take addresses off the list."""
    _change([], addresses, by)


def go_live(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask once more.")] = False,
    by: By = "",
) -> None:
    """End the trial: everybody gets what they asked for, and what was held is told, overtaken or expires."""
    from services.notifier.delivery.trial import HeldByTrial
    from services.notifier.delivery.trial import go_live as end_trial
    from services.plumbing.clock import ClockSettings, clock_from

    found, held = ask_database(_look, "trial")
    if found is None:
        typer.echo("no trial is on: everybody gets what they asked for")
        return
    if not yes:
        typer.echo(_held_line(held), err=True)
        if not sys.stdin.isatty():
            raise _error("nobody was asked, so nothing is let go", "look at the figures, then add --yes", ASKED_WRONGLY)
        typer.confirm("Let it go to all of them?", abort=True)

    async def end(connection: Any) -> HeldByTrial | None:
        async with in_schema(connection, "notifier"):
            return await end_trial(connection, at_the_command_line(by), clock_from(ClockSettings()).now())

    ended = ask_database(end, "trial")
    typer.echo(f"live; {_held_line(ended)}" if ended else "somebody else went live just now")


def read_entries(texts: Sequence[str]) -> list[str]:
    """The entries of a trial's list as they are kept; raises EmbeddedError for one that can't be."""
    from services.notifier.delivery.trial_addresses import checked_entry

    found = []
    for text in texts:
        try:
            found.append(checked_entry(text))
        except ValueError as error:
            raise _error(f"{text!r} can't be on the list: {error}", _HOW, ASKED_WRONGLY) from error
    return found


async def _look(connection: Any) -> "tuple[Trial | None, HeldByTrial]":
    from services.notifier.delivery.trial import count_held, open_trial
    from services.plumbing.clock import ClockSettings, clock_from

    async with in_schema(connection, "notifier"):
        return await open_trial(connection), await count_held(connection, clock_from(ClockSettings()).now())


def _change(added: Sequence[str], removed: Sequence[str], by: str) -> None:
    from services.notifier.delivery.trial import Trial, allow
    from services.plumbing.clock import ClockSettings, clock_from

    adds, removes = read_entries(added), read_entries(removed)

    async def change(connection: Any) -> Trial | None:
        async with in_schema(connection, "notifier"):
            return await allow(connection, at_the_command_line(by), adds, removes, clock_from(ClockSettings()).now())

    changed = ask_database(change, "trial")
    if changed is None:
        raise _error("no trial is on, so there is no list", _HOW, FAILED)
    _say_list(changed)


def _say_list(now: "Trial") -> None:
    allowed = ", ".join(now.allowed) or "nobody"
    typer.echo(f"a trial is on since {now.since:%Y-%m-%dT%H:%M:%SZ}; {allowed} gets everything, the rest is held")
    typer.echo("See what is held: pledgewire trial status. End it: pledgewire go-live")


def _held_line(held: "HeldByTrial") -> str:
    return f"{held.deliveries} deliveries to {held.addresses} addresses held; {held.stale} of them stale, which expire"


def _error(what: str, how: str, status: int) -> "EmbeddedError":
    from deploy.embedded.errors import EmbeddedError

    return EmbeddedError(what, how, status)
