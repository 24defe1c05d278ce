"""The scheduler's client: what is asked of the scheduler, and which of its answers count."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from services.registry import scheduler_client
from services.registry.actions.holds import ScheduleHold, ScheduleHolds, SchedulerUnavailable
from services.registry.scheduler_client import SchedulerClient, SchedulerClientSettings
from tests.stand_ins.holds import RememberingHolds

KEY = "pw_registry_0123456789"


@dataclass
class SchedulerStub:
    """The route that the scheduler has for this, and nothing else."""

    status: int = 204
    hangs: bool = False
    received: list[ScheduleHold] = field(default_factory=list)
    requests: int = 0

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/holds")
        async def holds(request: Request) -> Response:
            self.requests += 1
            if self.hangs:
                await asyncio.Event().wait()
            if request.headers["authorization"] != f"Bearer {KEY}":
                return Response(status_code=401)
            if self.status == 204:
                self.received += [ScheduleHold(**one) for one in (await request.json())["milestones"]]
            return Response(status_code=self.status)

        return app


@pytest.fixture
async def scheduler() -> SchedulerStub:
    return SchedulerStub()


@pytest.fixture
async def over_http(scheduler: SchedulerStub) -> AsyncIterator[SchedulerClient]:
    transport = httpx2.ASGITransport(scheduler.app())
    async with httpx2.AsyncClient(transport=transport) as client:
        yield SchedulerClient(client, "http://scheduler/", KEY)


@dataclass
class HoldsUnderTest:
    """An implementation, what it has been asked to hold, and how to make it go away."""

    holds: ScheduleHolds
    scheduler: SchedulerStub | RememberingHolds

    @property
    def taken(self) -> list[ScheduleHold]:
        return self.scheduler.received if isinstance(self.scheduler, SchedulerStub) else self.scheduler.taken

    def go_away(self) -> None:
        if isinstance(self.scheduler, SchedulerStub):
            self.scheduler.status = 503
        else:
            self.scheduler.away = True


@pytest.fixture(params=["over HTTP", "remembering"])
def kit(request: pytest.FixtureRequest, scheduler: SchedulerStub, over_http: SchedulerClient) -> HoldsUnderTest:
    if request.param == "over HTTP":
        return HoldsUnderTest(over_http, scheduler)
    remembering = RememberingHolds()
    return HoldsUnderTest(remembering, remembering)


async def test_all_are_taken_in_their_order(kit: HoldsUnderTest) -> None:
    wanted = [ScheduleHold("a", 2), ScheduleHold("b", 7), ScheduleHold("a", 3)]
    await kit.holds.take(wanted)
    assert kit.taken == wanted


async def test_more_than_fit_into_a_request_are_taken_too(kit: HoldsUnderTest) -> None:
    wanted = [ScheduleHold(f"m-{n}", 2) for n in range(2 * scheduler_client.LARGEST_HOLD + 1)]
    await kit.holds.take(wanted)
    assert kit.taken == wanted


async def test_one_that_is_away_is_a_refusal(kit: HoldsUnderTest) -> None:
    kit.go_away()
    with pytest.raises(SchedulerUnavailable):
        await kit.holds.take([ScheduleHold("a", 2)])
    assert kit.taken == []


@pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 404, 409, 422, 500, 503])
async def test_any_answer_but_204_is_none(scheduler: SchedulerStub, over_http: SchedulerClient, status: int) -> None:
    scheduler.status = status
    with pytest.raises(SchedulerUnavailable, match=str(status)):
        await over_http.take([ScheduleHold("a", 2)])
    assert scheduler.requests == 1


async def test_a_scheduler_that_hangs_is_left_in_time(
    scheduler: SchedulerStub, over_http: SchedulerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler_client, "LONGEST_HOLD", 0.05)
    scheduler.hangs = True
    with pytest.raises(SchedulerUnavailable, match="did not answer"):
        await over_http.take([ScheduleHold("a", 2)])


async def test_a_scheduler_that_is_not_there_is_a_refusal() -> None:
    async with httpx2.AsyncClient(trust_env=False) as client:
        with pytest.raises(SchedulerUnavailable, match="did not answer"):
            await SchedulerClient(client, "http://127.0.0.1:9", KEY).take([ScheduleHold("a", 2)])


@pytest.mark.parametrize("key", [{}, {"SCHEDULER_KEY": ""}])
def test_an_address_needs_a_key(monkeypatch: pytest.MonkeyPatch, key: dict[str, str]) -> None:
    for name, value in {"SCHEDULER_URL": "http://scheduler:8000", **key}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match="role `holder`"):
        SchedulerClientSettings()


def test_without_an_address_the_register_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCHEDULER_URL", raising=False)
    assert SchedulerClientSettings().url is None
