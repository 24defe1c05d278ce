"""The only place where the scheduler's real parts are built; they connect when it runs."""

from datetime import UTC, datetime
from functools import partial

from contracts.audit_heads import audit_head_record
from contracts.envelope import event_in
from contracts.events import ApiKeyChanged
from contracts.majors import LATER_NAMES, said_later, with_later_majors
from contracts.topics import API_KEY_CHANGED, written_by
from services.plumbing.audit.chaining import LOOK_SECONDS, AuditChain, AuditSettings, unlinked_entries
from services.plumbing.audit.keyed_hash import AuditHashSettings, KeyedHash
from services.plumbing.clock import ClockSettings, clock_from
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.kafka.consumer import kafka_broker, subscribe
from services.plumbing.kafka.dead_letters import DeadLetters
from services.plumbing.kafka.followed_topic import FollowedTopic
from services.plumbing.kafka.health import kafka_check
from services.plumbing.kafka.intake import Intake
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.kafka.settings import KafkaSettings
from services.plumbing.kafka.topic_reader import TopicReader
from services.plumbing.outbox import unpublished_events
from services.plumbing.periodic import UNDER_A_SETTABLE_CLOCK, Clockwork, PeriodicTask
from services.plumbing.process import CannotStart, HttpSettings, Service
from services.plumbing.recovery.comparison import OutboxComparison
from services.plumbing.recovery.consumed import ConsumedPositions
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.plumbing.schema import SchemaGate
from services.plumbing.sending_gate import SendingGate
from services.plumbing.waiting import OldestWaiting
from services.scheduler.application import http_app
from services.scheduler.escalation.book import EscalationSettings
from services.scheduler.escalation.escalator import Escalator
from services.scheduler.escalation.notifier_client import NotifierClient, NotifierSettings
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.feeds.collecting import ReminderCollector
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.holds.registry_client import RegistryClient, RegistrySettings
from services.scheduler.holds.store import HoldSweep
from services.scheduler.intake import GROUP, Planner
from services.scheduler.migrations import VERSIONS
from services.scheduler.reminders.claims import OLDEST_DUE
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.records import TOPICS, read_record
from services.scheduler.reminders.replanning import Replanner
from services.scheduler.reminders.tick import Tick, TickSettings
from services.scheduler.retention import prunable
from services.scheduler.taking_over import TOPICS as WRITTEN
from services.scheduler.taking_over import MissedSchedulerEvents, count_due

OLDEST_TICK = 10.0
"""Seconds, of real time, after which a scheduler that hasn't ticked isn't ready."""

NOT_BEFORE = datetime(2020, 1, 1, tzinfo=UTC)
"""A clock that shows less was never set: no reminder is older than the first statement, of 2021."""

SWEEP_SECONDS = 4.0
"""Between two looks at the holds."""


def build() -> Service:
    """The scheduler, from the environment."""
    clock = clock_from(ClockSettings())
    if clock.now() < NOT_BEFORE:
        raise CannotStart(
            f"the clock says {clock.now():%Y-%m-%dT%H:%MZ}, and by such a clock all reminders would be planned wrongly",
            "set this machine's clock, or the one that PLEDGEWIRE_CLOCK_FILE names, and start again",
        )
    kafka_settings = KafkaSettings()
    database = Database(DatabaseSettings(), "scheduler")
    schema = SchemaGate(database, VERSIONS)
    producer = KafkaProducer(kafka_settings)
    broker = kafka_broker(kafka_settings, written_by("scheduler"))
    rules_cache = RulesCache()
    escalations = EscalationStore(EscalationSettings().book())
    gate = SendingGate()
    tick = Tick(database, clock, rules_cache, may_send=lambda: gate.is_open)
    planner = Planner(database, clock, rules_cache, escalations, tick.planned)
    positions = ConsumedPositions(database, GROUP)
    subscribe(broker, TOPICS, Intake(GROUP, read_record, planner.apply, DeadLetters(producer), positions=positions))
    keys = ApiKeys(ApiKeySettings())
    known_keys = FollowedTopic(broker, API_KEY_CHANGED.name, partial(event_in, ApiKeyChanged), keys.learn)
    keys.silence = known_keys.silence
    escalator = Escalator(database, clock, escalations, may_send=lambda: gate.is_open)
    missed_events = MissedSchedulerEvents(tick, escalator)
    written = [topic.name for topic in WRITTEN]
    comparison = OutboxComparison(
        database, TopicReader(kafka_settings), with_later_majors(written), missed_events, said_later, LATER_NAMES
    )
    relay = Relay(database, producer, OutboxSettings(), comparison, gate, partial(count_due, clock))
    seconds = TickSettings().tick_seconds
    if clock.settable:
        seconds = min(seconds, UNDER_A_SETTABLE_CLOCK)

    registry_settings = RegistrySettings()
    registry = RegistryClient(registry_settings.url, registry_settings.deadline) if registry_settings.url else None
    notifier_settings = NotifierSettings()
    notifier = NotifierClient(notifier_settings.url, notifier_settings.deadline) if notifier_settings.url else None
    retention = RetentionSettings()
    pruner = Pruner(database, prunable(retention), retention, clock.now)
    audit_settings = AuditSettings()
    head_record = partial(audit_head_record, "scheduler")
    chain = AuditChain(database, clock, audit_settings, head_record, may_link=lambda: gate.compared)
    clockwork = Clockwork(
        PeriodicTask("audit", chain.beat, LOOK_SECONDS, chain.is_called),
        PeriodicTask("tick", tick.beat, seconds, lambda: tick.is_called),
        PeriodicTask("escalation", escalator.beat, seconds),
        PeriodicTask("holds", HoldSweep(database, registry).once, SWEEP_SECONDS),
        *([] if clock.settable else [PeriodicTask("retention", pruner.beat, pruner.seconds)]),
    )

    events = unpublished_events(database)
    due = OldestWaiting(database, "reminders", OLDEST_DUE, lambda: [clock.now()])

    async def ticks() -> str | None:
        return f"the last tick was {tick.age:.0f} s ago" if tick.age > OLDEST_TICK else None

    return Service(
        name="scheduler",
        http=http_app(
            database,
            clock,
            keys,
            {
                "database": database.ping,
                "schema": schema.check,
                "kafka": kafka_check(broker, producer),
                "outbox": gate.unless_held(events.check),
                "keys": keys.check,
                "tick": ticks,
                "reminders": gate.unless_held(due.check),
            },
            rules_cache=rules_cache,
            escalations=escalations,
            feed_settings=FeedSettings(),
            notifier=notifier,
            facts={"recovery": gate.describe, "api_keys": keys.facts, "schema": schema.describe},
            keyed_hash=KeyedHash.from_settings(AuditHashSettings()),
        ),
        http_settings=HttpSettings(),
        broker=broker,
        database=database,
        schema=schema,
        producer=producer,
        work=(
            relay.run,
            known_keys.run,
            clockwork.run,
            Replanner(database, rules_cache, seconds).run,
            ReminderCollector(database, clock).run,
        ),
        waiting=(events, due, unlinked_entries(database, clock)),
        certificates=(*kafka_settings.certificates(), *database.certificates()),
        closing=tuple(client.close for client in (registry, notifier) if client),
    )
