"""Records as the scheduler reads them: every topic whose card names it is read as what its intake plans by."""

from types import SimpleNamespace

import pytest

from contracts.topics import ALL, API_KEY_CHANGED
from services.scheduler.reminders.records import TOPICS, read_record
from tests.contracts.golden_records import PATHS, wire

DECLARED = {topic.name for topic in ALL if "scheduler" in topic.readers} - {API_KEY_CHANGED.name}
"""What its intake plans by; keys are followed by whoever checks them."""
RECORDS = {path.stem: record for path in PATHS if (record := wire(path)).topic.name in DECLARED}


@pytest.mark.parametrize("name", RECORDS)
def test_a_golden_record_is_read_with_its_envelope(name: str) -> None:
    record = RECORDS[name]
    arrived = SimpleNamespace(
        topic=record.topic.name, key=record.key, headers=tuple(record.headers), value=record.value
    )
    read = read_record(arrived)  # type: ignore[arg-type]  # of a consumer record this is all that is read

    assert (read.envelope, read.event) == record.read()


def test_what_is_read_is_what_the_cards_say() -> None:
    assert set(TOPICS) == DECLARED == {record.topic.name for record in RECORDS.values()}
