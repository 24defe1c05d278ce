"""How far a consumer's group is behind: over all partitions of its topics, by the ends that the broker tells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from services.plumbing.kafka.dead_letters import is_dead_topic
from services.plumbing.kafka.standing import StandingPartitions

_UNKNOWN_READINGS = 3
"""From so many readings in a row on, a commit that is not there was dropped with its topic: a coordinator that is only
just coming back, after its broker was frozen, was seen to know no commit of a group for a moment."""


@dataclass(frozen=True)
class LagReading:
    """What was found at one moment."""

    lag: Mapping[TopicPartition, int]
    """Records not yet taken, of every partition that there is, whoever reads it."""
    ends: Mapping[TopicPartition, int]
    committed: Mapping[TopicPartition, int]
    positions: Mapping[TopicPartition, int]
    """Of the partitions that this consumer has: the next record that it takes."""
    polled: int
    """A figure that changes whenever the consumer hears of a partition; 0 for one that has none."""
    missing: tuple[str, ...]
    """Topics that there are not, dead-letter topics among them."""
    beyond: tuple[TopicPartition, ...]
    """Partitions that end before what was read or committed, or whose commits the broker has dropped for good, as it
    does with those of a deleted topic: what was in them is gone, even where more has been written since."""
    dead: Mapping[str, int]
    """How many records lie in each dead-letter topic."""
    unknown_for: Mapping[TopicPartition, int]
    """For how many readings in a row the broker has known no commit where it knew one before."""


async def ask_for_topics(consumer: Any) -> Any:
    """What topics there are with which partitions; one answer is for all consumers of a process."""
    # Not `topics()`, which tells names only, and what this consumer knows may be seconds old.
    return await consumer._client.fetch_all_metadata()


def renew_if_outdated(consumer: Any, there: Any) -> None:
    """Have a consumer ask for its topics anew where the broker has just said something else of them than it knows.

    So partitions that were added are read within one look and a rebalance, and nobody asks for topics every few
    seconds for itself.
    """
    known = consumer._client.cluster
    names = consumer._client._topics or known.topics() | there.topics()  # by a pattern it knows all
    if any(known.partitions_for_topic(name) != there.partitions_for_topic(name) for name in names):
        consumer._client.force_metadata_update()


async def read_lag(
    consumer: Any,
    topics: Sequence[str],
    standing: StandingPartitions | None,
    earlier: LagReading | None,
    writes: Sequence[str] = (),
    cluster: Any = None,
) -> LagReading:
    """Ask the broker for ends and commits, and the consumer for its positions; raises where one can't be had.

    `earlier` is the reading before: an end never moves back. `standing` is None for a consumer that has
    no group, which puts nothing aside. `writes` are topics that are only looked for. `cluster` is what the broker
    has just said of its topics, where somebody has asked it (`ask_for_topics`).
    """
    cluster = cluster or await ask_for_topics(consumer)
    # What reads dead letters puts nothing aside in turn, so there is no topic for it.
    aside = [f"{topic}-dead" for topic in topics if standing is not None and not is_dead_topic(topic)]
    expected = [*topics, *aside]
    partitions = {
        topic: [TopicPartition(topic, number) for number in sorted(cluster.partitions_for_topic(topic) or ())]
        for topic in expected
    }
    wanted = [partition for topic in topics for partition in partitions[topic]]
    # Positions and commits before ends: the other way round a record between them would look like one that is gone.
    assigned = set(consumer.assignment())
    positions = {p: await consumer.position(p) for p in wanted if p in assigned}
    committed: dict[TopicPartition, int] = {}
    if standing is not None:
        found = await consumer._coordinator.fetch_committed_offsets(wanted)
        committed = {partition: meta.offset for partition, meta in found.items() if meta.offset >= 0}
    dead = [partition for topic in expected[len(topics) :] for partition in partitions[topic]]
    ends = await consumer.end_offsets([*wanted, *dead])
    places = {p: _place(p, positions, committed, standing) for p in wanted}
    # Where nothing lies, or nothing unread, the beginning says nothing.
    first = await consumer.beginning_offsets([p for p, end in ends.items() if end > places.get(p, 0)])

    lag, beyond = {}, []
    ends_before, committed_before = (earlier.ends, earlier.committed) if earlier else ({}, {})
    for partition in wanted:
        place = places[partition]
        # Behind a transaction that is open what is committed ends, but not what lies there.
        end = max(ends[partition], consumer.highwater(partition) or 0) if partition in assigned else ends[partition]
        lag[partition] = max(0, end - max(place, first.get(partition, 0)))
        if ends[partition] < max(place, committed.get(partition, 0), ends_before.get(partition, 0)):
            beyond.append(partition)
    unknown_before = earlier.unknown_for if earlier else {}
    unknown_for = _unknown_for(committed_before, committed, unknown_before)
    beyond += _dropped(committed_before, committed, unknown_before, unknown_for) & lag.keys()
    beyond += [partition for partition in ends_before if partitions[partition.topic] and partition not in lag]
    # What was known of a topic that is missing is held against it when it is there again.
    return LagReading(
        lag=lag,
        ends={p: end for p, end in ends_before.items() if not partitions[p.topic]} | {p: ends[p] for p in wanted},
        committed={p: place for p, place in committed_before.items() if _is_held_against(p, partitions, unknown_for)}
        | committed,
        positions=positions,
        polled=max((consumer.last_poll_timestamp(partition) or 0 for partition in positions), default=0),
        missing=tuple(topic for topic in [*expected, *writes] if not cluster.partitions_for_topic(topic)),
        beyond=tuple(beyond),
        dead=_depths(dead, first, ends),
        unknown_for=unknown_for,
    )


def _unknown_for(
    before: Mapping[TopicPartition, int], now: Mapping[TopicPartition, int], so_far: Mapping[TopicPartition, int]
) -> dict[TopicPartition, int]:
    """For how many readings in a row each commit of `before` has not been there, this one with them."""
    unknown = before.keys() - now.keys()
    if not now and len({partition.topic for partition in unknown}) > 1:
        return {}  # Several topics are hardly deleted at once: the group's coordinator is only just coming back.
    return {partition: so_far.get(partition, 0) + 1 for partition in unknown}


def _dropped(
    before: Mapping[TopicPartition, int],
    now: Mapping[TopicPartition, int],
    unknown_before: Mapping[TopicPartition, int],
    unknown_for: Mapping[TopicPartition, int],
) -> set[TopicPartition]:
    """The partitions whose commits were dropped with their topic, and not only by a coordinator that has come back.

    That one knows the same commits again. Of a topic that was made again the consumer may have read since.
    """
    lasting = {partition for partition, readings in unknown_for.items() if readings >= _UNKNOWN_READINGS}
    return lasting | {p for p in unknown_before if p in before and p in now and now[p] != before[p]}


def _is_held_against(
    partition: TopicPartition,
    partitions: Mapping[str, Sequence[TopicPartition]],
    unknown_for: Mapping[TopicPartition, int],
) -> bool:
    """Whether what was committed there is kept in mind: of a missing topic, and until it is known to be dropped."""
    return not partitions[partition.topic] or unknown_for.get(partition, 0) < _UNKNOWN_READINGS


def _depths(
    partitions: Sequence[TopicPartition], first: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> dict[str, int]:
    depths: dict[str, int] = {}
    for partition in partitions:
        depths[partition.topic] = depths.get(partition.topic, 0) + ends[partition] - first.get(partition, 0)
    return depths


def _place(
    partition: TopicPartition,
    positions: Mapping[TopicPartition, int],
    committed: Mapping[TopicPartition, int],
    standing: StandingPartitions | None,
) -> int:
    """The first record that is not taken."""
    waits = standing.offset(partition) if standing else None
    return waits if waits is not None else positions.get(partition, committed.get(partition, 0))
