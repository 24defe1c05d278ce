"""The pages about the code keep to the code: links of the tour, and the glossary's words."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import get_args

import pytest

from contracts.vocabulary import Channel
from services.i18n.languages import LANGUAGES
from services.scheduler.ladders.book_reader import DEFAULT_BOOK

PROJECT = Path(__file__).resolve().parents[2]
TOUR = PROJECT / "docs" / "tour.md"
FOR_MINISTRIES = PROJECT / "docs" / "for-ministries.md"
GLOSSARY = PROJECT / "docs" / "glossary.md"

ENTRY = re.compile(r"- \*\*([^*]+)\*\*: \S.*\.$")
LINK = re.compile(r"\[`(?P<name>\w+)`\]\((?P<path>[^)#]+)#L(?P<line>\d+)\)")


def lines_of(name: str, path: Path) -> list[int]:
    """The lines on which a file defines this name, as a class, a function, or a method."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return [node.lineno for node in ast.walk(tree) if isinstance(node, kinds) and node.name == name]


def links() -> Iterator[tuple[str, str, int]]:
    for found in LINK.finditer(TOUR.read_text(encoding="utf-8")):
        yield found["name"], found["path"], int(found["line"])


@pytest.mark.parametrize(("name", "path", "line"), list(links()))
def test_a_link_of_the_tour_leads_to_what_it_names(name: str, path: str, line: int) -> None:
    """
    The line of each link defines what the link is called.
    """
    defined = lines_of(name, (TOUR.parent / path).resolve())

    assert defined, f"{path} defines no {name}"
    assert line in defined, f"{name} stands at {path}#L{defined[0]} now"


def test_every_link_of_the_tour_is_held() -> None:
    """
    A link to a file without a line, or with a label that is no name, would not be looked at.
    """
    assert TOUR.read_text(encoding="utf-8").count("](../") == len(list(links())) > 40


def test_the_tour_enters_every_service() -> None:
    """
    A walk that leaves a service out does not show the way of one event.
    """
    assert {path.split("/")[2] for _, path, _ in links()} >= {
        "registry",
        "scheduler",
        "notifier",
        "portal",
        "plumbing",
        "i18n",
    }


def test_the_glossary_has_each_word_once_and_one_line_for_it() -> None:
    """
    One word, one meaning: no word stands twice, each has its explanation on its own line, by the alphabet.
    """
    parts = GLOSSARY.read_text(encoding="utf-8").split("\n## ")[1:]
    entries = [[line for line in part.splitlines() if line.startswith("- ")] for part in parts]
    words = [[found[1].lower() for line in part if (found := ENTRY.match(line))] for part in entries]

    assert [len(part) for part in words] == [len(part) for part in entries], "an entry is `- **word**: what it means.`"
    assert words == [sorted(part) for part in words]
    assert [word for word, count in Counter(chain(*words)).items() if count > 1] == []
    assert sum(map(len, words)) > 60


@pytest.mark.parametrize(
    ("fields", "values"),
    [("`channel`, `address`", set(get_args(Channel))), ("`language`, `zone`", set(LANGUAGES))],
    ids=["channel", "language"],
)
def test_ministries_read_what_they_may_subscribe_with(fields: str, values: set[str]) -> None:
    """
    The table of a subscription's fields names every channel and every language.
    """
    (row,) = (
        line for line in FOR_MINISTRIES.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {fields}")
    )

    assert values <= set(re.findall(r"`([\w-]+)`", row.removeprefix(f"| {fields}")))


def test_the_ministries_are_told_of_the_shipped_ladder() -> None:
    """
    The usual reminders on the page for ministries are those of the book that is shipped.
    """
    (ladder,) = DEFAULT_BOOK.as_json()["ladders"]
    steps = [rung["step"] for rung in ladder["rungs"]]
    before = [step.removeprefix("before-").removesuffix("d") for step in steps if step.startswith("before-")]
    after = [step.removeprefix("after-").removesuffix("d") for step in steps if step.startswith("after-")]
    told = (
        f"{', '.join(before[:-1])} and {before[-1]} days before the last day, on the day, "
        f"and {', '.join(after[:-1])} and {after[-1]} days after it; the last one says that it is the last. "
        "What is open for longer stands in digests only, once a month."
    )

    assert "on-the-day" in steps
    assert (ladder["every"], ladder["every_only_in"]) == ("30d", "digests")
    assert told in " ".join(FOR_MINISTRIES.read_text(encoding="utf-8").split())
