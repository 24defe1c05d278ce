"""Makes the broker's topics those of `contracts/topics.py`, and says first what it would change."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.topics import (
    DEAD_RETENTION_MS,
    DEAD_TOPIC,
    EVERY_TOPIC,
    OWN,
    Topic,
    ingest_topic,
    rejected_topic,
)
from services.plumbing.kafka.settings import KafkaSettings


@dataclass(frozen=True)
class WantedTopic:
    """A topic as it is to be."""

    name: str
    partitions: int
    config: Mapping[str, str]


@dataclass(frozen=True)
class TopicChange:
    """One thing to change; `what` is for people."""

    topic: str
    kind: str  # create | partitions | config
    what: str


def wanted_topics(brokers: int, topics: Iterable[Topic] = OWN) -> list[WantedTopic]:
    """Every topic and its dead-letter topic, for a cluster of that many brokers."""
    every = _every_topic(brokers)
    wanted = []
    for topic in topics:
        wanted.append(_of_card(topic, brokers))
        keep = {"retention.ms": str(DEAD_RETENTION_MS)}
        wanted.append(WantedTopic(topic.dead, 1, every | keep | DEAD_TOPIC))
    return wanted


def ministry_topics(code: str, brokers: int) -> list[WantedTopic]:
    """The topics of one ministry: what it reports on, that one's dead letters, and what of it was refused."""
    return [*wanted_topics(brokers, [ingest_topic(code)]), _of_card(rejected_topic(code), brokers)]


def _of_card(topic: Topic, brokers: int) -> WantedTopic:
    config = _every_topic(brokers) | {"retention.ms": str(topic.retention_ms)} | topic.config
    return WantedTopic(topic.name, topic.partitions, config)


def _every_topic(brokers: int) -> dict[str, str]:
    return {"min.insync.replicas": str(min(2, brokers)), **EVERY_TOPIC}


def plan(wanted: list[WantedTopic], found: Mapping[str, WantedTopic]) -> list[TopicChange]:
    """What has to change; topics that we don't know are left alone, partitions are never taken away."""
    changes = []
    for topic in wanted:
        there = found.get(topic.name)
        if there is None:
            changes.append(TopicChange(topic.name, "create", f"create with {topic.partitions} partitions"))
            continue
        if there.partitions < topic.partitions:
            changes.append(TopicChange(topic.name, "partitions", f"partitions {there.partitions} → {topic.partitions}"))
        differing = {k: v for k, v in topic.config.items() if there.config.get(k) != v}
        for key, value in differing.items():
            changes.append(TopicChange(topic.name, "config", f"{key} {there.config.get(key, 'unset')} → {value}"))
    return changes


class TopicAdmin:
    """The broker's side of it."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._client = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=15_000)

    async def __aenter__(self) -> "TopicAdmin":
        await self._client.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def brokers(self) -> int:
        """How many brokers the cluster has."""
        return len((await self._client.describe_cluster())["brokers"])

    async def found(self, names: list[str]) -> dict[str, WantedTopic]:
        """Those of the named topics that exist, as they are."""
        existing = set(await self._client.list_topics())
        here = [name for name in names if name in existing]
        if not here:
            return {}
        descriptions = {d["topic"]: d for d in await self._client.describe_topics(here)}
        answers = await self._client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, n) for n in here])
        configs: dict[str, dict[str, str]] = {}
        for answer in answers:
            for resource in answer.resources:
                _, _, _, name, entries = resource
                configs[name] = {entry[0]: entry[1] for entry in entries}
        return {n: WantedTopic(n, len(descriptions[n]["partitions"]), configs.get(n, {})) for n in here}

    async def apply(self, wanted: list[WantedTopic], changes: list[TopicChange], replication: int) -> None:
        """Make the changes; one that somebody else made meanwhile is no error."""
        by_name = {topic.name: topic for topic in wanted}
        new = [by_name[c.topic] for c in changes if c.kind == "create"]
        if new:
            answer: Any = await self._client.create_topics(
                [NewTopic(t.name, t.partitions, replication, topic_configs=dict(t.config)) for t in new]
            )
            for name, code, *message in answer.topic_errors:
                if code not in (0, 36):  # 36: it exists already
                    raise RuntimeError(f"topic {name} was not created: {message or code}")
        more = {c.topic: NewPartitions(by_name[c.topic].partitions) for c in changes if c.kind == "partitions"}
        if more:
            await self._client.create_partitions(more)
        for name in sorted({c.topic for c in changes if c.kind == "config"}):
            # The whole set: this call replaces what was set on the topic before.
            resource = ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(by_name[name].config))
            await self._client.alter_configs([resource])
        await self._wait_until_usable([t.name for t in new])

    async def _wait_until_usable(self, names: list[str]) -> None:
        for _ in range(100):
            if not names:
                return
            described = await self._client.describe_topics(names)
            if all(d["partitions"] and all(p["leader"] >= 0 for p in d["partitions"]) for d in described):
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"no leader for some partitions of {', '.join(names)} after 10 s")


async def apply_topics(settings: KafkaSettings, *, dry_run: bool = False) -> list[TopicChange]:
    """Compare and, unless it is a dry run, change; the changes, empty when all is as it should be."""
    async with TopicAdmin(settings) as admin:
        brokers = await admin.brokers()
        wanted = wanted_topics(brokers)
        changes = plan(wanted, await admin.found([topic.name for topic in wanted]))
        if changes and not dry_run:
            await admin.apply(wanted, changes, min(3, brokers))
        return changes
