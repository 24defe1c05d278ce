"""A request with a key has its effect once, however often and by how many at once it is sent: on a real PostgreSQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from services.plumbing.database import Connection, Database
from services.plumbing.http.idempotency import (
    Answer,
    AnswerExpiry,
    IdempotencySettings,
    KeptAnswer,
    KeyedRequest,
    KeyInFlight,
    KeyReused,
    kept_answer,
    keyed_request,
    once,
    request_digest,
)
from services.plumbing.http.problems import Problem, ProblemKind

Act = Callable[[Connection], Awaitable[Answer]]


def asked(key: str, body: bytes = b"{}", client: str = "mx") -> KeyedRequest:
    return KeyedRequest(client, key, request_digest("POST", "/things", body))


def acting(word: str) -> Act:
    """Writes a row, and answers with its word."""

    async def act(connection: Connection) -> Answer:
        await connection.execute("insert into effect (event_id, word) values ($1, $2)", uuid4(), word)
        await asyncio.sleep(0)  # lets the others come between
        return Answer(201, {"word": word})

    return act


async def effects(database: Database) -> list[str]:
    async with database.connection() as connection:
        return [row["word"] for row in await connection.fetch("select word from effect order by word")]


async def test_the_same_request_has_the_same_answer_and_one_effect(database: Database) -> None:
    first = await once(database, asked("k"), acting("one"))
    again = await once(database, asked("k"), acting("two"))

    assert first == again == Answer(201, {"word": "one"})
    assert await effects(database) == ["one"]


async def test_of_many_at_once_one_acts_and_nobody_hears_anything_else(database: Database) -> None:
    results = await asyncio.gather(
        *(once(database, asked("k"), acting(str(n))) for n in range(20)), return_exceptions=True
    )
    later = await once(database, asked("k"), acting("later"))

    answered = [result for result in results if isinstance(result, Answer)]
    assert answered and all(answer == later for answer in answered)
    assert {type(result) for result in results} <= {Answer, KeyInFlight}
    assert await effects(database) == [later.body["word"]]


async def test_of_many_different_requests_with_one_key_one_acts_and_the_others_are_refused(database: Database) -> None:
    bodies = [f'{{"n": {n}}}'.encode() for n in range(10)]
    await asyncio.gather(
        *(once(database, asked("k", body), acting(str(n))) for n, body in enumerate(bodies)), return_exceptions=True
    )
    (word,) = await effects(database)

    outcomes = Counter[str]()
    for n, body in enumerate(bodies):
        try:
            await once(database, asked("k", body), acting("again"))
            assert str(n) == word
            outcomes["answered"] += 1
        except KeyReused:
            outcomes["refused"] += 1
    assert outcomes == {"answered": 1, "refused": 9}
    assert await effects(database) == [word]


async def test_a_key_belongs_to_its_client(database: Database) -> None:
    await once(database, asked("k", client="mx"), acting("mx"))
    await once(database, asked("k", client="us"), acting("us"))

    assert await effects(database) == ["mx", "us"]


async def test_what_fails_leaves_neither_an_effect_nor_an_answer(database: Database) -> None:
    async def refused(connection: Connection) -> Answer:
        await acting("half")(connection)
        raise Problem(ProblemKind(409, "not-now", "Not now"))

    with pytest.raises(Problem):
        await once(database, asked("k"), refused)
    assert await effects(database) == []
    assert (await once(database, asked("k"), acting("later"))).body == {"word": "later"}


async def test_while_the_first_works_the_second_is_refused_or_waits_for_its_answer(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: Connection) -> Answer:
        begun.set()
        await go_on.wait()
        return await acting("slow")(connection)

    async def find(connection: Connection, request: KeyedRequest) -> KeptAnswer | None:
        row = await connection.fetchrow("select * from api_request where idem_key = $1", request.key)
        return KeptAnswer(row["body_sha256"], Answer(row["status"], row["response"])) if row else None

    async def waits() -> Answer | None:
        async with database.transaction() as connection:
            return await kept_answer(database, connection, asked("k"), find, waits=True)

    first = asyncio.create_task(once(database, asked("k"), slow))
    await begun.wait()
    with pytest.raises(KeyInFlight) as in_flight:
        await once(database, asked("k"), acting("too soon"))
    second = asyncio.create_task(waits())
    done, _ = await asyncio.wait([second], timeout=0.2)
    assert not done, "it waits for the first"
    go_on.set()

    assert await first == await second == Answer(201, {"word": "slow"})
    assert in_flight.value.response({}).headers["retry-after"] == "1"
    assert await effects(database) == ["slow"]


async def test_a_clients_key_in_flight_holds_up_no_other_client(database: Database) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(connection: Connection) -> Answer:
        begun.set()
        await go_on.wait()
        return await acting("mx")(connection)

    first = asyncio.create_task(once(database, asked("k", client="mx"), slow))
    await begun.wait()
    assert (await once(database, asked("k", client="us"), acting("us"))).body == {"word": "us"}
    go_on.set()
    await first

    assert await effects(database) == ["mx", "us"]


async def test_answers_are_kept_as_long_as_we_say_and_then_forgotten(database: Database) -> None:
    kept = IdempotencySettings(keep_hours=24)
    await once(database, asked("old"), acting("old"))
    await once(database, asked("young"), acting("young"))
    async with database.connection() as connection:
        for key, age in (("old", timedelta(hours=24, seconds=1)), ("young", timedelta(hours=23, minutes=59))):
            await connection.execute(
                "update api_request set created_at = clock_timestamp() - $1::interval where idem_key = $2", age, key
            )

    await AnswerExpiry(database, kept).expire_once()

    async with database.connection() as connection:
        assert await connection.fetchval("select array_agg(idem_key) from api_request") == ["young"]


def test_less_than_the_promised_day_can_t_be_set() -> None:
    with pytest.raises(ValueError, match="24"):
        IdempotencySettings(keep_hours=23)


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_the_layout_of_a_body_makes_no_other_request(body: dict[str, int | str]) -> None:
    import json

    compact = json.dumps(body, separators=(",", ":")).encode()
    spread = json.dumps(dict(reversed(body.items())), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert request_digest("POST", "/a", compact) == request_digest("POST", "/a", spread)
    assert request_digest("POST", "/a", compact) != request_digest("PUT", "/a", compact)
    assert request_digest("POST", "/a", compact) != request_digest("POST", "/b", compact)


def http_request(headers: dict[str, str]) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b'{"a": 1}', "more_body": False}

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/a", "headers": raw, "query_string": b"", "server": ("a", 1)}
    return Request(scope, receive)


@pytest.mark.parametrize("key", [None, "", "a" * 256, "é", "a\x7fb"])
async def test_a_key_is_asked_for_and_checked(key: str | None) -> None:
    with pytest.raises(Problem) as refused:
        await keyed_request(http_request({} if key is None else {"Idempotency-Key": key}), "mx")

    assert (refused.value.status, refused.value.kind.name) == (400, "idempotency-key")


async def test_a_request_is_known_by_its_client_key_and_content() -> None:
    request = await keyed_request(http_request({"Idempotency-Key": "a" * 255}), "mx")

    assert request == KeyedRequest("mx", "a" * 255, request_digest("POST", "/a", b'{"a":1}'))
