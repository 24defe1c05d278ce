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


@embedded.command("certificate")
def embedded_certificate(
    host: Annotated[str, typer.Argument(help="By which clients reach the broker.")],
    key: Annotated[Path, typer.Argument(help="The folder for keystore.pem: Kafka and its group read it.")],
    authority: Annotated[Path, typer.Argument(help="The folder for certificate.pem, which clients believe.")],
    *,
    days: Annotated[int, typer.Option(min=31, help="For how long it holds.")] = 3650,
) -> None:
    """Make a certificate for a Kafka on a network of its own; one that is good for 30 days more is left alone."""
    from datetime import UTC, datetime, timedelta

    from deploy.embedded.certificates import keystore, self_signed
    from deploy.embedded.errors import EmbeddedError, file_error
    from deploy.embedded.state import write_private

    store, certificate, now = key / "keystore.pem", authority / "certificate.pem", datetime.now(UTC)
    try:
        keystore(store, store, host, now + timedelta(days=30))
        shown = certificate.read_text(encoding="ascii")
        if shown.startswith("-----BEGIN") and store.read_text(encoding="ascii").endswith(shown):
            typer.echo("the certificate is good")
            return
    except (EmbeddedError, OSError):
        pass  # there is none, or none that is of use
    made, private = self_signed([host], now, timedelta(days=days))
    try:
        write_private(store, private + made)
        store.chmod(0o640)
        certificate.write_text(made, encoding="ascii")
    except OSError as error:
        raise file_error(error, "write the certificate", key) from error
    typer.echo(f"a certificate for {host}, for {days} days")
