"""The broker's side of dead letters: they are read, put on their topics again, and removed."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete

from contracts.topics import topic_named
from services.cli.dead_letters.letters import Letter, LetterId, Settlement, letter
from services.plumbing.kafka.dead_letters import is_dead_topic
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader

Progress = Callable[[int, int], None]


async def read_letters(
    settings: KafkaSettings, settled: Mapping[tuple[LetterId, datetime], Settlement], progress: Progress
) -> list[Letter]:
    """All letters of all topics of ours that are there; raises `Unavailable`."""
    async with _admin(settings) as admin:
        names = [name for name in await admin.list_topics() if is_dead_topic(name) and _is_ours(name)]
    if not names:
        return []
    letters: list[Letter] = []
    async with TopicReader(settings).open(names) as topics:
        bounds = await topics.bounds()
        total = sum(one.end - one.first for one in bounds.values())
        starts = {place: one.first for place, one in bounds.items()}
        ends = {place: one.end for place, one in bounds.items()}
        async for batch in topics.read(starts, ends):
            letters += [letter(record, settled) for record in batch]
            progress(len(letters), total)
    return letters


async def replay(settings: KafkaSettings, letters: Sequence[Letter], progress: Progress) -> None:
    """Put the records on their topics again as they were, into the same partitions, in the order given."""
    producer = AIOKafkaProducer(**settings.client_options(), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for count, one in enumerate(letters, 1):
            partitions = await producer.partitions_for(one.origin)
            partition = one.origin_partition if one.origin_partition in partitions else None
            headers = list(one.headers)
            await producer.send_and_wait(one.origin, one.value, key=one.key, partition=partition, headers=headers)
            progress(count, len(letters))
    finally:
        await producer.stop()


async def remove(settings: KafkaSettings, ends: Mapping[tuple[str, int], int]) -> None:
    """Delete the letters below these offsets, so that the depth counts those alone that are open.

    Where our own services read letters (`ladder-chosen-dead`) they stay: nobody knows whether all have been read.
    """
    wanted = {
        TopicPartition(topic, partition): RecordsToDelete(end)
        for (topic, partition), end in ends.items()
        if not topic_named(topic.removesuffix("-dead")).dead_readers
    }
    if wanted:
        async with _admin(settings) as admin:
            await admin.delete_records(wanted)


def _is_ours(dead: str) -> bool:
    try:
        topic_named(dead.removesuffix("-dead"))
    except (KeyError, ValueError):
        return False
    return True


@asynccontextmanager
async def _admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=15_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
