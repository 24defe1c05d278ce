"""An empty file of status updates, with the names of the columns."""

import csv
import io
from pathlib import Path

from services.cli.report.columns import COLUMNS
from services.cli.report.files import FileRefused
from services.plumbing.sentences import Sentence, Translate

_WIDE = {"note": 60, "commitment_id": 40, "evidence_url": 40, "evidence_title": 30}
"""Widths of columns, in characters; the others have 24."""


def write_template(path: Path, translate: Translate) -> None:
    """Write it in the form that the path's end names; raises `FileRefused` where there is something already."""
    match path.suffix.lower():
        case ".csv":
            content = _csv()
        case ".xlsx":
            content = _workbook(translate)
        case _:
            raise FileRefused(
                Sentence("%(path)s is none of the kinds that have a template", path=path),
                Sentence("give a file that ends in .csv or .xlsx"),
            )
    try:
        with path.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise FileRefused(
            Sentence("%(path)s can't be written: %(reason)s", path=path, reason=error.strerror),
            Sentence("give another path with --template"),
        ) from None


def _csv() -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(COLUMNS)
    return text.getvalue().encode("utf-8-sig")  # by the mark Excel knows that it is UTF-8


def _workbook(translate: Translate) -> bytes:
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    for place, (name, meaning) in enumerate(COLUMNS.items(), start=1):
        cell = sheet.cell(row=1, column=place, value=name)
        cell.font = Font(bold=True)
        cell.comment = Comment(meaning.said(translate), "Pledgewire")
        sheet.column_dimensions[get_column_letter(place)].width = _WIDE.get(name, 24)
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
