"""Whatever stands on a public topic is shown or passed over, and what stands beside it is shown."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from services.i18n.languages import LANGUAGES
from services.i18n.words import words_in
from services.portal.event_lines import event_line
from services.portal.live_feed import TOPICS, LiveFeed
from tests.contracts.golden_records import PATHS, Wire, golden, record_of, wire
from tests.contracts.record_mutations import spoiled

READ = [wire(path) for path in PATHS if golden(path)["topic"] in TOPICS]
_offsets = count()


@settings(max_examples=60, deadline=None)
@given(
    between=st.lists(st.sampled_from(READ).flatmap(spoiled), min_size=2, max_size=6),
    beside=st.lists(st.sampled_from(READ), min_size=2, max_size=2),
)
async def test_each_record_is_shown_or_passed_over_and_good_neighbours_are_shown(
    between: list[Wire], beside: list[Wire]
) -> None:
    feed = LiveFeed()
    records = [record_of(one, next(_offsets)) for one in (beside[0], *between, beside[1])]

    await feed.take(records)

    shown = feed.latest()
    assert {records[0].offset, records[-1].offset} <= {live.position.offset for live in shown}
    for live in shown:
        for language in LANGUAGES:
            line = event_line(live, words_in(language))
            assert line.text.encode() and line.commitment == live.commitment_id
