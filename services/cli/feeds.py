"""`pledgewire feeds`: calendars and feeds of events, made and revoked over the scheduler's HTTP interface."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import httpx2

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
    country: Annotated[list[str] | None, typer.Option(help="Only this country: CA, MX or US; may be repeated.")] = None,
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
            "countries": country or [],
            "themes": theme or [],
            "sections": section or [],
            "commitments": commitment or [],
        },
    }
    if alarm or no_alarms:
        form["alarms"] = [] if no_alarms else alarm
    _print_made(_ask("POST", url, "/feeds", key, form), as_json=json)


@feeds.command("list")
def feeds_list(*, url: Url = LOCAL, key: Key = "", json: AsJson = False) -> None:
    """One's own feeds that aren't revoked, without their addresses, which aren't kept."""
    found = _ask("GET", url, "/feeds", key)
    if json:
        _print_json(found)
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
    _ask("DELETE", url, f"/feeds/{_id(feed)}", key)
    if json:
        _print_json({"id": feed, "revoked": True})
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
    _print_made(_ask("POST", url, f"/feeds/{_id(feed)}/rotate", key), as_json=json)


def _id(feed: str) -> str:
    from uuid import UUID

    from deploy.embedded.errors import EmbeddedError

    try:
        return str(UUID(feed))
    except ValueError:
        raise EmbeddedError(f"{feed!r} is no feed's id", "`pledgewire feeds list` shows the ids") from None


def _print_made(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        _print_json(made)
        return
    typer.echo(f"id        {made['id']}")
    for name, address in made["addresses"].items():
        typer.echo(f"{name:<9} {address}")


def _print_json(document: object) -> None:
    import json

    typer.echo(json.dumps(document, ensure_ascii=False))


def _ask(method: str, url: str, path: str, key: str, form: object = None) -> Any:
    """The answer's JSON, None where it has none; raises EmbeddedError for whatever else comes back."""
    import httpx2

    from deploy.embedded.errors import EmbeddedError

    if not key:
        raise EmbeddedError(
            "no API key is given", "set PLEDGEWIRE_KEY or --key; `pledgewire keys add NAME --role subscriber` makes one"
        )
    try:
        with httpx2.Client(base_url=url, timeout=30) as client:
            answer = client.request(method, path, json=form, headers={"Authorization": f"Bearer {key}"})
    except (httpx2.TransportError, httpx2.InvalidURL, UnicodeError) as error:
        raise EmbeddedError(
            f"the scheduler at {url} does not answer: {error or type(error).__name__}", "set SCHEDULER_URL or --url"
        ) from error
    if answer.is_success:
        return answer.json() if answer.content else None
    raise EmbeddedError(*_refusal(answer))


def _refusal(answer: "httpx2.Response") -> tuple[str, str]:
    """What a refusal says, and what to do about it."""
    try:
        problem = answer.json()
        what = ": ".join(filter(None, (problem["title"], problem.get("detail"))))
        faults = [f"{fault['where'].removeprefix('body/')}: {fault['what']}" for fault in problem.get("errors", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"the scheduler answered {answer.status_code}", "is SCHEDULER_URL really the scheduler's?"
    match answer.status_code:
        case 401 | 403:
            help_ = "use a key with the role subscriber or editor: PLEDGEWIRE_KEY or --key"
        case 404:
            help_ = "`pledgewire feeds list` shows the feeds that there are"
        case 409:
            help_ = "`pledgewire feeds revoke ID` makes room"
        case 422:
            help_ = "; ".join(faults) or "see `pledgewire feeds add --help`"
        case _:
            help_ = "try again"
    return what, help_
