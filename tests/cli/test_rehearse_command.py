"""`pledgewire rehearse` without a database: what it prints, draws and refuses."""

import json
import re
from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console
from typer.testing import CliRunner

from contracts.vocabulary import Text
from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.cli.rehearse.command import RehearsalOptions, run_rehearsal
from services.cli.rehearse.picture import MOST_LANES, draw
from services.cli.rehearse.rehearsal import Rehearsal, busiest_day, by_month
from services.cli.rehearse.report import MOST_ROWS, show
from services.cli.rehearse.watching import watching
from services.scheduler.ladders.book_reader import DEFAULT_BOOK, read_ladder_book
from services.scheduler.reminders.rules.agenda import Agenda, MilestoneSchedule, PlanningRules, agenda_after, replanned
from services.scheduler.reminders.rules.simulation import compare_simulations, simulate
from tests.scheduler.scenes import NINE_SHARP, milestone, scheduled, utc

OTHERS = """
ladders:
  - name: all
    rungs: [before-2w, before-3bd, {step: before-1d, at: "17:00"}, on-the-day]
"""
SVG = "{http://www.w3.org/2000/svg}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)


@pytest.fixture
def ladders(tmp_path: Path) -> Path:
    file = tmp_path / "others.yaml"
    file.write_text(OTHERS)
    return file


def outcome_of(commitments: int, title: str = "A promise") -> Rehearsal:
    """So many commitments with a deadline each, on 30 June 2026, by the shipped ladders and by others."""
    start, end, others = utc(2026, 1, 1), utc(2027, 1, 1), PlanningRules(read_ladder_book(OTHERS))
    today = PlanningRules(NINE_SHARP)
    agendas = []
    for number in range(commitments):
        event = scheduled(milestone(date(2026, 6, 30), id_=f"deadline-{number}"), id_=f"commitment-{number}")
        words = Text(en=title, es=title, fr=title)
        event = event.model_copy(update={"commitment": event.commitment.model_copy(update={"title": words})})
        agendas.append(agenda_after(Agenda(), event, start, rules=today))
    before = simulate(agendas, today, start, end)
    after = simulate([replanned(agenda, start, others) for agenda in agendas], others, start, end)
    schedules: dict[str, MilestoneSchedule] = {
        name: one for agenda in agendas for name, one in agenda.schedules.items()
    }
    return Rehearsal(
        start,
        end,
        start,
        "a test",
        "today's",
        "others.yaml",
        before,
        after,
        compare_simulations(before, after),
        schedules,
    )


def printed(outcome: Rehearsal, width: int = 100) -> str:
    console = Console(width=width, file=StringIO())
    with console.capture() as seen:
        show(outcome, console)
    return seen.get()


# The command


