"""The commands around an instance on this machine. Imports are inside, so that help is instant."""

from pathlib import Path
from typing import Annotated

import typer

State = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The folder for all of it; PLEDGEWIRE_STATE, or /var/lib/pledgewire for root, or in ~/.local/state.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


def up(
    *,
    state: State = None,
    statement: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take in a statement that comes along: nals-2021.")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where readers reach the portal; as `portal.public_url`.")
    ] = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Speak HTTPS to readers; as `tls.enabled`.")
    ] = None,
) -> None:
    """Run it for real: Kafka, PostgreSQL and the four services, until Ctrl-C, SIGTERM or `stop`."""
    from services.cli.up.settings import overridden, read_settings
    from services.cli.up.start import UpOptions, run_up
    from services.cli.up.state_folder import InstanceFolder

    folder = InstanceFolder.at(state)
    settings = overridden(read_settings(folder.settings), public_url=public_url, tls=tls)
    raise typer.Exit(run_up(UpOptions(folder, settings, statement)))


def init(
    *,
    state: State = None,
    public_url: Annotated[str | None, typer.Option(metavar="URL", help="Where readers reach the portal.")] = None,
    tls: Annotated[bool | None, typer.Option("--tls/--no-tls", help="Speak HTTPS, without a proxy.")] = None,
    smtp_host: Annotated[str | None, typer.Option(help="The mail server; empty for none.")] = None,
    smtp_username: Annotated[str | None, typer.Option(help="Who logs in there; empty for nobody.")] = None,
    smtp_password: Annotated[
        str | None, typer.Option(envvar="PLEDGEWIRE_SMTP_PASSWORD", help="Rather in the variable than here.")
    ] = None,
    smtp_from: Annotated[str | None, typer.Option(help="From whom mails come: Pledgewire <it@example.org>.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: what isn't given stays as it is.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a pledgewire.toml that is there.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print what would be written, and write nothing.")] = False,
) -> None:
    """Write pledgewire.toml with all settings and what they mean; asks six things at most."""
    from services.cli.up.initial import Answers, write_settings
    from services.cli.up.state_folder import InstanceFolder

    given = Answers(public_url, tls, smtp_host, smtp_username, smtp_password, smtp_from)
    write_settings(InstanceFolder.at(state), given, ask=not (yes or show), force=force, show=show)


def status(
    *,
    state: State = None,
    env: Annotated[
        bool, typer.Option("--env", help="Print the variables by which it is reached, passwords too, for `eval`.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Say what runs and how it stands: 0 if all is ready, 1 if something isn't, 3 if nothing runs."""
    from services.cli.up.running import running_folder
    from services.cli.up.standing import tell_environment, tell_status

    if env:
        tell_environment(running_folder(state))
    else:
        raise typer.Exit(tell_status(running_folder(state), as_json=json))


def stop(
    *,
    state: State = None,
    seconds: Annotated[float, typer.Option(help="How long to wait for its end.", min=0)] = 90.0,
) -> None:
    """Stop what `up` has started: what is in hand is finished first."""
    from services.cli.up.running import running_folder
    from services.cli.up.standing import stop_instance

    stop_instance(running_folder(state), seconds)


def logs(
    names: Annotated[list[str] | None, typer.Argument(help="As registry, kafka-0, postgres; all unless named.")] = None,
    *,
    state: State = None,
    lines: Annotated[int, typer.Option("--lines", "-n", help="The last so many of each.", min=0)] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="As they were written: one JSON object a line.")] = False,
) -> None:
    """Show what the processes have written to their logs."""
    from services.cli.up.log_lines import show_logs
    from services.cli.up.running import running_folder

    show_logs(running_folder(state), names or [], lines, follow=follow, raw=raw)


def systemd(
    *,
    state: State = None,
    user: Annotated[str, typer.Option(help="As whom it runs.")] = "pledgewire",
    statement: Annotated[str | None, typer.Option(metavar="NAME", help="As the option of `up`.")] = None,
) -> None:
    """Print a systemd unit that keeps it up, with as few rights as it needs."""
    from services.cli.up.settings import read_settings
    from services.cli.up.state_folder import SYSTEM, InstanceFolder
    from services.cli.up.systemd_unit import Program, unit

    folder = InstanceFolder.at(state or SYSTEM)
    typer.echo(unit(Program.ours(), read_settings(folder.settings), folder.path, user, statement), nl=False)
