"""Dead-letter topics that take everything and remember it."""

from collections.abc import Sequence

from services.plumbing.kafka.dead_letters import DeadLetter, DeadLetters
from services.plumbing.kafka.producer import KafkaProducer, RawRecord


class _Remembering(KafkaProducer):
    def __init__(self) -> None:
        self.taken: list[RawRecord] = []

    async def offer_raw(self, records: Sequence[RawRecord]) -> list[Exception | None]:
        for _, key, value, headers in records:
            # What aiokafka asks for of what it sends.
            assert key is None or isinstance(key, bytes)
            assert value is None or isinstance(value, bytes)
            for name, content in headers:
                name.encode()
                assert content is None or isinstance(content, bytes)
        self.taken += records
        return [None] * len(records)


class RememberedDeadLetters(DeadLetters):
    """The real dead letters, as they are written, without a broker behind them."""

    def __init__(self) -> None:
        self._remembering = _Remembering()
        super().__init__(self._remembering)
        self.reasons: dict[tuple[str, int, int], str] = {}
        """Why a record was put aside, by its place."""

    async def bury(self, group: str, letters: Sequence[DeadLetter]) -> None:
        await super().bury(group, letters)
        for one in letters:
            place = one.record.topic, one.record.partition, one.record.offset
            assert place not in self.reasons, "put aside twice"
            self.reasons[place] = one.reason
