"""Reading files of status updates: comma- or semicolon-separated values, JSON lines, or a workbook."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from services.cli.report.columns import COLUMNS, NEEDED, FileRow, RowRefused, unknown_columns
from services.cli.report.workbook import read_workbook
from services.plumbing.sentences import Sentence, sentence_of
from services.plumbing.strict_json import JsonRefused, read_json

LARGEST_FILE = 20 * 1024 * 1024
"""Bytes."""
MOST_ROWS = 20_000
_LONGEST_LINE = 64 * 1024
_BOM = b"\xef\xbb\xbf"


class FileRefused(Exception):
    """A file that can't be read as a whole: what is wrong, and how to mend it."""

    def __init__(self, what: Sentence, how: Sentence) -> None:
        super().__init__(what)
        self.what, self.how = what, how


def read_file(path: Path) -> list[FileRow]:
    """All rows of a file, in their order, empty ones left out; raises `FileRefused`."""
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= LARGEST_FILE else b""
    except OSError as error:
        raise FileRefused(
            Sentence("%(path)s can't be read: %(reason)s", path=path, reason=error.strerror),
            Sentence("give the path of a file with --file"),
        ) from None
    if size > LARGEST_FILE:
        raise FileRefused(
            Sentence("%(path)s is larger than %(most)s MB", path=path, most=LARGEST_FILE // 1024**2),
            Sentence("cut it into several files"),
        )
    match path.suffix.lower():
        case ".csv":
            rows = _csv(content)
        case ".jsonl" | ".ndjson":
            rows = _json_lines(content)
        case ".xlsx":
            rows = _sheet(content)
        case _:
            raise FileRefused(
                Sentence("%(path)s is none of the kinds that are read", path=path),
                Sentence("give a file that ends in .csv, .jsonl or .xlsx"),
            )
    found = []
    for row in rows:
        found.append(row)
        if len(found) > MOST_ROWS:
            raise FileRefused(
                Sentence("there are more than %(most)s rows in it", most=MOST_ROWS),
                Sentence("cut it into several files"),
            )
    return found


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, with or without a byte order mark; raises `FileRefused` that names the line."""
    try:
        return content.removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            wrong = Sentence("the file is in UTF-16, and UTF-8 is read")
        else:
            line = content.count(b"\n", 0, error.start) + 1
            wrong = Sentence(
                "the file is not in UTF-8: line %(line)s has a character as Latin-1 or Windows-1252 write it", line=line
            )
        raise FileRefused(
            wrong, Sentence("save it as “CSV UTF-8”, or convert it: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW")
        ) from None


def _csv(content: bytes) -> Iterator[FileRow]:
    text = decoded(content)
    first, _, rest = text.partition("\n")
    skipped = 0
    delimiter = None
    if first.strip().lower().startswith("sep=") and len(first.strip()) == 5:
        text, skipped, delimiter = rest, 1, first.strip()[4]
    head = text.lstrip("\r\n").partition("\n")[0]
    delimiter = delimiter or max(",;\t", key=head.count)
    csv.field_size_limit(_LONGEST_LINE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    try:
        for values in reader:
            number = reader.line_num + skipped
            if not any(value.strip() for value in values):
                continue
            if names is None:
                names = header(values)
                continue
            yield _row(number, names, values)
    except csv.Error as error:
        raise FileRefused(
            Sentence("line %(line)s is not to be read as separated values", line=reader.line_num + skipped),
            Sentence("put a text that holds quotes, separators or line ends into quotes, and double the quotes in it"),
        ) from error
    if names is None:
        header([])


def header(values: Sequence[Any]) -> list[str]:
    """The names of columns as a file has them; raises `FileRefused` for one that is not known, twice or missing."""
    names = ["" if value is None else str(value).strip().lower() for value in values]
    known = Sentence("the columns are %(columns)s", columns=", ".join(COLUMNS))
    if strange := unknown_columns(names):
        raise FileRefused(Sentence("there is no column %(name)s", name=repr(strange[0][:60])), known)
    if twice := next((name for name in names if name and names.count(name) > 1), None):
        raise FileRefused(Sentence("the column %(name)s is there twice", name=twice), known)
    if missing := [name for name in NEEDED if name not in names]:
        raise FileRefused(Sentence("the column %(name)s is missing", name=missing[0]), known)
    return names


def _row(number: int, names: Sequence[str], values: Sequence[Any]) -> FileRow:
    if any(value not in (None, "") for value in values[len(names) :]):
        return FileRow(number, refused=RowRefused(Sentence("the row has more cells than there are columns")))
    cells = {
        name: value
        for name, value in zip(names, values, strict=False)
        if name and value is not None and str(value).strip()
    }
    return FileRow(number, cells)


def _json_lines(content: bytes) -> Iterator[FileRow]:
    decoded(content)
    for number, line in enumerate(content.removeprefix(_BOM).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            value = read_json(line.strip()) if len(line) <= _LONGEST_LINE else None
        except JsonRefused as refused:
            yield FileRow(number, refused=RowRefused(sentence_of(refused)))
            continue
        yield _object(number, value)


def _object(number: int, value: Any) -> FileRow:
    if not isinstance(value, dict):
        return FileRow(number, refused=RowRefused(Sentence("An object with members is asked for")))
    cells = dict(value)
    evidence = cells.pop("evidence", None)
    if isinstance(evidence, dict):
        cells |= {f"evidence_{name}": part for name, part in evidence.items()}
    elif evidence is not None:
        return FileRow(number, refused=RowRefused(Sentence("An object with members is asked for"), "evidence"))
    if strange := unknown_columns([str(name) for name in cells]):
        return FileRow(number, refused=RowRefused(Sentence("Nothing of this name is asked for here"), strange[0][:60]))
    if wrong := next((name for name, part in cells.items() if isinstance(part, dict | list | bool)), None):
        return FileRow(number, refused=RowRefused(Sentence("A text is asked for"), wrong))
    return FileRow(number, {name: part for name, part in cells.items() if part is not None})


def _sheet(content: bytes) -> Iterator[FileRow]:
    names: list[str] | None = None
    for number, values, formula in read_workbook(content, MOST_ROWS, FileRefused):
        if names is None:
            names = header(values)
        elif formula is not None:
            name = names[formula] if formula < len(names) else ""
            why = Sentence("a formula stands here that has no value: save the workbook in its program, or paste values")
            yield FileRow(number, refused=RowRefused(why, name))
        else:
            yield _row(number, names, values)
    if names is None:
        header([])
