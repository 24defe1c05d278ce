"""The scheduler's HTTP interface over a test's own parts."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.health import Check
from services.scheduler.application import http_app
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.reminders.ladder_store import RulesCache
from tests.stand_ins.known_keys import KnownKeys, known_keys


def app_of(
    database: Database,
    clock: Clock,
    *,
    keys: KnownKeys | None = None,
    checks: Mapping[str, Check] | None = None,
    rules_cache: RulesCache | None = None,
    escalations: EscalationStore | None = None,
    feed_settings: FeedSettings | None = None,
    notifier: Any = None,
) -> FastAPI:
    """The whole application, by the rules that are shipped unless others are given; without keys nobody may write."""
    return http_app(
        database,
        clock,
        (keys or known_keys({})).keys,
        checks or {},
        rules_cache=rules_cache or RulesCache(),
        escalations=escalations or EscalationStore(read_escalation_book()),
        feed_settings=feed_settings or FeedSettings(),
        notifier=notifier,
    )
