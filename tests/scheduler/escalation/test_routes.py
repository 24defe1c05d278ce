"""Escalations over HTTP."""

import asyncio
from datetime import timedelta

from tests.scheduler.escalation.running import DUE, FIRST, LATEST, OVERDUE, Scheduler
from tests.scheduler.scenes import created, milestone, scheduled, utc


async def test_the_same_request_has_the_same_answer_and_no_second_effect(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)

    first = await scheduler.acknowledges(key="one")
    scheduler.clock.set(utc(2022, 1, 5))
    again, *more = await asyncio.gather(*(scheduler.acknowledges(key="one") for _ in range(5)))
    other = await scheduler.acknowledges("Luc Roy", key="one")

    assert (first.status_code, again.status_code) == (201, 201)
    assert all(one.json() == first.json() for one in (again, *more))
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert (await scheduler.log()).count("acknowledged") == 1


async def test_a_key_of_one_milestone_is_none_of_another(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(LATEST, id_="other")))
    await scheduler.ticks_at(FIRST)

    answers = await asyncio.gather(*(scheduler.acknowledges(key="one", milestone_id=id_) for id_ in (DUE.id, "other")))

    assert sorted(answer.status_code for answer in answers) == [201, 422]


async def test_requests_that_cannot_be_are_refused_with_a_reason(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    path = f"/milestones/{DUE.id}/acknowledgements"
    keyed = {"Idempotency-Key": "a"}

    early = await scheduler.acknowledges()
    unknown = await scheduler.acknowledges(milestone_id="nobody-knows-it")
    await scheduler.ticks_at(FIRST)
    refused = {
        "no key": await scheduler.http.post(path, json={"name": "Ana"}),
        "no name": await scheduler.http.post(path, json={"note": "Ana"}, headers=keyed),
        "blanks": await scheduler.http.post(path, json={"name": "  "}, headers=keyed),
        "a number": await scheduler.http.post(path, json={"name": 1}, headers=keyed),
        "a line break": await scheduler.http.post(path, json={"name": "Ana\nRuiz"}, headers=keyed),
        "more": await scheduler.http.post(path, json={"name": "Ana", "until": "then"}, headers=keyed),
        "no JSON": await scheduler.http.post(path, content=b"Ana", headers=keyed),
        "nobody": await scheduler.http.post(path, json={"name": "Ana"}, headers={**keyed, "Authorization": ""}),
    }

    assert (early.status_code, early.json()["detail"]) == (
        409,
        "the milestone is not overdue: its last day is 2021-12-31",
    )
    assert (unknown.status_code, unknown.json()["type"]) == (404, "/problems/not-found")
    assert {what: answer.status_code for what, answer in refused.items()} == {
        "no key": 400,
        "no name": 422,
        "blanks": 422,
        "a number": 422,
        "a line break": 422,
        "more": 422,
        "no JSON": 415,
        "nobody": 401,
    }
    assert "acknowledged" not in await scheduler.log()


async def test_the_record_tells_how_it_came_about(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()

    record = (await scheduler.http.get(f"/milestones/{DUE.id}/escalation")).json()

    assert (record["state"], record["next_level"], record["latest"]) == ("owned", "focal-point", "2021-12-31")
    assert [(line["what"], line["level"], line["name"], line["client"]) for line in record["log"]] == [
        ("overdue", None, None, None),
        ("told", "focal-point", None, None),
        ("acknowledged", None, "Ana Ruiz", "mx-sre"),
    ]
    assert (await scheduler.http.get("/milestones/nobody-knows-it/escalation")).status_code == 404


async def test_who_is_on_it_is_not_taken_over_silently(scheduler: Scheduler) -> None:
    """
    A second one hears who is on it since when, and takes over by naming them; the log and the audit log keep both.
    """
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()
    again = await scheduler.acknowledges(note="Still on it.")
    refused = await scheduler.acknowledges("Luc Roy")
    mistaken = await scheduler.acknowledges("Luc Roy", take_over_from="Zoe Diaz")
    taken = await scheduler.acknowledges("Luc Roy", take_over_from="Ana Ruiz")
    too_late = await scheduler.acknowledges("Zoe Diaz", take_over_from="Ana Ruiz")

    assert again.status_code == 201
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/owned-by-another")
    assert (refused.json()["held_by"], refused.json()["held_since"]) == ("Ana Ruiz", FIRST.isoformat())
    assert mistaken.status_code == 409
    assert (taken.status_code, taken.json()["acknowledged"]["name"]) == (201, "Luc Roy")
    assert too_late.json()["held_by"] == "Luc Roy"
    record = (await scheduler.http.get(f"/milestones/{DUE.id}/escalation")).json()
    assert [(line["what"], line["name"]) for line in record["log"]][2:] == [
        ("acknowledged", "Ana Ruiz"),
        ("acknowledged", "Ana Ruiz"),
        ("taken-over", "Ana Ruiz"),
        ("acknowledged", "Luc Roy"),
    ]
    noted = await scheduler.rows("select action, client, before || after as told from audit_pending order by id")
    assert [(row["action"], row["client"]) for row in noted] == [
        ("milestone.acknowledged", "mx-sre"),
        ("milestone.acknowledged", "mx-sre"),
        ("milestone.taken-over", "mx-sre"),
    ]
    assert not any(name in str(row["told"]) for row in noted for name in ("Ana", "Luc"))


async def test_the_list_is_paged_in_the_order_of_what_comes_next(scheduler: Scheduler) -> None:
    names = [f"commitment-{i}" for i in range(7)]
    await scheduler.hears(*(created(name) for name in names))
    await scheduler.hears(
        *(
            scheduled(milestone(LATEST - timedelta(days=i // 2), id_=f"{name}-one"), id_=name)
            for i, name in enumerate(names)
        )
    )
    await scheduler.ticks_at(OVERDUE)
    await scheduler.acknowledges(milestone_id="commitment-0-one")

    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await scheduler.http.get("/escalations", params={"limit": "2", **cursor})).json()
        found += [item["milestone_id"] for item in page["items"]]
        if not page["next_cursor"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    owned = (await scheduler.http.get("/escalations", params={"state": "owned"})).json()
    mine = (await scheduler.http.get("/escalations", params={"commitment": "commitment-3"})).json()

    nexts = await scheduler.rows("select milestone_id from escalation where state = 'climbing' order by next_at, 1")
    assert found == [row["milestone_id"] for row in nexts]
    assert len(found) == 6
    assert [item["milestone_id"] for item in owned["items"]] == ["commitment-0-one"]
    assert [item["milestone_id"] for item in mine["items"]] == ["commitment-3-one"]
    assert (await scheduler.http.get("/escalations", params={"cursor": "bm9uZQ=="})).status_code == 400
