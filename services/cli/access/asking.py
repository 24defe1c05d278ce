"""What the commands of `pledgewire access` ask: the file and the broker, with errors as two lines for people."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from services.cli.service_client import ASKED_WRONGLY, FAILED, CommandClient, Refusal

if TYPE_CHECKING:
    from services.cli.access.document import AccessDocument
    from services.cli.access.planning import AccessChange
    from services.plumbing.kafka.settings import KafkaSettings

T = TypeVar("T")


def apply_document(document: "AccessDocument", **options: bool) -> "list[AccessChange]":
    """Apply a document with the passwords of the environment, or plan it; raises EmbeddedError."""
    from services.cli.access.applying import apply_access
    from services.cli.access.passwords import ServicePasswords

    _not_kept()
    passwords = {name: word for name, word in ServicePasswords().given().items() if name in document.services}
    return ask_broker(lambda settings: apply_access(settings, document, passwords, **options))


def apply_database_roles(*, dry_run: bool = False) -> "list[AccessChange]":
    """Apply or plan the roles of DATABASE_URL, where they are wanted, as changes; raises EmbeddedError.

    They are wanted where a password for one is given, or one of them is there.
    """
    import asyncpg

    from services.cli.access.database_roles import apply_roles
    from services.cli.access.passwords import DatabasePasswords
    from services.cli.access.planning import AccessChange
    from services.plumbing.short_locks import LocksHeld
    from services.plumbing.transient_errors import is_transient

    _not_kept()
    passwords, url = DatabasePasswords().by_role(), os.environ.get("DATABASE_URL")
    if not url:
        if passwords:
            raise access_error(
                "there are passwords for the database's roles, and no DATABASE_URL",
                "set it to a superuser's, or take the DATABASE_PASSWORD_ variables away",
                ASKED_WRONGLY,
            )
        return []
    try:
        changes = asyncio.run(apply_roles(url, passwords, dry_run=dry_run))
    except asyncpg.InsufficientPrivilegeError as error:
        raise access_error(
            f"the database did not do it: {error}", "set DATABASE_URL to a superuser's, or to who may make roles"
        ) from error
    except LocksHeld as error:
        raise access_error(f"the database did not do it: {error}", "try again when less is going on") from error
    except Exception as error:
        if not is_transient(error):
            raise
        raise access_error(f"the database did not answer: {error}", "check DATABASE_URL and try again") from error
    return [AccessChange(one.role, "database", one.what) for one in changes]


def _not_kept() -> None:
    """Raise EmbeddedError for passwords that an instance keeps itself: its services would not know the new ones.

    They would go on for as long as their connections do, and be let in no more.
    """
    from services.cli.access.passwords import KEPT_PASSWORDS, DatabasePasswords, ServicePasswords

    given = {"kafka": ServicePasswords().given(), "database": DatabasePasswords().given()}
    for where in os.environ.get(KEPT_PASSWORDS, "").split(","):
        if given.get(where):
            raise access_error(
                f"the instance that runs keeps the {where} passwords of its services itself",
                f"take the {where.upper()}_PASSWORD_ variables away; docs/one-machine.md says how it gets new ones",
                ASKED_WRONGLY,
            )


def ask_broker(question: "Callable[[KafkaSettings], Awaitable[T]]") -> T:
    """What comes of asking the broker; raises EmbeddedError where it can't be asked, or refuses."""
    from aiokafka.errors import KafkaError

    from services.cli.access.admin import AccessRefused
    from services.plumbing.kafka.settings import KafkaSettings
    from services.plumbing.transient_errors import Unavailable

    settings = KafkaSettings()

    async def ask() -> T:
        return await question(settings)

    try:
        return asyncio.run(ask())
    except (KafkaError, AccessRefused, Unavailable, OSError, TimeoutError) as error:
        raise access_error(
            f"Kafka at {settings.bootstrap_servers} did not do it: {error or type(error).__name__}",
            "set KAFKA_BOOTSTRAP_SERVERS and the KAFKA_SASL_ and KAFKA_SSL_ settings to a super user's",
        ) from error


def not_entered(document: "AccessDocument", registry_url: str) -> "list[AccessChange]":
    """The ministries that report, by the file, and that the registry doesn't know; raises EmbeddedError."""
    from services.cli.access.planning import AccessChange
    from services.cli.access.principals import reporting

    registry = CommandClient("registry", "REGISTRY_URL", "--registry", registry_url, _explain)
    known = {one["code"] for one in registry.ask("GET", "/ministries")["items"]}
    what = "reports, and the registry puts it aside: `pledgewire ministries add` enters a ministry"
    return [AccessChange(code, "ministry", what, by_apply=False) for code in reporting(document) if code not in known]


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    return f"the registry did not say which ministries there are: {refusal.title}", "try again", FAILED


def file_path(file: Path | None) -> Path:
    """The file that is meant: the one that comes along, unless another is named."""
    from services.cli.access.document import SHIPPED

    return file or SHIPPED


def read_document(file: Path | None) -> "AccessDocument":
    """What the file says; raises EmbeddedError."""
    from services.cli.access.document import read_access
    from services.cli.yaml_files import YamlFileError

    try:
        return read_access(file_path(file))
    except YamlFileError as error:
        raise access_error(str(error), "docs/for-operators.md shows the file", ASKED_WRONGLY) from error


def write_file(path: Path, text: str) -> None:
    """Replace a file's text in one step, with its mode; raises EmbeddedError."""
    half = path.with_name(f".{path.name}.half")
    try:
        half.write_text(text, encoding="utf-8")
        half.chmod(path.stat().st_mode & 0o777)
        half.replace(path)
    except OSError as error:
        raise access_error(f"{path} can't be written: {error.strerror}", "change it yourself, then apply it") from error


def access_error(what: str, how: str, status: int = FAILED) -> Exception:
    """An error that is made to be printed as two lines."""
    from deploy.embedded.errors import EmbeddedError

    return EmbeddedError(what, how, status)
