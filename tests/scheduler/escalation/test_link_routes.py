"""Acknowledging by the link of an escalation: over HTTP on a real PostgreSQL; the notifier's word is a stand-in's."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx2 as httpx
import pytest

from services.plumbing.transient_errors import Unavailable
from services.scheduler.escalation.notifier_client import LinkHolder, LinkOver
from tests.scheduler.escalation.running import DUE, FIRST, Scheduler
from tests.scheduler.scenes import created, scheduled
from tests.scheduler.serving import app_of

ID = UUID("018f0000-0000-7000-8000-000000000001")


class Notifier:
    """Knows one link, one that has ended, and may be away."""

    async def link_holder(self, token: str) -> LinkHolder | None:
        match token:
            case "good" | "unknown-milestone":
                return LinkHolder(
                    milestone_id=DUE.id if token == "good" else "nobody-knows-it",
                    subscription_id=ID,
                    subscriber="Doña Inés",
                    is_shared=False,
                    language="es",
                    zone="America/Mexico_City",
                    ministry="mx-sre",
                )
            case "ended":
                raise LinkOver
            case "away":
                raise Unavailable("/acknowledgement-links: answered 503")
        return None


@pytest.fixture
async def reader(scheduler: Scheduler) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody without a key."""
    app = app_of(scheduler.database, scheduler.clock, escalations=scheduler.watched, notifier=Notifier())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://scheduler") as client:
        yield client


async def says(reader: httpx.AsyncClient, token: str, key: str = "a", **made: str) -> httpx.Response:
    return await reader.post(
        f"/acknowledgement-links/{token}", json={"name": "Ana Ruiz", **made}, headers={"Idempotency-Key": key}
    )


async def test_who_was_asked_says_by_the_link_that_they_are_on_it(
    scheduler: Scheduler, reader: httpx.AsyncClient
) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    before = (await reader.get("/acknowledgement-links/good")).json()
    done, again = [await says(reader, "good", note="This week.") for _ in range(2)]
    after = (await reader.get("/acknowledgement-links/good")).json()
    [entry] = await scheduler.rows("select * from audit_pending where action = 'milestone.acknowledged'")

    assert (before["escalation"]["state"], before["language"], before["subscriber"]) == ("climbing", "es", "Doña Inés")
    assert (done.status_code, again.json()) == (201, done.json())
    assert after["escalation"]["acknowledged"]["name"] == "Ana Ruiz"
    assert (await scheduler.log()).count("acknowledged") == 1
    [public] = (await reader.get("/acknowledgements")).json()["items"]
    assert (public["milestone_id"], public["ministry"]) == (DUE.id, "mx-sre")
    assert (entry["client"], entry["ministry"]) == ("acknowledgement-link", "mx-sre")
    assert str(ID) in str(entry["after"])
    assert not [word for word in ("Ana", "Inés", "This week") if word in str(dict(entry))]


async def test_looking_changes_nothing(scheduler: Scheduler, reader: httpx.AsyncClient) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    for method in ("GET", "HEAD", "OPTIONS"):
        await reader.request(method, "/acknowledgement-links/good")

    assert "acknowledged" not in await scheduler.log()


async def test_a_link_that_is_good_for_nothing_does_nothing(scheduler: Scheduler, reader: httpx.AsyncClient) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    answers = {token: await says(reader, token) for token in ("forged", "unknown-milestone", "ended", "away")}
    read = {token: (await reader.get(f"/acknowledgement-links/{token}")).status_code for token in answers}

    assert {token: one.status_code for token, one in answers.items()} == read
    assert read == {"forged": 404, "unknown-milestone": 404, "ended": 410, "away": 503}
    assert "acknowledged" not in await scheduler.log()


async def test_who_is_on_it_already_is_told_and_taken_over_from_by_name_only(
    scheduler: Scheduler, reader: httpx.AsyncClient
) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges("Luc Roy")
    refused = await says(reader, "good")
    taken = await says(reader, "good", "b", take_over_from="Luc Roy")

    assert (refused.status_code, refused.json()["held_by"]) == (409, "Luc Roy")
    assert (taken.status_code, taken.json()["acknowledged"]["name"]) == (201, "Ana Ruiz")


async def test_what_is_not_overdue_is_refused_by_the_link_as_by_a_key(
    scheduler: Scheduler, reader: httpx.AsyncClient
) -> None:
    await scheduler.hears(created(), scheduled(DUE))

    assert (await says(reader, "good")).json()["type"] == "/problems/nothing-to-own"
