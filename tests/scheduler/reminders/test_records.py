"""Records as the scheduler reads them: every topic whose card names it is read as what its intake plans by."""

from types import SimpleNamespace

import pytest

from contracts.topics import ALL
from services.scheduler.reminders.records import TOPICS, read_record
from tests.contracts.golden_records import PATHS, wire

RECORDS = {path.stem: record for path in PATHS if "scheduler" in (record := wire(path)).topic.readers}


@pytest.mark.parametrize("name", RECORDS)
def test_a_golden_record_is_read_with_its_envelope(name: str) -> None:
    record = RECORDS[name]
    arrived = SimpleNamespace(
        topic=record.topic.name, key=record.key, headers=tuple(record.headers), value=record.value
    )
    read = read_record(arrived)  # type: ignore[arg-type]  # of a consumer record this is all that is read

    assert (read.envelope, read.event) == record.read()


def test_what_is_read_is_what_the_cards_say() -> None:
    declared = {topic.name for topic in ALL if "scheduler" in topic.readers}

    assert set(TOPICS) == declared == {record.topic.name for record in RECORDS.values()}
