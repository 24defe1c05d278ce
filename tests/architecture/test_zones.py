"""One zone data for all: no service's process reads the machine's, and only one module asks for zones."""

import ast
import json
import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from services.cli.fleet import SERVICES
from services.plumbing import process
from services.plumbing.zones import ZONE_DATA, UnknownZone, is_zone, zone_named
from services.registry.actions.anchors import create_anchor
from services.registry.rules.errors import Invalid
from tests.architecture.modules import PROJECT, modules, tree


def zone_file(rule: str) -> bytes:
    """A compiled zone (TZif, RFC 8536) that follows a rule in POSIX's notation from ever to ever."""
    block = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 1, 4) + struct.pack(">lbB4s", 0, 0, 0, b"UTC\0")
    return block * 2 + b"\n" + rule.encode() + b"\n"


@pytest.fixture(scope="module")
def wrong_machine(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine whose zone files are older than Mexico's end of summer time (tzdata 2022f)."""
    folder = tmp_path_factory.mktemp("zones")
    (folder / "America").mkdir()
    (folder / "America" / "Mexico_City").write_bytes(zone_file("CST6CDT,M4.1.0,M10.5.0"))
    (folder / "localtime").write_bytes(zone_file("EST5EDT,M3.2.0,M11.1.0"))
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(PROJECT), "PYTHONTZPATH": str(folder)}


def answer_of(script: str, environment: dict[str, str]) -> dict[str, object]:
    """What a process of its own prints, read as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], env=environment, capture_output=True, check=False, cwd=PROJECT
    )
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(done.stdout.splitlines()[-1]))


ASKING = """
import json, os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

def answers():
    summer = datetime(2027, 7, 10, 16, tzinfo=UTC).astimezone(ZoneInfo("America/Mexico_City"))
    try:
        ZoneInfo("localtime")
    except ZoneInfoNotFoundError:
        return {"hours": summer.utcoffset().total_seconds() / 3600, "localtime": False}
    return {"hours": summer.utcoffset().total_seconds() / 3600, "localtime": True}
"""
BUILDING = """
from fastapi.testclient import TestClient
from services.{name}.wiring import build
from services.plumbing.http.api_keys import ApiKeys, Caller
from services.plumbing.process import run

client = TestClient(build().http)
headers = {{"Idempotency-Key": "k"}}
# Keys are heard of from a registry that runs; here nobody is asked for one.
ApiKeys.require = lambda self, request, *roles: Caller("test", None, frozenset(roles))
path, body = json.loads(os.environ["TEST_FORM"])
statuses = {{
    zone: client.post(path, json=body | {{"zone": zone}}, headers=headers).status_code
    for zone in ("localtime", "Localtime", "Factory", "America/Nowhere", "America/Toronto")
    if path
}}
print(json.dumps(answers() | {{"statuses": statuses}}))
"""
SUMMIT = {"id": "summit", "title": {"en": "A", "fr": "A", "es": "A"}, "edtf": "2027", "source": {"text": "A"}}
TAKES_ZONES = {
    "notifier": ("/subscriptions", {"subscriber": "Ana", "channel": "email", "address": "ana@sre.example"}),
    "scheduler": ("/feeds", {"name": "Ana"}),
    "registry": ("/anchors", SUMMIT | {"known_on": "2026-11-27"}),
}
"""Where a service is sent a zone, and with what else; the portal is sent none."""


def test_the_machine_of_these_tests_is_wrong(wrong_machine: dict[str, str]) -> None:
    assert answer_of(ASKING + "print(json.dumps(answers()))", wrong_machine) == {"hours": -5.0, "localtime": True}


@pytest.mark.slow  # starts the four services
@pytest.mark.parametrize("name", SERVICES)
def test_a_services_process_answers_by_the_package(name: str, wrong_machine: dict[str, str]) -> None:
    """
    What any library in the process asks for comes from `tzdata`, whatever the machine has; and a name is a zone for
    all services or for none: what is none does not come as far as the database, which is missing here.
    """
    environment = wrong_machine | {
        "DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "NOTIFIER_LINK_KEYS": "for-this-test-only-and-long-enough",
        "SMTP_HOST": "127.0.0.1",
        "TEST_FORM": json.dumps(TAKES_ZONES.get(name, ("", {}))),
    }

    answer = answer_of(ASKING + BUILDING.format(name=name), environment)

    answered = {"localtime": 422, "Localtime": 422, "Factory": 422, "America/Nowhere": 422, "America/Toronto": 503}
    statuses = {} if name == "portal" else answered
    assert answer == {"hours": -6.0, "localtime": False, "statuses": statuses}


def test_a_process_says_by_which_zone_data_it_answers() -> None:
    assert process.ZONE_DATA == ZONE_DATA == version("tzdata")


@pytest.mark.parametrize(
    "name", ["localtime", "posixrules", "Factory", "zone.tab", "america/toronto", "America", "../tzdata"]
)
def test_what_is_no_zone_is_none_for_both_who_ask(name: str) -> None:
    assert not is_zone(name)
    with pytest.raises(UnknownZone):
        zone_named(name)


def imports_at_run_time(module: ast.AST) -> Iterator[str]:
    """What a module imports when it runs, and not for the type checker only."""
    for node in ast.iter_child_nodes(module):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
        yield from imports_at_run_time(node)


def test_one_module_asks_for_zones() -> None:
    """
    Whoever imports `zoneinfo` has a second way to zones, which may be set otherwise; types are no such way.
    """
    ways = {"zoneinfo", "dateutil.tz", "pytz"}
    asking = [name for name, path in modules().items() if ways & set(imports_at_run_time(tree(path)))]

    assert asking == ["services.plumbing.zones"]


class _Recorder:
    """Stands where a connection would be asked."""

    def __getattr__(self, name: str) -> None:
        raise AssertionError(f"the connection was asked: {name}")


async def test_the_registry_refuses_what_is_no_zone_before_it_asks_the_database() -> None:
    for zone in ("localtime", "Localtime", "Factory", "America/Nowhere"):
        with pytest.raises(Invalid) as refused:
            await create_anchor(_Recorder(), SimpleNamespace(zone=zone), None)  # type: ignore[arg-type]
        assert refused.value.pointer == "#/zone"
