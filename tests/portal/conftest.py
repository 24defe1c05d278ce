"""The portal as it runs, with stand-ins of the services over real HTTP; its feed is fed by hand."""

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
from services.portal.clients.notifier import NotifierApi
from services.portal.clients.registry import RegistryApi
from services.portal.clients.scheduler import SchedulerApi
from services.portal.clients.service_client import ServiceClient, http_client
from services.portal.live_feed import LiveFeed
from services.portal.page_renderer import PageRenderer
from services.portal.routes import add_routes
from services.portal.routes.portal import Portal
from tests.contracts.golden_records import Wire, example, record_of
from tests.portal.serving import Served
from tests.registry.catalogue.material import TWENTY_PARTIES, twenty_parties
from tests.stand_ins.portal_register import noon
from tests.stand_ins.portal_services import StandInServices

TODAY = date(2022, 12, 1)
"""A good day for the pages: the summit is late, some milestones are behind, some far ahead."""

Record = ConsumerRecord[bytes, bytes]


@dataclass
class ServedPortal:
    """Everything that is up for a test."""

    url: str
    served: Served
    feed: LiveFeed
    services: StandInServices
    parts: Portal
    offsets: Iterator[int] = field(default_factory=lambda: count(1))

    def use_notifier(self, notifier: NotifierApi) -> None:
        """Ask another notifier than the one that stands in."""
        object.__setattr__(self.parts, "notifier", notifier)

    def push(self, name: str) -> Record:
        """Let the feed take in a golden record."""
        return self.take(example(name))

    def take(self, wire: Wire) -> Record:
        """Let the feed take in a record."""
        record = record_of(wire, next(self.offsets))
        self.served.run(self.feed.take([record]))
        return record

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask as a browser does; `accept_language="fr"` and the like are headers."""
        named = {"accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return httpx2.get(self.url + path, headers=named)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[ServedPortal]:
    services = StandInServices(TODAY)
    clock = SharedClock(tmp_path / "clock")
    clock.set(noon(TODAY))
    feed = LiveFeed()
    with Served(services.app) as theirs:
        client = http_client()
        registry = RegistryApi(ServiceClient(client, f"{theirs.url}/registry"))
        app = web_app("portal", "Pledgewire portal", {"registry": registry.check})
        parts = Portal(
            registry=registry,
            scheduler=SchedulerApi(ServiceClient(client, f"{theirs.url}/scheduler")),
            notifier=NotifierApi(ServiceClient(client, f"{theirs.url}/notifier")),
            feed=feed,
            clock=clock,
            pages=PageRenderer(),
        )
        add_routes(app, parts)
        with Served(app) as ours:
            try:
                yield ServedPortal(ours.url, ours, feed, services, parts)
            finally:
                ours.run(_close(feed, client))


@pytest.fixture
def both(portal: ServedPortal) -> ServedPortal:
    """The portal of a register that holds both."""
    (text,) = TWENTY_PARTIES.glob("*.txt")
    portal.services.register.hold(twenty_parties(), text.read_text(encoding="utf-8"))
    return portal


async def _close(feed: LiveFeed, client: httpx2.AsyncClient) -> None:
    feed.close()
    await client.aclose()
