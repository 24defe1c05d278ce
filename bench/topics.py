"""Topics that several databases publish to, one after the other."""

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from contracts.topics import INTERNAL, PUBLIC, Topic
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.retry import Backoff, until_it_works


async def empty_topics(kafka: KafkaSettings, topics: Iterable[Topic] = PUBLIC + INTERNAL) -> None:
    """Leave no record: what another database has published would make the next one an old backup of that."""
    places = [TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)]
    admin = AIOKafkaAdminClient(**kafka.client_options())
    await admin.start()
    try:
        await until_it_works(
            lambda: admin.delete_records({place: RecordsToDelete(before_offset=-1) for place in places}),
            Backoff(longest=1.0),
            lambda error, pause: None,
            passes=lambda error: isinstance(error, KafkaError),  # a topic that was just made has no leader yet
        )
    finally:
        await admin.close()
