"""`pledgewire feeds`: calendars and feeds of events, made and revoked over the scheduler's HTTP interface."""

from typing import Annotated, Any

import typer

from services.cli.service_client import ASKED_WRONGLY, CommandClient, Refusal, print_json

feeds = typer.Typer(help="Calendars and feeds of events, behind private addresses.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="SCHEDULER_URL", help="Where the scheduler answers.")]
Key = Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role subscriber or editor.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
LOCAL = "http://127.0.0.1:8402"


@feeds.command("add")
def feeds_add(
    *,
    name: Annotated[str, typer.Option(help="What calendar programs show as its title.")] = "Pledgewire",
    language: Annotated[str, typer.Option(metavar="CODE", help="A language by its code, such as fr.")] = "en",
    zone: Annotated[str, typer.Option(help="The reader's time zone, as America/Mexico_City.")] = "America/New_York",
    party: Annotated[
        list[str] | None, typer.Option(help="Only this party: MX, or org-european-union; may be repeated.")
    ] = None,
    theme: Annotated[list[str] | None, typer.Option(help="Only this theme; may be repeated.")] = None,
    section: Annotated[list[str] | None, typer.Option(help="Only this section; may be repeated.")] = None,
    commitment: Annotated[list[str] | None, typer.Option(help="Only this commitment; may be repeated.")] = None,
    alarm: Annotated[list[int] | None, typer.Option(help="Days before to remind, 7; may be repeated.")] = None,
    no_alarms: Annotated[bool, typer.Option("--no-alarms", help="A calendar that reminds of nothing.")] = False,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Make a calendar and two feeds, and print their addresses, once: whoever has one may read it."""
    form: dict[str, Any] = {
        "name": name,
        "language": language,
        "zone": zone,
        "filters": {
            "parties": party or [],
            "themes": theme or [],
            "sections": section or [],
            "commitments": commitment or [],
        },
    }
    if alarm or no_alarms:
        form["alarms"] = [] if no_alarms else alarm
    _print_made(_scheduler(url, key).ask("POST", "/feeds", json=form), as_json=json)


@feeds.command("list")
def feeds_list(*, url: Url = LOCAL, key: Key = "", json: AsJson = False) -> None:
    """One's own feeds that aren't revoked, without their addresses, which aren't kept."""
    found = _scheduler(url, key).ask("GET", "/feeds")
    if json:
        print_json(found)
        return
    for feed in found["items"]:
        filters = " ".join(f"{name}={','.join(terms)}" for name, terms in feed["filters"].items() if terms)
        read = f"read on {feed['last_read_on']}" if feed["last_read_on"] else "never read"
        typer.echo(f"{feed['id']}  {feed['language']}  {feed['name']}  {filters or 'everything'}  {read}")


@feeds.command("revoke")
def feeds_revoke(
    feed: Annotated[str, typer.Argument(metavar="ID", help="As `feeds list` shows it.")],
    *,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Revoke a feed: from now on nothing is at its addresses."""
    _scheduler(url, key).ask("DELETE", f"/feeds/{_id(feed)}")
    if json:
        print_json({"id": feed, "revoked": True})
    else:
        typer.echo(f"revoked: {feed}")


@feeds.command("rotate")
def feeds_rotate(
    feed: Annotated[str, typer.Argument(metavar="ID", help="As `feeds list` shows it.")],
    *,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Give a feed new addresses, and print them, once; from now on nothing is at the old ones."""
    _print_made(_scheduler(url, key).ask("POST", f"/feeds/{_id(feed)}/rotate"), as_json=json)


def _id(feed: str) -> str:
    from uuid import UUID

    from deploy.embedded.errors import EmbeddedError

    try:
        return str(UUID(feed))
    except ValueError:
        raise EmbeddedError(
            f"{feed!r} is no feed's id", "`pledgewire feeds list` shows the ids", ASKED_WRONGLY
        ) from None


def _print_made(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    typer.echo(f"id        {made['id']}")
    for name, address in made["addresses"].items():
        typer.echo(f"{name:<9} {address}")


def _scheduler(url: str, key: str) -> CommandClient:
    from deploy.embedded.errors import EmbeddedError

    if not key:
        raise EmbeddedError(
            "no API key is given",
            "set PLEDGEWIRE_KEY or --key; `pledgewire keys add NAME --role subscriber` makes one",
            ASKED_WRONGLY,
        )
    return CommandClient("scheduler", "SCHEDULER_URL", "--url", url, _explain, key)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    """What a refusal says, and what to do about it."""
    faults = list(refusal.faults)
    match refusal.status:
        case 401 | 403:
            how = "use a key with the role subscriber or editor: PLEDGEWIRE_KEY or --key"
        case 404:
            how = "`pledgewire feeds list` shows the feeds that there are"
        case 409:
            how = "`pledgewire feeds revoke ID` makes room"
        case 422:
            how = "; ".join(faults) or "see `pledgewire feeds add --help`"
        case _:
            how = "try again"
    return refusal.told(how)
