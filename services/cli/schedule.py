"""`pledgewire schedule`: when people are reminded and why, and by which ladders, over the scheduler's HTTP.

Exit statuses: 0 done, 1 failed, 2 asked wrongly, 3 not found.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from services.cli.service_client import (
    ASKED_WRONGLY,
    CommandClient,
    Explain,
    Refusal,
    exit_status,
    print_json,
)

schedule = typer.Typer(help="When people are reminded of what, and why then.", no_args_is_help=True)
ladder = typer.Typer(help="The ladder book: which reminders a milestone gets.", no_args_is_help=True)
schedule.add_typer(ladder, name="ladder")

Url = Annotated[str, typer.Option(envvar="SCHEDULER_URL", help="Where the scheduler answers.")]
Zone = Annotated[str | None, typer.Option(metavar="IANA", help="Your time zone, as America/Mexico_City.")]
Tongue = Annotated[str | None, typer.Option(metavar="CODE", help="A language by its code, such as fr.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of tables.")]
Key = Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key, for what a subscription asks for.")]
LOCAL = "http://127.0.0.1:8402"


@schedule.command("preview")
def preview_command(
    commitment: Annotated[str, typer.Argument(help="The commitment's id.")],
    *,
    subscription: Annotated[
        str | None, typer.Option(metavar="ID", help="As this subscription is reminded: by its ladder, in its zone.")
    ] = None,
    zone: Zone = None,
    language: Tongue = None,
    limit: Annotated[int, typer.Option(help="So many endless steps beyond what is planned.", min=0, max=100)] = 3,
    url: Url = LOCAL,
    notifier_url: Annotated[
        str | None, typer.Option(envvar="NOTIFIER_URL", help="Where a subscription's zone and language are asked for.")
    ] = None,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Show every instant of a commitment's milestones: told, passed, to come; and why it is then."""
    wanted = {"commitment": commitment, "limit": str(limit)} | _wishes(zone, language)
    if subscription is not None:
        wanted["subscription"] = _uuid(subscription)
        wanted |= _of_subscription(wanted, notifier_url, key)
    seen = _scheduler(url, key).ask("GET", "/schedule/preview", params=wanted)
    if json:
        print_json(seen)
        return
    from services.cli.schedule_tables import show_preview

    show_preview(seen)


@schedule.command("next")
def next_command(
    *,
    limit: Annotated[int, typer.Option(help="So many.", min=1, max=500)] = 20,
    commitment: Annotated[str | None, typer.Option(help="Only those of this commitment.")] = None,
    zone: Zone = None,
    url: Url = LOCAL,
    json: AsJson = False,
) -> None:
    """List the reminders that come next by the ladder book, in the order in which they are due."""
    wanted = {"limit": str(limit)} | ({"commitment": commitment} if commitment else {})
    known = _known_zone(zone) if zone else None
    found = _scheduler(url).ask("GET", "/reminders", params=wanted)
    if json:
        print_json({"items": found["items"]})
        return
    from services.cli.schedule_tables import show_next

    show_next(found["items"], known)
    rest = ", and more" if found["next_cursor"] else ""
    print(f"{len(found['items'])} to come{rest}", file=sys.stderr)


@schedule.command("explain")
def explain_command(
    reminder: Annotated[int, typer.Argument(help="The reminder's number, as `preview` and `next` show it.")],
    *,
    zone: Zone = None,
    language: Tongue = None,
    url: Url = LOCAL,
    key: Key = "",
    json: AsJson = False,
) -> None:
    """Say of one reminder what it is, why it is due then, what became of it, and what comes next."""
    found = _scheduler(url, key).ask("GET", f"/reminders/{reminder}/explanation", params=_wishes(zone, language))
    if json:
        print_json(found)
        return
    from services.cli.schedule_tables import show_explanation

    show_explanation(found)


@ladder.command("show")
def ladder_show(*, url: Url = LOCAL, json: AsJson = False) -> None:
    """Print the ladder book that holds, as it was written; `ladder apply` takes it back."""
    book = _scheduler(url).ask("GET", "/ladders")
    if json:
        print_json(book)
        return
    since = f"applied by {book['applied_by']} at {book['applied_at'][:16]}" if book["version"] else "as shipped"
    print(f"version {book['version']}, {since}", file=sys.stderr)
    typer.echo(book["text"], nl=not book["text"].endswith("\n"))


