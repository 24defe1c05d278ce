"""`pledgewire escalation`: what is overdue, and the word of those who are on it, over the scheduler's HTTP."""

import sys
from typing import Annotated, Any

import typer

escalation = typer.Typer(help="What is overdue, who has heard of it, and who is on it.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="SCHEDULER_URL", help="Where the scheduler answers.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
HERE = "http://127.0.0.1:8000"


@escalation.command("list")
def list_command(
    *,
    state: Annotated[str, typer.Option(help="climbing: overdue, and nobody owns it; or owned.")] = "climbing",
    commitment: Annotated[str | None, typer.Option(help="Only those of this commitment.")] = None,
    url: Url = HERE,
    json: Json = False,
) -> None:
    """List what is overdue, in the order in which time changes it next."""
    items: list[dict[str, Any]] = []
    wanted = {"state": state, "limit": "500"} | ({"commitment": commitment} if commitment else {})
    cursor: str | None = None
    while True:
        page = _ask(url, "GET", "/escalations", params=wanted | ({"cursor": cursor} if cursor else {}))
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    if json:
        _print_json(items)
        return
    for item in items:
        typer.echo(f"{item['milestone_id']}  {_standing(item)}")
    print(f"{len(items)} {state}", file=sys.stderr)


@escalation.command("show")
def show_command(
    milestone: Annotated[str, typer.Argument(help="The milestone's id.")], *, url: Url = HERE, json: Json = False
) -> None:
    """Show how it stands with a milestone, and how that came about."""
    record = _ask(url, "GET", f"/milestones/{_segment(milestone)}/escalation")
    if json:
        _print_json(record)
        return
    typer.echo(f"{record['milestone_id']}: {record['milestone_title']['en']}")
    typer.echo(f"{record['commitment_id']}: {record['commitment_title']['en']}")
    typer.echo(f"last day {record['latest'] or 'none'}, {record['zone']}; {_standing(record)}")
    for line in record["log"]:
        details = [line["level"], line["name"], line["note"]]
        typer.echo("  ".join([line["at"][:16], line["what"], f"round {line['round']}", *filter(None, details)]))


@escalation.command("acknowledge")
def acknowledge_command(
    milestone: Annotated[str, typer.Argument(help="The milestone's id.")],
    *,
    name: Annotated[str, typer.Option(help="Who is on it.")],
    note: Annotated[str | None, typer.Option(help="What is being done.")] = None,
    key: Annotated[str | None, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role reporter.")] = None,
    url: Url = HERE,
    json: Json = False,
) -> None:
    """Say that somebody is on it: nobody further hears, unless no evidence follows."""
    from uuid import uuid4

    from deploy.embedded.errors import EmbeddedError

    if not key:
        raise EmbeddedError(
            "acknowledging takes an API key", "set PLEDGEWIRE_KEY or --key; `pledgewire keys add` makes one"
        )
    entry = _ask(
        url,
        "POST",
        f"/milestones/{_segment(milestone)}/acknowledgements",
        json={"name": name, "note": note},
        headers={"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid4())},
    )
    if json:
        _print_json(entry)
        return
    typer.echo(f"{entry['milestone_id']}  {_standing(entry)}")


def _standing(item: dict[str, Any]) -> str:
    """One line about how it stands."""
    made, following = item["acknowledged"], item["next_level"]
    at = (item["next_at"] or "")[:16]
    match item["state"]:
        case "climbing":
            unfollowed = f"; {made['name']} had acknowledged it, and no evidence followed" if made else ""
            return f"round {item['round']}, {item['level'] or 'nobody'} has heard, {following} hears {at}{unfollowed}"
        case "owned":
            return f"owned by {made['name']} since {made['at'][:16]}, evidence by {at}"
        case "dormant":
            return f"not overdue before {at}" if at else "never overdue: it has no last day"
        case other:
            return str(other)


def _ask(url: str, method: str, path: str, **request: Any) -> Any:
    """The scheduler's answer; raises EmbeddedError for a refusal, or when there is none."""
    import httpx2

    from deploy.embedded.errors import EmbeddedError

    try:
        with httpx2.Client(base_url=url, timeout=30, trust_env=False) as client:
            response = client.request(method, path, **request)
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeEncodeError, ValueError) as error:
        raise EmbeddedError(
            f"the scheduler at {url} does not answer: {error}", "set SCHEDULER_URL or --url to its HTTP interface"
        ) from error
    try:
        body = response.json()
    except ValueError as error:
        raise EmbeddedError(
            f"{url} answers {response.status_code} without JSON", "set SCHEDULER_URL or --url to the scheduler"
        ) from error
    if response.is_success:
        return body
    reasons = [body.get("detail", ""), *(f"{fault['where']}: {fault['what']}" for fault in body.get("errors", []))]
    raise EmbeddedError(
        f"the scheduler refuses ({response.status_code}): {body.get('title', 'no reason is given')}",
        "; ".join(filter(None, reasons)) or "see `pledgewire escalation --help`",
    )


def _segment(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="") or "-"


def _print_json(value: Any) -> None:
    import json

    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))
