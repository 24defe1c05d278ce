"""The pages on the real registry and scheduler, on PostgreSQL: what these say is what the portal understands."""

from datetime import UTC, datetime
from typing import Any

import httpx2

from contracts.topics import COMMITMENT_CREATED, MILESTONE_SCHEDULED
from services.plumbing.http.app import web_app
from services.portal.clients.registry import RegistryApi
from services.portal.clients.scheduler import SchedulerApi
from services.portal.clients.service_client import ServiceClient
from services.portal.live_feed import LiveFeed
from services.portal.page_renderer import PageRenderer
from services.portal.routes import add_routes
from services.portal.routes.portal import Portal
from tests.portal.test_pages import COAL, COAL_ENDS, SUMMIT, words_in
from tests.registry.conftest import register, template
from tests.registry.scenes import Register
from tests.scheduler.escalation.conftest import scheduler
from tests.scheduler.escalation.running import Scheduler

__all__ = ["register", "scheduler", "template"]

NOW = datetime(2023, 1, 20, 18, tzinfo=UTC)


async def pages(register: Register, scheduler: Scheduler, *paths: str) -> list[str]:
    """The text of the portal's pages, of whom nobody has a key."""
    nobody: Any = None
    portal = Portal(
        registry=RegistryApi(ServiceClient(register.client, "http://registry")),
        scheduler=SchedulerApi(ServiceClient(scheduler.http, "http://scheduler")),
        notifier=nobody,
        feed=LiveFeed(),
        clock=register.clock,
        pages=PageRenderer(),
    )
    app = web_app("portal", "Pledgewire portal", {})
    add_routes(app, portal)
    del scheduler.http.headers["Authorization"]
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://portal") as reader:
        answers = [await reader.get(path, headers={"accept": "text/html"}) for path in paths]
    assert [answer.status_code for answer in answers] == [200] * len(paths)
    return [words_in(answer.text) for answer in answers]


async def test_what_is_overdue_and_who_is_on_it_comes_from_the_services_themselves(
    register: Register, scheduler: Scheduler
) -> None:
    register.clock.at = NOW
    for topic in (COMMITMENT_CREATED, MILESTONE_SCHEDULED):
        await scheduler.hears(*(event for _, event in await register.events(topic.name)), at=NOW)
    await scheduler.ticks_at(NOW)
    assert (await scheduler.acknowledges(milestone_id=COAL_ENDS)).status_code == 201

    start, coal, summit, overdue, changed = await pages(
        register, scheduler, "/", COAL, SUMMIT, "/?due=overdue", "/?changed_within=7"
    )

    on_it = "Overdue since January 1, 2022 Ministry of Foreign Affairs of Mexico is on it, since January 20, 2023"
    assert on_it in overdue, overdue[-1200:]
    assert on_it in start and on_it in coal
    assert "Ana Ruiz" not in start + coal + overdue
    assert "Has it taken place? Its last day was December 31, 2022." in summit and "Overdue" not in summit
    assert "1 commitment in this choice" in overdue
    assert "Nothing fits this choice." in changed
