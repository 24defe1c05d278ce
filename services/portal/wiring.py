"""The portal, put together."""

from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.http.app import web_app
from services.plumbing.kafka.consumer import kafka_broker
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.process import HttpSettings, Service
from services.portal.event_reader import Tail
from services.portal.feed import Feed
from services.portal.pages import Pages
from services.portal.routes import Portal, add_routes
from services.portal.service_clients import Neighbours, NeighbourSettings


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
