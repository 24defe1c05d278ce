"""The committed OpenAPI document is the one that the registry serves."""

import json

from services.registry import openapi

IN_THE_BODY = {"/statements/import", "/status-updates"}
"""Doors whose repeats are known by what the body holds: the statement's own ids, or a key that each row has to have."""


def test_the_committed_document_is_not_stale() -> None:
    assert openapi.PATH.read_text(encoding="utf-8") == openapi.document(), "run python -m services.registry.openapi"


def test_every_writing_operation_asks_for_a_key_and_names_its_problems() -> None:
    document = json.loads(openapi.document())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            problems = {s: r for s, r in operation["responses"].items() if s >= "400"}
            assert all(set(r["content"]) == {"application/problem+json"} for r in problems.values()), path
            if path == "/wordings/read":  # it writes nothing: a POST since what is asked is a document
                assert operation["security"] == []
            elif method in ("post", "put"):
                assert operation["security"] == [{"api-key": []}]
                assert {"401", "403", "422"} <= set(problems)
                named = {p["name"] for p in operation.get("parameters", []) if p.get("required")}
                assert ("Idempotency-Key" in named) == (path not in IN_THE_BODY), path


def test_every_row_of_the_bulk_door_has_a_key_of_its_own() -> None:
    document = json.loads(openapi.document())
    schemas = document["components"]["schemas"]
    body = document["paths"]["/status-updates"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    rows = schemas[body["$ref"].rpartition("/")[2]]["properties"]["reports"]["items"]
    for form in rows["anyOf"]:
        assert "report_id" in schemas[form["$ref"].rpartition("/")[2]]["required"]
