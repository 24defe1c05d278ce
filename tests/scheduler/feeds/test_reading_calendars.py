"""What stands at the address of a calendar."""

from datetime import date, timedelta
from itertools import product

import feedparser

from contracts.filters import Filters, matches
from contracts.vocabulary import Status
from services.notifier.events.event_types import EVENT_TYPES
from tests.scheduler.feeds.scenes import days, only, parsed
from tests.scheduler.feeds.serving import COAL, END_OF_2021, SUMMIT, THEN, LiveScheduler
from tests.scheduler.scenes import brief, changed, created, milestone, scheduled


async def test_a_move_changes_one_event_of_the_calendar_and_its_validator(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(SUMMIT))
    path = (await scheduler.makes())["paths"][0]
    before = await scheduler.reads(path)

    scheduler.clock.set(THEN + timedelta(days=1))
    await scheduler.hears(scheduled(milestone(date(2022, 3, 31)), 2, change="moved"))
    after = await scheduler.reads(path, **{"if-none-match": before.headers["etag"]})

    old, new = parsed(before.content), parsed(after.content)
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]
    assert after.headers["last-modified"] == "Fri, 19 Nov 2021 18:00:00 GMT"
    assert old.keys() == new.keys()
    [uid] = [uid for uid in old if old[uid].serialize() != new[uid].serialize()]
    assert uid == f"{END_OF_2021.id}@pledgewire"
    assert (old[uid].sequence.value, new[uid].sequence.value) == ("0", "1")
    assert days(new[uid]) == (date(2022, 3, 31), date(2022, 3, 31))


async def test_a_withdrawal_cancels_and_a_return_brings_back(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    path = (await scheduler.makes())["paths"][0]
    seen = []
    for seq, status in enumerate((Status.WITHDRAWN, Status.IN_PROGRESS, Status.MET), 1):
        await scheduler.hears(changed(status, seq))
        event = only((await scheduler.reads(path)).content)
        seen.append((event.status.value, event.sequence.value, event.summary.value.partition(":")[0]))

    assert seen == [("CANCELLED", "1", "Cancelled"), ("CONFIRMED", "2", "Due"), ("CONFIRMED", "2", "Met")]


async def test_a_lost_date_cancels(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(milestone(None, id_="never-dated")))
    path = (await scheduler.makes())["paths"][0]

    await scheduler.hears(scheduled(milestone(None), 2, change="moved"))

    event = only((await scheduler.reads(path)).content)
    assert (event.status.value, event.sequence.value) == ("CANCELLED", "1")
    assert days(event) == (date(2021, 12, 31), date(2021, 12, 31))


async def test_an_unchanged_feed_is_not_rendered_again(scheduler: LiveScheduler) -> None:
    """
    What is known is 304, what was rendered is given again, though by now it could not even be rendered.
    """
    await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.IN_PROGRESS))
    made = await scheduler.makes()
    first = [await scheduler.reads(path) for path in made["paths"]]
    await scheduler.sql("update calendar_entry set milestone = '{}'")
    await scheduler.sql("update feed_event set body = '{}'")

    for path, answer in zip(made["paths"], first, strict=True):
        for known in (answer.headers["etag"], f"W/{answer.headers['etag']}", f'"other", {answer.headers["etag"]}', "*"):
            again = await scheduler.reads(path, **{"if-none-match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == answer.headers["etag"]
        assert (await scheduler.reads(path)).content == answer.content
        assert (await scheduler.reads(path, **{"if-none-match": '"other"'})).status_code == 200


async def test_the_head_of_a_feed_is_that_of_its_reading(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    for path in (await scheduler.makes())["paths"]:
        read = await scheduler.reads(path)
        head = await scheduler.http.head(path, headers={"authorization": ""})

        hidden = {"x-correlation-id"}
        assert head.content == b""
        assert {n: v for n, v in head.headers.items() if n not in hidden} == {
            n: v for n, v in read.headers.items() if n not in hidden
        }
        assert int(head.headers["content-length"]) == len(read.content)


async def test_another_scheduler_gives_the_same_bytes(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021), changed(Status.AT_RISK))
    made = await scheduler.makes()

    async with scheduler.another() as other:
        for path in made["paths"]:
            one, two = await scheduler.reads(path), await other.get(path, headers={"authorization": ""})
            assert (one.content, one.headers["etag"]) == (two.content, two.headers["etag"])


async def test_what_a_feed_does_not_hold_leaves_it_alone(scheduler: LiveScheduler) -> None:
    await scheduler.hears(created(), scheduled(END_OF_2021))
    holding = await scheduler.makes(filters={"commitments": [COAL]})
    other = await scheduler.makes(filters={"commitments": ["something-else"]})
    tags = {path: (await scheduler.reads(path)).headers["etag"] for path in (*holding["paths"], *other["paths"])}

    await scheduler.hears(scheduled(milestone(date(2022, 3, 31)), 2, change="moved"))

    for path in holding["paths"]:
        assert (await scheduler.reads(path)).headers["etag"] != tags[path]
    for path in other["paths"]:
        assert (await scheduler.reads(path, **{"if-none-match": tags[path]})).status_code == 304
    assert parsed((await scheduler.reads(other["paths"][0])).content) == {}


async def test_filters_mean_what_they_mean_for_subscriptions(scheduler: LiveScheduler) -> None:
    """
    For every combination of filters and traits, a feed holds what the notifier would tell a subscription of.
    """
    events = []
    for n, (parties, themes, section) in enumerate(
        product([("MX",), ("CA", "US")], [("climate",), ("trade", "work")], ["climate", "opening"])
    ):
        what = milestone(date(2022, 1, 1), id_=f"m-{n}", parties=parties)
        commitment = brief(f"c-{n}").model_copy(update={"themes": themes, "section": section})
        events.append(scheduled(what, id_=f"c-{n}").model_copy(update={"commitment": commitment}))
    await scheduler.hears(*events)
    terms = {
        "parties": [[], ["MX"], ["CA", "MX"]],
        "themes": [[], ["work"], ["climate", "health"]],
        "sections": [[], ["opening"]],
        "commitments": [[], ["c-0", "c-7"]],
    }

    for chosen in product(*terms.values()):
        form = dict(zip(terms, chosen, strict=True))
        made = await scheduler.makes(filters=form)
        calendar, atom, _ = made["paths"]
        rule = Filters(**{name: frozenset(values) for name, values in form.items()})
        expected = {e.milestone.id for e in events if matches(rule, EVENT_TYPES["milestone-scheduled"].traits(e))}
        assert {uid.partition("@")[0] for uid in parsed((await scheduler.reads(calendar)).content)} == expected, form
        links = {entry.link for entry in feedparser.parse((await scheduler.reads(atom)).content).entries}
        assert links == {f"https://pledges.example/commitments/c-{id_[2:]}" for id_ in expected}, form
        await scheduler.http.delete(f"/feeds/{made['id']}")


async def test_a_change_that_commits_behind_a_later_one_is_seen(scheduler: LiveScheduler) -> None:
    """
    A slower transaction has the lower mark: who knows the state between the two has not seen it all.
    """
    await scheduler.hears(created(), scheduled(END_OF_2021), scheduled(SUMMIT))
    path = (await scheduler.makes())["paths"][0]
    change = "update calendar_entry set mark = nextval('calendar_mark') where milestone_id = $1"

    async with scheduler.database.transaction() as slower:
        await slower.execute(change, END_OF_2021.id)
        await scheduler.sql(change, SUMMIT.id)
        between = (await scheduler.reads(path)).headers["etag"]

    assert (await scheduler.reads(path, **{"if-none-match": between})).status_code == 200
