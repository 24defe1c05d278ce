"""Asks a broker for single operations as one principal, and gives its answers as Kafka's error codes."""

from types import TracebackType
from typing import Any, Self

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest
from aiokafka.protocol.coordination import FindCoordinatorRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from pydantic import SecretStr

from services.plumbing.kafka.settings import KafkaSettings

DENIED = {29, 30, 31, 53}
"""Kafka's codes for what a principal may not do with a topic, a group, the cluster, a transaction."""


def as_principal(kafka: KafkaSettings, name: str, password: str) -> KafkaSettings:
    """The same broker, as somebody else."""
    return kafka.model_copy(update={"sasl_username": name, "sasl_password": SecretStr(password)})


def _batch(size: int = 1) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=False,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=size + 1_000,
    )
    builder.append(0, timestamp=None, key=b"k", value=b"v" * size, headers=[])
    return bytes(builder.build())


class Asker:
    """One principal's client. Each method answers whether the broker lets it."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._client = AIOKafkaAdminClient(**kafka.client_options(), request_timeout_ms=15_000)

    async def __aenter__(self) -> Self:
        await self._client.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def _ask(self, request: Any) -> Any:
        return await self._client._send_request(request)

    # ---- topics

    async def sees(self, topic: str) -> bool:
        """Metadata: which partitions there are."""
        answer = await self._ask(MetadataRequest([topic], False))
        return _lets(answer.topics[0][0])

    async def describes(self, topic: str) -> bool:
        """ListOffsets: where it begins and ends."""
        answer = await self._ask(OffsetRequest(-1, 0, [(topic, [(0, -1)])]))
        return _lets(answer.topics[0][1][0][1])

    async def reads(self, topic: str) -> bool:
        answer = await self._ask(FetchRequest(0, 0, 1_000_000, 0, [(topic, [(0, 0, 1_000_000)])]))
        return _lets(answer.topics[0][1][0][1])

    async def writes(self, topic: str) -> bool:
        answer = await self._ask(ProduceRequest(None, -1, 10_000, [(topic, [(0, _batch())])]))
        return _lets(answer.topics[0][1][0][1])

    async def creates(self, topic: str) -> bool:
        answer = await self._client.create_topics([NewTopic(topic, 1, 1)])
        return _lets(answer.topic_errors[0][1])

    async def deletes(self, topic: str) -> bool:
        answer = await self._client.delete_topics([topic])
        return _lets(answer.topic_error_codes[0][1])

    async def configures(self, topic: str) -> bool:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "1"})
        (answer,) = await self._client.alter_configs([resource])
        return _lets(answer.resources[0][0])

    async def looks_at_settings(self, topic: str) -> bool:
        (answer,) = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
        return _lets(answer.resources[0][0])

    async def adds_partitions(self, topic: str) -> bool:
        try:
            answer = await self._client.create_partitions({topic: NewPartitions(50)})
        except KafkaError as error:
            return _lets(getattr(error, "errno", 0))
        return _lets(answer.topic_errors[0][1])

    # ---- groups

    async def finds(self, group: str) -> bool:
        """FindCoordinator: the first thing that a member asks."""
        return _lets((await self._ask(FindCoordinatorRequest(group, 0))).error_code)

    async def looks_at_commits(self, group: str) -> bool:
        answer = await self._ask(OffsetFetchRequest(group, None))
        return _lets(answer.error_code)

    async def commits(self, group: str, topic: str) -> bool:
        """OffsetCommit, on a topic that the principal may read."""
        answer = await self._ask(OffsetCommitRequest(group, -1, "", -1, [(topic, [(0, 0, "")])]))
        return _lets(answer.topics[0][1][0][1])

    # ---- quotas: milliseconds for which the broker holds back what comes next

    async def held_back_writing(self, topic: str, size: int) -> int:
        answer = await self._ask(ProduceRequest(None, -1, 10_000, [(topic, [(0, _batch(size))])]))
        assert answer.topics[0][1][0][1] == 0
        return int(answer.throttle_time_ms)

    async def held_back_reading(self, topic: str) -> int:
        answer = await self._ask(FetchRequest(0, 0, 1_000_000, 0, [(topic, [(0, 0, 1_000_000)])]))
        assert not answer.topics or answer.topics[0][1][0][1] == 0  # who is held back gets nothing now
        return int(answer.throttle_time_ms)

    async def held_back_asking(self) -> int:
        return int((await self._ask(MetadataRequest([], False))).throttle_time_ms)


def _lets(code: int) -> bool:
    """Whether an error code says that it is allowed, whatever else may be the matter."""
    return code not in DENIED
