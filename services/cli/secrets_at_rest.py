"""`pledgewire secrets`: the keys under which addresses and signing secrets are sealed in the database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.notifier.subscriptions.resealing import Resealed
    from services.plumbing.secrets_at_rest import Secrets

secrets = typer.Typer(
    help="Seal addresses and signing secrets in the database, and exchange the key.",
    no_args_is_help=True,
)


@secrets.command("new-key")
def new_key_command(
    file: Annotated[
        Path | None, typer.Argument(help="Put it in front of the keys of this file, which is made if it isn't there.")
    ] = None,
) -> None:
    """Make a key. In a file, services take it up within half a minute, and seal what they write with it."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.service_client import ASKED_WRONGLY
    from services.plumbing.secrets_at_rest import new_key, put_new_key_in_front

    if file is None:
        typer.echo(new_key())
        return
    try:
        id_ = put_new_key_in_front(file)
    except ValueError as error:
        raise EmbeddedError(f"{file} holds something else: {error}", "name another file", ASKED_WRONGLY) from error
    except OSError as error:
        raise EmbeddedError(f"{file} can't be written: {error.strerror}", "name another file", ASKED_WRONGLY) from error
    typer.echo(f"the key {id_} stands first in {file}; keep a copy, since nothing opens what it sealed but this key")
    typer.echo("Seal with it what is there already: pledgewire secrets rotate")


@secrets.command("rotate")
def rotate_command(
    *,
    to_clear: Annotated[
        bool, typer.Option("--to-clear", help="Put all in the clear again, before you go back to release 0.2.0.")
    ] = False,
) -> None:
    """Seal with the first key what stands in the clear or under another, while services run; 1 if some can't be."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.database_question import ask_database
    from services.cli.service_client import ASKED_WRONGLY

    known = _secrets()
    if not known.key_ids:
        raise EmbeddedError(
            "there is no key", "set SECRETS_KEY_FILE, SECRETS_KEY or SECRETS_KEY_COMMAND", ASKED_WRONGLY
        )
    known.seals = not to_clear

    async def rotate(connection: Any) -> "Resealed":
        return await _rotate(connection, known)

    done = ask_database(rotate, "secrets")
    typer.echo(f"{done.changed} of {done.looked_at} subscriptions were {'opened' if to_clear else 'sealed anew'}")
    if done.unreadable:
        raise EmbeddedError(
            f"{done.unreadable} can't be opened with the keys that there are",
            "put the key that sealed them into the keys, behind the first, and run it again",
        )


async def _rotate(connection: Any, known: "Secrets") -> "Resealed":
    from rich.console import Console
    from rich.progress import Progress

    from services.cli.database_question import in_schema
    from services.notifier.subscriptions.resealing import Resealed, reseal_step

    total = await connection.fetchval("select count(*) from notifier.subscription")
    done = Resealed()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("sealing", total=total)
        after = None
        while True:
            async with in_schema(connection, "notifier"):
                step = await reseal_step(connection, known, after)
            done.looked_at += step.looked_at
            done.changed += step.changed
            done.unreadable += step.unreadable
            progress.update(task, completed=done.looked_at)
            if (after := step.last) is None:
                return done


@secrets.command("status")
def status_command(
    *, json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False
) -> None:
    """Say how many secrets are sealed with which key, and how many stand in the clear; 1 where some can't be opened."""
    from services.cli.database_question import ask_database, in_schema
    from services.cli.service_client import print_json
    from services.notifier.subscriptions.resealing import sealed_by_key

    async def look(connection: Any) -> dict[str | None, int]:
        async with in_schema(connection, "notifier"):
            return await sealed_by_key(connection)

    ids, found = _secrets().key_ids, ask_database(look, "secrets")
    unknown = sorted(key for key in found if key is not None and key not in ids)
    if json:
        print_json(
            {
                "keys": list(ids),
                "sealed": {key: n for key, n in sorted(found.items(), key=str) if key is not None},
                "in_the_clear": found.get(None, 0),
                "unknown": unknown,
            }
        )
    else:
        for place, key in enumerate(ids):
            typer.echo(f"{key}: {found.get(key, 0)} sealed{'' if place else ', and what is written from now on'}")
        for key in unknown:
            typer.echo(f"{key}: {found[key]} sealed, and the key is not known: they can't be opened")
        typer.echo(f"{found.get(None, 0)} in the clear")
    raise typer.Exit(1 if unknown else 0)


def _secrets() -> "Secrets":
    from services.plumbing.secrets_at_rest import Secrets, SecretsSettings

    return Secrets.from_settings(SecretsSettings())
