"""Role × topic × operation: real users ask a real broker, and every cell is as it was designed."""

from collections.abc import AsyncIterator

import pytest

from services.cli.access.applying import apply_access, new_password
from services.cli.access.document import access_from
from services.cli.access.principals import our_topics
from services.plumbing.kafka.settings import KafkaSettings
from tests.access.asking import Asker, as_principal

FILE = """
services: {registry: {}, scheduler: {}, notifier: {}, portal: {}}
operators:
  auditor: {}
ministries:
  mx-sre:
    read: [commitment-created, commitment-state, status-changed]
    report: true
  ca-gac:
    read: [commitment-created]
  br-mre:
    report: true
"""
REGISTRY_TELLS = {"commitment-created", "milestone-scheduled", "status-changed", "consistency-flagged"}
ASSESSED = {"commitment-assessed"}
STATES = {"commitment-state"}
REGISTRY_WRITES = REGISTRY_TELLS | ASSESSED | STATES
AUDIT_HEADS = {f"audit-head-{name}" for name in ("registry", "scheduler", "notifier")}
SCHEDULER_TELLS = {"milestone-due", "milestone-escalated"}
SCHEDULER_WRITES = SCHEDULER_TELLS | {"own-ladder-due"}
NOTIFIER_WRITES = {"delivery-settled", "ladder-chosen"}
PUBLIC = REGISTRY_TELLS | ASSESSED | SCHEDULER_TELLS | {"delivery-settled"}
PLANNED = {"commitment-created", "milestone-scheduled", "status-changed", "ladder-chosen"}
"""What the scheduler reads."""
TOLD = REGISTRY_TELLS | SCHEDULER_WRITES
"""What the notifier reads; ministries may read the states, too."""
CODES = ("br-mre", "mx-sre")
"""The ministries that report."""
REPORTS = {f"status-reported-{code}" for code in CODES}
REFUSALS = {f"status-rejected-{code}" for code in CODES}


def dead(topics: set[str]) -> set[str]:
    return {f"{topic}-dead" for topic in topics}


KEYS = {"api-key-changed"}
"""Who reads it puts nothing aside."""
EVERYTHING = PUBLIC | STATES | AUDIT_HEADS | KEYS | {"ladder-chosen", "own-ladder-due"} | REPORTS
READS = {
    "registry": REPORTS | REGISTRY_WRITES | REFUSALS | KEYS | {"audit-head-registry"},
    "scheduler": PLANNED | SCHEDULER_WRITES | KEYS | {"audit-head-scheduler"},
    "notifier": TOLD | NOTIFIER_WRITES | KEYS | {"ladder-chosen-dead", "audit-head-notifier"},
    "portal": PUBLIC,
    "auditor": EVERYTHING | dead(EVERYTHING) | REFUSALS,
    "mx-sre": {"commitment-created", "commitment-state", "status-changed", "status-rejected-mx-sre"},
    "ca-gac": {"commitment-created"},
    "br-mre": {"status-rejected-br-mre"},
    "stranger": set[str](),
}
WRITES = {
    "registry": REGISTRY_WRITES | REFUSALS | KEYS | dead(REPORTS) | {"audit-head-registry"},
    "scheduler": SCHEDULER_WRITES | dead(PLANNED) | {"audit-head-scheduler"},
    "notifier": NOTIFIER_WRITES | dead(TOLD) | {"audit-head-notifier"},
    "portal": set[str](),
    "auditor": set[str](),
    "mx-sre": {"status-reported-mx-sre"},
    "ca-gac": set[str](),
    "br-mre": {"status-reported-br-mre"},
    "stranger": set[str](),
}
JOINS = {
    "registry": {"registry"},
    "scheduler": {"scheduler"},
    "notifier": {"notifier", "notifier-refused-ladders"},
    "portal": set[str](),
    "auditor": {"auditor.look"},
    "mx-sre": {"mx-sre.reminders"},
    "ca-gac": {"ca-gac.reminders"},
    "br-mre": {"br-mre.reminders"},
    "stranger": set[str](),
}
LOOKS = JOINS | {"auditor": {"auditor.look", "registry", "scheduler", "notifier", "notifier-refused-ladders"}}
GROUPS = (
    *sorted({group for groups in LOOKS.values() for group in groups}),
    "mx-sre",
    "mx-sre-2.x",
    "anybody",
    "portal",
)
OTHERS = (
    "__consumer_offsets",
    "__transaction_state",
    "nobody-knows-it",
    "status-reported-",
    "status-reported-ca-gac",
    "status-rejected-ca-gac",
    "mx-sre.own",
)
ROLES = tuple(READS)


