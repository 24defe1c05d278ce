"""What each principal needs, and how a broker differs from it."""

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from services.cli.access.asking import not_entered
from services.cli.access.document import SERVICE_NAMES, access_from
from services.cli.access.planning import FoundAccess, plan
from services.cli.access.principals import GROUPS, AclEntry, Place, principals
from services.plumbing.clock import SharedClock

DOCUMENT = access_from(
    "services: {portal: {}}\nministry_quota: {request_percent: 50}\n"
    "ministries: {mx-sre: {read: [status-changed], report: true}}",
    "the test's file",
)
WANTED = principals(DOCUMENT)
PORTAL, MINISTRY = WANTED
RIGHT = FoundAccess(
    frozenset({"portal", "mx-sre"}), PORTAL.acls | MINISTRY.acls, {"mx-sre": {"request_percentage": 50.0}}
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Every service, built from an environment in which nothing answers."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DATABASE_URL", "postgresql://nobody:none@127.0.0.1:1/none")
        environment.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
        environment.setenv("NOTIFIER_LINK_KEYS", "for-this-test-only-and-long-enough")
        clock = Path(tmp_path_factory.mktemp("clock")) / "clock"
        SharedClock(clock).set(datetime(2021, 11, 18, tzinfo=UTC))
        environment.setenv("PLEDGEWIRE_CLOCK_FILE", str(clock))
        yield {name: importlib.import_module(f"services.{name}.wiring").build() for name in SERVICE_NAMES}


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_the_groups_of_a_service_are_those_that_it_joins(name: str, built: dict[str, Any]) -> None:
    joined = {group for one in built[name].broker.subscribers if (group := one.group_id)}

    assert joined == set(GROUPS.get(name, ()))


def test_a_ministry_gets_what_is_its_own_and_no_more() -> None:
    assert {str(acl) for acl in MINISTRY.acls} == {
        "read topic status-changed",
        "read topic status-rejected-mx-sre",
        "write topic status-reported-mx-sre",
        "read group mx-sre.…",
    }
    assert {acl.principal for acl in MINISTRY.acls} == {"User:mx-sre"}


def test_where_all_is_right_nothing_changes() -> None:
    assert plan(WANTED, RIGHT) == []


def acl(name: str, **more: Any) -> AclEntry:
    return AclEntry("User:mx-sre", "topic", name, "read", **more)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (FoundAccess(RIGHT.users, RIGHT.acls - {acl("status-changed")}, RIGHT.quotas), "read topic status-changed"),
        (FoundAccess(RIGHT.users, RIGHT.acls | {acl("x")}, RIGHT.quotas), "no longer read topic x"),
        (
            FoundAccess(RIGHT.users, RIGHT.acls | {acl("status-changed", permission="deny")}, RIGHT.quotas),
            "no longer read topic status-changed (denied)",
        ),
        (
            FoundAccess(RIGHT.users, RIGHT.acls | {acl("x", is_prefix=True, host="10.0.0.1")}, RIGHT.quotas),
            "no longer read topic x… from 10.0.0.1",
        ),
        (FoundAccess(RIGHT.users, RIGHT.acls, {}), "request_percentage unbounded → 50"),
        (
            FoundAccess(RIGHT.users, RIGHT.acls, {"mx-sre": {"request_percentage": 50.0, "producer_byte_rate": 1e9}}),
            "producer_byte_rate 1000000000 → unbounded",
        ),
        (
            FoundAccess(frozenset({"portal"}), RIGHT.acls, RIGHT.quotas),
            "has no password: `pledgewire access rotate mx-sre` makes one",
        ),
    ],
)
def test_what_differs_is_told(found: FoundAccess, told: str) -> None:
    assert [(one.principal, one.what) for one in plan(WANTED, found)] == [("mx-sre", told)]


def test_a_service_without_a_password_is_told_how_to_get_one() -> None:
    found = FoundAccess(frozenset({"mx-sre"}), RIGHT.acls, RIGHT.quotas)

    (missing,) = plan(WANTED, found)
    (given,) = plan(WANTED, found, given={"portal"})
    (other,) = plan(WANTED, RIGHT, given={"portal"}, not_let_in={"portal"})

    assert (missing.by_apply, missing.what) == (False, "has no password: set KAFKA_PASSWORD_PORTAL and apply again")
    assert (given.by_apply, given.what) == (True, "a password")
    assert (other.by_apply, other.what) == (True, "another password")


OURS = [
    Place("topic", "status-changed"),
    Place("group", "registry"),
    Place("topic", "status-reported-", is_prefix=True),
]


@pytest.mark.parametrize(
    ("strange", "is_told"),
    [
        (AclEntry("User:x", "topic", "status-changed", "read"), True),
        (AclEntry("User:*", "topic", "*", "describe"), True),
        (AclEntry("User:x", "topic", "status-", "write", is_prefix=True), True),
        (AclEntry("User:x", "group", "registry", "read"), True),
        (AclEntry("User:x", "topic", "status-reported-x", "write"), True),
        (AclEntry("User:x", "topic", "status-reported-x", "write", is_prefix=True), True),
        (AclEntry("User:x", "topic", "status", "read"), False),
        (AclEntry("User:x", "topic", "status-changed-too", "read", is_prefix=True), False),
        (AclEntry("User:x", "group", "status-changed", "read"), False),
        (AclEntry("User:x", "topic", "status-changed", "read", permission="deny"), False),
        (AclEntry("User:admin", "topic", "status-changed", "read"), False),
    ],
)
def test_strangers_on_what_is_ours_are_told_and_left(strange: AclEntry, is_told: bool) -> None:
    found = FoundAccess(RIGHT.users, RIGHT.acls | {strange}, RIGHT.quotas)

    changes = plan(WANTED, found, ours=OURS, super_user="admin")

    assert [(one.kind, one.by_apply) for one in changes] == [("stranger", False)] * is_told


class KnowsOneMinistry(BaseHTTPRequestHandler):
    """A registry in which mx-sre is entered."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ministries" else 404)
        self.end_headers()
        self.wfile.write(b'{"items": [{"code": "mx-sre"}], "next_cursor": null}')

    def log_message(self, *_: object) -> None:
        pass


def test_a_ministry_that_reports_and_that_nobody_has_entered_is_named() -> None:
    document = access_from(
        "ministries: {mx-sre: {report: true}, mx-shcp: {report: true}, ca-gac: {read: [status-changed]}}", "a file"
    )
    with HTTPServer(("127.0.0.1", 0), KnowsOneMinistry) as server:
        Thread(target=server.handle_request, daemon=True).start()
        found = not_entered(document, f"http://127.0.0.1:{server.server_port}")

    assert [(one.principal, one.kind, one.by_apply) for one in found] == [("mx-shcp", "ministry", False)]