@ladder.command("apply")
def ladder_apply(
    file: Annotated[Path, typer.Argument(help="The ladder book, in YAML.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    key: Annotated[str | None, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role editor.")] = None,
    url: Url = LOCAL,
    json: AsJson = False,
) -> None:
    """Put a ladder book in place of the one that holds, and plan all that is to come by it."""
    from deploy.embedded.errors import EmbeddedError

    text = _book(file)
    if not key:
        raise EmbeddedError(
            "applying ladders takes an API key",
            "set PLEDGEWIRE_KEY or --key; `pledgewire keys add NAME --role editor` makes one",
            ASKED_WRONGLY,
        )
    if not yes:
        _ask_first(file, _scheduler(url).ask("GET", "/ladders")["version"])
    headers = {"Content-Type": "application/yaml"}
    done = _scheduler(url, key).ask("PUT", "/ladders", content=text.encode(), headers=headers, timeout=600)
    if json:
        print_json(done)
        return
    typer.echo(f"version {done['version']}, {done['milestones']} milestones planned anew")
    for what in ("added", "withdrawn", "moved", "passed"):
        typer.echo(f"{done[what]:>7} {what}")


def _book(file: Path) -> str:
    """The text of a ladder book that can be read; raises EmbeddedError with its line otherwise."""
    from deploy.embedded.errors import EmbeddedError
    from services.scheduler.ladders.book_reader import LadderBookError, read_ladder_book

    try:
        text = file.read_text(encoding="utf-8")
        read_ladder_book(text, file.name)
    except (OSError, UnicodeDecodeError) as error:
        raise EmbeddedError(f"{file} can't be read: {error}", "name a file with a ladder book", ASKED_WRONGLY) from None
    except LadderBookError as refused:
        raise EmbeddedError(
            str(refused), "`pledgewire schedule ladder show` shows how a book is written", ASKED_WRONGLY
        ) from None
    return text


def _ask_first(file: Path, version: int) -> None:
    from deploy.embedded.errors import EmbeddedError

    if not sys.stdin.isatty():
        raise EmbeddedError(
            f"{file} would replace version {version} of the ladder book, and nobody is here to be asked",
            "say --yes; `pledgewire rehearse --ladder FILE` shows beforehand what changes",
            ASKED_WRONGLY,
        )
    typer.confirm(
        f"Replace version {version} of the ladder book, and plan all that is to come anew?", abort=True, err=True
    )


def _wishes(zone: str | None, language: str | None) -> dict[str, str]:
    from deploy.embedded.errors import EmbeddedError
    from services.i18n.languages import languages_to_ask_for, written_as

    if language is not None and written_as(language) is None:
        there = ", ".join(languages_to_ask_for())
        raise EmbeddedError(f"{language!r} is no language that we write", f"use {there}", ASKED_WRONGLY)
    known = {"zone": _known_zone(zone)} if zone else {}
    return known | ({"language": language} if language else {})


def _known_zone(zone: str) -> str:
    from deploy.embedded.errors import EmbeddedError
    from services.plumbing.zones import UnknownZone, zone_named

    try:
        return zone_named(zone).key
    except UnknownZone as error:
        raise EmbeddedError(str(error), "write a zone as America/Mexico_City", ASKED_WRONGLY) from None


def _uuid(subscription: str) -> str:
    from uuid import UUID

    from deploy.embedded.errors import EmbeddedError

    try:
        return str(UUID(subscription))
    except ValueError:
        raise EmbeddedError(
            f"{subscription!r} is no subscription's id", "it is a UUID; every message links to its own", ASKED_WRONGLY
        ) from None


def _of_subscription(wanted: dict[str, str], notifier_url: str | None, key: str) -> dict[str, str]:
    """The zone and the language that a subscription has, as far as nobody asked for others."""
    if "zone" in wanted and "language" in wanted:
        return {}
    if notifier_url is None:
        print("its language, and its zone if it has no ladder, are not known: set NOTIFIER_URL", file=sys.stderr)
        return {}
    known = _notifier(notifier_url, key).ask("GET", f"/subscriptions/{wanted['subscription']}")
    return {name: known[name] for name in ("zone", "language") if name not in wanted}


def _scheduler(url: str, key: str | None = None) -> CommandClient:
    return CommandClient("scheduler", "SCHEDULER_URL", "its option", url, _explain("scheduler"), key)


def _notifier(url: str, key: str) -> CommandClient:
    return CommandClient("notifier", "NOTIFIER_URL", "its option", url, _explain("notifier"), key)


def _explain(service: str) -> Explain:
    def explain(refusal: Refusal) -> tuple[str, str, int]:
        status = exit_status(refusal.status)
        reasons = "; ".join(filter(None, (refusal.detail, *refusal.faults)))
        return (
            f"the {service} refuses ({refusal.status}): {refusal.title}",
            reasons or "`pledgewire schedule next` shows what there is",
            status,
        )

    return explain
