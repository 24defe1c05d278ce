"""Each OpenAPI document passes a linter that others use."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from contracts import generate
from tests.toolchains import need, run_gently

LINT = Path(__file__).parent / "lint"
SERVICES = ("notifier", "registry", "scheduler")


@pytest.mark.slow
@pytest.mark.timeout(600)  # a package manager that begins with nothing
def test_the_documents_pass_the_linter(tmp_path: Path) -> None:
    """
    No error and no warning by the rules that Redocly recommends; an operation that says not who may ask is noticed,
    and so is one that neither succeeds nor leads elsewhere.
    """
    need("npm", "the linter is not asked")
    shutil.copytree(LINT, tmp_path, dirs_exist_ok=True)
    run_gently(tmp_path, "npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    documents = [generate.HERE / "openapi" / f"{service}.json" for service in SERVICES]
    broken = json.loads(documents[0].read_text(encoding="utf-8"))
    del next(iter(broken["paths"].values()))["get"]["security"]
    del broken["paths"]["/unsubscribe/{token}"]["get"]["responses"]["303"]
    (tmp_path / "broken.json").write_text(json.dumps(broken), encoding="utf-8")

    assert faults(tmp_path, documents) == []
    found = {(fault["rule"], fault["severity"]) for fault in faults(tmp_path, [tmp_path / "broken.json"])}
    assert found == {("security-defined", "error"), ("operation-2xx-response", "warn")}


def faults(folder: Path, documents: list[Path]) -> list[dict[str, str]]:
    command = ["nice", "-n", "19", "node", str(folder / "lint.js"), *map(str, documents)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in found.splitlines()]
