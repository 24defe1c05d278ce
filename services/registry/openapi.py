"""Writes the OpenAPI document: `python -m services.registry.openapi`, or `--check`, which exits 1 when it is stale."""

import sys
from pathlib import Path

from pydantic import SecretStr

from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.openapi import keep_openapi, openapi_text
from services.registry.http.app import http_app

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "registry.json"


def document() -> str:
    """The document that the code of now has; nothing is connected for it."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "registry")
    app = http_app(nowhere, SystemClock(), ApiKeys(ApiKeySettings(file=None)), {})
    return openapi_text(app)


if __name__ == "__main__":
    sys.exit(keep_openapi(PATH, document))
