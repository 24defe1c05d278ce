"""The commands `pledgewire backup` and `restore`. Imports are inside, so that help is instant."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

if TYPE_CHECKING:
    from services.cli.backup.manifest import Manifest

T = TypeVar("T")

State = Annotated[
    Path | None,
    typer.Option(help="Of the instance in this folder; where it is stopped, its database and Kafka are started."),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="A new folder; without it one named by the time, in `backups` of the state.")
    ] = None,
    *,
    topics: Annotated[bool, typer.Option("--topics/--no-topics", help="Note where Kafka's topics end.")] = True,
    keep: Annotated[
        int, typer.Option(min=0, help="Delete all but so many of the newest backups beside it; 0 keeps all.")
    ] = 0,
    state: State = None,
    json: AsJson = False,
) -> None:
    """Back up the database of DATABASE_URL and where the topics end, beside everything that runs."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.backup.programs import size_of
    from services.cli.backup.topic_ends import topic_ends
    from services.cli.backup.writing import name_of_now, write_backup
    from services.cli.platform import ProgressLine, database_url
    from services.cli.service_client import ASKED_WRONGLY, print_json
    from services.cli.up.state_folder import InstanceFolder
    from services.plumbing.kafka.settings import KafkaSettings

    target = (folder or InstanceFolder.at(state).backups / name_of_now()).absolute()
    if target.exists():
        raise EmbeddedError(f"{target} is there already", "name a new folder", ASKED_WRONGLY)

    async def make() -> "Manifest":
        settings = KafkaSettings() if topics else None
        ends = (lambda: topic_ends(settings)) if settings else None
        with ProgressLine("backing up") as line:
            return await write_backup(database_url(), target, ends, line.show)

    with _reached(state):
        manifest = _done(make)
    _delete_old(target.parent, keep)
    size = size_of(target)
    if json:
        document = manifest.model_dump(mode="json", exclude={"files"})
        print_json({"folder": str(target), "bytes": size, **document})
        return
    records = sum(sum(ends.values()) for ends in (manifest.topics or {}).values())
    typer.echo(f"{target}")
    typer.echo(f"{sum(manifest.rows.values())} rows, {size / 1e6:.1f} MB; the topics end at {records} records")
    typer.echo("Keep what it does not hold, too: .env or the state's `secrets`, access.yaml, certificates.")


def restore(
    folder: Annotated[Path, typer.Argument(help="What `pledgewire backup` made.")],
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Only look whether it is whole, and what has come since.")
    ] = False,
    topics: Annotated[
        bool, typer.Option("--topics/--no-topics", help="Say what Kafka's topics have had since.")
    ] = True,
    yes: Annotated[bool, typer.Option("--yes", help="Put it in place of what is there.")] = False,
    state: State = None,
) -> None:
    """Put a backup in place of the database of DATABASE_URL, while no service runs; docs/how-to/restore-a-backup.md."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.backup.restoring import check_files, read_manifest
    from services.cli.service_client import ASKED_WRONGLY

    manifest = read_manifest(folder)
    check_files(folder, manifest)
    age = datetime.now(UTC) - manifest.made_at
    when = f"{manifest.made_at:%Y-%m-%dT%H:%M:%SZ}, {_told(age.total_seconds())} ago"
    typer.echo(f"whole: made {when}, by {manifest.made_by}")
    with _reached(state):
        if topics and manifest.topics is not None:
            _tell_since(manifest.topics)
        if check:
            return
        if not yes:
            raise EmbeddedError(
                "nothing was changed: what is in the database now would be gone",
                "back up what is there, stop the services, and say --yes",
                ASKED_WRONGLY,
            )
        _put(folder, manifest)
    typer.echo(f"restored: {sum(manifest.rows.values())} rows")
    typer.echo("Start the services. They compare themselves with the topics, take over what came since, and send")
    typer.echo("nothing before your word: pledgewire recovery status, pledgewire verify, pledgewire recovery release")


def _tell_since(then: Mapping[str, Mapping[int, int]]) -> None:
    from services.cli.backup.manifest import compared
    from services.cli.backup.topic_ends import topic_ends
    from services.plumbing.kafka.settings import KafkaSettings

    since = compared(then, _done(lambda: topic_ends(KafkaSettings())))
    for one in since:
        typer.echo(f"  {one}")
    if not since:
        typer.echo("  the topics end where they ended then")


def _put(folder: Path, manifest: "Manifest") -> None:
    from services.cli.backup.restoring import restore as put_in_place
    from services.cli.platform import ProgressLine, database_url

    def told(schema: str, now: str) -> None:
        typer.echo(f"{schema}: now at {now}")

    async def put() -> None:
        with ProgressLine("restoring") as line:
            await put_in_place(database_url(), folder, manifest, line.show, told=told)

    _done(put)


@contextmanager
def _reached(state: Path | None) -> Iterator[None]:
    """In the block the variables of this process lead to the instance in this folder.

    One that runs says where it is; of one that is stopped Kafka and PostgreSQL are started, and no service. Where no
    folder is named, and no variable leads elsewhere, it is the usual one, if it holds them.
    """
    from deploy.embedded.errors import EmbeddedError
    from deploy.embedded.stack import EmbeddedStack
    from services.cli.service_client import NOT_FOUND
    from services.cli.up.running import forget_logins, read_running
    from services.cli.up.state_folder import InstanceFolder

    folder = InstanceFolder.at(state)
    holds_parts = (folder.path / "kafka").is_dir() and (folder.path / "postgres").exists()
    is_elsewhere = any(os.environ.get(name) for name in ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS"))
    if state is None and (is_elsewhere or not holds_parts):
        yield
        return
    forget_logins()
    if instance := read_running(folder):
        os.environ.update(instance.environment)
        yield
        return
    if not holds_parts:
        raise EmbeddedError(
            f"{folder.path} holds no Kafka and no PostgreSQL of its own",
            "name another folder, or say where yours are by DATABASE_URL and the KAFKA_ variables",
            NOT_FOUND,
        )
    with EmbeddedStack(folder.path, progress=lambda line: typer.echo(line, err=True)) as parts:
        os.environ.update(parts.environment())
        yield


def _done(question: Callable[[], Awaitable[T]]) -> T:
    """What comes of it; raises EmbeddedError where the database or Kafka does not answer, or refuses."""
    import asyncpg

    from deploy.embedded.errors import EmbeddedError
    from services.plumbing.transient_errors import is_transient

    async def ask() -> T:
        return await question()

    try:
        return asyncio.run(ask())
    except asyncpg.InsufficientPrivilegeError as error:
        raise EmbeddedError(
            f"the database did not do it: {error}", "use the URL of pledgewire_migrator, or of a superuser"
        ) from error
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(
            f"the database or Kafka did not answer: {error}",
            "check DATABASE_URL and the KAFKA_ settings and try again; --no-topics asks the database alone",
        ) from error


def _delete_old(backups: Path, keep: int) -> None:
    """Delete all but the newest whole ones of a folder of backups; what is none stays."""
    from services.cli.backup.writing import whole_backups

    if keep:
        for path, _ in whole_backups(backups)[:-keep]:
            shutil.rmtree(path)


def _told(seconds: float) -> str:
    """A length of time for people, in one unit."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
