"""Each threat of the list is answered by tests that there are."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
THREATS = ROOT / "tests" / "THREATS.md"
EXPECTED = [f"S{number}" for number in (*range(1, 25), 41)]


def rows() -> list[list[str]]:
    lines = [line for line in THREATS.read_text(encoding="utf-8").splitlines() if re.match(r"\| S\d", line)]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_every_threat_is_in_the_list_once_with_its_answer() -> None:
    found = [row[0] for row in rows()]

    assert [one for one in found if one in EXPECTED] == EXPECTED
    assert len(found) == len(set(found))
    assert all(len(row) == 4 and all(row) for row in rows())


def test_every_test_that_answers_a_threat_is_there() -> None:
    named = 0
    for number, *_, proofs in rows():
        here: Path | None = None
        for word in re.findall(r"`([^`]+)`", proofs):
            path, _, test = word.rpartition("::")
            if path:
                here = ROOT / "tests" / path
            assert test.startswith("test_") and here is not None, (number, word)
            assert test in names_of_tests(here), (number, word)
            named += 1
    assert named > 50
