"""Keeps a committed OpenAPI document in step with the code that serves it."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from fastapi import FastAPI


def openapi_text(app: FastAPI) -> str:
    """The document that the code of now has, as it is committed."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def keep_openapi(path: Path, document: Callable[[], str], arguments: Sequence[str] | None = None) -> int:
    """Write the document where it differs; with `--check` only say so. The exit status: 1 when it is stale."""
    parser = argparse.ArgumentParser(description=f"Writes {path.name} from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when the document is stale")
    check = parser.parse_args(arguments).check
    wanted = document()
    if path.exists() and path.read_text(encoding="utf-8") == wanted:
        return 0
    if check:
        sys.stdout.write(f"stale: {path.name}\n")
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(wanted, encoding="utf-8", newline="\n")
    sys.stdout.write(f"written: {path.name}\n")
    return 0
