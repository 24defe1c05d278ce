"""Records that can never work go to `<topic>-dead`, with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from prometheus_client import Counter

from services.plumbing.kafka.producer import KafkaProducer, RawRecord
from services.plumbing.logs import log

DEAD_LETTERS = Counter("pledgewire_dead_letters_total", "Records given up on, by the topic they came from", ["topic"])


LONGEST_REASON = 1000
"""Characters."""


@dataclass(frozen=True)
class DeadLetter:
    """A record that can never work, and why."""

    record: ConsumerRecord[bytes, bytes]
    reason: str
    error: str
    """The kind of the error: the name of its class."""


def dead_letter(record: ConsumerRecord[bytes, bytes], error: Exception) -> DeadLetter:
    """The record, put aside for this error."""
    return DeadLetter(record, str(error)[:LONGEST_REASON] or repr(error), type(error).__name__)


class DeadLetters:
    """Sends records to `<topic>-dead`: the same bytes, key and headers, with the reason and where they came from."""

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Send them all and wait; raises where the broker does not take one, so that its record comes again."""
        if not letters:
            return
        await self._producer.send_raw([_dead_record(letter) for letter in letters])
        for letter in letters:
            DEAD_LETTERS.labels(letter.record.topic).inc()
            log.error(
                "a record was put aside",
                action="dead_letter",
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                reason=letter.reason,
            )


def _dead_record(letter: DeadLetter) -> RawRecord:
    record = letter.record
    why = {
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_error": letter.error,
        "dead_reason": letter.reason,
    }
    value = record.value
    if record.key is None and value is None:
        # The client refuses a record that has neither; without this it would come again for ever.
        value, why["dead_value"] = b"", "null"
    headers = [*record.headers, *((name, text.encode()) for name, text in why.items())]
    return f"{record.topic}-dead", record.key, value, headers
