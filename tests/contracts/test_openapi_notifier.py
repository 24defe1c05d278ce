"""The committed OpenAPI document of the notifier."""

import json

from services.notifier.openapi import PATH, document

OPEN = {
    "/unsubscribe/{token}",
    "/subscription-links/{token}",
    "/subscription-links/{token}/deliveries",
    "/subscription-links/{token}/receipts",
    "/acknowledgement-links/{token}",
    "/undo-links/{token}",
    "/link-requests",
    "/conservation",
}
"""Nobody needs a key for these: links act for whom they were made, and a few sums name nobody."""


def test_the_committed_document_is_what_the_code_says_now() -> None:
    assert document() == PATH.read_text(encoding="utf-8"), "write it: python -m services.notifier.openapi"


def test_what_is_its_owners_asks_for_a_key_and_every_problem_is_a_problem_document() -> None:
    for path, operations in json.loads(document())["paths"].items():
        for operation in operations.values():
            problems = {s: r for s, r in operation["responses"].items() if s >= "400"}
            assert problems and all(set(r["content"]) == {"application/problem+json"} for r in problems.values()), path
            assert operation.get("security", []) == ([] if path in OPEN else [{"api-key": []}]), path
            assert ({"401", "403"} <= set(problems)) == (path not in OPEN), path
