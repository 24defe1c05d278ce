"""Writes the OpenAPI document: `python -m services.registry.openapi`, or `--check`, which exits 1 when it is stale."""

import sys
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr

from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.plumbing.http.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.http.openapi import keep_openapi, openapi_text
from services.registry.http.app import http_app

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "registry.json"


def application() -> FastAPI:
    """The interface, with nothing connected behind it and no keys."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "registry")
    return http_app(nowhere, SystemClock(), ApiKeys(ApiKeySettings()), {})


def document() -> str:
    """The document that the code of now has."""
    return openapi_text(application())


if __name__ == "__main__":
    sys.exit(keep_openapi(PATH, document))
