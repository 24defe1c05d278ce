"""The import contracts cover every module, and each of them can fail."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.architecture.modules import PROJECT, ROOTS, import_contracts, modules, named_by, packages, tree


def in_no_layer(names: Iterable[str]) -> list[str]:
    """Modules that no contract of layers places.

    Roots and containers are places themselves. What is in a container that is layered itself is placed by its own
    layers alone.
    """
    layered = [contract for contract in import_contracts() if contract["type"] == "layers"]
    containers = {container for contract in layered for container in contract["containers"]}
    placed = [
        f"{container}.{layer.strip(' ()')}"
        for contract in layered
        for container in contract["containers"]
        for line in contract["layers"]
        for layer in re.split(r"[|:]", line)
    ]
    known = containers | set(ROOTS)
    ends = [place for place in placed if place not in containers]
    return [name for name in names if name not in known and not any(named_by(place, name) for place in ends)]


def test_every_module_has_its_layer() -> None:
    """
    A new module, or a new folder, is placed in pyproject.toml, or fails here.
    """
    assert in_no_layer(modules()) == []


@pytest.mark.parametrize(
    "name",
    [
        "services.weather",
        "services.weather.rules.rain",
        "services.registry.drawer",
        "services.scheduler.drawer.rules",
        "services.plumbing.drawer",
        "services.i18n.drawer",
        "services.cli.drawer",
        "contracts.drawer",
        "deploy.embedded.drawer",
        "deploy.drawer",
    ],
)
def test_a_module_in_a_new_place_is_noticed(name: str) -> None:
    assert in_no_layer([name]) == [name]


def test_every_container_counts_its_modules() -> None:
    """
    A container that isn't exhaustive would let a new module in without a word.
    """
    layered = [contract for contract in import_contracts() if contract["type"] == "layers"]

    assert layered
    assert [contract["name"] for contract in layered if not contract.get("exhaustive")] == []


(PURE,) = [contract for contract in import_contracts() if contract["name"].startswith("rules decide")]
TOUCHING = {
    "services": "holds the services and nothing else",
    "services.plumbing": "is what touches the world, for everybody",
    "services.cli": "starts processes and asks services",
    "services.*": "is a service, whose rooms are listed one by one",
    "services.*.migrations": "changes tables",
    "services.registry.http": "answers over HTTP",
    "services.registry.actions": "writes rows and events",
    "services.registry.store": "reads and writes rows",
    "services.registry.views": "reads rows into answers",
    "services.scheduler.reminders": "claims and tells, beside its `rules`",
    "services.scheduler.holds": "keeps rows and asks the registry",
    "services.scheduler.escalation": "claims and tells, beside its `rules`",
    "services.scheduler.feeds": "keeps rows and answers, beside its `rendering`",
    "services.scheduler.previews": "reads rows and answers, beside its `rules`",
    "services.notifier.subscriptions": "keeps rows and answers over HTTP",
    "services.notifier.delivery": "claims, sends and records",
    "services.notifier.notices": "keeps rows, answers over HTTP and sends what is of no event",
    "services.notifier.silences": "keeps rows and answers over HTTP, beside its rule, `silence`",
    "services.notifier.transport": "is on the network",
    "services.portal.routes": "answers over HTTP",
    "services.portal.clients": "asks the services",
}
"""Folders that are no rules, and what they do instead."""


def places_of(folder: str) -> list[str]:
    """How a folder is listed: as pure, as touching the world, or not at all."""
    if any(named_by(expression, folder) for expression in PURE["source_modules"]):
        return ["pure"]
    whole = ("services.plumbing", "services.cli")
    return [place for place in TOUCHING if (named_by if place in whole else is_exactly)(place, folder)]


def is_exactly(place: str, folder: str) -> bool:
    return re.fullmatch(re.escape(place).replace(r"\*", r"\w+"), folder) is not None


def test_every_folder_is_pure_or_says_what_it_touches() -> None:
    """
    A new folder either comes under the contract of rules, or stands in the list with what it does.
    """
    folders = [name for name in packages() if name.startswith("services")]

    assert [folder for folder in folders if not places_of(folder)] == []
    assert [place for place in TOUCHING if not any(place in places_of(folder) for folder in folders)] == []


def test_a_new_folder_in_a_room_is_noticed() -> None:
    assert places_of("services.scheduler.escalation.drawer") == []
    assert places_of("services.notifier.drawer") == []
    assert places_of("services.scheduler.feeds.rules") == ["pure"]


WRONG = {
    "services: ": ("services/plumbing/logs.py", "import services.i18n"),
    "contracts import nothing of ours": ("contracts/vocabulary.py", "import services.plumbing.zones"),
    "plumbing holds no word of the domain": ("services/plumbing/zones.py", "import contracts.vocabulary"),
    "services do not know the embedded parts": ("services/portal/wiring.py", "import deploy.embedded"),
    "the embedded parts know nothing of the services": ("deploy/embedded/ports.py", "import services.plumbing.zones"),
    "contracts:": ("contracts/vocabulary.py", "import contracts.topics"),
    "plumbing:": ("services/plumbing/kafka/settings.py", "import services.plumbing.http.problems"),
    "registry:": ("services/registry/actions/holds.py", "import services.registry.http.app"),
    "scheduler:": ("services/scheduler/ladders/ladder.py", "import services.scheduler.reminders.store"),
    "notifier:": ("services/notifier/rendering/render.py", "import services.notifier.transport.smtp"),
    "portal:": ("services/portal/live_feed.py", "import services.portal.routes"),
    "i18n:": ("services/i18n/languages.py", "import services.i18n.words"),
    "the command line:": ("services/cli/databases.py", "import services.cli.main"),
    "report:": ("services/cli/report/columns.py", "import services.cli.report.command"),
    "access:": ("services/cli/access/document.py", "import services.cli.access.command"),
    "up:": ("services/cli/up/settings.py", "import services.cli.up.command"),
    "backup:": ("services/cli/backup/manifest.py", "import services.cli.backup.command"),
    "dead letters:": ("services/cli/dead_letters/letters.py", "import services.cli.dead_letters.command"),
    "kubernetes:": ("services/cli/kubernetes/values.py", "import services.cli.kubernetes.command"),
    "packages:": ("services/cli/packages/locked.py", "import services.cli.packages.command"),
    "doctor:": ("services/cli/doctor/diagnosis.py", "import services.cli.doctor.command"),
    "deploy:": ("deploy/embedded/state.py", "import deploy.dashboards.pages"),
    "dashboards:": ("deploy/dashboards/panels.py", "import deploy.dashboards.pages"),
    "the embedded parts:": ("deploy/embedded/state.py", "import deploy.embedded.stack"),
    "the inbox:": ("deploy/embedded/inbox/verdicts.py", "import deploy.embedded.inbox.pages"),
    "rooms without back and forth": ("services/scheduler/ladders/ladder.py", "import services.scheduler.reminders"),
    "rules decide": ("services/registry/rules/status.py", "import asyncio"),
    "i18n knows the contracts and the zones": ("services/i18n/text.py", "import services.plumbing.logs"),
    "only wiring builds a service": ("services/registry/intake.py", "import services.plumbing.process"),
}
"""An import that breaks each contract, by the beginning of the contract's name."""


