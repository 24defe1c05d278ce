"""What Kafka says: topics, rules of access, how far readers are behind, and what was put aside."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from contracts.topics import OWN
from services.cli.access.principals import GROUPS
from services.cli.doctor.diagnosis import Diagnosis, good, unknown, wrong
from services.plumbing.kafka.settings import KafkaSettings

if TYPE_CHECKING:
    from services.plumbing.recovery.comparison import PartitionBounds

BETWEEN_LOOKS = 2.0
"""Seconds between two looks at how far a group is: who has moved in between is only behind."""
MUCH = 100_000
"""Records behind which are worth a word though their reader moves."""

Places = Mapping[tuple[str, int], int]
"""Offsets by topic and partition."""


class KafkaDoctor:
    """Looks at a broker."""

    def __init__(self, settings: KafkaSettings, access_file: Path | None) -> None:
        self._settings = settings
        self._access_file = access_file

    async def reach(self) -> str:
        """How many brokers there are; raises what aiokafka does where none can be reached."""
        from services.cli.topics import TopicAdmin

        async with TopicAdmin(self._settings) as admin:
            brokers = await admin.brokers()
        return f"{brokers} brokers answer" if brokers > 1 else "one broker answers"

    async def look_at_topics(self) -> Diagnosis:
        """Whether all topics are there, and as their cards say."""
        from services.cli.topics import apply_topics

        changes = await apply_topics(self._settings, dry_run=True)
        if changes:
            first = f"{changes[0].topic}: {changes[0].what}"
            more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
            return wrong("topics", f"{first}{more}", "pledgewire topics apply")
        return good("topics", f"all {len(OWN) * 2} are as their cards say")

    async def look_at_access(self) -> Diagnosis:
        """Whether the broker's users and rules are those of the file."""
        from services.cli.access.admin import AccessRefused
        from services.cli.access.applying import apply_access
        from services.cli.access.document import SHIPPED, read_access
        from services.cli.access.passwords import ServicePasswords

        document = read_access(self._access_file or SHIPPED)
        words = {name: word for name, word in ServicePasswords().given().items() if name in document.services}
        try:
            changes = await apply_access(self._settings, document, words, dry_run=True)
        except AccessRefused as error:
            return unknown("ACLs", f"the broker doesn't tell us: {error}", "log in as Kafka's super user to see them")
        if changes:
            first = f"{changes[0].principal}: {changes[0].what}"
            more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
            return wrong("ACLs", f"{first}{more}", "pledgewire access plan, then pledgewire access apply")
        return good("ACLs", "users, rules and quotas are as the file says")

    async def look_at_lag(self) -> list[Diagnosis]:
        """How far each group of our services is behind, and whether it moves."""
        from aiokafka.admin import AIOKafkaAdminClient

        admin = AIOKafkaAdminClient(**self._settings.client_options(), request_timeout_ms=10_000)
        await admin.start()
        try:
            groups = [group for named in GROUPS.values() for group in named]
            first = {group: await _committed(admin, group) for group in groups}
            await asyncio.sleep(BETWEEN_LOOKS)
            later = {group: await _committed(admin, group) for group in groups}
        finally:
            await admin.close()
        topics = sorted({topic for places in later.values() for topic, _ in places})
        ends = {place: one.end for place, one in (await self._bounds(topics)).items()}
        return [lag_of(group, first[group], later[group], ends) for group in groups]

    async def look_at_dead_letters(self) -> Diagnosis:
        """What nobody could read, and nobody has looked at."""
        lying: dict[str, int] = {}
        for (topic, _), one in (await self._bounds([topic.dead for topic in OWN])).items():
            lying[topic] = lying.get(topic, 0) + one.end - one.first
        found = {topic: count for topic, count in sorted(lying.items()) if count}
        if not found:
            return good("dead letters", "none")
        told = ", ".join(f"{count} on {topic}" for topic, count in found.items())
        return wrong("dead letters", told, "pledgewire dead-letters list")

    async def _bounds(self, topics: Sequence[str]) -> "Mapping[tuple[str, int], PartitionBounds]":
        """Of those that are there; that one is missing is for the look at topics to say."""
        from services.cli.topics import TopicAdmin
        from services.plumbing.kafka.topic_reader import TopicReader

        async with TopicAdmin(self._settings) as admin:
            there = await admin.found(list(topics))
        if not there:
            return {}
        async with TopicReader(self._settings).open(there) as reader:
            return await reader.bounds()


def lag_of(group: str, first: Places, later: Places, ends: Places) -> Diagnosis:
    """What two looks at a group's commits, and the ends of its topics, say."""
    name = f"lag of {group}"
    if not later:
        return unknown(name, "the group has read nothing yet")
    behind = {place: ends[place] - at for place, at in later.items() if ends.get(place, 0) > at}
    total = sum(behind.values())
    standing = sorted(place for place in behind if first.get(place) == later[place])
    if standing:
        topic, partition = standing[0]
        what = f"{total:,} records behind, and {topic}/{partition} does not move"
        return wrong(name, what, f"see in the log of {group.split('-')[0]} what it waits for, or start it")
    if total > MUCH:
        return wrong(name, f"{total:,} records behind, and moving", f"start another process of {group.split('-')[0]}")
    return good(name, f"{total:,} records behind" if total else "none")


async def _committed(admin: object, group: str) -> Places:
    found = await admin.list_consumer_group_offsets(group)  # type: ignore[attr-defined]  # aiokafka has no types
    return {(place.topic, place.partition): meta.offset for place, meta in found.items() if meta.offset >= 0}
