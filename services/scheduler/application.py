"""The scheduler's whole HTTP interface, put together from the routes of each subject."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.i18n.words import answer_language
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.audit.refused_attempts import RefusedAttempts
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.app import web_app
from services.plumbing.http.audit_routes import audit_routes
from services.plumbing.http.health import Check
from services.plumbing.zones import ZONE_DATA
from services.scheduler.escalation.acknowledgement_routes import acknowledgement_routes
from services.scheduler.escalation.link_routes import acknowledgement_link_routes
from services.scheduler.escalation.notifier_client import NotifierClient
from services.scheduler.escalation.public_routes import public_escalation_routes
from services.scheduler.escalation.routes import escalation_routes
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.feeds.reading_routes import feed_reading_routes
from services.scheduler.feeds.routes import feed_routes
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.feeds.store import FeedStore
from services.scheduler.holds.routes import hold_routes
from services.scheduler.previews.routes import preview_routes
from services.scheduler.reminders.ladder_routes import ladder_routes
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.routes import reminder_routes
from services.scheduler.reminders.zone_routes import zone_routes


def http_app(
    database: Database,
    clock: Clock,
    keys: ApiKeys,
    checks: Mapping[str, Check],
    *,
    rules_cache: RulesCache,
    escalations: EscalationStore,
    feed_settings: FeedSettings,
    notifier: NotifierClient | None = None,
    facts: Mapping[str, Any] | None = None,
    keyed_hash: KeyedHash = WITHHELD,
) -> FastAPI:
    """The application; nothing is connected by building it. `facts` are for `/readyz`.

    `notifier` says what the links of escalations are good for; without it they are good for nothing.
    """
    app = web_app(
        "scheduler",
        "Pledgewire scheduler",
        checks,
        version="1.0.0",
        languages=answer_language,
        description="Reminders of what governments have promised: which are to come, which were sent.",
        facts={"zone_data": ZONE_DATA, **(facts or {})},
        note_refusal=RefusedAttempts(database, clock).note,
        key_of=keys.key_of,
    )
    feeds = FeedStore(database)
    for routes in (
        hold_routes(database, keys),
        reminder_routes(database, keys, RulesCache(rules_cache.shipped)),
        ladder_routes(database, clock, keys, rules_cache),
        zone_routes(database, keys),
        acknowledgement_routes(database, clock, keys, escalations, keyed_hash),
        acknowledgement_link_routes(database, clock, escalations, notifier, keyed_hash),
        escalation_routes(database, keys, escalations.book),
        public_escalation_routes(database, clock, escalations.book),
        preview_routes(database, clock, keys, rules_cache.shipped, escalations.book),
        feed_routes(feeds, keys, clock, feed_settings),
        feed_reading_routes(feeds, clock, feed_settings),
        audit_routes(database, keys),
    ):
        app.include_router(routes)
    return app
