"""The portal as it runs, with small neighbours over real HTTP; its feed is fed by hand, with the golden records."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import httpx2
import pytest
from aiokafka import ConsumerRecord

from services.plumbing.clock import SharedClock
from services.plumbing.http.app import web_app
from services.portal.feed import Feed
from services.portal.pages import Pages
from services.portal.routes import Portal, add_routes
from services.portal.service_clients import Neighbours, NeighbourSettings
from tests.contracts.golden_records import Wire, example
from tests.portal.serving import Served
from tests.stand_ins.neighbours import Neighbourhood, noon

TODAY = date(2022, 12, 1)
"""A good day for the pages: the summit is late, some milestones are behind, some far ahead."""

Record = ConsumerRecord[bytes, bytes]


def record_of(wire: Wire, offset: int, partition: int = 0, written_ms: int | None = None) -> Record:
    """The record as the feed's consumer hands it over."""
    return ConsumerRecord(
        topic=wire.topic.name,
        partition=partition,
        offset=offset,
        timestamp=written_ms if written_ms is not None else 1_700_000_000_000 + offset,
        timestamp_type=0,
        key=wire.key,
        value=wire.value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=wire.headers,
    )


@dataclass
class Standing:
    """Everything that is up for a test."""

    url: str
    served: Served
    feed: Feed
    neighbourhood: Neighbourhood
    offsets: Iterator[int] = field(default_factory=lambda: count(1))

    def push(self, name: str) -> Record:
        """Let the feed hear a golden record."""
        record = record_of(example(name), next(self.offsets))
        self.served.run(self.feed.take([record]))
        return record

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask as a browser does; `accept_language="fr"` and the like are headers."""
        named = {"accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx2.get(self.url + path, headers=named)


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing]:
    neighbourhood = Neighbourhood(TODAY)
    clock = SharedClock(tmp_path / "clock")
    clock.set(noon(TODAY))
    feed = Feed()
    with Served(neighbourhood.app) as theirs:
        neighbours = Neighbours(
            NeighbourSettings(
                registry_url=f"{theirs.url}/registry",
                scheduler_url=f"{theirs.url}/scheduler",
                notifier_url=f"{theirs.url}/notifier",
            )
        )
        app = web_app("portal", "Pledgewire portal", {"registry": neighbours.check}, docs_url=None, redoc_url=None)
        add_routes(app, Portal(neighbours, feed, clock, Pages()))
        with Served(app) as ours:
            try:
                yield Standing(ours.url, ours, feed, neighbourhood)
            finally:
                ours.run(_close(feed, neighbours))


async def _close(feed: Feed, neighbours: Neighbours) -> None:
    feed.close()
    await neighbours.close()
