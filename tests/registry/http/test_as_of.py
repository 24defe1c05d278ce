"""What did we hold to be true on day D: a commitment and the list, as of one moment and as it was known at another."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.registry.scenes import NOW, Register

APRIL, MAY, AUGUST = (datetime(2022, month, 1, 12, tzinfo=UTC) for month in (4, 5, 8))


async def stood(register: Register, commitment: str, **params: Any) -> tuple[str, str]:
    """How Mexico stood, and the whole."""
    record = await register.get(f"/commitments/{commitment}", **params)
    statuses = {one["party"]: one["status"] for one in record["party_statuses"]}
    return statuses["MX"], record["status"]


async def tell(register: Register, joint: str, at: datetime, **body: Any) -> None:
    register.clock.at = at
    answer = await register.report(joint, **body)
    assert answer.status_code == 201, answer.text


async def test_what_was_held_to_be_true(register: Register, joint: str) -> None:
    await tell(register, joint, APRIL, status="at-risk")
    # In May it turns out that it had been met in March; in August that this was wrong from April on.
    await tell(register, joint, MAY, status="met", occurred_at="2022-03-10T12:00:00Z")
    await tell(register, joint, AUGUST, status="missed", note="It was not.", occurred_at="2022-04-05T12:00:00Z")

    assert await stood(register, joint) == ("missed", "missed")
    assert await stood(register, joint, as_of="2022-03-09") == ("announced", "announced")
    assert await stood(register, joint, as_of="2022-03-10") == ("met", "partly-met")
    assert await stood(register, joint, as_of="2022-04-06") == ("missed", "missed")
    assert await stood(register, joint, as_of="2022-04-06", known_at="2022-05-31") == ("met", "partly-met")
    assert await stood(register, joint, as_of="2022-04-06", known_at="2022-04-28") == ("at-risk", "at-risk")
    assert await stood(register, joint, known_at="2022-04-01T11:59:59Z") == ("announced", "announced")


async def test_the_list_is_asked_the_same(register: Register, joint: str) -> None:
    await tell(register, joint, APRIL, status="at-risk")
    await tell(register, joint, MAY, status="in-progress")

    async def at_risk(**params: Any) -> list[str]:
        return [one["id"] for one in (await register.get("/commitments", limit=200, **params))["items"]]

    assert await at_risk(status="at-risk") == []
    assert await at_risk(status="at-risk", as_of="2022-04-10") == [joint]
    assert await at_risk(status="at-risk", party="MX", as_of="2022-04-10") == [joint]
    assert await at_risk(status="at-risk", party="CA", as_of="2022-04-10") == []
    assert await at_risk(status="at-risk", known_at="2022-04-10") == [joint]
    (item,) = [
        one
        for one in (await register.get("/commitments", limit=200, as_of="2022-04-10"))["items"]
        if one["id"] == joint
    ]
    assert item["status"] == "at-risk"


async def test_the_history_of_then_is_what_had_been_heard(register: Register, joint: str) -> None:
    await tell(register, joint, APRIL, status="at-risk")
    await tell(register, joint, MAY, status="in-progress")

    then = await register.get(f"/commitments/{joint}", known_at="2022-04-10")

    assert [one["status"] for one in then["status_updates"]] == ["at-risk"]


async def test_nothing_was_known_of_a_commitment_before_it_was_entered(register: Register, joint: str) -> None:
    earlier = (NOW - timedelta(days=1)).isoformat()
    answer = await register.client.get(f"/commitments/{joint}", params={"known_at": earlier})
    assert answer.status_code == 404
    assert (await register.get("/commitments", known_at=earlier))["items"] == []


async def test_a_moment_is_a_day_or_an_instant(register: Register, joint: str) -> None:
    for said in ("yesterday", "1637193600", "2022-13-01", "2022-02-01T12:00:00", "0001-01-01T00:00:00+14:00", ""):
        for name in ("as_of", "known_at"):
            for path in (f"/commitments/{joint}", "/commitments"):
                answer = await register.client.get(path, params={name: said})
                assert answer.status_code == 422, said
    for said in ("9999-12-31", "0001-01-01", "2022-02-01T12:00:00.5-06:00"):
        assert (await register.client.get("/commitments", params={"as_of": said})).status_code == 200
