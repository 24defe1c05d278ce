"""What a backup says of itself, and what the topics say of it when it is put back. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT: Literal[1] = 1
MANIFEST, DUMP = "manifest.json", "database"
"""The files of a backup; the second is a folder, as pg_dump writes it."""


class Manifest(BaseModel):
    """A backup; it is whole once this lies beside the dump."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    made_at: datetime
    made_by: str
    """The version of Pledgewire."""
    server: str
    """The version of PostgreSQL."""
    revisions: Mapping[str, str]
    """Of each schema."""
    rows: Mapping[str, Annotated[int, Field(ge=0)]]
    """How many each table had, by its name with its schema, in the same snapshot."""
    table_bytes: Annotated[int, Field(ge=0)]
    """What the tables took on the server's disk, without their indexes."""
    topics: Mapping[str, Mapping[int, Annotated[int, Field(ge=0)]]] | None
    """The end of each partition when the dump began; None where Kafka was not asked."""
    files: Mapping[str, str]
    """SHA-256 of each file of the dump, by its name."""


@dataclass(frozen=True)
class TopicNow:
    """How a topic stands to a backup."""

    topic: str
    newer: int
    """Records that came since."""
    lost: int
    """Records that were there then and lie beyond its end now."""

    def __str__(self) -> str:
        """For people."""
        if self.lost:
            return f"{self.topic}: ends {self.lost} records before the backup; what the database has is published again"
        return f"{self.topic}: {self.newer} records came since"


def compared(then: Mapping[str, Mapping[int, int]], now: Mapping[str, Mapping[int, int]]) -> list[TopicNow]:
    """The topics that are not as they were, by name; one that is gone has lost all."""
    found = []
    for topic in sorted({*then, *now}):
        before, after = then.get(topic, {}), now.get(topic, {})
        partitions = {*before, *after}
        newer = sum(max(0, after.get(one, 0) - before.get(one, 0)) for one in partitions)
        lost = sum(max(0, before.get(one, 0) - after.get(one, 0)) for one in partitions)
        if newer or lost:
            found.append(TopicNow(topic, newer, lost))
    return found
