"""Which parameters the real services know, by their OpenAPI documents: a stand-in refuses any other, as they do."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any


@lru_cache
def _document(service: str) -> Mapping[str, Any]:
    path = Path(__file__).parents[2] / "contracts" / "openapi" / f"{service}.json"
    paths: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["paths"]
    return paths


def known_parameters(service: str, path: str) -> set[str]:
    """The parameters of a query that the real service knows there, as its OpenAPI document says; it refuses others.

    Raises `LookupError` where the document has no such path: the portal would ask for what there isn't.
    """
    if path == "/livez":
        return set()
    for template, operations in _document(service).items():
        if "get" in operations and re.fullmatch(re.sub(r"\\{[^/]*\\}", "[^/]+", re.escape(template)), path):
            return {one["name"] for one in operations["get"].get("parameters", ()) if one["in"] == "query"}
    raise LookupError(f"the {service} has no GET {path}")
