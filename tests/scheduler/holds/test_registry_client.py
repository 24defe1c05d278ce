"""What the registry is asked, in memory and over HTTP."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Response

from services.plumbing.transient_errors import Unavailable
from services.scheduler.holds.registry_client import RegistryClient
from services.scheduler.holds.store import ScheduleVersions
from tests.portal.serving import Served
from tests.stand_ins.schedule_versions import WrittenSchedules, served


@pytest.fixture(params=["in memory", "over HTTP"])
async def schedules(request: pytest.FixtureRequest) -> AsyncIterator[tuple[ScheduleVersions, WrittenSchedules]]:
    written = WrittenSchedules()
    if request.param == "in memory":
        yield written, written
        return
    with Served(served(written)) as server:
        asking = RegistryClient(server.url + "/", deadline=5)
        yield asking, written
        await asking.close()


async def test_the_registry_says_which_schedule_was_written(
    schedules: tuple[ScheduleVersions, WrittenSchedules],
) -> None:
    asking, written = schedules
    written.versions["end-of-2021"] = 7

    assert await asking.version_of("end-of-2021") == 7


async def test_a_milestone_that_nobody_knows_is_no_answer(schedules: tuple[ScheduleVersions, WrittenSchedules]) -> None:
    with pytest.raises(Unavailable):
        await schedules[0].version_of("end-of-2021")


async def test_a_registry_that_is_away_is_no_answer(schedules: tuple[ScheduleVersions, WrittenSchedules]) -> None:
    asking, written = schedules
    written.versions["end-of-2021"] = 7
    written.away = True

    with pytest.raises(Unavailable):
        await asking.version_of("end-of-2021")


@pytest.mark.parametrize("body", ["[]", "{}", '{"schedule_version": true}', '{"schedule_version": "2"}', "no"])
async def test_an_answer_of_another_form_is_no_answer(body: str) -> None:
    app = FastAPI()

    @app.get("/milestones/{milestone_id}/schedule-version")
    async def version() -> Response:
        return Response(body, media_type="application/json")

    with Served(app) as server:
        asking = RegistryClient(server.url, deadline=5)
        with pytest.raises(Unavailable):
            await asking.version_of("end-of-2021")
        await asking.close()


async def test_a_registry_that_nobody_has_started_is_no_answer() -> None:
    asking = RegistryClient("http://127.0.0.1:1", deadline=1)

    with pytest.raises(Unavailable):
        await asking.version_of("end-of-2021")
    await asking.close()
