"""How many requests somebody may send: by the key, if it is right, and else by the address."""

from collections import Counter
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.plumbing.http.app import limit_requests, web_app
from services.plumbing.http.rate_limits import MOST_NAMES, RateLimits
from services.plumbing.http.request_limits import RequestLimitSettings

PUBLIC, NEIGHBOUR, OTHER = "203.0.113.7", "203.0.113.8", "198.51.100.1"


class Doors:
    """A service, asked from any address."""

    def __init__(self, **settings: Any) -> None:
        self.app = web_app("test", "Test", {}, key_of={"Bearer mx": "k1", "Bearer ca": "k2"}.get)

        @self.app.get("/things")
        async def things() -> int:
            return 1

        limit_requests(self.app, RequestLimitSettings(**settings))

    async def ask(self, times: int, host: str = PUBLIC, *, key: str | None = None) -> Counter[int]:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(app=self.app, client=(host, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return Counter([(await client.get("/things", headers=headers)).status_code for _ in range(times)])


async def test_each_key_and_each_address_without_one_has_its_own_share() -> None:
    doors = Doors(requests_per_key=2, requests_per_address=1)
    assert await doors.ask(12) == {200: 10, 429: 2}
    assert await doors.ask(22, key="mx") == {200: 20, 429: 2}
    assert await doors.ask(1, key="ca") == {200: 1}
    assert await doors.ask(1, NEIGHBOUR) == {200: 1}
    assert await doors.ask(1, NEIGHBOUR, key="mx") == {429: 1}, "a key is counted wherever it comes from"


async def test_a_wrong_key_opens_no_share_of_its_own() -> None:
    doors = Doors(requests_per_key=2, requests_per_address=1)
    assert await doors.ask(10, key="guessed") == {200: 10}
    assert await doors.ask(1, key="another") == {429: 1}
    assert await doors.ask(1) == {429: 1}
    assert await doors.ask(1, key="mx") == {200: 1}


async def test_of_ipv6_a_network_is_one_address() -> None:
    doors = Doors(requests_per_address=1)
    assert await doors.ask(10, "2001:db8:1:2::1") == {200: 10}
    assert await doors.ask(1, "2001:db8:1:2:ffff::9") == {429: 1}
    assert await doors.ask(1, "2001:db8:1:3::1") == {200: 1}


async def test_an_ipv4_address_inside_an_ipv6_one_is_that_address() -> None:
    """
    A socket that listens for both kinds shows it so; all of them lie in one network of 64 bits.
    """
    doors = Doors(requests_per_address=1)
    assert await doors.ask(11, f"::ffff:{PUBLIC}") == {200: 10, 429: 1}
    assert await doors.ask(1, PUBLIC) == {429: 1}
    assert await doors.ask(1, f"::ffff:{NEIGHBOUR}") == {200: 1}
    assert await doors.ask(30, "::ffff:127.0.0.1") == {200: 30}


async def test_who_asks_for_many_is_not_counted_where_the_operator_says_so() -> None:
    assert await Doors(requests_per_address=1).ask(30, "127.0.0.1") == {200: 30}
    doors = Doors(requests_per_address=1, unlimited_from="198.51.100.0/24, 2001:db8::/32")
    assert await doors.ask(30, OTHER) == {200: 30}
    assert await doors.ask(11, "127.0.0.1") == {200: 10, 429: 1}
    assert await Doors(requests_per_address=0).ask(600) == {200: 600}
    with pytest.raises(ValidationError):
        RequestLimitSettings.model_validate({"unlimited_from": "everybody"})


async def test_whoever_is_told_to_wait_is_told_how_long_and_in_their_language() -> None:
    doors = Doors(requests_per_address=0.1)
    await doors.ask(1)
    transport = httpx.ASGITransport(app=doors.app, client=(PUBLIC, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.post("/things", content=b"x", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (429, "/problems/too-many-requests")
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert answer.headers["x-correlation-id"]


async def test_without_limits_nothing_is_counted() -> None:
    app = web_app("test", "Test", {})
    transport = httpx.ASGITransport(app=app, client=(PUBLIC, 1234))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        assert {(await client.get("/livez")).status_code for _ in range(700)} == {200}


@given(
    st.floats(min_value=0.5, max_value=600),
    st.integers(min_value=1, max_value=50),
    st.lists(st.floats(min_value=0, max_value=30), max_size=60),
)
def test_in_no_stretch_of_time_are_there_more_than_the_share(
    per_minute: float, at_once: int, pauses: list[float]
) -> None:
    """
    Between any two moments at most what may come at once, and what the time between them adds; who waits as long as
    they are told is let in.
    """
    now = 0.0
    limits = RateLimits(per_minute, at_once, monotonic=lambda: now)
    let_in: list[float] = []
    for pause in pauses:
        now += pause
        if wait := limits.count(["a"]):
            now += wait + 1e-6
            assert limits.count(["a"]) == 0
        let_in.append(now)
    for first, begin in enumerate(let_in):
        for last in range(first, len(let_in)):
            assert last - first + 1 <= at_once + (let_in[last] - begin) * per_minute / 60 + 1e-3


def test_names_are_forgotten_and_never_without_end() -> None:
    limits = RateLimits(60)
    for number in range(MOST_NAMES + 10):
        limits.count([f"n{number}"])
    assert len(limits._allowances) == MOST_NAMES