def test_the_built_in_statement_is_rehearsed_where_there_is_no_database(
    ladders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_rehearsal(RehearsalOptions(date(2026, 1, 1), date(2031, 1, 1), ladders))

    out, err = capsys.readouterr()
    assert "No DATABASE_URL: rehearsing on the built-in statement of 2021-11-18" in " ".join(err.split())
    assert re.fullmatch(
        r"\d+ reminders by today's plan, \d+ rehearsed: \d+ added, \d+ removed, \d+ moved, \d+ unchanged",
        out.splitlines()[0],
    )
    assert "What would be told otherwise" in out


def test_the_same_ladders_change_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "same.yaml"
    file.write_text(DEFAULT_BOOK.text)

    run_rehearsal(RehearsalOptions(date(2021, 11, 18), date(2024, 1, 1), file))

    assert "Nothing would be told otherwise." in capsys.readouterr().out


def test_a_document_has_all_differences_and_counts_them(ladders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_rehearsal(RehearsalOptions(date(2021, 11, 18), date(2024, 1, 1), ladders, as_json=True))

    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    summary = document["summary"]
    assert summary["before"] == summary["removed"] + summary["moved"] + summary["unchanged"]
    assert summary["after"] == summary["added"] + summary["moved"] + summary["unchanged"]
    assert [summary[name] for name in ("added", "removed", "moved")] == [
        len(document[name]) for name in ("added", "removed", "moved")
    ]
    assert summary["before"] == sum(month["before"] for month in document["months"])
    assert summary["after"] == sum(phase["after"] for phase in summary["phases"].values())
    assert {one["step"] for one in document["added"]} == {"before-2w", "before-3bd"}


def test_only_what_is_told_in_the_period_counts(ladders: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_rehearsal(RehearsalOptions(date(2021, 12, 8), date(2021, 12, 10), ladders, now=utc(2021, 11, 18), as_json=True))

    document = json.loads(capsys.readouterr().out)
    assert (document["added"], document["removed"]) == ([], [])
    moved = {one["step"]: (one["was"]["at"][:13], one["at"][:13]) for one in document["moved"]}
    assert moved == {
        "before-1d": ("2021-12-08T15", "2021-12-08T23"),
        "on-the-day": ("2021-12-09T15", "2021-12-09T15"),  # without the shipped book's jitter
    }


def test_business_days_are_counted_by_other_calendars_without_another_ladder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 31 December 2021 back, Christmas lies behind by any calendar; 24 December only by the federal US one."""
    file = tmp_path / "business.yaml"
    file.write_text("ladders: [{name: all, rungs: [before-5bd]}]")
    found = {}
    for holidays in (None, "MX"):
        run_rehearsal(RehearsalOptions(date(2021, 11, 18), date(2022, 1, 1), file, holidays, as_json=True))
        found[holidays] = {
            one["at"][:10] for one in json.loads(capsys.readouterr().out)["added"] if "coal" in one["milestone_id"]
        }

    assert found == {None: {"2021-12-21"}, "MX": {"2021-12-24"}}


def test_the_options_are_read_as_they_are_written(ladders: Path, tmp_path: Path) -> None:
    svg = tmp_path / "picture.svg"
    command = ["rehearse", "--from", "2021-11-18", "--to", "2022-11-18", "--ladder", str(ladders), "--json"]

    done = CliRunner().invoke(
        app, [*command, "--holidays", "CA-QC,MX", "--svg", str(svg), "--now", "2021-11-18T00:00:00Z"]
    )

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rehearsed"] == "others.yaml, business days of CA-QC,MX"
    assert svg.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        ({"end": date(2026, 1, 1)}, "the period from 2026-01-01 to 2026-01-01 ends before it begins"),
        ({"now": utc(2026, 3, 1)}, "the period begins on 2026-01-01, before the 2026-03-01 00:00 UTC of --now"),
        ({"now": utc(2031, 1, 1)}, "the period ends on 2031-01-01, and it is 2031-01-01 00:00 UTC already"),
        ({"ladder": Path("/nowhere/ladders.yaml")}, "can't read /nowhere/ladders.yaml: No such file or directory"),
        ({"ladder": None}, "there is nothing to rehearse"),
        ({"holidays": "CA-XX"}, "'CA-XX' is no part of CA that has holidays of its own"),
        ({"holidays": "US,"}, "'' names no holidays; there are those of countries, by their ISO 3166-1 codes"),
        ({"svg": Path("/nowhere/picture.svg")}, "can't write /nowhere/picture.svg: No such file or directory"),
    ],
)
def test_what_can_not_be_rehearsed_is_said_in_two_lines(ladders: Path, wishes: dict[str, Any], what: str) -> None:
    asked = {"first": date(2026, 1, 1), "end": date(2031, 1, 1), "ladder": ladders} | wishes

    with pytest.raises(EmbeddedError) as refused:
        run_rehearsal(RehearsalOptions(**asked))

    error, help_ = str(refused.value).splitlines()
    assert error == f"error: {what}"
    assert help_.startswith("help: ")


def test_a_ladder_file_that_is_none_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "ladders.yaml"
    file.write_text("ladders:\n  - name: all\n    rungs: [before-7x]\n")

    with pytest.raises(EmbeddedError, match=rf"{file}, line 3: ladders\[0\]\.rungs\[0\]: 'before-7x' names no step"):
        run_rehearsal(RehearsalOptions(date(2026, 1, 1), date(2031, 1, 1), file))


# The tables


def test_the_tables_say_what_changes() -> None:
    lines = printed(outcome_of(1)).splitlines()

    assert lines[0] == "13 reminders by today's plan, 4 rehearsed: 2 added, 11 removed, 1 moved, 1 unchanged"
    assert next(line.split()[:6] for line in lines if "before-3bd" in line) == [
        "+", "2026-06-25", "09:00", "CST", "before-3bd", "5",
    ]  # fmt: skip
    moved = next(number for number, line in enumerate(lines) if line.startswith(" ~"))
    assert lines[moved].split()[1:3] == ["2026-06-29", "17:00"]
    assert lines[moved + 1].split() == ["was", "2026-06-29", "09:00"]


def test_a_long_list_is_cut_and_says_so() -> None:
    outcome = outcome_of(10)

    text = printed(outcome)

    assert f"and {len(outcome.changes) - MOST_ROWS} more; --json has all" in text
    assert text.count("before-2w") + text.count("before-90d") == 20


def test_months_and_the_busiest_day_are_counted() -> None:
    outcome = outcome_of(3)

    assert busiest_day(outcome.after) == (date(2026, 6, 16), 3)
    assert busiest_day([]) is None
    months = {
        month: (len(before), len(after)) for month, (before, after) in by_month(outcome.before, outcome.after).items()
    }
    assert months[2026, 6] == (9, 12)
    assert months[2026, 7] == (9, 0)


@pytest.mark.parametrize("count", [3, 3000])
def test_the_months_fit_into_eighty_columns(count: int) -> None:
    outcome = outcome_of(3)
    times = count // 3
    outcome = replace(outcome, before=[*outcome.before] * times, after=[*outcome.after] * times)

    lines = printed(outcome, 80).splitlines()

    [row] = [line for line in lines if line.strip().startswith("2026 today")]
    assert row.split()[2:] == [f"{count * n}" if n else "·" for n in (0, 0, 0, 1, 1, 3, 3, 1, 1, 1, 1, 1)]


# The picture


def test_the_picture_is_well_formed_and_says_in_words_what_it_shows() -> None:
    outcome = outcome_of(2, title="Fish & <chips>")

    picture = ElementTree.fromstring(draw(outcome))

    assert picture.get("role") == "img"
    named = {one.get("id"): "".join(one.itertext()) for one in picture if one.get("id")}
    assert picture.get("aria-labelledby") == "title desc"
    assert named["title"] == "Rehearsal of others.yaml"
    assert outcome.summary in named["desc"]
    words = ["".join(one.itertext()) for one in picture.iter(f"{SVG}text")]
    assert words.count("Fish & <chips>") == 2
    assert {"ahead of the day", "on the day", "overdue", "unchanged", "removed", "moved", "added"} <= set(words)
    assert "now, 1 January 2026" in words


def test_a_title_that_is_not_there_in_english_is_marked_as_what_it_is() -> None:
    outcome = outcome_of(1)
    ((name, schedule),) = outcome.schedules.items()
    spanish = schedule.commitment.model_copy(
        update={"title": Text(es="Una promesa", pt="Uma promessa"), "language": "es"}
    )

    picture = ElementTree.fromstring(draw(replace(outcome, schedules={name: replace(schedule, commitment=spanish)})))

    marks = {"".join(one.itertext()): one.get(XML_LANG) for one in picture.iter(f"{SVG}text")}
    assert marks["Una promesa"] == "es"
    assert {language for words, language in marks.items() if words != "Una promesa"} == {None}


def test_each_change_has_a_mark_in_its_commitments_lane() -> None:
    picture = ElementTree.fromstring(draw(outcome_of(2)))

    marks = [mark for mark in picture.iter(f"{SVG}use") if mark.find(f"{SVG}title") is not None]
    kinds = [mark.get("class") for mark in marks]
    assert (kinds.count("added"), kinds.count("removed"), kinds.count("moved")) == (4, 22, 2)
    said = {"".join(mark.itertext()) for mark in marks}
    assert (
        "moved: 2026-06-29 17:00 CST (was 2026-06-29 09:00 CST), before-1d, 1 day ahead, No new public finance" in said
    )


def test_too_many_commitments_have_no_lanes() -> None:
    few, many = draw(outcome_of(MOST_LANES)), draw(outcome_of(MOST_LANES + 1))

    assert "told otherwise: too many for a lane each" not in few
    assert "31 commitments are told otherwise: too many for a lane each" in many
    assert len(many) < len(few) / 3


def test_bars_stand_inside_the_picture_whatever_the_period() -> None:
    """A period that begins and ends within a month, and one in which nothing is told."""
    whole = outcome_of(3)
    for start, end in ((utc(2026, 6, 20), utc(2026, 6, 25)), (utc(2026, 1, 1), utc(2026, 1, 2))):
        before = [one for one in whole.before if start <= one.at < end]
        after = [one for one in whole.after if start <= one.at < end]
        picture = ElementTree.fromstring(
            draw(
                replace(
                    whole,
                    start=start,
                    end=end,
                    before=before,
                    after=after,
                    difference=compare_simulations(before, after),
                )
            )
        )
        _, _, width, _ = map(float, (picture.get("viewBox") or "").split())
        for bar in picture.iter(f"{SVG}rect"):
            left, wide = float(bar.get("x", 0)), float(bar.get("width", 0))
            assert left >= 0 and left + wide <= width


# Waiting


def test_progress_shows_on_a_terminal_only_once_it_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    told = outcome_of(3).before
    for patience, shown in ((3600.0, False), (0.0, True)):
        monkeypatch.setattr("services.cli.rehearse.watching.PATIENCE", patience)
        monkeypatch.setattr("services.cli.rehearse.watching._EVERY", 1)
        console = Console(force_terminal=True, width=80)
        with console.capture() as seen, watching(console, utc(2026, 1, 1), utc(2027, 1, 1)) as watched:
            assert watched("rehearsed", told) == list(told)
        assert ("rehearsed" in seen.get()) == shown
