"""`pledgewire`: one program, nouns then verbs. Modules are imported inside the commands, so that help is instant."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The wire service for what governments promise.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
topics = typer.Typer(help="The topics of the broker.", no_args_is_help=True)
db = typer.Typer(help="The schemas of the database.", no_args_is_help=True)
embedded = typer.Typer(help="The Kafka and PostgreSQL that Pledgewire brings along.", no_args_is_help=True)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(topics, name="topics")
app.add_typer(db, name="db")
app.add_typer(embedded, name="embedded")
app.add_typer(keys, name="keys")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output instead of a table.")]


@app.command()
def test(
    arguments: Annotated[list[str] | None, typer.Argument(help="Handed to pytest.")] = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="What takes under a minute: no slow tests.")] = False,
    no_lint: Annotated[bool, typer.Option("--no-lint", help="Only the tests, no ruff, mypy or import rules.")] = False,
) -> None:
    """Check the code and run the tests, on a Kafka and a PostgreSQL of their own."""
    from services.cli.testing import run_tests

    raise typer.Exit(run_tests(arguments or [], quick=quick, lint=not no_lint))


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


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring every schema of DATABASE_URL to its newest revision."""
    from services.cli.platform import upgrade_command

    upgrade_command()


@db.command("sql")
def db_sql() -> None:
    """Print the SQL of all revisions, for those who run it themselves."""
    from services.cli.platform import sql_command

    sql_command()


@embedded.command("fetch")
def embedded_fetch() -> None:
    """Fetch and verify everything that the embedded Kafka needs, so that later runs work offline."""
    from deploy.embedded import jars

    print(jars.fetch(lambda line: print(line, file=sys.stderr)))


@keys.command("add")
def keys_add(
    client: Annotated[str, typer.Argument(help="Whom the key is for: lower case, digits, hyphens.")],
    file: Annotated[Path, typer.Option(envvar="API_KEYS_FILE", help="The file of hashes.")],
    role: Annotated[list[str], typer.Option(help="editor, reporter, subscriber or operator; may be repeated.")],
    ministry: Annotated[str | None, typer.Option(help="The code of the ministry that it speaks for.")] = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from services.cli.platform import add_key

    print(add_key(file, client, role, ministry))


def main() -> None:
    """The door: what goes wrong is said in two lines, without a traceback."""
    from deploy.embedded.errors import EmbeddedError

    try:
        app()
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
