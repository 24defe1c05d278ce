"""The alerts that are shipped: rules that Prometheus takes, each with a page, and each fires by the fault it names."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.alert_faults import EXCUSED, FAULTS, HEALTHY, Fault
from tests.deploy.prometheus_programs import ALERTS, RULES, promtool, rules
from tests.deploy.settings_read import PROJECT

RUNBOOKS = PROJECT / "docs" / "runbooks"
NAMES = [rule["alert"] for rule in rules()]
STEP = 15


def seconds(told: str) -> int:
    """Seconds of Prometheus's notation of a time."""
    units = {"s": 1, "m": 60, "h": 3600}
    return sum(int(count) * units[unit] for count, unit in re.findall(r"(\d+)([smh])", told))


def try_rules(folder: Path, *tests: Mapping[str, Any]) -> None:
    """Let promtool play these tests over the shipped rules."""
    file = folder / "faults.yaml"
    document = {"rule_files": [str(RULES)], "evaluation_interval": f"{STEP}s", "tests": list(tests)}
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    promtool("test", "rules", file)


def played(series: Mapping[str, str], *expected: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": list(expected),
    }


def fires(fault: Fault, at: int) -> dict[str, Any]:
    rule = next(rule for rule in rules() if rule["alert"] == fault.alert)
    labels = {"alertname": fault.alert, "alertstate": "firing", **fault.labels, **rule["labels"]}
    named = ",".join(f'{name}="{value}"' for name, value in labels.items())
    return keeps_still(fault.alert, at) | {"exp_samples": [{"labels": f"ALERTS{{{named}}}", "value": 1}]}


def keeps_still(alert: str, at: int) -> dict[str, Any]:
    return {"eval_time": f"{at}s", "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}', "exp_samples": []}


def test_prometheus_takes_the_rules_and_the_example_of_its_settings() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    promtool("check", "config", ALERTS / "prometheus.yaml")


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_an_alert_fires_by_the_fault_that_it_names_and_not_before_its_time(fault: Fault, tmp_path: Path) -> None:
    after = seconds(fault.fires_after)

    try_rules(tmp_path, played(fault.series, keeps_still(fault.alert, after - STEP), fires(fault, after)))


def test_nothing_fires_while_all_is_well(tmp_path: Path) -> None:
    """
    For an hour in which things pass that pass by themselves: a burst, a deploy, a receiver that is away for a while.
    """
    moments = range(0, 3600, 120)
    try_rules(tmp_path, played(HEALTHY, *(keeps_still(name, at) for name in NAMES for at in moments)))


@pytest.mark.parametrize("alert", EXCUSED)
def test_nothing_fires_of_what_somebody_holds_back(alert: str, tmp_path: Path) -> None:
    try_rules(tmp_path, played(EXCUSED[alert], keeps_still(alert, 780)))


def test_every_alert_has_a_fault_a_page_and_a_line_in_the_list_of_pages() -> None:
    row = re.compile(r"^\| `(\w+)` \| (\w+) \| ([\dhms or]+) \| \[[^]]+\]\(([\w-]+\.md)\) \|$", re.MULTILINE)
    listed = row.findall((RUNBOOKS / "README.md").read_text(encoding="utf-8"))
    after = {name: [fault.fires_after for fault in FAULTS if fault.alert == name] for name in NAMES}

    assert {fault.alert for fault in FAULTS} == set(NAMES)
    assert listed == [
        (
            rule["alert"],
            rule["labels"]["severity"],
            " or ".join(dict.fromkeys(after[rule["alert"]])),
            Path(rule["annotations"]["runbook"]).name,
        )
        for rule in rules()
    ]
    assert {page for *_, page in listed} == {page.name for page in RUNBOOKS.glob("*.md")} - {"README.md"}
    for alert, severity, _, page in listed:
        text = (RUNBOOKS / page).read_text(encoding="utf-8")
        assert f"`{alert}` ({severity})" in text.split("\n\n")[1].replace("\n", " ")
        assert "**For readers.**" in text
        assert "## Look" in text
        assert "## Mend" in text


def test_a_word_of_the_log_that_a_page_names_is_one_that_is_logged() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (PROJECT / "services").rglob("*.py"))
    theirs = {"pg_locks", "pg_stat_activity"}
    made = {"delivery_failed"}  # of the state

    told = {
        word
        for page in RUNBOOKS.glob("*.md")
        for word in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", page.read_text(encoding="utf-8"))
        if not word.startswith("pledgewire_")
    }
    assert {word for word in told if f'"{word}"' not in sources} == theirs | made
