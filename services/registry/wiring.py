"""Builds the registry; nothing is connected before it runs."""

import httpx2

from contracts.topics import INGEST
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.kafka.consumer import kafka_broker, subscribe
from services.plumbing.kafka.dead_letters import DeadLetters
from services.plumbing.kafka.health import kafka_check
from services.plumbing.kafka.intake import Intake
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.outbox import OutboxSettings, Relay
from services.plumbing.periodic import UNDER_A_SETTABLE_CLOCK, Clockwork, PeriodicTask
from services.plumbing.process import HttpSettings, Service
from services.registry.actions.consistency_check import ConsistencySettings, DailyLook
from services.registry.actions.scheduler_holds import LONGEST_HOLD, HoldSettings, SchedulerHolds
from services.registry.http.idempotency import AnswerSettings, Forgetting
from services.registry.http.routes import http_app
from services.registry.intake import ReportIntake, read

SECONDS_BETWEEN_LOOKS = 30.0
"""Of real time, between two questions whether another day of business time is to be looked at."""


def build() -> Service:
    """The registry from its environment."""
    clock = clock_from(ClockSettings())
    database = Database(DatabaseSettings(), "registry")
    kafka = KafkaSettings()
    producer = KafkaProducer(kafka)
    broker = kafka_broker(kafka)
    intake = Intake("registry", read, ReportIntake(database, clock).apply, DeadLetters(producer))
    subscribe(broker, [topic.name for topic in INGEST], intake)

    http = httpx2.AsyncClient(timeout=LONGEST_HOLD, trust_env=False)
    look = DailyLook(database, clock, ConsistencySettings())
    seconds = UNDER_A_SETTABLE_CLOCK if clock.settable else SECONDS_BETWEEN_LOOKS
    clockwork = Clockwork(PeriodicTask("consistency", look.beat, seconds))

    checks = {"database": database.ping, "kafka": kafka_check(broker, producer)}
    return Service(
        name="registry",
        http=http_app(database, clock, ApiKeys(ApiKeySettings()), checks, _holds(HoldSettings(), http)),
        http_settings=HttpSettings(),
        broker=broker,
        database=database,
        producer=producer,
        work=(
            Relay(database, producer, OutboxSettings()).run,
            Forgetting(database, AnswerSettings()).run,
            clockwork.run,
        ),
        closing=(http.aclose,),
    )


def _holds(settings: HoldSettings, http: httpx2.AsyncClient) -> SchedulerHolds | None:
    if not (settings.url and settings.key):
        return None
    return SchedulerHolds(http, settings.url, settings.key.get_secret_value())
