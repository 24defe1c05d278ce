"""Writes the OpenAPI document: `python -m services.notifier.openapi`, or `--check`, which exits 1 when it is stale."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from services.notifier.addresses import Allowed
from services.notifier.links import LinkSettings, UnsubscribeLinks
from services.notifier.register import Register
from services.notifier.routes import build_http
from services.plumbing.api_keys import ApiKeys, ApiKeySettings
from services.plumbing.clock import SystemClock
from services.plumbing.database import Database, DatabaseSettings

PATH = Path(__file__).parents[2] / "contracts" / "openapi" / "notifier.json"


def document() -> str:
    """The document that the code of now has; nothing is connected for it."""
    nowhere = Database(DatabaseSettings(DATABASE_URL=SecretStr("postgresql://")), "notifier")
    links = UnsubscribeLinks(LinkSettings(link_keys=(SecretStr("signs nothing here".ljust(32)),)))
    app = build_http(Register(nowhere), ApiKeys(ApiKeySettings(file=None)), links, Allowed.of([]), SystemClock(), {})
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m services.notifier.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the document is stale")
    wanted = document()
    if PATH.exists() and PATH.read_text(encoding="utf-8") == wanted:
        return 0
    if parser.parse_args(arguments).check:
        sys.stdout.write("stale: contracts/openapi/notifier.json\n")
        return 1
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(wanted, encoding="utf-8", newline="\n")
    sys.stdout.write("written: contracts/openapi/notifier.json\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
