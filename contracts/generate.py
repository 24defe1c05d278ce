"""Writes what follows from the models and topics: JSON Schemas, the AsyncAPI document, the topic cards.

`python -m contracts.generate` writes, `python -m contracts.generate --check` exits 1 and names what is stale.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.generation.asyncapi import asyncapi_document
from contracts.generation.json_schemas import event_name, schema_documents
from contracts.generation.topic_cards import cards_document, with_topic_cards
from contracts.topics import Topic

HERE = Path(__file__).parent


def generated() -> dict[str, str]:
    """Everything that should stand in `contracts/`, by path from there."""
    readme = with_topic_cards(_committed(HERE / "README.md") or "", golden_examples)
    return schema_documents() | asyncapi_document(golden_examples) | cards_document() | {"README.md": readme}


def stale() -> list[str]:
    """Paths whose committed text is not what the models and topics say now."""
    return sorted(path for path, text in generated().items() if _committed(HERE / path) != text)


def write() -> list[str]:
    """Bring the directory up to date, and say which files changed; the golden examples are never touched."""
    texts = generated()
    changed = stale()
    for path in changed:
        (HERE / path).parent.mkdir(parents=True, exist_ok=True)
        (HERE / path).write_text(texts[path], encoding="utf-8", newline="\n")
    return changed


def golden_examples(topic: Topic) -> dict[str, dict[str, Any]]:
    """The golden records of the event on this topic, in its present version, by name."""
    prefix = f"{event_name(topic)}.v{topic.version}."
    paths = sorted((HERE / "examples").glob(f"{prefix}*.json"))
    return {path.stem.removeprefix(prefix): json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _committed(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m contracts.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name what is stale")
    if parser.parse_args(arguments).check:
        paths, verb = stale(), "stale"
    else:
        paths, verb = write(), "written"
    for path in paths:
        sys.stdout.write(f"{verb}: contracts/{path}\n")
    return 1 if paths and verb == "stale" else 0


if __name__ == "__main__":
    sys.exit(main())
