"""Logs are shown as people read them, and are put aside before they grow without end."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.embedded.errors import EmbeddedError
from services.cli.up.log_lines import BLOCK, chosen, last_lines, shown
from services.cli.up.rotation import KEPT, rotate

LINES = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40), max_size=60)


@given(lines=LINES, count=st.integers(0, 80), long=st.booleans())
def test_the_last_lines_are_those(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], count: int, long: bool
) -> None:
    """
    As many lines as there are, up to so many, in their order, also behind more than is read at once.
    """
    file = tmp_path_factory.mktemp("log") / "a.log"
    before = ["x" * 1000] * (BLOCK // 1000 + 1) if long else []
    file.write_text("".join(f"{line}\n" for line in (*before, *lines)), encoding="utf-8")

    assert last_lines(file, count) == ([*before, *lines][-count:] if count else [])


def test_a_line_of_ours_is_shown_for_people() -> None:
    """
    When, of whom, how grave, what happened, and the values beside it; what is no JSON object stays as it is.
    """
    entry = {
        "time": "2026-11-29T12:00:00.123456Z",
        "level": "info",
        "message": "planned anew",
        "added": 3,
        "logger": "x",
    }

    line = shown("scheduler", json.dumps(entry))
    assert line.startswith("2026-11-29T12:00:00.123")
    assert line.split()[1:] == ["scheduler", "info", "planned", "anew", "added=3"]
    assert shown("postgres", "LOG:  ready").split() == ["postgres", "LOG:", "ready"]
    assert shown("postgres", "[1]").split() == ["postgres", "[1]"]


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    """
    Who asks for an unknown one hears which there are.
    """
    (tmp_path / "registry.log").touch()

    assert list(chosen(tmp_path, [])) == list(chosen(tmp_path, ["registry"])) == ["registry"]
    with pytest.raises(EmbeddedError, match="no log of regstry") as refused:
        chosen(tmp_path, ["regstry"])
    assert (refused.value.how, refused.value.status) == ("there are registry", 3)


def test_a_long_log_is_put_aside_while_it_is_written(tmp_path: Path) -> None:
    """
    Its writer goes on in the emptied file; a few older ones are kept, the newest first, and the oldest goes.
    """
    log = tmp_path / "notifier.log"
    with log.open("ab", buffering=0) as writer:
        for number in range(KEPT + 2):
            writer.write(f"{number}".encode() * 11)
            assert rotate(log, longest=10)
        writer.write(b"new")
        assert not rotate(log, longest=10)

    kept = {file.name: file.read_text()[0] for file in tmp_path.iterdir()}
    assert kept == {"notifier.log": "n", "notifier.log.1": "4", "notifier.log.2": "3", "notifier.log.3": "2"}
    assert log.stat().st_size == 3
    assert not rotate(tmp_path / "gone.log")
