"""`pledgewire person`: what is held of one person, given out or erased, in the database itself."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from services.notifier.personal_data import PersonalData
    from services.scheduler.personal_data import AcknowledgedNames

person = typer.Typer(
    help="Give out or erase what is held of one person.",
    no_args_is_help=True,
)

Asked = Callable[["PersonalData", "AcknowledgedNames"], Awaitable[dict[str, Any]]]

Address = Annotated[
    str, typer.Option("--address", metavar="ADDRESS", help="Their e-mail address, or the URL of their webhook.")
]
Name = Annotated[
    str, typer.Option("--name", metavar="NAME", help="As they gave it when they said that they are on something.")
]


@person.command("export")
def export_command(*, address: Address = "", name: Name = "") -> None:
    """Print, as JSON, all that is held of an address (subscriptions, deliveries) or a name (who is on what)."""
    from pydantic_core import to_jsonable_python

    from services.cli.service_client import print_json

    async def read(data: "PersonalData", scheduler: "AcknowledgedNames") -> dict[str, Any]:
        held = await data.held(address) if address else {}
        return held | (await scheduler.held(name) if name else {})

    print_json(to_jsonable_python(_asked(read, address, name)))


@person.command("erase")
def erase_command(
    *,
    address: Address = "",
    name: Name = "",
    by: Annotated[str, typer.Option(help="Who says so.", show_default="your user's name")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """End what leads to an address and forget it, or take a name away; the audit log does not say whose it was."""
    from services.cli.database_question import at_the_command_line
    from services.plumbing.clock import ClockSettings, clock_from

    if not yes and (address or name):
        typer.confirm("What is erased can't be brought back. Go on?", abort=True)
    now, actor = clock_from(ClockSettings()).now(), at_the_command_line(by)

    async def erase(data: "PersonalData", scheduler: "AcknowledgedNames") -> dict[str, Any]:
        done = await data.erase(address, now, actor) if address else {}
        return done | (await scheduler.erase(name, now, actor) if name else {})

    for what, count in _asked(erase, address, name).items():
        typer.echo(f"{count} {what.replace('_', ' ')} erased")


def _asked(ask: Asked, address: str, name: str) -> dict[str, Any]:
    """What is asked of the notifier and the scheduler; raises EmbeddedError where nobody is named or none answers."""
    from deploy.embedded.errors import EmbeddedError
    from services.cli.platform import database_url
    from services.cli.service_client import ASKED_WRONGLY
    from services.plumbing.transient_errors import is_transient

    if not (address or name):
        raise EmbeddedError("nobody is named", "say --address, --name or both", ASKED_WRONGLY)
    try:
        return asyncio.run(_opened(ask, database_url()))
    except Exception as error:
        if not is_transient(error):
            raise
        raise EmbeddedError(f"the database did not answer: {error}", "check DATABASE_URL and try again") from error


async def _opened(ask: Asked, url: str) -> dict[str, Any]:
    from services.notifier.delivery.cancellation import cancel_waiting
    from services.notifier.delivery.resuming import resume_deferred
    from services.notifier.personal_data import PersonalData
    from services.notifier.subscriptions.destinations import Destinations
    from services.notifier.subscriptions.link_settings import LinkSettings
    from services.notifier.subscriptions.store import SubscriptionStore
    from services.plumbing.audit.keyed_hash import AuditHashSettings, KeyedHash
    from services.plumbing.database import Database, DatabaseSettings
    from services.plumbing.secrets_at_rest import Secrets, SecretsSettings
    from services.scheduler.personal_data import AcknowledgedNames

    secrets, destinations = Secrets.from_settings(SecretsSettings()), Destinations(LinkSettings())
    keyed_hash = KeyedHash.from_settings(AuditHashSettings())
    settings = DatabaseSettings.model_validate({"DATABASE_URL": url})
    notifier, scheduler = Database(settings, "notifier", has_queue=True), Database(settings, "scheduler")
    await notifier.open()
    await scheduler.open()
    try:
        store = SubscriptionStore(
            notifier, destinations, cancel_waiting, resume_deferred, keyed_hash=keyed_hash, secrets=secrets
        )
        return await ask(PersonalData(notifier, destinations, store, secrets), AcknowledgedNames(scheduler))
    finally:
        await notifier.close()
        await scheduler.close()
