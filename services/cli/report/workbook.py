"""The first sheet of a workbook (Office Open XML), read under bounds: what is small and packed may be huge unpacked."""

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

from services.plumbing.sentences import Sentence

MOST_UNPACKED = 100 * 1024 * 1024
"""Bytes of all parts of the workbook together."""
MOST_PARTS = 2_000
MOST_COLUMNS = 64
_BLANK_ROWS = 1_000
"""So many empty rows end the sheet: it may be formatted to its last row, of which there are a million."""

Refuse = Callable[[Sentence, Sentence], Exception]


def read_workbook(content: bytes, most_rows: int, refuse: Refuse) -> Iterator[tuple[int, list[Any], int | None]]:
    """The rows of the first sheet that have anything in them: number, values, and the place of a formula without one.

    A formula counts with the value that its program has kept. Raises what `refuse` makes for what is no workbook, or
    more than is read.
    """
    _check_size(content, refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of styles and extensions that don't matter here
        try:
            from openpyxl import load_workbook

            values = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            formulas = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
            bounds = {"max_row": most_rows + _BLANK_ROWS, "max_col": MOST_COLUMNS}
            sheets = [book.worksheets[0] for book in (values, formulas)]
            for sheet in sheets:
                sheet.reset_dimensions()  # what the file says of its size may be wrong
            pairs = zip(*(sheet.iter_rows(**bounds) for sheet in sheets), strict=True)
            yield from _rows(pairs)
        except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError, EOFError, SyntaxError) as error:
            # SyntaxError: the XML parser's own error is one.
            raise _no_workbook(refuse) from error


def _rows(pairs: Iterator[tuple[Any, Any]]) -> Iterator[tuple[int, list[Any], int | None]]:
    blank = 0
    for number, (cells, written) in enumerate(pairs, start=1):
        found = [cell.value for cell in cells]
        formula = next(
            (
                place
                for place, (cell, source) in enumerate(zip(cells, written, strict=False))
                if cell.value is None and source.value is not None
            ),
            None,
        )
        while found and found[-1] in (None, ""):
            found.pop()
        if found or formula is not None:
            blank = 0
            yield number, found, formula
        elif (blank := blank + 1) >= _BLANK_ROWS:
            return


def _check_size(content: bytes, refuse: Refuse) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
                raise refuse(
                    Sentence("the workbook is larger than %(most)s MB unpacked", most=MOST_UNPACKED // 1024**2),
                    Sentence("copy the rows into a new workbook, or save them as CSV UTF-8"),
                )
            # What the directory says of a part's size may be a lie: unpack it once, and count.
            total = 0
            for part in parts:
                with packed.open(part) as file:
                    while chunk := file.read(1024 * 1024):
                        total += len(chunk)
                        if total > MOST_UNPACKED:
                            raise zipfile.BadZipFile("more than its directory says")
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError, zlib.error) as error:
        raise _no_workbook(refuse) from error


def _no_workbook(refuse: Refuse) -> Exception:
    return refuse(
        Sentence("the file is no workbook that can be read"),
        Sentence("save it as .xlsx without a password, or as CSV UTF-8"),
    )
