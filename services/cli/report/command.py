"""`pledgewire report`: status updates from a file, each row once, however often it is sent.

Exit statuses: 0 all recorded, 1 some refused, 2 it could not be done.
"""

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.service_client import ASKED_WRONGLY, FAILED, print_json

if TYPE_CHECKING:
    from services.cli.report.columns import FileRow
    from services.cli.report.sending import GroupPoster, NumberedReport, Registry
    from services.plumbing.sentences import Translate

SOME_REFUSED = FAILED


def report(
    *,
    file: Annotated[
        Path | None, typer.Option("--file", metavar="FILE", help="The updates: .csv, .jsonl or .xlsx, a row for each.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would become of each row; record none.")] = False,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the results go; NAME.results.jsonl beside the file.")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(metavar="IANA", help="Where times without an offset are, as America/Mexico_City.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write an empty .csv or .xlsx with the columns, and end.")
    ] = None,
    language: Annotated[str | None, typer.Option(metavar="CODE", help="A language by its code, such as fr.")] = None,
    url: Annotated[str, typer.Option(envvar="REGISTRY_URL", help="Where the registry answers.")] = (
        "http://127.0.0.1:8401"
    ),
    key: Annotated[str, typer.Option(envvar="PLEDGEWIRE_KEY", help="An API key with the role reporter.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON document instead of lines.")] = False,
) -> None:
    """Report status updates from a file: run again, it goes on where it was, and records nothing twice."""
    from rich.console import Console

    from deploy.embedded.errors import EmbeddedError
    from services.cli.report.files import FileRefused
    from services.cli.report.sending import Registry
    from services.cli.report.showing import show
    from services.cli.report.template import write_template
    from services.cli.texts import terminal_language
    from services.i18n.words import words_in

    tongue = terminal_language(language)
    translate = words_in(tongue).catalogue.gettext
    try:
        if template is not None:
            write_template(template, translate)
            return
        if file is None:
            raise EmbeddedError("no file is given", "--file names the updates; --template writes one", ASKED_WRONGLY)
        order = Order(file, results, zone, is_dry_run=dry_run)
        found = send_file(order, Registry(url, key, tongue, is_dry_run=dry_run), translate)
    except FileRefused as refused:
        raise EmbeddedError(refused.what.said(translate), refused.how.said(translate), ASKED_WRONGLY) from refused
    if json:
        print_json({"dry_run": dry_run, "items": found})
    else:
        show(Console(soft_wrap=True, highlight=False), found, translate, is_dry_run=dry_run)
    if any(line["result"] == "refused" for line in found):
        raise typer.Exit(SOME_REFUSED)


@dataclass(frozen=True)
class Order:
    """Which file is sent, where its results go, and where times without an offset are."""

    file: Path
    results: Path | None
    zone: str | None
    is_dry_run: bool


def send_file(order: Order, registry: "Registry", translate: "Translate") -> list[dict[str, Any]]:
    """Send the rows of a file; the result of each, in their order.

    Those that were recorded before are not sent again. Raises `FileRefused`, and EmbeddedError where the registry
    takes nothing: then the same command goes on later.
    """
    from rich.console import Console

    from services.cli.report.files import read_file
    from services.cli.report.results import DONE, Results, results_path
    from services.cli.report.sending import GroupPoster, groups
    from services.cli.report.showing import progress_of

    reports, lines = _reports(read_file(order.file), order.zone, translate)
    with contextlib.ExitStack() as stack:
        before: dict[str, Any] = {}
        results = None
        if not order.is_dry_run:
            results = stack.enter_context(Results(order.results or results_path(order.file)))
            results.add(lines)
            before = {id_: line for id_, line in results.known.items() if line.get("result") in DONE}
        waiting = []
        for one in reports:
            if (known := before.get(one.report["report_id"])) is None:
                waiting.append(one)
            else:
                lines.append({**known, "row": one.row, "result": "known"})
        advance = stack.enter_context(progress_of(Console(stderr=True), len(waiting), translate))
        poster = GroupPoster(stack.enter_context(registry).post)
        for group in groups(waiting):
            answered = _sent(poster, group)
            if results is not None:
                results.add(answered)
            lines += answered
            advance(len(group))
    return sorted(lines, key=lambda line: line["row"])


def _reports(
    rows: "list[FileRow]", zone: str | None, translate: "Translate"
) -> "tuple[list[NumberedReport], list[dict[str, Any]]]":
    """The rows that can be sent, and the results of those that can't."""
    from services.cli.report.columns import RowRefused, report_of
    from services.cli.report.sending import NumberedReport, refused_line

    place = _zone(zone)
    reports, refused = [], []
    for row in rows:
        try:
            if row.refused is not None:
                raise row.refused
            reports.append(NumberedReport(row.number, report_of(row.cells, place)))
        except RowRefused as fault:
            refused.append(refused_line(row, fault, translate))
    return reports, refused


def _zone(name: str | None) -> Any:
    from deploy.embedded.errors import EmbeddedError
    from services.plumbing.zones import is_zone, zone_named

    if name is None:
        return None
    if not is_zone(name):
        raise EmbeddedError(f"{name!r} is no zone", "write one as America/Mexico_City", ASKED_WRONGLY)
    return zone_named(name)


def _sent(poster: "GroupPoster", group: "list[NumberedReport]") -> list[dict[str, Any]]:
    from deploy.embedded.errors import EmbeddedError
    from services.cli.report.sending import NoAnswer, NotTaken

    try:
        return poster.send(group)
    except NotTaken as error:
        how = "use a key with the role reporter: PLEDGEWIRE_KEY or --key" if error.status in (401, 403) else error.how
        raise EmbeddedError(str(error), how, ASKED_WRONGLY) from error
    except NoAnswer as error:
        raise EmbeddedError(
            f"the registry does not answer: {error}",
            "set REGISTRY_URL or --url, and run the same again: it goes on where it was",
            ASKED_WRONGLY,
        ) from error
