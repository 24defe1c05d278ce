"""Writes the OpenAPI document: `python -m services.notifier.openapi`, or `--check`, which exits 1 when it is stale."""

import sys
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from services.notifier.application import http_app
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.notices.undo_routes import undo_tokens
from services.notifier.rendering.page_links import PageLinks
from services.notifier.subscriptions.acknowledgement_links import AcknowledgementTokens
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.link_settings import LinkSettings
from services.notifier.subscriptions.signed_ids import page_tokens
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.openapi import keep_openapi, openapi_text

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "notifier.json"


def application() -> FastAPI:
    """The interface, with nothing connected behind it and no keys."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "notifier")
    settings = LinkSettings(link_keys=(SecretStr("signs nothing here".ljust(32)),))
    keys, tokens = ApiKeys(ApiKeySettings()), page_tokens(settings)
    return http_app(
        nowhere,
        SystemClock(),
        keys,
        {},
        links=UnsubscribeLinks(settings),
        pages=PageLinks(settings.portal_url, tokens.token),
        tokens=tokens,
        acknowledgement_tokens=AcknowledgementTokens(settings),
        undo_tokens=undo_tokens(settings),
        destinations=Destinations(settings),
        allowed=AllowList.of([]),
    )


def document() -> str:
    """The document that the code of now has."""
    return openapi_text(application())


if __name__ == "__main__":
    sys.exit(keep_openapi(PATH, document))
