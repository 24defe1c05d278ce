"""The dashboards that are shipped: as the code writes them, and in PromQL that Prometheus takes."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.dashboards.pages import PAGES
from deploy.dashboards.panels import EVERY
from deploy.dashboards.written import as_json
from tests.deploy.prometheus_programs import promtool
from tests.deploy.settings_read import PROJECT

FOLDER = PROJECT / "deploy" / "dashboards"


def panels(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel that asks something."""
    yield from (panel for panel in document["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    """All PromQL of all dashboards."""
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.json"))]
    return [target["expr"] for one in documents for panel in panels(one) for target in panel["targets"]]


@pytest.mark.parametrize("name", PAGES)
def test_a_dashboard_stands_as_the_code_writes_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == as_json(PAGES[name])


def test_every_file_is_written_by_the_code_and_has_a_name_of_its_own() -> None:
    documents = [json.loads(file.read_text(encoding="utf-8")) for file in FOLDER.glob("*.json")]

    assert {file.name for file in FOLDER.glob("*.json")} == set(PAGES)
    assert len({one["uid"] for one in documents}) == len({one["title"] for one in documents}) == len(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_panel_says_what_it_shows_asks_the_chosen_prometheus_and_covers_no_other(name: str) -> None:
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
    for panel in panels(document):
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"$prometheus"}


def test_prometheus_takes_every_expression(tmp_path: Path) -> None:
    """Those of Grafana's own variable as it would be filled in."""
    asked = sorted({one.replace(EVERY, "1m") for one in expressions()})
    rules = [{"record": f"dashboard:{number}", "expr": one} for number, one in enumerate(asked)]
    file = tmp_path / "dashboards.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))

    assert f"{len(asked)} rules found" in promtool("check", "rules", file)
    assert not [one for one in asked if re.search(r"\$(?!prometheus)", one)]
