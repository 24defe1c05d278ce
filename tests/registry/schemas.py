"""Whether an event is one by the schemas as they are committed, which other systems have."""

import json
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).parents[2] / "contracts/schemas"


def faults(topic: str, value: bytes) -> list[str]:
    """What its schema has against a record's value."""
    return [f"{error.json_path}: {error.message}" for error in _validator(topic).iter_errors(json.loads(value))]


@cache
def _validator(topic: str) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{topic}.v1.json").read_bytes())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
