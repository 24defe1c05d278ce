"""`pledgewire ministries`: who may report, and for which party, over the registry's HTTP interface."""

from typing import Annotated, Any

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY, CommandClient, Refusal, acting_once, print_json, segment

ministries = typer.Typer(help="Ministries: who may report, and for which party.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="REGISTRY_URL", help="Where the registry answers.")]
Key = Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role operator.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Its code, such as mx-sre; its topics are named after it.")]
Party = Annotated[str, typer.Option(help="Whose it is: MX, or org-european-union.")]
Name = Annotated[list[str], typer.Option(metavar="LANGUAGE=NAME", help="What it is called; may be repeated.")]
Contact = Annotated[str | None, typer.Option(help="A mail address or a page, for people.")]
LOCAL = "http://127.0.0.1:8401"


@ministries.command("add")
def ministries_add(
    code: Code,
    *,
    party: Party,
    name: Name,
    contact: Contact = None,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Enter a ministry; `pledgewire access apply` makes its topics and its user on Kafka."""
    body = {"code": code, **_facts(party, name, contact)}
    _print_one(_registry(url, key).ask("POST", "/ministries", json=body, headers=acting_once()), as_json=json)


@ministries.command("change")
def ministries_change(
    code: Code,
    *,
    party: Party,
    name: Name,
    contact: Contact = None,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Say anew what a ministry is called and how people reach it."""
    path = f"/ministries/{segment(code)}"
    body = _facts(party, name, contact)
    _print_one(_registry(url, key).ask("PUT", path, json=body, headers=acting_once()), as_json=json)


@ministries.command("list")
def ministries_list(*, url: Url = LOCAL, key: Key = "", json: AsJson = False) -> None:
    """All ministries, by their codes."""
    found = _registry(url, key).ask("GET", "/ministries")
    if json:
        print_json(found)
        return
    for one in found["items"]:
        _print_one(one, as_json=False)


async def enter_ministries(database_url: str) -> None:
    """Enter the ministries of the catalogue that comes with the program, where they are missing."""
    from services.cli.registry_database import registry_transaction
    from services.registry.actions.ministries import enter_missing
    from services.registry.catalogue.loading import load

    async with registry_transaction(database_url) as (_, connection, context):
        await enter_missing(connection, load().ministries, context)


def _facts(party: str, names: list[str], contact: str | None) -> dict[str, Any]:
    told = dict(name.partition("=")[::2] for name in names)
    if not all(told) or not all(told.values()):
        raise EmbeddedError(f"{names!r} tell no names", "write each as en='Ministry of the Sea'", ASKED_WRONGLY)
    return {"party": party, "name": told, "contact": contact}


def _registry(url: str, key: str) -> CommandClient:
    return CommandClient("registry", "REGISTRY_URL", "--url", url, _explain, key or None)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    """What a refusal says, and what to do about it."""
    match refusal.status:
        case 401 | 403:
            how = "use a key with the role operator: PLEDGEWIRE_KEY or --key"
        case 404:
            how = "`pledgewire ministries list` shows those that there are"
        case 409:
            how = "`pledgewire ministries change` says anew what it is called"
        case 422:
            how = "; ".join(refusal.faults) or "mend what it says"
        case _:
            how = "try again"
    return refusal.told(how)


def _print_one(ministry: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(ministry)
        return
    names = "; ".join(f"{language}: {name}" for language, name in ministry["name"].items())
    contact = f"  {ministry['contact']}" if ministry["contact"] else ""
    typer.echo(f"{ministry['code']}  {ministry['party']}  {ministry['reports_on']}  {names}{contact}")
