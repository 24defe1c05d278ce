"""Builds the registry; nothing is connected before it runs."""

from functools import partial

import httpx2

from contracts.audit_heads import audit_head_record
from contracts.majors import LATER_NAMES, said_later, with_later_majors
from contracts.topics import INGEST_PATTERN, written_by
from services.plumbing.audit.chaining import LOOK_SECONDS, AuditChain, AuditSettings, unlinked_entries
from services.plumbing.audit.keyed_hash import AuditHashSettings, KeyedHash
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.idempotency import AnswerExpiry, IdempotencySettings
from services.plumbing.kafka.consumer import TopicPattern, kafka_broker, subscribe
from services.plumbing.kafka.dead_letters import DeadLetters
from services.plumbing.kafka.health import kafka_check
from services.plumbing.kafka.intake import Intake
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.outbox import unpublished_events
from services.plumbing.periodic import UNDER_A_SETTABLE_CLOCK, Clockwork, PeriodicTask
from services.plumbing.process import HttpSettings, Service
from services.plumbing.recovery.comparison import OutboxComparison
from services.plumbing.recovery.consumed import ConsumedPositions
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.plumbing.schema import SchemaGate
from services.plumbing.sending_gate import SendingGate
from services.registry.actions.commitment_states import StatePublisher
from services.registry.actions.consistency_check import ConsistencyCheck, ConsistencySettings
from services.registry.actions.taking_over import TOPICS as WRITTEN
from services.registry.actions.taking_over import MissedRegistryEvents, count_unpublished
from services.registry.http.app import http_app
from services.registry.intake import ReportIntake
from services.registry.key_table import KeyTable
from services.registry.migrations import VERSIONS
from services.registry.received_reports import read_report
from services.registry.retention import prunable
from services.registry.scheduler_client import LONGEST_HOLD, SchedulerClient, SchedulerClientSettings
from services.registry.store.commitment_states import states_due

SECONDS_BETWEEN_CHECKS = 30.0
"""Of real time, between two questions whether another day of business time is to be checked."""


def build() -> Service:
    """The registry from its environment."""
    clock = clock_from(ClockSettings())
    database = Database(DatabaseSettings(), "registry")
    schema = SchemaGate(database, VERSIONS)
    kafka = KafkaSettings()
    producer = KafkaProducer(kafka)
    broker = kafka_broker(kafka, written_by("registry"))
    intake = Intake(
        "registry",
        read_report,
        ReportIntake(database, clock).apply,
        DeadLetters(producer),
        positions=ConsumedPositions(database, "registry"),
    )
    subscribe(broker, TopicPattern(INGEST_PATTERN), intake)

    key_table = KeyTable(database, ApiKeys(ApiKeySettings()))
    http = httpx2.AsyncClient(timeout=LONGEST_HOLD, trust_env=False)
    gate = SendingGate()
    consistency = ConsistencySettings()
    check = ConsistencyCheck(database, clock, consistency, may_send=lambda: gate.is_open)
    seconds = UNDER_A_SETTABLE_CLOCK if clock.settable else SECONDS_BETWEEN_CHECKS
    topics = [topic.name for topic in WRITTEN]
    comparison = OutboxComparison(
        database, TopicReader(kafka), with_later_majors(topics), MissedRegistryEvents(), said_later, LATER_NAMES
    )
    retention = RetentionSettings()
    pruner = Pruner(database, prunable(retention), retention, clock.now)
    audit_settings = AuditSettings()
    head_record = partial(audit_head_record, "registry")
    chain = AuditChain(database, clock, audit_settings, head_record, may_link=lambda: gate.compared)
    clockwork = Clockwork(
        PeriodicTask("consistency", check.beat, seconds),
        *([] if clock.settable else [PeriodicTask("retention", pruner.beat, pruner.seconds)]),
        PeriodicTask("audit", chain.beat, LOOK_SECONDS, chain.is_called),
    )

    events, states = unpublished_events(database), states_due(database)
    checks = {
        "database": database.ping,
        "schema": schema.check,
        "kafka": kafka_check(broker, producer),
        "outbox": gate.unless_held(events.check),
        "states": gate.unless_held(states.check),
        "keys": key_table.keys.check,
    }
    return Service(
        name="registry",
        http=http_app(
            database,
            clock,
            key_table.keys,
            checks,
            _holds(SchedulerClientSettings(), http),
            {"recovery": gate.describe, "api_keys": key_table.keys.facts, "schema": schema.describe},
            key_table.read,
            keyed_hash=KeyedHash.from_settings(AuditHashSettings()),
            no_news_months=consistency.no_news_months,
        ),
        http_settings=HttpSettings(),
        broker=broker,
        database=database,
        schema=schema,
        producer=producer,
        work=(
            key_table.run,
            Relay(database, producer, OutboxSettings(), comparison, gate, count_unpublished).run,
            AnswerExpiry(database, IdempotencySettings()).run,
            StatePublisher(database, clock, may_write=lambda: gate.is_open).run,
            clockwork.run,
        ),
        waiting=(events, states, unlinked_entries(database, clock)),
        certificates=(*kafka.certificates(), *database.certificates()),
        closing=(http.aclose,),
    )


def _holds(settings: SchedulerClientSettings, http: httpx2.AsyncClient) -> SchedulerClient | None:
    if not (settings.url and settings.key):
        return None
    return SchedulerClient(http, settings.url, settings.key.get_secret_value())
