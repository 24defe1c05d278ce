"""The house keeps its plan: rooms, names, topics as declared, and nothing of the place where it was built."""

import importlib
import importlib.util
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from faststream import AckPolicy

from contracts.topics import (
    ALL,
    AUDIT_HEAD,
    DELIVERY_SETTLED,
    FOLLOWED,
    INGEST_PATTERN,
    MILESTONE_ESCALATED,
    OWN,
    STATES,
    STATUS_REJECTED,
    STATUS_REPORTED,
)
from services.cli.databases import SERVICES_WITH_SCHEMA
from services.cli.fleet import SERVICES
from services.plumbing.clock import SharedClock

PROJECT = Path(__file__).resolve().parents[2]

every_service = pytest.mark.parametrize("name", SERVICES)


def committed() -> list[Path]:
    """The files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git working tree")
    paths = [PROJECT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize(
    "folder",
    [
        "contracts/schemas",
        "contracts/examples",
        "contracts/openapi",
        "contracts/generation",
        "contracts/compatibility",
        "deploy/images",
        "deploy/embedded",
        "services/registry/http",
        "services/registry/actions",
        "services/registry/views",
        "services/registry/store",
        "services/registry/rules",
        "services/registry/wordings",
        "services/registry/catalogue",
        "services/scheduler/reminders",
        "services/scheduler/ladders",
        "services/scheduler/holds",
        "services/scheduler/escalation",
        "services/scheduler/feeds",
        "services/scheduler/previews",
        "services/notifier/subscriptions",
        "services/notifier/delivery",
        "services/notifier/events",
        "services/notifier/rendering",
        "services/notifier/channels",
        "services/notifier/transport",
        "services/portal",
        "services/i18n",
        "services/plumbing/kafka",
        "services/plumbing/http",
        "services/cli",
        "tests/contracts",
        "tests/journeys",
        "tests/architecture",
        "tests/plumbing",
        "tests/stand_ins",
        "docs/decisions",
    ],
)
def test_the_rooms_are_there(folder: str) -> None:
    """
    Every room of the plan exists and isn't empty.
    """
    assert any(path.is_relative_to(PROJECT / folder) for path in committed())


def test_no_module_is_a_junk_drawer() -> None:
    """
    Modules are named after what they do.
    """
    drawers = {"utils", "util", "common", "helpers", "helper", "manager", "managers", "misc", "base"}
    found = [path for path in committed() if path.suffix == ".py" and drawers & {path.stem, path.parent.name}]

    assert found == []


def test_decisions_are_numbered_in_a_row() -> None:
    """
    Every decision has a number of its own, none is missing, and its first line says which it is.
    """
    pages = sorted((PROJECT / "docs" / "decisions").glob("*.md"))
    numbers = [int(page.name[:4]) for page in pages]

    assert numbers == list(range(1, len(pages) + 1))
    for page in pages:
        first, _, rest = page.read_text(encoding="utf-8").partition("\n")
        assert first.startswith("# ") and int(first.split()[1].rstrip(".")) == int(page.name[:4]), page.name
        assert rest.strip(), page.name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every service, built from an environment in which nothing answers."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", "postgresql://nobody:none@127.0.0.1:1/none")
        environment.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        environment.setenv("NOTIFIER_LINK_KEYS", "for-this-test-only-and-long-enough")
        clock = tmp_path_factory.mktemp("clock") / "clock"
        SharedClock(clock).set(datetime(2021, 11, 18, tzinfo=UTC))
        environment.setenv("PLEDGEWIRE_CLOCK_FILE", str(clock))
        yield {
            name: importlib.import_module(f"services.{name}.wiring").build()
            for name in SERVICES
            if importlib.util.find_spec(f"services.{name}.wiring")
        }


def subscribed(service: Any) -> list[str]:
    """The topics that a service hears, all ingest topics as the one that they are like."""
    told = [topic for subscriber in service.broker.subscribers for topic in subscriber.topic_names]
    return [STATUS_REPORTED.name if topic == INGEST_PATTERN else topic for topic in told]


STILL_READ_BEFORE = {"portal": {MILESTONE_ESCALATED.name, DELIVERY_SETTLED.name}}
"""Topics that a service left off after release 0.2.0. Their cards name it on, so that it keeps its right to read them:
the release before does, and may run beside or come back. With the release after 0.3.0 the cards let it go."""


@every_service
def test_what_is_declared_is_what_is_subscribed(name: str, built: dict[str, Any]) -> None:
    """
    A service hears the topics whose cards name it as a reader: a forgotten subscription fails here, not at a summit.

    Left out is what only the release before hears, and which by its cards it did.
    """
    before = STILL_READ_BEFORE.get(name, set())
    cards = json.loads((PROJECT / "contracts" / "released" / "0.2.0" / "cards.json").read_text(encoding="utf-8"))
    assert before <= {card["topic"] for card in cards if name in card["readers"]}
    declared = {topic.name for topic in ALL if name in topic.readers}
    declared |= {topic.dead for topic in ALL if name in topic.dead_readers}

    assert before <= declared
    assert set(subscribed(built[name])) == declared - before


@every_service
def test_a_topic_is_subscribed_once(name: str, built: dict[str, Any]) -> None:
    """
    Two subscribers of one service on a topic would do its work twice, or each half of it.
    """
    topics = subscribed(built[name])

    assert len(set(topics)) == len(topics)
    assert set(topics) <= {topic.name for topic in ALL} | {topic.dead for topic in ALL}


def test_every_reader_and_writer_is_somebody() -> None:
    """
    The cards name our services, and the ministries together, of which each has a topic of its own.
    """
    for topic in ALL:
        assert set(topic.readers) <= {*SERVICES, "ministries"}, topic.name
        assert set(topic.writers) <= {*SERVICES, "ministries"}, topic.name
        assert set(topic.readers) & set(SERVICES) or topic in (*STATES, AUDIT_HEAD, STATUS_REJECTED), topic.name
    for topic in OWN:
        assert len(topic.writers) == 1, topic.name  # or `seq` would have gaps


@every_service
def test_no_subscriber_can_lose_a_record(name: str, built: dict[str, Any]) -> None:
    """
    Whoever reads in a group moves its offsets after its work; whoever has no group has no offsets to move.
    """
    for subscriber in built[name].broker.subscribers:
        if subscriber.group_id is None:
            held = set(subscriber.topic_names) <= {topic.name for topic in FOLLOWED}
            assert name == "portal" or held, "only what is shown, or held in memory, may be read without a group"
            if held:
                assert subscriber._connection_args["auto_offset_reset"] == "earliest"
        else:
            assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
            assert subscriber._connection_args["auto_offset_reset"] == "earliest"
            assert subscriber._connection_args["isolation_level"] == "read_committed"
            assert not subscriber._connection_args.get("enable_auto_commit", False)
        assert subscriber._no_reply


def test_groups_belong_to_one_service(built: dict[str, Any]) -> None:
    """
    Two services in one group would each hear half of everything.
    """
    groups = [{s.group_id for s in service.broker.subscribers if s.group_id} for service in built.values()]

    assert sum(map(len, groups)) == len(set().union(*groups))


@every_service
def test_a_service_has_its_relay_where_it_writes_events(name: str, built: dict[str, Any]) -> None:
    """
    Who is the writer of a topic has a database, a producer and something that publishes.
    """
    if any(name in topic.writers for topic in ALL):
        assert built[name].database is not None
        assert built[name].database.schema == name
        assert built[name].producer is not None
        assert built[name].work


@every_service
def test_faststream_finds_the_app(name: str) -> None:
    """
    `faststream run services.NAME:app` starts what `python -m services.NAME` starts.
    """
    package = PROJECT / "services" / name

    assert 'if name == "app"' in (package / "__init__.py").read_text(encoding="utf-8")
    assert "run(build)" in (package / "__main__.py").read_text(encoding="utf-8")


def test_schemas_belong_to_services_with_migrations() -> None:
    """
    Every service with revisions is among those that `db upgrade` brings up to date.
    """
    with_revisions = {path.parents[2].name for path in PROJECT.glob("services/*/migrations/versions/*.py")}

    assert with_revisions == set(SERVICES_WITH_SCHEMA)


# Put together here, so that this file isn't one of those that it looks for.
PLACES = {
    "a package registry": [
        "py" + "pi.org",
        "files.python" + "hosted.org",
        "registry.npm" + "js.org",
        "repo1.maven" + ".org",
        "repo.maven.apache" + ".org",
        "proxy.golang" + ".org",
    ],
    "a path of one machine": ["/ro" + "ot/", "/wo" + "rk/", "/home/" + "runner", "/Us" + "ers/"],
}


@pytest.mark.parametrize("what", PLACES)
def test_nothing_tells_where_it_was_built(what: str) -> None:
    """
    No committed text names a package registry's host, which everybody chooses for themselves, or a machine's folder.
    """
    wanted = re.compile("|".join(rf"(?<![\w.-]){re.escape(word)}" for word in PLACES[what]))
    found = []
    for path in committed():
        text = path.read_bytes()
        if b"\0" in text:
            continue
        for number, line in enumerate(text.decode("utf-8", "replace").splitlines(), 1):
            if match := wanted.search(line):
                found.append(f"{path.relative_to(PROJECT)}:{number}: {match[0]}")

    assert found == []


def test_every_failpoint_can_be_armed_by_its_name() -> None:
    """
    A failpoint's name is in small letters and hyphens, so that it can be armed by an environment variable.
    """
    named = re.compile(r"\bfailpoint\(([^)]*)\)")
    sources = [p for p in committed() if p.suffix == ".py" and p.is_relative_to(PROJECT / "services")]
    arguments = {
        argument
        for path in sources
        if path.name != "failpoints.py"
        for argument in named.findall(path.read_text(encoding="utf-8"))
    }

    assert arguments
    assert all(re.fullmatch(r'"[a-z0-9]+(-[a-z0-9]+)+"', argument) for argument in arguments), arguments