def verdicts(folder: Path) -> dict[str, str]:
    """What import-linter says of each contract: KEPT or BROKEN."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--config", str(PROJECT / "pyproject.toml")]
    done = subprocess.run(
        [*command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False, env={"COLUMNS": "300"}
    )
    found = re.findall(r"^(.+?)\s*(KEPT|BROKEN)(?: .*)?$", done.stdout, re.MULTILINE)
    assert found, done.stdout + done.stderr
    return dict(found)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The program's sources, to be spoilt."""
    for root in ROOTS:
        shutil.copytree(PROJECT / root, tmp_path / root, ignore=shutil.ignore_patterns("*.json", "__pycache__"))
    return tmp_path


def test_every_contract_can_fail(copy: Path) -> None:
    """
    Each contract is broken by one wrong import of its own kind, and all of them are kept without.
    """
    assert set(verdicts(copy).values()) == {"KEPT"}
    for path, line in WRONG.values():
        with (copy / path).open("a") as file:
            file.write(f"\n{line}\n")

    spoilt = verdicts(copy)

    assert {name for name, verdict in spoilt.items() if verdict == "BROKEN"} == set(spoilt)
    unbroken = [name for name in spoilt if not any(name.startswith(beginning) for beginning in WRONG)]
    assert unbroken == [], "every contract has its wrong import"


def names_called(module: ast.Module) -> Iterator[str]:
    """The names of what a module calls."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


REAL_PARTS = re.compile(
    "Database|KafkaProducer|kafka_broker|clock_from|SystemClock|Relay|DeadLetters|Intake|ApiKeys|.*Settings"
)
BUILDERS = re.compile(r"services\.(\w+\.(wiring|openapi)|cli(\..*)?|plumbing\..*)")
"""Wiring builds a service, `openapi` one that is never connected, the command line what it needs itself."""


def test_only_wiring_builds_real_things() -> None:
    """
    Whatever is connected to the world, and whatever is set in the environment, is made in one place of a service.
    """
    made = [
        f"{name}: {called}"
        for name, path in modules().items()
        if name.startswith("services.") and not BUILDERS.fullmatch(name)
        for called in names_called(tree(path))
        if REAL_PARTS.fullmatch(called)
    ]

    assert made == []


CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
READS_THE_TIME = {
    "services.plumbing.clock": "is the clock",
    "services.plumbing.ids": "puts the machine's time into ids, which tell no business time",
    "services.plumbing.kafka.consumer": "compares with the broker client's own time stamps",
    "services.plumbing.kafka.followed_topic": "compares with the same time stamps",
    "services.plumbing.tracing": "stamps spans with the machine's time, which collectors compare with others'",
    "services.plumbing.periodic": "asks APScheduler for its next run, in the machine's time",
}


def test_one_module_reads_the_time() -> None:
    """
    Rules take `now`, and loops ask the clock that they were given; the command line runs on its reader's own.
    """
    reading = {
        name
        for name, path in modules().items()
        if name.startswith(("services.", "contracts")) and not name.startswith("services.cli")
        if CLOCKS & set(names_called(tree(path)))
    }

    assert reading == set(READS_THE_TIME)
