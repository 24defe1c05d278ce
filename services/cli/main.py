"""`pledgewire`: one program, nouns then verbs. Modules are imported inside the commands, so that help is instant."""

import logging
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from services.cli import VERSION
from services.cli.access.command import access
from services.cli.audit import audit
from services.cli.backup.command import backup, restore
from services.cli.contracts import contracts
from services.cli.database_versions import db
from services.cli.dead_letters.command import dead_letters
from services.cli.doctor.command import doctor
from services.cli.embedded_parts import embedded
from services.cli.escalation import escalation
from services.cli.feeds import feeds
from services.cli.keys import keys
from services.cli.kubernetes.command import kubernetes
from services.cli.ministries import ministries
from services.cli.packages.command import packages
from services.cli.person import person
from services.cli.recovery import recovery
from services.cli.rehearse.asking import rehearse
from services.cli.render import render
from services.cli.report.command import report
from services.cli.retention import retention
from services.cli.schedule import schedule
from services.cli.secrets_at_rest import secrets
from services.cli.sending import sending
from services.cli.silences import silence
from services.cli.trial import go_live, trial
from services.cli.up.command import init, logs, status, stop, systemd, up
from services.cli.up.running import borrow_environment
from services.cli.upgrade import upgrade
from services.cli.why import why
from services.cli.wordings import wordings
from services.cli.written_dates import read_day

app = typer.Typer(
    help="The wire service for what governments promise.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
OF_THEIR_OWN = {"up", "demo", "stack", "test", "bench"}
"""Commands that start an instance of their own: what another one runs on is nothing to them."""
topics = typer.Typer(help="The topics of the broker.", no_args_is_help=True)
app.add_typer(topics, name="topics")
app.add_typer(db, name="db")
app.add_typer(embedded, name="embedded")
app.add_typer(keys, name="keys")
app.add_typer(access, name="access")
app.add_typer(audit, name="audit")
app.add_typer(packages, name="packages")
app.add_typer(recovery, name="recovery")
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(sending, name="sending")
app.add_typer(silence, name="silence")
app.add_typer(trial, name="trial")
app.add_typer(secrets, name="secrets")
app.add_typer(retention, name="retention")
app.add_typer(person, name="person")
app.add_typer(escalation, name="escalation")
app.add_typer(feeds, name="feeds")
app.add_typer(kubernetes, name="kubernetes")
app.add_typer(ministries, name="ministries")
app.add_typer(schedule, name="schedule")
app.add_typer(wordings, name="wordings")
app.add_typer(contracts, name="contracts")


def _show_version(asked: bool) -> None:
    if asked:
        print(f"pledgewire {VERSION}")
        raise typer.Exit


@app.callback()
def _program(
    context: typer.Context,
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The wire service for what governments promise."""
    if context.invoked_subcommand not in OF_THEIR_OWN:
        borrow_environment()


@app.command()
def demo(
    *,
    exit_at_end: Annotated[
        bool, typer.Option("--exit", help="End after the tables; 1 if anything is lost or doubled.")
    ] = False,
    speed: Annotated[float, typer.Option(help="Days per second at most; 0 is as fast as all settles.", min=0)] = 0.0,
    first: Annotated[str, typer.Option("--from", metavar="DAY", help="First day.")] = "2021-11-18",
    last: Annotated[str, typer.Option("--to", metavar="DAY", help="Last day.")] = "2023-01-31",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the pages in a browser.")] = True,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")] = False,
    brokers: Annotated[int, typer.Option(help="1, or 3 for a cluster with replication 3.")] = 1,
    keep: Annotated[bool, typer.Option("--keep/--reset", help="Go on from the last run's state, or empty it.")] = False,
    state: Annotated[Path | None, typer.Option(help="The folder for all state.")] = None,
) -> None:
    """Play the joint statement of 2021 day by day, through a real Kafka, PostgreSQL, mail and chat."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.demo.command import DemoOptions, demo_folder, run_demo
    from services.cli.service_client import ASKED_WRONGLY

    first_day, last_day = read_day(first), read_day(last)
    if last_day < first_day or first_day < date(2021, 11, 18):
        raise EmbeddedError(
            f"the calendar can't run from {first_day} to {last_day}",
            "the first day is 2021-11-18 or later",
            ASKED_WRONGLY,
        )
    options = DemoOptions(
        state=demo_folder(state),
        first=first_day,
        last=last_day,
        brokers=brokers,
        days_per_second=speed,
        exit_at_end=exit_at_end,
        browser=browser,
        as_json=json,
        reset=not keep,
    )
    raise typer.Exit(run_demo(options))


@app.command()
def stack(
    state: Annotated[Path, typer.Argument(help="The folder for all state; stack.json there says where everything is.")],
    *,
    clock: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Go by a settable clock that stands at this instant (STATE/clock)."),
    ] = None,
    with_statement: Annotated[bool, typer.Option("--import", help="Import the joint statement of 2021.")] = False,
    allow: Annotated[
        str, typer.Option(metavar="HOSTS", help="Inside addresses to which the notifier may deliver.")
    ] = "127.0.0.1,localhost",
    brokers: Annotated[int, typer.Option(help="1, or 3 for a cluster with replication 3.")] = 1,
    keep: Annotated[bool, typer.Option("--keep/--reset", help="Go on from the last run's state, or empty it.")] = False,
    env: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="A setting for all services; may be repeated.")
    ] = None,
    listen: Annotated[
        str, typer.Option("--kafka-listen", envvar="KAFKA_TLS_LISTEN", help="Let others reach Kafka: 0.0.0.0:9093.")
    ] = "",
    advertised: Annotated[
        str, typer.Option("--kafka-advertised", envvar="KAFKA_TLS_ADVERTISED", help="By which host:port they reach it.")
    ] = "",
    certificate: Annotated[
        Path | None, typer.Option("--kafka-certificate", envvar="KAFKA_TLS_CERTIFICATE", help="For that host, PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--kafka-key", envvar="KAFKA_TLS_KEY", help="Its key, PEM.")] = None,
) -> None:
    """Keep a whole stack up on free ports, for developers, until SIGTERM or Ctrl-C."""
    from services.cli.stack_command import read_clock, read_environment, read_tls, run_stack

    raise typer.Exit(
        run_stack(
            state,
            begins=read_clock(clock),
            with_statement=with_statement,
            allow_hosts=allow,
            brokers=brokers,
            keep=keep,
            environment=read_environment(env or []),
            tls=read_tls(listen, advertised, certificate, key),
        )
    )


