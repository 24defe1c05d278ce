"""`pledgewire silence`: what is not to be told for a while, over the notifier's HTTP."""

import sys
from typing import Annotated, Any

import typer

from services.cli.service_client import ASKED_WRONGLY, CommandClient, Refusal, exit_status, print_json, segment

silence = typer.Typer(help="What is not told for a while, why, and until when.", no_args_is_help=True)

Url = Annotated[str, typer.Option(envvar="NOTIFIER_URL", help="Where the notifier answers.")]
Key = Annotated[
    str,
    typer.Option(
        envvar="PLEDGEWIRE_KEY",
        help="An operator's API key silences everybody's subscriptions, a subscriber's its own.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")]
HERE = "http://127.0.0.1:8000"


@silence.command("add")
def add_command(
    *,
    reason: Annotated[str, typer.Option(help="Why, for people.")],
    until: Annotated[
        str, typer.Option(metavar="INSTANT|LENGTH", help="2026-03-01T09:00:00Z, or so long: 90m, 4h, 2d.")
    ],
    begins: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Not at once, but from then on.")
    ] = None,
    subscription: Annotated[str | None, typer.Option(help="Only this subscription.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Only events of this name; may be repeated.")] = None,
    party: Annotated[list[str] | None, typer.Option(help="Only what concerns this party; may be repeated.")] = None,
    theme: Annotated[list[str] | None, typer.Option(help="Only this theme; may be repeated.")] = None,
    section: Annotated[list[str] | None, typer.Option(help="Only this section; may be repeated.")] = None,
    commitment: Annotated[list[str] | None, typer.Option(help="Only this commitment; may be repeated.")] = None,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """Put off what fits all that is named, or everything where nothing is; it is told when the silence ends."""
    form = {
        "reason": reason,
        **_end(until),
        "begins": begins,
        "subscription": subscription,
        "filters": {
            "events": event or [],
            "parties": party or [],
            "themes": theme or [],
            "sections": section or [],
            "commitments": commitment or [],
        },
    }
    added = _notifier(url, key).ask("POST", "/silences", json=form)
    if json:
        print_json(added)
        return
    typer.echo(_line(added))


@silence.command("list")
def list_command(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have ended too.")] = False,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """List silences, the newest first; one that ends soon says so."""
    found = _notifier(url, key).items("/silences", {"limit": "200"})
    items = [item for item in found if everything or item["state"] != "ended"]
    if json:
        print_json({"items": items})
        return
    for item in items:
        typer.echo(_line(item))
    print(f"{len(items)} silences", file=sys.stderr)


@silence.command("end")
def end_command(
    id_: Annotated[str, typer.Argument(metavar="SILENCE", help="The silence's id.")],
    *,
    key: Key = "",
    url: Url = HERE,
    json: Json = False,
) -> None:
    """End a silence before its time: what waited for it is told now."""
    _notifier(url, key).ask("DELETE", f"/silences/{segment(id_)}")
    if json:
        print_json({"id": id_, "state": "ended"})
        return
    typer.echo(f"{id_}  ended")


def _line(item: dict[str, Any]) -> str:
    """One line about a silence."""
    named = [*item["filters"].values()]
    what = ", ".join(term for terms in named for term in terms) or "everything"
    whose = item["subscription"] or item["owner"] or "everybody"
    when = f"{item['begins'][:16]} to {item['ends'][:16]}"
    return "  ".join(
        [
            item["id"],
            item["state"],
            when,
            f"{what} for {whose}",
            f"{item['waiting']} wait",
            f"{item['author']}: {item['reason']}",
        ]
    )


def _end(text: str) -> dict[str, Any]:
    """An instant as it is given, or a length, which the notifier counts by its own clock."""
    minutes = {"m": 1, "h": 60, "d": 24 * 60}
    if text[:-1].isascii() and text[:-1].isdigit() and text[-1:] in minutes and len(text) < 7:
        return {"minutes": minutes[text[-1]] * int(text[:-1])}
    return {"ends": text}


def _notifier(url: str, key: str) -> CommandClient:
    from deploy.embedded.errors import EmbeddedError

    if not key:
        raise EmbeddedError(
            "no API key is given",
            "set PLEDGEWIRE_KEY or --key; `pledgewire keys add NAME --role operator` makes one",
            ASKED_WRONGLY,
        )
    return CommandClient("notifier", "NOTIFIER_URL", "--url", url, _explain, key)


def _explain(refusal: Refusal) -> tuple[str, str, int]:
    reasons = "; ".join(filter(None, (refusal.detail, *refusal.faults)))
    return (
        f"the notifier refuses ({refusal.status}): {refusal.title}",
        reasons or "see `pledgewire silence --help`",
        exit_status(refusal.status),
    )
