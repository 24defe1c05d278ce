"""Where the topics end."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from contracts.topics import topic_named
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.transient_errors import Unavailable


async def topic_ends(settings: KafkaSettings) -> dict[str, dict[int, int]]:
    """The end of each partition of our topics, dead letters and ministries' included; raises `Unavailable`."""
    admin = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=15_000)
    consumer = AIOKafkaConsumer(**settings.client_options(), request_timeout_ms=15_000)
    try:
        try:
            await admin.start()
            names = [name for name in await admin.list_topics() if _is_ours(name)]
            described = await admin.describe_topics(names) if names else []
        finally:
            await admin.close()
        await consumer.start()
        places = [TopicPartition(one["topic"], part["partition"]) for one in described for part in one["partitions"]]
        ends: dict[str, dict[int, int]] = {name: {} for name in sorted(names)}
        for place, end in (await consumer.end_offsets(places) if places else {}).items():
            ends[place.topic][place.partition] = end
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {settings.bootstrap_servers} did not say where topics end: {error!r}") from error
    finally:
        await consumer.stop()
    return ends


def _is_ours(name: str) -> bool:
    try:
        topic_named(name.removesuffix("-dead"))
    except KeyError:
        return False
    return True
