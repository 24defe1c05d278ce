"""`pledgewire wordings`: how time words are read, without a server."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.embedded.errors import EmbeddedError
from services.cli.service_client import ASKED_WRONGLY
from services.cli.written_dates import read_day

if TYPE_CHECKING:
    from contracts.vocabulary import LanguageTag
    from services.registry.wordings import ReadingPolicy, Wording

NO_DATE = 4
"""The exit status where the words are read and hold neither a day, an event nor a rhythm."""

wordings = typer.Typer(help="Deadlines as they are written.", no_args_is_help=True)


@wordings.callback()
def _nouns() -> None:
    """Deadlines as they are written."""


@wordings.command("read")
def wordings_read(
    wording: Annotated[str, typer.Argument(help='The time expression, such as "by 2030".')],
    made_on: Annotated[str, typer.Option(metavar="DAY", help="The day of the statement that holds it.")],
    language: Annotated[str, typer.Option(metavar="CODE", help="A language by its code, such as fr.")] = "en",
    policy: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE=CHOICE", help="Another choice than the default's; may be repeated."),
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")] = False,
) -> None:
    """Say which days a time expression means, by which rule, and what else it could mean.

    Ends with 4, and says "no date", where the words hold none.

    Rules: deadline=end-of-span|start-of-span, parts=thirds|whole, coming=nearest|next-year,
    numeric_dates=by-language|day-month|month-day, fiscal=US|CA|MX, hemisphere=north|south.
    """
    from pydantic import TypeAdapter

    from services.registry.wordings import Wording, read

    if not wording.strip():
        raise EmbeddedError("there are no words to read", 'give them as one argument, such as "by 2030"', ASKED_WRONGLY)
    found = read(wording, _language(language), read_day(made_on), _policy(policy or []))
    if as_json:
        typer.echo(TypeAdapter(Wording).dump_json(found).decode())
    else:
        for name, said in _rows(found):
            typer.echo(f"{name:<12}{said}")
    if found.edtf is None and found.anchor is None and not found.review_months:
        raise typer.Exit(NO_DATE)


def _rows(found: "Wording") -> list[tuple[str, str]]:
    """What a reading says, one thing a line; what there is not has no line."""
    rows = [("words", found.expression or "no words of time")]
    rows.append(("date", _days(found.edtf, found.earliest, found.latest) if found.edtf else "no date"))
    rows.append(("modality", f"{found.modality}, read as {found.reading}"))
    if found.edtf is not None:
        rows.append(("precision", str(found.precision)))
    if found.review_months:
        rows.append(("review", f"every {found.review_months} months"))
    if found.anchor:
        offset = found.anchor.offset
        how_far = f", {offset.count} {offset.unit} {offset.direction}" if offset else ""
        rows.append(("anchor", f"{found.anchor.name or found.anchor.kind}{how_far}"))
    rows.append(("rule", ", ".join(found.rules)))
    if not found.settled:
        rows.append(("unsettled", "no rule of the policy chooses between these"))
    for one in found.alternatives:
        days = f"{_days(one.edtf, one.earliest, one.latest)} " if one.edtf else ""
        rows.append(("or", f"{days}by {one.rule}: {one.why}"))
    return rows


def _days(edtf: str, earliest: date | None, latest: date | None) -> str:
    return f"{edtf} ({earliest} to {latest})" if latest else f"{edtf} (from {earliest} on)"


def _language(text: str) -> "LanguageTag":
    from services.registry.wordings import LEXICONS, lexicon_for

    if lexicon_for(text) is None:
        raise EmbeddedError(f"{text!r} is no language that we read", f"use {', '.join(LEXICONS)}", ASKED_WRONGLY)
    return text


def _policy(choices: list[str]) -> "ReadingPolicy":
    from pydantic import ValidationError

    from services.registry.wordings import ReadingPolicy

    rules = ", ".join(ReadingPolicy.model_fields)
    given = dict(choice.partition("=")[::2] for choice in choices)
    try:
        return ReadingPolicy.model_validate(given, strict=False)
    except ValidationError as error:
        first = error.errors()[0]
        rule = ".".join(str(part) for part in first["loc"])
        raise EmbeddedError(
            f"{rule}={given.get(rule, '')}: {first['msg']}", f"choose for one of {rules}", ASKED_WRONGLY
        ) from None