@app.command()
def verify(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
    topics: Annotated[bool, typer.Option("--topics/--no-topics", help="Read the topics of Kafka too.")] = True,
) -> None:
    """Check the conservation laws over the schemas of DATABASE_URL and the topics; 1 if one does not hold."""
    from services.cli.platform import verify_command

    raise typer.Exit(verify_command(as_json=json, topics=topics))


@app.command()
def test(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to pytest.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Less than a minute: without Kafka and PostgreSQL.")] = False,
    no_lint: Annotated[bool, typer.Option("--no-lint", help="Only the tests, no ruff, mypy or import rules.")] = False,
    coverage: Annotated[bool, typer.Option("--coverage", help="Say what the tests reach, and what least.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that share the tests; without it two for all, one for some."),
    ] = None,
) -> None:
    """Check the code and run the tests, on a Kafka and a PostgreSQL of their own."""
    from services.cli.testing import run_tests

    raise typer.Exit(run_tests(arguments or [], quick=quick, lint=not no_lint, coverage=coverage, workers=workers))


app.command("backup")(backup)
app.command("restore")(restore)
app.command("upgrade")(upgrade)
app.command("report")(report)
app.command("render")(render)
app.command("why")(why)
app.command("rehearse")(rehearse)
for command in (up, init, status, stop, logs, systemd):
    app.command(command.__name__)(command)
app.command("go-live")(go_live)
app.command("doctor")(doctor)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(
    context: typer.Context,
    what: Annotated[
        str, typer.Argument(help="capacity, delivery, idle, intake, pruning, rehearsal, schedule or upgrade.")
    ] = "delivery",
) -> None:
    """Measure speed and memory against a limit that is measured in the same run; options go to the benchmark."""
    from services.cli.testing import run_bench

    raise typer.Exit(run_bench(what, context.args))


@topics.command("plan")
def topics_plan() -> None:
    """Say what `apply` would change, and change nothing."""
    from services.cli.platform import topics_command

    topics_command(dry_run=True)


@topics.command("apply")
def topics_apply() -> None:
    """Make the broker's topics those of contracts/topics.py; run again, it changes nothing."""
    from services.cli.platform import topics_command

    topics_command(dry_run=False)


def main() -> None:
    """Run a command; errors that users can mend are printed as two lines, without a traceback."""
    # What the client of Kafka would write beside them is in the error, or in the finding.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app(prog_name="pledgewire")
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from services.cli.errors_told import as_told

        if (told := as_told(error)) is None:
            raise
        print(told, file=sys.stderr)
        sys.exit(told.status)


if __name__ == "__main__":
    main()