@pytest.fixture(scope="module")
async def askers(kafka: KafkaSettings) -> AsyncIterator[dict[str, Asker]]:
    """Everybody, logged in."""
    document = access_from(FILE, "the test's file")
    passwords = {role: new_password() for role in ROLES if role != "stranger"}
    await apply_access(kafka, document, passwords)
    stranger = access_from("operators: {stranger: {}}", "another file")
    passwords["stranger"] = new_password()
    await apply_access(kafka, stranger, {"stranger": passwords["stranger"]})
    await apply_access(kafka, document, passwords, revoke_strangers=True)
    clients = {role: Asker(as_principal(kafka, role, passwords[role])) for role in ROLES}
    try:
        for client in clients.values():
            await client.__aenter__()
        yield clients
    finally:
        for client in clients.values():
            await client.__aexit__(None, None, None)


def test_the_table_knows_every_topic() -> None:
    """
    A topic that is added is written down here first: who reads it, and who writes it.
    """
    assert set(our_topics(access_from(FILE, "the test's file"))) == EVERYTHING | dead(EVERYTHING) | REFUSALS


@pytest.mark.parametrize("role", ROLES)
async def test_topics(role: str, askers: dict[str, Asker]) -> None:
    """
    A role reads and writes what is designed, sees what it reads or writes, and changes no topic.
    """
    asker, wrong = askers[role], list[str]()
    for topic in (*sorted(EVERYTHING | dead(EVERYTHING) | REFUSALS), *OTHERS):
        seen = topic in READS[role] | WRITES[role]
        found = {
            "sees": (await asker.sees(topic), seen),
            "describes": (await asker.describes(topic), seen),
            "reads": (await asker.reads(topic), topic in READS[role]),
            "writes": (await asker.writes(topic), topic in WRITES[role]),
            "looks at the settings of": (await asker.looks_at_settings(topic), False),
            "configures": (await asker.configures(topic), False),
            "adds partitions to": (await asker.adds_partitions(topic), False),
            "deletes": (await asker.deletes(topic), False),
        }
        wrong += [
            f"{role} {what} {topic}: {is_so}" for what, (is_so, designed) in found.items() if is_so is not designed
        ]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
async def test_groups(role: str, askers: dict[str, Asker]) -> None:
    """
    A role commits in its own groups only, and looks at no others'; an operator looks at ours.
    """
    asker, wrong = askers[role], list[str]()
    for group in GROUPS:
        found = {
            "finds": (await asker.finds(group), group in LOOKS[role]),
            "looks at the commits of": (await asker.looks_at_commits(group), group in LOOKS[role]),
            "commits in": (
                await asker.commits(group, min(READS[role], default="status-changed")),
                group in JOINS[role],
            ),
        }
        wrong += [
            f"{role} {what} {group}: {is_so}" for what, (is_so, designed) in found.items() if is_so is not designed
        ]
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
async def test_nobody_makes_a_topic(role: str, askers: dict[str, Asker]) -> None:
    for topic in (f"made-by-{role}", f"{role}.own", f"status-reported-{role}-2"):
        assert not await askers[role].creates(topic)


@pytest.mark.parametrize("topic", ["status-changed", "status-reported-mx-sre", "ladder-chosen-dead"])
async def test_the_super_user_may(topic: str, kafka: KafkaSettings) -> None:
    """
    The questions above can be answered with yes.
    """
    async with Asker(kafka) as asker:
        assert await asker.sees(topic)
        assert await asker.describes(topic)
        assert await asker.reads(topic)
        assert await asker.looks_at_settings(topic)
        assert await asker.adds_partitions("nobody-knows-it")
        assert await asker.configures("nobody-knows-it")
        assert await asker.creates("made-by-the-super-user")
        assert await asker.deletes("made-by-the-super-user")
