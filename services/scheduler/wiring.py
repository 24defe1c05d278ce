"""The only place where the scheduler's real parts are built; they connect when it runs."""

from services.plumbing.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.broker import (
    DeadLetters,
    Intake,
    KafkaProducer,
    KafkaSettings,
    kafka_broker,
    kafka_check,
    subscribe,
)
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.outbox import OutboxSettings, Relay
from services.plumbing.process import HttpSettings, Service
from services.scheduler.clockwork import UNDER_A_SETTABLE_CLOCK, Clockwork, ClockworkSettings
from services.scheduler.escalating import Escalator
from services.scheduler.escalation_book import EscalationSettings
from services.scheduler.escalation_routes import escalation_router
from services.scheduler.escalations import Escalations
from services.scheduler.intake import GROUP, TOPICS, Planner, read
from services.scheduler.routes import build_http
from services.scheduler.tick import Tick

OLDEST_TICK = 10.0
"""Seconds, of real time, after which a scheduler that hasn't ticked isn't ready."""


def build() -> Service:
    """The scheduler, from the environment."""
    clock = clock_from(ClockSettings())
    clockwork_settings = ClockworkSettings()
    kafka_settings = KafkaSettings()
    database = Database(DatabaseSettings(), "scheduler")
    producer = KafkaProducer(kafka_settings)
    broker = kafka_broker(kafka_settings)
    escalations = Escalations(EscalationSettings().book())
    planner = Planner(database, clock, escalations)
    subscribe(broker, TOPICS, Intake(GROUP, read, planner.apply, DeadLetters(producer)))
    relay = Relay(database, producer, OutboxSettings())
    tick = Tick(database, clock)
    seconds = clockwork_settings.tick_seconds
    if clock.settable:
        seconds = min(seconds, UNDER_A_SETTABLE_CLOCK)

    async def ticks() -> str | None:
        return f"the last tick was {tick.age:.0f} s ago" if tick.age > OLDEST_TICK else None

    http = build_http(database, {"database": database.ping, "kafka": kafka_check(broker, producer), "tick": ticks})
    http.include_router(escalation_router(database, clock, ApiKeys(ApiKeySettings()), escalations))
    return Service(
        name="scheduler",
        http=http,
        http_settings=HttpSettings(),
        broker=broker,
        database=database,
        producer=producer,
        work=(
            relay.run,
            Clockwork(tick.once, seconds).run,
            Clockwork(Escalator(database, clock, escalations).beat, seconds).run,
        ),
    )
