"""`pledgewire escalation`: what is overdue, and the word of those who are on it, over the scheduler's HTTP."""

import sys
from typing import Annotated, Any

import typer

from services.cli.service_client import (
    ASKED_WRONGLY,
    CommandClient,
    Refusal,
    acting_once,
    exit_status,
    print_json,
    segment,
)

escalation = typer.Typer(help="What is overdue, who has heard of it, and who is on it.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="SCHEDULER_URL", help="Where the scheduler answers.")]
Key = Annotated[
    str,
    typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key that may report; to read, an editor's or operator's does."),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
HERE = "http://127.0.0.1:8000"


@escalation.command("list")
def list_command(
    *,
    state: Annotated[str, typer.Option(help="climbing: overdue, and nobody owns it; or owned.")] = "climbing",
    commitment: Annotated[str | None, typer.Option(help="Only those of this commitment.")] = None,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """List what is overdue, in the order in which time changes it next."""
    wanted = {"state": state, "limit": "500"} | ({"commitment": commitment} if commitment else {})
    items = _scheduler(url, key).items("/escalations", wanted)
    if json:
        print_json({"items": items})
        return
    for item in items:
        typer.echo(f"{item['milestone_id']}  {_summary(item)}")
    print(f"{len(items)} {state}", file=sys.stderr)


@escalation.command("show")
def show_command(
    milestone: Annotated[str, typer.Argument(help="The milestone's id.")],
    *,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """Show how it stands with a milestone, and how that came about."""
    from services.cli.texts import shown

    record = _scheduler(url, key).ask("GET", f"/milestones/{segment(milestone)}/escalation")
    if json:
        print_json(record)
        return
    typer.echo(f"{record['milestone_id']}: {shown(record['milestone_title'])}")
    typer.echo(f"{record['commitment_id']}: {shown(record['commitment_title'])}")
    typer.echo(f"last day {record['latest'] or 'none'}, {record['zone']}; {_summary(record)}")
    for line in record["log"]:
        details = [line["level"], line["name"], line["note"]]
        typer.echo("  ".join([line["at"][:16], line["what"], f"round {line['round']}", *filter(None, details)]))


@escalation.command("acknowledge")
def acknowledge_command(
    milestone: Annotated[str, typer.Argument(help="The milestone's id.")],
    *,
    name: Annotated[str, typer.Option(help="Who is on it.")],
    note: Annotated[str | None, typer.Option(help="What is being done.")] = None,
    take_over_from: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who is on it so far, where it is to be taken over.")
    ] = None,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """Say that somebody is on it: nobody further hears, unless no evidence follows."""
    entry = _scheduler(url, key).ask(
        "POST",
        f"/milestones/{segment(milestone)}/acknowledgements",
        json={"name": name, "note": note, "take_over_from": take_over_from},
        headers=acting_once(),
    )
    if json:
        print_json(entry)
        return
    typer.echo(f"{entry['milestone_id']}  {_summary(entry)}")


def _summary(item: dict[str, Any]) -> str:
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


def _scheduler(url: str, key: str) -> CommandClient:
    from deploy.embedded.errors import EmbeddedError

    if not key:
        raise EmbeddedError(
            "no API key is given",
            "set PLEDGEWIRE_KEY or --key; `pledgewire keys add NAME --role reporter` makes one",
            ASKED_WRONGLY,
        )
    return CommandClient("scheduler", "SCHEDULER_URL", "--url", url, _explain, key)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    reasons = "; ".join(filter(None, (refusal.detail, *refusal.faults)))
    return (
        f"the scheduler refuses ({refusal.status}): {refusal.title}",
        reasons or "see `pledgewire escalation --help`",
        exit_status(refusal.status),
    )
