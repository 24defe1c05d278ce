"""What set events off: all events of one act have one cause, whose count is true, and no two acts have the same."""

from collections import defaultdict
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from contracts.causes import Cause
from contracts.topics import COMMITMENT_CREATED, CONSISTENCY_FLAGGED, MILESTONE_SCHEDULED, STATUS_CHANGED
from services.registry.actions.events import ActionContext
from services.registry.actions.import_statement import import_catalogue, read_catalogue
from services.registry.catalogue.loading import NALS_2021
from services.registry.migrations import VERSIONS
from tests.conftest import FreshDatabase
from tests.registry.scenes import (
    COAL,
    MOVED,
    NEWS,
    NOW,
    STRICT,
    SUMMIT,
    TARGET,
    Register,
    add_milestone_on,
    check_on,
    dated,
    new_commitment,
    opened,
    outcome,
)

TOPICS = (COMMITMENT_CREATED, MILESTONE_SCHEDULED, STATUS_CHANGED, CONSISTENCY_FLAGGED)


async def causes(register: Register) -> dict[Cause, list[UUID]]:
    """The events of the outbox by what set them off."""
    found: dict[Cause, list[UUID]] = defaultdict(list)
    for topic in TOPICS:
        for envelope, event in await register.events(topic.name):
            found[event.cause].append(envelope.id)
    assert len({cause.id for cause in found}) == len(found), "one id has one kind and one count"
    for cause, events in found.items():
        assert cause.count == len(events), cause
    return found


async def test_an_import_is_one_cause_over_both_of_its_topics(register: Register) -> None:
    [(cause, events)] = (await causes(register)).items()

    assert (cause.kind, cause.count) == ("import", await register.count("outbox"))
    of_each = [len(await register.events(topic.name)) for topic in TOPICS]
    assert (len(events), of_each[2:]) == (sum(of_each), [0, 0])
    assert min(of_each[:2]) > 10


async def test_each_act_is_a_cause_of_its_own(register: Register, joint: str) -> None:
    await register.send("POST", "/anchors", SUMMIT)
    for name in ("first-on-it", "second-on-it"):
        await add_milestone_on(register, name, "summit-2024")
    june, day = dated("2024-06"), dated("2024-06-10/2024-06-11")
    off = outcome("cancelled", "2024-06-12", successor_id="nals-2022")
    acts: list[tuple[str, str, Any, str | None, int]] = [
        ("PUT", "/anchors/summit-2024", june, "anchor-move", 2),
        ("PUT", "/anchors/summit-2024", june, None, 0),  # confirmed
        ("PUT", "/anchors/summit-2024", day, "anchor-move", 2),
        ("PUT", "/anchors/summit-2024", dated("2024"), "anchor-move", 2),
        ("PUT", "/anchors/summit-2024", june, "anchor-move", 2),  # where it was before: another act all the same
        ("POST", "/anchors/summit-2024/outcome", off, "anchor-cancelled", 2),
        ("POST", "/commitments", new_commitment(), "entry", 3),
        ("PUT", "/anchors/nals-2022", MOVED, "anchor-move", 4),
        ("POST", "/anchors/nals-2022/outcome", outcome("held"), "anchor-held", 2),
        (
            "PUT",
            f"/milestones/{TARGET}/schedule",
            {"edtf": "2031", "source": NEWS, "known_on": "2022-03-01"},
            "reschedule",
            1,
        ),
        ("PUT", "/statements/nals-2021/reading-policy", STRICT, "reading-policy", 0),
        ("POST", "/statements/import", {"catalogue": "nals-2021"}, None, 0),
        ("POST", f"/commitments/{joint}/status-updates", {"status": "in-progress", "party": "US"}, "status-report", 1),
        ("POST", f"/commitments/{COAL}/status-updates", {"status": "in-progress", "party": "US"}, "status-report", 1),
        ("POST", f"/commitments/{COAL}/status-updates", {"status": "at-risk", "party": "US"}, "status-report", 1),
    ]
    for method, path, body, kind, count in acts:
        if path.endswith("outcome"):
            register.clock.at = register.clock.at.replace(year=2025)
        before = await causes(register)
        answer = await register.send(method, path, body)
        assert answer.is_success, answer.text
        new = [cause for cause in await causes(register) if cause not in before]
        assert len(new) <= 1, (path, new)
        if kind is None:
            assert new == [], path
        elif count or new:
            assert [(cause.kind, cause.count) for cause in new] == [(kind, count or new[0].count)], path


async def test_one_mornings_look_is_one_cause(register: Register) -> None:
    await check_on(register, date(2022, 11, 18), months=12)
    await check_on(register, date(2023, 1, 1), months=12)

    found = [cause for cause in await causes(register) if cause.kind == "consistency-check"]

    assert len(found) == 2
    assert found[0].count is not None
    assert found[0].count > 10


async def test_what_is_done_once_more_has_the_same_cause(register: Register, fresh_database: FreshDatabase) -> None:
    """
    As after an old backup, which knows nothing of it: whoever has read the topics recognises it.
    """
    database = await opened(await fresh_database({"registry": VERSIONS}))
    loaded, published = read_catalogue(NALS_2021)
    later = ActionContext(NOW.replace(year=2023), "somebody else", correlation_id="another request")
    async with database.transaction() as connection:
        await import_catalogue(database, connection, None, loaded, published, later)

    again = await causes(replace(register, database=database))
    await database.close()

    assert again == await causes(register)
