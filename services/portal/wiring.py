"""The portal, put together."""

from services.plumbing.broker import KafkaSettings, kafka_broker
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.process import HttpSettings, Service
from services.plumbing.web import web_app
from services.portal.feed import Feed
from services.portal.neighbours import Neighbours, NeighbourSettings
from services.portal.routes import Portal, add_routes
from services.portal.tail import Tail
from services.portal.visits import Pages


def build() -> Service:
    """The service from the environment; nothing connects before it runs."""
    broker = kafka_broker(KafkaSettings())
    feed = Feed()
    tail = Tail(broker, feed)
    neighbours = Neighbours(NeighbourSettings())
    http = web_app(
        "portal",
        "Pledgewire portal",
        {"kafka": tail.check, "registry": neighbours.check},
        docs_url=None,  # FastAPI's viewers load their script from a CDN
        redoc_url=None,
    )
    add_routes(http, Portal(neighbours, feed, clock_from(ClockSettings()), Pages()))
    return Service(
        name="portal",
        http=http,
        http_settings=HttpSettings(),
        broker=broker,
        work=[tail.run],
        closing=[neighbours.close],
    )
