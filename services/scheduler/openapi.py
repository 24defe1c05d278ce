"""Writes the OpenAPI document: `python -m services.scheduler.openapi`, or `--check`, which exits 1 when it is stale."""

import sys
from pathlib import Path

from pydantic import SecretStr

from services.plumbing.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.openapi import keep_openapi, openapi_text
from services.scheduler.escalation_book import read_book
from services.scheduler.escalation_routes import escalation_router
from services.scheduler.escalations import Escalations
from services.scheduler.feed_routes import FeedSettings, add_feeds
from services.scheduler.feed_store import FeedStore
from services.scheduler.routes import build_http

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "scheduler.json"


def document() -> str:
    """The document that the code of now has; nothing is connected for it."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "scheduler")
    keys, clock = ApiKeys(ApiKeySettings(file=None)), SystemClock()
    app = build_http(nowhere, {})
    app.include_router(escalation_router(nowhere, clock, keys, Escalations(read_book())))
    add_feeds(app, FeedStore(nowhere), keys, clock, FeedSettings())
    return openapi_text(app)


if __name__ == "__main__":
    sys.exit(keep_openapi(PATH, document))
