"""The commands of `pledgewire embedded`. Imports are inside, so that help is instant."""

import sys
from pathlib import Path
from typing import Annotated

import typer

embedded = typer.Typer(help="The Kafka and PostgreSQL that Pledgewire brings along.", no_args_is_help=True)


@embedded.command("fetch")
def embedded_fetch() -> None:
    """Fetch and verify everything that the embedded Kafka needs, so that later runs work offline."""
    from deploy.embedded import jars

    typer.echo(jars.fetch(lambda line: print(line, file=sys.stderr)))


@embedded.command("keystore")
def embedded_keystore(
    certificate: Annotated[Path, typer.Argument(help="PEM: the broker's own first, then those between.")],
    key: Annotated[Path, typer.Argument(help="Its private key, PEM, without a passphrase.")],
    host: Annotated[str, typer.Argument(help="By which clients reach the broker.")],
    out: Annotated[Path, typer.Argument(help="The file to write, mode 0600.")],
) -> None:
    """Check a certificate for Kafka, and write it with its key as the one file that a broker reads."""
    from datetime import UTC, datetime

    from deploy.embedded.certificates import keystore
    from deploy.embedded.state import write_private

    write_private(out, keystore(certificate, key, host, datetime.now(UTC)))


@embedded.command("upgrade-postgres")
def embedded_upgrade_postgres(
    state: Annotated[Path, typer.Argument(help="The state folder whose database is an older major version's.")],
    *,
    programs: Annotated[Path, typer.Option(help="Where the old version's `bin` is, as /usr/lib/postgresql/17.")],
) -> None:
    """Bring a kept database to the PostgreSQL that comes along, while nothing runs; the old data stays beside it."""
    from deploy.embedded.postgres_upgrade import upgrade_postgres

    before = upgrade_postgres(state, programs, lambda line: print(line, file=sys.stderr))
    typer.echo(f"done; delete {before} when you are sure")
