"""`pledgewire wordings read`: a small table, one JSON document, and errors that say what to do."""

import json

import pytest
from typer.testing import CliRunner, Result

from deploy.embedded.errors import EmbeddedError
from services.cli.main import app
from services.cli.wordings import NO_DATE


def read(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["wordings", "read", *arguments])


def test_the_table_says_days_rule_and_what_else_it_could_be() -> None:
    said = read("by 2030", "--made-on", "2021-11-18")

    assert said.exit_code == 0, said.output
    rows = dict(line.split(maxsplit=1) for line in said.output.splitlines())
    assert rows["date"] == "2030 (2030-01-01 to 2030-12-31)"
    assert rows["modality"] == "by, read as by"
    assert rows["rule"] == "end-of-span"
    assert rows["or"].startswith("2029-12-31/2030-01-01")


@pytest.mark.parametrize("words", ["à moyen terme", "quand les poules auront des dents"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_words_without_a_date_say_so_with_a_status_of_their_own(words: str, form: tuple[str, ...]) -> None:
    said = read(words, "--language", "fr", "--made-on", "2021-11-18", *form)

    assert said.exit_code == NO_DATE
    if form:
        assert json.loads(said.output)["edtf"] is None
    else:
        assert dict(line.split(maxsplit=1) for line in said.output.splitlines())["date"] == "no date"


def test_a_rhythm_is_no_failure_to_read() -> None:
    assert read("every two years", "--made-on", "2021-11-18").exit_code == 0


def test_an_event_is_named_with_how_far_it_is() -> None:
    said = read("90 días después de la Cumbre de las Américas", "--language", "es", "--made-on", "2021-11-18")
    assert "anchor      Cumbre de las Américas, 90 days after" in said.output.splitlines()


def test_json_is_one_document_by_the_chosen_policy() -> None:
    said = read("by 2030", "--made-on", "2021-11-18", "--policy", "deadline=start-of-span", "--json")
    found = json.loads(said.output)
    assert (found["latest"], found["rules"], found["policy"]["deadline"]) == (
        "2030-01-01", ["start-of-span"], "start-of-span",
    )  # fmt: skip


@pytest.mark.parametrize("wrong", [("--language", "de"), ("--policy", "deadline=soon"), ("--policy", "what=ever")])
def test_what_can_t_be_is_said_in_two_lines(wrong: tuple[str, str]) -> None:
    said = read("by 2030", "--made-on", "2021-11-18", *wrong)
    assert isinstance(said.exception, EmbeddedError)
    assert len(str(said.exception).splitlines()) == 2


def test_a_day_has_to_be_one() -> None:
    assert read("by 2030", "--made-on", "soon").exit_code == 2
