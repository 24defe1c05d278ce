"""Writes the OpenAPI document: `python -m services.scheduler.openapi`, or `--check`, which exits 1 when it is stale."""

import sys
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.openapi import keep_openapi, openapi_text
from services.scheduler.application import http_app
from services.scheduler.escalation.book import read_escalation_book
from services.scheduler.escalation.store import EscalationStore
from services.scheduler.feeds.settings import FeedSettings
from services.scheduler.reminders.ladder_store import RulesCache

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "scheduler.json"


def application() -> FastAPI:
    """The interface, with nothing connected behind it and no keys."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "scheduler")
    return http_app(
        nowhere,
        SystemClock(),
        ApiKeys(ApiKeySettings()),
        {},
        rules_cache=RulesCache(),
        escalations=EscalationStore(read_escalation_book()),
        feed_settings=FeedSettings(),
    )


def document() -> str:
    """The document that the code of now has."""
    return openapi_text(application())


if __name__ == "__main__":
    sys.exit(keep_openapi(PATH, document))
