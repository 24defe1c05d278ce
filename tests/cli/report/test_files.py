"""Files as people keep them are read row by row; what can't be is named, with the way to mend it."""

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from services.cli.report import files, workbook
from services.cli.report.columns import COLUMNS, RowRefused, report_of
from services.cli.report.files import FileRefused, read_file
from services.cli.report.template import write_template

HEAD = ["commitment_id", "status", "note", "evidence_url"]
ROW = {"commitment_id": "nals-2021-coal-finance", "status": "at-risk", "note": "Señal “débil”; y más, más"}


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def separated(delimiter: str, rows: list[list[str]] | None = None) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows([HEAD, *(rows or [[*ROW.values(), ""]])])
    return text.getvalue()


def sheet(folder: Path, *rows: list[object], name: str = "updates.xlsx") -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / name)
    return folder / name


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_lists_of_every_locale_say_the_same(tmp_path: Path, delimiter: str, encoding: str) -> None:
    (row,) = read_file(written(tmp_path, "updates.csv", separated(delimiter).encode(encoding)))

    assert (row.cells, row.refused) == (ROW, None)
    assert row.number == 2


def test_every_kind_of_file_makes_the_same_report(tmp_path: Path) -> None:
    """So a list that was saved as another kind is not recorded twice."""
    evidence = {"url": "https://example.org/a", "title": "A", "retrieved_on": "2022-03-01"}
    flat = {**ROW, "evidence_url": evidence["url"], "evidence_title": "A", "evidence_retrieved_on": date(2022, 3, 1)}
    table = [list(flat), [str(value) for value in flat.values()]]
    text = io.StringIO()
    csv.writer(text).writerows(table)
    made = [
        read_file(written(tmp_path, "a.csv", text.getvalue().encode())),
        read_file(written(tmp_path, "a.jsonl", json.dumps({**ROW, "evidence": evidence}).encode() + b"\n")),
        read_file(sheet(tmp_path, list(flat), list(flat.values()))),
    ]

    reports = [report_of(row.cells, None) for (row,) in made]
    assert reports[0] == reports[1] == reports[2]
    assert reports[0]["evidence"] == evidence


def test_excels_own_line_about_the_separator_is_no_row(tmp_path: Path) -> None:
    (row,) = read_file(written(tmp_path, "u.csv", b"sep=;\r\n" + separated(";").encode()))

    assert (row.number, row.cells) == (3, ROW)


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("u.csv", separated(";").encode("cp1252"), "line 2 has a character as Latin-1"),
        ("u.csv", separated(";").encode("utf-16"), "UTF-16"),
        ("u.csv", b"commitment_id,status,colour\n", "no column 'colour'"),
        ("u.csv", b"commitment_id,status,status\n", "status is there twice"),
        ("u.csv", b"commitment_id\n", "status is missing"),
        ("u.csv", b"", "commitment_id is missing"),
        ("u.csv", b'commitment_id,status\n"a"b,c\n', "line 2"),
        ("u.xlsx", b"PK\x03\x04 nothing", "no workbook"),
        ("u.xls", b"", "none of the kinds"),
    ],
)
def test_a_file_that_can_not_be_read_is_told_apart(tmp_path: Path, name: str, content: bytes, what: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(written(tmp_path, name, content))

    assert what in refused.value.what
    assert refused.value.how


def test_a_row_that_can_not_be_read_holds_up_no_other(tmp_path: Path) -> None:
    lines = [json.dumps(ROW), "{", "[]", '{"colour": 1}', '{"note": {}}', '{"status": "a", "status": "b"}', ""]
    rows = read_file(written(tmp_path, "u.jsonl", "\n".join(lines).encode()))

    assert [row.number for row in rows if row.refused] == [2, 3, 4, 5, 6]
    (too_wide,) = read_file(written(tmp_path, "u.csv", b"commitment_id,status\na,b,c\n"))
    assert too_wide.refused


def test_cells_of_a_workbook_are_read_as_what_they_are(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        ["Commitment_ID ", "status", "note", "evidence_retrieved_on", "expected_version", "occurred_at"],
        [],
        ["a", "met", 12.0, datetime(2022, 3, 1), 3, datetime(2022, 3, 1, 9)],  # noqa: DTZ001  as a sheet has it
    )
    (row,) = read_file(path)

    assert row.number == 3
    report = report_of(row.cells, ZoneInfo("America/Mexico_City"))
    assert report | {"report_id": None} == {
        "report_id": None,
        "commitment_id": "a",
        "status": "met",
        "note": "12",
        "evidence": {"retrieved_on": "2022-03-01"},
        "expected_version": 3,
        "occurred_at": "2022-03-01T09:00:00-06:00",
    }
    with pytest.raises(RowRefused, match="no offset"):
        report_of(row.cells, None)


def test_a_formula_counts_with_its_value_and_is_refused_without_one(tmp_path: Path) -> None:
    """A program that has never opened the workbook has left no value, and an empty cell would be a lie."""
    (row,) = read_file(sheet(tmp_path, ["commitment_id", "status"], ["a", '="me"&"t"']))

    assert row.refused
    assert row.refused.column == "status"


def test_a_workbook_that_is_huge_unpacked_is_refused_before_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1024 * 1024)
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet1.xml", b" " * (2 * 1024 * 1024))

    with pytest.raises(FileRefused, match="larger than"):
        read_file(path)
    monkeypatch.setattr(files, "MOST_ROWS", 1)
    with pytest.raises(FileRefused, match="more than 1 rows"):
        read_file(sheet(tmp_path, ["commitment_id", "status"], ["a", "b"], ["c", "d"]))


@pytest.mark.parametrize("name", ["new.csv", "new.xlsx"])
def test_a_template_has_the_columns_and_is_read_as_empty(tmp_path: Path, name: str) -> None:
    write_template(tmp_path / name, str)

    assert read_file(tmp_path / name) == []
    with pytest.raises(FileRefused):
        write_template(tmp_path / name, str)
    if name.endswith(".xlsx"):
        cells = load_workbook(tmp_path / name).active[1]
        assert [cell.value for cell in cells] == list(COLUMNS)
        assert all(cell.comment for cell in cells)


CELLS = st.fixed_dictionaries(
    {"commitment_id": st.just("a"), "status": st.just("met")},
    optional={
        "note": st.text(min_size=1, max_size=20).filter(str.strip),
        "expected_version": st.integers(1, 99),
        "reported_at": st.datetimes(timezones=st.just(UTC)),
    },
)


@given(CELLS, st.randoms())
def test_the_same_content_has_the_same_id_in_any_order(cells: dict[str, object], random: object) -> None:
    shuffled = dict(sorted(cells.items(), key=lambda _: random.random()))  # type: ignore[attr-defined]  # a Random

    assert report_of(cells, None)["report_id"] == report_of(shuffled, None)["report_id"]
    changed = report_of({**cells, "note": f"{cells.get('note', '')}x"}, None)
    assert changed["report_id"] != report_of(cells, None)["report_id"]
