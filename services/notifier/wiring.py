"""The only place where the notifier's real parts are built; they connect when it runs."""

import asyncio
import math
import time
from functools import partial
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.audit_heads import audit_head_record
from contracts.envelope import event_in
from contracts.events import ApiKeyChanged
from contracts.majors import LATER_NAMES, said_later, with_later_majors
from contracts.topics import API_KEY_CHANGED, written_by
from services.notifier.application import http_app
from services.notifier.channels import CHANNELS
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.claims import OLDEST_DUE
from services.notifier.delivery.dispatch import Dispatch, DispatchSettings
from services.notifier.delivery.fan_out import FanOut
from services.notifier.delivery.intake import GROUP, TOPICS, EventIntake, read
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.messages import MessageRenderer
from services.notifier.delivery.metrics import DISPATCH_AGE, QUEUE
from services.notifier.delivery.openings import Openings
from services.notifier.delivery.platform_limits import PaceSettings, PlatformLimits
from services.notifier.delivery.resuming import resume_deferred
from services.notifier.delivery.senders import senders_for
from services.notifier.delivery.standing_orders import StandingOrders
from services.notifier.delivery.taking_over import TOPICS as WRITTEN
from services.notifier.delivery.taking_over import MissedNotifierEvents, count_unsettled
from services.notifier.migrations import VERSIONS
from services.notifier.notices.channel_teller import ChannelTeller
from services.notifier.notices.link_mailer import LinkMailer
from services.notifier.notices.link_requests import LinkRequests
from services.notifier.notices.shared_changes import SharedChanges
from services.notifier.notices.undo_routes import undo_link, undo_tokens
from services.notifier.rendering.page_links import PageLinks
from services.notifier.retention import prunable
from services.notifier.silences.store import SilenceStore
from services.notifier.subscriptions import refused_ladders
from services.notifier.subscriptions.acknowledgement_links import AcknowledgementTokens, acknowledgement_token
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.refused_ladders import RefusedLadders
from services.notifier.subscriptions.resealing import SecretsWatch
from services.notifier.subscriptions.signed_ids import page_tokens
from services.notifier.subscriptions.subscription_links import shared_token
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.notifier.transport.http_client import HttpClient, HttpClientSettings
from services.notifier.transport.smtp import SmtpPool, SmtpSettings
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
from services.plumbing.periodic import Clockwork, PeriodicTask
from services.plumbing.process import HttpSettings, Service
from services.plumbing.recovery.comparison import OutboxComparison
from services.plumbing.recovery.consumed import ConsumedPositions
from services.plumbing.relay import OutboxSettings, Relay
from services.plumbing.retention.policy import RetentionSettings
from services.plumbing.retention.pruner import Pruner
from services.plumbing.retry import Backoff
from services.plumbing.schema import SchemaGate
from services.plumbing.secrets_at_rest import Secrets, SecretsSettings
from services.plumbing.sending_gate import SendingGate
from services.plumbing.transient_errors import is_transient
from services.plumbing.waiting import OldestWaiting

OLDEST_CLAIM = 15.0
"""Seconds, of real time, after which a notifier that hasn't looked for due deliveries isn't ready."""
_CHANGE_SECONDS = 4.0
"""Between two looks at who asked for their links, and what channels are to be told."""
_DEPTH_SECONDS = 5.0
_NOTICE_SECONDS = 30.0
_SECRETS_SECONDS = 20.0
"""Between two looks at the keys, and at what is sealed with which."""


