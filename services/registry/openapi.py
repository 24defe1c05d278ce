"""Writes the OpenAPI document: `python -m services.registry.openapi`, or `--check`, which exits 1 when it is stale."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from services.plumbing.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings
from services.registry.routes import http_app

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "registry.json"


def document() -> str:
    """The document that the code of now has; nothing is connected for it."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "registry")
    app = http_app(nowhere, SystemClock(), ApiKeys(ApiKeySettings(file=None)), {})
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m services.registry.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the document is stale")
    wanted = document()
    if PATH.exists() and PATH.read_text(encoding="utf-8") == wanted:
        return 0
    if parser.parse_args(arguments).check:
        sys.stdout.write("stale: contracts/openapi/registry.json\n")
        return 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(wanted, encoding="utf-8", newline="\n")
    sys.stdout.write("written: contracts/openapi/registry.json\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
