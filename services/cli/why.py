"""`pledgewire why`: why somebody was told of an event, or not, over the notifier's HTTP."""

from typing import Annotated

import typer

from services.cli.service_client import ASKED_WRONGLY, NOT_FOUND, CommandClient, Refusal, exit_status, print_json

HERE = "http://127.0.0.1:8000"
_USAGE = "pledgewire why [not] EVENT SUBSCRIPTION"


def why(
    about: Annotated[
        list[str],
        typer.Argument(metavar="[not] EVENT SUBSCRIPTION", help="Their ids, and `not` first or not."),
    ],
    *,
    lang: Annotated[str | None, typer.Option(help="In which language: en, es, fr.")] = None,
    key: Annotated[
        str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key of the subscription's owner, or an operator's.")
    ] = "",
    url: Annotated[str, typer.Option(envvar="NOTIFIER_URL", help="Where the notifier answers.")] = HERE,
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Say what became of an event for a subscription, and which rule decided; `why not` asks the same."""
    from deploy.embedded.errors import EmbeddedError

    ids = about[1:] if about[0] == "not" else about
    if len(ids) != 2:
        raise EmbeddedError("two ids are needed: the event's and the subscription's", f"write {_USAGE}", ASKED_WRONGLY)
    if not key:
        raise EmbeddedError("no API key is given", "set PLEDGEWIRE_KEY or --key", ASKED_WRONGLY)
    client = CommandClient("notifier", "NOTIFIER_URL", "--url", url, _explained, key)
    event, subscription = ids
    receipt = client.ask(
        "GET", "/receipts", params={"event": event, "subscription": subscription} | ({"lang": lang} if lang else {})
    )
    if json:
        print_json(receipt)
    else:
        rule = receipt["rule"] or "at-once"
        typer.echo(f"{receipt['event']} → {receipt['subscriber']} ({receipt['channel']}): {receipt['outcome']}, {rule}")
        typer.echo(receipt["text"])


def _explained(refusal: Refusal) -> tuple[str, str, int]:
    if refusal.status == 404:
        return (
            "there is no such event or subscription",
            "look both up: GET /deliveries and GET /subscriptions of the notifier",
            NOT_FOUND,
        )
    what = "; ".join(filter(None, (refusal.title, refusal.detail, *refusal.faults)))
    return what, f"write {_USAGE}", exit_status(refusal.status)