class AllowListSettings(BaseSettings):
    """Where deliveries may go beyond the public network."""

    model_config = SettingsConfigDict(env_prefix="NOTIFIER_")

    allow_hosts: Annotated[tuple[str, ...], NoDecode, Field(default=())]
    """Networks (`10.1.0.0/16`) and host names, separated by commas; the demo lists its own loopback receiver."""

    @field_validator("allow_hosts", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        return tuple(part for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def build() -> Service:
    """The notifier, from the environment."""
    clock = clock_from(ClockSettings())
    kafka_settings, dispatch_settings, smtp_settings = KafkaSettings(), DispatchSettings(), SmtpSettings()
    link_settings = LinkSettings()
    secrets_settings = SecretsSettings()
    secrets = Secrets.from_settings(secrets_settings)
    allowed = AllowList.of(
        AllowListSettings().allow_hosts, mail=bool(smtp_settings.host), smtputf8=smtp_settings.smtputf8
    )
    database = Database(DatabaseSettings(), "notifier", has_queue=True)
    schema = SchemaGate(database, VERSIONS)
    secrets_watch = SecretsWatch(database, secrets_settings, secrets)
    producer = KafkaProducer(kafka_settings)
    broker = kafka_broker(kafka_settings, written_by("notifier"))
    gate = SendingGate()
    topics = [topic.name for topic in WRITTEN]
    comparison = OutboxComparison(
        database,
        TopicReader(kafka_settings),
        with_later_majors(topics),
        MissedNotifierEvents(),
        said_later,
        LATER_NAMES,
    )
    relay = Relay(database, producer, OutboxSettings(), comparison, gate, count_unsettled)
    links, destinations = UnsubscribeLinks(link_settings), Destinations(link_settings)
    tokens = page_tokens(link_settings)
    acknowledgement_tokens = AcknowledgementTokens(link_settings)
    pages = PageLinks(
        link_settings.portal_url,
        tokens.token,
        shared_token(tokens, clock),
        acknowledgement_token(acknowledgement_tokens, clock),
    )
    renderer = MessageRenderer(pages, links)
    http_settings = HttpClientSettings()
    longest = max(http_settings.deadline, smtp_settings.deadline) + dispatch_settings.hold_seconds
    if dispatch_settings.lease_seconds <= longest:
        # Or a second process would send what the first is still sending.
        raise ValueError(f"NOTIFIER_LEASE_SECONDS must be above {longest:g}, the longest that an attempt can take")
    http_client, smtp_pool = HttpClient(http_settings, allowed), SmtpPool(smtp_settings)
    senders = senders_for(
        CHANNELS, http_client, smtp_pool, renderer, clock, mail_sender=smtp_settings.mailbox, allowed=allowed
    )
    orders = StandingOrders(database, clock)
    openings = Openings(lambda: orders.silences, lambda: orders.trial, secrets)
    dispatch = Dispatch(
        database,
        senders,
        clock,
        dispatch_settings,
        mails=smtp_settings.connections,
        limits=PlatformLimits(PaceSettings().limits),
        may_send=lambda: gate.is_open and orders.may_send,
        openings=openings,
        secrets=secrets,
    )
    fan_out = FanOut(
        database,
        lease_seconds=dispatch_settings.lease_seconds,
        leases=dispatch.leases,
        openings=openings,
        secrets=secrets,
    )
    intake = EventIntake(fan_out, dispatch, clock)
    positions = ConsumedPositions(database, GROUP)
    subscribe(broker, TOPICS, Intake(GROUP, read, intake.apply, DeadLetters(producer), positions=positions))
    refused = RefusedLadders(database)
    ladder_intake = Intake(refused_ladders.GROUP, refused_ladders.read, refused.apply, DeadLetters(producer))
    subscribe(broker, refused_ladders.TOPICS, ladder_intake)
    keys = ApiKeys(ApiKeySettings())
    known_keys = FollowedTopic(broker, API_KEY_CHANGED.name, partial(event_in, ApiKeyChanged), keys.learn)
    keys.silence = known_keys.silence
    delivery_log = DeliveryLog(database)
    retention = RetentionSettings()
    pruner = Pruner(database, prunable(retention), retention, clock.now)
    audit_settings = AuditSettings()
    head_record = partial(audit_head_record, "notifier")
    chain = AuditChain(database, clock, audit_settings, head_record, may_link=lambda: gate.compared)
    silences = SilenceStore(database, resume_deferred)

    async def notice_ends() -> None:
        await silences.notice_ends(clock.now())

    link_mailer = LinkMailer(
        LinkRequests(database, destinations, secrets),
        smtp_pool,
        pages.subscription,
        clock,
        sender=smtp_settings.mailbox,
        allowed=allowed,
        may_send=lambda: gate.is_open and orders.may_send,
        may_tell=orders.may_tell,
    )
    undo = undo_tokens(link_settings)
    channel_teller = ChannelTeller(
        SharedChanges(database, secrets),
        http_client,
        undo_link(link_settings.portal_url, undo, clock),
        clock,
        may_send=lambda: gate.is_open and orders.may_send,
        may_tell=orders.may_tell,
    )
    clockwork = Clockwork(
        PeriodicTask("audit", chain.beat, LOOK_SECONDS, chain.is_called),
        PeriodicTask("silences", notice_ends, _NOTICE_SECONDS),
        PeriodicTask("link-mails", link_mailer.beat, _CHANGE_SECONDS),
        PeriodicTask("secrets", secrets_watch.beat, _SECRETS_SECONDS),
        *([] if clock.settable else [PeriodicTask("retention", pruner.beat, pruner.seconds)]),
        PeriodicTask("channel-notices", channel_teller.beat, _CHANGE_SECONDS),
    )

    DISPATCH_AGE.set_function(lambda: time.monotonic() - dispatch.alive)

    async def claims() -> str | None:
        age = time.monotonic() - dispatch.alive
        return f"it last looked for due deliveries {age:.0f} s ago" if age > OLDEST_CLAIM else None

    async def measure(stopping: asyncio.Event) -> None:
        while not stopping.is_set():
            try:
                for state, count in (await delivery_log.depths()).items():
                    QUEUE.labels(state).set(count)
                await orders.count_held()
            except Exception as error:
                if not is_transient(error):
                    raise
                for state in ("pending", "sending"):
                    QUEUE.labels(state).set(math.nan)  # unknown, not as it was
            await asyncio.wait([stop := asyncio.create_task(stopping.wait())], timeout=_DEPTH_SECONDS)
            stop.cancel()

    async def refresh_destinations(stopping: asyncio.Event) -> None:
        backoff, done = Backoff(longest=5.0), False
        while not (done or stopping.is_set()):
            try:
                await destinations.refresh(database, secrets)
                done = True
            except Exception as error:
                if not is_transient(error):
                    raise
                await backoff.wait(stopping)
        await stopping.wait()

    unpublished = unpublished_events(database)
    due = OldestWaiting(database, "deliveries", OLDEST_DUE, lambda: [clock.now()])
    checks = {
        "database": database.ping,
        "schema": schema.check,
        "kafka": kafka_check(broker, producer),
        "outbox": gate.unless_held(unpublished.check),
        "keys": keys.check,
        "dispatch": claims,
        "secrets": secrets_watch.check,
    }
    return Service(
        name="notifier",
        http=http_app(
            database,
            clock,
            keys,
            checks,
            links=links,
            pages=pages,
            tokens=tokens,
            acknowledgement_tokens=acknowledgement_tokens,
            undo_tokens=undo,
            destinations=destinations,
            allowed=allowed,
            facts={
                "recovery": gate.describe,
                "sending": orders.describe,
                "api_keys": keys.facts,
                "schema": schema.describe,
            },
            keyed_hash=KeyedHash.from_settings(AuditHashSettings()),
            secrets=secrets,
        ),
        http_settings=HttpSettings(),
        broker=broker,
        database=database,
        schema=schema,
        producer=producer,
        work=(relay.run, known_keys.run, refresh_destinations, orders.run, dispatch.run, measure, clockwork.run),
        waiting=(unpublished, due, unlinked_entries(database, clock)),
        certificates=(
            *kafka_settings.certificates(),
            *database.certificates(),
            *smtp_settings.certificates(),
            *link_settings.certificates(),
        ),
        closing=(http_client.close, smtp_pool.close),
    )
