"""Who is on it, for everybody: by ministry, for as long as it holds, and without anybody's name."""

from datetime import timedelta

from tests.scheduler.escalation.running import DUE, FIRST, LATEST, Scheduler
from tests.scheduler.scenes import created, milestone, scheduled

NOBODY = {"Authorization": ""}


async def test_everybody_reads_which_ministry_is_on_it_and_no_name(scheduler: Scheduler) -> None:
    await scheduler.hears(created(), scheduled(DUE), scheduled(milestone(LATEST, id_="other")))
    await scheduler.ticks_at(FIRST)
    before = (await scheduler.http.get("/acknowledgements", headers=NOBODY)).json()
    await scheduler.acknowledges("Ana Ruiz", note="We are on it.")
    answer = await scheduler.http.get("/acknowledgements", headers=NOBODY)

    assert before == {"items": [], "next_cursor": None}
    assert answer.json()["items"] == [
        {
            "milestone_id": DUE.id,
            "commitment_id": created().commitment.id,
            "ministry": "mx-sre",
            "since": FIRST.isoformat().replace("+00:00", "Z"),
        }
    ]
    assert "Ana" not in answer.text and "We are on it" not in answer.text
    again = {**NOBODY, "If-None-Match": answer.headers["etag"]}
    assert (await scheduler.http.get("/acknowledgements", headers=again)).status_code == 304


async def test_it_holds_until_the_time_for_evidence_is_over(scheduler: Scheduler) -> None:
    """
    Even where nobody has been asked again yet.
    """
    await scheduler.hears(created(), scheduled(DUE))
    await scheduler.ticks_at(FIRST)
    await scheduler.acknowledges()
    window = timedelta(days=scheduler.watched.book.evidence_within_days)
    listed = {}
    for name, at in (("last moment", FIRST + window - timedelta(seconds=1)), ("over", FIRST + window)):
        scheduler.clock.set(at)
        listed[name] = len((await scheduler.http.get("/acknowledgements")).json()["items"])

    assert listed == {"last moment": 1, "over": 0}


async def test_the_list_has_pages_and_is_of_one_commitment_where_asked(scheduler: Scheduler) -> None:
    ids = [f"milestone-{number}" for number in range(5)]
    await scheduler.hears(created(), *(scheduled(milestone(LATEST, id_=id_)) for id_ in ids))
    await scheduler.ticks_at(FIRST)
    for id_ in ids:
        await scheduler.acknowledges(milestone_id=id_)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await scheduler.http.get("/acknowledgements", params={"limit": 2, **cursor})).json()
        seen += [one["milestone_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert seen == ids
    other = await scheduler.http.get("/acknowledgements", params={"commitment": "another-one"})
    assert other.json()["items"] == []
    for query in ("cursor=forged", "state=owned", "limit=0"):
        assert (await scheduler.http.get(f"/acknowledgements?{query}")).status_code in (400, 422), query
