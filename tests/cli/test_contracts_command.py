"""`pledgewire contracts`, in a clone of its own."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from contracts import generate
from contracts.releases import RELEASED, releases
from services.cli import contracts as command
from services.cli.main import app

SCHEMA = "schemas/status-changed.v1.json"


def git(tree: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@pledgewire.example", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, "-C", str(tree), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The contracts of now as the first commit of a working tree, which the command works on."""
    folder = tmp_path / "contracts"
    shutil.copytree(generate.HERE, folder, ignore=shutil.ignore_patterns(RELEASED, "__pycache__"))
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "Begin")
    monkeypatch.setattr(generate, "HERE", folder)
    monkeypatch.setattr(command, "HERE", folder)
    return folder


def ask(*words: str) -> Result:
    return CliRunner().invoke(app, ["contracts", *words])


def retype(tree: Path) -> Path:
    """A copy of the contracts in which `version` is a text."""
    folder = tree.parent / "other"
    shutil.copytree(tree, folder)
    schema = json.loads((folder / SCHEMA).read_text(encoding="utf-8"))
    schema["properties"]["version"] = {"type": "string"}
    (folder / SCHEMA).write_text(json.dumps(schema), encoding="utf-8")
    return folder


def test_a_release_names_the_commit_of_the_code_before_it(tree: Path) -> None:
    """
    The commit whose tree has these contracts.
    """
    result = ask("release", "0.2.0")

    assert (result.exit_code, result.stdout.strip()) == (0, str(tree / RELEASED / "0.2.0"))
    assert [(one.version, one.commit) for one in releases(tree)] == [("0.2.0", git(tree, "rev-parse", "HEAD"))]


@pytest.mark.parametrize("words", [("0.2.0",), ("next",)])
def test_what_is_no_following_version_is_asked_wrongly(tree: Path, words: tuple[str]) -> None:
    """
    Told in two lines, with status 2.
    """
    assert ask("release", "0.2.0").exit_code == 0
    git(tree, "add", ".")
    git(tree, "commit", "-q", "-m", "Release")
    result = ask("release", *words)

    assert getattr(result.exception, "status", None) == 2


def test_only_what_is_committed_and_generated_is_released(tree: Path) -> None:
    """
    The commit would not have it otherwise.
    """
    (tree / SCHEMA).write_text("{}", encoding="utf-8")
    assert f"not generated anew: {SCHEMA}" in str(ask("release", "0.2.0").exception)
    generate.write()
    (tree / "events.py").write_text("", encoding="utf-8")
    assert "not committed" in str(ask("release", "0.2.0").exception)
    assert releases(tree) == []


def test_a_diff_is_a_table_and_a_document_and_ends_with_1_where_something_breaks(tree: Path) -> None:
    """
    Folders and releases alike; what stands in the tree where nothing else is named.
    """
    assert ask("release", "0.2.0").exit_code == 0
    other = retype(tree)
    same, table, document = (
        ask("diff", "0.2.0"),
        ask("diff", "0.2.0", str(other)),
        ask("diff", str(tree), str(other), "--json"),
    )

    assert (same.exit_code, table.exit_code, document.exit_code) == (0, 1, 1)
    assert "status-changed.v1.json: version" in table.stdout and "breaking" in table.stdout
    assert json.loads(document.stdout) == {
        "breaking": 1,
        "items": [
            {
                "place": "status-changed.v1.json: version",
                "what": "type integer → string",
                "readers": "breaking",
                "writers": "breaking",
            }
        ],
    }


def test_what_is_no_release_is_not_found(tree: Path) -> None:
    """
    With the releases that there are.
    """
    assert ask("release", "0.2.0").exit_code == 0
    error = ask("diff", "7.0.0").exception

    assert getattr(error, "status", None) == 3
    assert "releases in the tree: 0.2.0" in str(error)
