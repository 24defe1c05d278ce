"""The scheduler's whole HTTP interface, put together from the routes of each subject."""

from collections.abc import Mapping

from fastapi import FastAPI

from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.app import Check
from services.scheduler.escalation.escalations import EscalationStore
from services.scheduler.escalation.routes import escalation_router
from services.scheduler.feeds.routes import FeedSettings, add_feeds
from services.scheduler.feeds.store import FeedStore
from services.scheduler.previews.routes import preview_router
from services.scheduler.reminders.ladder_routes import ladder_routes
from services.scheduler.reminders.ladder_store import RulesCache
from services.scheduler.reminders.routes import build_http


def http_app(
    database: Database,
    clock: Clock,
    keys: ApiKeys,
    checks: Mapping[str, Check],
    *,
    shelf: RulesCache,
    escalations: EscalationStore,
    feeds: FeedSettings,
) -> FastAPI:
    """The application; nothing is connected by building it."""
    app = build_http(database, checks, keys)
    app.include_router(ladder_routes(database, clock, keys, shelf))
    app.include_router(escalation_router(database, clock, keys, escalations))
    app.include_router(preview_router(database, clock, shelf.shipped, escalations.book))
    add_feeds(app, FeedStore(database), keys, clock, feeds)
    return app
