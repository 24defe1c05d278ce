"""Records that can never work go to `<topic>-dead`, with the reason and the group that put them aside."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import ConsumerRecord
from prometheus_client import Counter

from services.plumbing.kafka.producer import TOO_LARGE, KafkaProducer, RawRecord
from services.plumbing.kafka.unread import UnreadBatch
from services.plumbing.logs import log
from services.plumbing.tracing import CE_CORRELATION, header_of
from services.plumbing.transient_errors import Unavailable

DEAD_LETTERS = Counter(
    "pledgewire_dead_letters_total",
    "Records given up on, by the topic they came from and the group that gave them up",
    ["topic", "group"],
)

LONGEST_REASON = 1000
"""Characters."""

_MOST_KEPT = 16_384
"""Bytes of a key, and of all headers, that are kept of a record which is too large to be put aside as it is."""


def is_dead_topic(topic: str) -> bool:
    """Whether a topic is one of those that records are put aside in."""
    return topic.endswith("-dead")


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
    """Sends records to `<topic>-dead`: the same bytes, key and headers, with the reason and where they came from.

    What the broker does not take for its size is sent once more without its value, with the value's hash and length:
    any record that a topic has taken can be put aside.
    """

    def __init__(self, producer: KafkaProducer) -> None:
        self._producer = producer

    async def bury(self, group: str, letters: Sequence[DeadLetter]) -> None:
        """Put them all aside for a group and wait; raises where the broker does not take one, so that it comes again.

        Two groups that read the same topic put the same record aside twice; each says so under its name.
        """
        # What lies in a dead-letter topic has been put aside: it stays there, and there is no second such topic.
        sent = [letter for letter in letters if not is_dead_topic(letter.record.topic)]
        results = await self._producer.offer_raw([_dead_record(group, letter) for letter in sent]) if sent else []
        too_large = [letter for letter, error in zip(sent, results, strict=True) if isinstance(error, TOO_LARGE)]
        if too_large:
            results += await self._producer.offer_raw([_reduced_record(group, letter) for letter in too_large])
        for error in results[len(sent) :] + [e for e in results[: len(sent)] if not isinstance(e, TOO_LARGE)]:
            if error is not None:
                raise Unavailable(f"the broker did not take a dead letter: {error!r}") from error
        for letter in letters:
            DEAD_LETTERS.labels(letter.record.topic, group).inc()
            log.error(
                "a record was put aside",
                action="dead_letter",
                group=group,
                topic=letter.record.topic,
                partition=letter.record.partition,
                offset=letter.record.offset,
                reason=letter.reason,
                correlation_id=header_of(letter.record.headers, CE_CORRELATION),
            )


def _why(group: str, letter: DeadLetter) -> dict[str, str]:
    record = letter.record
    why = {
        "dead_group": group,
        "dead_topic": record.topic,
        "dead_partition": str(record.partition),
        "dead_offset": str(record.offset),
        "dead_error": letter.error,
        "dead_reason": letter.reason,
    }
    if isinstance(record.value, UnreadBatch):
        # Any number of records, from the first offset to the record's own.
        why |= {
            "dead_value": "unread",
            "dead_first_offset": str(record.value.first_offset),
            "dead_sha256": record.value.sha256,
            "dead_length": str(record.value.length),
        }
    return why


def _dead_record(group: str, letter: DeadLetter) -> RawRecord:
    record = letter.record
    why = _why(group, letter)
    value: bytes | None = record.value
    if record.key is None and value is None:
        # The client refuses a record that has neither; without this it would come again for ever.
        value, why["dead_value"] = b"", "null"
    headers = [*record.headers, *((name, text.encode()) for name, text in why.items())]
    return f"{record.topic}-dead", record.key, value, headers


def _reduced_record(group: str, letter: DeadLetter) -> RawRecord:
    """The letter without the value, and without a key and headers that are large themselves."""
    record = letter.record
    value: bytes = record.value or b""
    why = _why(group, letter)
    why |= {"dead_value": "too large", "dead_sha256": hashlib.sha256(value).hexdigest(), "dead_length": str(len(value))}
    key: bytes | None = record.key
    headers = list(record.headers)
    if key is not None and len(key) > _MOST_KEPT:
        why["dead_key_length"], key = str(len(key)), None
    if (size := sum(len(name.encode()) + len(text or b"") for name, text in headers)) > _MOST_KEPT:
        headers, why["dead_headers_length"] = [], str(size)
    return f"{record.topic}-dead", key, b"", [*headers, *((name, text.encode()) for name, text in why.items())]
