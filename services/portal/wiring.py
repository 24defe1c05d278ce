"""The portal, put together."""

from services.i18n.words import answer_language
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.http.app import web_app
from services.plumbing.kafka.consumer import kafka_broker
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.process import HttpSettings, Service
from services.portal.clients.notifier import NotifierApi
from services.portal.clients.registry import RegistryApi
from services.portal.clients.scheduler import SchedulerApi
from services.portal.clients.service_client import ServiceAddresses, ServiceClient, http_client
from services.portal.event_reader import LiveEventReader
from services.portal.live_feed import LiveFeed
from services.portal.page_renderer import PageRenderer
from services.portal.routes import add_routes
from services.portal.routes.portal import Portal


def build() -> Service:
    """The service from the environment; nothing connects before it runs."""
    kafka = KafkaSettings()
    broker = kafka_broker(kafka)
    feed = LiveFeed()
    reader = LiveEventReader(broker, feed)
    client, addresses = http_client(), ServiceAddresses()
    registry = RegistryApi(ServiceClient(client, addresses.registry_url))
    portal = Portal(
        registry=registry,
        scheduler=SchedulerApi(ServiceClient(client, addresses.scheduler_url)),
        notifier=NotifierApi(ServiceClient(client, addresses.notifier_url)),
        feed=feed,
        clock=clock_from(ClockSettings()),
        pages=PageRenderer(),
    )
    http = web_app(
        "portal",
        "Pledgewire portal",
        {"kafka": reader.check, "registry": registry.check},
        languages=answer_language,
    )
    add_routes(http, portal)
    return Service(
        name="portal",
        http=http,
        http_settings=HttpSettings(),
        broker=broker,
        work=[reader.run],
        closing=[client.aclose],
        certificates=kafka.certificates(),
    )
